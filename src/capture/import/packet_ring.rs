//! Packets that arrive through a pipe and are kept in a ring of files. A thread reads the pipe into a queue; the thread that
//! dissects the packets writes them, too. So a file is evicted only when its packets are dissected. If the queue is full, the program
//! that captures waits.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::packets::{SECRETS_INTERVAL, Waited};
use super::piece_queue::{PIECE, PieceReceiver, Taken, piece_queue};
use super::stream::{CANCEL_INTERVAL, CopyError};
use super::tcp::Flows;
use crate::capture::live::ring::{Continuation, FilePreamble, Ring};
use crate::capture::live::spool::{Spool, SpoolError};
use crate::capture::store::{Capture, to_usize};
use crate::proto::rules::count;

/// A ring of files and the packets that it will hold.
pub struct PacketRing {
    pieces: PieceReceiver,
    spool: Spool,
    /// What each file begins with: the header of a pcap file, or the section and its interfaces.
    head: Vec<u8>,
}

/// What the next file begins with.
struct Beginning<'a> {
    head: &'a [u8],
    flows: &'a Flows,
    unfinished: u64,
}

impl Continuation for Beginning<'_> {
    fn preamble(&self, _: &Capture, ring: &Ring) -> FilePreamble {
        let mut blocks = self.head.to_vec();
        let left_out = self.flows.copy_openings(ring.share(), &mut blocks);
        FilePreamble { blocks, has_copies: true, left_out, ..FilePreamble::default() }
    }

    fn unfinished(&self) -> u64 {
        self.unfinished
    }
}

impl PacketRing {
    /// Starts the thread that reads `source`.
    pub(super) fn start(mut source: impl Read + Send + 'static, spool: Spool) -> io::Result<Self> {
        let (sender, pieces) = piece_queue();
        // This thread is not joined: it would block on a pipe that nothing is written to.
        thread::Builder::new().name("stream".to_owned()).spawn(move || {
            let mut piece = vec![0; PIECE];
            loop {
                match source.read(&mut piece) {
                    Ok(0) => return,
                    Ok(len) if !sender.send(&piece[..len]) => return,
                    Ok(_) => {}
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                    Err(e) => return sender.fail(e),
                }
            }
        })?;
        Ok(Self { pieces, spool, head: Vec::new() })
    }

    /// Bounds what else the capture keeps on disk. Must be called before the first packet is read.
    pub fn begin(&self, capture: &Capture, flows: &mut Flows) {
        flows.keep_openings();
        if let Some(ring) = &self.spool.ring {
            capture.index_mut().limit_windows(ring.windows_size());
        }
    }

    /// A section begins with the `block` at these positions; the interfaces before it do not belong to it.
    pub fn begin_section(&mut self, capture: &Capture, flows: &mut Flows, block: (u64, u64)) {
        self.head.clear();
        flows.drop_openings();
        self.add_to_head(capture, block);
    }

    /// Adds a block to what each file begins with.
    pub fn add_to_head(&mut self, capture: &Capture, (begin, end): (u64, u64)) {
        // It was read a moment ago.
        self.head.extend(capture.read_file(begin, to_usize(end - begin)).unwrap_or_default());
    }

    /// Waits for packets and appends them, if `cancel` is not set; with `awaits_secrets`, only for a short time. Everything before the
    /// last `unfinished` bytes is dissected and committed. Begins the next file first, if the latest has its share.
    pub fn wait(
        &mut self,
        capture: &Capture,
        flows: &mut Flows,
        unfinished: u64,
        awaits_secrets: bool,
        cancel: &AtomicBool,
    ) -> Waited {
        self.rotate(capture, flows, unfinished);
        let interval = if awaits_secrets { SECRETS_INTERVAL } else { CANCEL_INTERVAL };
        while !cancel.load(Ordering::Relaxed) {
            return match self.pieces.take(interval) {
                Taken::Piece(piece) => match self.append(&piece, capture, flows, unfinished) {
                    Ok(()) => Waited::More,
                    Err(e) => Waited::Failed(CopyError::Ring(e).to_string()),
                },
                Taken::Nothing if awaits_secrets => Waited::More,
                Taken::Nothing => continue,
                Taken::End(Err(source)) => Waited::Failed(CopyError::reading(source).to_string()),
                Taken::End(Ok(())) => match self.spool.check_files() {
                    Ok(()) => Waited::End,
                    Err(e) => Waited::Failed(e.to_string()),
                },
            };
        }
        Waited::More
    }

    /// Counts what arrived and was not recorded, when the run has ended before.
    pub fn finish(&self, capture: &Capture) {
        let left = self.pieces.len();
        if left > 0 {
            capture.note_uncaptured(left as u64);
            capture.add_failure("the run ended before the last packets were recorded");
        }
    }

    fn rotate(&mut self, capture: &Capture, flows: &mut Flows, unfinished: u64) {
        if self.spool.is_due(unfinished) {
            self.spool.rotate(capture, &Beginning { head: &self.head, flows, unfinished });
            flows.want_checkpoints();
            flows.settle_before(capture.files().middle());
            flows.forget_before(capture.files().start());
            flows.commit();
        }
    }

    fn append(&mut self, piece: &[u8], capture: &Capture, flows: &Flows, unfinished: u64) -> Result<(), SpoolError> {
        let packet = unfinished + piece.len() as u64;
        let most = self.spool.ring.as_ref().map_or(u64::MAX, Ring::longest_packet);
        if packet > most + PIECE as u64 {
            let longest = count(most, "byte");
            return Err(SpoolError::Full(format!("a packet is longer than {longest}; use a larger --ring")));
        }
        self.spool.append_evicting(piece, capture, &Beginning { head: &self.head, flows, unfinished }).map(|_| ())
    }
}
