//! Writes pcapng: blocks, and TCP segments that are synthesized around captured bytes.
//!
//! The format is draft-ietf-opsawg-pcapng. Packets are raw IP (LINKTYPE_RAW, 101) with timestamps in nanoseconds.

mod gaps;

use std::net::{IpAddr, SocketAddr};

use super::file_markers::Marker;
use super::sequence::SeqNumber;
use crate::proto::dissected::Direction;
use crate::proto::stated::StatedRecord;
use crate::proto::time::Time;
use crate::wire::tls::Protection;

/// The most payload in one packet, in bytes. A larger record continues in further packets.
pub const MAX_SEGMENT: usize = 65_495;

/// The most bytes by which sequence numbers advance over a gap.
pub(in crate::capture) const MAX_JUMP: u64 = 1 << 30;

/// The longest stream of one direction that a file can claim to have, in bytes.
pub(in crate::capture) const MAX_STREAM: u64 = 1 << 62;

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const PSH: u8 = 0x08;
const ACK: u8 = 0x10;

/// Block types (draft-ietf-opsawg-pcapng §4).
pub(in crate::capture) const SECTION_HEADER: u32 = 0x0a0d_0d0a;
pub(in crate::capture) const INTERFACE: u32 = 1;
pub(in crate::capture) const ENHANCED_PACKET: u32 = 6;

/// Option codes (draft-ietf-opsawg-pcapng §3.5, §4).
pub(in crate::capture) const OPT_END: u16 = 0;
pub(in crate::capture) const OPT_COMMENT: u16 = 1;
const OPT_USERAPPL: u16 = 4;
const OPT_IF_NAME: u16 = 2;
const LINKTYPE_ETHERNET: u16 = 1;
const LINKTYPE_RAW: u16 = 101;
/// The length of an Ethernet header with a VLAN tag.
const VLAN_HEADER: usize = 18;
pub(in crate::capture) const OPT_IF_TSRESOL: u16 = 9;

/// Appends the beginning of a file: the section header and the first interface. `reconstructed` says what the bytes were made from,
/// if they were never on a wire.
pub fn file_head(out: &mut Vec<u8>, reconstructed: Option<&str>) {
    let application = concat!("framescope ", env!("CARGO_PKG_VERSION"));
    block(out, SECTION_HEADER, |out| {
        out.extend_from_slice(&0x1a2b_3c4d_u32.to_le_bytes());
        out.extend_from_slice(&1u16.to_le_bytes());
        out.extend_from_slice(&0u16.to_le_bytes());
        out.extend_from_slice(&u64::MAX.to_le_bytes()); // section length: unknown
        if let Some(from) = reconstructed {
            option(out, OPT_COMMENT, Marker::Reconstructed { from: from.to_owned() }.comment().as_bytes());
        }
        option(out, OPT_USERAPPL, application.as_bytes());
        option(out, OPT_END, &[]);
    });
    interface(out, LINKTYPE_RAW, b"framescope");
}

/// Appends the second interface of a file, for connections in VLANs: see [`Segments::in_vlan`].
pub fn vlan_interface(out: &mut Vec<u8>) {
    interface(out, LINKTYPE_ETHERNET, b"framescope-vlan");
}

fn interface(out: &mut Vec<u8>, link: u16, name: &[u8]) {
    block(out, INTERFACE, |out| {
        out.extend_from_slice(&link.to_le_bytes());
        out.extend_from_slice(&0u16.to_le_bytes());
        out.extend_from_slice(&0u32.to_le_bytes()); // no snap length
        option(out, OPT_IF_NAME, name);
        option(out, OPT_IF_TSRESOL, &[9]);
        option(out, OPT_END, &[]);
    });
}

