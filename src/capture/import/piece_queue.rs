//! Bytes of a stream between the thread that reads them and the thread that writes them. The reader waits while the queue is full.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How many bytes wait in memory, at most: the programs that capture have little space of their own for packets that come at once.
const MAX_QUEUED: usize = 16 << 20;

/// The longest piece that is taken at once, in bytes.
pub const PIECE: usize = 64 * 1024;

/// The queue's end for the thread that reads the stream. Dropping it ends the stream.
pub struct PieceSender(Arc<Shared>);

/// The queue's end for the thread that writes. Dropping it makes [`PieceSender::send`] fail.
pub struct PieceReceiver(Arc<Shared>);

/// What [`PieceReceiver::take`] found.
pub enum Taken {
    Piece(Vec<u8>),
    /// Nothing has arrived.
    Nothing,
    /// The stream has ended, or cannot be read.
    End(io::Result<()>),
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    /// None is longer than [`PIECE`].
    pieces: VecDeque<Vec<u8>>,
    len: usize,
    /// Why nothing more comes.
    end: Option<io::Result<()>>,
    has_no_receiver: bool,
}

/// An empty queue.
pub fn piece_queue() -> (PieceSender, PieceReceiver) {
    let shared = Arc::<Shared>::default();
    (PieceSender(Arc::clone(&shared)), PieceReceiver(shared))
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PieceSender {
    /// Adds at most [`PIECE`] bytes, as soon as there is space. Returns false if nobody takes them any more.
    pub fn send(&self, bytes: &[u8]) -> bool {
        let is_full = |queue: &mut Queue| queue.len + bytes.len() > MAX_QUEUED && !queue.has_no_receiver;
        let waited = self.0.changed.wait_while(self.0.queue(), is_full);
        let mut queue = waited.unwrap_or_else(PoisonError::into_inner);
        queue.len += bytes.len();
        match queue.pieces.back_mut().filter(|last| last.len() + bytes.len() <= PIECE) {
            Some(last) => last.extend_from_slice(bytes),
            None => queue.pieces.push_back(bytes.to_vec()),
        }
        self.0.changed.notify_all();
        !queue.has_no_receiver
    }

    /// The stream cannot be read any further.
    pub fn fail(&self, error: io::Error) {
        self.0.queue().end = Some(Err(error));
    }
}

impl Drop for PieceSender {
    fn drop(&mut self) {
        self.0.queue().end.get_or_insert(Ok(()));
        self.0.changed.notify_all();
    }
}

impl PieceReceiver {
    /// Takes the next piece; waits for it at most so long.
    pub fn take(&self, most: Duration) -> Taken {
        let is_idle = |queue: &mut Queue| queue.pieces.is_empty() && queue.end.is_none();
        let waited = self.0.changed.wait_timeout_while(self.0.queue(), most, is_idle);
        let mut queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        if let Some(piece) = queue.pieces.pop_front() {
            queue.len -= piece.len();
            self.0.changed.notify_all();
            return Taken::Piece(piece);
        }
        match &mut queue.end {
            Some(end) => Taken::End(std::mem::replace(end, Ok(()))),
            None => Taken::Nothing,
        }
    }

    /// How many bytes were not taken.
    pub fn len(&self) -> usize {
        self.0.queue().len
    }
}

impl Drop for PieceReceiver {
    fn drop(&mut self) {
        self.0.queue().has_no_receiver = true;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn bytes_arrive_in_order_and_the_sender_waits_for_space() {
        let (sender, receiver) = piece_queue();
        let total = 3 * MAX_QUEUED;
        let sending = thread::spawn(move || {
            let bytes: Vec<u8> = (0..total).map(|n| (n % 251) as u8).collect();
            let lens = [1, 700, PIECE, 64_000].into_iter().cycle();
            let mut rest = &bytes[..];
            for len in lens {
                let (piece, after) = rest.split_at(len.min(rest.len()));
                assert!(sender.send(piece));
                rest = after;
                if rest.is_empty() {
                    break;
                }
            }
            sender.fail(io::ErrorKind::BrokenPipe.into());
        });
        let mut at = 0;
        let end = loop {
            assert!(receiver.len() <= MAX_QUEUED);
            match receiver.take(Duration::from_secs(30)) {
                Taken::Piece(piece) => {
                    assert!(piece.len() <= PIECE);
                    assert!(piece.iter().zip(at..).all(|(byte, n)| *byte == (n % 251) as u8));
                    at += piece.len();
                }
                Taken::Nothing => panic!("nothing arrives"),
                Taken::End(end) => break end,
            }
        };
        assert_eq!((at, end.map_err(|e| e.kind())), (total, Err(io::ErrorKind::BrokenPipe)));
        sending.join().expect("sent");
    }

    #[test]
    fn a_sender_that_waits_ends_with_its_receiver() {
        let (sender, receiver) = piece_queue();
        let piece = vec![0; PIECE];
        (0..MAX_QUEUED / PIECE).for_each(|_| assert!(sender.send(&piece)));
        let waiting = thread::spawn(move || sender.send(&piece));
        assert!(matches!(receiver.take(Duration::ZERO), Taken::Piece(_)));
        drop(receiver);
        let _ = waiting.join().expect("it ended");
    }
}
