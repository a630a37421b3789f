use super::*;
use crate::pasted::Content;

const HELLO: &[u8] = b"\x81\x05Hello";

fn bytes(text: &str) -> Vec<u8> {
    match read(text) {
        Some(Ok(pasted)) => pasted.content.bytes(),
        other => panic!("{other:?}\n{text}"),
    }
}

fn error(text: &str) -> PasteError {
    read(text).expect("a dump").expect_err(text)
}

#[test]
fn what_the_tools_print_of_one_frame() {
    for text in [
        "00000000: 8105 4865 6c6c 6f                        ..Hello",
        "00000000: 81 05 48 65 6c 6c 6f                             ..Hello",
        "00000000: 65480581   6f6c6c                    ..Hello",
        "00000000: 810548656c6c6f  ..Hello",
        "00000000: 10000001 00000101 01001000 01100101 01101100 01101100  ..Hell\n\
         00000006: 01101111                                               o",
        "00000000: 8105 48  ..H\n00000003: 656c 6c  ell\n00000006: 6f       o",
        "00000000  81 05 48 65 6c 6c 6f                              |..Hello|\n00000007",
        "0000000 0581 6548 6c6c 006f                    \n0000007",
        "0000000 81 05 48 65 6c 6c 6f\n0000007",
        "000000 81 05 48 65 6c 6c 6f                             >..Hello<\n000007",
        "0000000    81  05  48  65  6c  6c  6f\n0000007",
        "0000000 65480581 006f6c6c\n0000007",
        "0000   81 05 48 65 6c 6c 6f                              ..Hello",
        "0000  81 05 48 65 6c 6c 6f   ..Hello",
        "\t0x0000:  8105 4865 6c6c 6f                        ..Hello",
        // A debugger prints addresses.
        "0x7ffe0000a010:\t0x81\t0x05\t0x48\t0x65\n0x7ffe0000a014:\t0x6c\t0x6c\t0x6f",
        "0x7ffe0a010 <frame>:\t0x81\t0x05\t0x48\t0x65\n0x7ffe0a014 <frame+4>:\t0x6c\t0x6c\t0x6f",
        // PowerShell's Format-Hex.
        "           00 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F\r\n\r\n\
         00000000   81 05 48 65 6C 6C 6F                             .Hello\r\n",
        // PowerShell 7.
        "   Label: C:\\a.bin\r\n\r\n          Offset Bytes                                           Ascii\r\n\
         \x20                00 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F\r\n\
         \x20         ------ ----------------------------------------------- -----\r\n\
         0000000000000000 81 05 48 65 6C 6C 6F                            \u{fffd}\u{fffd}Hello\r\n",
        // WinDbg.
        "00000000`0012ff60  81 05 48 65-6c 6c 6f                             ..Hello",
        "0012ff60  81 05 48 65 6c 6c 6f                             ..Hello",
        // OpenSSL, Visual Studio, radare2, lldb, curl.
        "0000 - 81 05 48 65 6c 6c 6f                              ..Hello",
        "0x00B3F9A4  81 05 48 65 6c 6c 6f  ..Hello",
        "0x00000000  8105 4865 6c6c 6f                        ..Hello",
        "0x16fdff2a0: 81 05 48 65 6c 6c 6f                             ..Hello",
        "7fff5fbff8a0: 81 05 48 65 6c 6c 6f                             ..Hello",
        "<= Recv data, 7 bytes (0x7)\n0000: 81 05 48 65 6c 6c 6f                            ..Hello",
        // Tables of Netty and hexyl.
        "         +-------------------------------------------------+\n\
         \x20        |  0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f |\n\
         +--------+-------------------------------------------------+----------------+\n\
         |00000000| 81 05 48 65 6c 6c 6f                            |..Hello         |\n\
         +--------+-------------------------------------------------+----------------+",
        "┌────────┬─────────────────────────┬─────────────────────────┬────────┬────────┐\n\
         │00000000│ 81 05 48 65 6c 6c 6f    ┊                         │×•Hello ┊        │\n\
         └────────┴─────────────────────────┴─────────────────────────┴────────┴────────┘",
        "[2026/11/26 12:00:01:1234] N: \n[2026/11/26 12:00:01:1234] N: 0000: 81 05 48 65 6C 6C 6F                            ..Hello         ",
        "> 00000000: 8105 4865 6c6c 6f                        ..Hello\n> 00000007:",
        // As the screen shows bytes.
        "  0000  81 05 48 65  6c 6c 6f     ··Hello",
        // Without its white space.
        "00000000: 8105 4865 6c6c 6f ..Hello",
        "my frame:\n\n00000000: 8105 4865 6c6c 6f                        ..Hello\r\n",
    ] {
        assert_eq!(bytes(text), HELLO, "{text}");
    }
}

