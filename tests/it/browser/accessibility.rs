//! The page for everyone: rules of axe-core, text spacing, narrow screens, no JavaScript, a page opened as a file.

use std::path::Path;

use serde_json::{Value, json};

use super::{in_each_browser, wait_for_open};
use crate::support::browser::{Chromium, Page};
use crate::support::program::Program;

in_each_browser! {
    no_rule_of_axe_is_violated
    nothing_is_cut_on_narrow_screens_and_with_wide_text
    sends_are_named_and_confirmed
}

/// Where `.ci/run` installs axe-core.
const AXE: &str = "target/peers/node_modules/axe-core/axe.min.js";

fn load_axe(page: &mut impl Page) {
    let axe = Path::new(env!("CARGO_MANIFEST_DIR")).join(AXE);
    let script = std::fs::read_to_string(&axe).unwrap_or_else(|e| {
        panic!("{}: {e}; run npm install --prefix target/peers axe-core, as .ci/run does", axe.display())
    });
    page.eval(&format!("(() => {{ {script}; return true; }})()"));
}

/// The violations, each with the elements.
fn violations(page: &mut impl Page) -> Value {
    // While a new row fades in, its colours are between two.
    page.wait_for("document.getAnimations().length === 0");
    page.eval(
        "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})
            .then(result => result.violations.map(({id, nodes}) => [id, nodes.map(node => node.html + node.failureSummary)]))",
    )
}

fn no_rule_of_axe_is_violated<P: Page>() {
    let program = Program::start(&["--interval", "3600s"]);
    let mut page = P::open(&program.url);
    wait_for_open(&mut page, "/ticker");
    page.click("#send-text");
    page.click("#send-hex");
    load_axe(&mut page);
    for (width, theme) in [(1280, "light"), (1280, "dark"), (390, "dark"), (390, "light")] {
        page.resize(width, 900);
        page.click(&format!("input[name=theme][value={theme}]"));
        assert_eq!(violations(&mut page), json!([]), "{width} {theme}");
    }
    // With errors, a picked row, a paused ticker and everything unfolded.
    page.eval("document.querySelector('details').open = true");
    page.click("#pause");
    page.fill("#hex", "xyz");
    page.click("#send-hex");
    page.fill("#close-code", "7");
    page.click("#disconnect");
    page.eval("document.querySelector('#log .mark').click()");
    assert_eq!(violations(&mut page), json!([]), "with errors");
    program.stop();
    page.wait_for_text("#state", "CLOSED");
    assert_eq!(violations(&mut page), json!([]), "closed");
}

/// The elements whose text is cut: wider or higher than the box that hides the rest.
const CUT: &str = "Array.from(document.querySelectorAll('body *')).filter(e => {
    const style = getComputedStyle(e);
    if (style.overflow === 'visible' || e.id === 'log' || e.id === 'latest' || e.closest('svg, .unseen, .skip') || !e.clientWidth) return false;
    if (e.matches('input, select')) return false;
    return e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1;
}).map(e => e.outerHTML.slice(0, 200))";

/// The spacing of WCAG 2.2, criterion 1.4.12, which a reader may set.
const SPACING: &str = "(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync('* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; } p { margin-bottom: 2em !important; }');
    document.adoptedStyleSheets = [sheet];
})()";

fn nothing_is_cut_on_narrow_screens_and_with_wide_text<P: Page>() {
    let program = Program::start(&["--interval", "100ms"]);
    let mut page = P::open(&program.url);
    wait_for_open(&mut page, "/ticker");
    page.wait_for_text("#log", "client: echo 2");
    page.eval("document.querySelector('#log .mark').click()");
    for spaced in [false, true] {
        if spaced {
            page.eval(SPACING);
        }
        for width in [320, 390, 768, 1024, 1280, 1920] {
            page.resize(width, 800);
            assert_eq!(page.eval("document.documentElement.scrollWidth <= innerWidth"), true, "{width}, {spaced}");
            assert_eq!(page.eval(CUT), json!([]), "{width}, {spaced}");
        }
    }
    // On a phone the newest event is beside the buttons.
    page.resize(390, 800);
    page.eval("document.querySelector('#preset-125').scrollIntoView({block: 'center'})");
    let visible = "(() => { const r = document.querySelector('#latest').getBoundingClientRect(); return r.height > 0 && r.bottom <= innerHeight + 1 && r.top > 0; })()";
    assert_eq!(page.eval(visible), true);
    page.wait_for_text("#latest", "client: echo");
    program.stop();
}

fn sends_are_named_and_confirmed<P: Page>() {
    let program = Program::start(&["--interval", "3600s"]);
    let mut page = P::open(&program.url);
    page.click("#path-echo");
    wait_for_open(&mut page, "/echo");
    assert_eq!(page.eval("document.querySelector('#preset-125').getAttribute('aria-label')"), "Send 125 bytes");
    page.press_on("#preset-125");
    page.wait_for_text("#preset-sent", "Sent message 1: 125 bytes");
    page.press_on("#send-text");
    page.wait_for_text("#text-sent", "Sent message 2: 5 bytes");
    assert_eq!(page.text("#preset-sent"), "", "only the latest send is confirmed");
    // Not sent: the error says so, and it is gone with the next connection.
    page.click("#disconnect");
    page.wait_for_text("#state", "CLOSED");
    page.click("#send-text");
    page.wait_for_text("#text-error", "not sent");
    assert_eq!(page.text("#text-sent"), "");
    page.click("#connect");
    wait_for_open(&mut page, "/echo");
    page.wait_for("document.querySelector('#text-error').textContent === ''");
    program.stop();
}

#[test]
#[ignore = "needs Chromium (Debian package chromium)"]
fn without_javascript_and_as_a_file_the_page_says_what_it_needs() {
    let height = |selector| format!("document.querySelector('{selector}')?.getBoundingClientRect().height");
    let shown = &format!("{} > 0 && {} === 0", height(".without-script"), height("#connect"));
    let program = Program::start(&[]);
    let mut page = Chromium::open("about:blank");
    page.disable_scripts();
    page.navigate(&program.url);
    page.wait_for(shown);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("static/index.html");
    let mut page = Chromium::open(&format!("file://{}", file.display()));
    page.wait_for(shown);
    // The style is found beside the page.
    page.wait_for("getComputedStyle(document.body).margin === '0px'");
    program.stop();
}
