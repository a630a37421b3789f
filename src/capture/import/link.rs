//! Finds the TCP segment in a captured packet: link layer, IP, TCP header.

use std::net::{IpAddr, SocketAddr};

use crate::capture::format::sequence::SeqNumber;

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
/// 802.1Q, 802.1ad, and two that were used before 802.1ad.
const VLAN: [u16; 4] = [0x8100, 0x88a8, 0x9100, 0x9200];
const PPPOE_SESSION: u16 = 0x8864;

const TCP: u8 = 6;

/// The content of a packet.
#[derive(Debug, PartialEq, Eq)]
pub enum PacketContent {
    /// A TCP segment.
    Tcp(TcpHead),
    /// An IP fragment of a TCP segment.
    Fragment(FragmentHead),
    /// Not TCP, or a truncated header.
    Other,
    /// The link type is not supported.
    UnsupportedLink,
}

/// The flags of a TCP segment that reassembly needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpFlags {
    pub syn: bool,
    pub ack: bool,
    pub fin: bool,
    pub rst: bool,
}

/// The header of a TCP segment. Places are byte offsets in the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpHead {
    pub source: SocketAddr,
    pub destination: SocketAddr,
    pub seq: SeqNumber,
    /// The acknowledgment number; valid only with the flag ACK.
    pub ack: SeqNumber,
    pub flags: TcpFlags,
    /// Where the payload begins, and where its captured part ends.
    pub payload: (usize, usize),
    /// The payload's length on the wire in bytes; more than the captured length if the snap length truncated the packet.
    pub wire_len: u32,
}

/// The header of an IP fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FragmentHead {
    /// Source, destination and identification, which all fragments of a packet share.
    pub of: ([IpAddr; 2], u32),
    /// Its offset in the payload of the IP packet, in bytes.
    pub offset: usize,
    /// Whether more fragments follow.
    pub more: bool,
    /// Where its bytes begin in the captured packet, and where their captured part ends.
    pub bytes: (usize, usize),
    /// Their number on the wire.
    pub wire_len: usize,
}

/// Reads a packet with this LINKTYPE.
#[inline]
pub fn read(link: u16, packet: &[u8]) -> PacketContent {
    let at = match link {
        // Ethernet
        1 => network(packet, 12),
        // NULL and LOOP begin with an address family, which the IP version repeats.
        0 | 108 => Some(4),
        // RAW, by its number in file formats and on some systems; IPV4, IPV6.
        101 | 12 | 14 | 228 | 229 => Some(0),
        // LINUX_SLL, LINUX_SLL2
        113 => network(packet, 14),
        276 => match packet.first_chunk::<2>() {
            Some(kind) => after_tags(packet, u16::from_be_bytes(*kind), 20),
            None => None,
        },
        _ => return PacketContent::UnsupportedLink,
    };
    match at {
        Some(at) if at < packet.len() => ip(packet, at),
        _ => PacketContent::Other,
    }
}

/// Where IP begins in a packet whose EtherType is at `at`.
#[inline]
fn network(packet: &[u8], at: usize) -> Option<usize> {
    after_tags(packet, u16_at(packet, at)?, at + 2)
}

/// Where IP begins after VLAN tags (802.1Q §9.3) and a PPPoE header (RFC 2516 §4).
#[inline]
fn after_tags(packet: &[u8], mut kind: u16, mut at: usize) -> Option<usize> {
    while VLAN.contains(&kind) {
        kind = u16_at(packet, at + 2)?;
        at += 4;
    }
    if kind == PPPOE_SESSION {
        return matches!(u16_at(packet, at + 6)?, 0x0021 | 0x0057).then_some(at + 8);
    }
    matches!(kind, IPV4 | IPV6).then_some(at)
}