/// Synthesizes the TCP segments of one connection: with its real addresses, and made-up sequence numbers.
#[derive(Clone, Debug)]
pub struct Segments {
    /// The addresses of client and server.
    addresses: [SocketAddr; 2],
    /// The next sequence number of each direction.
    next: [SeqNumber; 2],
    /// The comment of the SYN.
    opening: Option<String>,
    /// How many bytes of the next gaps of each direction the sequence number of the SYN has skipped already.
    shortened: [u64; 2],
    /// Whether the sequence numbers skip bytes that were delivered unchanged.
    skips_unchanged: bool,
    identification: u16,
    /// The number of its VLAN, if its packets have Ethernet headers.
    vlan: Option<u16>,
    /// What TLS agreed on, if it had encrypted the bytes.
    tls: Option<Protection>,
}

impl Segments {
    /// A connection without segments. `serial` must differ between the connections of a file: it makes the initial sequence numbers
    /// unique, so that connections which use the same ports differ.
    pub fn new(client: SocketAddr, server: SocketAddr, serial: u32) -> Self {
        let first = serial.wrapping_mul(0x9e37_79b1);
        let next = [SeqNumber(first), SeqNumber(first ^ 0x5555_5555)];
        Self {
            addresses: [client, server],
            next,
            opening: None,
            shortened: [0; 2],
            skips_unchanged: false,
            identification: 0,
            vlan: None,
            tls: None,
        }
    }

    /// Puts the connection into a VLAN, from 1 to 4,094, of the second interface. It keeps connections with the same addresses apart.
    pub fn in_vlan(&mut self, vlan: u16) {
        self.vlan = Some(vlan);
    }

    /// TLS had encrypted the bytes, or not. A marker says so.
    pub fn decrypted(&mut self, tls: Option<Protection>) {
        self.tls = tls;
    }

    /// Puts a marker on the SYN, which [`Self::open`] appends.
    pub fn mark_opening(&mut self, marker: &Marker) {
        self.opening = Some(marker.comment());
    }

    /// Appends the SYN exchange.
    pub fn open(&mut self, out: &mut Vec<u8>, time: Time) {
        let [client, server] = Direction::BOTH;
        for (direction, flags) in [(client, SYN), (server, SYN | ACK)] {
            let shortened = self.shortened[direction.index()];
            let first = self.next[direction.index()] - shortened;
            let comment = (shortened > 0).then(|| Marker::InitialSequence { first: first.0 }.comment());
            let opening = self.opening.clone().filter(|_| direction == client);
            let comments: Vec<String> = opening.into_iter().chain(comment).collect();
            self.control(out, direction, flags, time, &comments);
        }
        let marker = self.tls.map(|tls| Marker::of(tls).comment());
        self.control(out, client, ACK, time, marker.as_slice());
    }

    /// Appends one packet with `payload`, at most [`MAX_SEGMENT`] bytes; returns where in `out` the payload begins.
    #[inline]
    pub fn data(
        &mut self,
        out: &mut Vec<u8>,
        direction: Direction,
        payload: &[u8],
        time: Time,
        comments: &[String],
    ) -> usize {
        let at = self.packet(out, direction, PSH | ACK, payload, time, comments);
        let next = &mut self.next[direction.index()];
        *next = *next + payload.len() as u64;
        at
    }

    /// Appends an empty packet with an overlap marker: `differing` bytes were repeated with other content, before the next record.
    pub fn overlap(&mut self, out: &mut Vec<u8>, direction: Direction, differing: u64, time: Time) {
        self.control(out, direction, ACK, time, &[Marker::Overlap { bytes: differing }.comment()]);
    }

    /// Appends an empty packet with a record marker: the next bytes of the direction are this record.
    pub fn state(&mut self, out: &mut Vec<u8>, direction: Direction, record: StatedRecord, time: Time) {
        self.control(out, direction, ACK, time, &[Marker::Record(record).comment()]);
    }

    /// Appends a FIN of the sender in `direction`.
    pub fn fin(&mut self, out: &mut Vec<u8>, direction: Direction, time: Time, comments: &[String]) {
        self.control(out, direction, FIN | ACK, time, comments);
    }

    /// Appends an empty packet with an end marker: nothing is known about the direction from here on.
    pub fn unknown(&mut self, out: &mut Vec<u8>, direction: Direction, time: Time, comments: &[String]) {
        self.end(out, direction, false, time, comments);
    }

