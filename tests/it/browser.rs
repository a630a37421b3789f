//! The page in a real Chromium, against the built program.

use crate::support::browser::Browser;
use crate::support::program::Program;
use serde_json::{Value, json};

fn is_frame(record: &Value, direction: &str, opcode: &str) -> bool {
    record["type"] == "frame" && record["dir"] == direction && record["opcode_name"] == opcode
}

#[test]
#[ignore = "needs Chromium (Debian package chromium)"]
fn the_page_answers_the_ticker_and_its_controls_reach_the_wire() {
    let mut program = Program::start(&["--interval", "100ms"]);
    let mut page = Browser::open(&program.url);

    // As soon as it is opened it connects and answers.
    let answered =
        program.wait_for("client: echo 2", 0, |r| is_frame(r, "c2s", "text") && r["text"] == "client: echo 2");
    let answer = &program.records[answered];
    assert_eq!(answer["mask"], json!(true));
    assert_eq!(answer["masking_key"].as_str().map(str::len), Some(8));
    assert_ne!(answer["masking_key"], json!("00000000"), "the browser masks with a key of its own");
    assert_eq!((&answer["payload_len"], &answer["len_code"]), (&json!(14), &json!(14)));
    let handshake = program.wait_for("the 101", 0, |r| r["type"] == "response" && r["status"] == 101);
    assert_eq!(program.records[handshake]["accept"]["ok"], json!(true));
    page.wait_for("document.querySelector('#log').textContent.includes('client: echo 2')");
    page.wait_for("document.querySelector('#state').textContent.includes('OPEN')");

    // Pausing stops the answers; the server continues.
    page.click("#pause");
    // Answers from before the pause may still be printed.
    let mut from = program.records.len();
    let paused = (0..50).find_map(|_| {
        let first = program.wait_for("an echo", from, |r| is_frame(r, "s2c", "text"));
        from = (0..3).fold(first, |at, _| program.wait_for("an echo", at + 1, |r| is_frame(r, "s2c", "text")));
        let is_answered = program.records[first + 1..from].iter().any(|r| is_frame(r, "c2s", "text"));
        (!is_answered).then_some(from)
    });
    let third = paused.expect("paused, the page does not answer");

    // Disconnect with a code and a reason.
    page.fill("#close-code", "3001");
    page.fill("#close-reason", "done for now");
    page.click("#disconnect");
    let close = program.wait_for("the Close", third, |r| is_frame(r, "c2s", "close"));
    assert_eq!(program.records[close]["close_code"], json!(3001));
    assert_eq!(program.records[close]["close_reason"], json!("done for now"));
    page.wait_for("document.querySelector('#state').textContent.includes('CLOSED')");

    // The other path, and payloads at the edges of the length forms.
    choose_echo(&mut page);
    page.click("#connect");
    page.wait_for("document.querySelector('#state').textContent.includes('OPEN')");
    for (size, form) in [(0, 0), (125, 125), (126, 126), (65_535, 126), (65_536, 127)] {
        let from = program.records.len();
        page.click(&format!("#preset-{size}"));
        let sent =
            program.wait_for("the sent message", from, |r| is_frame(r, "c2s", "text") || is_frame(r, "c2s", "binary"));
        let record = program.records[sent].clone();
        assert_eq!((&record["payload_len"], &record["len_code"]), (&json!(size), &json!(form)));
        let bytes = hex::decode(record["wire"].as_str().expect("hex")).expect("hex");
        let header = record["header_len"].as_u64().expect("a length") as usize;
        assert_eq!(bytes.len(), header + size);
        match size {
            126 => assert_eq!(bytes[1..4], [0xfe, 0x00, 0x7e]),
            65_536 => assert_eq!(bytes[1..10], [0xff, 0, 0, 0, 0, 0, 1, 0, 0]),
            _ => {}
        }
        let echoed = program.wait_for("the echo", sent, |r| r["type"] == "frame" && r["dir"] == "s2c");
        let echo = &program.records[echoed];
        assert_eq!((&echo["payload_len"], &echo["mask"]), (&json!(size), &json!(false)));
        assert_eq!((&echo["text"], &echo["data"]), (&record["text"], &record["data"]));
    }
    // A browser may cut a large message into fragments; the echo comes whole.
    let from = program.records.len();
    page.click("#preset-1048576");
    let echoed = program.wait_for("the echo", from, |r| r["type"] == "frame" && r["dir"] == "s2c");
    assert_eq!(program.records[echoed]["payload_len"], json!(1_048_576));
    let sent = program.records[from..echoed].iter().filter(|r| r["type"] == "frame" && r["dir"] == "c2s");
    let sent: Vec<u64> = sent.map(|r| r["payload_len"].as_u64().expect("a length")).collect();
    assert_eq!(sent.iter().sum::<u64>(), 1_048_576, "{sent:?}");

    page.fill("#hex", "de ad be ef");
    let from = program.records.len();
    page.click("#send-hex");
    let sent = program.wait_for("the bytes", from, |r| is_frame(r, "c2s", "binary"));
    assert_eq!(program.records[sent]["data"], json!("3q2+7w=="));

    // The same path with permessage-deflate: fewer bytes on the wire, the same message.
    let from = program.records.len();
    page.click("#path-deflate");
    page.click("#connect");
    let response = program.wait_for("the 101", from, |r| r["type"] == "response" && r["status"] == 101);
    page.wait_for("document.querySelector('#state').textContent.includes('OPEN')");
    page.click("#preset-65536");
    let sent =
        program.wait_for("a message", response, |r| r["type"] == "frame" && r["dir"] == "c2s" && r["rsv1"] == true);
    let echoed = program.wait_for("its echo", sent, |r| r["type"] == "frame" && r["dir"] == "s2c" && r["rsv1"] == true);
    for record in [sent, echoed].map(|at| &program.records[at]) {
        assert!(record["payload_len"].as_u64().expect("a length") < 65_536, "{record}");
        assert_eq!(record["inflated"].as_str().map(str::len), Some(65_536), "{record}");
    }

    let records = program.stop();
    let wrong: Vec<&Value> = records
        .iter()
        .flat_map(|record| record["findings"].as_array().into_iter().flatten())
        .filter(|finding| finding["severity"] != "info")
        .collect();
    assert!(wrong.is_empty(), "a browser breaks no rule: {wrong:?}");
    page.wait_for("!document.querySelector('#state').textContent.includes('OPEN')");
}

fn choose_echo(page: &mut Browser) {
    let radio = page.eval("Boolean(document.querySelector('#path-echo'))") == json!(true);
    if radio { page.click("#path-echo") } else { page.fill("#path", "/echo") }
}
