//! From a captured packet to the TCP segment in it: link layer, IP, TCP header.

use std::net::{IpAddr, SocketAddr};

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
/// 802.1Q, 802.1ad and two that were used before it.
const VLAN: [u16; 4] = [0x8100, 0x88a8, 0x9100, 0x9200];
const PPPOE_SESSION: u16 = 0x8864;

const TCP: u8 = 6;

/// What a packet holds.
#[derive(Debug, PartialEq, Eq)]
pub enum Holds {
    /// A TCP segment.
    Tcp(TcpHead),
    /// A part of one.
    Fragment(FragmentHead),
    /// Something else, or too little of anything.
    Other,
    /// Nobody here knows its link type.
    UnknownLink,
}

/// The flags of a TCP segment that reassembly needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags {
    pub syn: bool,
    pub ack: bool,
    pub fin: bool,
    pub rst: bool,
}

/// A TCP segment; places are bytes of the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpHead {
    pub source: SocketAddr,
    pub destination: SocketAddr,
    pub seq: u32,
    /// The acknowledgment number; means something with the flag ACK alone.
    pub ack: u32,
    pub flags: Flags,
    /// Where the payload begins, and where what was captured of it ends.
    pub payload: (usize, usize),
    /// The payload's length on the wire in bytes: more than was captured, where the snap length cut it.
    pub wire_len: u32,
}

/// What a fragment says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FragmentHead {
    /// Source and destination, and the number that the fragments of a packet have in common.
    pub of: ([IpAddr; 2], u32),
    /// Where in the packet behind its header it begins, in bytes.
    pub offset: usize,
    /// Whether more of the packet comes behind it.
    pub more: bool,
    /// Where its bytes begin in the captured packet, and where what was captured of them ends.
    pub bytes: (usize, usize),
    /// How many there were on the wire.
    pub wire_len: usize,
}

/// Reads a packet of a LINKTYPE.
#[inline]
pub fn read(link: u16, packet: &[u8]) -> Holds {
    let at = match link {
        // Ethernet
        1 => network(packet, 12),
        // NULL and LOOP begin with an address family; the IP version says the same.
        0 | 108 => Some(4),
        // RAW, as the file formats and as some systems number it, and IPV4, IPV6.
        101 | 12 | 14 | 228 | 229 => Some(0),
        // LINUX_SLL, LINUX_SLL2
        113 => network(packet, 14),
        276 => match packet.first_chunk::<2>() {
            Some(kind) => behind_tags(packet, u16::from_be_bytes(*kind), 20),
            None => None,
        },
        _ => return Holds::UnknownLink,
    };
    match at {
        Some(at) if at < packet.len() => ip(packet, at),
        _ => Holds::Other,
    }
}

/// Where IP begins in a packet whose EtherType stands at `at`.
#[inline]
fn network(packet: &[u8], at: usize) -> Option<usize> {
    behind_tags(packet, u16_at(packet, at)?, at + 2)
}

