//! The page in a real Chromium and a real Firefox, against the built program.

mod accessibility;
mod life;
mod load;
mod numbers;
mod wire;

use serde_json::Value;

use crate::support::browser::Page;

/// Declares the tests that run in each browser.
macro_rules! in_each_browser {
    ($($name:ident)+) => {
        mod chromium {
            $(#[test] #[ignore = "needs Chromium (Debian package chromium)"] fn $name() { super::$name::<crate::support::browser::Chromium>(); })+
        }
        mod firefox {
            $(#[test] #[ignore = "needs Firefox (Debian package firefox-esr)"] fn $name() { super::$name::<crate::support::browser::Firefox>(); })+
        }
    };
}
use in_each_browser;

fn is_frame(record: &Value, direction: &str, opcode: &str) -> bool {
    record["type"] == "frame" && record["dir"] == direction && record["opcode_name"] == opcode
}

/// Waits until the page has a connection to a path.
fn wait_for_open(page: &mut impl Page, path: &str) {
    page.wait_for_text("#url", path);
    page.wait_for_text("#state", "OPEN");
}

/// A selector of the row that has a text, as an expression of JavaScript.
fn row_with(text: &str) -> String {
    format!("Array.from(document.querySelectorAll('#log .row')).find(row => row.textContent.includes({text:?}))")
}
