//! The message that came and the one that went in its place are partners.

use super::*;
use crate::support::{exported, opened};
use framescope::capture::query::partner::partners;
use framescope::export::{ExportOptions, ExportSelection, Format, Progress, export};

/// The numbers of the frames of a connection in a direction.
fn frames_of(capture: &Capture, connection: u32, direction: Direction) -> Vec<u64> {
    let records = capture.records(1..100).into_iter();
    let frames = records.filter(|record| (record.connection, record.direction) == (connection, direction));
    frames.filter(|record| record.kind == Kind::Frame).map(|record| record.no).collect()
}

fn partners_of(capture: &Capture, no: u64) -> Vec<u64> {
    partners(capture, &capture.record(no).expect("a record"))
}

#[test]
fn what_came_and_what_went_in_its_place_are_partners() {
    let (bench, hold) = holding(&["dir == c2s and (op == text or op == ping)"], 1 << 20);
    let (mut client, mut server) = bench.open();
    let fragments = [frame(false, Opcode::Text, Some(KEY), b"a"), frame(true, Opcode::Continuation, Some(KEY), b"b")];
    let ping = frame(true, Opcode::Ping, Some(KEY), b"p");
    client.write_all(&[&fragments.concat(), &text("dropped"), &text("sent")[..], &ping].concat()).expect("written");
    let held = wait_held(&hold, 4);
    hold.decide(held[1].id, &Verdict::Drop).expect("held");
    hold.decide(held[2].id, &Verdict::Send).expect("held");
    hold.decide(held[3].id, &Verdict::Replace(outgoing("/pong q"))).expect("held");
    assert_eq!(read_frame(&mut server), (0x8a, b"q".to_vec()));
    // The other direction is changed too, so that the latest record of what was delivered is not always that of the client.
    hold.inject(1, DOWN, outgoing("added")).expect("open");
    read_frame(&mut client);
    hold.decide(held[0].id, &Verdict::Replace(outgoing("/fragment 2,2 abcd"))).expect("held");
    for expected in [&b"ab"[..], b"cd", b"sent"] {
        assert_eq!(read_frame(&mut server).1, expected);
    }
    bench.wait("all that went", |capture| frames_of(capture, 2, UP).len() == 4);
    // A frame that is not complete has no record yet.
    client.write_all(&text("long")).expect("written");
    let held = wait_held(&hold, 1);
    hold.decide(held[0].id, &Verdict::Replace(outgoing("/frame len=6 text abc"))).expect("held");
    read(&mut server, 9);
    let capture = bench.capture();
    let long = frames_of(capture, 1, UP)[5];
    bench.wait("a note", |capture| capture.note(long).is_some_and(|note| note.contains("unfinished")));
    assert_eq!(partners_of(capture, long), [long]);
    hold.inject(1, UP, outgoing("/frame mask=0 hex 01")).expect("open");
    read(&mut server, 3);
    bench.wait("the rest of the frame", |capture| frames_of(capture, 2, UP).len() == 5);
    drop((client, server));
    bench.wait("the end", |capture| capture.totals().open == 0);
    let (came, went) = (frames_of(capture, 1, UP), frames_of(capture, 2, UP));
    let expected = [
        (came[0], vec![came[0], came[1], went[1], went[2]]),
        (came[1], vec![came[0], came[1], went[1], went[2]]),
        (came[2], vec![came[2]]),
        (came[3], vec![came[3]]),
        (came[4], vec![came[4], went[0]]),
        (came[5], vec![came[5], went[4]]),
        (went[0], vec![came[4], went[0]]),
        (went[2], vec![came[0], came[1], went[1], went[2]]),
        (went[3], vec![went[3]]),
        (went[4], vec![came[5], went[4]]),
    ];
    let check = |capture: &Capture, how: &str| {
        for (no, partners) in &expected {
            assert_eq!(partners_of(capture, *no), *partners, "{no} {how}");
        }
    };
    check(capture, "live");
    for format in [Format::Pcapng, Format::Ndjson] {
        check(&opened(&exported(capture, format)), format.spec().id);
        assert_eq!(proxied(&opened(&exported(capture, format))), proxied(capture), "{format:?}");
        // The link needs both records.
        for (numbers, linked) in [(vec![came[4], went[0]], 2), (went.clone(), 0)] {
            let options = ExportOptions { selection: ExportSelection::Records(numbers), ..ExportOptions::default() };
            let mut out = Vec::new();
            export(capture, format, &options, &mut out, &Progress::default()).expect("exported");
            let links = proxied(&opened(&out));
            let is_link = |(_, how): &&(u64, Proxied)| matches!(how, Proxied::ReplacedBy(_) | Proxied::InPlaceOf(_));
            assert_eq!(links.iter().filter(is_link).count(), linked, "{format:?}");
        }
    }
    let others: Vec<_> = proxied(capture).into_iter().filter(|(_, how)| Proxied::named(how.name()).is_some()).collect();
    let added = frames_of(capture, 2, DOWN)[0];
    assert_eq!(others, [(1, Proxied::Rewritten), (came[2], Proxied::Dropped), (added, Proxied::Added)]);
    bench.finish();
}
