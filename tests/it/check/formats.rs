//! The formats of reports for CI systems.

use std::collections::BTreeMap;
use std::fs;

use proptest::prelude::*;
use quick_xml::events::Event;
use quick_xml::{Reader, XmlVersion};

use super::{capture, check, name, with};
use crate::support::{DOWN, UP, frame, rules, sample, sample_path};
use framescope::export::findings::junit::JunitReport;
use framescope::export::findings::{Fault, FaultKind};
use framescope::proto::rules::{Rule, Severity};
use framescope::wire::opcode::Opcode;

/// An element of a document.
#[derive(Debug, Default)]
struct Element {
    name: String,
    attributes: BTreeMap<String, String>,
    children: Vec<Element>,
    text: String,
}

impl Element {
    fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).unwrap_or_else(|| panic!("no {name}: {self:?}"))
    }

    fn count(&self, name: &str) -> usize {
        self.attribute(name).parse().expect("a number")
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    fn case(&self, name: &str) -> &Element {
        self.all("testcase").find(|case| case.attribute("name") == name).unwrap_or_else(|| panic!("no test {name}"))
    }
}

/// Reads a document with quick-xml.
fn read(document: &str) -> Element {
    let mut reader = Reader::from_str(document);
    let mut open = vec![Element::default()];
    let begun = |start: &quick_xml::events::BytesStart<'_>| {
        let attribute = |attribute: quick_xml::events::attributes::Attribute<'_>| {
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).expect("a value");
            (attribute.key.as_ref().to_owned(), value.into_owned())
        };
        let attributes = start.attributes().map(|read| attribute(read.expect("an attribute"))).collect();
        Element { name: start.name().as_ref().to_owned(), attributes, ..Element::default() }
    };
    loop {
        match reader.read_event().expect("valid XML") {
            Event::Start(start) => open.push(begun(&start)),
            Event::Empty(start) => open.last_mut().expect("an element").children.push(begun(&start)),
            Event::End(_) => {
                let element = open.pop().expect("an element");
                open.last_mut().expect("an element").children.push(element);
            }
            Event::Text(text) => open.last_mut().expect("an element").text.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) => {
                let c = match reference.resolve_char_ref().expect("a reference") {
                    Some(c) => c.to_string(),
                    None => quick_xml::escape::resolve_predefined_entity(&reference).expect("an entity").to_owned(),
                };
                open.last_mut().expect("an element").text.push_str(&c);
            }
            Event::Eof => break,
            Event::Decl(_) => {}
            other => panic!("{other:?}"),
        }
    }
    let mut document = open.pop().expect("the document");
    assert_eq!((open.len(), document.children.len()), (0, 1));
    document.children.pop().expect("a root")
}

/// Reads a JUnit report, and checks the schema: elements, attributes, and counts that are those of the content.
fn junit(arguments: &[&str]) -> (Option<i32>, Element) {
    let (status, out, _) = check(&[arguments, &["--format", "junit"]].concat());
    let root = read(&out);
    assert_eq!(root.name, "testsuites");
    let keys = |element: &Element| element.attributes.keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&root), ["errors", "failures", "name", "tests"]);
    let mut sums = [0; 3];
    for suite in &root.children {
        assert_eq!((suite.name.as_str(), keys(suite)), ("testsuite", keys(&root)));
        let outcomes = |name| suite.children.iter().filter(|case| case.all(name).next().is_some()).count();
        let counts = ["tests", "failures", "errors"].map(|name| suite.count(name));
        assert_eq!(counts, [suite.children.len(), outcomes("failure"), outcomes("error")]);
        sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        for case in &suite.children {
            assert_eq!((case.name.as_str(), keys(case)), ("testcase", vec!["classname".to_owned(), "name".to_owned()]));
            assert_eq!(case.attribute("classname"), suite.attribute("name"));
            for result in &case.children {
                let keys = keys(result);
                match result.name.as_str() {
                    "failure" | "error" => assert_eq!(keys, ["message", "type"]),
                    "system-out" => assert!(keys.is_empty()),
                    other => panic!("{other}"),
                }
            }
        }
    }
    assert_eq!(["tests", "failures", "errors"].map(|name| root.count(name)), sums);
    (status, root)
}

