// What crosses the wire: the frames that a call of the WebSocket API becomes (RFC 6455 §5.2).

const CONTROL_MAX = 125; // the most payload bytes of a control frame
const REASON_MAX = CONTROL_MAX - 2; // the close code takes two bytes
const BROWSER_WHOLE = 65536; // Chromium may cut a longer message into fragments; Firefox sends each message in one frame

/** The bytes of a frame with a payload of `length` bytes. Only a client's frame has the masking key of 4 bytes. */
function frameSize(length, masked) {
  const extended = length > 65535 ? 8 : length > 125 ? 2 : 0;
  return 2 + extended + (masked ? 4 : 0) + length;
}

function frameWords(kind, length, masked) {
  const size = plural(frameSize(length, masked), 'byte');
  // A narrow column breaks the line before the length.
  const lengths = `length ${grouped.format(length)}: ${size}`.replaceAll(' ', '\u00a0');
  return `1 ${kind} frame, FIN, ${masked ? 'MASK' : 'no MASK'}, ${lengths}`;
}

/** A message that the page sends. */
function sentWords(kind, length, compressed) {
  const look = 'the browser decides. Look in the terminal.';
  if (length > BROWSER_WHOLE) return `1 or more ${kind} frames${compressed ? ', RSV1 in the first' : ''}: ${look}`;
  if (compressed) return `1 ${kind} frame, FIN, RSV1, MASK, compressed length: ${look}`;
  return frameWords(kind, length, true);
}

/** A message that the server sent: always one frame. */
function receivedWords(kind, length, compressed) {
  return compressed ? `1 ${kind} frame, FIN, RSV1, no MASK, compressed` : frameWords(kind, length, false);
}

/** The Close frame of `close(code, reason)`. */
function closeWords(code, reason) {
  return frameWords('Close', code === undefined ? 0 : 2 + utf8Length(reason), true);
}
