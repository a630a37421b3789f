// The page: shows the state of the client, and wires the controls to it.

function start() {
  const frames = createFrames();
  let onlyCounts = true; // whether only counts have changed since the last drawing
  let lastOpened = null; // the connection whose opening has cleared the errors
  const log = createLog(frames, showFilter);
  const client = createClient({ path: chosenPath, protocols: chosenProtocols }, log, { changed, counted });

  function chosenPath() {
    return document.querySelector('input[name="path"]:checked').value;
  }

  /** The names in the field, right or wrong: the constructor of WebSocket judges them. */
  function chosenProtocols() {
    return readProtocols(byId('protocols').value, true).value;
  }

  const mayThrow = () => byId('let-throw').checked;

  // ---- showing the state

  function changed() {
    onlyCounts = false;
    frames.drawNow(render);
  }

  function counted() {
    frames.drawSoon(render);
  }

  function render() {
    renderCounters();
    if (onlyCounts) return;
    onlyCounts = true;
    renderState();
    renderControls();
  }

  function renderState() {
    const { link } = client;
    const status = byId('status');
    if (client.isOpen() && lastOpened !== link) {
      lastOpened = link;
      clearProblems();
    }
    status.dataset.state = STATES[client.readyState()];
    status.dataset.tone = client.isWaiting() || client.failures > 0 ? 'lost' : '';
    setText('state', STATES[client.readyState()]);
    setText('ready-state', String(client.readyState()));
    setText('url', link ? link.url : '');
    setText('sentence', stateSentence(client, chosenPath()));
  }

  /** A new connection makes errors and confirmations about the earlier one wrong. */
  function clearProblems() {
    for (const problem of document.querySelectorAll('.problem')) problem.textContent = '';
    clearSent();
    for (const field of document.querySelectorAll('[aria-invalid]')) field.setAttribute('aria-invalid', 'false');
  }

  function clearSent() {
    for (const sent of document.querySelectorAll('.wire .sent')) sent.textContent = '';
  }

  function renderCounters() {
    const { counted: link, tally } = client;
    setText('aside', asideWords(client));
    for (const name of Object.keys(tally)) setText(`tally-${name}`, grouped.format(tally[name]));
    if (!link) return;
    for (const [id, count] of [['messages-in', link.messagesIn], ['messages-out', link.messagesOut]]) {
      setText(id, grouped.format(count));
      setText(`${id}-unit`, count === 1 ? 'message' : 'messages');
    }
    setText('bytes-in', plural(link.bytesIn, 'byte'));
    setText('bytes-out', plural(link.bytesOut, 'byte'));
    const { extensions, protocol } = link.socket;
    setText('conn', link.number === null ? '–' : `conn ${link.number}`);
    setText('extensions', link.openedAt === null ? '–' : extensions || 'none');
    setText('protocol', protocol);
    byId('protocol-fact').hidden = protocol === '';
    byId('deflate-note').hidden = !extensions.includes('permessage-deflate');
    renderBuffer();
  }

  /** bufferedAmount has no event, so it is polled while it is not zero. */
  function renderBuffer() {
    const { socket } = client.link;
    const amount = socket.readyState === WebSocket.OPEN ? socket.bufferedAmount : 0;
    byId('buffered-fact').hidden = amount === 0;
    setText('buffered', plural(amount, 'byte'));
    clearTimeout(renderBuffer.timer);
    if (amount > 0) renderBuffer.timer = setTimeout(renderBuffer, 50);
  }

  function renderControls() {
    const ticking = (client.isLive() ? client.link.path : chosenPath()) === '/ticker';
    setText('connect', connectLabel());
    byId('connect').classList.toggle('primary', !client.isLive());
    setText('disconnect', client.isWaiting() || client.failures > 0 ? 'Stop trying' : 'Disconnect');
    setAvailable(byId('disconnect'), client.isWaiting() || client.canClose() || client.next);
    for (const button of document.querySelectorAll('.sends')) setAvailable(button, client.isOpen());
    byId('pause').hidden = !ticking;
    byId('pause').setAttribute('aria-pressed', String(client.paused));
    byId('pause-wire').hidden = !ticking;
    renderWire();
  }

  function connectLabel() {
    if (!client.isLive()) return client.isWaiting() ? 'Connect now' : 'Connect';
    return client.next ? 'Connect (waiting)' : 'Reconnect';
  }

  // ---- what will cross

  /** Writes under each control the frames that it will send. */
  function renderWire() {
    const compressed = client.isOpen() && isCompressed(client.link);
    const field = (id, read, kind, lengthOf) => {
      const { value, problem } = read(byId(id).value);
      setText(`${id}-wire`, problem ? '' : sentWords(kind, lengthOf(value), compressed));
    };
    field('text', (value) => ({ value }), 'text', utf8Length);
    field('hex', readHex, 'binary', (bytes) => bytes.length);
    field('random-size', readSize, 'binary', (size) => size);
    const kind = byId('preset-kind').value;
    for (const button of document.querySelectorAll('.preset')) {
      setText(`${button.id}-wire`, sentWords(kind, Number(button.dataset.size), compressed));
    }
    const answer = `client: echo ${Math.max(0, (client.link?.messagesIn ?? 0) - 1)}`;
    setText('pause-wire', `Each answer: ${frameWords('text', answer.length, true)}.`);
    setText('connect-wire', connectWords());
    setText('close-wire', disconnectWords());
  }

  function connectWords() {
    const names = chosenProtocols();
    const offered = names.length ? `, with Sec-WebSocket-Protocol: ${names.map(visible).join(', ')}` : '';
    const first = client.isOpen() ? `A Close frame (${frameSize(2, true)} bytes); then on a new connection a` : 'A';
    return `${first} handshake: GET ${targetOf(chosenPath(), '…')}${offered}`;
  }

  function disconnectWords() {
    if (!client.isOpen()) return 'Nothing: no connection is open.';
    const code = readCloseCode(byId('close-code').value, byId('close-reason').value, false);
    const reason = readCloseReason(byId('close-reason').value, false);
    if (code.problem || reason.problem) return mayThrow() ? 'Nothing: the browser throws an exception.' : '';
    return closeWords(code.value, reason.value);
  }

  // ---- filters

  /** Copies the filter of a row, and shows it with what crossed. */
  function showFilter(entry) {
    const filter = filterOf(entry);
    const of = entry.link.number === null ? '' : ` of conn ${entry.link.number}`;
    setText('filter-what', `${entry.glyph} ${entry.label}${entry.label.startsWith('conn') ? '' : of}`);
    setText('filter-wire', entry.wire ? entry.wire() : '');
    setText('filter', filter);
    byId('picked').hidden = false;
    byId('unpicked').hidden = true;
    // Outside a secure context (such as http:// on another machine) a script cannot copy.
    const copied = navigator.clipboard ? navigator.clipboard.writeText(filter) : Promise.reject();
    copied.then(
      () => setText('filter-copied', '✓ Copied. In the terminal press & and paste.'),
      () => {
        getSelection().selectAllChildren(byId('filter'));
        setText('filter-copied', 'Selected: copy it, then in the terminal press & and paste.');
      },
    );
  }

  // ---- connecting and disconnecting

  /** Calls `action`, whose rows the user wants to see; shows what it throws at the field. */
  function orShow(field, errorId, action) {
    log.follow();
    try {
      action();
      setProblem(field, errorId, '');
    } catch (error) {
      setProblem(field, errorId, `The browser threw ${error.name}: ${error.message}`);
      field.focus();
    }
  }

  /** Connects with `how`, if the subprotocols are valid or the browser may throw. */
  function connectBy(how) {
    const field = byId('protocols');
    const { problem } = readProtocols(field.value, mayThrow());
    setProblem(field, 'protocols-error', problem);
    if (problem) field.focus();
    else orShow(field, 'protocols-error', how);
  }

  const connect = () => connectBy(client.connect);

  function disconnect() {
    if (!client.canClose()) {
      if (client.isWaiting() || client.next) client.disconnect();
      return;
    }
    const codeField = byId('close-code');
    const reasonField = byId('close-reason');
    const code = readCloseCode(codeField.value, reasonField.value, mayThrow());
    const reason = readCloseReason(reasonField.value, mayThrow());
    setProblem(codeField, 'close-code-error', code.problem);
    setProblem(reasonField, 'close-reason-error', reason.problem);
    if (code.problem || reason.problem) (code.problem ? codeField : reasonField).focus();
    else orShow(codeField, 'close-code-error', () => client.disconnect(code.value, reason.value));
  }

  // ---- sending

  /** Sends if there is a connection; otherwise shows an error at the control. */
  function send(payload, id) {
    clearSent();
    if (!client.isOpen()) {
      setText(`${id}-error`, 'Not connected: the message was not sent.');
      return;
    }
    setText(`${id}-error`, '');
    const { label } = client.send(payload);
    log.follow();
    setText(`${id}-sent`, `✓ Sent ${label}: ${plural(sizeOf(payload), 'byte')}`);
  }

  /** A form with one field: sends its value, or shows the error next to it. */
  function sendField(id, read, toPayload) {
    const field = byId(id);
    const { value, problem } = read(field.value);
    setProblem(field, `${id}-error`, problem);
    if (problem) field.focus();
    else send(toPayload(value), id);
  }

  function sendPreset(size) {
    const pattern = byId('preset-kind').value === 'binary' ? patternBytes : patternText;
    send(pattern(size), 'preset');
  }

  // ---- wiring of forms and buttons

  function onSubmit(formId, action) {
    byId(formId).addEventListener('submit', (event) => {
      event.preventDefault();
      action();
    });
  }

  function onFieldInput(id, errorId) {
    const field = byId(id);
    field.addEventListener('input', () => {
      setProblem(field, errorId, '');
      if (byId(`${id}-sent`)) setText(`${id}-sent`, '');
      changed();
    });
    // Select the example, so that typing replaces it, also if a script or a shortcut moved the focus, as Tab does.
    field.addEventListener('focus', () => field.select());
  }

  function wireForms() {
    onSubmit('connect-form', connect);
    onSubmit('disconnect-form', disconnect);
    onSubmit('text-form', () => sendField('text', (value) => ({ value }), (text) => text));
    onSubmit('hex-form', () => sendField('hex', readHex, (bytes) => bytes));
    onSubmit('random-form', () => sendField('random-size', readSize, randomBytes));
    for (const id of ['text', 'hex', 'random-size', 'protocols', 'close-code', 'close-reason']) onFieldInput(id, `${id}-error`);
    // The reason also decides whether the code is valid.
    byId('close-reason').addEventListener('input', () => {
      setProblem(byId('close-code'), 'close-code-error', '');
      setText('reason-count', `${utf8Length(byId('close-reason').value)} / ${REASON_MAX} bytes`);
    });
    byId('path').addEventListener('change', () => connectBy(client.switchTo));
    byId('preset-kind').addEventListener('change', changed);
    byId('let-throw').addEventListener('change', changed);
    byId('pause').addEventListener('click', client.togglePause);
    byId('clear').addEventListener('click', log.clear);
    byId('hide-ticks').addEventListener('click', () => {
      const hidden = byId('hide-ticks').getAttribute('aria-pressed') !== 'true';
      byId('hide-ticks').setAttribute('aria-pressed', String(hidden));
      log.hideTicks(hidden);
    });
    for (const button of document.querySelectorAll('.preset')) {
      button.addEventListener('click', () => sendPreset(Number(button.dataset.size)));
    }
    document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && client.hurry());
  }

  function wireTheme() {
    const theme = recall('framescope-theme');
    for (const radio of document.querySelectorAll('input[name="theme"]')) {
      if (radio.value === theme) radio.checked = true;
      radio.addEventListener('change', () => {
        remember('framescope-theme', radio.value);
        applyTheme(radio.value);
      });
    }
  }

  // ---- keys

  function wireKeys() {
    const actions = {
      c: connect,
      d: disconnect,
      p: () => byId('pause').hidden || client.togglePause(),
      t: () => byId('text').focus(),
      l: () => byId('log').focus(),
      n: log.follow,
      h: () => byId('hide-ticks').click(),
    };
    const enabled = byId('shortcuts');
    enabled.checked = recall('framescope-shortcuts') !== 'off';
    enabled.addEventListener('change', () => remember('framescope-shortcuts', enabled.checked ? 'on' : 'off'));

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
  wireForms();
  wireKeys();
  connect();
}

document.addEventListener('DOMContentLoaded', start);
