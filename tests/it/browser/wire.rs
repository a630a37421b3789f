//! What the controls put on the wire, compared with what the page says that they will.

use serde_json::{Value, json};

use super::{in_each_browser, is_frame, wait_for_open};
use crate::support::browser::Page;
use crate::support::program::{Program, numbers};

in_each_browser! {
    the_page_answers_the_ticker_and_its_controls_reach_the_wire
    the_page_says_what_will_cross
    the_browser_throws_if_it_may
    the_server_chooses_the_first_subprotocol
}

fn the_page_answers_the_ticker_and_its_controls_reach_the_wire<P: Page>() {
    let mut program = Program::start(&["--interval", "100ms"]);
    let mut page = P::open(&program.url);

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
    page.wait_for_text("#log", "client: echo 2");
    wait_for_open(&mut page, "/ticker");

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
    page.wait_for_text("#state", "CLOSED");

    // The other path, and payloads at the edges of the length forms. Choosing the path connects.
    page.click("#path-echo");
    wait_for_open(&mut page, "/echo?deflate=off");
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
    let response = program.wait_for("the 101", from, |r| r["type"] == "response" && r["status"] == 101);
    wait_for_open(&mut page, "/echo?deflate=on");
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

fn the_page_says_what_will_cross<P: Page>() {
    let mut program = Program::start(&[]);
    let mut page = P::open(&program.url);
    page.click("#path-echo");
    wait_for_open(&mut page, "/echo");
    page.fill("#text", "Grüße, 你好");
    page.fill("#hex", "00 ff");
    page.fill("#random-size", "70000");
    page.wait_for_text("#random-size-wire", "the browser decides");
    page.fill("#random-size", "60000");
    page.wait_for_text("#random-size-wire", "60,000");
    let mut expected = Vec::new();
    let presets =
        ["0", "125", "126", "65535", "65536"].map(|size| (format!("preset-{size}"), format!("preset-{size}")));
    let fields = [("send-text", "text"), ("send-hex", "hex"), ("send-random", "random-size")];
    for (button, control) in
        presets.into_iter().chain(fields.map(|(button, field)| (button.to_owned(), field.to_owned())))
    {
        let words = page.text(&format!("#{control}-wire"));
        let from = program.records.len();
        page.click(&format!("#{button}"));
        let sent = program.wait_for(&control, from, |r| is_frame(r, "c2s", "text") || is_frame(r, "c2s", "binary"));
        let record = &program.records[sent];
        let stated = numbers(&words);
        let crossed =
            [1, record["payload_len"].as_u64().expect("a length"), record["wire_len"].as_u64().expect("a length")];
        assert_eq!(stated, crossed, "{control}: {words}");
        assert!(words.contains(record["opcode_name"].as_str().expect("a name")), "{words}");
        assert_eq!([&record["fin"], &record["mask"], &record["rsv1"]], [true, true, false], "{words}");
        expected.push(record["wire_len"].clone());
    }
    assert_eq!(expected[..2], [6, 131]);
    page.wait_for_text("#preset-1048576-wire", "the browser decides");

    for (code, reason) in [("", ""), ("1000", ""), ("4999", "tschüß")] {
        wait_for_open(&mut page, "/echo");
        page.fill("#close-code", code);
        page.fill("#close-reason", reason);
        page.wait_for_text("#close-wire", "Close frame");
        page.eval("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))");
        let stated = numbers(&page.text("#close-wire"));
        let from = program.records.len();
        page.click("#disconnect");
        let close = program.wait_for("the Close", from, |r| is_frame(r, "c2s", "close"));
        let record = &program.records[close];
        assert_eq!(
            stated,
            [1, record["payload_len"].as_u64().expect("a length"), record["wire_len"].as_u64().expect("a length")]
        );
        page.wait_for_text("#state", "CLOSED");
        page.click("#connect");
    }
}

fn the_browser_throws_if_it_may<P: Page>() {
    let mut program = Program::start(&["--interval", "3600s"]);
    let mut page = P::open(&program.url);
    wait_for_open(&mut page, "/ticker");
    page.fill("#close-code", "1001");
    page.click("#disconnect");
    page.wait_for_text("#close-code-error", "3000–4999");
    page.click("#let-throw");
    page.wait_for_text("#close-wire", "throws");
    page.click("#disconnect");
    page.wait_for_text("#close-code-error", "InvalidAccessError");
    page.wait_for_text("#log", "threw InvalidAccessError");
    page.fill("#close-code", "1000");
    page.fill("#close-reason", &"x".repeat(124));
    page.click("#disconnect");
    page.wait_for_text("#close-code-error", "SyntaxError");
    page.fill("#protocols", "chat, chat");
    page.click("#connect");
    page.wait_for_text("#state", "CLOSED");
    page.click("#connect");
    page.wait_for_text("#protocols-error", "SyntaxError");
    let close = program.wait_for("the Close", 0, |r| is_frame(r, "c2s", "close"));
    assert_eq!(program.records[close]["close_code"], 1000, "nothing crossed when the browser threw");
    // The error does not outlive its cause.
    page.fill("#protocols", "");
    page.fill("#close-reason", "");
    page.click("#connect");
    wait_for_open(&mut page, "/ticker");
    page.wait_for("Array.from(document.querySelectorAll('.problem')).every(problem => problem.textContent === '')");
}

fn the_server_chooses_the_first_subprotocol<P: Page>() {
    let mut program = Program::start(&["--interval", "3600s"]);
    let mut page = P::open(&program.url);
    wait_for_open(&mut page, "/ticker");
    page.fill("#protocols", "chat, a b");
    page.click("#connect");
    page.wait_for_text("#protocols-error", "a b");
    page.fill("#protocols", "graphql-transport-ws, chat");
    page.wait_for_text("#connect-wire", "Sec-WebSocket-Protocol: graphql-transport-ws, chat");
    page.click("#path-echo");
    wait_for_open(&mut page, "/echo");
    page.wait_for("document.querySelector('#protocol').textContent === 'graphql-transport-ws'");
    let chosen = |r: &Value| r["type"] == "response" && r.to_string().contains("graphql-transport-ws");
    let response = program.wait_for("the 101", 0, chosen);
    assert_eq!(program.records[response]["findings"], json!([]));
}
