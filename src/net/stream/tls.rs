//! A TLS connection that several threads use at once: one reads while another writes, as on a TCP socket.
//!
//! The session, which encrypts and decrypts, is locked only while it works in memory. The socket is read and written without that
//! lock: a peer that takes no bytes until it has sent its own would otherwise block both ends for ever. The writing thread
//! holds the output lock, so that records are sent in the order in which they were encrypted.
//!
//! Reading can make the session queue a message of its own, such as an alert or a key update. The reading thread does not wait for the
//! socket: it sends what fits, and the next write sends the rest.

use std::fmt;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use rustls::Connection;

use super::Stream;

/// The most bytes that one write encrypts: four TLS records (RFC 8446 §5.1).
const MAX_AT_ONCE: usize = 64 * 1024;

/// Initial size of the buffer for encrypted bytes that arrive. It is small, so that a thousand idle connections take little memory.
const FIRST_READ: usize = 4 * 1024;

/// The most encrypted bytes that one system call reads.
const MAX_READ: usize = 64 * 1024;

/// An empty output buffer whose capacity exceeds this many bytes is freed.
const MAX_KEPT_CAPACITY: usize = 128 * 1024;

/// How to write to the socket: [`Stream::write`] or [`Stream::try_write`].
type Write = fn(&Stream, &[u8]) -> io::Result<usize>;

/// A TLS connection after its handshake.
///
/// One thread at a time may read, and one may write. Timeouts are those of the socket.
pub struct TlsStream {
    socket: Arc<Stream>,
    session: Mutex<Connection>,
    input: Mutex<Input>,
    output: Mutex<Output>,
    /// Set while the session has messages of its own that are not in the output yet.
    owes: AtomicBool,
}

/// Encrypted bytes that were read.
struct Input {
    /// Those in `start..end` are not decrypted yet.
    records: Vec<u8>,
    start: usize,
    end: usize,
    /// Whether the peer has ended the TCP connection (FIN).
    ended: bool,
}

/// Encrypted bytes to send.
#[derive(Default)]
struct Output {
    /// The first `sent` bytes of it have been sent.
    records: Vec<u8>,
    sent: usize,
    /// How many plaintext bytes are encrypted in `records` but not yet returned by a write.
    unreported: usize,
    /// Whether the close_notify alert is queued in `records`, or was sent.
    is_closing: bool,
}

impl TlsStream {
    /// A stream over `socket`, on which the handshake of `session` is complete.
    pub fn new(socket: Arc<Stream>, session: Connection) -> Self {
        let input = Input { records: vec![0; FIRST_READ], start: 0, end: 0, ended: false };
        Self {
            socket,
            session: Mutex::new(session),
            input: Mutex::new(input),
            output: Mutex::default(),
            owes: AtomicBool::new(false),
        }
    }

    /// The socket below.
    pub const fn socket(&self) -> &Arc<Stream> {
        &self.socket
    }

    /// Reads decrypted bytes. Blocks until some arrive, at most for the socket's read timeout. Returns 0 after the peer's
    /// close_notify alert (RFC 8446 §6.1).
    ///
    /// # Errors
    /// [`ErrorKind::UnexpectedEof`] if the peer ended the TCP connection without that alert, so that the end may be cut off.
    /// [`ErrorKind::InvalidData`] with a [`rustls::Error`] if the peer broke the protocol or sent a fatal alert. Errors of the socket.
    pub fn read(&self, plain: &mut [u8]) -> io::Result<usize> {
        let mut input = lock(&self.input);
        loop {
            if let Some(n) = self.decrypt(&mut input, plain)? {
                return Ok(n);
            }
            input.receive(&self.socket)?;
        }
    }

    /// Decrypts records that have arrived. Returns `None` if they do not complete one.
    fn decrypt(&self, input: &mut Input, plain: &mut [u8]) -> io::Result<Option<usize>> {
        let mut session = lock(&self.session);
        let decrypted = input.decrypt(&mut session, plain);
        let owes = session.wants_write();
        drop(session);
        if owes {
            self.owes.store(true, Ordering::SeqCst);
            self.settle();
        }
        decrypted
    }

    /// Encrypts and sends bytes; returns how many. Blocks until the socket has taken them, at most for its write timeout.
    ///
    /// # Errors
    /// [`ErrorKind::BrokenPipe`] after [`Self::shutdown`]. Errors of the socket; after [`ErrorKind::WouldBlock`] the next write must
    /// begin with the same bytes.
    pub fn write(&self, plain: &[u8]) -> io::Result<usize> {
        self.write_by(plain, Stream::write)
    }

    /// As [`Self::write`], without waiting for the socket.
    ///
    /// # Errors
    /// As [`Self::write`]. [`ErrorKind::WouldBlock`] if the socket did not take all bytes; some may have been sent.
    pub fn try_write(&self, plain: &[u8]) -> io::Result<usize> {
        self.write_by(plain, Stream::try_write)
    }

