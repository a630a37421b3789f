//! Tunnels over IP and UDP. Those that are not read are named where the bytes prove what they are.

use super::{Layer, NetworkKind, Step, bytes_at, network_at, u16_at};

/// Generic Routing Encapsulation (RFC 2784 §2, RFC 2890 §2), also with PPP (RFC 2637 §4.1).
pub fn gre(packet: &[u8], at: usize) -> Option<Step> {
    let (checksum, routing, key, sequence, acknowledgment) = (0x8000, 0x4000, 0x2000, 0x1000, 0x0080);
    let [head, kind] = [u16_at(packet, at)?, u16_at(packet, at + 2)?];
    let fields = |flags: &[u16]| 4 * flags.iter().filter(|flag| head & **flag != 0).count();
    Some(match head & 0x0007 {
        _ if head & routing != 0 => Step::unread("GRE with source routes"),
        // ERSPAN without a sequence number is version 1, which has no header of its own.
        0 if kind == 0x88be && head & sequence == 0 => Step::Next(Layer::Ethernet, at + 4),
        // NVGRE (RFC 7637 §3.2): the key begins with the number of a network.
        0 if kind == 0x6558 && head & key != 0 => {
            let network = network_at(NetworkKind::Nvgre, packet, at + 4 + fields(&[checksum]))?;
            Step::Into(network, Layer::Ethernet, at + 4 + fields(&[checksum, key, sequence]))
        }
        0 => Step::Next(Layer::EtherType(kind), at + 4 + fields(&[checksum, key, sequence])),
        // The key is always present: the payload's length and the call.
        1 => Step::Next(Layer::EtherType(kind), at + 8 + fields(&[sequence, acknowledgment])),
        _ => Step::OTHER,
    })
}

/// Mirrored Ethernet after the header of ERSPAN version 2.
pub const fn erspan_2(at: usize) -> Step {
    Step::Next(Layer::Ethernet, at + 8)
}

/// Mirrored Ethernet after the header of ERSPAN version 3, which may have a second part.
pub fn erspan_3(packet: &[u8], at: usize) -> Option<Step> {
    let [last] = bytes_at(packet, at + 11)?;
    Some(Step::Next(Layer::Ethernet, at + if last & 1 == 1 { 20 } else { 12 }))
}

/// A stack of MPLS labels (RFC 3032 §2.1), then IP, or Ethernet with or without a control word (RFC 4448 §4.6).
pub fn mpls(packet: &[u8], mut at: usize) -> Option<Step> {
    loop {
        let [_, _, bottom, _] = bytes_at(packet, at)?;
        at += 4;
        if bottom & 1 == 1 {
            break;
        }
    }
    ip_or_ethernet(packet, &[at, at + 4])
}

/// IP, or Ethernet at one of these places, after a header that does not say what follows it. An Ethernet frame is one only if it has
/// an EtherType that is read.
fn ip_or_ethernet(packet: &[u8], places: &[usize]) -> Option<Step> {
    let is_ethernet =
        |at: &usize| matches!(u16_at(packet, at + 12), Some(0x0800 | 0x86dd | 0x8100 | 0x88a8 | 0x8847 | 0x8848));
    let first = *places.first()?;
    Some(match packet.get(first)? >> 4 {
        4 | 6 => Step::Next(Layer::Ip, first),
        _ => match places.iter().copied().rev().find(is_ethernet) {
            Some(at) => Step::Next(Layer::Ethernet, at),
            None => Step::OTHER,
        },
    })
}

/// GENEVE (RFC 8926 §3.4): a header with options, an EtherType. A control packet carries nothing of the tenants.
fn geneve(packet: &[u8], at: usize) -> Option<Step> {
    let [lengths, flags] = bytes_at(packet, at)?;
    let control = 0x80;
    if flags & control != 0 {
        return Some(Step::OTHER);
    }
    let network = network_at(NetworkKind::Geneve, packet, at + 4)?;
    Some(Step::Into(network, Layer::EtherType(u16_at(packet, at + 2)?), at + 8 + usize::from(lengths & 0x3f) * 4))
}

/// A packet of a user in GTP-U (3GPP TS 29.281 §5.1, §5.2): a header, and extension headers whose first byte is their length in units
/// of 4 bytes and whose last byte is the type of the next one.
fn gtp_user(packet: &[u8], mut at: usize) -> Option<Step> {
    let [flags] = bytes_at(packet, at)?;
    let (extension, any_optional) = (0x04, 0x07);
    at += 8;
    if flags & any_optional != 0 {
        let [_, _, _, mut kind] = bytes_at(packet, at)?;
        at += 4;
        while flags & extension != 0 && kind != 0 {
            let [units] = bytes_at(packet, at)?;
            if units == 0 {
                return Some(Step::OTHER);
            }
            at += usize::from(units) * 4;
            [kind] = bytes_at(packet, at - 1)?;
        }
    }
    ip_or_ethernet(packet, &[at])
}

/// UDP (RFC 768) on the port of a tunnel.
pub fn udp(packet: &[u8], at: usize) -> Option<Step> {
    let [source, destination, len] = [u16_at(packet, at)?, u16_at(packet, at + 2)?, u16_at(packet, at + 4)?];
    let at = at + 8;
    let payload = packet.get(at..)?;
    let named = [source, destination].into_iter().find_map(|port| match (port, payload) {
        // VXLAN (RFC 7348 §5), on its port and on that of Linux before it had one.
        (4789 | 8472, [flags, ..]) if flags & 0x08 != 0 => {
            Some(Step::Into(network_at(NetworkKind::Vxlan, packet, at + 4)?, Layer::Ethernet, at + 8))
        }
        // MPLS in UDP (RFC 7510 §3).
        (6635, _) => Some(Step::Next(Layer::Mpls, at)),
        (4790, [flags, ..]) if flags & 0x08 != 0 => Some(Step::unread("VXLAN-GPE")),
        (6081, [version, ..]) if version >> 6 == 0 => geneve(packet, at),
        (2152, [version, 0xff, ..]) if version >> 4 == 3 => gtp_user(packet, at),
        (1701, [_, version, ..]) if matches!(version & 0x0f, 2 | 3) => Some(Step::unread("L2TP")),
        (3544, [0x60..=0x6f, ..] | [0, 0 | 1, ..]) => Some(Step::unread("Teredo")),
        // Keys are exchanged with a zero in place of the SPI (RFC 3948 §2).
        (4500, [a, b, c, d, _, ..]) if [*a, *b, *c, *d] != [0; 4] => Some(Step::unread("ESP")),
        (5247, [0 | 1, ..]) => Some(Step::unread("CAPWAP")),
        (4341, [_, _, _, _, _, _, _, _, 0x45..=0x4f | 0x60..=0x6f, ..]) => Some(Step::unread("LISP")),
        // Packets that a router mirrors. The fourth byte says what is mirrored: 1 is Ethernet, 0x12 is 802.11.
        (37_008, [1, 0, 0, 0x01 | 0x12, ..]) => Some(Step::unread("TZSP")),
        (51_820, [1..=4, 0, 0, 0, ..]) => Some(Step::unread("WireGuard")),
        _ => None,
    });
    let is_wireguard = matches!((payload, len), ([1, 0, 0, 0, ..], 156) | ([2, 0, 0, 0, ..], 100));
    Some(match named {
        Some(step) => step,
        // Its handshake has fixed lengths, on any port.
        None if is_wireguard => Step::unread("WireGuard"),
        None => Step::OTHER,
    })
}
