use super::*;
use proptest::prelude::*;

/// Inflates a payload that arrives in pieces of `step` bytes.
fn inflated(inflater: &mut Inflater, payload: &[u8], step: usize) -> Result<Vec<u8>, InvalidDeflate> {
    let mut out = Vec::new();
    for (i, piece) in payload.chunks(step).enumerate() {
        let take = |bytes: &[u8]| {
            out.extend_from_slice(bytes);
            ControlFlow::Continue(())
        };
        inflater.feed(piece, take).map_err(|bad| InvalidDeflate { at: i * step + bad.at })?;
    }
    inflater.finish().map_err(|_| InvalidDeflate { at: payload.len() })?;
    Ok(out)
}

#[test]
fn a_message_that_ends_inside_a_block_fails_but_not_the_next() {
    // RFC 7692 §7.2.3.1: Hello. Without its last byte, the header of the next block is incomplete.
    let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    for cut in 1..hello.len() {
        let mut inflater = Inflater::default();
        inflater.feed(&hello[..cut], |_| ControlFlow::Continue(())).expect("valid so far");
        assert!(inflater.finish().is_err(), "cut at {cut}");
    }
}

/// RFC 7692 §7.2.3: the literal examples.
mod section_7_2_3 {
    use super::*;

    #[test]
    fn one_block_and_the_same_with_the_context_of_the_first() {
        let mut inflater = Inflater::default();
        let first = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
        assert_eq!(inflated(&mut inflater, &first, 99), Ok(b"Hello".to_vec()));
        assert_eq!(inflated(&mut inflater, &[0xf2, 0x00, 0x11, 0x00, 0x00], 1), Ok(b"Hello".to_vec()));
        inflater.reset();
        assert_eq!(inflated(&mut inflater, &first, 1), Ok(b"Hello".to_vec()));
        inflater.reset();
        assert!(
            inflated(&mut inflater, &[0xf2, 0x00, 0x11, 0x00, 0x00], 99).is_err(),
            "it refers to a missing context"
        );
    }

    #[test]
    fn a_block_without_compression() {
        let wire = [0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00];
        assert_eq!(inflated(&mut Inflater::default(), &wire, 3), Ok(b"Hello".to_vec()));
    }

    #[test]
    fn a_last_block_and_a_message_that_refers_back_beyond_it() {
        let mut inflater = Inflater::default();
        let wire = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];
        assert_eq!(inflated(&mut inflater, &wire, 1), Ok(b"Hello".to_vec()));
        assert_eq!(inflated(&mut inflater, &[0xf2, 0x00, 0x11, 0x00, 0x00], 2), Ok(b"Hello".to_vec()));
    }

    #[test]
    fn two_blocks_in_one_message() {
        let wire = [0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00];
        assert_eq!(inflated(&mut Inflater::default(), &wire, 4), Ok(b"Hello".to_vec()));
    }

    #[test]
    fn an_empty_message_is_one_byte() {
        let mut wire = Vec::new();
        Deflater::new(15, true).message(b"", &mut wire);
        assert_eq!(wire, [0x00]);
        assert_eq!(inflated(&mut Inflater::default(), &wire, 1), Ok(Vec::new()));
    }

    #[test]
    fn compressing_yields_the_examples() {
        let mut deflater = Deflater::new(15, true);
        let mut wire = Vec::new();
        deflater.message(b"Hello", &mut wire);
        assert_eq!(wire, [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]);
        wire.clear();
        deflater.message(b"Hello", &mut wire);
        assert_eq!(wire, [0xf2, 0x00, 0x11, 0x00, 0x00]);
    }
}

#[test]
fn an_invalid_byte_is_found_in_pieces_of_any_size() {
    // A reserved block type (RFC 1951 §3.2.3), a stored length with a wrong complement, a reference before the start.
    for (wire, at) in
        [(&[0x06, 0, 0, 0][..], 0), (&[0x00, 1, 0, 0xfe, 0xfe, 7], 4), (&[0xf2, 0x00, 0x11, 0x00, 0x00], 2)]
    {
        for step in 1..5 {
            assert_eq!(
                inflated(&mut Inflater::default(), wire, step),
                Err(InvalidDeflate { at }),
                "{wire:x?} by {step}"
            );
        }
    }
}

