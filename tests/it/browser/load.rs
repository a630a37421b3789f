//! A ticker of a thousand messages per second: the page stays usable.

use super::{in_each_browser, wait_for_open};
use crate::support::browser::Page;
use crate::support::program::Program;

in_each_browser! {
    a_click_is_answered_under_load_and_read_rows_stay
}

/// Records how long after each click the browser has drawn the next frame, in milliseconds.
const MEASURE: &str = "(() => {
    window.delays = [];
    document.querySelector('#pause').addEventListener('click', (event) => {
        requestAnimationFrame(() => setTimeout(() => window.delays.push(performance.now() - event.timeStamp)));
    });
})()";

/// The text of the highest row in view.
const TOP_ROW: &str = "Array.from(document.querySelectorAll('#log .row')).find((row) =>
    row.getBoundingClientRect().bottom > document.querySelector('#log').getBoundingClientRect().top + 8).textContent";

fn a_click_is_answered_under_load_and_read_rows_stay<P: Page>() {
    let program = Program::start(&["--interval", "1ms", "--filter", "conn == 999"]);
    let mut page = P::open(&program.url);
    wait_for_open(&mut page, "/ticker");
    page.wait_for_text("#dropped", "dropped");
    page.eval(MEASURE);
    for clicks in 1..=10 {
        page.press_on("#pause");
        page.wait_for(&format!("window.delays.length === {clicks}"));
    }
    let mut delays: Vec<f64> =
        page.eval("window.delays").as_array().expect("numbers").iter().filter_map(serde_json::Value::as_f64).collect();
    delays.sort_by(f64::total_cmp);
    println!("delays of clicks in ms: {delays:.0?}");
    // One may be delayed by the machine.
    assert!(delays[8] < 100.0, "nine of ten: {delays:?}");
    assert_eq!(page.eval("document.querySelectorAll('#log .is-new').length"), 0, "no animation");

    // Scrolled up, someone reads: the rows stay, however many come.
    page.eval("document.querySelector('#log').scrollTop = 0");
    page.wait_for("!document.querySelector('#newest').hidden");
    // Older rows are added above, and the rows in view stay.
    let top = page.eval(TOP_ROW);
    page.wait_for_text("#newest", "500 or more");
    assert_eq!(page.eval(TOP_ROW), top);
    page.click("#newest");
    page.wait_for(&format!("{TOP_ROW} !== {top}"));

    // Without ticks only the events of the connection are left, and they are still there.
    page.click("#hide-ticks");
    page.wait_for_text("#log", "onopen");
    page.wait_for("document.querySelectorAll('#log .row').length < 10");
    program.stop();
}