/// RFC 791 §3.1, RFC 8200 §3.
#[inline]
fn ip(packet: &[u8], at: usize) -> PacketContent {
    let ip = &packet[at..];
    match ip[0] >> 4 {
        4 if ip.len() >= 20 => {
            let header = usize::from(ip[0] & 0x0f) * 4;
            let total = usize::from(u16::from_be_bytes([ip[2], ip[3]]));
            // Network cards that segment packets themselves leave 0.
            let total = if total == 0 { ip.len() } else { total };
            if header < 20 || total < header || ip[9] != TCP {
                return PacketContent::Other;
            }
            let ends = [address::<4>(&ip[12..16]), address::<4>(&ip[16..20])];
            let place = u16::from_be_bytes([ip[6], ip[7]]);
            if place & 0x3fff != 0 {
                let id = u32::from(u16::from_be_bytes([ip[4], ip[5]]));
                let (offset, more) = (usize::from(place & 0x1fff) * 8, place & 0x2000 != 0);
                return fragment(packet, (ends, id), (offset, more), at + header, at + total);
            }
            tcp(packet, ends, at + header, at + total)
        }
        6 if ip.len() >= 40 => {
            let len = usize::from(u16::from_be_bytes([ip[4], ip[5]]));
            // A jumbogram has its length in an extension header; network cards leave 0 too.
            let total = if len == 0 { ip.len() } else { 40 + len };
            let ends = [address::<16>(&ip[8..24]), address::<16>(&ip[24..40])];
            match after_extensions(ip) {
                Some(Upper::Tcp(header)) => tcp(packet, ends, at + header, at + total),
                Some(Upper::Fragment { header, offset, more, id }) if header <= total => {
                    fragment(packet, (ends, id), (offset, more), at + header, at + total)
                }
                _ => PacketContent::Other,
            }
        }
        _ => PacketContent::Other,
    }
}

/// A fragment whose bytes begin at `at`, and end at `end` on the wire.
fn fragment(
    packet: &[u8],
    of: ([IpAddr; 2], u32),
    (offset, more): (usize, bool),
    at: usize,
    end: usize,
) -> PacketContent {
    let captured = end.min(packet.len());
    PacketContent::Fragment(FragmentHead { of, offset, more, bytes: (at.min(captured), captured), wire_len: end - at })
}

/// What follows the header and the extension headers of an IPv6 packet.
enum Upper {
    /// TCP, at this offset.
    Tcp(usize),
    /// A fragment of a packet with TCP.
    Fragment { header: usize, offset: usize, more: bool, id: u32 },
}

/// Finds TCP in an IPv6 packet of at least 40 bytes (RFC 8200 §4, RFC 4302 §2.2).
#[inline]
fn after_extensions(ip: &[u8]) -> Option<Upper> {
    let (mut next, mut at) = (ip[6], 40);
    while next != TCP {
        let [after, len, a, b] = ip.get(at..)?.first_chunk::<4>()?;
        at += match next {
            // Hop-by-hop options, routing, destination options, mobility, host identity, shim6.
            0 | 43 | 60 | 135 | 139 | 140 => 8 + usize::from(*len) * 8,
            // Authentication header.
            51 => 8 + usize::from(*len) * 4,
            // A packet in one fragment.
            44 if u16::from_be_bytes([*a, *b]) & 0xfff9 == 0 => 8,
            44 if *after == TCP => {
                let place = usize::from(u16::from_be_bytes([*a, *b]));
                let id = u32::from_be_bytes(*ip.get(at + 4..)?.first_chunk::<4>()?);
                return Some(Upper::Fragment { header: at + 8, offset: place & 0xfff8, more: place & 1 != 0, id });
            }
            _ => return None,
        };
        next = *after;
    }
    Some(Upper::Tcp(at))
}