/// Where IP begins behind VLAN tags (802.1Q §9.3) and a PPPoE header (RFC 2516 §4).
#[inline]
fn behind_tags(packet: &[u8], mut kind: u16, mut at: usize) -> Option<usize> {
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
fn ip(packet: &[u8], at: usize) -> Holds {
    let ip = &packet[at..];
    match ip[0] >> 4 {
        4 if ip.len() >= 20 => {
            let header = usize::from(ip[0] & 0x0f) * 4;
            let total = usize::from(u16::from_be_bytes([ip[2], ip[3]]));
            // Network cards that cut segments themselves leave 0.
            let total = if total == 0 { ip.len() } else { total };
            if header < 20 || total < header || ip[9] != TCP {
                return Holds::Other;
            }
            let ends = [address_v4(&ip[12..16]), address_v4(&ip[16..20])];
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
            // A jumbogram's length stands elsewhere; network cards leave 0 too.
            let total = if len == 0 { ip.len() } else { 40 + len };
            let ends = [address_v6(&ip[8..24]), address_v6(&ip[24..40])];
            match behind_extensions(ip) {
                Some(Behind::Tcp(header)) => tcp(packet, ends, at + header, at + total),
                Some(Behind::Fragment { header, offset, more, id }) if header <= total => {
                    fragment(packet, (ends, id), (offset, more), at + header, at + total)
                }
                _ => Holds::Other,
            }
        }
        _ => Holds::Other,
    }
}

/// A part of a packet, whose bytes end at `end` on the wire.
fn fragment(packet: &[u8], of: ([IpAddr; 2], u32), (offset, more): (usize, bool), at: usize, end: usize) -> Holds {
    let captured = end.min(packet.len());
    Holds::Fragment(FragmentHead { of, offset, more, bytes: (at.min(captured), captured), wire_len: end - at })
}

/// What follows the header of an IPv6 packet and its extensions, and where.
enum Behind {
    Tcp(usize),
    /// A part of TCP, and the number of the packet that it is of.
    Fragment {
        header: usize,
        offset: usize,
        more: bool,
        id: u32,
    },
}

/// What is in an IPv6 packet of at least 40 bytes (RFC 8200 §4, RFC 4302 §2.2), when it is TCP.
#[inline]
fn behind_extensions(ip: &[u8]) -> Option<Behind> {
    let (mut next, mut at) = (ip[6], 40);
    while next != TCP {
        let [after, len, a, b] = ip.get(at..)?.first_chunk::<4>()?;
        at += match next {
            // Hop-by-hop options, routing, destination options, mobility, host identity, shim6.
            0 | 43 | 60 | 135 | 139 | 140 => 8 + usize::from(*len) * 8,
            // Authentication header.
            51 => 8 + usize::from(*len) * 4,
            // A fragment that is the whole is none.
            44 if u16::from_be_bytes([*a, *b]) & 0xfff9 == 0 => 8,
            44 if *after == TCP => {
                let place = usize::from(u16::from_be_bytes([*a, *b]));
                let id = u32::from_be_bytes(*ip.get(at + 4..)?.first_chunk::<4>()?);
                return Some(Behind::Fragment { header: at + 8, offset: place & 0xfff8, more: place & 1 != 0, id });
            }
            _ => return None,
        };
        next = *after;
    }
    Some(Behind::Tcp(at))
}

/// RFC 9293 §3.1. The IP packet ends at `end`, on the wire.
#[inline]
pub fn tcp(packet: &[u8], [source, destination]: [IpAddr; 2], at: usize, end: usize) -> Holds {
    let Some(head) = packet.get(at..).and_then(|rest| rest.first_chunk::<20>()) else { return Holds::Other };
    let header = usize::from(head[12] >> 4) * 4;
    if header < 20 || at + header > end {
        return Holds::Other;
    }
    let word = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let captured = end.min(packet.len());
    let begin = (at + header).min(captured);
    Holds::Tcp(TcpHead {
        source: SocketAddr::new(source, u16::from_be_bytes([head[0], head[1]])),
        destination: SocketAddr::new(destination, u16::from_be_bytes([head[2], head[3]])),
        seq: word(4),
        ack: word(8),
        flags: Flags {
            fin: head[13] & 0x01 != 0,
            syn: head[13] & 0x02 != 0,
            rst: head[13] & 0x04 != 0,
            ack: head[13] & 0x10 != 0,
        },
        payload: (begin, captured),
        wire_len: (end - at - header) as u32,
    })
}

#[inline]
fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk::<2>()?))
}

fn address_v4(bytes: &[u8]) -> IpAddr {
    let octets: [u8; 4] = bytes.try_into().unwrap_or_default();
    IpAddr::from(octets)
}

fn address_v6(bytes: &[u8]) -> IpAddr {
    let octets: [u8; 16] = bytes.try_into().unwrap_or_default();
    IpAddr::from(octets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use etherparse::{LaxNetSlice, LaxSlicedPacket, TransportSlice};
    use proptest::prelude::*;

    /// The same with another implementation: ends, sequence number, payload.
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
        fn what_another_implementation_reads_is_read_the_same(
            mut packet in proptest::collection::vec(any::<u8>(), 40..120),
            six: bool,
            extension in proptest::option::of(prop_oneof![Just(0u8), Just(43), Just(60)]),
            cut in 0usize..60,
        ) {
            let len = packet.len() as u16;
            if six {
                packet[0] = 0x60;
                packet[4..6].copy_from_slice(&(len - 40 + cut as u16).to_be_bytes());
                packet[6] = extension.unwrap_or(6);
                if extension.is_some() && packet.len() > 48 {
                    (packet[40], packet[41]) = (6, 0);
                }
            } else {
                packet[0] = 0x45;
                packet[2..4].copy_from_slice(&(len + cut as u16).to_be_bytes());
                (packet[6], packet[7], packet[9]) = (0x40, 0, 6);
            }
            let holds = read(101, &packet);
            if let Some((source, destination, seq, payload)) = oracle(&packet) {
                let Holds::Tcp(head) = holds else { panic!("{holds:?}") };
                prop_assert_eq!((head.source.ip(), head.destination.ip(), head.seq), (source, destination, seq));
                prop_assert_eq!(&packet[head.payload.0..head.payload.1], payload.as_slice());
                prop_assert_eq!(head.wire_len as usize, payload.len() + cut);
            }
        }

        #[test]
        fn no_bytes_make_it_panic(link in prop_oneof![0u16..300, Just(1), Just(113), Just(276)], packet: Vec<u8>) {
            let _ = read(link, &packet);
        }
    }
}
