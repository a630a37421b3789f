//! The beginning of a connection that may be TLS: finds both hellos.

use super::handshake::{CLIENT_HELLO, ClientHello, Messages, SERVER_HELLO, ServerHello};
use super::reason::Undecryptable;
use super::record::RecordReader;
use crate::proto::dissected::Direction;
use crate::wire::tls::{HANDSHAKE, may_begin_hello};

const ALERT: u8 = 21;

/// How many bytes of a direction are read at most until its hello is complete.
const MAX_READ: u64 = 256 * 1024;

/// What the bytes so far show.
#[derive(Debug, PartialEq, Eq)]
pub enum Progress {
    /// A hello is not complete.
    More,
    /// Both hellos are known.
    Agreed,
    /// It is not TLS.
    Other,
    Undecryptable(Undecryptable),
}

/// Reads the hellos of both sides.
#[derive(Debug, Default)]
pub struct Opening {
    sides: [Side; 2],
    client: Option<ClientHello>,
    server: Option<ServerHello>,
    failed: Option<Undecryptable>,
}

#[derive(Debug, Default)]
struct Side {
    reader: RecordReader,
    messages: Messages,
    /// The first bytes.
    beginning: Vec<u8>,
    read: u64,
}

impl Opening {
    /// Takes the next bytes of a direction.
    pub fn push(&mut self, direction: Direction, bytes: &[u8]) {
        if self.is_known(direction) {
            return;
        }
        let side = &mut self.sides[direction.index()];
        let missing = 6usize.saturating_sub(side.beginning.len()).min(bytes.len());
        side.beginning.extend_from_slice(&bytes[..missing]);
        side.read += bytes.len() as u64;
        if side.read > MAX_READ {
            self.failed = Some(Undecryptable::NotCaptured);
            return;
        }
        side.reader.push(bytes);
        while side.reader.find() && !side.reader.is_searching() {
            let Some(record) = side.reader.record() else { break };
            match (record.kind(), record.payload) {
                (HANDSHAKE, payload) => {
                    let (client, server) = (&mut self.client, &mut self.server);
                    side.messages.push(payload, |kind, body| match (direction, kind) {
                        (Direction::ClientToServer, CLIENT_HELLO) if client.is_none() => {
                            *client = ClientHello::read(body);
                        }
                        (Direction::ServerToClient, SERVER_HELLO) if server.is_none() => {
                            *server = ServerHello::read(body).filter(|hello| !hello.is_retry());
                        }
                        _ => {}
                    });
                }
                (ALERT, [2, code]) => self.failed = Some(Undecryptable::Alert { by: direction, code: *code }),
                _ => {}
            }
            side.reader.accept();
        }
        if side.reader.is_searching() && !self.is_known(direction) {
            self.failed = Some(Undecryptable::NotCaptured);
        }
    }

    /// The next bytes of a direction are not captured.
    pub fn lose(&mut self, direction: Direction) {
        if self.is_known(direction) {
            return;
        }
        let side = &mut self.sides[direction.index()];
        if direction == Direction::ClientToServer {
            // The random is at its beginning.
            side.messages.push(side.reader.unfinished(), |_, _| {});
            let (kind, body) = side.messages.unfinished().unzip();
            self.client = body.filter(|_| kind == Some(CLIENT_HELLO)).and_then(ClientHello::read);
        }
        if !self.is_known(direction) {
            self.failed = Some(Undecryptable::NotCaptured);
        }
    }

    /// What the bytes so far show.
    pub fn progress(&self) -> Progress {
        let is_other = |side: &Side| !side.beginning.is_empty() && !is_beginning(&side.beginning);
        match (&self.failed, &self.client, &self.server) {
            (_, Some(_), Some(_)) => Progress::Agreed,
            _ if is_other(&self.sides[0]) || is_other(&self.sides[1]) => Progress::Other,
            (Some(failed), ..) => Progress::Undecryptable(*failed),
            _ => Progress::More,
        }
    }

    /// Both hellos, if they are known.
    pub fn hellos(&self) -> Option<(&ClientHello, &ServerHello)> {
        Some((self.client.as_ref()?, self.server.as_ref()?))
    }

    /// Returns true if the client's hello is known: the connection is TLS.
    pub fn is_tls(&self) -> bool {
        self.client.is_some() || self.server.is_some() || self.failed.is_some()
    }

    const fn is_known(&self, direction: Direction) -> bool {
        match direction {
            Direction::ClientToServer => self.client.is_some(),
            Direction::ServerToClient => self.server.is_some(),
        }
    }
}

/// Returns true if a side can begin a connection with these bytes: with a hello, or with an alert in place of it.
fn is_beginning(bytes: &[u8]) -> bool {
    may_begin_hello(bytes) || bytes.first() == Some(&ALERT) && bytes.get(1).is_none_or(|major| *major == 3)
}
