// The list of events and calls.
//
// The list shows the newest rows and follows them. While someone reads older rows, it does not change at all. In a flood only the
// newest rows reach the list, as many as can be seen and as a frame has time for, and the others when someone scrolls up.

const LOG_ROWS = 500; // the most rows in the list, and the most that are kept of each kind
const ROW_HEIGHT = 20; // of the lowest row, in CSS pixels: no more rows are added at once than can be seen

function createLog(frames, onPick) {
  const list = byId('log');
  const newest = byId('newest');
  // Ticks and all other rows are kept apart: ticks must not push out the others while they are hidden.
  const kept = { ticks: [], others: [] };
  const added = { ticks: 0, others: 0 };
  let ticksHidden = false;
  let following = true;
  let serial = 0; // of the newest row
  let shown = 0; // the serial of the newest row in the list
  let pinnedTop = 0; // the scroll position of the newest row after the last update
  let partial = false; // whether rows that are kept are missing in the list
  let latest = null; // the newest row, also if it is hidden
  let tabStop = null; // the button that Tab reaches

  function add(entry) {
    serial += 1;
    entry.serial = serial;
    const kind = entry.tick ? 'ticks' : 'others';
    kept[kind].push(entry);
    added[kind] += 1;
    // Cut rarely, because cutting moves the whole array.
    if (kept[kind].length > 2 * LOG_ROWS) kept[kind].splice(0, LOG_ROWS);
    latest = entry;
    frames.arrive(entry.at);
    frames.drawSoon(update);
    return entry;
  }

  /** The kept rows after row number `after` that are not hidden, oldest first: at most as many as the list has. */
  function rowsAfter(after) {
    const rows = [];
    let ticks = ticksHidden ? -1 : kept.ticks.length - 1;
    let others = kept.others.length - 1;
    while (rows.length < LOG_ROWS) {
      const tick = kept.ticks[ticks];
      const other = kept.others[others];
      const entry = tick && (!other || tick.serial > other.serial) ? tick : other;
      if (!entry || entry.serial <= after) break;
      if (entry === tick) ticks -= 1;
      else others -= 1;
      rows.push(entry);
    }
    return rows.reverse();
  }

  function update() {
    if (following) append();
    if (partial && (!following || frames.isCalm())) complete();
    showEdges();
    if (following) list.scrollTop = list.scrollHeight;
    pinnedTop = list.scrollTop;
  }

  function append() {
    const rows = rowsAfter(shown);
    if (rows.length === 0) return;
    const calm = frames.isCalm() && rows.length <= CALM;
    const made = madeInTime(rows.slice(-Math.ceil(list.clientHeight / ROW_HEIGHT)), (entry) => rowOf(entry, calm));
    if (made.length < rows.length) {
      list.replaceChildren();
      partial = true;
    }
    list.append(...made);
    while (list.childElementCount > LOG_ROWS) list.firstElementChild.remove();
    shown = serial;
    const labelled = rows.findLast((entry) => entry.label);
    if (labelled) setTabStop(labelled.row.querySelector('.mark'));
  }

  /** Adds the kept rows that are missing before those in the list: in each frame as many as there is time for. */
  function complete() {
    if (!partial) return;
    const first = list.firstElementChild;
    const missing = rowsAfter(0).filter((entry) => entry.serial <= shown && !entry.row?.isConnected);
    const made = madeInTime(missing, (entry) => rowOf(entry, false));
    const height = list.scrollHeight;
    list.prepend(...made);
    if (first) list.scrollTop += list.scrollHeight - height;
    partial = made.length < missing.length;
    if (partial) frames.drawNow(update);
  }

  function showEdges() {
    const total = added.others + (ticksHidden ? 0 : added.ticks);
    const missed = following ? 0 : rowsAfter(shown).length;
    const dropped = following ? Math.max(0, total - LOG_ROWS) : 0;
    byId('empty').hidden = list.childElementCount > 0;
    byId('dropped').hidden = dropped === 0;
    if (dropped) setText('dropped', `${plural(dropped, 'older row')} dropped; the newest ${LOG_ROWS} are kept.`);
    // While rows are added above, the view is moved by hand.
    list.classList.toggle('is-following', following || partial);
    newest.hidden = following;
    const more = missed === LOG_ROWS ? `${LOG_ROWS} or more` : String(missed);
    newest.textContent = missed ? `▾ Newest · ${more} new` : '▾ Newest';
    setText('ticks-hidden', ticksHidden ? grouped.format(added.ticks) : '');
    // On a narrow screen the list is above the controls, out of sight: one line repeats the newest row.
    const words = latest ? [latest.glyph, latest.label || latest.kind, latest.data.map(([, text]) => text).join('')] : [];
    setText('latest', words.join(' '));
  }

  // ---- rows

  function rowOf(entry, calm) {
    const row = document.createElement('li');
    row.className = `row ${calm ? 'is-new ' : ''}${entry.className}`;
    const times = span('row-times', '');
    const sinceOpen = entry.openedAt === null ? '' : tenths.format(Math.max(0, entry.at - entry.openedAt));
    if (sinceOpen) row.classList.add('is-timed');
    times.append(span('row-clock', clockTime(new Date(performance.timeOrigin + entry.at))), ' ', span('row-ms', sinceOpen));
    const data = span('row-data', '');
    data.append(...entry.data.map(([className, text]) => span(className, text)));
    const kind = span('row-kind', entry.kind);
    if (entry.automatic) kind.append(span('tag', 'auto'));
    row.append(times, markOf(entry), kind, data);
    if (entry.note) row.append(span('row-note', entry.note));
    else row.classList.add('is-noteless');
    entry.row = row;
    return row;
  }

  /** Shows a changed row. Returns false if it is not kept any more. */
  function refresh(entry) {
    entry.row?.replaceWith(rowOf(entry, false));
    return kept.others.includes(entry);
  }

  /** The row's number in the terminal, as a button that copies the filter for it; only a sign if it has none. */
  function markOf(entry) {
    const cell = span('row-mark', '');
    const sign = span('row-glyph', entry.glyph);
    sign.setAttribute('aria-hidden', 'true');
    if (!entry.label) {
      cell.append(sign);
      return cell;
    }
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'mark';
    button.tabIndex = -1;
    button.title = 'Copy the filter that finds this in the terminal';
    button.setAttribute('aria-label', `${entry.label}, ${entry.kind}: copy the filter that finds it`);
    button.append(sign, ' ', span('mark-label', entry.label));
    button.addEventListener('click', () => pick(entry, button));
    cell.append(button);
    return cell;
  }

  function pick(entry, button) {
    hold();
    list.querySelector('.row.is-picked')?.classList.remove('is-picked');
    entry.row.classList.add('is-picked');
    focusMark(button);
    onPick(entry);
  }

  /** One number is in the tab order; the arrow keys move among them. */
  function setTabStop(button) {
    tabStop?.setAttribute('tabindex', '-1');
    button.setAttribute('tabindex', '0');
    tabStop = button;
  }

  function focusMark(button) {
    setTabStop(button);
    button.focus({ preventScroll: true });
    button.closest('.row').scrollIntoView({ block: 'nearest' });
  }

  function moveFocus(event) {
    const steps = { ArrowUp: -1, ArrowDown: 1, Home: -Infinity, End: Infinity };
    if (!event.target.matches('.mark') || !Object.hasOwn(steps, event.key)) return;
    event.preventDefault();
    hold();
    const all = Array.from(list.querySelectorAll('.mark'));
    const at = Math.max(0, Math.min(all.length - 1, all.indexOf(event.target) + steps[event.key]));
    focusMark(all[at]);
  }

  // ---- following

  /** Someone reads: the rows stay as they are. */
  function hold() {
    following = false;
    complete();
    frames.drawNow(update);
  }

  function follow() {
    following = true;
    frames.drawNow(update);
  }

  function rebuild() {
    list.replaceChildren();
    shown = 0;
    follow();
  }

  function clear() {
    for (const kind of ['ticks', 'others']) {
      kept[kind].length = 0;
      added[kind] = 0;
    }
    rebuild();
  }

  function hideTicks(hidden) {
    ticksHidden = hidden;
    rebuild();
  }

  list.addEventListener('scroll', () => {
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 8;
    // New rows move the end below the view, so only scrolling up means that the user stops following.
    if (following ? atEnd || list.scrollTop > pinnedTop - 4 : !atEnd || list.contains(document.activeElement.closest('.row'))) return;
    if (atEnd) follow();
    else hold();
  });
  // In a flood the list may be too short to be scrolled.
  list.addEventListener('wheel', (event) => following && event.deltaY < 0 && hold(), { passive: true });
  list.addEventListener('keydown', moveFocus);
  // A smaller window or an opened panel must not count as scrolling up.
  new ResizeObserver(() => following && frames.drawSoon(update)).observe(list);
  newest.addEventListener('click', () => {
    follow();
    list.focus({ preventScroll: true });
  });

  return { add, refresh, follow, clear, hideTicks };
}
