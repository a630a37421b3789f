//! Link layers: Ethernet, LLC, PPP, and the headers that capturing programs put in front.

use super::{
    Layer, NetworkKind, PacketContent, Step, VirtualNetwork, bytes_at, exported, ip, network_at, tunnel, u16_at,
    wireless,
};

/// The layer after the header of a link layer, by its [LINKTYPE](https://www.tcpdump.org/linktypes.html).
#[inline]
pub fn link(packet: &[u8], link: u16, at: usize) -> Option<Step> {
    Some(match link {
        1 => ethernet(packet, at)?,
        // NULL and LOOP begin with an address family, which the IP version repeats.
        0 | 108 => ip::ip(packet, at + 4)?,
        // RAW, by its number in file formats and on some systems; IPV4, IPV6.
        101 | 12 | 14 | 228 | 229 => ip::ip(packet, at)?,
        // LINUX_SLL, LINUX_SLL2
        113 => cooked(u16_at(packet, at + 14)?, at + 16),
        276 => cooked(u16_at(packet, at)?, at + 20),
        // PPP, PPP_HDLC, PPP_ETHER, PPP_WITH_DIR; PPP_PPPD, where the direction replaces the address.
        9 | 50 => match packet.get(at)? {
            0x0f | 0x8f => cisco_hdlc(packet, at)?,
            _ => Step::Next(Layer::Ppp, at),
        },
        51 => Step::Next(Layer::Ppp, at + PPPOE),
        204 => Step::Next(Layer::Ppp, at + 1),
        166 => Step::Next(Layer::Ppp, at + 2),
        104 => cisco_hdlc(packet, at)?,
        105 => wireless::ieee_802_11(packet, at)?,
        119 => wireless::prism(packet, at)?,
        127 => wireless::radiotap(packet, at)?,
        163 => wireless::avs(packet, at)?,
        192 => wireless::ppi(packet, at)?,
        219 => Step::Next(Layer::Mpls, at),
        239 => nflog(packet, at)?,
        252 => exported::pdu(packet, at)?,
        _ => Step::Done(PacketContent::UnsupportedLink),
    })
}

/// The length of a PPPoE header (RFC 2516 §4).
const PPPOE: usize = 6;

#[inline]
pub fn ethernet(packet: &[u8], at: usize) -> Option<Step> {
    ether_type(u16_at(packet, at + 12)?, packet, at + 14)
}

/// The layer that begins at `at`, after an EtherType.
#[inline]
pub fn ether_type(kind: u16, packet: &[u8], at: usize) -> Option<Step> {
    Some(match kind {
        0x0800 | 0x86dd => ip::ip(packet, at)?,
        // 802.1Q (§9.3), 802.1ad, and two that were used before 802.1ad.
        0x8100 | 0x88a8 | 0x9100 | 0x9200 => {
            let vlan = VirtualNetwork::new(NetworkKind::Vlan, u32::from(u16_at(packet, at)? & 0x0fff));
            Step::Into(vlan, Layer::EtherType(u16_at(packet, at + 2)?), at + 4)
        }
        // A length: 802.3 with LLC.
        0..0x0600 => Step::Next(Layer::Llc, at),
        0x8864 => Step::Next(Layer::Ppp, at + PPPOE),
        // MPLS (RFC 5332 §3).
        0x8847 | 0x8848 => Step::Next(Layer::Mpls, at),
        // Transparent Ethernet Bridging, as in GRE (RFC 7637 §3.2); 802.1ah after its service tag.
        0x6558 => Step::Next(Layer::Ethernet, at),
        0x88e7 => Step::Into(network_at(NetworkKind::Service, packet, at + 1)?, Layer::Ethernet, at + 4),
        0x880b => Step::Next(Layer::Ppp, at),
        0x88be => tunnel::erspan_2(at),
        0x22eb => tunnel::erspan_3(packet, at)?,
        0x88e5 => Step::unread("MACsec"),
        0x894f => Step::unread("NSH"),
        _ => Step::OTHER,
    })
}

/// IEEE 802.2, with the SNAP of RFC 1042.
pub fn llc(packet: &[u8], at: usize) -> Option<Step> {
    Some(match bytes_at(packet, at)? {
        // Frames that were bridged from Ethernet have the second organization code (802.1H).
        [0xaa, 0xaa, 0x03] if matches!(bytes_at(packet, at + 3)?, [0, 0, 0 | 0xf8]) => {
            Step::Next(Layer::EtherType(u16_at(packet, at + 6)?), at + 8)
        }
        [0x06, 0x06, 0x03] => Step::Next(Layer::Ip, at + 3),
        _ => Step::OTHER,
    })
}

/// PPP (RFC 1661 §2) with or without the address and control fields of RFC 1662 §3.1.
pub fn ppp(packet: &[u8], at: usize) -> Option<Step> {
    let at = if bytes_at(packet, at)? == [0xff, 0x03] { at + 2 } else { at };
    // A protocol below 256 may be compressed to one byte (RFC 1661 §6.5).
    let first = *packet.get(at)?;
    let (protocol, at) = if first & 1 == 1 { (u16::from(first), at + 1) } else { (u16_at(packet, at)?, at + 2) };
    Some(match protocol {
        0x0021 | 0x0057 => Step::Next(Layer::Ip, at),
        0x0281 | 0x0283 => Step::Next(Layer::Mpls, at),
        0x002d | 0x002f => Step::unread("PPP with compressed TCP headers"),
        0x003d => Step::unread("PPP Multilink"),
        0x0053 | 0x00fd => Step::unread("compressed or encrypted PPP"),
        _ => Step::OTHER,
    })
}

/// The protocol of a Linux cooked header: an EtherType, or 4 for LLC.
#[inline]
const fn cooked(protocol: u16, at: usize) -> Step {
    match protocol {
        4 => Step::Next(Layer::Llc, at),
        0..0x0600 => Step::OTHER,
        kind => Step::Next(Layer::EtherType(kind), at),
    }
}

/// Cisco HDLC: an address, a control byte, an EtherType.
fn cisco_hdlc(packet: &[u8], at: usize) -> Option<Step> {
    Some(Step::Next(Layer::EtherType(u16_at(packet, at + 2)?), at + 4))
}

/// A Linux netfilter log message: attributes, one of which is an IP packet. Their numbers have the byte order of the capturing host.
fn nflog(packet: &[u8], at: usize) -> Option<Step> {
    const PAYLOAD: u16 = 9;
    // One of the two orders gives lengths that fit.
    let find = |number: fn([u8; 2]) -> u16| {
        let mut at = at + 4;
        loop {
            let len = usize::from(number(bytes_at(packet, at)?));
            let kind = number(bytes_at(packet, at + 2)?);
            if len < 4 {
                return None;
            }
            if kind == PAYLOAD {
                return Some(at + 4);
            }
            at += len.next_multiple_of(4);
        }
    };
    let payload = find(u16::from_le_bytes).or_else(|| find(u16::from_be_bytes))?;
    Some(Step::Next(Layer::Ip, payload))
}
