//! Reuses zlib streams, and bounds how many are kept between messages.
//!
//! A stream takes 41 kB for inflating and 270 kB for compressing. A thousand connections would keep 300 MB for streams that are idle
//! most of the time, and freeing and allocating them for each connection fragments the heap. So most connections return their
//! stream after each message, and keep only its window. For them, an echo with a full window takes 45 µs more.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use flate2::{Compress, Compression};
use zlib_rs::Inflate;

/// A stream that can be reused.
pub trait Stream: Sized + 'static {
    /// The number of streams that users may keep between messages.
    const MOST_KEPT: usize;

    fn pool() -> &'static Pool<Self>;

    /// Creates a raw stream with a window of 2^`window_bits` bytes.
    fn create(window_bits: u8) -> Self;

    /// Makes the stream as good as new.
    fn renew(&mut self);
}

/// The streams that nobody uses, with their window bits, and the number of those that users keep between messages.
pub struct Pool<S> {
    idle: Mutex<Vec<(u8, S)>>,
    kept: AtomicUsize,
}

/// A stream in use. Dropping it returns it to its pool.
pub struct Leased<S: Stream> {
    /// `None` only while it is dropped.
    stream: Option<S>,
    window_bits: u8,
    /// True if it counts as kept between messages.
    kept: bool,
}

impl Stream for Inflate {
    const MOST_KEPT: usize = 192;

    fn pool() -> &'static Pool<Self> {
        static POOL: Pool<Inflate> = Pool::new();
        &POOL
    }

    fn create(window_bits: u8) -> Self {
        Self::new(false, window_bits)
    }

    fn renew(&mut self) {
        self.reset(false);
    }
}

impl Stream for Compress {
    const MOST_KEPT: usize = 64;

    fn pool() -> &'static Pool<Self> {
        static POOL: Pool<Compress> = Pool::new();
        &POOL
    }

    fn create(window_bits: u8) -> Self {
        Self::new_with_window_bits(Compression::default(), false, window_bits)
    }

    fn renew(&mut self) {
        self.reset();
    }
}

impl<S> Pool<S> {
    const fn new() -> Self {
        Self { idle: Mutex::new(Vec::new()), kept: AtomicUsize::new(0) }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<(u8, S)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Stream> Leased<S> {
    /// A stream that has received no bytes: one from the pool, or a new one.
    pub fn take(window_bits: u8) -> Self {
        let mut idle = S::pool().idle();
        let suitable = idle.iter().rposition(|(bits, _)| *bits == window_bits);
        let stream = suitable.map(|at| idle.swap_remove(at).1);
        drop(idle);
        Self { stream: Some(stream.unwrap_or_else(|| S::create(window_bits))), window_bits, kept: false }
    }

    /// Returns true if the user may keep the stream until the next message. Otherwise it must be dropped.
    pub fn may_be_kept(&mut self) -> bool {
        let more = |kept| (kept < S::MOST_KEPT).then_some(kept + 1);
        self.kept = self.kept || S::pool().kept.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok();
        self.kept
    }
}

impl<S: Stream> Drop for Leased<S> {
    fn drop(&mut self) {
        let pool = S::pool();
        if self.kept {
            pool.kept.fetch_sub(1, Ordering::Relaxed);
        }
        let Some(mut stream) = self.stream.take() else { return };
        stream.renew();
        let mut idle = pool.idle();
        // The kept streams of connections that end together, and as many that were in use during a message.
        if idle.len() < 2 * S::MOST_KEPT {
            idle.push((self.window_bits, stream));
        }
    }
}

impl<S: Stream> Deref for Leased<S> {
    type Target = S;

    fn deref(&self) -> &S {
        self.stream.as_ref().expect("it is set until it is dropped")
    }
}

impl<S: Stream> DerefMut for Leased<S> {
    fn deref_mut(&mut self) -> &mut S {
        self.stream.as_mut().expect("it is set until it is dropped")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stream with a pool of its own, so that other tests do not use it.
    struct Counted {
        uses: u32,
    }

    impl Stream for Counted {
        const MOST_KEPT: usize = 3;

        fn pool() -> &'static Pool<Self> {
            static POOL: Pool<Counted> = Pool::new();
            &POOL
        }

        fn create(_window_bits: u8) -> Self {
            Self { uses: 0 }
        }

        fn renew(&mut self) {
            self.uses += 1;
        }
    }

    #[test]
    fn streams_are_reused_and_few_are_kept() {
        let idle = || Counted::pool().idle().len();
        let mut leased: Vec<Leased<Counted>> = (0..9).map(|_| Leased::take(15)).collect();
        let kept: Vec<bool> = leased.iter_mut().map(Leased::may_be_kept).collect();
        assert_eq!(kept, [true, true, true, false, false, false, false, false, false]);
        assert!(leased[0].may_be_kept(), "it is counted once");
        leased.remove(1);
        assert_eq!((leased[7].may_be_kept(), leased[6].may_be_kept(), idle()), (true, false, 1));
        drop(leased);
        assert_eq!(idle(), 6, "the others are freed");
        let again: Leased<Counted> = Leased::take(15);
        assert_eq!((again.uses, idle()), (1, 5));
        drop(again);
        let other: Leased<Counted> = Leased::take(9);
        assert_eq!((other.uses, idle()), (0, 6), "a new one, because the window differs");
    }
}