#[test]
fn a_text_column_that_looks_like_hex_is_text() {
    for (text, hex) in [
        ("00000000: 8204 6263 6465                           ..bcde", "820462636465"),
        ("00000000: 6263 6465  bcde\n00000004: 6666       ff", "626364656666"),
        ("0000  62 63 64 65 66 61 62 63   bcdefabc", "6263646566616263"),
        ("00000000  62 63 64 65                                       |bcde|", "62636465"),
        (
            "0000  41 42 43 44 45 46 20 41  42 43 44 45 46 20 41 42   ABCDEF A BCDEF AB",
            "41424344454620414243444546204142",
        ),
        ("0000   61 20 62 62 20 63 63   a bb cc", "61206262206363"),
        (
            "0000000000000000 81 14 61 62 20 63 64 20 61 62 20 63 64 20 61 62 \u{fffd}\u{fffd}ab cd ab cd ab\n\
             0000000000000010 61 62 20 63 64 62                               ab cdb",
            "81146162206364206162206364206162616220636462",
        ),
    ] {
        assert_eq!(bytes(text), ::hex::decode(hex).expect("hex"), "{text}");
    }
}

#[test]
fn an_asterisk_repeats_the_row_before_it() {
    let text = "00000000  61 61 61 61 61 61 61 61  61 61 61 61 61 61 61 61  |aaaaaaaaaaaaaaaa|\n*\n\
                00000030  62                                                |b|\n00000031\n";
    assert_eq!(bytes(text), [vec![b'a'; 48], vec![b'b']].concat());
    let bomb = text.replace("00000030", "fffffff0");
    assert_eq!(error(&bomb), PasteError::TooLong { most: MAX_BYTES });
}

#[test]
fn the_offsets_of_od_are_octal() {
    let row = |offset: &str, byte: &str| format!("{offset} {}\n", [byte; 16].join(" "));
    let text = [row("0000000", "61"), row("0000020", "62"), "0000040 63\n0000041\n".to_owned()].concat();
    assert_eq!(bytes(&text), [[b'a'; 16], [b'b'; 16]].concat().into_iter().chain([b'c']).collect::<Vec<_>>());
    assert_eq!(bytes(&text.replace("20 ", "10 ").replace("40 ", "20 ").replace("41\n", "21\n")).len(), 33, "hex");
    assert_eq!(bytes(&text.replace("20 ", "16 ").replace("40 ", "32 ").replace("41\n", "33\n")).len(), 33, "decimal");
}

