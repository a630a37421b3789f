//! Reading scripts, and running them against a peer that is a list.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::capture::query::filter::Filter;

fn parse(text: &str) -> Result<Script, ScriptError> {
    Script::parse(text, |path| match path {
        "a.json" | "a b.bin" => Ok(path.into()),
        _ => Err(format!("cannot read {path}")),
    })
}

#[test]
fn an_error_has_a_line_and_a_place() {
    for (text, line, under) in [
        ("send text \"a\"\nsed text \"b\"", 2, "sed"),
        ("  send tex \"a\"", 1, "tex"),
        ("send", 1, ""),
        ("send text a # comment", 1, "a"),
        ("send text \"a", 1, "\"a"),
        ("send text \"a\" b", 1, "b"),
        ("send hex \"0\"", 1, "\"0\""),
        ("send file", 1, ""),
        ("send file \"c.json\"", 1, "\"c.json\""),
        ("expect", 1, "expect"),
        ("expect op == pong", 1, ""),
        ("expect within 2s", 1, "expect"),
        ("expect opp == pong within 2s", 1, "opp"),
        ("expect op == pong within 2", 1, "2"),
        ("expect op == pong within 2s now", 1, "now"),
        ("wait", 1, ""),
        ("wait 25h", 1, "25h"),
        ("wait 0ms", 1, "0ms"),
        ("expect op == pong within 0s", 1, "0s"),
        ("repeat 0\nwait 1s\nend", 1, "0"),
        ("repeat 2\nend", 2, "end"),
        ("repeat 2\nwait 1s", 1, "repeat"),
        ("end", 1, "end"),
        ("on\nend", 1, "on"),
        ("on len >\nend", 1, ""),
        ("on open\n  on op == ping\n  end\nend", 2, "on"),
        ("repeat 2\non open\nend\nend", 2, "on"),
        ("close abc", 1, "abc"),
        ("close 1000\nsend text \"late\"", 2, "send"),
        ("ping bye", 1, "bye"),
    ] {
        let error = parse(text).expect_err(text);
        let found = (error.line, &error.text[error.span.clone()]);
        assert_eq!(found, (line, under), "{text}: {error}");
    }
    let error = parse("expect text == \"\u{1f600}\" and opp within 2s").expect_err("an unknown field");
    let [shown, carets] = error.carets();
    assert_eq!(shown, "expect text == \"\u{1f600}\" and opp within 2s");
    assert_eq!(carets, "                        ^^^");
}

#[test]
fn statements_of_each_kind_are_read() {
    let script = parse(
        "# all of them\n\
         send text \"a \\\"b\\\" # no comment\\n\"  # a comment\n\
         send hex '00 ff'\n\
         send file a.json\n\
         send file \"a b.bin\"\n\
         \n\
         expect text contains \" within 3s\" within 1.5s\n\
         ping\nping \"p\"\npong 'q'\n\
         repeat 2\n\trepeat 3\n\t\twait 500ms\n\tend\nend\n\
         close 4000 \"bye\"\n\
         on op == ping\nend\n\
         on open\n  send text \"open\"\nend\n",
    )
    .expect("a script");
    assert_eq!(script.line(2), "send text \"a \\\"b\\\" # no comment\\n\"  # a comment");
    assert!(script.has_handlers() && !parse("on open\nend").expect("a script").has_handlers());
    assert_eq!(script.bodies.len(), 3);
}

#[test]
fn repeats_can_be_16_deep() {
    let nested = |depth: usize| parse(&format!("{}ping\n{}", "repeat 2\n".repeat(depth), "end\n".repeat(depth)));
    assert!(nested(16).is_ok());
    assert_eq!(nested(17).map_err(|error| error.line).err(), Some(17));
    let handler = format!("on op == ping\n{}pong\n{}end\n", "repeat 2\n".repeat(16), "end\n".repeat(16));
    assert!(parse(&handler).is_ok());
}

/// A peer whose records are `text` messages, each with the time at which it arrives.
struct Texts<'a> {
    texts: &'a [(u64, &'static str)],
    /// When the peer is gone, in milliseconds.
    gone: u64,
    now: u64,
}