#[test]
fn a_junit_suite_has_a_test_for_each_rule() {
    let file = sample_path("violations");
    let (status, root) = junit(&[&file]);
    assert_eq!((status, root.children.len()), (Some(1), 1));
    let suite = &root.children[0];
    assert_eq!(suite.attribute("name"), file);
    let names: Vec<&str> = suite.children.iter().map(|case| case.attribute("name")).collect();
    let ids: Vec<&str> = Rule::ALL.iter().map(|rule| rule.id()).collect();
    assert_eq!((names[0], &names[1..]), ("capture", &ids[..]));
    let found = rules(&sample("violations"));
    for rule in Rule::ALL {
        let of_rule = found.iter().filter(|found| *found == rule).count();
        let case = suite.case(rule.id());
        let Some(result) = case.children.first() else {
            assert_eq!(of_rule, 0, "{}", rule.id());
            continue;
        };
        assert_eq!(result.text.lines().count(), of_rule, "{}", rule.id());
        if rule.severity() == Severity::Error {
            assert_eq!((result.name.as_str(), result.attribute("type")), ("failure", "error"), "{}", rule.id());
            assert!(result.text.starts_with(result.attribute("message")), "{result:?}");
        } else {
            assert_eq!(result.name, "system-out", "below --fail-on: {}", rule.id());
        }
    }
    let unmasked = &suite.case("client-frame-unmasked").children[0];
    assert!(unmasked.text.starts_with("record 3: MASK is 0, "), "{}", unmasked.text);
}

#[test]
fn junit_follows_the_threshold_the_filter_and_the_flags() {
    let (folder, path) = with("warning");
    let result = |arguments: &[&str], case: &str| {
        let (status, root) = junit(arguments);
        let children = &root.children[0].case(case).children;
        (status, children.first().map(|result| result.name.clone()).unwrap_or_default())
    };
    let rule = "masking-key-zero";
    let path = name(&path);
    assert_eq!(result(&[path], rule), (Some(0), "system-out".to_owned()));
    assert_eq!(result(&[path, "--fail-on", "warning"], rule), (Some(1), "failure".to_owned()));
    assert_eq!(result(&[path, "--fail-on", "warning", "--filter", "op == ping"], rule), (Some(0), String::new()));
    let damaged = folder.path().join("damaged.pcapng");
    fs::write(&damaged, [&fs::read(path).expect("read")[..], &[0; 5]].concat()).expect("written");
    let damaged = name(&damaged);
    assert_eq!(result(&[damaged], "capture"), (Some(1), "failure".to_owned()));
    assert_eq!(result(&[damaged, "--allow-damaged"], "capture"), (Some(0), String::new()));
    // Without frames no rule was tested.
    let empty = folder.path().join("empty.har");
    fs::write(&empty, "{\"log\":{\"entries\":[]}}").expect("written");
    let (status, root) = junit(&[name(&empty), "/no/such/file", path]);
    let tests: Vec<usize> = root.children.iter().map(|suite| suite.count("tests")).collect();
    assert_eq!((status, tests), (Some(1), vec![1, 1, Rule::ALL.len() + 1]));
    let outcomes = root.children.iter().map(|suite| suite.case("capture").children.first());
    let outcomes: Vec<_> =
        outcomes.map(|result| result.map(|result| (result.name.as_str(), result.attribute("type")))).collect();
    assert_eq!(outcomes, [Some(("failure", "no-websocket-frames")), Some(("error", "not-read")), None]);
}

#[test]
fn junit_escapes_what_was_captured_and_lists_a_hundred_findings_of_a_rule() {
    let (folder, path) = capture(|wire| {
        let other = wire.recording.connect(50_009);
        let bytes = "GET /<b>&\"'\u{1}\u{1b}]]>\u{fffe} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n";
        wire.recording.say(&other, UP, bytes.as_bytes());
        for n in 0..250_u16 {
            wire.say(UP, &frame(true, Opcode::Text, None, &n.to_be_bytes().map(|byte| byte & 0x7f)));
        }
        wire.say(DOWN, &frame(true, Opcode::Close, None, b"\x03\xe8"));
    });
    let strange = folder.path().join("<\"&'\u{1b}>.pcapng");
    fs::copy(&path, &strange).expect("copied");
    let (_, root) = junit(&[name(&strange)]);
    let suite = &root.children[0];
    assert!(suite.attribute("name").ends_with("<\"&'\u{241b}>.pcapng"), "{}", suite.attribute("name"));
    let about_target = suite.children.iter().flat_map(|case| &case.children).find(|result| result.text.contains("<b>"));
    let about_target = &about_target.expect("a finding that quotes the target").text;
    assert!(
        about_target.contains("<b>&\"'\u{2401}\u{241b}]]>") && !about_target.contains('\u{fffe}'),
        "{about_target}"
    );
    let unmasked = &suite.case("client-frame-unmasked").children[0];
    assert_eq!(unmasked.text.lines().count(), 101);
    assert_eq!(unmasked.text.lines().last(), Some("and 150 more"));
}