#[test]
fn a_dump_that_can_be_read_in_two_ways_is_refused() {
    // The order of the bytes is unknown.
    assert!(matches!(error("00000000  8105 4865\n00000004"), PasteError::Dump { line: 1, .. }));
    // The last word may be half filled.
    assert!(matches!(error("0000000 0581 6548 6c6c 006f"), PasteError::Dump { line: 1, .. }));
    // The words are frames in the other order.
    assert!(matches!(error("0000000 8105 4865 6c6c 6f00\n0000007"), PasteError::Dump { line: 1, .. }));
    // gdb's x/7ub and x/4xh, and od -tu1.
    assert!(matches!(error("0x7ffe0000a010:\t10\t20\t30\t40"), PasteError::Dump { line: 1, .. }));
    assert!(matches!(error("0x7ffe0000a010:\t0x0581\t0x6548\t0x6c6c\t0x006f"), PasteError::Dump { line: 1, .. }));
    assert!(matches!(error("0000000  10  20  30\n0000003"), PasteError::Dump { line: 1, .. }));
    // Octal words, and characters.
    assert!(matches!(error("0000000 002601 062510 066154 000157\n0000007"), PasteError::Dump { line: 1, .. }));
    assert!(matches!(error("0000000 201 005   H   e   l   l   o\n0000007"), PasteError::Dump { line: 1, .. }));
    // xxd's text column, or a third byte.
    assert!(matches!(error("00000000: 6162 ab"), PasteError::Dump { line: 1, .. }));
    // The line breaks are lost.
    let joined = "00000000: 6162 6162 6162 6162 6162 6162 6162 6162  abababababababab 00000010: 6162  ab";
    assert!(matches!(error(joined), PasteError::Dump { line: 1, .. }));
}

#[test]
fn damage_is_named_with_its_place() {
    let place = |line, character| crate::pasted::Place { line, character };
    let row = "00000000: 8105 4865 6c6c 6f20 6162 6364 6566 6768  ..Hello abcdefgh\n";
    let damaged = |text: String| error(&text);
    assert_eq!(
        damaged(row.replace("6c6c 6f20", "6c6c 6g20") + "00000010: 61  a"),
        PasteError::InDump { place: place(1, 26), found: "6g20".to_owned() }
    );
    assert_eq!(
        damaged(row.replace("6c6c 6f20 ", "6c6c ") + "00000010: 61  a"),
        PasteError::RowLength { line: 1, found: 14, expected: 16 }
    );
    assert_eq!(damaged(format!("{row}6162 6364\n")), PasteError::NoOffset { line: 2 });
    assert_eq!(
        damaged("00000000: 810 5  ..".to_owned()),
        PasteError::InDump { place: place(1, 11), found: "810".to_owned() }
    );
}

#[test]
fn hex_digits_are_no_dump() {
    for text in [
        "81 05 48",
        "8105 4865\n6c6c 6f",
        "0000 81 05",
        "00000000 8105",
        "8105:4865:6c6c",
        "00 00 81",
        "0100 0000",
        "00000000",
        "dead: beef",
        "1234567 99 88",
        "818100000000 62",
        "0000000000000000\n0000000000000000",
        "0x81054865 0x6c6c6f",
        "8105 48 65 6c 6c 6f",
        "0000 - 1",
        "hello",
        "Node 0: 127.0.0.1:80",
    ] {
        assert!(read(text).is_none(), "{text}");
    }
}

#[test]
fn rows_with_an_indent_are_of_the_other_side() {
    let text = "00000000  89 00                                             ..\n\
                \t00000000  8a 80 01 02 03 04                                 ......\n\
                00000002  81 01 61                                          ..a\n";
    let Some(Ok(Pasted { content: Content::Conversation(found), .. })) = read(text) else { panic!("a conversation") };
    let found: Vec<_> = found.pieces.iter().map(|piece| (piece.direction.name(), piece.bytes.len())).collect();
    assert_eq!(found, [("s2c", 2), ("c2s", 6), ("s2c", 3)]);
}

