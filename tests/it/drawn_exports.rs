//! The exports that people read as documents: SVG and Markdown.

use crate::support::{DOWN, KEY, Recording, UP, exported, frame, sample, xml};
use framescope::capture::import::samples::Sample;
use framescope::capture::store::Capture;
use framescope::export::{ExportError, ExportOptions, ExportSelection, Format, Progress, export, to_file};
use framescope::picture::ThemeName;
use framescope::wire::opcode::Opcode;
use framescope::wire::printable;

fn text(capture: &Capture, format: Format) -> String {
    String::from_utf8(exported(capture, format)).expect("UTF-8")
}

/// A capture whose peers try to write markup.
fn hostile() -> Recording {
    let mut talk = Recording::new();
    let connection = talk.connect(50001);
    let header = "X-Odd: </text><script>alert(1)</script> | [a](http://x) ``` \u{202e}";
    talk.upgrade(&connection, "/<b>|*x*", KEY, [header, ""]);
    talk.say(&connection, DOWN, &frame(true, Opcode::Text, None, "```\n# title\n| a | b |\n\u{1b}[2J".as_bytes()));
    talk.say(&connection, UP, &frame(true, Opcode::Close, Some([1, 2, 3, 4]), b"\x03\xe8</desc>"));
    drop(connection);
    talk
}

#[test]
fn both_show_every_record_of_every_sample() {
    for sample in Sample::ALL {
        let capture = crate::support::sample(sample.name);
        let svg = text(&capture, Format::Svg);
        let description = xml::texts(&svg, "desc").concat();
        let markdown = text(&capture, Format::Markdown);
        for no in 1..=capture.len() {
            let heading = |of: &str| format!("ecord {no} · {of}");
            let kind = capture.record(no).expect("a record");
            let name = kind.opcode().map_or(kind.kind.name(), |opcode| opcode.name());
            assert!(description.contains(&heading(name)), "{} {no}", sample.name);
            assert!(markdown.contains(&format!("## R{}", heading(name))), "{} {no}", sample.name);
        }
        for document in [&svg, &markdown] {
            assert!(document.chars().all(|c| c == '\n' || printable::is_plain(c)), "{}", sample.name);
        }
    }
}

#[test]
fn the_figure_holds_the_bits_and_the_findings() {
    let capture = sample("violations");
    let svg = text(&capture, Format::Svg);
    let texts = xml::texts(&svg, "text");
    assert!(texts.iter().any(|text| text == "1 0 0 0 0 0 0 1") || texts.iter().any(|text| text == "0 0 0 1"));
    let markdown = text(&capture, Format::Markdown);
    for (_, finding) in capture.findings(0, usize::MAX) {
        assert!(markdown.contains(&format!("(`{}`, {})", finding.rule.id(), finding.rule.section())));
        assert!(texts.iter().any(|text| text.contains(finding.rule.id())), "{}", finding.rule.id());
    }
}

#[test]
fn a_picture_has_the_background_of_its_theme() {
    let capture = sample("hello");
    for (theme, paper) in [(ThemeName::Light, "#ffffff"), (ThemeName::Dark, "#0d1117"), (ThemeName::Mono, "#ffffff")] {
        let options = ExportOptions { theme, ..ExportOptions::default() };
        let mut svg = Vec::new();
        export(&capture, Format::Svg, &options, &mut svg, &Progress::default()).expect("exported");
        let background = format!("<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{paper}\"/>");
        assert!(String::from_utf8_lossy(&svg).contains(&background), "{theme:?}");
    }
}

#[test]
fn captured_text_becomes_no_markup() {
    let talk = hostile();
    let svg = text(talk.capture(), Format::Svg);
    assert!(xml::texts(&svg, "script").is_empty() && xml::texts(&svg, "desc").concat().contains("alert(1)"));
    let markdown = text(talk.capture(), Format::Markdown);
    // Cells: each row of a table has the pipes of its columns, and others are escaped.
    let mut fence: Option<&str> = None;
    for line in markdown.lines() {
        match fence {
            Some(open) if line == open => fence = None,
            Some(_) => {}
            None if line.starts_with("```") => fence = Some(line.trim_end_matches("text")),
            None => {
                let pipes = line.replace("\\|", "").matches('|').count();
                assert!(pipes == 0 || pipes == 5, "{line}");
                assert!(!line.replace("\\<", "").contains('<'), "{line}");
                assert!(!line.starts_with("# title"), "{line}");
            }
        }
    }
    assert_eq!(fence, None, "every code block ends");
    assert!(markdown.contains("# title") && markdown.contains("\\<script\\>"));
}

#[test]
fn a_picture_of_too_many_records_is_refused_and_leaves_no_file() {
    let mut talk = Recording::new();
    let connection = talk.connect(50001);
    talk.upgrade(&connection, "/echo", KEY, [""; 2]);
    for _ in 0..499 {
        talk.say(&connection, DOWN, &frame(true, Opcode::Text, None, b"x"));
    }
    let capture = talk.capture();
    let folder = tempfile::tempdir().expect("a folder");
    let write = |selection, name: &str| {
        let options = ExportOptions { selection, ..ExportOptions::default() };
        to_file(capture, Format::Svg, &options, &folder.path().join(name), false, &Progress::default())
    };
    let refused = write(ExportSelection::All, "all.svg");
    assert!(matches!(refused, Err(ExportError::TooMany { most: 500, .. })), "{refused:?}");
    let some = write(ExportSelection::Records((2..=501).collect()), "some.svg").expect("exported");
    assert_eq!(some.records, 500);
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1);
    let all = export(capture, Format::Markdown, &ExportOptions::default(), &mut Vec::new(), &Progress::default());
    assert_eq!(all.expect("exported").records, 501);
}
