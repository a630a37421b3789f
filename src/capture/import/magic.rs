//! How the files of captures begin, and those of other programs.

/// What a file is whose format is not known.
pub const NOT_A_CAPTURE: &str = "not a capture";

/// What a file that begins like this is, if it is neither pcapng nor pcap.
pub fn not_packets(beginning: &[u8]) -> Option<&'static str> {
    match beginning {
        [0x0a, 0x0d, 0x0d, 0x0a, ..]
        | [0xa1, 0xb2, 0xc3 | 0xcd, 0xd4 | 0x34, ..]
        | [0xa1, 0xb2, 0x3c, 0x4d, ..]
        | [0xd4 | 0x34, 0xc3 | 0xcd, 0xb2, 0xa1, ..]
        | [0x4d, 0x3c, 0xb2, 0xa1, ..] => None,
        [] => Some("empty"),
        [0x1f, 0x8b, ..] => Some("compressed more than once"),
        _ => {
            Some(FOREIGN.iter().find(|(magic, _)| beginning.starts_with(magic)).map_or(NOT_A_CAPTURE, |(_, what)| what))
        }
    }
}

/// Returns true if a file that begins like this is pcap.
pub fn is_pcap(beginning: &[u8]) -> bool {
    not_packets(beginning).is_none() && beginning[0] != 0x0a
}

/// Files that hold captures, and that framescope does not read, by how they begin.
const FOREIGN: [(&[u8], &str); 8] = [
    (b"PK\x03\x04", "a ZIP archive, which must be unpacked first"),
    (b"\x28\xb5\x2f\xfd", "compressed with Zstandard, which zstd -d undoes"),
    (b"\xfd7zXZ\0", "compressed with xz, which xz -d undoes"),
    (b"BZh91AY&SY", "compressed with bzip2, which bzip2 -d undoes"),
    (b"\x04\x22\x4d\x18", "compressed with LZ4, which lz4 -d undoes"),
    (b"snoop\0\0\0", "a capture of snoop, which editcap converts to pcapng"),
    (b"GMBU", "a capture of Network Monitor, which editcap converts to pcapng"),
    (b"RTSS", "a capture of Network Monitor, which editcap converts to pcapng"),
];
