//! IPv4, IPv6 and the TCP header.

use std::net::{IpAddr, SocketAddr};

use super::{
    FragmentHead, FragmentKey, IpPayload, Layer, PacketContent, Step, TcpFlags, TcpHead, VirtualNetwork, bytes_at,
    read_layers, tunnel, u16_at,
};
use crate::capture::format::sequence::SeqNumber;

const TCP: u8 = 6;
const UDP: u8 = 17;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const GRE: u8 = 47;
const AUTHENTICATION: u8 = 51;

/// Reads the payload of an IP packet that was reassembled from fragments. It has `len` bytes on the wire.
pub fn read_payload(payload: &[u8], of: &FragmentKey, len: usize) -> PacketContent {
    let FragmentKey { network, ends, protocol, .. } = *of;
    read_layers(payload, Layer::IpPayload(IpPayload { protocol, ends, end: len }), 0, network)
}

/// RFC 791 §3.1, RFC 8200 §3.
#[inline]
pub fn ip(packet: &[u8], at: usize) -> Option<Step> {
    let ip = packet.get(at..)?;
    match ip.first()? >> 4 {
        4 => ipv4(packet, at, ip.first_chunk()?),
        6 => ipv6(packet, at, ip.first_chunk()?),
        _ => Some(Step::OTHER),
    }
}

#[inline]
fn ipv4(packet: &[u8], at: usize, head: &[u8; 20]) -> Option<Step> {
    let header = usize::from(head[0] & 0x0f) * 4;
    let total = usize::from(u16::from_be_bytes([head[2], head[3]]));
    // Network cards that segment packets themselves leave 0.
    let total = if total == 0 { packet.len() - at } else { total };
    if header < 20 || total < header {
        return Some(Step::OTHER);
    }
    let ends = [address::<4>(&head[12..16]), address::<4>(&head[16..20])];
    let payload = IpPayload { protocol: head[9], ends, end: at + total };
    let place = u16::from_be_bytes([head[6], head[7]]);
    if place & 0x3fff != 0 && is_read(payload.protocol) {
        let id = u32::from(u16::from_be_bytes([head[4], head[5]]));
        let (offset, more) = (usize::from(place & 0x1fff) * 8, place & 0x2000 != 0);
        return fragment(packet, payload, id, (offset, more), at + header);
    }
    self::payload(packet, payload, at + header)
}

#[inline]
fn ipv6(packet: &[u8], at: usize, head: &[u8; 40]) -> Option<Step> {
    let len = usize::from(u16::from_be_bytes([head[4], head[5]]));
    // A jumbogram has its length in an extension header; network cards leave 0 too.
    let end = if len == 0 { packet.len() } else { at + 40 + len };
    let ends = [address::<16>(&head[8..24]), address::<16>(&head[24..40])];
    payload(packet, IpPayload { protocol: head[6], ends, end }, at + 40)
}

/// A fragment whose bytes begin at `at`; `None` if the IP packet ends before.
fn fragment(packet: &[u8], payload: IpPayload, id: u32, (offset, more): (usize, bool), at: usize) -> Option<Step> {
    let IpPayload { protocol, ends, end } = payload;
    let captured = end.min(packet.len());
    let is_other_udp = || matches!(tunnel::udp(packet, at), Some(Step::Done(PacketContent::Other)));
    Some(Step::Done(PacketContent::Fragment(FragmentHead {
        of: FragmentKey { network: VirtualNetwork::default(), ends, protocol, id },
        offset,
        more,
        bytes: (at.min(captured), captured),
        wire_len: end.checked_sub(at)?,
        may_contain_tcp: protocol != UDP || offset > 0 || !is_other_udp(),
    })))
}

/// Returns true if [`payload`] looks into payload of this protocol.
const fn is_read(protocol: u8) -> bool {
    matches!(protocol, TCP | UDP | GRE | ROUTING | AUTHENTICATION | 4 | 41 | 60 | 97 | 137)
}

