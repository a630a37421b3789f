//! Writes bytes in every form that people paste, as the tools print them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// Writes bytes in a form.
pub type Writer = fn(&[u8]) -> String;

/// The name of each form and its writer.
pub const FORMS: &[(&str, Writer)] = &[
    ("digits", |bytes| hex::encode(bytes)),
    ("upper-case", |bytes| hex::encode_upper(bytes)),
    ("spaces", |bytes| joined(bytes, " ", |b| format!("{b:02x}"))),
    ("groups-of-four", |bytes| bytes.chunks(4).map(hex::encode).collect::<Vec<_>>().join(" ")),
    ("no-break-spaces", |bytes| joined(bytes, "\u{a0}", |b| format!("{b:02x}"))),
    ("comments", |bytes| {
        bytes.chunks(8).map(|row| format!("{} // the bytes {0}\n", joined(row, " ", |b| format!("{b:02x}")))).collect()
    }),
    ("colons", |bytes| joined(bytes, ":", |b| format!("{b:02x}"))),
    ("minuses", |bytes| joined(bytes, "-", |b| format!("{b:02X}"))),
    ("0x", |bytes| joined(bytes, ", ", |b| format!("0x{b:02x}"))),
    ("0x-without-spaces", |bytes| joined(bytes, ",", |b| format!("0x{b:02x}"))),
    ("backslash-x", |bytes| joined(bytes, "", |b| format!("\\x{b:02x}"))),
    ("xxd-p", |bytes| bytes.chunks(30).map(|row| hex::encode(row) + "\n").collect()),
    ("od-a-n", |bytes| {
        bytes.chunks(16).map(|row| format!(" {}\n", joined(row, " ", |b| format!("{b:02x}")))).collect()
    }),
    ("c", |bytes| format!("{{{}}}", joined(bytes, ", ", |b| format!("0x{b:02x}")))),
    ("c-declaration", |bytes| format!("unsigned char p[] = {{ {} }};", joined(bytes, ",", |b| b.to_string()))),
    ("xxd-i", |bytes| {
        let rows: Vec<String> = bytes.chunks(12).map(|row| joined(row, ", ", |b| format!("0x{b:02x}"))).collect();
        format!(
            "unsigned char f_bin[] = {{\n  {}\n}};\nunsigned int f_bin_len = {};\n",
            rows.join(",\n  "),
            bytes.len()
        )
    }),
    ("wireshark-c-array", |bytes| {
        let rows: Vec<String> = bytes
            .chunks(8)
            .map(|row| format!("{} /* {} */", joined(row, ", ", |b| format!("0x{b:02x}")), characters(row, ' ')))
            .collect();
        format!(
            "/* Frame ({} bytes) */\nstatic const unsigned char pkt1[{0}] = {{\n{}\n}};\n",
            bytes.len(),
            rows.join(",\n")
        )
    }),
    ("c-string", |bytes| format!("const char *p = \"{}\";", octal(bytes))),
    ("wireshark-string", |bytes| {
        let rows: Vec<String> =
            bytes.chunks(15).map(|row| format!("\"{}\"", joined(row, "", |b| format!("\\x{b:02x}")))).collect();
        rows.join(" \\\n")
    }),
    ("rust", |bytes| format!("&[{}]", joined(bytes, ", ", |b| format!("0x{b:02x}u8")))),
    ("go", |bytes| format!("[]byte{{{}}}", joined(bytes, ", ", |b| format!("0x{b:02x}")))),
    ("go-v", |bytes| format!("[{}]", joined(bytes, " ", |b| b.to_string()))),
    ("go-string", |bytes| format!("[]byte(\"{}\")", escaped(bytes, '"'))),
    ("java", |bytes| format!("byte[] p = {{{}}};", joined(bytes, ", ", |b| b.cast_signed().to_string()))),
    ("java-casts", |bytes| format!("new byte[] {{{}}}", joined(bytes, ", ", |b| format!("(byte) 0x{b:02X}")))),
    ("json", |bytes| format!("[{}]", joined(bytes, ",", |b| b.to_string()))),
    ("buffer", |bytes| format!("<Buffer {}>", joined(bytes, " ", |b| format!("{b:02x}")))),
    ("uint8array", |bytes| {
        let rows: Vec<String> = bytes.chunks(6).map(|row| joined(row, ", ", |b| format!("{b:3}"))).collect();
        format!("Uint8Array({}) [\n  {}\n]", bytes.len(), rows.join(",\n  "))
    }),
    ("python", |bytes| format!("b'{}'", escaped(bytes, '\''))),
    ("python-bytes", |bytes| format!("bytes([{}])", joined(bytes, ", ", |b| b.to_string()))),
    ("python-fromhex", |bytes| format!("bytes.fromhex('{}')", hex::encode(bytes))),
    ("xxd", |bytes| xxd(bytes, 16, 2)),
    ("xxd-g1", |bytes| xxd(bytes, 16, 1)),
    ("xxd-c-7-g-4", |bytes| xxd(bytes, 7, 4)),
    ("xxd-c-8-g-1", |bytes| xxd(bytes, 8, 1)),
    ("hexdump-c", |bytes| hexdump(bytes)),
    ("hexdump", |bytes| words(bytes, |at| format!("{at:07x}"))),
    ("od-x", |bytes| words(bytes, |at| format!("{at:07o}"))),
    ("od-tx1", |bytes| od(bytes, |at| format!("{at:07o}"))),
    ("od-a-x-tx1", |bytes| od(bytes, |at| format!("{at:06x}"))),
    ("wireshark", |bytes| wireshark(bytes)),
    ("text-column", |bytes| {
        bytes.chunks(16).map(|row| format!("{:<47}  {}\n", spaced(row), characters(row, ' '))).collect()
    }),
    ("windbg", |bytes| {
        let row = |(number, row): (usize, &[u8])| {
            format!("00000000`{:08x}  {:<47}  {}\n", 0x12ff60 + number * 16, halves(row), characters(row, '.'))
        };
        bytes.chunks(16).enumerate().map(row).collect()
    }),
    ("powershell-7", |bytes| {
        let row = |(number, row): (usize, &[u8])| {
            let hex = joined(row, " ", |b| format!("{b:02X}"));
            format!("{:016X} {hex:<47} {}\n", number * 16, signs(row, '\u{fffd}'))
        };
        let head = "          Offset Bytes                                           Ascii\n";
        head.to_owned() + &bytes.chunks(16).enumerate().map(row).collect::<String>()
    }),
    ("openssl", |bytes| {
        let row = |(number, row): (usize, &[u8])| {
            format!("{:04x} - {:<47}   {}\n", number * 16, halves(row), characters(row, ' '))
        };
        bytes.chunks(16).enumerate().map(row).collect()
    }),
    ("netty", |bytes| {
        let row = |(number, row): (usize, &[u8])| {
            format!("|{:08x}| {:<47} |{:<16}|\n", number * 16, spaced(row), characters(row, ' '))
        };
        bytes.chunks(16).enumerate().map(row).collect()
    }),
    ("hexyl", |bytes| {
        let row = |(number, row): (usize, &[u8])| {
            let (first, second) = row.split_at(row.len().min(8));
            let shown = |bytes| signs(bytes, '×');
            let (hex, text) = ([spaced(first), spaced(second)], [shown(first), shown(second)]);
            format!("│{:08x}│ {:<23} ┊ {:<23} │{:<8}┊{:<8}│\n", number * 16, hex[0], hex[1], text[0], text[1])
        };
        bytes.chunks(16).enumerate().map(row).collect()
    }),
    ("curl-trace", |bytes| {
        let row = |(number, row): (usize, &[u8])| {
            format!("{:04x}: {:<47} {}\n", number * 16, spaced(row), characters(row, ' '))
        };
        format!("<= Recv data, {} bytes\n", bytes.len()) + &bytes.chunks(16).enumerate().map(row).collect::<String>()
    }),
    ("gdb", |bytes| {
        let row = |(number, row): (usize, &[u8])| {
            let address = 0x7ffe_0000_a010usize + number * 8;
            format!("0x{address:x} <frame+{number}>:\t{}\n", joined(row, "\t", |b| format!("0x{b:02x}")))
        };
        bytes.chunks(8).enumerate().map(row).collect()
    }),
    ("lldb", |bytes| {
        let row = |(number, row): (usize, &[u8])| {
            format!("0x{:x}: {:<47}  {}\n", 0x1_6fdf_f2a0usize + number * 16, spaced(row), characters(row, ' '))
        };
        bytes.chunks(16).enumerate().map(row).collect()
    }),
    ("log-line", |bytes| format!("[12:00:01.250] DEBUG ws: recv {}\n", spaced(bytes))),
    ("log-hex", |bytes| format!("2026-11-26 12:00:01,250 frame={}\n", hex::encode(bytes))),
    ("log-lines", |bytes| bytes.chunks(16).map(|row| format!("12:00:01 < {}\n", spaced(row))).collect()),
    ("log-python", |bytes| format!("DEBUG:websockets:< b'{}'", escaped(bytes, '\''))),
    ("log-json", |bytes| format!("{{\"time\":1700000000,\"data\":\"{}\"}}", hex::encode(bytes))),
    ("log-buffer", |bytes| format!("recv <Buffer {}>", spaced(bytes))),
    ("strace", |bytes| {
        format!("read(3, \"{}\", 4096) = {}", joined(bytes, "", |b| format!("\\x{b:02x}")), bytes.len())
    }),
    ("percent", |bytes| {
        joined(bytes, "", |b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
    }),
    ("data-url", |bytes| format!("data:application/octet-stream;base64,{}", STANDARD.encode(bytes))),
    ("python-hexlify", |bytes| format!("b'{}'", hex::encode(bytes))),
    ("python-struct", |bytes| format!("struct.pack('{}B', {})", bytes.len(), joined(bytes, ", ", |b| b.to_string()))),
    ("ruby-pack", |bytes| format!("['{}'].pack('H*')", hex::encode(bytes))),
    ("perl", |bytes| format!("\"{}\"", joined(bytes, "", |b| format!("\\x{{{b:x}}}")))),
    ("php", |bytes| format!("$f = hex2bin('{}');", hex::encode(bytes))),
    ("csharp", |bytes| format!("var f = new byte[] {{ {} }};", joined(bytes, ", ", |b| format!("0x{b:02X}")))),
    ("csharp-hex", |bytes| format!("Convert.FromHexString(\"{}\")", hex::encode_upper(bytes))),
    ("kotlin", |bytes| format!("byteArrayOf({})", joined(bytes, ", ", |b| format!("0x{b:02x}.toByte()")))),
    ("swift", |bytes| format!("[UInt8]([{}])", joined(bytes, ", ", |b| format!("0x{b:02x}")))),
    ("erlang", |bytes| format!("<<{}>>", joined(bytes, ",", |b| b.to_string()))),
    ("elixir", |bytes| format!("<<0x{:02X}, \"{}\">>", bytes[0], escaped(&bytes[1..], '"'))),
    ("sql", |bytes| format!("X'{}'", hex::encode(bytes))),
    ("mysql", |bytes| format!("0x{}", hex::encode(bytes))),
    ("postgresql", |bytes| format!("\\x{}", hex::encode(bytes))),
    ("postgresql-cast", |bytes| format!("'\\x{}'::bytea", hex::encode(bytes))),
    ("json-buffer", |bytes| format!("{{\"type\":\"Buffer\",\"data\":[{}]}}", joined(bytes, ",", |b| b.to_string()))),
    ("tcpdump-x", |bytes| tcpdump(&packet(bytes))),
    ("tcpdump-xx", |bytes| {
        let ethernet = [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0][..], &packet(bytes)].concat();
        tcpdump(&ethernet)
    }),
    ("packet-in-wireshark", |bytes| wireshark(&packet(bytes))),
];

