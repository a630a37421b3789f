//! Real browsers: Chromium, driven by the DevTools protocol, and Firefox, driven by WebDriver BiDi.

mod chromium;
mod firefox;
mod remote;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

pub use chromium::Chromium;
pub use firefox::Firefox;

/// The longest time that anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A page in a browser.
pub trait Page: Sized {
    /// Starts the browser with an empty profile and opens an address.
    fn open(url: &str) -> Self;

    /// Loads another address in the same page.
    fn navigate(&mut self, url: &str);

    /// Evaluates an expression in the page, waits for its promise and returns its value, which JSON must be able to express.
    fn eval(&mut self, expression: &str) -> Value;

    /// Sets the size of the page in CSS pixels.
    fn resize(&mut self, width: u32, height: u32);

    /// Presses and releases the mouse at a point of the page.
    fn press(&mut self, x: f64, y: f64);

    /// Waits until an expression is true in the page.
    fn wait_for(&mut self, expression: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.eval(&format!("Boolean({expression})")) != json!(true) {
            assert!(Instant::now() < deadline, "{expression} did not become true");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until an element has a text, or a part of it.
    fn wait_for_text(&mut self, selector: &str, text: &str) {
        self.wait_for(&format!("document.querySelector({selector:?})?.textContent.includes({text:?})"));
    }

    /// The text of an element.
    fn text(&mut self, selector: &str) -> String {
        let text = self.eval(&format!("document.querySelector({selector:?}).textContent"));
        text.as_str().expect("a text").to_owned()
    }

    /// Clicks an element by script.
    fn click(&mut self, selector: &str) {
        self.wait_for(&format!("document.querySelector({selector:?})"));
        self.eval(&format!("document.querySelector({selector:?}).click()"));
    }

    /// Clicks an element with the mouse.
    fn press_on(&mut self, selector: &str) {
        self.wait_for(&format!("document.querySelector({selector:?})"));
        let place = self.eval(&format!(
            "(() => {{ const e = document.querySelector({selector:?}); e.scrollIntoView({{block: 'center'}});
               const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; }})()"
        ));
        let [x, y] = [0, 1].map(|at| place[at].as_f64().expect("a number"));
        self.press(x, y);
    }

    /// Puts a value into a form field as typing does.
    fn fill(&mut self, selector: &str, value: &str) {
        self.eval(&format!(
            "(() => {{ const e = document.querySelector({selector:?}); e.value = {value:?};
               e.dispatchEvent(new Event('input', {{bubbles: true}}));
               e.dispatchEvent(new Event('change', {{bubbles: true}})); }})()"
        ));
    }
}
