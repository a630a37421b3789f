//! Wireshark's exported PDUs: payload without the layers below it, after tags with what those layers said.

use std::net::{IpAddr, SocketAddr};

use super::ip::address;
use super::{Layer, PacketContent, Step, TcpFlags, TcpHead, VirtualNetwork, bytes_at};
use crate::capture::format::sequence::SeqNumber;

/// The tags that are read, as `EXP_PDU_TAG_…` of Wireshark's `exported_pdu_tlvs.h`.
mod tag {
    pub const END: u16 = 0;
    pub const DISSECTOR_NAME: u16 = 12;
    pub const DISSECTOR_TABLE: u16 = 14;
    pub const IPV4_SOURCE: u16 = 20;
    pub const IPV4_DESTINATION: u16 = 21;
    pub const IPV6_SOURCE: u16 = 22;
    pub const IPV6_DESTINATION: u16 = 23;
    pub const PORT_TYPE: u16 = 24;
    pub const SOURCE_PORT: u16 = 25;
    pub const DESTINATION_PORT: u16 = 26;
    pub const TCP_INFO: u16 = 34;
}

/// The port type of TCP.
const TCP: u32 = 2;

/// The values of the tags.
#[derive(Default)]
struct Tags {
    /// Whether the PDU is an IP packet.
    is_ip: bool,
    /// Whether it is the payload of a UDP packet. In a tunnel over UDP, the other tags are those of the TCP segment inside, which is
    /// exported too.
    is_udp: bool,
    hosts: [Option<IpAddr>; 2],
    ports: [Option<u32>; 2],
    port_type: Option<u32>,
    tcp: Option<TcpInfo>,
}

/// The sequence numbers of a PDU, which Wireshark writes when it exports OSI layer 4.
struct TcpInfo {
    seq: SeqNumber,
    /// The sequence number after the segment that completed the PDU.
    next: SeqNumber,
    ack: SeqNumber,
    has_ack: bool,
}

/// Reads an exported PDU: a part of a TCP stream, or an IP packet.
pub fn pdu(packet: &[u8], mut at: usize) -> Option<Step> {
    let mut tags = Tags::default();
    loop {
        let [a, b, c, d] = bytes_at(packet, at)?;
        let (kind, len) = (u16::from_be_bytes([a, b]), usize::from(u16::from_be_bytes([c, d])));
        let value = packet.get(at + 4..at + 4 + len)?;
        at += 4 + len;
        if kind == tag::END {
            break;
        }
        tags.read(kind, value);
    }
    Some(match tags {
        Tags { is_ip: true, .. } => Step::Next(Layer::Ip, at),
        Tags { is_udp: true, .. } => Step::OTHER,
        Tags { port_type: Some(port_type), .. } if port_type != TCP => Step::OTHER,
        Tags { hosts: [Some(source), Some(destination)], ports: [Some(from), Some(to)], tcp, .. } => {
            let port = |port| u16::try_from(port).unwrap_or(0);
            let ends = [SocketAddr::new(source, port(from)), SocketAddr::new(destination, port(to))];
            Step::Done(stream(ends, tcp.as_ref(), at, packet.len()))
        }
        _ => Step::unread("exported PDUs without addresses and ports"),
    })
}

/// The payload from `at` to `end` of a TCP stream.
fn stream([source, destination]: [SocketAddr; 2], tcp: Option<&TcpInfo>, at: usize, end: usize) -> PacketContent {
    let wire_len = u32::try_from(end - at).unwrap_or(u32::MAX);
    let head = TcpHead {
        network: VirtualNetwork::default(),
        source,
        destination,
        seq: SeqNumber(0),
        ack: SeqNumber(0),
        flags: TcpFlags::default(),
        payload: (at, end),
        wire_len,
    };
    match tcp {
        // Some programs write the same numbers into all PDUs.
        Some(tcp) if tcp.next - tcp.seq >= i64::from(wire_len) => PacketContent::Tcp(TcpHead {
            seq: tcp.seq,
            ack: tcp.ack,
            flags: TcpFlags { ack: tcp.has_ack, ..TcpFlags::default() },
            ..head
        }),
        _ => PacketContent::Exported(head),
    }
}

/// A name without the zeros that pad it.
fn name(value: &[u8]) -> &[u8] {
    value.split(|byte| *byte == 0).next().unwrap_or_default()
}

impl Tags {
    /// Keeps the value of a tag; one of another length than its kind has is ignored.
    fn read(&mut self, kind: u16, value: &[u8]) {
        let number = || Some(u32::from_be_bytes(value.try_into().ok()?));
        match (kind, value.len()) {
            (tag::DISSECTOR_NAME, _) => self.is_ip = matches!(name(value), b"ip" | b"ipv6"),
            (tag::DISSECTOR_TABLE, _) => self.is_udp = value.starts_with(b"udp."),
            (tag::IPV4_SOURCE, 4) => self.hosts[0] = Some(address::<4>(value)),
            (tag::IPV4_DESTINATION, 4) => self.hosts[1] = Some(address::<4>(value)),
            (tag::IPV6_SOURCE, 16) => self.hosts[0] = Some(address::<16>(value)),
            (tag::IPV6_DESTINATION, 16) => self.hosts[1] = Some(address::<16>(value)),
            (tag::PORT_TYPE, _) => self.port_type = number(),
            (tag::SOURCE_PORT, _) => self.ports[0] = number(),
            (tag::DESTINATION_PORT, _) => self.ports[1] = number(),
            (tag::TCP_INFO, _) => self.tcp = TcpInfo::read(value),
            _ => {}
        }
    }
}

impl TcpInfo {
    /// Version 1: 19 bytes that are not aligned.
    fn read(value: &[u8]) -> Option<Self> {
        let number = |at| Some(SeqNumber(u32::from_be_bytes(bytes_at(value, at)?)));
        let [_, flags] = bytes_at(value, 15)?;
        let [seq, next, ack] = [number(2)?, number(6)?, number(10)?];
        (value.first_chunk()? == &[0, 1]).then_some(Self { seq, next, ack, has_ack: flags & 0x10 != 0 })
    }
}