/// Base64, which is ambiguous if all its characters are hex digits.
pub const BASE64: &[(&str, Writer)] = &[
    ("base64", |bytes| STANDARD.encode(bytes)),
    ("base64-in-lines", |bytes| {
        let text = STANDARD.encode(bytes);
        text.as_bytes().chunks(76).map(|line| String::from_utf8_lossy(line) + "\n").collect()
    }),
    ("base64url", |bytes| URL_SAFE.encode(bytes)),
];

fn joined(bytes: &[u8], separator: &str, write: fn(u8) -> String) -> String {
    bytes.iter().map(|byte| write(*byte)).collect::<Vec<_>>().join(separator)
}

fn spaced(bytes: &[u8]) -> String {
    joined(bytes, " ", |b| format!("{b:02x}"))
}

/// A row with a minus after the eighth byte.
fn halves(row: &[u8]) -> String {
    let (first, second) = row.split_at(row.len().min(8));
    let middle = if second.is_empty() { "" } else { "-" };
    format!("{}{middle}{}", spaced(first), spaced(second))
}

/// The text column of a dump.
fn characters(bytes: &[u8], space: char) -> String {
    let show = |byte: &u8| match byte {
        b' ' => space,
        0x21..=0x7e => char::from(*byte),
        _ => '.',
    };
    bytes.iter().map(show).collect()
}

