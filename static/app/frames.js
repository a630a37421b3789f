// When the page draws.
//
// Everything is drawn in animation frames: a calm change in the next one. A flood of messages must leave time for clicks: then the
// page draws ten times per second, and what the user does is drawn in the next frame all the same, alone. One frame builds rows for
// at most WORK_MS.

const FLOOD_MS = 100; // the time between two drawings in a flood
const WORK_MS = 4; // the time that building rows may take in a frame
const CALM = 20; // rows per second up to which there is no flood

function createFrames() {
  const arrivals = []; // when the latest rows came
  const due = new Set(); // what the next frame draws
  const later = new Set(); // what is drawn after FLOOD_MS
  let frame = null;
  let timer = null;

  /** Takes the time of a new row. */
  function arrive(at) {
    arrivals.push(at);
    if (arrivals.length > CALM + 1) arrivals.shift();
  }

  const isCalm = () => arrivals.length <= CALM || arrivals.at(-1) - arrivals[0] > 1000;

  /** Draws in the next frame: for what the user does. */
  function drawNow(draw) {
    later.delete(draw);
    due.add(draw);
    frame ??= requestAnimationFrame(run);
  }

  /** Draws in the next frame, or in a flood with the next drawing. */
  function drawSoon(draw) {
    if (due.has(draw)) return;
    if (isCalm()) drawNow(draw);
    else {
      later.add(draw);
      timer ??= setTimeout(ripen, FLOOD_MS);
    }
  }

  function ripen() {
    timer = null;
    for (const draw of Array.from(later)) drawNow(draw);
  }

  function run() {
    frame = null;
    const all = Array.from(due);
    due.clear();
    for (const draw of all) draw();
  }

  return { arrive, isCalm, drawNow, drawSoon };
}

/** Calls `make` for each item from the last one on, until a frame's time for it is used up. Returns the results in the order of the items. */
function madeInTime(items, make) {
  const until = performance.now() + WORK_MS;
  const made = [];
  for (let i = items.length - 1; i >= 0 && (made.length === 0 || performance.now() < until); i -= 1) made.push(make(items[i]));
  return made.reverse();
}