/// Reads a TCP header at `at` (RFC 9293 §3.1). The IP packet ends at `end`, on the wire.
#[inline]
pub fn tcp(packet: &[u8], [source, destination]: [IpAddr; 2], at: usize, end: usize) -> PacketContent {
    let Some(head) = packet.get(at..).and_then(|rest| rest.first_chunk::<20>()) else { return PacketContent::Other };
    let header = usize::from(head[12] >> 4) * 4;
    if header < 20 || at + header > end {
        return PacketContent::Other;
    }
    let word = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let captured = end.min(packet.len());
    let begin = (at + header).min(captured);
    PacketContent::Tcp(TcpHead {
        source: SocketAddr::new(source, u16::from_be_bytes([head[0], head[1]])),
        destination: SocketAddr::new(destination, u16::from_be_bytes([head[2], head[3]])),
        seq: SeqNumber(word(4)),
        ack: SeqNumber(word(8)),
        flags: TcpFlags {
            fin: head[13] & 0x01 != 0,
            syn: head[13] & 0x02 != 0,
            rst: head[13] & 0x04 != 0,
            ack: head[13] & 0x10 != 0,
        },
        payload: (begin, captured),
        wire_len: u32::try_from(end - at - header).unwrap_or(u32::MAX),
    })
}

#[inline]
fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk::<2>()?))
}

/// The address that these bytes are: 4 of IPv4, 16 of IPv6.
fn address<const N: usize>(bytes: &[u8]) -> IpAddr
where
    IpAddr: From<[u8; N]>,
{
    IpAddr::from(bytes.try_into().unwrap_or([0; N]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use etherparse::{LaxNetSlice, LaxSlicedPacket, TransportSlice};
    use proptest::prelude::*;

    /// The reading of another implementation: addresses, sequence number, payload.
    fn oracle(packet: &[u8]) -> Option<(IpAddr, IpAddr, u32, Vec<u8>)> {
        let sliced = LaxSlicedPacket::from_ip(packet).ok()?;
        let (source, destination) = match sliced.net.as_ref()? {
            LaxNetSlice::Ipv4(ip) => (ip.header().source_addr().into(), ip.header().destination_addr().into()),
            LaxNetSlice::Ipv6(ip) => (ip.header().source_addr().into(), ip.header().destination_addr().into()),
            LaxNetSlice::Arp(_) => return None,
        };
        let Some(TransportSlice::Tcp(tcp)) = &sliced.transport else { return None };
        Some((source, destination, tcp.sequence_number(), tcp.payload().to_vec()))
    }

    proptest! {
        #[test]
        fn the_reading_agrees_with_another_implementation(
            mut packet in proptest::collection::vec(any::<u8>(), 40..120),
            six: bool,
            extension in proptest::option::of(prop_oneof![Just(0u8), Just(43), Just(60)]),
            cut in 0u16..60,
        ) {
            let len = u16::try_from(packet.len()).expect("short");
            if six {
                packet[0] = 0x60;
                packet[4..6].copy_from_slice(&(len - 40 + cut).to_be_bytes());
                packet[6] = extension.unwrap_or(6);
                if extension.is_some() && packet.len() > 48 {
                    (packet[40], packet[41]) = (6, 0);
                }
            } else {
                packet[0] = 0x45;
                packet[2..4].copy_from_slice(&(len + cut).to_be_bytes());
                (packet[6], packet[7], packet[9]) = (0x40, 0, 6);
            }
            let content = read(101, &packet);
            if let Some((source, destination, seq, payload)) = oracle(&packet) {
                let PacketContent::Tcp(head) = content else { panic!("{content:?}") };
                prop_assert_eq!((head.source.ip(), head.destination.ip(), head.seq), (source, destination, SeqNumber(seq)));
                prop_assert_eq!(&packet[head.payload.0..head.payload.1], payload.as_slice());
                prop_assert_eq!(head.wire_len as usize, payload.len() + usize::from(cut));
            }
        }

        #[test]
        fn no_packet_makes_the_reader_panic(link in prop_oneof![0u16..300, Just(1), Just(113), Just(276)], packet: Vec<u8>) {
            let _ = read(link, &packet);
        }
    }
}
