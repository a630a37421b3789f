//! A record of a capture.

use std::cmp::Reverse;
use std::ops::Range;

use crate::proto::dissected::{Direction, Kind, Loss};
use crate::proto::rules::{Finding, Severity};
use crate::proto::time::Time;
use crate::wire::opcode::Opcode;

/// One record of a capture, without its bytes: those are read through [`super::Capture`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its number in the capture, from 1.
    pub no: u64,
    /// What it is.
    pub kind: Kind,
    /// The number of its connection, from 1.
    pub connection: u32,
    /// Which way it went.
    pub direction: Direction,
    /// When its last byte was seen.
    pub time: Time,
    /// Position of its first byte in its direction's stream.
    pub offset: u64,
    /// Length on the wire in bytes; of a gap the bytes missing.
    pub wire_len: u64,
    /// A frame's first two bytes; 0 where there are none.
    pub lead: [u8; 2],
    /// The ordinal of the data message that it belongs to, in its direction, from 1.
    pub message: Option<u32>,
    /// The number of the earlier record that it answers: a response's request, a pong's ping, a Close's Close.
    pub answers: Option<u64>,
    /// A response's status or a Close frame's code; 0 where there is none.
    pub code: u16,
    /// Whether it is a frame of a compressed message.
    pub compressed: bool,
    /// Whether its direction is unknown: see [`Self::known_direction`].
    pub undirected: bool,
    /// Whether its receiver had bytes of the other direction which come later in the capture, or are missing.
    pub outstanding: bool,
    /// Why the bytes of a gap are missing.
    pub loss: Loss,
    /// The rules that it breaks. `about` is a record number.
    pub findings: Vec<Finding>,
}

impl Record {
    /// A gap: the bytes of a direction between two stream offsets are missing.
    pub const fn gap(no: u64, connection: u32, direction: Direction, missing: Range<u64>, time: Time) -> Self {
        Self {
            no,
            kind: Kind::Gap,
            connection,
            direction,
            time,
            offset: missing.start,
            wire_len: missing.end - missing.start,
            lead: [0; 2],
            message: None,
            answers: None,
            code: 0,
            compressed: false,
            undirected: false,
            outstanding: false,
            loss: Loss::Lost,
            findings: Vec::new(),
        }
    }

    /// The opcode of a frame, or of a cut one that has its first byte.
    pub const fn opcode(&self) -> Option<Opcode> {
        match self.kind {
            Kind::Frame | Kind::CutFrame => Some(Opcode::from_wire(self.lead[0])),
            _ => None,
        }
    }

    /// Which way it went. `None` for a single frame that was cut before its MASK bit: then `direction` only says where its bytes
    /// are kept.
    pub const fn known_direction(&self) -> Option<Direction> {
        if self.undirected { None } else { Some(self.direction) }
    }

    /// FIN, for a frame.
    pub const fn fin(&self) -> bool {
        self.lead[0] & 0x80 != 0
    }

    /// MASK, for a frame.
    pub const fn masked(&self) -> bool {
        self.lead[1] & 0x80 != 0
    }

    /// The 7-bit length of a frame.
    pub const fn len_code(&self) -> u8 {
        self.lead[1] & 0x7f
    }

    /// The length of a frame's head in bytes: 2 to 14. Of a cut frame, what its first two bytes announce.
    pub const fn header_len(&self) -> u64 {
        let extended = match self.len_code() {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        2 + extended + if self.masked() { 4 } else { 0 }
    }

    /// How many payload bytes of a frame were captured; `None` for another record.
    pub const fn payload_len(&self) -> Option<u64> {
        match self.kind {
            Kind::Frame | Kind::CutFrame => Some(self.wire_len.saturating_sub(self.header_len())),
            _ => None,
        }
    }

    /// The worst severity of its findings.
    pub fn severity(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.rule.severity()).max()
    }

    /// The worst of its findings; of several as bad the first.
    pub fn worst(&self) -> Option<&Finding> {
        self.findings.iter().min_by_key(|finding| Reverse(finding.rule.severity()))
    }
}
