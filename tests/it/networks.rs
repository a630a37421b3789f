//! Connections with the same addresses and ports in different virtual networks.

use proptest::prelude::*;

use crate::support::encapsulation::{ethernet, file, ip, udp};
use crate::support::packets::PLAIN;
use crate::support::tcp::{Segment, Tcp};
use crate::support::{DOWN, REQUEST, RESPONSE, UP, cases, everything, exported, frame, opened};
use framescope::capture::store::Capture;
use framescope::export::Format;
use framescope::proto::dissected::{Direction, EndReason, Kind};
use framescope::wire::opcode::Opcode;

/// A conversation in which each side says words of its own.
fn talk(words: &str, isn: [u32; 2]) -> Vec<Segment> {
    let mut tcp = Tcp::open(isn[0], isn[1]);
    for (up, bytes) in said(words) {
        tcp.say(up, &bytes);
    }
    tcp.close();
    tcp.segments
}

fn said(words: &str) -> Vec<(bool, Vec<u8>)> {
    let up = |n: u8| (true, frame(true, Opcode::Text, Some([n, 2, 3, 4]), format!("{words} asks {n}").as_bytes()));
    let down = |n: u8| (false, frame(true, Opcode::Text, None, format!("{words} answers {n}").as_bytes()));
    let key = REQUEST.replace("dGhl", words);
    // The accept value of another key: a finding that does not matter here.
    vec![(true, key.into_bytes()), (false, RESPONSE.into()), up(1), down(1), up(2), down(2), down(3)]
}

fn stream(words: &str, direction: Direction) -> Vec<u8> {
    said(words).into_iter().filter(|(up, _)| *up == (direction == UP)).flat_map(|(_, bytes)| bytes).collect()
}

/// A way into a network: VLAN tags, or a tunnel.
type Wrap = fn(u32, &[u8]) -> Vec<u8>;

fn vlan(number: u32, packet: &[u8]) -> Vec<u8> {
    let plain = ethernet(packet);
    if number == 0 {
        return plain;
    }
    let tag = [0x81, 0, (number >> 8) as u8, number as u8];
    [&plain[..12], &tag, &plain[12..]].concat()
}

const NETWORKS: [(&str, Wrap); 6] = [
    ("VLAN", vlan),
    ("VLAN in VLAN", |n, packet| {
        let inner = vlan(n, packet);
        [&inner[..12], &[0x88, 0xa8, 0, 9], &inner[12..]].concat()
    }),
    ("service VLAN", |n, packet| {
        let inner = vlan(7, packet);
        [&inner[..12], &[0x88, 0xa8, 0, n as u8], &inner[12..]].concat()
    }),
    ("VXLAN", |n, packet| tunnel(4789, &[8, 0, 0, 0, 0, 0, n as u8, 0], packet)),
    ("GENEVE", |n, packet| tunnel(6081, &[0, 0, 0x65, 0x58, 0, 0, n as u8, 0], packet)),
    ("NVGRE", |n, packet| {
        let gre = [&[0x20, 0, 0x65, 0x58, 0, 0, n as u8, 1], &ethernet(packet)[..]].concat();
        ethernet(&ip(false, 47, &gre, None, 1).remove(0))
    }),
];

fn tunnel(port: u16, head: &[u8], packet: &[u8]) -> Vec<u8> {
    ethernet(&ip(false, 17, &udp(port, &[head, &ethernet(packet)].concat()), None, 1).remove(0))
}

/// The packets of two conversations, by turns.
fn by_turns(one: &[Vec<u8>], other: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    for i in 0..one.len().max(other.len()) {
        packets.extend([one.get(i), other.get(i)].into_iter().flatten().cloned());
    }
    packets
}

/// The bytes of each connection and direction.
fn streams(capture: &Capture) -> Vec<[Vec<u8>; 2]> {
    let mut streams: Vec<[Vec<u8>; 2]> = Vec::new();
    for (record, bytes) in everything(capture) {
        let n = record.connection as usize;
        streams.resize(streams.len().max(n), Default::default());
        streams[n - 1][record.direction.index()].extend(bytes);
    }
    streams
}

