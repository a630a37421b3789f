//! Finds the TCP segment in a captured packet: link layer, tunnels, IP, TCP header.
//!
//! A packet is read layer by layer. Each layer says which one comes next and where it begins, so tunnels nest in any order. The
//! layers of most packets, from the link layer to TCP, call each other instead, because each [`Step`] copies a head.

mod exported;
mod ip;
mod media;
mod names;
mod network;
mod tunnel;
mod wireless;

use std::net::{IpAddr, SocketAddr};

pub use self::ip::read_payload;
pub use self::names::link_name;
use self::network::NetworkKind;
pub use self::network::VirtualNetwork;
pub use self::wireless::aggregated;
use crate::capture::format::sequence::SeqNumber;

/// The content of a packet.
#[derive(Debug, PartialEq, Eq)]
pub enum PacketContent {
    /// A TCP segment.
    Tcp(TcpHead),
    /// Payload of a TCP connection that another program exported without its sequence number: see [`super::tcp::Flows::append`].
    Exported(TcpHead),
    /// An IP fragment of a packet that may contain TCP.
    Fragment(FragmentHead),
    /// Several packets of a wireless network, from this offset on: see [`aggregated`].
    Aggregate(usize),
    /// Not TCP, or a truncated header.
    Other,
    /// An encapsulation, named here, that may contain TCP but is not read.
    Unread(&'static str),
    /// The link type is not supported.
    UnsupportedLink,
}

impl PacketContent {
    /// The content of a packet in a virtual network.
    fn in_network(mut self, network: VirtualNetwork) -> Self {
        match &mut self {
            Self::Tcp(tcp) | Self::Exported(tcp) => tcp.network = network,
            Self::Fragment(fragment) => fragment.of.network = network,
            Self::Aggregate(_) | Self::Other | Self::Unread(_) | Self::UnsupportedLink => {}
        }
        self
    }
}

/// The flags of a TCP segment that reassembly needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpFlags {
    pub syn: bool,
    pub ack: bool,
    pub fin: bool,
    pub rst: bool,
}

/// The header of a TCP segment. Places are byte offsets in the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpHead {
    /// Connections with the same addresses can differ in their networks.
    pub network: VirtualNetwork,
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

/// What all fragments of an IP packet share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FragmentKey {
    pub network: VirtualNetwork,
    /// Source and destination.
    pub ends: [IpAddr; 2],
    /// The protocol of the packet's payload.
    pub protocol: u8,
    /// The identification.
    pub id: u32,
}

/// The header of an IP fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FragmentHead {
    pub of: FragmentKey,
    /// Its offset in the payload of the IP packet, in bytes.
    pub offset: usize,
    /// Whether more fragments follow.
    pub more: bool,
    /// Where its bytes begin in the captured packet, and where their captured part ends.
    pub bytes: (usize, usize),
    /// Their number on the wire.
    pub wire_len: usize,
    /// False if it begins a UDP packet that is not in a tunnel.
    pub may_contain_tcp: bool,
}

/// A layer of a packet.
#[derive(Clone, Copy, Debug)]
enum Layer {
    /// A link layer, by its LINKTYPE.
    Link(u16),
    /// Ethernet, from the destination address on.
    Ethernet,
    /// What follows an EtherType.
    EtherType(u16),
    /// IEEE 802.2 LLC.
    Llc,
    /// PPP, from its address field or protocol on.
    Ppp,
    /// A stack of MPLS labels.
    Mpls,
    /// An A-MSDU: several packets.
    Aggregate,
    Ip,
    /// The payload of an IP packet.
    IpPayload(IpPayload),
}

/// The payload of an IP packet.
#[derive(Clone, Copy, Debug)]
struct IpPayload {
    protocol: u8,
    /// Source and destination.
    ends: [IpAddr; 2],
    /// Where the IP packet ends on the wire.
    end: usize,
}

/// The result of reading a layer.
enum Step {
    /// The next layer, and where it begins.
    Next(Layer, usize),
    /// The same; it is in a virtual network.
    Into(VirtualNetwork, Layer, usize),
    Done(PacketContent),
}

impl Step {
    const OTHER: Self = Self::Done(PacketContent::Other);

    const fn unread(name: &'static str) -> Self {
        Self::Done(PacketContent::Unread(name))
    }
}

/// Reads a packet with this LINKTYPE.
#[inline]
pub fn read(link: u16, packet: &[u8]) -> PacketContent {
    read_layers(packet, Layer::Link(link), 0, VirtualNetwork::default())
}

/// Reads a packet from a layer on, which is in a virtual network. This ends: layers that lead back to themselves consume bytes.
#[inline]
fn read_layers(packet: &[u8], mut layer: Layer, mut at: usize, mut network: VirtualNetwork) -> PacketContent {
    loop {
        let step = match layer {
            Layer::Link(link) => media::link(packet, link, at),
            Layer::Ethernet => media::ethernet(packet, at),
            Layer::EtherType(kind) => media::ether_type(kind, packet, at),
            Layer::Llc => media::llc(packet, at),
            Layer::Ppp => media::ppp(packet, at),
            Layer::Mpls => tunnel::mpls(packet, at),
            Layer::Aggregate => Some(Step::Done(PacketContent::Aggregate(at))),
            Layer::Ip => ip::ip(packet, at),
            Layer::IpPayload(payload) => ip::payload(packet, payload, at),
        };
        match step {
            Some(Step::Next(next, begin)) => (layer, at) = (next, begin),
            Some(Step::Into(inner, next, begin)) => (network, layer, at) = (inner.within(network), next, begin),
            Some(Step::Done(content)) if network.is_any() => return content.in_network(network),
            Some(Step::Done(content)) => return content,
            // The packet ends inside a header.
            None => return PacketContent::Other,
        }
    }
}

/// The `N` bytes at an offset, if they were captured.
#[inline]
fn bytes_at<const N: usize>(packet: &[u8], at: usize) -> Option<[u8; N]> {
    packet.get(at..)?.first_chunk().copied()
}

/// The 16-bit number at an offset, most significant byte first.
#[inline]
fn u16_at(packet: &[u8], at: usize) -> Option<u16> {
    bytes_at(packet, at).map(u16::from_be_bytes)
}

/// The virtual network whose number of 24 bits is at an offset.
fn network_at(kind: NetworkKind, packet: &[u8], at: usize) -> Option<VirtualNetwork> {
    let [a, b, c] = bytes_at(packet, at)?;
    Some(VirtualNetwork::new(kind, u32::from_be_bytes([0, a, b, c])))
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
                    // A routing header with no segments left: the other implementation does not follow the others.
                    (packet[40], packet[41], packet[43]) = (6, 0, 0);
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
        fn no_packet_makes_the_reader_panic(link in prop_oneof![0u16..300, Just(1), Just(105), Just(127), Just(239), Just(252)], packet: Vec<u8>) {
            let _ = read(link, &packet);
        }
    }
}