/// Reads the payload of an IP packet: TCP, an extension header of IPv6, or a tunnel. The numbers are in IANA's registry of protocol
/// numbers.
#[inline]
pub fn payload(packet: &[u8], ip: IpPayload, at: usize) -> Option<Step> {
    Some(match ip.protocol {
        TCP => Step::Done(tcp(packet, ip.ends, at, ip.end)?),
        UDP => tunnel::udp(packet, at)?,
        // IP in IP: RFC 2003, RFC 4213 §3, RFC 2473.
        4 | 41 => Step::Next(Layer::Ip, at),
        GRE => tunnel::gre(packet, at)?,
        // Hop-by-hop options, destination options, mobility, host identity, shim6 (RFC 8200 §4).
        0 | 60 | 135 | 139 | 140 => after_header(packet, ip, at, 8)?,
        ROUTING => {
            after_header(packet, IpPayload { ends: [ip.ends[0], destination(packet, ip.ends[1], at)?], ..ip }, at, 8)?
        }
        // RFC 4302 §2.2.
        AUTHENTICATION => after_header(packet, ip, at, 4)?,
        FRAGMENT => fragment_header(packet, ip, at)?,
        // EtherIP (RFC 3378 §3).
        97 => Step::Next(Layer::Ethernet, at + 2),
        // MPLS in IP (RFC 4023 §3).
        137 => Step::Next(Layer::Mpls, at),
        50 => Step::unread("ESP"),
        108 => Step::unread("IPComp"),
        115 => Step::unread("L2TP"),
        132 => Step::unread("SCTP"),
        _ => Step::OTHER,
    })
}

/// What follows a header whose length field counts units after its first 8 bytes.
fn after_header(packet: &[u8], ip: IpPayload, at: usize, unit: usize) -> Option<Step> {
    let [protocol, len] = bytes_at(packet, at)?;
    Some(Step::Next(Layer::IpPayload(IpPayload { protocol, ..ip }), at + 8 + usize::from(len) * unit))
}

/// The last address of a routing header, to which the packet goes by way of its other ones, or `next` if it has arrived.
fn destination(packet: &[u8], next: IpAddr, at: usize) -> Option<IpAddr> {
    let [_, len, kind, segments_left] = bytes_at(packet, at)?;
    let last = match kind {
        _ if segments_left == 0 => return Some(next),
        // RFC 5095, and the home address of RFC 6275 §6.4: in the order of the way.
        0 | 2 if len >= 2 => at + 8 + usize::from(len / 2 - 1) * 16,
        // RFC 8754 §2: in reverse order.
        4 => at + 8,
        _ => return Some(next),
    };
    Some(address::<16>(packet.get(last..last + 16)?))
}

/// RFC 8200 §4.5.
fn fragment_header(packet: &[u8], ip: IpPayload, at: usize) -> Option<Step> {
    let [protocol, _, a, b, id @ ..] = bytes_at::<8>(packet, at)?;
    let place = u16::from_be_bytes([a, b]);
    let ip = IpPayload { protocol, ..ip };
    if place & 0xfff9 == 0 || !is_read(protocol) {
        return Some(Step::Next(Layer::IpPayload(ip), at + 8));
    }
    fragment(packet, ip, u32::from_be_bytes(id), (usize::from(place & 0xfff8), place & 1 != 0), at + 8)
}

/// Reads a TCP header at `at` (RFC 9293 §3.1). The IP packet ends at `end`, on the wire.
#[inline]
fn tcp(packet: &[u8], [source, destination]: [IpAddr; 2], at: usize, end: usize) -> Option<PacketContent> {
    let head: [u8; 20] = bytes_at(packet, at)?;
    let header = usize::from(head[12] >> 4) * 4;
    if header < 20 || at + header > end {
        return Some(PacketContent::Other);
    }
    let word = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let captured = end.min(packet.len());
    let begin = (at + header).min(captured);
    Some(PacketContent::Tcp(TcpHead {
        network: VirtualNetwork::default(),
        source: SocketAddr::new(source, u16_at(&head, 0)?),
        destination: SocketAddr::new(destination, u16_at(&head, 2)?),
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
    }))
}

/// The address that these bytes are: 4 of IPv4, 16 of IPv6.
pub fn address<const N: usize>(bytes: &[u8]) -> IpAddr
where
    IpAddr: From<[u8; N]>,
{
    IpAddr::from(bytes.try_into().unwrap_or([0; N]))
}
