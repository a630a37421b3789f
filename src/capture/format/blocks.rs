//! Reads the blocks of pcapng and pcap files, and the file positions of their packets (draft-ietf-opsawg-pcapng §4,
//! draft-ietf-opsawg-pcap §4, §5).
//!
//! A file may end inside a block because it is still being written. The reader stays before that block and can try again.

use std::io;

use super::interface::{ByteOrder, Interface, options};
use super::pcapng::{ENHANCED_PACKET, INTERFACE, OPT_COMMENT, SECTION_HEADER};
use crate::proto::time::Time;

/// How much of the file is read at once, in bytes. A larger block is read whole.
const WINDOW: usize = 512 * 1024;

/// The largest block that is read, in bytes.
const MAX_BLOCK: usize = 64 * 1024 * 1024;

const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const DECRYPTION_SECRETS: u32 = 10;

/// The type of secrets that are a TLS key log: "TLSK".
const TLS_KEY_LOG: u32 = 0x544c_534b;

/// Bytes that are read by position, and may grow at their end.
pub trait ReadAt {
    /// Reads some bytes at a position; 0 at the end.
    ///
    /// # Errors
    /// If the system reports one.
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize>;
}

/// A packet and its file position.
#[derive(Debug)]
pub struct Packet<'a> {
    /// The LINKTYPE of its interface.
    pub link: u16,
    pub time: Time,
    /// Its captured bytes.
    pub bytes: &'a [u8],
    /// File position of the first of these bytes.
    pub position: u64,
    /// File positions where its block begins and ends.
    pub block: (u64, u64),
    options: &'a [u8],
    order: ByteOrder,
}

/// The header of a section.
#[derive(Debug)]
pub struct Section<'a> {
    options: &'a [u8],
    order: ByteOrder,
}