    /// Appends an empty packet with an end marker: a reset ends the direction, and [`Self::rst`] comes later.
    pub fn before_rst(&mut self, out: &mut Vec<u8>, direction: Direction, time: Time, comments: &[String]) {
        self.end(out, direction, true, time, comments);
    }

    fn end(&mut self, out: &mut Vec<u8>, direction: Direction, reset: bool, time: Time, comments: &[String]) {
        let marker = Marker::End { reset }.comment();
        let comments: Vec<String> = std::iter::once(marker).chain(comments.iter().cloned()).collect();
        self.control(out, direction, ACK, time, &comments);
    }

    /// Appends an empty packet with comments about what was just sent in `direction`: the acknowledgement by the receiver.
    pub fn comment(&mut self, out: &mut Vec<u8>, direction: Direction, time: Time, comments: &[String]) {
        self.control(out, direction.opposite(), ACK, time, comments);
    }

    /// Appends a RST of the sender in `direction`.
    pub fn rst(&mut self, out: &mut Vec<u8>, direction: Direction, time: Time, comments: &[String]) {
        self.control(out, direction, RST | ACK, time, comments);
    }

    fn control(&mut self, out: &mut Vec<u8>, direction: Direction, flags: u8, time: Time, comments: &[String]) {
        self.packet(out, direction, flags, &[], time, comments);
        if flags & (SYN | FIN) != 0 {
            let next = &mut self.next[direction.index()];
            *next = *next + 1;
        }
    }

    #[inline]
    fn packet(
        &mut self,
        out: &mut Vec<u8>,
        direction: Direction,
        flags: u8,
        payload: &[u8],
        time: Time,
        comments: &[String],
    ) -> usize {
        let from = self.addresses[direction.index()];
        let to = self.addresses[direction.opposite().index()];
        let SeqNumber(seq) = self.next[direction.index()];
        let ack = if flags & ACK != 0 { self.next[direction.opposite().index()].0 } else { 0 };
        let mut frame = [0u8; VLAN_HEADER + 60];
        let link_len = match self.vlan {
            Some(vlan) => {
                let kind = if from.is_ipv4() && to.is_ipv4() { [0x08, 0x00] } else { [0x86, 0xdd] };
                frame[12..14].copy_from_slice(&[0x81, 0x00]);
                frame[14..16].copy_from_slice(&vlan.to_be_bytes());
                frame[16..18].copy_from_slice(&kind);
                VLAN_HEADER
            }
            None => 0,
        };
        let head = &mut frame[link_len..];
        let tcp_len = 20 + payload.len();
        let (ip_len, pseudo) = match (from.ip(), to.ip()) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                self.identification = self.identification.wrapping_add(1);
                head[0] = 0x45;
                head[2..4].copy_from_slice(&length::<u16>(20 + tcp_len).to_be_bytes());
                head[4..6].copy_from_slice(&self.identification.to_be_bytes());
                head[6] = 0x40; // do not fragment
                head[8] = 64;
                head[9] = 6;
                head[12..16].copy_from_slice(&source.octets());
                head[16..20].copy_from_slice(&destination.octets());
                let checksum = !fold(sum(&head[..20]));
                head[10..12].copy_from_slice(&checksum.to_be_bytes());
                (20, sum(&head[12..20]))
            }
            (source, destination) => {
                head[0] = 0x60;
                head[4..6].copy_from_slice(&length::<u16>(tcp_len).to_be_bytes());
                head[6] = 6;
                head[7] = 64;
                head[8..24].copy_from_slice(&v6_octets(source));
                head[24..40].copy_from_slice(&v6_octets(destination));
                (40, sum(&head[8..40]))
            }
        };
        let tcp = &mut head[ip_len..ip_len + 20];
        tcp[0..2].copy_from_slice(&from.port().to_be_bytes());
        tcp[2..4].copy_from_slice(&to.port().to_be_bytes());
        tcp[4..8].copy_from_slice(&seq.to_be_bytes());
        tcp[8..12].copy_from_slice(&ack.to_be_bytes());
        tcp[12] = 0x50;
        tcp[13] = flags;
        tcp[14..16].copy_from_slice(&0xffffu16.to_be_bytes());
        let checksum = !fold(pseudo + 6 + tcp_len as u64 + sum(tcp) + sum(payload));
        tcp[16..18].copy_from_slice(&checksum.to_be_bytes());
        let interface = u32::from(self.vlan.is_some());
        enhanced_packet(out, interface, &frame[..link_len + ip_len + 20], payload, time, comments)
    }
}