#[test]
fn headings_name_the_directions_of_the_rows_below() {
    let directions = |text: &str| match read(text) {
        Some(Ok(Pasted { content: Content::Conversation(found), .. })) => {
            found.pieces.iter().map(|piece| (piece.direction.name(), piece.bytes.len())).collect::<Vec<_>>()
        }
        other => panic!("{other:?}"),
    };
    let curl = "== Info: connected\n=> Send data, 6 bytes (0x6)\n0000: 89 80 01 02 03 04                               ......\n\
                <= Recv data, 3 bytes (0x3)\n0000: 81 01 61                                        ..a\n";
    assert_eq!(directions(curl), [("c2s", 6), ("s2c", 3)]);
    assert_eq!(directions(&curl.replace("=> Send", "RX").replace("<= Recv", "TX")), [("c2s", 6), ("s2c", 3)]);
    let absolute = "client -> server\n0000  89 00  ..\nserver -> client\n0000  8a 00  ..\n";
    assert_eq!(directions(absolute), [("c2s", 2), ("s2c", 2)]);
    assert_eq!(bytes(&absolute.replace("client ", "alice ").replace("client", "alice")), [0x89, 0, 0x8a, 0]);
}

/// An IPv4 packet with TCP from port `source` to `destination`.
fn packet(source: u16, destination: u16, seq: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    etherparse::PacketBuilder::ipv4([127, 0, 0, 1], [127, 0, 0, 1], 64)
        .tcp(source, destination, seq, 512)
        .write(&mut bytes, payload)
        .expect("a packet");
    bytes
}

/// As `tcpdump -X` prints packets.
fn tcpdump(packets: &[Vec<u8>]) -> String {
    let mut text = String::new();
    for packet in packets {
        text.push_str("12:00:00.000000 IP 127.0.0.1.80 > 127.0.0.1.50000: Flags [P.], seq 1:8, ack 1, length 7\n");
        for (row, bytes) in packet.chunks(16).enumerate() {
            let hex: Vec<String> = bytes.chunks(2).map(::hex::encode).collect();
            let shown: String = bytes.iter().map(|b| if b.is_ascii_graphic() { char::from(*b) } else { '.' }).collect();
            text.push_str(&format!("\t0x{:04x}:  {:<39}  {shown}\n", row * 16, hex.join(" ")));
        }
    }
    text
}

#[test]
fn of_packets_the_tcp_payload_is_read() {
    let first = packet(80, 50000, 1, HELLO);
    let found = read(&tcpdump(std::slice::from_ref(&first))).expect("a dump").expect("packets");
    assert_eq!(found.form, Form::Packets);
    assert_eq!(
        (found.content, found.remark),
        (Content::Bytes(HELLO.to_vec()), Some(Remark::TcpPayload { packets: 1, ignored: 0, missing: 0 }))
    );
    // Sent again, answered, and bytes are missing.
    let pong = [0x8a, 0x80, 1, 2, 3, 4];
    let mut udp = Vec::new();
    etherparse::PacketBuilder::ipv4([127, 0, 0, 1], [127, 0, 0, 1], 64)
        .udp(1, 2)
        .write(&mut udp, b"udp")
        .expect("a packet");
    let all = [first.clone(), first, udp, packet(50000, 80, 5, &pong), packet(80, 50000, 10, &[0x89, 0])];
    let found = read(&tcpdump(&all)).expect("a dump").expect("packets");
    let Content::Conversation(conversation) = found.content else { panic!("a conversation") };
    let pieces: Vec<_> =
        conversation.pieces.iter().map(|piece| (piece.direction.name(), piece.bytes.as_slice())).collect();
    assert_eq!(pieces, [("s2c", HELLO), ("c2s", &pong), ("s2c", &[0x89, 0])]);
    assert_eq!(found.remark, Some(Remark::TcpPayload { packets: 4, ignored: 1, missing: 2 }));
}

#[test]
fn packets_without_a_payload_or_of_two_connections_are_refused() {
    let mut udp = Vec::new();
    etherparse::PacketBuilder::ipv4([127, 0, 0, 1], [127, 0, 0, 1], 64)
        .udp(1, 2)
        .write(&mut udp, b"udp")
        .expect("a packet");
    for packets in
        [vec![udp], vec![packet(80, 50000, 1, b"")], vec![packet(80, 50000, 1, b"a"), packet(80, 50001, 1, b"b")]]
    {
        assert!(matches!(error(&tcpdump(&packets)), PasteError::Packets(_)));
    }
}