/// The result of reading a block.
#[derive(Debug)]
pub enum BlockEvent<'a> {
    Packet(Packet<'a>),
    Section(Section<'a>),
    /// The description of an interface, or the header of a pcap file.
    Interface,
    /// The lines of a TLS key log (draft-ietf-opsawg-pcapng §4.7).
    Secrets(&'a [u8]),
    /// A block without a packet, or a packet of an interface that the file does not describe.
    Other,
    /// The file ends, this many bytes into a block.
    End(u64),
    /// The bytes are not a valid block.
    Damaged,
    /// The system reports an error for the read.
    Unreadable,
}

/// The format of the file.
#[derive(Debug)]
enum Form {
    /// Nothing was read yet.
    Unknown,
    Pcapng {
        order: ByteOrder,
        interfaces: Vec<Interface>,
    },
    Pcap {
        order: ByteOrder,
        interface: Interface,
        /// Length of the header of a packet record, in bytes: 16, or 24 in an old variant.
        header_len: usize,
    },
}

/// Reads a file block by block.
pub struct Blocks<S> {
    file: S,
    window: Vec<u8>,
    /// File position of the window's first byte.
    start: u64,
    /// Where in the window the next block begins.
    here: usize,
    /// Where in the window the bytes end that were read.
    end: usize,
    form: Form,
    /// The time of the latest packet, which a simple packet block takes over: it has none of its own.
    time: Time,
}

impl<S: ReadAt> Blocks<S> {
    /// A reader at the beginning of a file.
    pub fn new(file: S) -> Self {
        Self { file, window: vec![0; WINDOW], start: 0, here: 0, end: 0, form: Form::Unknown, time: Time::default() }
    }

    /// File position of the next block.
    pub const fn position(&self) -> u64 {
        self.start + self.here as u64
    }

    /// Reads the next block. After [`BlockEvent::End`] it can be called again once the file has grown.
    #[inline]
    pub fn next(&mut self) -> BlockEvent<'_> {
        let begin = self.position();
        let read = match self.form {
            Form::Unknown => self.read_file_header(),
            Form::Pcapng { .. } => self.read_block(),
            Form::Pcap { order, interface, header_len } => self.read_record(order, interface, header_len),
        };
        match read {
            Ok(Step::Packet { from, len, interface, time, options }) => {
                self.time = time;
                BlockEvent::Packet(Packet {
                    link: interface.link,
                    time,
                    bytes: &self.window[from..from + len],
                    position: self.start + from as u64,
                    block: (begin, self.position()),
                    options: &self.window[options.0..options.1],
                    order: self.order(),
                })
            }
            Ok(Step::Section { options }) => {
                BlockEvent::Section(Section { options: &self.window[options.0..options.1], order: self.order() })
            }
            Ok(Step::Interface) => BlockEvent::Interface,
            Ok(Step::Secrets { from, len }) => BlockEvent::Secrets(&self.window[from..from + len]),
            Ok(Step::Other) => BlockEvent::Other,
            Ok(Step::End) => BlockEvent::End((self.end - self.here) as u64),
            Ok(Step::Damaged) => BlockEvent::Damaged,
            Err(_) => BlockEvent::Unreadable,
        }
    }

    /// Finds out the format, from the magic number.
    fn read_file_header(&mut self) -> io::Result<Step> {
        if !self.have(24)? {
            return Ok(Step::End);
        }
        let head = &self.window[self.here..self.here + 24];
        let magic = u32::from_le_bytes([head[0], head[1], head[2], head[3]]);
        if magic == SECTION_HEADER {
            self.form = Form::Pcapng { order: ByteOrder::Little, interfaces: Vec::new() };
            return self.read_block();
        }
        let (order, magic) = match magic & 0xff {
            0xa1 => (ByteOrder::Big, magic.swap_bytes()),
            _ => (ByteOrder::Little, magic),
        };
        let (units, header_len) = match magic {
            0xa1b2_c3d4 => (1_000_000, 16),
            0xa1b2_3c4d => (1_000_000_000, 16),
            // The "modified" format of libpcap, which old Linux distributions wrote.
            0xa1b2_cd34 => (1_000_000, 24),
            _ => return Ok(Step::Damaged),
        };
        // The upper half has the length of the frame check sequence.
        let link = (order.u32(head, 20) & 0xffff) as u16;
        let interface = Interface { link, units, offset: 0, snap_len: 0 };
        self.form = Form::Pcap { order, interface, header_len };
        self.here += 24;
        Ok(Step::Interface)
    }

    /// Reads a packet record of pcap.
    #[inline]
    fn read_record(&mut self, order: ByteOrder, interface: Interface, header_len: usize) -> io::Result<Step> {
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

    /// Reads a block of pcapng.
    #[inline]
    fn read_block(&mut self) -> io::Result<Step> {
        if !self.have(12)? {
            return Ok(Step::End);
        }
        let head = &self.window[self.here..self.here + 12];
        if head[..4] == SECTION_HEADER.to_le_bytes() {
            let order = match head[8..12] {
                [0x4d, 0x3c, 0x2b, 0x1a] => ByteOrder::Little,
                [0x1a, 0x2b, 0x3c, 0x4d] => ByteOrder::Big,
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
        if total > WINDOW && !matches!(kind, ENHANCED_PACKET | SIMPLE_PACKET | OBSOLETE_PACKET | DECRYPTION_SECRETS) {
            return self.skip_block(total as u64);
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
        let step = self.parse(kind, from, total);
        if !matches!(step, Step::Damaged) {
            self.here = from + total;
        }
        Ok(step)
    }

    /// Parses a block that is completely in the window.
    #[inline]
    fn parse(&mut self, kind: u32, from: usize, total: usize) -> Step {
        let Form::Pcapng { order, interfaces } = &mut self.form else { return Step::Other };
        let order = *order;
        let block = &self.window[from..from + total];
        let (number, data) = match kind {
            SECTION_HEADER if total >= 28 => return Step::Section { options: (from + 24, from + total - 4) },
            INTERFACE if total >= 20 => {
                interfaces.push(Interface::read(order, block));
                return Step::Interface;
            }
            ENHANCED_PACKET if total >= 32 => (order.u32(block, 8) as usize, 28),
            OBSOLETE_PACKET if total >= 32 => (usize::from(order.u16(block, 8)), 28),
            SIMPLE_PACKET if total >= 16 => (0, 12),
            DECRYPTION_SECRETS if total >= 20 && order.u32(block, 8) == TLS_KEY_LOG => {
                let len = order.u32(block, 12) as usize;
                return if len > total - 20 { Step::Damaged } else { Step::Secrets { from: from + 16, len } };
            }
            ENHANCED_PACKET | OBSOLETE_PACKET | SIMPLE_PACKET | INTERFACE => return Step::Damaged,
            _ => return Step::Other,
        };
        let space = total - 4 - data;
        let Some(interface) = interfaces.get(number).copied() else { return Step::Other };
        if kind == SIMPLE_PACKET {
            let on_wire = order.u32(block, 8);
            let captured = if interface.snap_len == 0 { on_wire } else { on_wire.min(interface.snap_len) };
            let len = space.min(captured as usize);
            return Step::Packet { from: from + data, len, interface, time: self.time, options: (0, 0) };
        }
        let raw = u64::from(order.u32(block, 12)) << 32 | u64::from(order.u32(block, 16));
        let len = order.u32(block, 20) as usize;
        if len > space {
            return Step::Damaged;
        }
        let options = (from + data + len.next_multiple_of(4).min(space), from + total - 4);
        Step::Packet { from: from + data, len, interface, time: interface.time(raw), options }
    }

    /// Skips a block of any size that is not needed.
    fn skip_block(&mut self, total: u64) -> io::Result<Step> {
        let next = self.position() + total;
        if self.file.read_at(&mut [0], next - 1)? == 0 {
            return Ok(Step::End);
        }
        (self.start, self.here, self.end) = (next, 0, 0);
        Ok(Step::Other)
    }

    /// Reads until the window has this many bytes from the beginning of the next block; returns false if the file ends before.
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

    const fn order(&self) -> ByteOrder {
        match self.form {
            Form::Pcapng { order, .. } | Form::Pcap { order, .. } => order,
            Form::Unknown => ByteOrder::Little,
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

fn comments(order: ByteOrder, all: &[u8]) -> impl Iterator<Item = &str> {
    options(order, all)
        .filter(|(code, _)| *code == OPT_COMMENT)
        .filter_map(|(_, value)| std::str::from_utf8(value).ok())
}

/// A block, as places in the window.
enum Step {
    Packet { from: usize, len: usize, interface: Interface, time: Time, options: (usize, usize) },
    Section { options: (usize, usize) },
    Interface,
    Secrets { from: usize, len: usize },
    Other,
    End,
    Damaged,
}
