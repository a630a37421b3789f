//! The numbers of the page are those of the terminal.

use serde_json::{Value, json};

use super::{in_each_browser, is_frame, row_with, wait_for_open};
use crate::support::browser::Page;
use crate::support::program::{Program, run};

in_each_browser! {
    a_row_copies_the_filter_that_finds_its_message
    messages_after_close_are_explained
    numbers_are_reached_by_keyboard
}

/// Presses the number in the row that has a text; returns the filter that it copies.
fn filter_of(page: &mut impl Page, row: &str) -> String {
    page.wait_for(&row_with(row));
    page.eval(&format!("{}.querySelector('.mark').click()", row_with(row)));
    page.text("#filter")
}

fn a_row_copies_the_filter_that_finds_its_message<P: Page>() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("live.pcapng");
    let path = path.to_str().expect("UTF-8");
    let program = Program::start(&["--interval", "100ms", "--write", path]);
    let mut page = P::open(&program.url);
    page.wait_for_text("#log", "client: echo 4");
    let answer = filter_of(&mut page, "client: echo 3");
    let opened = filter_of(&mut page, "onopen");
    page.click("#path-echo");
    wait_for_open(&mut page, "/echo");
    for text in ["first", "second", "third"] {
        page.fill("#text", text);
        page.click("#send-text");
        page.wait_for(&row_with(text));
    }
    page.click("#preset-1048576");
    page.wait_for_text("#messages-in", "4");
    page.wait_for(&row_with("1,048,576"));
    let third = filter_of(&mut page, "third");
    let fragmented = filter_of(&mut page, "1,048,576");
    page.click("#disconnect");
    page.wait_for_text("#state", "CLOSED");
    let closed = filter_of(&mut page, "onclose");
    let connection = page.text("#conn");
    let records = program.stop();

    let found = |filter: &str| -> Vec<Value> {
        let (status, out, error) = run(&["export", path, "--to", "ndjson", "-o", "-", "--filter", filter]);
        assert_eq!(status, Some(0), "{filter}: {error}");
        out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    };
    for (filter, text) in [(&answer, "client: echo 3"), (&third, "third")] {
        let found = found(filter);
        assert_eq!(found.len(), 1, "{filter}");
        assert_eq!((&found[0]["text"], &found[0]["dir"]), (&json!(text), &json!("c2s")), "{filter}");
    }
    assert!(answer.ends_with("and dir == c2s and message == 4"), "{answer}");
    let handshake = found(&opened);
    assert!(handshake.len() == 2 && handshake[1]["status"] == 101, "{handshake:?}");
    // A message in fragments: all its frames, and no other.
    let frames = found(&fragmented);
    let lengths: Vec<u64> = frames.iter().map(|frame| frame["payload_len"].as_u64().expect("a length")).collect();
    assert_eq!(lengths.iter().sum::<u64>(), 1_048_576, "{fragmented}: {lengths:?}");
    assert!(frames.iter().rev().skip(1).all(|frame| frame["fin"] == false) && frames[frames.len() - 1]["fin"] == true);
    assert!(fragmented.ends_with("dir == c2s and message == 4"), "{fragmented}");
    let closes = found(&closed);
    assert!(closes.len() == 2 && closes.iter().all(|frame| frame["opcode_name"] == "close"), "{closes:?}");
    let echo = records.iter().find(|r| r["text"] == "third").expect("the message");
    assert_eq!(connection, format!("conn {}", echo["conn"]));
    // The capture does not contain what the page asked.
    let asked = records.iter().filter(|r| r["target"].as_str().is_some_and(|target| target.starts_with("/connection")));
    assert_eq!(asked.count(), 0);
}

fn messages_after_close_are_explained<P: Page>() {
    let mut program = Program::start(&[]);
    let mut page = P::open(&program.url);
    page.click("#path-echo");
    wait_for_open(&mut page, "/echo");
    // The echo arrives when the page has called close(): the browser drops it.
    page.eval(
        "(() => { for (const id of ['send-text', 'send-text', 'disconnect']) document.getElementById(id).click(); })()",
    );
    page.wait_for(&row_with("arrived after close()"));
    assert_eq!(page.text("#messages-in"), "0");
    let row = page.eval(&format!("{}.querySelector('.mark').textContent", row_with("arrived after close()")));
    assert_eq!(row.as_str().map(|row| row.trim_start_matches('▼').trim()), Some("messages 1–2"));
    let echoes = |program: &mut Program| {
        let first = program.wait_for("an echo", 0, |r| is_frame(r, "s2c", "text"));
        program.wait_for("an echo", first + 1, |r| is_frame(r, "s2c", "text"))
    };
    let second = echoes(&mut program);
    assert_eq!(program.records[second]["message"], 2);
}

fn numbers_are_reached_by_keyboard<P: Page>() {
    let program = Program::start(&["--interval", "3600s"]);
    let mut page = P::open(&program.url);
    wait_for_open(&mut page, "/ticker");
    page.wait_for_text("#log", "conn ");
    page.click("#send-text");
    page.click("#send-text");
    page.wait_for(&row_with("message 2"));
    // One number is in the tab order: the newest.
    let in_tab_order =
        "Array.from(document.querySelectorAll('.mark[tabindex=\"0\"]')).map(mark => mark.textContent.trim())";
    assert_eq!(page.eval(in_tab_order), json!(["▲ message 2"]));
    page.eval("document.querySelector('.mark[tabindex=\"0\"]').focus()");
    for (key, reached) in [("ArrowUp", "▲ message 1"), ("Home", "● conn "), ("ArrowDown", "▲ message 1")] {
        page.eval(&format!(
            "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {{key: {key:?}, bubbles: true, cancelable: true}}))"
        ));
        page.wait_for(&format!("document.activeElement.textContent.trim().startsWith({reached:?})"));
    }
    let name = page.eval("document.activeElement.getAttribute('aria-label')");
    assert_eq!(name, "message 1, send(): copy the filter that finds it");
    program.stop();
}
