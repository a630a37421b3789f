//! IEEE 802.11, with the headers that capturing programs put in front of it.

use super::{Layer, PacketContent, Step, VirtualNetwork, bytes_at, read_layers, u16_at};

/// The LINKTYPE of 802.11 without such a header.
const IEEE_802_11: u16 = 105;

/// A frame of IEEE 802.11-2020 §9.2.3. Only data frames that contain whole, unencrypted packets are read.
pub fn ieee_802_11(packet: &[u8], at: usize) -> Option<Step> {
    const DATA: u8 = 0x08;
    let [control, flags] = bytes_at(packet, at)?;
    let (to_and_from_ds, more_fragments, protected, order, aggregated) = (0x03, 0x04, 0x40, 0x80, 0x80);
    // The version and the type; then the subtypes without payload.
    if control & 0x0f != DATA || control & 0x40 != 0 {
        return Some(Step::OTHER);
    }
    if flags & protected != 0 {
        return Some(Step::unread("encrypted 802.11 frames"));
    }
    let [fragment] = bytes_at(packet, at + 22)?;
    if flags & more_fragments != 0 || fragment & 0x0f != 0 {
        return Some(Step::unread("fragmented 802.11 frames"));
    }
    let mut at = at + 24;
    if flags & to_and_from_ds == to_and_from_ds {
        at += 6;
    }
    if control & 0x80 != 0 {
        let [quality] = bytes_at(packet, at)?;
        at += if flags & order != 0 { 6 } else { 2 };
        if quality & aggregated != 0 {
            return Some(Step::Next(Layer::Aggregate, at));
        }
    }
    Some(Step::Next(Layer::Llc, at))
}

/// The packets in an A-MSDU that begins at `at` (IEEE 802.11-2020 §9.3.2.2.2): each after two addresses and its length, on a multiple
/// of 4 bytes from the beginning. The checksum at the end is shorter than the header of a packet.
pub fn aggregated(packet: &[u8], at: usize) -> impl Iterator<Item = PacketContent> {
    let mut begin = at;
    std::iter::from_fn(move || {
        let header = 14;
        let len = usize::from(u16_at(packet, begin + 12)?);
        let llc = begin + header;
        begin = at + (llc + len - at).next_multiple_of(4);
        Some(read_layers(packet, Layer::Llc, llc, VirtualNetwork::default()))
    })
}

/// [Radiotap](https://www.radiotap.org): a length, a bitmap of fields, the fields.
pub fn radiotap(packet: &[u8], at: usize) -> Option<Step> {
    let len = usize::from(u16::from_le_bytes(bytes_at(packet, at + 2)?));
    let flags = radiotap_flags(packet, at).unwrap_or(0);
    let (padded, wrong_checksum) = (0x20, 0x40);
    let frame = at + len;
    Some(match ieee_802_11(packet, frame)? {
        Step::Next(..) if flags & wrong_checksum != 0 => Step::unread("802.11 frames with a wrong checksum"),
        // Zeros after the 802.11 header make its length a multiple of 4.
        Step::Next(layer, payload) if flags & padded != 0 => {
            Step::Next(layer, frame + (payload - frame).next_multiple_of(4))
        }
        step => step,
    })
}

/// The field Flags of a radiotap header.
fn radiotap_flags(packet: &[u8], at: usize) -> Option<u8> {
    let (time_stamp, flags, another_bitmap) = (1, 2, 1 << 31);
    let bitmap = |at| bytes_at(packet, at).map(u32::from_le_bytes);
    let present = bitmap(at + 4)?;
    let mut fields = at + 8;
    let mut latest = present;
    while latest & another_bitmap != 0 {
        latest = bitmap(fields)?;
        fields += 4;
    }
    if present & flags == 0 {
        return None;
    }
    if present & time_stamp != 0 {
        fields = at + (fields - at).next_multiple_of(8) + 8;
    }
    packet.get(fields).copied()
}

/// The header of old Prism cards: a code and the header's length, in the byte order of the capturing host. Some drivers write the
/// header of AVS under the same LINKTYPE.
pub fn prism(packet: &[u8], at: usize) -> Option<Step> {
    if bytes_at(packet, at)? == AVS {
        return avs(packet, at);
    }
    let len: [u8; 4] = bytes_at(packet, at + 4)?;
    let len = u32::from_le_bytes(len).min(u32::from_be_bytes(len));
    ieee_802_11(packet, at.checked_add(len as usize)?)
}

/// What an AVS header begins with, besides its version.
const AVS: [u8; 3] = [0x80, 0x21, 0x10];

/// The header of AVS: a version and the header's length.
pub fn avs(packet: &[u8], at: usize) -> Option<Step> {
    let len = u32::from_be_bytes(bytes_at(packet, at + 4)?);
    ieee_802_11(packet, at.checked_add(len as usize)?)
}

/// CACE's Per-Packet Information: a length, and the LINKTYPE of what follows.
pub fn ppi(packet: &[u8], at: usize) -> Option<Step> {
    let [_, _, a, b, link @ ..] = bytes_at::<8>(packet, at)?;
    let len = usize::from(u16::from_le_bytes([a, b]));
    let link = u16::try_from(u32::from_le_bytes(link)).unwrap_or(u16::MAX);
    match link {
        _ if len < 8 => Some(Step::OTHER),
        IEEE_802_11 => ieee_802_11(packet, at + len),
        link => Some(Step::Next(Layer::Link(link), at + len)),
    }
}