/// Appends an enhanced packet block of `head` and `payload`; returns where in `out` the payload begins.
#[inline]
pub(super) fn enhanced_packet(
    out: &mut Vec<u8>,
    interface: u32,
    head: &[u8],
    payload: &[u8],
    time: Time,
    comments: &[String],
) -> usize {
    let len = head.len() + payload.len();
    let padding = len.wrapping_neg() % 4;
    let options: usize = match comments {
        [] => 0,
        some => 4 + some.iter().map(|c| 4 + c.len().next_multiple_of(4)).sum::<usize>(),
    };
    let total = 32 + len + padding + options;
    out.reserve(total);
    let (len, total): (u32, u32) = (length(len), length(total));
    let mut fixed = [0u8; 28];
    fixed[..4].copy_from_slice(&ENHANCED_PACKET.to_le_bytes());
    fixed[4..8].copy_from_slice(&total.to_le_bytes());
    fixed[8..12].copy_from_slice(&interface.to_le_bytes());
    fixed[12..16].copy_from_slice(&((time.0 >> 32) as u32).to_le_bytes());
    fixed[16..20].copy_from_slice(&((time.0 & 0xffff_ffff) as u32).to_le_bytes());
    fixed[20..24].copy_from_slice(&len.to_le_bytes());
    fixed[24..28].copy_from_slice(&len.to_le_bytes());
    out.extend_from_slice(&fixed);
    out.extend_from_slice(head);
    let at = out.len();
    out.extend_from_slice(payload);
    out.extend_from_slice(&[0; 3][..padding]);
    if !comments.is_empty() {
        for comment in comments {
            option(out, OPT_COMMENT, comment.as_bytes());
        }
        option(out, OPT_END, &[]);
    }
    out.extend_from_slice(&total.to_le_bytes());
    at
}

fn block(out: &mut Vec<u8>, kind: u32, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    body(out);
    let total: u32 = length(out.len() - start + 4);
    out[start + 4..start + 8].copy_from_slice(&total.to_le_bytes());
    out.extend_from_slice(&total.to_le_bytes());
}

/// Appends an option. Its value must have less than 65,536 bytes.
fn option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    out.extend_from_slice(&code.to_le_bytes());
    out.extend_from_slice(&length::<u16>(value.len()).to_le_bytes());
    out.extend_from_slice(value);
    out.extend_from_slice(&[0; 3][..value.len().wrapping_neg() % 4]);
}

/// A length as the number of a field. Packets and options are limited to lengths that fit.
#[inline]
fn length<T: TryFrom<usize> + Default>(len: usize) -> T {
    T::try_from(len).unwrap_or_default()
}

/// The one's complement sum of big-endian 16-bit words (RFC 1071). An odd byte counts as a word's high half.
#[inline]
fn sum(bytes: &[u8]) -> u64 {
    // The words are added in the machine's byte order, which vectorizes: the sum of swapped words is the swapped sum (RFC 1071
    // §2 B). 2^16 ≡ 1 modulo 2^16 − 1, so 32-bit words can be added first and folded at the end.
    let (words, tail) = bytes.as_chunks::<4>();
    let mut total: u64 = words.iter().map(|word| u64::from(u32::from_ne_bytes(*word))).sum();
    let mut last = [0; 4];
    last[..tail.len()].copy_from_slice(tail);
    total += u64::from(u32::from_ne_bytes(last));
    u64::from(u16::from_be(fold(total)))
}

fn fold(mut total: u64) -> u16 {
    while total > 0xffff {
        total = (total & 0xffff) + (total >> 16);
    }
    (total & 0xffff) as u16
}

fn v6_octets(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}

#[cfg(test)]
mod tests;
