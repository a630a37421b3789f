// What the state of the client means, in sentences.

const CLOSE_CODES = {
  1000: 'normal closure',
  1001: 'going away',
  1002: 'protocol error',
  1003: 'unsupported data',
  1005: 'the Close frame had no code',
  1006: 'no Close frame arrived',
  1007: 'invalid payload data',
  1008: 'policy violation',
  1009: 'message too big',
  1010: 'extension missing',
  1011: 'internal error',
  1012: 'service restart',
  1013: 'try again later',
  1014: 'bad gateway',
  1015: 'TLS handshake failed',
};

/** The data of the row of a close event. */
function closeData({ code, reason, wasClean }) {
  const data = [['', `code ${code}`]];
  if (CLOSE_CODES[code]) data.push(['gloss', ` ${CLOSE_CODES[code]}`]);
  data.push(['', reason ? ` · reason “${visible(reason)}”` : ' · no reason'], ['', ` · wasClean ${wasClean}`]);
  return data;
}

function noConnectionWords(code) {
  return `no WebSocket connection was made; browsers report this as code ${code}, which never crosses a wire`;
}

/** How a connection ended. */
function endWords({ openedAt, closing, end }) {
  if (openedAt === null) return closing ? 'The attempt was stopped; no connection was made.' : 'The last attempt made no connection.';
  const lost = end.unsent > 0 ? ` ${plural(end.unsent, 'byte')} of your messages were not sent.` : '';
  if (end.code === 1006) {
    const who = closing ? 'The page sent a Close frame, but the server’s Close did not arrive.' : 'The connection ended without a Close frame.';
    return `${who} Browsers report code 1006 for this; it never crosses the wire.${lost}`;
  }
  const code = `${end.code}${CLOSE_CODES[end.code] ? `: ${CLOSE_CODES[end.code]}` : ''}`;
  return `${closing ? 'You closed the connection' : 'The server closed the connection'} (close code ${code}).${lost}`;
}

function pathName(path) {
  return path.startsWith('/echo?') ? '/echo, compressed' : path;
}

function stateSentence(client, chosenPath) {
  const { link } = client;
  const next = pathName(chosenPath);
  if (!link) return 'Not connected.';
  if (client.isOpen()) {
    if (link.path !== '/ticker') return 'Connected. The server returns every message unchanged.';
    if (client.paused) return 'Connected. Answers are paused: messages arrive but are not answered.';
    return 'Connected. The page answers each “echo N” with “client: echo N”.';
  }
  if (client.isLive()) {
    if (link.closing && !link.closing.opened) return 'Stopping the attempt. There is no connection yet, so there is no Close frame.';
    if (client.next) return `Closing. Connect waits for the server’s Close, then the page connects to ${next}.`;
    if (link.closing) return 'Closing. The page sent a Close frame and waits for the server’s Close.';
    if (link.openedAt !== null) return 'Closing. The server ended the connection.';
    if (client.failures > 0) return 'No connection to the server. Start framescope; this page then connects.';
    return 'Connecting. The browser sends the handshake.';
  }
  if (client.stopped) return `${endWords(link)} Press Connect for a new connection.`;
  if (client.failures > 0) return 'No connection to the server. Start framescope; this page then connects.';
  return `${endWords(link)} The page connects again.`;
}

/** Text that changes too often for a screen reader to announce. */
function asideWords(client) {
  if (client.isWaiting()) {
    const seconds = Math.max(0, client.retry.dueAt - performance.now()) / 1000;
    return `trying again in ${seconds.toFixed(1)} s`;
  }
  if (client.isLive() && !client.isOpen()) {
    if (client.failures > 0) return `trying now, attempt ${client.failures + 1}`;
    return client.next ? 'waiting for the server’s Close' : '';
  }
  return client.unanswered > 0 ? `${grouped.format(client.unanswered)} unanswered` : '';
}
