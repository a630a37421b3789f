//! The record layer (RFC 8446 §5.1, RFC 5246 §6.2): finds records in the bytes of one direction, also after bytes that were lost.

/// The length of a record's header in bytes.
pub const HEADER: usize = 5;

/// The longest payload of a record, in bytes (RFC 5246 §6.2.3).
pub const MAX_PAYLOAD: usize = (1 << 14) + 2048;

/// The length of the shortest encrypted record, in bytes: its header, the tag, and in TLS 1.3 the content type.
const MIN_ENCRYPTED: u64 = (HEADER + 17) as u64;

/// The shortest payload of a record that is looked for, in bytes.
const MIN_SOUGHT: usize = 16;

/// How many bytes that were taken may stay in the buffer.
const MAX_TAKEN: usize = 64 * 1024;

/// A record as it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    pub header: [u8; HEADER],
    pub payload: &'a [u8],
}

impl Record<'_> {
    /// The content type.
    pub const fn kind(&self) -> u8 {
        self.header[0]
    }
}

/// Finds the records of one direction.
///
/// After lost bytes it is not known where the next record begins, except if a header before them says so. Then [`Self::find`] finds
/// what looks like a record, and the caller decides: only one that it can decrypt is one.
#[derive(Debug, Default)]
pub struct RecordReader {
    buffer: Vec<u8>,
    /// Where in the buffer the next record begins.
    at: usize,
    /// How many of the next bytes belong to a record whose other bytes were lost.
    skip: u64,
    /// Whether it is not known where the next record begins.
    is_searching: bool,
    /// Records that were certainly lost since the last one that was accepted.
    lost_records: u64,
    /// Bytes since then that may have contained records.
    lost_bytes: u64,
}

impl RecordReader {
    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.at > MAX_TAKEN || self.at == self.buffer.len() {
            self.buffer.drain(..self.at);
            self.at = 0;
        }
        let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(bytes.len());
        self.skip -= skipped as u64;
        self.buffer.extend_from_slice(&bytes[skipped..]);
    }

    /// Takes note that the next `len` bytes were lost. Returns how many bytes cannot be read as records now.
    pub fn lose(&mut self, len: u64) -> u64 {
        let have = self.buffer.len() - self.at;
        let skipped = self.skip;
        if self.skip == 0 && have > 0 && !self.is_searching {
            self.lost_records += 1;
            match self.header().and_then(|header| payload_len(&header)) {
                Some(payload) => self.skip = (HEADER + payload - have) as u64,
                // The length of the record was lost.
                None => self.is_searching = true,
            }
        } else if self.is_searching {
            self.lost_bytes += have as u64;
        }
        self.buffer.clear();
        self.at = 0;
        let within = len.min(self.skip);
        self.skip -= within;
        if len > within {
            self.lost_bytes += len - within;
            self.is_searching = true;
        }
        have as u64 + len + self.skip.saturating_sub(skipped)
    }

    /// Looks for the next record that is complete. Returns true if there is one: see [`Self::record`].
    pub fn find(&mut self) -> bool {
        loop {
            let Some(header) = self.header() else { return false };
            match payload_len(&header) {
                Some(len) if !self.is_searching || len >= MIN_SOUGHT && header[1..3] == [3, 3] => {
                    return self.incomplete() >= HEADER + len;
                }
                // What is no record was damaged.
                _ => self.reject(),
            }
        }
    }

    /// The record that [`Self::find`] has found. Then call [`Self::accept`] or [`Self::reject`].
    pub fn record(&self) -> Option<Record<'_>> {
        let header = self.header()?;
        let payload = self.buffer.get(self.at + HEADER..)?.get(..payload_len(&header)?)?;
        Some(Record { header, payload })
    }

    /// The part of the next record's payload that was taken so far.
    pub fn unfinished(&self) -> &[u8] {
        self.buffer.get(self.at + HEADER..).unwrap_or_default()
    }

    /// The latest record is one, and the next one follows it.
    pub fn accept(&mut self) {
        self.pass();
        (self.lost_records, self.lost_bytes, self.is_searching) = (0, 0, false);
    }

    /// The latest record is none, or a damaged one.
    pub fn reject(&mut self) {
        if self.is_searching || self.header().and_then(|header| payload_len(&header)).is_none() {
            self.is_searching = true;
            self.lost_bytes += 1;
            self.at = self.buffer.len().min(self.at + 1);
        } else {
            self.lost_records += 1;
            self.pass();
        }
    }

    /// The most records that were lost since the last one that was accepted.
    pub const fn lost(&self) -> u64 {
        let among_bytes = if self.is_searching { self.lost_bytes / MIN_ENCRYPTED + 1 } else { 0 };
        self.lost_records + among_bytes
    }

    /// Returns true if it is not known where the next record begins.
    pub const fn is_searching(&self) -> bool {
        self.is_searching
    }

    /// How many bytes were taken that are not part of a complete record.
    pub fn incomplete(&self) -> usize {
        self.buffer.len() - self.at
    }

    fn header(&self) -> Option<[u8; HEADER]> {
        self.buffer[self.at..].first_chunk().copied()
    }

    fn pass(&mut self) {
        let len = self.header().and_then(|header| payload_len(&header)).map_or(0, |payload| HEADER + payload);
        self.at = self.buffer.len().min(self.at + len);
    }
}

/// The length of the payload that a header announces; `None` if it is not that of a record.
fn payload_len(header: &[u8; HEADER]) -> Option<usize> {
    let len = usize::from(u16::from_be_bytes([header[3], header[4]]));
    let is_record = matches!(header, [20..=24, 3, 0..=4, ..]) && len <= MAX_PAYLOAD;
    is_record.then_some(len)
}
