// Input fields: each reader returns {value} or {problem}.

const RANDOM_CALL = 65536; // the largest size that crypto.getRandomValues accepts
const RANDOM_MAX = 64 * 1024 * 1024; // the largest message that the server accepts

function readHex(input) {
  // Pasted bytes often contain blanks, commas, colons and 0x.
  const digits = input.replace(/\b0x/gi, '').replace(/[\s,:]/g, '');
  const wrong = digits.match(/[^0-9a-f]/iu);
  if (wrong) return { problem: `“${visible(wrong[0])}” is not a hex digit: use 0–9 and a–f.` };
  if (digits.length % 2) return { problem: `${plural(digits.length, 'digit')}: each byte needs two.` };
  const pairs = digits.match(/../g) || [];
  return { value: Uint8Array.from(pairs, (pair) => parseInt(pair, 16)) };
}

function readSize(input) {
  const digits = input.replace(/[\s,_]/g, '');
  const size = Number(digits);
  if (/^\d+$/.test(digits) && size <= RANDOM_MAX) return { value: size };
  return { problem: `Enter a whole number from 0 to ${grouped.format(RANDOM_MAX)} (64 MiB).` };
}

/** Subprotocols, separated by commas: different tokens (RFC 6455 §4.1). With `anything`, the browser judges them. */
function readProtocols(input, anything) {
  const names = input.split(',').map((name) => name.trim()).filter(Boolean);
  if (anything) return { value: names };
  const wrong = names.find((name) => !/^[!#$%&'*+\-.^_`|~0-9a-z]+$/i.test(name));
  if (wrong) return { problem: `“${visible(wrong)}” is not a name of a subprotocol: use letters, digits, dots and hyphens.` };
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  return twice ? { problem: `${twice} is in the list twice.` } : { value: names };
}

/** A close code that WebSocket.close() accepts. An empty field means no code: a Close frame without payload. */
function readCloseCode(input, reason, anything) {
  const digits = input.trim();
  if (digits === '') {
    return reason === '' ? { value: undefined } : { problem: 'A reason needs a close code before it.' };
  }
  const code = Number(digits);
  if (anything) return { value: code };
  if (/^\d+$/.test(digits) && (code === 1000 || (code >= 3000 && code <= 4999))) return { value: code };
  return { problem: 'JavaScript may only use 1000 and 3000–4999.' };
}

function readCloseReason(reason, anything) {
  const size = utf8Length(reason);
  if (anything || size <= REASON_MAX) return { value: reason };
  return { problem: `The reason has ${size} bytes in UTF-8; the maximum is ${REASON_MAX}.` };
}

function patternText(size) {
  return '0123456789abcdef'.repeat(Math.ceil(size / 16)).slice(0, size);
}

function patternBytes(size) {
  return Uint8Array.from({ length: size }, (_, i) => i & 0xff);
}

function randomBytes(size) {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += RANDOM_CALL) crypto.getRandomValues(bytes.subarray(at, at + RANDOM_CALL));
  return bytes;
}
