//! Dumps of whole packets: their TCP payload is what people want to see.

use std::net::SocketAddr;

use crate::capture::format::sequence::SeqNumber;
use crate::capture::import::link::{self, PacketContent, TcpHead};
use crate::pasted::conversation::Sided;
use crate::pasted::{Content, PasteError, Remark};

/// The link types that tcpdump and Wireshark show: Ethernet, both Linux cooked ones, IP, loopback.
const LINKS: [u16; 5] = [1, 276, 113, 101, 0];

/// Reads blocks as packets. `None` if none of them is an IP packet.
///
/// # Errors
/// No packet has TCP, one is a fragment, or they belong to several connections.
pub(super) fn read(blocks: &[&[u8]]) -> Option<Result<(Content, Remark), PasteError>> {
    let contents: Vec<PacketContent> = blocks.iter().map(|block| content(block)).collect();
    let tcp: Vec<(&TcpHead, &[u8])> = contents
        .iter()
        .zip(blocks)
        .filter_map(|(content, block)| match content {
            PacketContent::Tcp(head) => Some((head, *block)),
            _ => None,
        })
        .collect();
    let Some((first, _)) = tcp.first() else {
        return blocks.iter().any(|block| is_ip(block)).then_some(Err(PasteError::Packets("none of them has TCP")));
    };
    if contents.iter().any(|content| matches!(content, PacketContent::Fragment(_))) {
        return Some(Err(PasteError::Packets("one is an IP fragment; open the capture file instead")));
    }
    let ends = [first.source, first.destination];
    if tcp.iter().any(|(head, _)| !ends.contains(&head.source) || !ends.contains(&head.destination)) {
        return Some(Err(PasteError::Packets("they belong to several TCP connections; paste those of one")));
    }
    let (said, missing) = payloads(ends, &tcp);
    if said.is_empty() {
        return Some(Err(PasteError::Packets("none of them has a TCP payload")));
    }
    let packets = tcp.len() as u64;
    let remark = Remark::TcpPayload { packets, ignored: blocks.len() as u64 - packets, missing };
    let opener = tcp.iter().find(|(head, _)| head.flags.syn && !head.flags.ack);
    let client = opener.and_then(|(head, _)| ends.iter().position(|end| *end == head.source));
    Some(Ok(match client.filter(|_| said.iter().any(|one| one.side != said[0].side)) {
        Some(client) => (Sided::between(client, said), remark),
        None => (Sided::content(said), remark),
    }))
}

/// The payloads in the order of the packets, without what was sent again, and the number of bytes that are missing.
fn payloads(ends: [SocketAddr; 2], tcp: &[(&TcpHead, &[u8])]) -> (Vec<Sided>, u64) {
    let mut next: [Option<SeqNumber>; 2] = [None; 2];
    let (mut said, mut missing) = (Vec::new(), 0);
    for (head, packet) in tcp {
        let side = usize::from(head.source != ends[0]);
        let start = if head.flags.syn { head.seq + 1 } else { head.seq };
        let (begin, end) = head.payload;
        let ahead = next[side].map_or(0, |next| start - next);
        let skip = usize::try_from(-ahead).unwrap_or(0).min(end - begin);
        if end - begin > skip {
            missing += u64::try_from(ahead).unwrap_or(0);
            said.push(Sided { side, bytes: packet[begin + skip..end].to_vec() });
        }
        let after = start + (end - begin) as u64;
        if next[side].is_none_or(|next| after - next > 0) {
            next[side] = Some(after);
        }
    }
    (said, missing)
}

/// What a block is, as a packet of any of the link types.
fn content(block: &[u8]) -> PacketContent {
    let read = LINKS.into_iter().map(|link| link::read(link, block));
    let is_found = |content: &PacketContent| matches!(content, PacketContent::Tcp(_) | PacketContent::Fragment(_));
    read.into_iter().find(is_found).unwrap_or(PacketContent::Other)
}

/// Returns true if a block is an IPv4 packet, with or without an Ethernet header, to its last byte.
fn is_ip(block: &[u8]) -> bool {
    [0, 14].into_iter().filter_map(|at| block.get(at..)).any(|ip| match ip {
        [0x45..=0x4f, _, a, b, ..] => ip.len() >= 20 && usize::from(u16::from_be_bytes([*a, *b])) == ip.len(),
        _ => false,
    })
}