impl Peer for Texts<'_> {
    type Error = Infallible;

    fn next(&mut self, after: u64) -> Result<Option<u64>, Infallible> {
        let arrived = self.texts.iter().take_while(|(time, _)| *time <= self.now).count() as u64;
        Ok((after < arrived).then_some(after + 1))
    }

    /// Selects a text that the filter contains.
    fn matches(&mut self, no: u64, filter: &Filter) -> Result<bool, Infallible> {
        Ok(filter.text().contains(self.texts[no as usize - 1].1))
    }

    fn is_over(&self) -> bool {
        self.now >= self.gone
    }
}

/// What a script sends, each with its time in milliseconds, and how it ends.
fn play(script: &str, texts: &[(u64, &'static str)], gone: u64) -> (Vec<(u64, String)>, Result<u64, Failure>) {
    let mut player = Player::new(Arc::new(parse(script).expect("a script")));
    let mut peer = Texts { texts, gone, now: 0 };
    let mut sent = Vec::new();
    for _ in 0..100_000 {
        let Ok(step) = player.step(Duration::from_millis(peer.now), &mut peer);
        match step {
            Step::Send(Outgoing::Text(text)) => sent.push((peer.now, text.clone())),
            Step::Send(_) | Step::Busy => {}
            Step::Wait(until) => {
                let arrivals = texts.iter().map(|(time, _)| *time).chain([gone]);
                let next = arrivals.filter(|time| *time > peer.now).min().unwrap_or(u64::MAX);
                let until = until.map_or(u64::MAX, |until| until.as_millis() as u64);
                assert!(until > peer.now, "a wait ends in the future");
                peer.now = next.min(until);
            }
            Step::Done => return (sent, Ok(peer.now)),
            Step::Failed(failure) => return (sent, Err(failure)),
        }
    }
    panic!("the script does not end");
}

const NEVER: u64 = u64::MAX - 1;

#[test]
fn statements_run_in_order_and_repeats_as_often_as_they_say() {
    let script = "repeat 2\n send text \"a\"\n wait 10ms\n repeat 2\n  send text \"b\"\n end\nend\nsend text \"c\"";
    let (sent, end) = play(script, &[], NEVER);
    let sent: Vec<(u64, &str)> = sent.iter().map(|(time, text)| (*time, text.as_str())).collect();
    assert_eq!(sent, [(0, "a"), (10, "b"), (10, "b"), (10, "a"), (20, "b"), (20, "b"), (20, "c")]);
    assert_eq!(end, Ok(20));
}

#[test]
fn an_expectation_takes_the_next_record_that_matches() {
    let script = "expect text == \"two\" within 1s\nexpect text == \"one\" within 100ms\nsend text \"met\"";
    let (_, end) = play(script, &[(5, "one"), (6, "two"), (50, "three")], NEVER);
    let reason = FailureReason::NotMet(Duration::from_millis(100));
    assert_eq!(end, Err(Failure { line: 2, reason, latest: Some(3) }), "record 1 comes before record 2");
    let (sent, end) = play(script, &[(5, "one"), (6, "two"), (50, "one")], NEVER);
    assert_eq!((sent, end), (vec![(50, "met".to_owned())], Ok(50)));
    let late = play("expect text == \"a\" within 20ms", &[(21, "a")], NEVER).1;
    assert_eq!(late.map_err(|failure| failure.latest), Err(None));
}

#[test]
fn a_peer_that_closes_fails_what_is_left() {
    let closed = |line| Err(Failure { line, reason: FailureReason::PeerClosed, latest: None });
    assert_eq!(play("expect fin within 1h", &[], 7).1, closed(1));
    assert_eq!(play("wait 1s\nsend text \"late\"", &[], 7).1, closed(2));
    assert_eq!(play("wait 1s", &[], 7).1, Ok(7));
    // The reply of a handler may come too late.
    assert_eq!(play("on text == \"a\"\n send text \"b\"\nend", &[(7, "a")], 7), (vec![], Ok(7)));
}

#[test]
fn handlers_run_beside_each_other_until_the_peer_closes() {
    let script = "on text == \"slow\"\n wait 10ms\n send text \"late\"\nend\n\
                  on text == \"quick\"\n send text \"soon\"\nend\n\
                  on open\n send text \"open\"\nend";
    let (sent, end) = play(script, &[(1, "slow"), (2, "quick"), (3, "other"), (4, "quick")], 50);
    let sent: Vec<(u64, &str)> = sent.iter().map(|(time, text)| (*time, text.as_str())).collect();
    assert_eq!(sent, [(0, "open"), (2, "soon"), (4, "soon"), (11, "late")]);
    assert_eq!(end, Ok(50));
    let many: Vec<(u64, &str)> = vec![(1, "slow"); 1025];
    let failure = play("on text == \"slow\"\n wait 1h\nend", &many, NEVER).1.expect_err("too many");
    assert_eq!((failure.line, failure.reason), (2, FailureReason::TooManyHandlers));
}

#[test]
fn an_endless_sender_leaves_time_to_handlers() {
    let script = "repeat 1000\n send text \"flood\"\nend\non text == \"a\"\n send text \"reply\"\nend";
    let (sent, _) = play(script, &[(0, "a")], 1);
    let reply = sent.iter().position(|(_, text)| text == "reply");
    assert!(reply.is_some_and(|at| at < 600), "{reply:?}");
}

#[test]
fn records_that_arrive_at_once_are_answered_one_after_the_other() {
    let script = "expect text == \"login\" within 1s\nsend text \"ok\"\nwait 5ms\nsend text \"later\"\n\
                  on text == \"time\"\n send text \"12:00\"\nend\n\
                  on text == \"login\"\n send text \"welcome\"\n expect text == \"bye\" within 1s\n send text \"ciao\"\nend";
    let (sent, _) = play(script, &[(1, "time"), (1, "login"), (1, "time"), (1, "bye"), (1, "time")], 50);
    let sent: Vec<(u64, &str)> = sent.iter().map(|(time, text)| (*time, text.as_str())).collect();
    assert_eq!(sent, [(1, "12:00"), (1, "ok"), (1, "welcome"), (1, "12:00"), (1, "ciao"), (1, "12:00"), (6, "later")]);
}

#[test]
fn an_expectation_that_is_late_still_looks_at_what_had_arrived() {
    let texts: Vec<(u64, &str)> = [vec![(1, "x"); 600], vec![(2, "a")]].concat();
    let (_, end) = play("wait 10ms\nexpect text == \"a\" within 1ms", &texts, NEVER);
    assert_eq!(end, Ok(10));
}

/// Lines that are nearly statements.
fn line() -> impl Strategy<Value = String> {
    let words = proptest::sample::select(vec![
        "send", "text", "hex", "file", "expect", "within", "2s", "500ms", "ping", "pong", "close", "1000", "wait",
        "repeat", "3", "end", "on", "open", "op", "==", "\"a\"", "'", "\"", "\\", "#", "\u{e9}", " ", "\t", "a.json",
    ]);
    prop_oneof![proptest::collection::vec(words, 0..8).prop_map(|words| words.join(" ")), any::<String>(),]
}

proptest! {
    #[test]
    fn any_text_is_a_script_or_an_error_with_a_place(lines in proptest::collection::vec(line(), 0..6)) {
        if let Err(error) = parse(&lines.join("\n")) {
            prop_assert!(error.text.get(error.span.clone()).is_some());
            prop_assert!(error.line >= 1 && error.carets()[1].contains('^'));
        }
        for line in &lines {
            let _ = InputLine::parse(line).map_err(|error| error.to_string());
        }
    }

    #[test]
    fn text_in_quotes_is_sent_as_it_was(text: String) {
        let script = format!("send text {} # comment", crate::capture::query::filter::quote(&text));
        let sent = play(&script, &[], NEVER).0;
        prop_assert_eq!(sent, vec![(0, text)]);
    }
}