/// A text column with another sign for bytes that are not printable.
fn signs(bytes: &[u8], other: char) -> String {
    let show = |byte: &u8| if matches!(byte, 0x20..=0x7e) { char::from(*byte) } else { other };
    bytes.iter().map(show).collect()
}

/// As Python's `repr` writes bytes.
fn escaped(bytes: &[u8], quote: char) -> String {
    let write = |byte: &u8| match byte {
        b'\n' => "\\n".to_owned(),
        b'\r' => "\\r".to_owned(),
        b'\t' => "\\t".to_owned(),
        b'\\' => "\\\\".to_owned(),
        byte if char::from(*byte) == quote => format!("\\{quote}"),
        0x20..=0x7e => char::from(*byte).to_string(),
        byte => format!("\\x{byte:02x}"),
    };
    bytes.iter().map(write).collect()
}

fn octal(bytes: &[u8]) -> String {
    joined(bytes, "", |byte| format!("\\{byte:03o}"))
}

/// Rows of `columns` bytes in groups of `group`.
fn xxd(bytes: &[u8], columns: usize, group: usize) -> String {
    let width = columns * 2 + columns.div_ceil(group);
    let row = |(number, row): (usize, &[u8])| {
        let hex: String = row.chunks(group).map(|group| hex::encode(group) + " ").collect();
        format!("{:08x}: {hex:<width$} {}\n", number * columns, characters(row, ' '))
    };
    bytes.chunks(columns).enumerate().map(row).collect()
}

