// The WebSocket client: connects, answers the ticker, connects again, and reports what happens as rows.

const STATES = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'];
const TICK = /^echo \d+$/;
const RETRY_MS = [1000, 2000, 5000]; // how long to wait before the first, the second and each further attempt

/**
 * `settings` has the user's choices: path() and protocols(). Rows go into `log`. `changed` is called whenever the state has
 * changed, `counted` when only counts have.
 */
function createClient(settings, log, { changed, counted }) {
  const client = {
    link: null, // the current connection, or the last one
    counted: null, // the connection whose counts are shown: the last one that opened
    paused: false,
    unanswered: 0,
    stopped: false, // true after the user disconnected or stopped the attempts: no retries
    next: false, // true if the page connects when the current connection has closed
    failures: 0, // attempts in a row that made no connection
    retry: { timer: null, dueAt: 0, entry: null },
    tally: { open: 0, message: 0, error: 0, close: 0 },
    readyState: () => (client.link ? client.link.socket.readyState : WebSocket.CLOSED),
    isOpen: () => client.readyState() === WebSocket.OPEN,
    // Until the close event: readyState may be CLOSED shortly before it.
    isLive: () => client.link !== null && !client.link.closed,
    canClose: () => client.isLive() && client.readyState() <= WebSocket.OPEN,
    isWaiting: () => client.retry.timer !== null,
    connect, switchTo, disconnect, send, togglePause, hurry,
  };

  // ---- connecting

  /** Opens a connection with the chosen path. Throws what the constructor throws, and then changes nothing. */
  function open() {
    const path = settings.path();
    const page = pageToken();
    const url = urlOf(path, page);
    const protocols = settings.protocols();
    const socket = new WebSocket(url, protocols);
    socket.binaryType = 'arraybuffer';
    cancelRetry();
    const link = {
      socket, path, page, url, protocols, number: null, startedAt: performance.now(), openedAt: null, closed: false,
      closing: null, end: null, messagesIn: 0, messagesOut: 0, bytesIn: 0, bytesOut: 0,
    };
    client.link = link;
    client.counted ||= link;
    client.stopped = false;
    client.next = false;
    client.unanswered = 0;
    socket.onopen = (event) => onOpen(link, event);
    socket.onmessage = (event) => onMessage(link, event);
    socket.onerror = (event) => onError(link, event);
    socket.onclose = (event) => onClose(link, event);
    if (client.failures === 0) reportStart(link);
    changed();
  }

  /** Connects; a connection that is open is closed first. */
  function connect() {
    client.failures = 0;
    if (!client.isLive()) {
      open();
      return;
    }
    client.next = true;
    client.stopped = false;
    if (client.canClose()) close(1000, '');
    changed();
  }

  /** Connects to the chosen path, unless the page does so already. */
  function switchTo() {
    if (!client.isLive() || client.link.path !== settings.path() || client.link.closing) connect();
  }

  /** Closes the connection with a code and a reason, and stops the attempts. Throws what close() throws. */
  function disconnect(code, reason) {
    if (client.canClose()) close(code, reason);
    client.stopped = true;
    client.next = false;
    client.failures = 0;
    cancelRetry();
    changed();
  }

  function close(code, reason) {
    const { link } = client;
    const given = [code, reason].filter((value) => value !== undefined && value !== '');
    const words = given.map((value) => (typeof value === 'string' ? `"${visible(value)}"` : String(value))).join(', ');
    const row = { kind: 'close()', className: 'is-up', glyph: '▲', at: performance.now(), data: [['', words || 'no code']] };
    try {
      if (code === undefined) link.socket.close();
      else link.socket.close(code, reason);
    } catch (error) {
      reportRow(link, { ...row, className: 'is-error', glyph: '✗', data: [...row.data, ['gloss', ` · threw ${error.name}`]] });
      throw error;
    }
    link.closing = { opened: link.openedAt !== null };
    const wire = link.closing.opened ? { label: 'Close', filter: 'dir == c2s and op == close', wire: () => closeWords(code, reason) } : {};
    reportRow(link, { ...row, ...wire });
  }

  function retryLater() {
    client.retry.dueAt = performance.now() + RETRY_MS[Math.min(client.failures, RETRY_MS.length - 1)];
    client.retry.timer = setInterval(() => (performance.now() >= client.retry.dueAt ? openAgain() : changed()), 100);
  }

  function openAgain() {
    try {
      open();
    } catch {
      // The chosen subprotocols are invalid. The field says so when the user connects.
      disconnect();
    }
  }

  /** Ends the wait for the next attempt. */
  function hurry() {
    if (client.isWaiting()) openAgain();
  }

  function cancelRetry() {
    clearInterval(client.retry.timer);
    client.retry.timer = null;
  }

  // ---- the four events

  function onOpen(link, event) {
    client.tally.open += 1;
    if (client.failures > 0) reportStart(link);
    client.failures = 0;
    client.retry.entry = null;
    link.openedAt = event.timeStamp;
    client.counted = link;
    const { extensions, protocol } = link.socket;
    const known = [extensions && `extensions ${extensions}`, protocol && `subprotocol ${protocol}`];
    const words = known.filter(Boolean).join(' · ') || 'no extension, no subprotocol';
    const entry = reportRow(link, {
      kind: 'onopen', className: 'is-open', glyph: '●', at: event.timeStamp, data: [['gloss', visible(words)]], filter: 'http',
    });
    changed();
    askNumber(link).then(() => {
      if (link.number === null) return;
      entry.label = `conn ${link.number}`;
      log.refresh(entry);
      changed();
    });
  }

  function onMessage(link, event) {
    // Answer before updating the page.
    const answer = answerTo(link, event.data);
    if (answer !== null) link.socket.send(answer);
    const answeredAt = performance.now();

    const payload = typeof event.data === 'string' ? event.data : new Uint8Array(event.data);
    const size = sizeOf(payload);
    client.tally.message += 1;
    link.messagesIn += 1;
    link.bytesIn += size;
    const tick = isTick(link, event.data);
    reportMessage(link, payload, size, {
      kind: 'onmessage', className: 'is-down', glyph: '▼', at: event.timeStamp, tick,
      number: link.messagesIn, direction: 's2c', wire: () => receivedWords(kindOf(payload), size, isCompressed(link)),
    });
    if (answer !== null) reportSent(link, answer, answeredAt, true);
    counted();
  }

  function onError(link, event) {
    client.tally.error += 1;
    if (client.failures > 0 && link.openedAt === null) return;
    const data = [['gloss', 'no details: browsers do not show the cause to scripts']];
    reportRow(link, { kind: 'onerror', className: 'is-error', glyph: '✗', at: event.timeStamp, data });
    changed();
  }

  function onClose(link, event) {
    client.tally.close += 1;
    link.closed = true;
    link.end = { code: event.code, reason: event.reason, wasClean: event.wasClean, unsent: link.socket.bufferedAmount };
    const failed = link.openedAt === null;
    const again = failed && client.failures > 0 && !client.stopped;
    if (again) reportFailure(link, event);
    else reportEnd(link, event);
    if (!failed) reportDiscarded(link);
    if (client.next) {
      openAgain();
      return;
    }
    if (!client.stopped) {
      if (failed) client.failures += 1;
      retryLater();
    }
    changed();
  }

  const isTick = (link, data) => link.path === '/ticker' && typeof data === 'string' && TICK.test(data);

  /** The text of the answer, or null. Only texts of the ticker are answered. */
  function answerTo(link, data) {
    if (!isTick(link, data)) return null;
    if (!client.paused && link.socket.readyState === WebSocket.OPEN) return `client: ${data}`;
    client.unanswered += 1;
    return null;
  }

  // ---- the server's numbers

  /** Asks the server for the connection's number in the terminal, and how many messages it has sent. */
  async function askNumber(link) {
    try {
      const response = await fetch(`connection?page=${link.page}`);
      if (!response.ok) return null;
      const { conn, sent } = await response.json();
      link.number = conn;
      return sent;
    } catch {
      return null; // The server is not there any more.
    }
  }

  /** A browser does not deliver messages that arrive after close(): reports them, if the server sent any. */
  async function reportDiscarded(link) {
    if (!link.closing) return;
    const sent = await askNumber(link);
    const discarded = sent - link.messagesIn;
    if (sent === null || discarded <= 0) return;
    const first = link.messagesIn + 1;
    const words = `${plural(discarded, 'message')} arrived after close(): the browser did not deliver ${discarded === 1 ? 'it' : 'them'} to the script`;
    reportRow(link, {
      kind: 'not delivered', className: 'is-down', glyph: '▼', at: performance.now(), data: [['gloss', words]],
      label: discarded === 1 ? `message ${first}` : `messages ${first}–${sent}`, filter: `dir == s2c and message >= ${first}`,
    });
    changed();
  }

  // ---- sending

  /** Sends a message; returns its row. */
  function send(payload) {
    client.link.socket.send(payload);
    const entry = reportSent(client.link, payload, performance.now(), false);
    changed();
    return entry;
  }

  function togglePause() {
    client.paused = !client.paused;
    client.unanswered = 0;
    changed();
  }

  // ---- rows

  /** Adds a row. Its `filter` finds it in the terminal among the records of the connection; its `label` is shown. */
  function reportRow(link, row) {
    return log.add({ link, openedAt: link.openedAt, ...row });
  }

  function reportSent(link, payload, at, automatic) {
    const size = sizeOf(payload);
    link.messagesOut += 1;
    link.bytesOut += size;
    return reportMessage(link, payload, size, {
      kind: 'send()', className: 'is-up', glyph: '▲', at, automatic, tick: automatic,
      number: link.messagesOut, direction: 'c2s', wire: () => sentWords(kindOf(payload), size, isCompressed(link)),
    });
  }

  function reportMessage(link, payload, size, row) {
    const { number, direction } = row;
    return reportRow(link, {
      ...row, data: messageData(payload), label: `message ${number}`, filter: `dir == ${direction} and message == ${number}`,
      // A narrow column may break the line after the kind, but not inside the size.
      note: `${kindOf(payload)} ${plural(size, 'byte').replace(' ', '\u00a0')}`,
    });
  }

  function reportStart(link) {
    const { protocols } = link;
    const offered = protocols.length ? `, ["${protocols.map(visible).join('", "')}"]` : '';
    const data = [['', `"${link.url}"${offered}`]];
    log.add({ link, kind: 'new WebSocket', className: 'is-start', glyph: '○', at: link.startedAt, openedAt: null, data });
  }

  function reportEnd(link, event) {
    const data = link.openedAt === null ? [['gloss', noConnectionWords(event.code)]] : closeData(event);
    const filter = event.wasClean ? 'op == close' : 'type == end';
    const label = link.openedAt === null ? '' : event.wasClean ? 'Close' : 'end';
    reportRow(link, { kind: 'onclose', className: 'is-close', glyph: '■', at: event.timeStamp, data, label, filter });
  }

  /** Repeated failures share one row, because separate rows would push all earlier ones out of the list. */
  function reportFailure(link, event) {
    const { retry, failures } = client;
    const data = [['', `error and close ${event.code} again, ${plural(failures, 'time')}`]];
    if (retry.entry) Object.assign(retry.entry, { at: event.timeStamp, data });
    if (retry.entry && log.refresh(retry.entry)) return;
    retry.entry = reportRow(link, { kind: 'new WebSocket', className: 'is-error is-start', glyph: '✗', at: event.timeStamp, data });
  }

  return client;
}

const isCompressed = (link) => link.socket.extensions.includes('permessage-deflate');

/** A name for the connection that the server sees in the handshake: see askNumber. */
function pageToken() {
  return Array.from(crypto.getRandomValues(new Uint8Array(3)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * A browser always offers permessage-deflate. With `deflate=off` the server declines it, so that the lengths on the wire
 * are those of the messages.
 */
function targetOf(path, page) {
  const target = path === '/echo' ? '/echo?deflate=off' : path;
  return `${target}${target.includes('?') ? '&' : '?'}page=${page}`;
}

function urlOf(path, page) {
  const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
  return `${scheme}//${location.host}${targetOf(path, page)}`;
}

/** The filter that finds a row in the terminal. */
function filterOf({ link, filter }) {
  return link.number === null ? filter : `conn == ${link.number} and ${filter}`;
}
