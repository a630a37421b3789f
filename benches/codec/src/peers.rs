//! The other two candidates.

use std::hint::black_box;
use std::io::{self, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::Frames;

/// A stream that reads the same bytes from memory again and again, and discards writes: no frame needs a reply.
struct Memory {
    bytes: Vec<u8>,
    at: usize,
}

impl Read for Memory {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = into.len().min(self.bytes.len() - self.at);
        into[..n].copy_from_slice(&self.bytes[self.at..self.at + n]);
        self.at = (self.at + n) % self.bytes.len();
        Ok(n)
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncRead for Memory {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let n = self.read(into.initialize_unfilled())?;
        into.advance(n);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Memory {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

pub struct Tungstenite(tungstenite::WebSocket<Memory>);

impl Tungstenite {
    pub fn new(frames: &Frames) -> Self {
        let memory = Memory { bytes: frames.wire.clone(), at: 0 };
        Self(tungstenite::WebSocket::from_raw_socket(memory, tungstenite::protocol::Role::Server, None))
    }

    pub fn pass(&mut self, count: usize) {
        for _ in 0..count {
            black_box(self.0.read().expect("a message"));
        }
    }
}

pub struct FastWebSockets {
    socket: fastwebsockets::WebSocket<Memory>,
    runtime: tokio::runtime::Runtime,
}

impl FastWebSockets {
    pub fn new(frames: &Frames) -> Self {
        let memory = Memory { bytes: frames.wire.clone(), at: 0 };
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        Self { socket: fastwebsockets::WebSocket::after_handshake(memory, fastwebsockets::Role::Server), runtime }
    }

    pub fn pass(&mut self, count: usize) {
        let Self { socket, runtime } = self;
        runtime.block_on(async {
            for _ in 0..count {
                black_box(socket.read_frame().await.expect("a frame"));
            }
        });
    }
}
