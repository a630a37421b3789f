use super::*;
use crate::wire::frame::FrameHead;
use proptest::prelude::*;

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// An event with owned bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    Message(Opcode, Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>, String),
    Violation(u16, Option<Rule>),
}

impl From<EndpointEvent<'_>> for Seen {
    fn from(event: EndpointEvent<'_>) -> Self {
        match event {
            EndpointEvent::Message { opcode, payload } => Self::Message(opcode, payload.to_vec()),
            EndpointEvent::Ping(payload) => Self::Ping(payload.to_vec()),
            EndpointEvent::Pong(payload) => Self::Pong(payload.to_vec()),
            EndpointEvent::Close { code, reason } => Self::Close(code.map(|c| c.0), reason.to_owned()),
            EndpointEvent::Violation(violation) => {
                let rule = match violation {
                    Violation::Broken(finding) => Some(finding.rule),
                    Violation::TooBig { .. } => None,
                };
                Self::Violation(violation.code().0, rule)
            }
        }
    }
}

fn frame(fin: bool, opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    FrameHead::new(fin, opcode, Some(KEY), payload.len() as u64).encode_with(payload, &mut wire);
    wire
}

/// The events and replies of a server that receives these bytes in pieces of `step` bytes.
fn served(bytes: &[u8], step: usize) -> (Vec<Seen>, Vec<u8>) {
    let mut endpoint = Endpoint::server(Limits { message: 1000 });
    let (mut seen, mut out) = (Vec::new(), Vec::new());
    for piece in bytes.chunks(step.max(1)) {
        endpoint.receive(piece, &mut out, |event, _| seen.push(event.into()));
    }
    (seen, out)
}

fn violation(bytes: &[u8]) -> (u16, Option<Rule>) {
    let (seen, out) = served(bytes, usize::MAX);
    let Some(Seen::Violation(code, rule)) = seen.last() else { panic!("no violation: {seen:?}") };
    assert_eq!(out[out.len() - usize::from(out[1]) - 2], 0x88, "it sends a Close");
    assert_eq!(out[2..4], code.to_be_bytes());
    (*code, *rule)
}

mod section_5_7 {
    use super::*;

    #[test]
    fn a_masked_text_and_its_echo() {
        let mut endpoint = Endpoint::server(Limits::default());
        let mut out = Vec::new();
        let hello = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
        endpoint.receive(&hello, &mut out, |event, sender| {
            let EndpointEvent::Message { opcode, payload } = event else { panic!("{event:?}") };
            sender.message(opcode, payload);
        });
        assert_eq!(out, [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]);
    }

    #[test]
    fn a_fragmented_text_at_a_client() {
        let mut endpoint = Endpoint::client(Limits::default(), || KEY);
        let mut seen: Vec<Seen> = Vec::new();
        let mut out = Vec::new();
        let wire = [0x01, 0x03, 0x48, 0x65, 0x6c, 0x80, 0x02, 0x6c, 0x6f];
        endpoint.receive(&wire, &mut out, |event, _| seen.push(event.into()));
        assert_eq!(seen, [Seen::Message(Opcode::Text, b"Hello".to_vec())]);
        assert!(out.is_empty());
    }

    #[test]
    fn a_ping_is_answered_by_a_masked_pong() {
        let mut endpoint = Endpoint::client(Limits::default(), || KEY);
        let mut out = Vec::new();
        endpoint.receive(&[0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f], &mut out, |_, _| {});
        assert_eq!(out, [0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]);
    }
}

#[test]
fn control_frames_may_come_between_fragments() {
    let wire = [
        frame(false, Opcode::Text, b"a"),
        frame(true, Opcode::Ping, b"p"),
        frame(false, Opcode::Continuation, b""),
        frame(true, Opcode::Pong, b""),
        frame(true, Opcode::Continuation, b"b"),
    ];
    let (seen, out) = served(&wire.concat(), usize::MAX);
    let expected = [Seen::Ping(b"p".to_vec()), Seen::Pong(Vec::new()), Seen::Message(Opcode::Text, b"ab".to_vec())];
    assert_eq!(seen, expected);
    assert_eq!(out, [0x8a, 1, b'p']);
}

#[test]
fn a_close_is_answered_with_its_code_and_nothing_follows() {
    let payload = [&4001u16.to_be_bytes()[..], "schön".as_bytes()].concat();
    let wire = [frame(true, Opcode::Close, &payload), frame(true, Opcode::Text, b"late")].concat();
    let (seen, out) = served(&wire, usize::MAX);
    assert_eq!(seen, [Seen::Close(Some(4001), "schön".to_owned())]);
    assert_eq!(out, [0x88, 2, 0x0f, 0xa1]);
    let (seen, out) = served(&frame(true, Opcode::Close, b""), 1);
    assert_eq!((seen, out), (vec![Seen::Close(None, String::new())], vec![0x88, 0]));
}

