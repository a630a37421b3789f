//! Packets out of pcapng and pcap files, with their places in the file (draft-ietf-opsawg-pcapng §4, draft-ietf-opsawg-pcap §4, §5).
//!
//! A file that ends inside a block may go on later: reading stands before that block and can be tried again.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use super::interface::{Interface, Order, options};
use super::pcapng::{ENHANCED_PACKET, INTERFACE, OPT_COMMENT, SECTION_HEADER};
use crate::proto::time::Time;

/// How much of the file is read at once, in bytes; more for a larger block.
const WINDOW: usize = 512 * 1024;

/// The largest packet block that is read, in bytes.
const MAX_BLOCK: usize = 64 * 1024 * 1024;

const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;

/// A packet and its place in the file.
#[derive(Debug)]
pub struct Packet<'a> {
    /// The LINKTYPE of its interface.
    pub link: u16,
    pub time: Time,
    /// What was captured of it.
    pub bytes: &'a [u8],
    /// File position of the first of these bytes.
    pub position: u64,
    options: &'a [u8],
    order: Order,
}

/// What a section of the file says of itself.
#[derive(Debug)]
pub struct Section<'a> {
    options: &'a [u8],
    order: Order,
}

/// What stands next in the file.
#[derive(Debug)]
pub enum Next<'a> {
    Packet(Packet<'a>),
    Section(Section<'a>),
    /// A block without a packet, or one on an interface that nobody described.
    Other,
    /// The file ends here, so many bytes into a block.
    End(u64),
    /// These bytes are no block.
    Damaged,
    /// The system does not give the bytes.
    Unreadable,
}

#[derive(Debug)]
enum Form {
    /// Nothing was read.
    Unknown,
    Pcapng {
        order: Order,
        interfaces: Vec<Interface>,
    },
    Pcap {
        order: Order,
        interface: Interface,
        /// Of a packet record, in bytes: 16, or 24 in a variant of old.
        header_len: usize,
    },
}

/// Reads a file block by block.
pub struct Blocks {
    file: Arc<File>,
    window: Vec<u8>,
    /// File position of the window's first byte.
    start: u64,
    /// Where in the window the next block begins, and where what was read ends.
    here: usize,
    end: usize,
    form: Form,
    /// The latest packet's: a simple packet block has none of its own.
    time: Time,
}

impl Blocks {
    /// From the beginning of a file.
    pub fn new(file: Arc<File>) -> Self {
        Self { file, window: vec![0; WINDOW], start: 0, here: 0, end: 0, form: Form::Unknown, time: Time::default() }
    }

    /// File position of the next block.
    pub const fn position(&self) -> u64 {
        self.start + self.here as u64
    }

    /// Reads the next block. After [`Next::End`] it may be called again, when the file has grown.
    #[inline]
    pub fn next(&mut self) -> Next<'_> {
        let read = match self.form {
            Form::Unknown => self.begin(),
            Form::Pcapng { .. } => self.block(),
            Form::Pcap { order, interface, header_len } => self.record(order, interface, header_len),
        };
        match read {
            Ok(Step::Packet { from, len, interface, time, options }) => {
                self.time = time;
                Next::Packet(Packet {
                    link: interface.link,
                    time,
                    bytes: &self.window[from..from + len],
                    position: self.start + from as u64,
                    options: &self.window[options.0..options.1],
                    order: self.order(),
                })
            }
            Ok(Step::Section { options }) => {
                Next::Section(Section { options: &self.window[options.0..options.1], order: self.order() })
            }
            Ok(Step::Other) => Next::Other,
            Ok(Step::End) => Next::End((self.end - self.here) as u64),
            Ok(Step::Damaged) => Next::Damaged,
            Err(_) => Next::Unreadable,
        }
    }

    /// What the file begins with tells what it is.
    fn begin(&mut self) -> io::Result<Step> {
        if !self.have(24)? {
            return Ok(Step::End);
        }
        let head = &self.window[self.here..self.here + 24];
        let magic = u32::from_le_bytes([head[0], head[1], head[2], head[3]]);
        if magic == SECTION_HEADER {
            self.form = Form::Pcapng { order: Order::Little, interfaces: Vec::new() };
            return self.block();
        }
        let (order, magic) = match magic & 0xff {
            0xa1 => (Order::Big, magic.swap_bytes()),
            _ => (Order::Little, magic),
        };
        let (units, header_len) = match magic {
            0xa1b2_c3d4 => (1_000_000, 16),
            0xa1b2_3c4d => (1_000_000_000, 16),
            // "Modified" of libpcap, which old Linux distributions wrote.
            0xa1b2_cd34 => (1_000_000, 24),
            _ => return Ok(Step::Damaged),
        };
        let link = order.u32(head, 20) as u16; // Above stands the length of the frame check sequence.
        let interface = Interface { link, units, offset: 0, snap_len: 0 };
        self.form = Form::Pcap { order, interface, header_len };
        self.here += 24;
        Ok(Step::Other)
    }

    /// A packet record of pcap.
    #[inline]
    fn record(&mut self, order: Order, interface: Interface, header_len: usize) -> io::Result<Step> {
        if !self.have(header_len)? {
            return Ok(Step::End);
        }
        let head = &self.window[self.here..];
        let len = order.u32(head, 8) as usize;
        let raw = u64::from(order.u32(head, 0)) * interface.units + u64::from(order.u32(head, 4));
        if len > MAX_BLOCK {
            return Ok(Step::Damaged);
        }
        if !self.have(header_len + len)? {
            return Ok(Step::End);
        }
        let from = self.here + header_len;
        self.here = from + len;
        Ok(Step::Packet { from, len, interface, time: interface.time(raw), options: (0, 0) })
    }

    /// A block of pcapng.
    #[inline]
    fn block(&mut self) -> io::Result<Step> {
        if !self.have(12)? {
            return Ok(Step::End);
        }
        let head = &self.window[self.here..self.here + 12];
        if head[..4] == SECTION_HEADER.to_le_bytes() {
            let order = match head[8..12] {
                [0x4d, 0x3c, 0x2b, 0x1a] => Order::Little,
                [0x1a, 0x2b, 0x3c, 0x4d] => Order::Big,
                _ => return Ok(Step::Damaged),
            };
            self.form = Form::Pcapng { order, interfaces: Vec::new() };
        }
        let order = self.order();
        let head = &self.window[self.here..self.here + 12];
        let (kind, total) = (order.u32(head, 0), order.u32(head, 4) as usize);
        if total < 12 {
            return Ok(Step::Damaged);
        }
        if total > WINDOW && !matches!(kind, ENHANCED_PACKET | SIMPLE_PACKET | OBSOLETE_PACKET) {
            return self.pass_over(total as u64);
        }
        if total > MAX_BLOCK {
            return Ok(Step::Damaged);
        }
        if !self.have(total)? {
            return Ok(Step::End);
        }
        let from = self.here;
        let block = &self.window[from..from + total];
        if order.u32(block, total - 4) as usize != total {
            return Ok(Step::Damaged);
        }
        let step = self.known(kind, from, total);
        if !matches!(step, Step::Damaged) {
            self.here = from + total;
        }
        Ok(step)
    }

    /// Reads a block that is whole.
    #[inline]
    fn known(&mut self, kind: u32, from: usize, total: usize) -> Step {
        let Form::Pcapng { order, interfaces } = &mut self.form else { return Step::Other };
        let order = *order;
        let block = &self.window[from..from + total];
        let (number, data) = match kind {
            SECTION_HEADER if total >= 28 => return Step::Section { options: (from + 24, from + total - 4) },
            INTERFACE if total >= 20 => {
                interfaces.push(Interface::described(order, block));
                return Step::Other;
            }
            ENHANCED_PACKET if total >= 32 => (order.u32(block, 8) as usize, 28),
            OBSOLETE_PACKET if total >= 32 => (usize::from(order.u16(block, 8)), 28),
            SIMPLE_PACKET if total >= 16 => (0, 12),
            ENHANCED_PACKET | OBSOLETE_PACKET | SIMPLE_PACKET | INTERFACE => return Step::Damaged,
            _ => return Step::Other,
        };
        let room = total - 4 - data;
        let Some(interface) = interfaces.get(number).copied() else { return Step::Other };
        if kind == SIMPLE_PACKET {
            let whole = order.u32(block, 8);
            let seen = if interface.snap_len == 0 { whole } else { whole.min(interface.snap_len) };
            let len = room.min(seen as usize);
            return Step::Packet { from: from + data, len, interface, time: self.time, options: (0, 0) };
        }
        let raw = u64::from(order.u32(block, 12)) << 32 | u64::from(order.u32(block, 16));
        let len = order.u32(block, 20) as usize;
        if len > room {
            return Step::Damaged;
        }
        let options = (from + data + len.next_multiple_of(4).min(room), from + total - 4);
        Step::Packet { from: from + data, len, interface, time: interface.time(raw), options }
    }

    /// Leaves out a block of any size that nobody needs.
    fn pass_over(&mut self, total: u64) -> io::Result<Step> {
        let next = self.position() + total;
        if next > self.file.metadata()?.len() {
            return Ok(Step::End);
        }
        (self.start, self.here, self.end) = (next, 0, 0);
        Ok(Step::Other)
    }

    /// Whether so many bytes stand in the window, from where the next block begins; reads them when they do not.
    #[inline]
    fn have(&mut self, len: usize) -> io::Result<bool> {
        if self.end - self.here >= len { Ok(true) } else { self.fill(len) }
    }

    fn fill(&mut self, len: usize) -> io::Result<bool> {
        self.window.copy_within(self.here..self.end, 0);
        self.start += self.here as u64;
        (self.here, self.end) = (0, self.end - self.here);
        if self.window.len() < len {
            self.window.resize(len.next_multiple_of(WINDOW), 0);
        }
        while self.end < len {
            match self.file.read_at(&mut self.window[self.end..], self.start + self.end as u64) {
                Ok(0) => return Ok(false),
                Ok(read) => self.end += read,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(true)
    }

    const fn order(&self) -> Order {
        match self.form {
            Form::Pcapng { order, .. } | Form::Pcap { order, .. } => order,
            Form::Unknown => Order::Little,
        }
    }
}

impl Packet<'_> {
    /// The comments on the packet.
    pub fn comments(&self) -> impl Iterator<Item = &str> {
        comments(self.order, self.options)
    }
}

impl Section<'_> {
    /// The comments on the section.
    pub fn comments(&self) -> impl Iterator<Item = &str> {
        comments(self.order, self.options)
    }
}

fn comments(order: Order, all: &[u8]) -> impl Iterator<Item = &str> {
    options(order, all)
        .filter(|(code, _)| *code == OPT_COMMENT)
        .filter_map(|(_, value)| std::str::from_utf8(value).ok())
}

/// What a step found, in places of the window.
enum Step {
    Packet { from: usize, len: usize, interface: Interface, time: Time, options: (usize, usize) },
    Section { options: (usize, usize) },
    Other,
    End,
    Damaged,
}