    fn write_by(&self, plain: &[u8], write: Write) -> io::Result<usize> {
        let mut output = lock(&self.output);
        let written = self.encrypt(&mut output, plain).and_then(|()| output.send(&self.socket, write));
        let written = written.map(|()| std::mem::take(&mut output.unreported).min(plain.len()));
        drop(output);
        self.settle();
        written
    }

    /// Encrypts `plain` into the output. After a failed write the output still has the records of these bytes: then it encrypts nothing.
    fn encrypt(&self, output: &mut Output, plain: &[u8]) -> io::Result<()> {
        if output.is_closing {
            return Err(ErrorKind::BrokenPipe.into());
        }
        if output.unreported > 0 {
            return Ok(());
        }
        let mut session = lock(&self.session);
        output.unreported = session.writer().write(&plain[..plain.len().min(MAX_AT_ONCE)])?;
        output.take_records(&mut session)
    }

    /// Ends directions of the connection. The end of the written one begins with the close_notify alert (RFC 8446 §6.1), which waits
    /// at most for the socket's write timeout, and is left out while another thread writes.
    ///
    /// # Errors
    /// Errors of the socket.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        let write: Option<Write> = match how {
            Shutdown::Read => None,
            Shutdown::Write => Some(Stream::write),
            // This cuts the connection, so it must not wait.
            Shutdown::Both => Some(Stream::try_write),
        };
        if let Some((write, mut output)) = write.zip(try_lock(&self.output))
            && !output.is_closing
        {
            output.is_closing = true;
            let mut session = lock(&self.session);
            session.send_close_notify();
            let taken = output.take_records(&mut session);
            drop(session);
            // The peer then sees that the end of the TCP connection is not announced.
            let _ = taken.and_then(|()| output.send(&self.socket, write));
        }
        self.socket.shutdown(how)
    }

    /// The name of the server that the client asked for (SNI, RFC 6066 §3); `None` for a client's own connection, too.
    pub fn asked_name(&self) -> Option<String> {
        match &*lock(&self.session) {
            Connection::Server(session) => session.server_name().map(str::to_owned),
            Connection::Client(_) => None,
        }
    }

    /// Calls `look` with the session.
    #[cfg(test)]
    pub fn with_session<T>(&self, look: impl FnOnce(&mut Connection) -> T) -> T {
        look(&mut lock(&self.session))
    }

    /// Sends the session's own messages without blocking. If another thread holds the output lock, that thread does it after it has
    /// released the lock.
    fn settle(&self) {
        while self.owes.load(Ordering::SeqCst) {
            let Some(mut output) = try_lock(&self.output) else { return };
            self.owes.store(false, Ordering::SeqCst);
            let taken = output.take_records(&mut lock(&self.session));
            // What the socket does not take waits for the next write; an error comes back from the next read or write.
            let _ = taken.and_then(|()| output.send(&self.socket, Stream::try_write));
        }
    }
}

impl fmt::Debug for TlsStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsStream").field("socket", &self.socket).finish_non_exhaustive()
    }
}

impl Input {
    /// Decrypts until `plain` is full or no complete record is left. `None` if there was none.
    fn decrypt(&mut self, session: &mut Connection, plain: &mut [u8]) -> io::Result<Option<usize>> {
        let mut filled = 0;
        loop {
            let read = session.reader().read(&mut plain[filled..]);
            match read {
                Ok(n) => {
                    filled += n;
                    if n == 0 || filled == plain.len() {
                        return Ok(Some(filled));
                    }
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                Err(_) if filled > 0 => return Ok(Some(filled)),
                Err(e) => return Err(e),
            }
            let mut records = &self.records[self.start..self.end];
            if records.is_empty() && !self.ended {
                return Ok((filled > 0).then_some(filled));
            }
            self.start += session.read_tls(&mut records)?;
            match session.process_new_packets() {
                Ok(_) => {}
                // The session reports it again at the next read.
                Err(_) if filled > 0 => return Ok(Some(filled)),
                Err(e) => return Err(io::Error::new(ErrorKind::InvalidData, e)),
            }
        }
    }

    /// Reads from the socket, after all records were decrypted.
    fn receive(&mut self, socket: &Stream) -> io::Result<()> {
        if self.end == self.records.len() && self.end < MAX_READ {
            // The latest read filled it.
            self.records.resize(self.end * 2, 0);
        }
        (self.start, self.end) = (0, 0);
        self.end = loop {
            match socket.read(&mut self.records) {
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.ended = self.end == 0;
        Ok(())
    }
}

impl Output {
    /// Appends the records that the session has ready.
    fn take_records(&mut self, session: &mut Connection) -> io::Result<()> {
        while session.wants_write() {
            session.write_tls(&mut self.records)?;
        }
        Ok(())
    }

    /// Sends all records. After an error the rest waits for the next call.
    fn send(&mut self, socket: &Stream, write: Write) -> io::Result<()> {
        while self.sent < self.records.len() {
            match write(socket, &self.records[self.sent..]) {
                Ok(n) => self.sent += n,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        self.sent = 0;
        self.records.clear();
        if self.records.capacity() > MAX_KEPT_CAPACITY {
            self.records = Vec::new();
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

#[cfg(test)]
mod tests;