fn both(words: &str) -> [Vec<u8>; 2] {
    [UP, DOWN].map(|direction| stream(words, direction))
}

fn wrapped(segments: &[Segment], wrap: impl Fn(&Segment, &[u8]) -> Vec<u8>) -> Vec<Vec<u8>> {
    segments.iter().enumerate().map(|(n, segment)| wrap(segment, &PLAIN.wrapped(segment, n))).collect()
}

/// Asserts that each conversation is a connection of its own that ends by FINs, also after each export.
fn assert_apart(capture: &Capture, words: &[&str], what: &str) {
    let ended = |capture: &Capture| {
        let ends = everything(capture).into_iter().filter(|(record, _)| record.kind == Kind::End(EndReason::Fin));
        ends.count()
    };
    for (form, again) in [("", None), ("pcapng", Some(Format::Pcapng)), ("NDJSON", Some(Format::Ndjson))] {
        let again = again.map(|format| opened(&exported(capture, format)));
        let capture = again.as_ref().unwrap_or(capture);
        assert_eq!(capture.trouble().reason(), None, "{what} {form}");
        let mut found = streams(capture);
        found.sort();
        let mut expected: Vec<_> = words.iter().map(|words| both(words)).collect();
        expected.sort();
        assert!(found == expected, "{what} {form}: {} connections", found.len());
        assert_eq!(ended(capture), 2 * words.len(), "{what} {form}");
    }
    let again = opened(&exported(capture, Format::Pcapng));
    assert!(everything(&again) == everything(capture), "{what}");
}

#[test]
fn two_tenants_with_the_same_addresses_are_two_connections() {
    let [one, other] = [talk("first", [1000, 2_000_000]), talk("other", [900_000_000, 3_000_000_000])];
    for (name, wrap) in NETWORKS {
        let [a, b] = [(&one, 10), (&other, 20)].map(|(talk, n)| wrapped(talk, |_, packet| wrap(n, packet)));
        assert_apart(&opened(&file(1, &by_turns(&a, &b))), &["first", "other"], name);
    }
    // One of them in no network, and packets of three.
    let third = talk("third", [1_500_000_000, 2_500_000_000]);
    let [a, b, c] = [(&one, 0), (&other, 5), (&third, 6)].map(|(talk, n)| wrapped(talk, |_, packet| vlan(n, packet)));
    let all = by_turns(&by_turns(&a, &b), &c);
    assert_apart(&opened(&file(1, &all)), &["first", "other", "third"], "three");
}

#[test]
fn tags_of_one_direction_do_not_divide_a_connection() {
    let talk = talk("first", [1000, 2_000_000]);
    let tags: [(&str, [u32; 2]); 4] =
        [("one way", [10, 0]), ("the other way", [0, 10]), ("both ways", [10, 20]), ("the same", [10, 10])];
    for (name, [up, down]) in tags {
        let packets = wrapped(&talk, |segment, packet| vlan(if segment.up { up } else { down }, packet));
        assert_apart(&opened(&file(1, &packets)), &["first"], name);
    }
    // A mirror port sees each packet on its way in and out; or a tag only sometimes.
    let [inside, outside] = [3, 4].map(|n| wrapped(&talk, |_, packet| vlan(n, packet)));
    assert_apart(&opened(&file(1, &by_turns(&inside, &outside))), &["first"], "twice");
    let sometimes: Vec<Vec<u8>> =
        wrapped(&talk, |segment, packet| vlan(segment.seq.wrapping_add(segment.ack) % 3, packet));
    assert_apart(&opened(&file(1, &sometimes)), &["first"], "sometimes");
}

#[test]
fn two_tenants_whose_answers_have_another_tag() {
    let [one, other] = [talk("first", [1000, 2_000_000]), talk("other", [900_000_000, 3_000_000_000])];
    for answers in [[0, 0], [10, 10], [20, 10], [30, 40]] {
        let [a, b] = [(&one, 10, answers[0]), (&other, 20, answers[1])]
            .map(|(talk, up, down)| wrapped(talk, |segment, packet| vlan(if segment.up { up } else { down }, packet)));
        assert_apart(&opened(&file(1, &by_turns(&a, &b))), &["first", "other"], "answers");
    }
}

