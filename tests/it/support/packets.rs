//! Captures as other programs write them: TCP segments in files of many forms.

use super::START;
use super::tcp::{Segment, Tcp, probed, reordered, repeated};

/// The layer around IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    Raw(u32),
    Ethernet,
    Vlan,
    Qinq,
    Cooked,
    Cooked2,
    Null,
    Loop,
}

/// The form of a file.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    pub pcapng: bool,
    pub big: bool,
    pub nanos: bool,
    pub link: Link,
    pub v6: bool,
    /// The snap length: the most that is captured of a packet.
    pub snap: usize,
}

pub const PLAIN: Form =
    Form { pcapng: false, big: false, nanos: false, link: Link::Raw(101), v6: false, snap: 262_144 };

impl Form {
    fn u32(&self, value: u32) -> [u8; 4] {
        if self.big { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    fn u16(&self, value: u16) -> [u8; 2] {
        if self.big { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    fn link_type(&self) -> u32 {
        match self.link {
            Link::Raw(number) => number,
            Link::Ethernet | Link::Vlan | Link::Qinq => 1,
            Link::Cooked => 113,
            Link::Cooked2 => 276,
            Link::Null => 0,
            Link::Loop => 108,
        }
    }

    /// A file with these segments, a millisecond apart.
    pub fn file(&self, segments: &[Segment]) -> Vec<u8> {
        let mut out = self.head();
        for (n, segment) in segments.iter().enumerate() {
            out.extend(self.packet(&self.wrapped(segment, n), START + n as u64 * 1_000_000));
        }
        out
    }

    /// The head of the file, before the packets.
    pub fn head(&self) -> Vec<u8> {
        if !self.pcapng {
            let magic = if self.nanos { 0xa1b2_3c4d } else { 0xa1b2_c3d4 };
            let version = [self.u16(2), self.u16(4)].concat();
            let rest = [0, 0, self.snap as u32, self.link_type()].map(|word| self.u32(word)).concat();
            return [&self.u32(magic)[..], &version, &rest].concat();
        }
        let section = [&self.u32(0x1a2b_3c4d)[..], &self.u16(1), &self.u16(0), &[0xff; 8]].concat();
        let resolution =
            if self.nanos { [&self.u16(9)[..], &self.u16(1), &[9, 0, 0, 0], &[0; 4]].concat() } else { vec![] };
        let interface =
            [&self.u16(self.link_type() as u16)[..], &[0; 2], &self.u32(self.snap as u32), &resolution].concat();
        [self.block(0x0a0d_0d0a, &section), self.block(1, &interface)].concat()
    }

    pub fn block(&self, kind: u32, body: &[u8]) -> Vec<u8> {
        let padded = body.len().next_multiple_of(4);
        let total = self.u32(padded as u32 + 12);
        [&self.u32(kind)[..], &total, body, &vec![0; padded - body.len()], &total].concat()
    }

    /// A packet at a time in nanoseconds.
    pub fn packet(&self, packet: &[u8], time: u64) -> Vec<u8> {
        let seen = &packet[..packet.len().min(self.snap)];
        let lengths = [seen.len() as u32, packet.len() as u32].map(|word| self.u32(word)).concat();
        let ticks = if self.nanos { time } else { time / 1000 };
        if self.pcapng {
            let head = [0, (ticks >> 32) as u32, ticks as u32].map(|word| self.u32(word)).concat();
            return self.block(6, &[&head[..], &lengths, seen].concat());
        }
        let second = if self.nanos { 1_000_000_000 } else { 1_000_000 };
        let head = [(ticks / second) as u32, (ticks % second) as u32].map(|word| self.u32(word)).concat();
        [&head[..], &lengths, seen].concat()
    }

    /// A segment with the layers around it. Each third IPv6 packet has extension headers.
    pub fn wrapped(&self, segment: &Segment, n: usize) -> Vec<u8> {
        let ip = if self.v6 { ipv6(segment, n % 3 == 2) } else { ipv4(segment) };
        let kind: [u8; 2] = if self.v6 { [0x86, 0xdd] } else { [0x08, 0x00] };
        let macs = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
        let link = match self.link {
            Link::Raw(_) => vec![],
            Link::Ethernet => [&macs[..], &kind].concat(),
            Link::Vlan => [&macs[..], &[0x81, 0, 0x20, 7], &kind].concat(),
            Link::Qinq => [&macs[..], &[0x88, 0xa8, 0, 9, 0x81, 0, 0x20, 7], &kind].concat(),
            Link::Cooked => [&[0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0][..], &kind].concat(),
            Link::Cooked2 => [&kind[..], &[0; 2], &[0, 0, 0, 2, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0]].concat(),
            Link::Null => self.u32(if self.v6 { 30 } else { 2 }).to_vec(),
            Link::Loop => (if self.v6 { 30u32 } else { 2 }).to_be_bytes().to_vec(),
        };
        let mut packet = [link, ip].concat();
        if matches!(self.link, Link::Ethernet | Link::Vlan | Link::Qinq) && packet.len() < 60 {
            packet.resize(60, 0); // the shortest frame: padding is no payload
        }
        packet
    }
}

fn tcp(segment: &Segment) -> Vec<u8> {
    let (client, server) = (40_000u16, 80u16);
    let (from, to) = if segment.up { (client, server) } else { (server, client) };
    let mut tcp = [from.to_be_bytes(), to.to_be_bytes()].concat();
    tcp.extend(segment.seq.to_be_bytes());
    tcp.extend(segment.ack.to_be_bytes());
    // With timestamps, as usual: 12 bytes of options.
    tcp.extend([0x80, segment.flags, 0xff, 0xff, 0, 0, 0, 0]);
    tcp.extend([1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2]);
    tcp.extend(&segment.payload);
    tcp
}

fn ipv4(segment: &Segment) -> Vec<u8> {
    let (client, server) = ([10, 0, 0, 1], [10, 0, 0, 2]);
    let (from, to) = if segment.up { (client, server) } else { (server, client) };
    let tcp = tcp(segment);
    let mut packet = vec![0x45, 0];
    packet.extend((20 + tcp.len() as u16).to_be_bytes());
    packet.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
    packet.extend(from);
    packet.extend(to);
    packet.extend(tcp);
    packet
}

fn ipv6(segment: &Segment, extensions: bool) -> Vec<u8> {
    let address = |last: u8| [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last];
    let (from, to) = if segment.up { (address(1), address(2)) } else { (address(2), address(1)) };
    let tcp = tcp(segment);
    // Hop-by-hop options, then destination options, both with nothing but padding.
    let headers: &[u8] = if extensions { &[60, 0, 1, 4, 0, 0, 0, 0, 6, 0, 1, 4, 0, 0, 0, 0] } else { &[] };
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend((headers.len() as u16 + tcp.len() as u16).to_be_bytes());
    packet.extend([if extensions { 0 } else { 6 }, 64]);
    packet.extend(from);
    packet.extend(to);
    packet.extend(headers);
    packet.extend(tcp);
    packet
}

/// Files that hold the whole conversation, each with the name of its form.
pub fn variety() -> Vec<(String, Vec<u8>)> {
    let talk = Tcp::conversation(1000, 70_000).segments;
    let mut files = Vec::new();
    for link in [
        Link::Raw(101),
        Link::Raw(12),
        Link::Ethernet,
        Link::Vlan,
        Link::Qinq,
        Link::Cooked,
        Link::Cooked2,
        Link::Null,
        Link::Loop,
    ] {
        for (v6, pcapng, big, nanos) in [
            (false, false, false, false),
            (true, false, true, true),
            (false, true, true, false),
            (true, true, false, true),
        ] {
            let form = Form { pcapng, big, nanos, link, v6, ..PLAIN };
            files.push((format!("{link:?} v6={v6} pcapng={pcapng} big={big} nanos={nanos}"), form.file(&talk)));
        }
    }
    files.push(("IPV4".to_owned(), Form { link: Link::Raw(228), ..PLAIN }.file(&talk)));
    files.push(("IPV6".to_owned(), Form { link: Link::Raw(229), v6: true, ..PLAIN }.file(&talk)));
    files.push(("reordered".to_owned(), PLAIN.file(&reordered(&talk))));
    files.push(("repeated".to_owned(), PLAIN.file(&repeated(&talk))));
    files.push(("repeated and reordered".to_owned(), PLAIN.file(&reordered(&repeated(&talk)))));
    files.push(("wrapped".to_owned(), PLAIN.file(&Tcp::conversation(u32::MAX - 300, u32::MAX - 1000).segments)));
    files.push(("no SYN".to_owned(), PLAIN.file(&talk[3..])));
    files.push(("probes".to_owned(), PLAIN.file(&probed(&talk))));
    let pcapng = Form { pcapng: true, ..PLAIN };
    let big = Form { pcapng: true, big: true, link: Link::Ethernet, ..PLAIN };
    let (first, second) = talk.split_at(talk.len() / 2);
    files.push(("two sections".to_owned(), [pcapng.file(first), big.file(second)].concat()));
    files.push(("two interfaces".to_owned(), two_interfaces(&talk)));
    for v6 in [false, true] {
        let form = Form { v6, ..PLAIN };
        let mut backwards = fragments(&form, &talk, 24);
        backwards.iter_mut().for_each(|of_one| of_one.reverse());
        let all = [("", fragments(&form, &talk, 64)), ("small ", fragments(&form, &talk, 8)), ("backward ", backwards)];
        for (name, fragments) in all {
            let file = [form.head(), fragments.concat().concat()].concat();
            files.push((format!("{name}fragments v6={v6}"), file));
        }
    }
    files
}

/// The packets of raw IP, each cut into fragments of at most `size` bytes, a multiple of 8: the bytes of a file without its head.
pub fn fragments(form: &Form, segments: &[Segment], size: usize) -> Vec<Vec<Vec<u8>>> {
    let packets = segments.iter().enumerate().map(|(n, segment)| {
        let whole = if form.v6 { ipv6(segment, false) } else { ipv4(segment) };
        let (head, body) = whole.split_at(if form.v6 { 40 } else { 20 });
        let count = body.len().div_ceil(size);
        let cut = body.chunks(size).enumerate().map(|(i, part)| {
            let mut head = head.to_vec();
            let place = (i * size) as u16;
            let more = i + 1 < count;
            if form.v6 {
                head[4..6].copy_from_slice(&(8 + part.len() as u16).to_be_bytes());
                head[6] = 44;
                head.extend([6, 0]);
                head.extend((place | u16::from(more)).to_be_bytes());
                head.extend((n as u32 + 7).to_be_bytes());
            } else {
                head[2..4].copy_from_slice(&(20 + part.len() as u16).to_be_bytes());
                head[4..6].copy_from_slice(&(n as u16 + 7).to_be_bytes());
                head[6..8].copy_from_slice(&((place / 8) | (u16::from(more) << 13)).to_be_bytes());
            }
            let time = START + n as u64 * 1_000_000 + i as u64;
            form.packet(&[&head[..], part].concat(), time)
        });
        cut.collect()
    });
    packets.collect()
}

/// The directions come from interfaces of different link types and resolutions.
fn two_interfaces(segments: &[Segment]) -> Vec<u8> {
    let raw = Form { pcapng: true, ..PLAIN };
    let cooked = Form { link: Link::Cooked2, nanos: true, ..raw };
    let mut out = raw.head();
    out.extend(&cooked.head()[28..]);
    for (n, segment) in segments.iter().enumerate() {
        let form = if segment.up { raw } else { cooked };
        let mut block = form.packet(&form.wrapped(segment, n), START + n as u64 * 1_000_000);
        block[8] = u8::from(!segment.up);
        out.extend(block);
    }
    out
}