proptest! {
    #[test]
    fn junit_holds_any_text(file: String, reason: String) {
        let mut report = JunitReport::new(Severity::Error);
        report.begin(&file);
        report.end(false, &[Fault { kind: FaultKind::Damaged, reason: reason.clone() }]);
        let mut document = Vec::new();
        report.write(&mut document).expect("written");
        let root = read(&String::from_utf8(document).expect("UTF-8"));
        let failure = &root.children[0].case("capture").children[0];
        // XML 1.0 §2.2: the characters that a document can hold. §2.11: readers translate line ends.
        let is_char = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
        let held: String = reason.chars().map(|c| if is_char(c) { c } else { '\u{fffd}' }).collect();
        let lines = |text: &str| text.replace("\r\n", "\n").replace('\r', "\n");
        prop_assert_eq!(lines(&failure.text), lines(&held));
    }
}

#[test]
fn github_annotations_have_a_level_for_each_severity() {
    let captures = ["error", "warning", "info"].map(with);
    let paths = captures.each_ref().map(|(_, path)| name(path));
    let (status, out, err) = check(&[&paths[..], &["--format", "github"]].concat());
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!((status, lines.len()), (Some(1), 3), "{out}{err}");
    let starts = [
        ("error", "client-frame-unmasked (RFC 6455 §5.1)"),
        ("warning", "masking-key-zero (RFC 6455 §5.3)"),
        ("notice", "pong-unsolicited (RFC 6455 §5.5.3)"),
    ];
    for ((line, path), (level, title)) in lines.iter().zip(paths).zip(starts) {
        assert!(line.starts_with(&format!("::{level} file={path},title={title}::record 3: ")), "{line}");
        assert_eq!(line.matches("%0Aconnection 1 · ").count(), 1, "{line}");
    }
}

#[test]
fn github_annotations_name_faults_and_escape_file_names() {
    let (folder, path) = with("nothing");
    let damaged = folder.path().join("a,b:c%.pcapng");
    fs::write(&damaged, [&fs::read(&path).expect("read")[..], &[0; 5]].concat()).expect("written");
    let empty = folder.path().join("empty.har");
    fs::write(&empty, "{\"log\":{\"entries\":[]}}").expect("written");
    let arguments = [name(&damaged), name(&empty), "/no/such/file", "--format", "github"];
    let (status, out, _) = check(&arguments);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!((status, lines.len()), (Some(1), 3), "{out}");
    let folder = name(folder.path());
    assert!(
        lines[0].starts_with(&format!("::error file={folder}/a%2Cb%3Ac%25.pcapng,title=damaged::")),
        "{}",
        lines[0]
    );
    assert!(
        lines[1].starts_with(&format!("::error file={folder}/empty.har,title=no-websocket-frames::")),
        "{}",
        lines[1]
    );
    assert!(lines[2].starts_with("::error file=/no/such/file,title=not-read::"), "{}", lines[2]);
    let (status, out, _) = check(&[name(&damaged), "--format", "github", "--allow-damaged"]);
    assert_eq!((status, out.as_str()), (Some(0), ""));
}

#[test]
fn names_of_files_are_escaped_as_each_format_does() {
    let (folder, path) = with("error");
    let strange = folder.path().join("a b\nc\u{202e}\x1b[31m,%.pcapng");
    fs::copy(&path, &strange).expect("copied");
    let file = name(&strange);
    let folder = name(folder.path());
    let (_, out, err) = check(&[file]);
    let shown = format!("{folder}/a b\u{240a}c⟨U+202E⟩\u{241b}[31m,%.pcapng");
    assert!(out.starts_with(&format!("{shown}:record ")) && out.lines().count() == 1, "{out}");
    assert!(err.contains(&shown) && err.lines().count() == 1, "{err}");
    let (_, out, _) = check(&[file, "--format", "github"]);
    let property = format!("::error file={folder}/a b%0Ac⟨U+202E⟩\u{241b}[31m%2C%25.pcapng,title=");
    assert!(out.starts_with(&property) && out.lines().count() == 1, "{out}");
    let (_, root) = junit(&[file]);
    assert_eq!(root.children[0].attribute("name"), format!("{folder}/a b\nc⟨U+202E⟩\u{241b}[31m,%.pcapng"));
    let (_, out, _) = check(&[file, "--json"]);
    let line: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((line["file"].as_str(), out.lines().count()), (Some(file), 1));
}