#[test]
fn a_close_that_was_sent_first_is_not_repeated() {
    let mut endpoint = Endpoint::server(Limits::default());
    let mut out = Vec::new();
    endpoint.sender(&mut out).close(Some(CloseCode::GOING_AWAY), "");
    endpoint.sender(&mut out).text("too late");
    endpoint.receive(&frame(true, Opcode::Close, &1001u16.to_be_bytes()), &mut out, |_, _| {});
    assert_eq!(out, [0x88, 2, 0x03, 0xe9]);
    assert!(endpoint.is_over());
}

#[test]
fn a_long_reason_is_truncated_between_characters() {
    let mut endpoint = Endpoint::server(Limits::default());
    let mut out = Vec::new();
    endpoint.sender(&mut out).close(Some(CloseCode::NORMAL), &"ö".repeat(100));
    assert_eq!(out.len(), 2 + 2 + 122);
    assert!(std::str::from_utf8(&out[4..]).is_ok());
}

#[test]
fn rules_of_severity_error_fail_the_connection() {
    let broken = |bytes: &[u8], rule| assert_eq!(violation(bytes), (1002, Some(rule)), "{bytes:x?}");
    broken(&[0x81, 0x01, b'a'], Rule::ClientFrameUnmasked);
    broken(&[0xc1, 0x80, 0, 0, 0, 1], Rule::Rsv1Set);
    broken(&[0x83, 0x80, 0, 0, 0, 1], Rule::OpcodeReserved);
    broken(&[0x8b, 0x80, 0, 0, 0, 1], Rule::OpcodeReserved);
    broken(&[0x09, 0x80, 0, 0, 0, 1], Rule::ControlFragmented);
    broken(&[0x89, 0xfe, 0, 126, 0, 0, 0, 1], Rule::ControlTooLong);
    broken(&frame(false, Opcode::Continuation, b"x"), Rule::ContinuationUnexpected);
    broken(&[frame(false, Opcode::Text, b"x"), frame(true, Opcode::Text, b"y")].concat(), Rule::MessageInterrupted);
    broken(&frame(true, Opcode::Close, b"1"), Rule::ClosePayloadOneByte);
    broken(&frame(true, Opcode::Close, &1005u16.to_be_bytes()), Rule::CloseCodeInvalid);
    broken(&[0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], Rule::LengthTopBit);
    let (seen, _) = served(&[0x81, 0x80, 0, 0, 0, 0], 1);
    assert_eq!(seen, [Seen::Message(Opcode::Text, Vec::new())], "a zero masking key is only a warning");
}

#[test]
fn invalid_utf8_fails_when_the_byte_arrives() {
    // The head announces 200 bytes; the third byte cannot follow the second.
    let wire = &frame(true, Opcode::Text, &[&b"\xe2\x82x"[..], &[0; 197]].concat())[..8 + 3];
    assert_eq!(violation(wire), (1007, Some(Rule::TextNotUtf8)));
    assert_eq!(violation(&frame(true, Opcode::Text, b"\xe2\x82")), (1007, Some(Rule::TextCutCharacter)));
    let close = [&1000u16.to_be_bytes()[..], b"\xff"].concat();
    assert_eq!(violation(&frame(true, Opcode::Close, &close)), (1007, Some(Rule::CloseReasonNotUtf8)));
    // A character may be split between two fragments.
    let wire = [frame(false, Opcode::Text, b"\xe2\x82"), frame(true, Opcode::Continuation, b"\xac")].concat();
    assert_eq!(served(&wire, 3).0, [Seen::Message(Opcode::Text, "€".into())]);
}

#[test]
fn a_message_over_the_limit_fails_at_its_head() {
    let mut endpoint = Endpoint::server(Limits::default());
    let (mut out, mut seen) = (Vec::new(), Vec::new());
    let head = [0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4];
    endpoint.receive(&head, &mut out, |event, _| seen.push(Seen::from(event)));
    assert_eq!(seen, [Seen::Violation(1009, None)]);
    assert_eq!(endpoint.reader.message.capacity(), 0, "no memory is reserved");
    let wire = [frame(false, Opcode::Binary, &[0; 600]), frame(true, Opcode::Continuation, &[0; 401])].concat();
    assert_eq!(violation(&wire), (1009, None), "all fragments together");
    let wire = [frame(false, Opcode::Binary, &[0; 600]), frame(true, Opcode::Continuation, &[0; 400])].concat();
    assert_eq!(served(&wire, 7).0, [Seen::Message(Opcode::Binary, vec![0; 1000])]);
}

#[test]
fn without_messages_none_is_kept_and_all_are_judged() {
    let mut endpoint = Endpoint::server(Limits { message: 1 << 20 }).without_messages();
    let (mut seen, mut out) = (Vec::new(), Vec::new());
    let mut feed = |bytes: &[u8]| {
        for piece in bytes.chunks(1000) {
            endpoint.receive(piece, &mut out, |event, _| seen.push(Seen::from(event)));
            assert!(endpoint.reader.message.capacity() <= 4096, "a piece, not the message");
        }
    };
    feed(&frame(false, Opcode::Text, &vec![b'a'; 1 << 19]));
    feed(&frame(false, Opcode::Continuation, "ü".as_bytes().split_at(1).0));
    feed(&frame(true, Opcode::Continuation, &[0xbc]));
    feed(&frame(false, Opcode::Binary, &vec![0xff; 1 << 19]));
    feed(&frame(true, Opcode::Continuation, &vec![0xff; (1 << 19) + 1]));
    assert_eq!(seen, [Seen::Message(Opcode::Text, Vec::new()), Seen::Violation(1009, None)]);
}

fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let opcode = prop_oneof![
        4 => Just(Opcode::Text), 3 => Just(Opcode::Binary), 4 => Just(Opcode::Continuation),
        2 => Just(Opcode::Ping), 1 => Just(Opcode::Pong),
    ];
    (any::<bool>(), opcode, proptest::collection::vec(0x20u8..0x80, 0..140)).prop_map(|(fin, opcode, payload)| {
        let control = opcode.is_control();
        let payload = if control { &payload[..payload.len().min(125)] } else { &payload };
        frame(fin || control, opcode, payload)
    })
}

proptest! {
    #[test]
    fn pieces_of_any_size_give_the_same_events_and_replies(
        frames in proptest::collection::vec(any_frame(), 0..12),
        junk in proptest::collection::vec(any::<u8>(), 0..40), step in 1usize..50,
    ) {
        let wire = [frames.concat(), junk].concat();
        prop_assert_eq!(served(&wire, step), served(&wire, usize::MAX));
    }

    #[test]
    fn one_side_receives_what_the_other_sends(
        text: String, pattern in proptest::collection::vec(any::<u8>(), 1..300), len in 0usize..70_000, ping: [u8; 8],
    ) {
        let binary: Vec<u8> = pattern.into_iter().cycle().take(len).collect();
        let mut client = Endpoint::client(Limits::default(), || KEY);
        let mut server = Endpoint::server(Limits::default());
        let (mut up, mut down) = (Vec::new(), Vec::new());
        let mut sender = client.sender(&mut up);
        sender.text(&text);
        sender.message(Opcode::Binary, &binary);
        sender.ping(&ping);
        sender.close(Some(CloseCode(3000)), "done");
        let mut seen: Vec<Seen> = Vec::new();
        server.receive(&up, &mut down, |event, sender| {
            if let EndpointEvent::Message { opcode, payload } = event {
                sender.message(opcode, payload);
            }
            seen.push(event.into());
        });
        let messages = [
            Seen::Message(Opcode::Text, text.into_bytes()),
            Seen::Message(Opcode::Binary, binary),
        ];
        let expected = [&messages[..], &[Seen::Ping(ping.to_vec()), Seen::Close(Some(3000), "done".to_owned())]].concat();
        prop_assert_eq!(seen, expected);
        let mut back: Vec<Seen> = Vec::new();
        client.receive(&down, &mut up, |event, _| back.push(event.into()));
        let expected = [&messages[..], &[Seen::Pong(ping.to_vec()), Seen::Close(Some(3000), String::new())]].concat();
        prop_assert_eq!(back, expected);
        prop_assert!(client.is_over() && server.is_over());
    }
}

#[test]
fn fragments_are_compressed_and_only_the_first_one_says_so() {
    let no_takeover = DeflateParams {
        server_no_context_takeover: true,
        client_no_context_takeover: true,
        ..DeflateParams::default()
    };
    for params in [DeflateParams::default(), no_takeover] {
        let mut server = Endpoint::server(Limits::default()).with_deflate(params);
        let mut client = Endpoint::client(Limits::default(), || KEY).with_deflate(params);
        let all: [&[&[u8]]; 5] = [
            &[b"Hel", b"lo, ", b"world, Hello"],
            &[b"", b"Hello", b""],
            &[b"Hello"],
            &[b"", b""],
            &[b"Hello, ", b"Hello"],
        ];
        for parts in all {
            let mut out = Vec::new();
            for (i, part) in parts.iter().enumerate() {
                let opcode = if i == 0 { Opcode::Text } else { Opcode::Continuation };
                server.sender(&mut out).frame(i + 1 == parts.len(), opcode, part, true);
            }
            let (mut rest, mut firsts) = (&out[..], Vec::new());
            while let [first, len, after @ ..] = rest {
                firsts.push(*first);
                rest = &after[usize::from(*len)..];
            }
            // FIN is 80, RSV1 40, and text 1.
            let expected: Vec<u8> = (0..parts.len())
                .map(|i| if i == 0 { 0x41 } else { 0 } | if i + 1 == parts.len() { 0x80 } else { 0 })
                .collect();
            assert_eq!(firsts, expected, "{parts:?}");
            // A message in one frame refers to those before, if the window is kept.
            server.sender(&mut out).text("Hello, world");
            let mut seen = Vec::new();
            client.receive(&out, &mut Vec::new(), |event, _| seen.push(Seen::from(event)));
            let text = |bytes: &[u8]| Seen::Message(Opcode::Text, bytes.to_vec());
            assert_eq!(seen, [text(&parts.concat()), text(b"Hello, world")]);
        }
    }
}
