//! The layers that other programs and networks put around IP.

use proptest::prelude::*;

use super::START;
use super::packets::{Form, Link, PLAIN};
use super::tcp::Segment;

const MACS: [u8; 12] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];

/// A link layer: its name, its LINKTYPE, and what it makes of an IP packet.
pub type LinkLayer = (&'static str, u32, fn(&[u8]) -> Vec<u8>);

/// The link layers that are read.
pub const LINK_LAYERS: &[LinkLayer] = &[
    ("ethernet", 1, ethernet),
    ("vlan-in-vlan", 1, |ip| [&MACS[..], &[0x88, 0xa8, 0, 9, 0x81, 0, 0x20, 7], &kind(ip), ip].concat()),
    ("802.3-snap", 1, |ip| {
        let llc = snap(ip);
        [&MACS[..], &(llc.len() as u16).to_be_bytes(), &llc].concat()
    }),
    ("802.3-llc", 1, |ip| {
        let llc = [&[6, 6, 3], ip].concat();
        [&MACS[..], &(llc.len() as u16).to_be_bytes(), &llc].concat()
    }),
    ("mpls", 1, |ip| [&MACS[..], &[0x88, 0x47], &labels(), ip].concat()),
    ("mpls-ethernet", 1, |ip| [&MACS[..], &[0x88, 0x48], &labels(), &ethernet(ip)].concat()),
    ("mpls-control-word", 1, |ip| [&MACS[..], &[0x88, 0x47], &labels(), &[0, 0, 0, 1], &ethernet(ip)].concat()),
    ("pppoe", 1, |ip| [&MACS[..], &[0x88, 0x64], &pppoe(ip)].concat()),
    ("802.1ah", 1, |ip| [&MACS[..], &[0x88, 0xe7, 0, 0, 0, 5], &ethernet(ip)].concat()),
    ("802.11", 105, |ip| wireless(0x08, 0x01, ip)),
    ("802.11-qos", 105, |ip| wireless(0x88, 0x02, ip)),
    ("802.11-ht-control", 105, |ip| wireless(0x88, 0x83, ip)),
    ("802.11-a-msdu", 105, |ip| aggregated(&[&[0; 46], ip])),
    ("802.11-a-msdu-of-one", 105, |ip| aggregated(&[ip])),
    ("radiotap", 127, |ip| [&[0, 0, 8, 0, 0, 0, 0, 0][..], &wireless(0x08, 0x02, ip)].concat()),
    ("radiotap-padded", 127, |ip| {
        // Two bitmaps; a time stamp, flags, a rate.
        let head = [&[0, 0, 26, 0, 7, 0, 0, 0x80, 1, 0, 0, 0, 0, 0, 0, 0], &[9; 8][..], &[0x20, 2]].concat();
        let frame = wireless(0x88, 0x01, ip);
        [&head[..], &frame[..26], &[0, 0], &frame[26..]].concat()
    }),
    ("radiotap-padded-a-msdu", 127, |ip| {
        let frame = aggregated(&[ip, &[0; 46]]);
        [&[0, 0, 9, 0, 2, 0, 0, 0, 0x20], &frame[..26], &[0, 0], &frame[26..]].concat()
    }),
    ("ppi", 192, |ip| [&[0, 0, 12, 0, 105, 0, 0, 0, 1, 0, 0, 0], &wireless(0x88, 0x01, ip)[..]].concat()),
    ("ppi-ethernet", 192, |ip| [&[0, 0, 8, 0, 1, 0, 0, 0], &ethernet(ip)[..]].concat()),
    ("prism", 119, |ip| [&[0x44, 0, 0, 0, 144, 0, 0, 0], &[0; 136][..], &wireless(0x08, 0x01, ip)].concat()),
    ("avs", 163, avs),
    ("avs-as-prism", 119, avs),
    ("nflog", 239, |ip| nflog(ip, u16::to_le_bytes)),
    ("nflog-big-endian", 239, |ip| nflog(ip, u16::to_be_bytes)),
    ("ppp", 9, ppp),
    ("ppp-short-protocol", 9, |ip| [&ppp(ip)[1..]].concat()),
    ("ppp-hdlc", 50, |ip| [&[0xff, 3], &ppp(ip)[..]].concat()),
    ("cisco-hdlc-as-ppp", 50, |ip| [&[0x0f, 0], &kind(ip)[..], ip].concat()),
    ("cisco-hdlc", 104, |ip| [&[0x0f, 0], &kind(ip)[..], ip].concat()),
    ("pppoe-alone", 51, pppoe),
    ("ppp-direction", 204, |ip| [&[1, 0xff, 3], &ppp(ip)[..]].concat()),
    ("pppd", 166, |ip| [&[1, 3], &ppp(ip)[..]].concat()),
    ("mpls-alone", 219, |ip| [&labels(), ip].concat()),
    ("cooked-llc", 113, |ip| [&[0; 14], &[0, 4][..], &snap(ip)].concat()),
    ("raw", 101, <[u8]>::to_vec),
];

fn kind(ip: &[u8]) -> [u8; 2] {
    if ip[0] >> 4 == 6 { [0x86, 0xdd] } else { [0x08, 0x00] }
}

/// An Ethernet frame, padded to the shortest length.
pub fn ethernet(ip: &[u8]) -> Vec<u8> {
    let mut frame = [&MACS[..], &kind(ip), ip].concat();
    frame.resize(frame.len().max(60), 0);
    frame
}

fn snap(ip: &[u8]) -> Vec<u8> {
    [&[0xaa, 0xaa, 3, 0, 0, 0], &kind(ip)[..], ip].concat()
}

/// Two labels.
fn labels() -> [u8; 8] {
    [0, 1, 0, 64, 0, 2, 1, 64]
}

fn ppp(ip: &[u8]) -> Vec<u8> {
    [&[0, if ip[0] >> 4 == 6 { 0x57 } else { 0x21 }], ip].concat()
}

fn pppoe(ip: &[u8]) -> Vec<u8> {
    let ppp = ppp(ip);
    [&[0x11, 0, 0, 1], &(ppp.len() as u16).to_be_bytes()[..], &ppp].concat()
}

fn avs(ip: &[u8]) -> Vec<u8> {
    [&[0x80, 0x21, 0x10, 1, 0, 0, 0, 64], &[0; 56][..], &wireless(0x08, 0x01, ip)].concat()
}

/// An 802.11 data frame with these two control bytes, and a checksum at its end.
pub fn wireless(control: u8, flags: u8, ip: &[u8]) -> Vec<u8> {
    let mut head = vec![control, flags, 0, 0];
    head.extend([2; 18]);
    head.extend([0x50, 0x01]);
    if flags & 3 == 3 {
        head.extend([3; 6]);
    }
    if control & 0x80 != 0 {
        head.extend([0, 0]);
        if flags & 0x80 != 0 {
            head.extend([0; 4]);
        }
    }
    [head, snap(ip), vec![1, 2, 3, 4]].concat()
}

/// An A-MSDU with these packets, and a checksum at its end. Each but the last is padded to a multiple of 4 bytes.
pub fn aggregated(packets: &[&[u8]]) -> Vec<u8> {
    let mut frame = wireless(0x88, 0x01, &[0x45])[..26].to_vec();
    frame[24] |= 0x80;
    for (n, packet) in packets.iter().enumerate() {
        let llc = snap(packet);
        let whole = [&MACS[..], &(llc.len() as u16).to_be_bytes(), &llc].concat();
        frame.extend(&whole);
        if n + 1 < packets.len() {
            frame.extend(&[0; 3][..whole.len().wrapping_neg() % 4]);
        }
    }
    [frame, vec![1, 2, 3, 4]].concat()
}

/// The attributes before the packet: a packet header, a prefix whose length is not a multiple of 4.
fn nflog(ip: &[u8], number: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let attribute = |kind: u16, value: &[u8]| {
        let mut whole = [&number(value.len() as u16 + 4)[..], &number(kind), value].concat();
        whole.resize(whole.len().next_multiple_of(4), 0);
        whole
    };
    [vec![2, 0, 0, 5], attribute(1, &[8, 0, 1, 0]), attribute(10, b"web\0\0"), attribute(9, ip)].concat()
}

/// A tunnel around IP packets.
#[derive(Clone, Copy, Debug)]
pub enum TunnelKind {
    IpInIp,
    /// With these bits of its flags: checksum, key, sequence number.
    Gre(u16),
    /// GRE around Ethernet, as NVGRE uses it.
    Nvgre,
    Erspan2,
    Erspan3,
    Pptp,
    Vxlan(u16),
    /// Around Ethernet, with options.
    Geneve,
    GeneveIp,
    /// GTP-U with these bits of its flags: extension headers, sequence number, N-PDU number.
    GtpUser(u8),
    GtpEthernet,
    MplsInIp,
    MplsInUdp,
    EtherIp,
    Authentication,
}

impl TunnelKind {
    pub const ALL: [(&'static str, Self); 18] = [
        ("ip-in-ip", Self::IpInIp),
        ("gre", Self::Gre(0)),
        ("gre-with-fields", Self::Gre(0xb000)),
        ("nvgre", Self::Nvgre),
        ("erspan-2", Self::Erspan2),
        ("erspan-3", Self::Erspan3),
        ("pptp", Self::Pptp),
        ("vxlan", Self::Vxlan(4789)),
        ("vxlan-8472", Self::Vxlan(8472)),
        ("geneve", Self::Geneve),
        ("geneve-ip", Self::GeneveIp),
        ("gtp-u", Self::GtpUser(0)),
        ("gtp-u-with-extensions", Self::GtpUser(4)),
        ("gtp-u-ethernet", Self::GtpEthernet),
        ("mpls-in-ip", Self::MplsInIp),
        ("mpls-in-udp", Self::MplsInUdp),
        ("etherip", Self::EtherIp),
        ("authentication", Self::Authentication),
    ];
}

/// A tunnel, and how its packets cross the network.
#[derive(Clone, Copy, Debug)]
pub struct Tunnel {
    pub kind: TunnelKind,
    /// Whether its packets are IPv6.
    pub v6: bool,
    /// The most bytes of a packet's payload in one fragment, a multiple of 8.
    pub fragment: Option<usize>,
}

pub fn any_tunnel() -> impl Strategy<Value = Tunnel> {
    let kind = prop_oneof![
        proptest::sample::select(&TunnelKind::ALL[..]).prop_map(|(_, kind)| kind),
        any::<u16>().prop_map(|bits| TunnelKind::Gre(bits & 0xb000)),
        any::<u8>().prop_map(|bits| TunnelKind::GtpUser(bits & 7)),
    ];
    let fragment = proptest::option::of((8usize..80).prop_map(|units| units * 8));
    (kind, any::<bool>(), fragment).prop_map(|(kind, v6, fragment)| Tunnel { kind, v6, fragment })
}

impl Tunnel {
    pub const fn of(kind: TunnelKind) -> Self {
        Self { kind, v6: false, fragment: None }
    }

    /// The packets that carry an IP packet. `id` differs from those of all other packets.
    pub fn around(self, packet: &[u8], id: u16) -> Vec<Vec<u8>> {
        let inner = if packet[0] >> 4 == 6 { 41 } else { 4 };
        let (protocol, payload) = match self.kind {
            TunnelKind::IpInIp => (inner, packet.to_vec()),
            TunnelKind::Gre(flags) => {
                let fields = vec![7; 4 * (flags & 0xb000).count_ones() as usize];
                (47, [&flags.to_be_bytes(), &kind(packet)[..], &fields, packet].concat())
            }
            TunnelKind::Nvgre => (47, [&[0x20, 0, 0x65, 0x58, 0, 0, 5, 1], &ethernet(packet)[..]].concat()),
            TunnelKind::Erspan2 => {
                (47, [&[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1], &[0x10, 0, 0, 1, 0, 0, 0, 0][..], &ethernet(packet)].concat())
            }
            TunnelKind::Erspan3 => {
                let head = [&[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1], &[0x20, 0, 0, 1][..], &[0; 7], &[1], &[0; 8]].concat();
                (47, [head, ethernet(packet)].concat())
            }
            TunnelKind::Pptp => (47, [&[0x30, 0x81, 0x88, 0x0b], &[0; 12][..], &ppp(packet)].concat()),
            TunnelKind::Vxlan(port) => (17, udp(port, &[&[8, 0, 0, 0, 0, 0, 5, 0], &ethernet(packet)[..]].concat())),
            TunnelKind::Geneve => {
                let head = [&[2, 0x40, 0x65, 0x58, 0, 0, 5, 0][..], &[1, 2, 0x80, 1, 9, 9, 9, 9]].concat();
                (17, udp(6081, &[head, ethernet(packet)].concat()))
            }
            TunnelKind::GeneveIp => (17, udp(6081, &[&[0, 0], &kind(packet)[..], &[0, 0, 5, 0], packet].concat())),
            TunnelKind::GtpUser(flags) => {
                // A PDU session container, then an extension header of 8 bytes.
                let extensions: &[u8] = if flags & 4 != 0 { &[1, 0, 9, 0xc0, 2, 0, 1, 2, 3, 4, 5, 0] } else { &[] };
                let next = if flags & 4 != 0 { 0x85 } else { 0 };
                let optional: &[u8] = if flags != 0 { &[0, 1, 0, next] } else { &[] };
                let len = (optional.len() + extensions.len() + packet.len()) as u16;
                let head =
                    [&[0x30 | flags, 0xff][..], &len.to_be_bytes(), &[0, 0, 0, 7], optional, extensions].concat();
                (17, udp(2152, &[&head, packet].concat()))
            }
            TunnelKind::GtpEthernet => {
                (17, udp(2152, &[&[0x30, 0xff, 0, 60, 0, 0, 0, 7], &ethernet(packet)[..]].concat()))
            }
            TunnelKind::MplsInIp => (137, [&labels(), packet].concat()),
            TunnelKind::MplsInUdp => (17, udp(6635, &[&labels(), packet].concat())),
            TunnelKind::EtherIp => (97, [&[0x30, 0], &ethernet(packet)[..]].concat()),
            TunnelKind::Authentication => (51, [&[inner, 4, 0, 0], &[9; 20][..], packet].concat()),
        };
        ip(self.v6, protocol, &payload, self.fragment, id)
    }
}

pub fn udp(port: u16, payload: &[u8]) -> Vec<u8> {
    [&[0xc0, 0x01], &port.to_be_bytes()[..], &(payload.len() as u16 + 8).to_be_bytes(), &[0, 0], payload].concat()
}

/// The IP packets with a payload, in fragments of at most `size` bytes if a size is given.
pub fn ip(v6: bool, protocol: u8, payload: &[u8], size: Option<usize>, id: u16) -> Vec<Vec<u8>> {
    let size = size.unwrap_or(payload.len());
    let count = payload.len().div_ceil(size);
    let part = |(n, part): (usize, &[u8])| {
        let place = (n * size) as u16;
        let more = u16::from(n + 1 < count);
        if v6 {
            let id = [0, 0, (id >> 8) as u8, id as u8];
            let header = [&[protocol, 0], &(place | more).to_be_bytes()[..], &id].concat();
            let header = if count > 1 { header } else { vec![] };
            let next = if count > 1 { 44 } else { protocol };
            let len = (header.len() + part.len()) as u16;
            [&[0x60, 0, 0, 0], &len.to_be_bytes()[..], &[next, 64], &[0xfd; 16], &[0xfc; 16], &header, part].concat()
        } else {
            let len = (20 + part.len()) as u16;
            let place = (place / 8) | more << 13;
            let head = [&[0x45, 0], &len.to_be_bytes()[..], &id.to_be_bytes(), &place.to_be_bytes()].concat();
            [&head, &[64, protocol, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2][..], part].concat()
        }
    };
    payload.chunks(size).enumerate().map(part).collect()
}

/// A file of packets with this LINKTYPE.
pub fn file(link: u32, packets: &[Vec<u8>]) -> Vec<u8> {
    let form = Form { link: Link::Raw(link), ..PLAIN };
    let records = packets.iter().enumerate().map(|(n, packet)| form.packet(packet, START + n as u64 * 1_000_000));
    [form.head(), records.collect::<Vec<_>>().concat()].concat()
}

/// A file with these segments in tunnels, the innermost first, on a link layer.
pub fn tunnelled(segments: &[Segment], v6: bool, tunnels: &[Tunnel], (_, link, wrap): &LinkLayer) -> Vec<u8> {
    let form = Form { v6, ..PLAIN };
    let mut packets: Vec<Vec<u8>> = segments.iter().enumerate().map(|(n, s)| form.wrapped(s, n)).collect();
    for (depth, tunnel) in tunnels.iter().enumerate() {
        let around = |(n, packet): (usize, &Vec<u8>)| tunnel.around(packet, (n * tunnels.len() + depth) as u16);
        packets = packets.iter().enumerate().flat_map(around).collect();
    }
    file(*link, &packets.iter().map(|packet| wrap(packet)).collect::<Vec<_>>())
}

/// The tags and the payload of a PDU that Wireshark exports, of a conversation between ports 40000 and 443.
pub fn pdu(v6: bool, up: bool, more: &[(u16, Vec<u8>)], payload: &[u8]) -> Vec<u8> {
    let ends = |client: Vec<u8>, server: Vec<u8>| if up { [client, server] } else { [server, client] };
    let [source, destination] = if v6 { ends(vec![1; 16], vec![2; 16]) } else { ends(vec![1; 4], vec![2; 4]) };
    let [from, to] = ends(40_000u32.to_be_bytes().to_vec(), 443u32.to_be_bytes().to_vec());
    let host = if v6 { 22 } else { 20 };
    let mut tags = vec![(13, b"http_tls".to_vec()), (host, source), (host + 1, destination), (24, vec![0, 0, 0, 2])];
    tags.extend([(25, from), (26, to), (30, vec![0, 0, 0, 7])]);
    tags.extend_from_slice(more);
    tags.push((0, vec![]));
    let tag =
        |(kind, value): &(u16, Vec<u8>)| [&kind.to_be_bytes()[..], &(value.len() as u16).to_be_bytes(), value].concat();
    [&tags.iter().map(tag).collect::<Vec<_>>().concat()[..], payload].concat()
}