#[test]
fn ports_that_are_used_again_in_a_network_are_one_connection_after_another() {
    let words = ["first", "other", "third", "forth"];
    let talks: Vec<_> =
        (0..4).map(|n| talk(words[n], [1000 + n as u32 * 700_000_000, 99 + n as u32 * 900_000_000])).collect();
    let in_vlan = |n: usize, vlan_id: u32| wrapped(&talks[n], |_, packet| vlan(vlan_id, packet));
    let one = [in_vlan(0, 1), in_vlan(1, 1)].concat();
    let other = [in_vlan(2, 2), in_vlan(3, 2)].concat();
    assert_apart(&opened(&file(1, &by_turns(&one, &other))), &words, "two by two");
    assert_apart(
        &opened(&file(1, &[in_vlan(0, 1), in_vlan(1, 2), in_vlan(2, 1)].concat())),
        &words[..3],
        "in sequence",
    );
}

#[test]
fn the_same_sequence_numbers_begin_another_connection_once_the_first_is_over() {
    let [first, other] = ["first", "other"].map(|words| talk(words, [1000, 2_000_000]));
    for [one, two] in [[0, 0], [1, 2], [0, 3]] {
        let [a, b] = [(&first, one), (&other, two)].map(|(talk, n)| wrapped(talk, |_, packet| vlan(n, packet)));
        assert_apart(&opened(&file(1, &[a.clone(), b].concat())), &["first", "other"], "in sequence");
        // Captured elsewhere at the same time, and appended.
        let again = wrapped(&first, |_, packet| vlan(two, packet));
        let [head, early, late] = [&[], &a[..], &again].map(|packets| file(1, packets));
        let appended = [&head[..], &early[head.len()..], &late[head.len()..]].concat();
        assert_apart(&opened(&appended), &["first"], "appended");
    }
}

#[test]
fn fragments_of_different_networks_are_not_joined() {
    let tenants = [("first", 10, [1000, 2_000_000]), ("other", 20, [900_000_000, 3_000_000_000])];
    let [a, b] = tenants.map(|(words, n, isn)| {
        let segments = talk(words, isn);
        crate::support::packets::fragments(&PLAIN, &segments, 48)
            .into_iter()
            .map(|fragments| {
                // Without the record headers of the file.
                fragments.iter().map(|record| vlan(n, &record[16..])).collect::<Vec<_>>()
            })
            .collect::<Vec<_>>()
    });
    let mut packets = Vec::new();
    for (one, other) in a.iter().zip(&b) {
        packets.extend(by_turns(one, other));
    }
    assert_apart(&opened(&file(1, &packets)), &["first", "other"], "fragments");
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn any_order_of_two_tenants_keeps_them_apart(
        turns in proptest::collection::vec(any::<bool>(), 60), isn: [u32; 4], tags in (0u32..4, 0u32..4),
    ) {
        let far = |a: u32, b: u32| a.wrapping_sub(b).cast_signed().unsigned_abs() > 1 << 27;
        prop_assume!(far(isn[0], isn[2]) && far(isn[1], isn[3]) && tags.0 != tags.1);
        let [one, other] = [("first", [isn[0], isn[1]], tags.0), ("other", [isn[2], isn[3]], tags.1)]
            .map(|(words, isn, tag)| wrapped(&talk(words, isn), |_, packet| vlan(tag, packet)));
        let (mut one, mut other) = (one.into_iter(), other.into_iter());
        let mut packets: Vec<Vec<u8>> = Vec::new();
        for turn in turns {
            packets.extend(if turn { one.next() } else { other.next() });
        }
        packets.extend(one);
        packets.extend(other);
        assert_apart(&opened(&file(1, &packets)), &["first", "other"], "any order");
    }
}