#[test]
fn inflating_stops_when_the_sink_breaks() {
    let mut wire = Vec::new();
    Deflater::new(15, true).message(&vec![0; 64 << 20], &mut wire);
    assert!(wire.len() < 70_000);
    let mut seen = 0;
    let mut inflater = Inflater::default();
    let fed = inflater.feed(&wire, |piece| {
        seen += piece.len();
        if seen > 1 << 20 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert!(fed.is_ok() && seen < (1 << 20) + 2 * WINDOW, "{seen}");
}

#[test]
fn a_message_refers_to_the_window_when_the_stream_was_dropped() {
    // RFC 7692 §7.2.3.2: Hello with the context of an earlier one.
    let mut deflater = Deflater::new(15, true);
    let mut wire = Vec::new();
    deflater.compress(b"Hello", &mut wire);
    deflater.extend_window(b"Hello");
    wire.clear();
    deflater.message(b"Hello", &mut wire);
    assert_eq!(wire, [0xf2, 0x00, 0x11, 0x00, 0x00]);
}

#[test]
fn an_inflater_that_failed_keeps_no_memory() {
    let mut inflater = MessageInflater::new(true, 1 << 20);
    inflater.begin();
    inflater.feed(&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00], |_| {}).expect("Hello");
    inflater.finish().expect("Hello");
    assert_eq!(inflater.window(), b"Hello");
    inflater.begin();
    inflater.feed(&[0x06, 0, 0], |_| {}).expect_err("a reserved block type");
    assert!(inflater.inflater.stream.is_none() && inflater.inflater.buffer.is_empty());
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..300),
        proptest::collection::vec(prop_oneof![Just(b'a'), Just(b'b')], 0..3000),
        (any::<u8>(), 0usize..200_000).prop_map(|(byte, len)| vec![byte; len]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..Default::default() })]

    #[test]
    fn compressed_messages_inflate_in_pieces_of_any_size(
        messages in proptest::collection::vec(text(), 1..8), bits in 9u8..=15, takeover: bool, step in 1usize..5000,
    ) {
        let mut deflater = Deflater::new(bits, takeover);
        let mut inflater = Inflater::default();
        for message in &messages {
            let mut wire = Vec::new();
            deflater.message(message, &mut wire);
            prop_assert_eq!(&inflated(&mut inflater, &wire, step).expect("our own output"), message);
            if takeover {
                inflater = Inflater::resumed(inflater.window());
            } else {
                inflater.reset();
            }
        }
    }

    #[test]
    fn messages_do_not_need_the_streams_of_earlier_ones(
        messages in proptest::collection::vec((text(), any::<[bool; 2]>()), 1..12), bits in 9u8..=15,
    ) {
        let mut deflater = Deflater::new(bits, true);
        let mut inflater = Inflater::default();
        for (message, [drops_deflater, drops_inflater]) in &messages {
            let mut wire = Vec::new();
            if *drops_deflater && !message.is_empty() {
                deflater.compress(message, &mut wire);
                deflater.extend_window(message);
            } else {
                deflater.message(message, &mut wire);
            }
            prop_assert_eq!(&inflated(&mut inflater, &wire, usize::MAX).expect("our own output"), message);
            if *drops_inflater {
                inflater.park();
                prop_assert!(inflater.stream.is_none() && inflater.buffer.len() <= WINDOW);
            }
        }
    }

    #[test]
    fn any_bytes_have_the_same_outcome_in_pieces_of_any_size(
        mut wire in proptest::collection::vec(any::<u8>(), 0..400), good: bool, at in 0usize..400, step in 1usize..50,
    ) {
        if good {
            // Valid except for one byte.
            let message = wire.repeat(4);
            let byte = wire.first().copied().unwrap_or(0);
            wire.clear();
            Deflater::new(15, true).message(&message, &mut wire);
            if let Some(place) = wire.get_mut(at) {
                *place = byte;
            }
        }
        let whole = inflated(&mut Inflater::default(), &wire, usize::MAX);
        prop_assert_eq!(inflated(&mut Inflater::default(), &wire, step), whole);
    }
}
