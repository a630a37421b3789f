use super::file::TourProblem;
use super::*;

/// A tour with one step, in which `change` was replaced.
fn changed(from: &str, to: &str) -> String {
    let step = r#"title = "t"
end = "e"
[[step]]
id = "first"
title = "t"
text = "x"
record = "op == text"
light = "fin"
task = "t"
hint = "h"
done = "d"
select = "mask"
"#;
    assert!(step.contains(from), "{from}");
    step.replace(from, to)
}

#[test]
fn the_built_in_tour_is_good() {
    let tour = Tour::built_in().unwrap_or_else(|e| panic!("assets/tour/en.toml: {e}"));
    assert_eq!(tour.steps.len(), 8);
    assert_eq!(tour.position("xor"), Some(3));
    assert!(tour.steps.iter().any(|step| matches!(step.check, Check::Answer(_))));
}

#[test]
fn an_error_names_the_line_and_the_step() {
    assert!(Tour::parse(&changed("", "")).is_ok());
    for (from, to, line, words) in [
        ("op == text", "op == txt", 7, "record is no filter"),
        ("light = \"fin\"", "light = \"fim\"", 8, "fim"),
        ("select = \"mask\"", "select = \"fin\"", 12, "same place"),
        ("select = \"mask\"", "answer = \"key-byte-index\"", 12, "number"),
        ("select = \"mask\"", "answer = \"close-code(2)\"", 12, "no number"),
        ("select = \"mask\"", "answer = \"code\"", 12, "close-code"),
        ("select = \"mask\"", "select = \"payload[x]\"", 12, "payload[0]"),
        ("select = \"mask\"", "select = \"mask\"\nanswer = \"opcode\"", 4, "either"),
        ("select = \"mask\"", "select = \"mask\"\nthen-in = \"op == ping\"", 13, "then-in needs then"),
        ("select = \"mask\"", "select = \"mask\"\nselct = \"mask\"", 13, "selct"),
        ("task = \"t\"", "task = \" \"", 9, "task is empty"),
        ("hint = \"h\"", "", 3, "hint"),
    ] {
        let e = Tour::parse(&changed(from, to)).expect_err(to);
        assert_eq!((e.line, e.step.as_deref()), (line, Some("first")), "{to}: {e}");
        assert!(e.to_string().contains(words), "{to}: {e}");
    }
    let long = "x".repeat(321);
    let e = Tour::parse(&changed("text = \"x\"", &format!("text = \"{long}\""))).expect_err("too long");
    assert_eq!((e.line, &e.problem), (6, &TourProblem::TooLong { name: "text", len: 321, most: 320 }));
    let twice = changed("", "") + &changed("title = \"t\"\nend = \"e\"\n", "");
    assert_eq!(Tour::parse(&twice).map(|_| ()).map_err(|e| (e.line, e.problem)), Err((14, TourProblem::Twice)));
    let none = Tour::parse("title = \"t\"\nend = \"e\"\n").expect_err("no step");
    assert_eq!((none.step, none.problem), (None, TourProblem::NoStep));
}