/// An asterisk replaces equal rows.
fn hexdump(bytes: &[u8]) -> String {
    let mut out = String::new();
    let (mut before, mut starred): (&[u8], bool) = (&[], false);
    for (number, row) in bytes.chunks(16).enumerate() {
        if row == before {
            if !starred {
                out.push_str("*\n");
            }
            starred = true;
            continue;
        }
        (before, starred) = (row, false);
        let half = |bytes: &[u8]| joined(bytes, " ", |b| format!("{b:02x}"));
        let (first, second) = row.split_at(row.len().min(8));
        let hex = if second.is_empty() { half(first) } else { format!("{}  {}", half(first), half(second)) };
        out.push_str(&format!("{:08x}  {hex:<48}  |{}|\n", number * 16, characters(row, ' ')));
    }
    out + &format!("{:08x}\n", bytes.len())
}

/// Little-endian words of two bytes.
fn words(bytes: &[u8], offset: fn(usize) -> String) -> String {
    let word = |pair: &[u8]| format!(" {:02x}{:02x}", pair.get(1).unwrap_or(&0), pair[0]);
    let row = |(number, row): (usize, &[u8])| {
        format!("{}{}\n", offset(number * 16), row.chunks(2).map(word).collect::<String>())
    };
    bytes.chunks(16).enumerate().map(row).collect::<String>() + &offset(bytes.len()) + "\n"
}

fn od(bytes: &[u8], offset: fn(usize) -> String) -> String {
    let row = |(number, row): (usize, &[u8])| {
        format!("{} {}\n", offset(number * 16), joined(row, " ", |b| format!("{b:02x}")))
    };
    bytes.chunks(16).enumerate().map(row).collect::<String>() + &offset(bytes.len()) + "\n"
}

fn wireshark(bytes: &[u8]) -> String {
    let row = |(number, row): (usize, &[u8])| {
        let hex = joined(row, " ", |b| format!("{b:02x}"));
        format!("{:04x}  {hex:<47}   {}\n", number * 16, characters(row, ' '))
    };
    bytes.chunks(16).enumerate().map(row).collect()
}

/// As `tcpdump -X` prints a packet.
pub fn tcpdump(packet: &[u8]) -> String {
    let row = |(number, row): (usize, &[u8])| {
        let hex = row.chunks(2).map(hex::encode).collect::<Vec<_>>().join(" ");
        format!("\t0x{:04x}:  {hex:<39}  {}\n", number * 16, characters(row, '.'))
    };
    let head = "12:00:00.000000 IP 127.0.0.1.80 > 127.0.0.1.50000: Flags [P.], seq 1:8, ack 1, win 512, length 7\n";
    head.to_owned() + &packet.chunks(16).enumerate().map(row).collect::<String>()
}

/// An IPv4 packet with TCP.
fn packet(payload: &[u8]) -> Vec<u8> {
    let mut packet = Vec::new();
    let builder = etherparse::PacketBuilder::ipv4([127, 0, 0, 1], [127, 0, 0, 1], 64).tcp(80, 50000, 1, 512);
    builder.write(&mut packet, payload).expect("a packet");
    packet
}
