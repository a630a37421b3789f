// framescope: the WebSocket client in the browser.
//
// It uses the plain WebSocket API and shows what that API shows: four events, but no frames. Received data is
// inserted into the page as text (textContent), never as markup.

(() => {
  'use strict';

  const RETRY_MS = 1000;
  const LOG_ROWS = 500;
  const SHOWN = 64; // the number of characters or bytes of a message that a row shows
  const RANDOM_CALL = 65536; // the largest size that crypto.getRandomValues accepts
  const RANDOM_MAX = 64 * 1024 * 1024; // the largest message that the server accepts
  const REASON_MAX = 123; // a control frame has at most 125 bytes, two of which are the close code
  const STATES = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'];
  const TICK = /^echo \d+$/;
  const THEME_KEY = 'framescope-theme';
  const SHORTCUTS_KEY = 'framescope-shortcuts';
  const CLOSE_CODES = {
    1000: 'normal closure',
    1001: 'going away',
    1002: 'protocol error',
    1003: 'unsupported data',
    1005: 'the Close frame had no code',
    1006: 'the connection ended without a Close frame',
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

  // ---- formatting -------------------------------------------------------------------------------------------------

  const grouped = new Intl.NumberFormat('en-US');
  const tenths = new Intl.NumberFormat('en-US', { minimumFractionDigits: 1, maximumFractionDigits: 1 });

  function plural(count, unit) {
    return `${grouped.format(count)} ${unit}${count === 1 ? '' : 's'}`;
  }

  function utf8Length(text) {
    return new TextEncoder().encode(text).length;
  }

  /** The length form of a payload of `size` bytes (RFC 6455 §5.2). */
  function lengthForm(size) {
    if (size <= 125) return '7 bit';
    return size <= 65535 ? '16 bit' : '64 bit';
  }

  function sizeAndForm(size) {
    return `${plural(size, 'byte')} · ${lengthForm(size)}`;
  }

  /** Shows control and bidirectional characters as visible symbols, so that they cannot rearrange the row. */
  function visible(text) {
    return text.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, (char) => {
      const code = char.charCodeAt(0);
      if (code < 0x20) return String.fromCharCode(0x2400 + code);
      if (code === 0x7f) return '\u2421';
      return `⟨U+${code.toString(16).toUpperCase().padStart(4, '0')}⟩`;
    });
  }

  /** The first characters of a text, never half of a surrogate pair. */
  function firstCharacters(text, count) {
    return Array.from(text.slice(0, count * 2)).slice(0, count).join('');
  }

  function hexOf(bytes) {
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
  }

  /** Bytes as hex in groups of eight: a row breaks only between groups. */
  function hexGroups(bytes) {
    const groups = [];
    for (let at = 0; at < bytes.length; at += 8) groups.push(hexOf(bytes.subarray(at, at + 8)));
    return groups;
  }

  function clockTime(date) {
    const two = (n) => String(n).padStart(2, '0');
    const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
    return `${time}.${String(date.getMilliseconds()).padStart(3, '0')}`;
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

  // ---- input fields: each reader returns {value} or {problem} -------------------------------------------------------

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

  /** Accepts only what WebSocket.close() accepts. An empty field means no code: a Close frame without payload. */
  function readCloseCode(input, reason) {
    const digits = input.trim();
    if (digits === '') {
      return reason === '' ? { value: undefined } : { problem: 'A reason needs a close code before it.' };
    }
    const code = Number(digits);
    if (/^\d+$/.test(digits) && (code === 1000 || (code >= 3000 && code <= 4999))) return { value: code };
    return { problem: 'JavaScript may only use 1000 and 3000–4999.' };
  }

  function readCloseReason(reason) {
    const size = utf8Length(reason);
    if (size <= REASON_MAX) return { value: reason };
    return { problem: `The reason has ${size} bytes in UTF-8; the maximum is ${REASON_MAX}.` };
  }

  // ---- stored settings; without storage they last as long as the page -----------------------------------------------

  function remember(key, value) {
    try {
      localStorage.setItem(key, value);
    } catch {
      // Storage is disabled: the setting lasts as long as the page.
    }
  }

  function recall(key) {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  }

  function applyTheme(theme) {
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
  }

  // ---- small helpers for elements -----------------------------------------------------------------------------------

  const byId = (id) => document.getElementById(id);

  /** Writes only changed text, because a live region would announce the same text again. */
  function setText(id, text) {
    const element = byId(id);
    if (element.textContent !== text) element.textContent = text;
  }

  function setProblem(field, errorId, problem) {
    setText(errorId, problem || '');
    if (field) field.setAttribute('aria-invalid', problem ? 'true' : 'false');
  }

  function setAvailable(button, available) {
    button.setAttribute('aria-disabled', available ? 'false' : 'true');
  }

  function span(className, text) {
    const element = document.createElement('span');
    element.className = className;
    element.textContent = text;
    return element;
  }

  // ---- the log ------------------------------------------------------------------------------------------------------

  /** A list with a limited number of rows that follows the newest row until the user scrolls up. */
  function createLog() {
    const list = byId('log');
    const newest = byId('newest');
    let following = true;
    let pinnedTop = 0; // the scroll position of the newest row after the last update
    let missed = 0;
    let dropped = 0;
    let drawing = false;

    function atEnd() {
      return list.scrollHeight - list.scrollTop - list.clientHeight < 8;
    }

    function showEdges() {
      byId('empty').hidden = list.childElementCount > 0;
      byId('dropped').hidden = dropped === 0;
      setText('dropped', `${plural(dropped, 'older row')} dropped; the newest ${LOG_ROWS} are kept.`);
      list.classList.toggle('is-following', following);
      newest.hidden = following;
      newest.textContent = missed ? `▾ Newest · ${grouped.format(missed)} more` : '▾ Newest';
    }

    // One scroll per animation frame: reading the layout after each row would be slow.
    function draw() {
      if (drawing) return;
      drawing = true;
      requestAnimationFrame(() => {
        drawing = false;
        showEdges();
        if (following) list.scrollTop = list.scrollHeight;
        pinnedTop = list.scrollTop;
      });
    }

    function add({ kind, className, glyph, at, openedAt, data, note }) {
      const row = document.createElement('li');
      row.className = `row is-new ${className}`;
      const clock = clockTime(new Date(performance.timeOrigin + at));
      const sinceOpen = openedAt === null ? '' : tenths.format(Math.max(0, at - openedAt));
      const glyphCell = span('row-glyph', glyph);
      glyphCell.setAttribute('aria-hidden', 'true');
      const dataCell = span('row-data', '');
      dataCell.append(...data);
      const times = span('row-times', '');
      times.append(span('row-clock', clock), ' ', span('row-ms', sinceOpen));
      row.append(times, glyphCell, span('row-kind', kind), dataCell, span('row-note', note || ''));
      list.append(row);
      if (!following) missed += 1;
      while (list.childElementCount > LOG_ROWS) {
        list.firstElementChild.remove();
        dropped += 1;
      }
      draw();
      return row;
    }

    function follow() {
      following = true;
      missed = 0;
      draw();
    }

    function clear() {
      list.replaceChildren();
      dropped = 0;
      follow();
    }

    list.addEventListener('scroll', () => {
      const end = atEnd();
      // New rows move the end below the view, so only scrolling up means that the user stops following.
      if (following ? end || list.scrollTop > pinnedTop - 4 : !end) return;
      following = end;
      if (end) missed = 0;
      draw();
    });
    // A smaller window or an opened panel must not count as scrolling up.
    new ResizeObserver(() => following && draw()).observe(list);
    newest.addEventListener('click', () => {
      follow();
      list.focus({ preventScroll: true });
    });
    byId('clear').addEventListener('click', clear);

    return { add, follow, redraw: draw };
  }

  /** The first part of a message as text or hex, for a row. */
  function messageData(payload) {
    if (typeof payload === 'string') {
      if (payload === '') return [span('gloss', 'empty')];
      const start = firstCharacters(payload, SHOWN);
      const shown = span('', visible(start));
      return start.length < payload.length ? [shown, span('more', ' …')] : [shown];
    }
    if (payload.length === 0) return [span('gloss', 'empty')];
    const shown = hexGroups(payload.subarray(0, SHOWN)).flatMap((group) => [span('hex-group', group), ' ']);
    return payload.length > SHOWN ? [...shown, span('more', '…')] : shown;
  }

  function messageNote(payload, size) {
    // A narrow column may break the line after the kind, but not inside the size.
    return `${typeof payload === 'string' ? 'text' : 'binary'} ${plural(size, 'byte').replace(' ', '\u00a0')}`;
  }

  function closeData({ code, reason, wasClean }) {
    const data = [span('', `code ${code}`)];
    if (CLOSE_CODES[code]) data.push(span('gloss', ` ${CLOSE_CODES[code]}`));
    data.push(span('', reason ? ` · reason “${visible(reason)}”` : ' · no reason'));
    data.push(span('', ` · wasClean ${wasClean}`));
    return data;
  }

  // ---- the page -----------------------------------------------------------------------------------------------------

  function start() {
    const log = createLog();
    const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';

    const app = {
      link: null, // the current connection, or the last one
      counted: null, // the connection whose counts are shown: the last one that opened
      paused: false,
      unanswered: 0,
      stopped: false, // true after the user disconnected: no retries
      nextPath: null, // the path to open when the current connection has closed
      retry: { timer: null, dueAt: 0, failures: 0, row: null },
      tally: { open: 0, message: 0, error: 0, close: 0 },
      lastClose: null,
    };

    const readyState = () => (app.link ? app.link.socket.readyState : WebSocket.CLOSED);
    const isOpen = () => readyState() === WebSocket.OPEN;
    // Until the close event: readyState may be CLOSED shortly before it.
    const isLive = () => app.link !== null && !app.link.closed;
    const canClose = () => isLive() && readyState() <= WebSocket.OPEN;
    const isWaiting = () => app.retry.timer !== null;
    const chosenPath = () => document.querySelector('input[name="path"]:checked').value;
    // A browser always offers permessage-deflate. With this query the server declines it, so that the lengths on the
    // wire are those of the messages.
    const urlOf = (path) => `${scheme}//${location.host}${path === '/echo' ? '/echo?deflate=off' : path}`;

    // ---- connecting

    function connect(path) {
      cancelRetry();
      app.stopped = false;
      app.nextPath = null;
      const socket = new WebSocket(urlOf(path));
      socket.binaryType = 'arraybuffer';
      const link = {
        socket, path, startedAt: performance.now(), openedAt: null, closed: false,
        messagesIn: 0, messagesOut: 0, bytesIn: 0, bytesOut: 0,
      };
      app.link = link;
      app.counted = app.counted || link;
      app.unanswered = 0;
      socket.onopen = (event) => onOpen(link, event);
      socket.onmessage = (event) => onMessage(link, event);
      socket.onerror = (event) => onError(link, event);
      socket.onclose = (event) => onClose(link, event);
      if (!isQuiet()) logStart(link);
      render();
    }

    /** Repeated failures share one row, because separate rows would push all earlier ones out of the log. */
    function isQuiet() {
      return app.retry.failures > 0;
    }

    function connectByHand() {
      app.retry.failures = 0;
      if (!isLive()) {
        connect(chosenPath());
        return;
      }
      app.nextPath = chosenPath();
      if (canClose()) closeLink(1000, '');
      render();
    }

    function disconnect() {
      if (!isLive() && !isWaiting()) return;
      const close = canClose() ? readCloseForm() : null;
      if (canClose() && !close) return;
      app.stopped = true;
      app.nextPath = null;
      app.retry.failures = 0;
      app.retry.row = null;
      cancelRetry();
      if (close) closeLink(close.code, close.reason);
      render();
    }

    /** The close code and the reason; null if one is invalid, which the form then shows. */
    function readCloseForm() {
      const codeField = byId('close-code');
      const reasonField = byId('close-reason');
      const code = readCloseCode(codeField.value, reasonField.value);
      const reason = readCloseReason(reasonField.value);
      setProblem(codeField, 'close-code-error', code.problem);
      setProblem(reasonField, 'close-reason-error', reason.problem);
      if (!code.problem && !reason.problem) return { code: code.value, reason: reason.value };
      (code.problem ? codeField : reasonField).focus();
      return null;
    }

    function closeLink(code, reason) {
      const { socket } = app.link;
      const given = [];
      if (code !== undefined) given.push(String(code));
      if (reason) given.push(`"${visible(reason)}"`);
      if (code === undefined) socket.close();
      else socket.close(code, reason);
      logRow('close()', 'is-up', '▲', performance.now(), [span('', given.join(', ') || 'no code')], '');
    }

    function retryLater() {
      app.retry.dueAt = performance.now() + RETRY_MS;
      app.retry.timer = setInterval(() => {
        if (performance.now() >= app.retry.dueAt) connect(app.link.path);
        else renderAside();
      }, 100);
    }

    function cancelRetry() {
      clearInterval(app.retry.timer);
      app.retry.timer = null;
    }

    // ---- the four events

    function onOpen(link, event) {
      app.tally.open += 1;
      if (isQuiet()) logStart(link);
      app.retry.failures = 0;
      app.retry.row = null;
      link.openedAt = event.timeStamp;
      app.counted = link;
      const { extensions, protocol } = link.socket;
      const known = [extensions && `extensions ${extensions}`, protocol && `subprotocol ${protocol}`];
      const data = known.filter(Boolean).join(' · ') || 'no extension, no subprotocol';
      logRow('onopen', 'is-open', '●', event.timeStamp, [span('gloss', visible(data))], '');
      render();
    }

    function onMessage(link, event) {
      // Answer before updating the page.
      const answer = answerTo(link, event.data);
      if (answer !== null) link.socket.send(answer);
      const answeredAt = performance.now();

      const payload = typeof event.data === 'string' ? event.data : new Uint8Array(event.data);
      const size = typeof payload === 'string' ? utf8Length(payload) : payload.length;
      app.tally.message += 1;
      link.messagesIn += 1;
      link.bytesIn += size;
      logRow('onmessage', 'is-down', '▼', event.timeStamp, messageData(payload), messageNote(payload, size));
      if (answer !== null) countSent(answer, answeredAt);
      render();
    }

    function onError(link, event) {
      app.tally.error += 1;
      if (isQuiet() && link.openedAt === null) return;
      const data = [span('gloss', 'no details: browsers do not show the cause to scripts')];
      logRow('onerror', 'is-error', '✗', event.timeStamp, data, '');
      render();
    }

    function onClose(link, event) {
      app.tally.close += 1;
      app.lastClose = event;
      link.closed = true;
      const failed = link.openedAt === null;
      if (failed && isQuiet() && !app.stopped) logFailedAgain(event);
      else logRow('onclose', 'is-close', '■', event.timeStamp, closeData(event), '');
      if (app.nextPath !== null) {
        connect(app.nextPath);
        return;
      }
      if (!app.stopped) {
        if (failed) app.retry.failures += 1;
        retryLater();
      }
      render();
    }

    /** The text of the answer, or null. Only texts of the ticker are answered. */
    function answerTo(link, data) {
      if (link.path !== '/ticker' || typeof data !== 'string' || !TICK.test(data)) return null;
      if (!app.paused && link.socket.readyState === WebSocket.OPEN) return `client: ${data}`;
      app.unanswered += 1;
      return null;
    }

    // ---- sending

    /** Sends if there is a connection; otherwise shows an error at the control. */
    function send(payload, errorId) {
      if (!isOpen()) {
        setText(errorId, 'Not connected: the message was not sent.');
        return;
      }
      setText(errorId, '');
      app.link.socket.send(payload);
      countSent(payload, performance.now());
      render();
    }

    function countSent(payload, at) {
      const { link } = app;
      const size = typeof payload === 'string' ? utf8Length(payload) : payload.length;
      link.messagesOut += 1;
      link.bytesOut += size;
      logRow('send()', 'is-up', '▲', at, messageData(payload), messageNote(payload, size));
      watchBuffer();
    }

    /** bufferedAmount has no event, so it is polled while it is not zero. */
    function watchBuffer() {
      const { socket } = app.link;
      const amount = socket.readyState === WebSocket.OPEN ? socket.bufferedAmount : 0;
      byId('buffered-fact').hidden = amount === 0;
      setText('buffered', plural(amount, 'byte'));
      clearTimeout(watchBuffer.timer);
      if (amount > 0) watchBuffer.timer = setTimeout(watchBuffer, 50);
    }

    // ---- rows

    function logRow(kind, className, glyph, at, data, note) {
      return log.add({ kind, className, glyph, at, openedAt: app.link.openedAt, data, note });
    }

    function logStart(link) {
      const data = [span('', `"${urlOf(link.path)}"`)];
      const kind = 'new WebSocket';
      log.add({ kind, className: 'is-start', glyph: '○', at: link.startedAt, openedAt: null, data, note: '' });
    }

    function logFailedAgain(event) {
      const { retry } = app;
      const words = `error and close ${event.code} again, ${plural(retry.failures, 'time')}`;
      if (retry.row && retry.row.isConnected) {
        retry.row.querySelector('.row-clock').textContent = clockTime(new Date(performance.timeOrigin + event.timeStamp));
        retry.row.querySelector('.row-data').textContent = words;
      } else {
        retry.row = logRow('new WebSocket', 'is-error is-start', '✗', event.timeStamp, [span('', words)], '');
      }
    }

    // ---- updating the page

    function render() {
      renderState();
      renderCounters();
      renderControls();
      renderAside();
    }

    function renderState() {
      const state = STATES[readyState()];
      const status = byId('status');
      status.dataset.state = state;
      status.dataset.tone = isWaiting() || isQuiet() ? 'lost' : '';
      setText('state', state);
      setText('ready-state', String(readyState()));
      setText('url', app.link ? urlOf(app.link.path) : '');
      setText('sentence', sentence());
    }

    function sentence() {
      const { link } = app;
      if (isOpen()) {
        if (link.path.startsWith('/echo')) return 'Connected. The server returns every message unchanged.';
        if (app.paused) return 'Connected. Answers are paused: messages arrive but are not answered.';
        return 'Connected. The page answers each “echo N” with “client: echo N”.';
      }
      if (isLive() && !canClose()) {
        return 'Closing. The page sent a Close frame and waits for the server’s Close.';
      }
      if (isQuiet()) return 'No connection to the server. Start framescope; this page then connects automatically.';
      if (isLive()) return 'Connecting. The page sent the handshake.';
      const last = `Close code ${app.lastClose.code}${CLOSE_CODES[app.lastClose.code] ? `: ${CLOSE_CODES[app.lastClose.code]}` : ''}.`;
      if (app.stopped) return `Disconnected by you. ${last} Press Connect to connect again.`;
      return `The connection to the server has ended. ${last}`;
    }

    /** Text that changes too often for a screen reader to announce, so it is outside the live region. */
    function renderAside() {
      setText('aside', aside());
    }

    function aside() {
      if (isWaiting()) {
        const seconds = Math.max(0, app.retry.dueAt - performance.now()) / 1000;
        return `trying again in ${seconds.toFixed(1)} s`;
      }
      if (isQuiet() && isLive()) return `trying now, attempt ${app.retry.failures + 1}`;
      return app.unanswered > 0 ? `${grouped.format(app.unanswered)} unanswered` : '';
    }

    function renderCounters() {
      const { counted: link, tally } = app;
      for (const [id, count] of [['messages-in', link.messagesIn], ['messages-out', link.messagesOut]]) {
        setText(id, grouped.format(count));
        setText(`${id}-unit`, count === 1 ? 'message' : 'messages');
      }
      setText('bytes-in', plural(link.bytesIn, 'byte'));
      setText('bytes-out', plural(link.bytesOut, 'byte'));
      for (const name of Object.keys(tally)) setText(`tally-${name}`, grouped.format(tally[name]));
      const { extensions, protocol } = link.socket;
      setText('extensions', link.openedAt === null ? '–' : extensions || 'none');
      setText('protocol', protocol);
      byId('protocol-fact').hidden = protocol === '';
      byId('deflate-note').hidden = !extensions.includes('permessage-deflate');
      watchBuffer();
    }

    function renderControls() {
      setText('connect', connectLabel());
      byId('connect').classList.toggle('primary', !isLive() || chosenPath() !== app.link.path);
      setText('disconnect', isWaiting() || isQuiet() ? 'Stop trying' : 'Disconnect');
      setAvailable(byId('disconnect'), isWaiting() || canClose());
      for (const button of sendButtons()) setAvailable(button, isOpen());
      byId('pause').setAttribute('aria-pressed', String(app.paused));
    }

    function connectLabel() {
      if (!isLive()) return isWaiting() ? 'Connect now' : 'Connect';
      return chosenPath() === app.link.path ? 'Reconnect' : `Switch to ${chosenPath().replace(/\?.*/, '')}`;
    }

    function sendButtons() {
      return document.querySelectorAll('#send-text, #send-hex, #send-random, .presets button');
    }

    // ---- wiring of forms and buttons

    function onSubmit(formId, action) {
      byId(formId).addEventListener('submit', (event) => {
        event.preventDefault();
        action();
      });
    }

    /** A form with one field: sends its value, or shows the error next to it. */
    function sendField(fieldId, errorId, read, toPayload) {
      const field = byId(fieldId);
      const { value, problem } = read(field.value);
      setProblem(field, errorId, problem);
      if (problem) field.focus();
      else send(toPayload(value), errorId);
    }

    function onFieldInput(fieldId, errorId, countId, describe) {
      const field = byId(fieldId);
      const update = () => countId && setText(countId, describe(field.value));
      field.addEventListener('input', () => {
        setProblem(field, errorId, '');
        update();
      });
      // Select the example, so that typing replaces it, also if a script or a shortcut moved the focus, as Tab does.
      field.addEventListener('focus', () => field.select());
      update();
    }

    function describeRead(read, sizeOf) {
      return (input) => {
        const { value, problem } = read(input);
        return problem ? '' : sizeAndForm(sizeOf(value));
      };
    }

    function wireForms() {
      const asIs = (value) => ({ value });
      onSubmit('connect-form', connectByHand);
      onSubmit('disconnect-form', disconnect);
      onSubmit('text-form', () => sendField('text', 'text-error', asIs, (text) => text));
      onSubmit('hex-form', () => sendField('hex', 'hex-error', readHex, (bytes) => bytes));
      onSubmit('random-form', () => sendField('random-size', 'random-error', readSize, randomBytes));

      onFieldInput('text', 'text-error', 'text-count', describeRead(asIs, utf8Length));
      onFieldInput('hex', 'hex-error', 'hex-count', describeRead(readHex, (bytes) => bytes.length));
      onFieldInput('random-size', 'random-error', 'random-count', describeRead(readSize, (size) => size));
      onFieldInput('close-code', 'close-code-error');
      onFieldInput('close-reason', 'close-reason-error', 'reason-count', (reason) => `${utf8Length(reason)} / ${REASON_MAX} bytes`);
      // The reason also decides whether the code is valid.
      byId('close-reason').addEventListener('input', () => setProblem(byId('close-code'), 'close-code-error', ''));

      byId('path').addEventListener('change', renderControls);
      for (const button of document.querySelectorAll('.presets button')) {
        button.addEventListener('click', () => sendPreset(Number(button.dataset.size)));
      }
    }

    function sendPreset(size) {
      const pattern = byId('preset-kind').value === 'binary' ? patternBytes : patternText;
      send(pattern(size), 'preset-error');
    }

    function togglePause() {
      app.paused = !app.paused;
      app.unanswered = 0;
      render();
    }

    function wireTheme() {
      const theme = recall(THEME_KEY);
      for (const radio of document.querySelectorAll('input[name="theme"]')) {
        if (radio.value === theme) radio.checked = true;
        radio.addEventListener('change', () => {
          remember(THEME_KEY, radio.value);
          applyTheme(radio.value);
        });
      }
    }

    // ---- keys

    function wireKeys() {
      const actions = {
        c: connectByHand,
        d: disconnect,
        p: togglePause,
        t: () => byId('text').focus(),
        l: () => byId('log').focus(),
        n: log.follow,
      };
      const enabled = byId('shortcuts');
      enabled.checked = recall(SHORTCUTS_KEY) !== 'off';
      enabled.addEventListener('change', () => remember(SHORTCUTS_KEY, enabled.checked ? 'on' : 'off'));

      document.addEventListener('keydown', (event) => {
        const typing = event.target.closest('input:not([type="radio"], [type="checkbox"]), select, textarea');
        if (event.key === 'Escape' && typing) typing.blur();
        const modified = event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing;
        if (typing || modified || !enabled.checked || !Object.hasOwn(actions, event.key)) return;
        event.preventDefault();
        actions[event.key]();
      });
    }

    wireTheme();
    if (!location.host) {
      setText('sentence', 'This page was opened as a file, so it has no server. Start framescope and open the address that it shows.');
      return;
    }
    wireForms();
    byId('pause').addEventListener('click', togglePause);
    wireKeys();
    connect(chosenPath());
  }

  applyTheme(recall(THEME_KEY));
  document.addEventListener('DOMContentLoaded', start);
})();
