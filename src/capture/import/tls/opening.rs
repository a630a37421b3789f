//! The beginning of a connection that may be TLS: finds both hellos.

use super::handshake::{CLIENT_HELLO, ClientHello, Messages, SERVER_HELLO, ServerHello};
use super::reason::Undecryptable;
use super::record::RecordReader;
use crate::proto::dissected::Direction;
use crate::wire::tls::{
    ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE, TLS_1_3, begins_after_hello, begins_with_hello,
    is_server_hello, may_begin_hello,
};

/// How many bytes of a direction are read at most until its hello is complete, or its first encrypted record.
const MAX_READ: u64 = 256 * 1024;

/// The length of an alert that TLS 1.3 encrypts, in bytes: the alert, its content type and the tag. No other message of the handshake
/// is as short.
const ENCRYPTED_ALERT: usize = 2 + 1 + 16;

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

/// How the handshake goes on after both hellos, as far as that can be seen without its secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handshake {
    /// More bytes are needed to see it.
    Open,
    /// Both sides have their keys.
    Done,
    /// A side ended it with an alert; its code is `None` if it is encrypted.
    Refused { by: Direction, code: Option<u8> },
}

/// Reads the hellos of both sides, and whether one of them ends the handshake.
#[derive(Debug, Default)]
pub struct Opening {
    sides: [Side; 2],
    client: Option<ClientHello>,
    server: Option<ServerHello>,
    failed: Option<Undecryptable>,
    /// The first fatal alert that is not encrypted.
    alert: Option<(Direction, u8)>,
}

#[derive(Debug, Default)]
struct Side {
    encryption: Encryption,
    reader: RecordReader,
    messages: Messages,
    /// The first bytes.
    beginning: Vec<u8>,
    read: u64,
}

/// The encrypted records of a side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Encryption {
    /// There was none.
    #[default]
    None,
    /// The only one is as short as an alert.
    ShortOnly,
    Begun,
}

impl Opening {
    /// Takes the next bytes of a direction.
    pub fn push(&mut self, direction: Direction, bytes: &[u8]) {
        let is_known = self.is_known(direction);
        let side = &mut self.sides[direction.index()];
        if is_known && side.encryption == Encryption::Begun {
            return;
        }
        let missing = 6usize.saturating_sub(side.beginning.len()).min(bytes.len());
        side.beginning.extend_from_slice(&bytes[..missing]);
        if missing > 0 && !is_known && lacks_hello(direction, &side.beginning) {
            self.failed = Some(Undecryptable::NotCaptured);
        }
        side.read += bytes.len() as u64;
        if side.read > MAX_READ {
            match is_known {
                true => side.encryption = Encryption::Begun,
                false => self.failed = Some(Undecryptable::NotCaptured),
            }
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
                (ALERT, [2, code]) => {
                    self.alert.get_or_insert((direction, *code));
                }
                (APPLICATION_DATA, payload) => {
                    side.encryption = match side.encryption {
                        Encryption::None if payload.len() == ENCRYPTED_ALERT => Encryption::ShortOnly,
                        _ => Encryption::Begun,
                    };
                }
                // In TLS 1.3 it says nothing (RFC 8446 §5).
                (CHANGE_CIPHER_SPEC, _) if self.server.as_ref().is_some_and(|hello| hello.version < TLS_1_3) => {
                    side.encryption = Encryption::Begun;
                }
                _ => {}
            }
            side.reader.accept();
            if side.encryption == Encryption::Begun {
                break;
            }
        }
        if side.reader.is_searching() {
            self.read_no_further(direction);
        }
    }

    /// What follows in a direction cannot be read.
    fn read_no_further(&mut self, direction: Direction) {
        if self.is_known(direction) {
            self.sides[direction.index()].encryption = Encryption::Begun;
        } else {
            self.failed = Some(Undecryptable::NotCaptured);
        }
    }

    /// The next bytes of a direction are not captured.
    pub fn lose(&mut self, direction: Direction) {
        let is_known = self.is_known(direction);
        let side = &mut self.sides[direction.index()];
        if direction == Direction::ClientToServer && !is_known {
            // The random is at its beginning.
            side.messages.push(side.reader.unfinished(), |_, _| {});
            let (kind, body) = side.messages.unfinished().unzip();
            self.client = body.filter(|_| kind == Some(CLIENT_HELLO)).and_then(ClientHello::read);
        }
        self.read_no_further(direction);
    }

    /// What the bytes so far show.
    pub fn progress(&self) -> Progress {
        let is_other = |side: &Side| !side.beginning.is_empty() && !is_beginning(&side.beginning);
        let [client, server] = &self.sides;
        match (self.alert, &self.failed, &self.client, &self.server) {
            (.., Some(_), Some(_)) => Progress::Agreed,
            _ if is_other(client) || is_other(server) => Progress::Other,
            (Some((by, code)), ..) => Progress::Undecryptable(Undecryptable::Alert { by, code: Some(code) }),
            (_, Some(failed), ..) => Progress::Undecryptable(*failed),
            _ => Progress::More,
        }
    }

    /// How the handshake goes on after both hellos.
    pub fn handshake(&self) -> Handshake {
        if let Some((by, code)) = self.alert {
            return Handshake::Refused { by, code: Some(code) };
        }
        let encryption = self.sides.each_ref().map(|side| side.encryption);
        let short = Direction::BOTH.into_iter().find(|by| encryption[by.index()] == Encryption::ShortOnly);
        match (encryption, short) {
            ([Encryption::Begun, Encryption::Begun], _) => Handshake::Done,
            (_, Some(by)) => Handshake::Refused { by, code: None },
            _ => Handshake::Open,
        }
    }

    /// Both hellos, if they are known.
    pub fn hellos(&self) -> Option<(&ClientHello, &ServerHello)> {
        Some((self.client.as_ref()?, self.server.as_ref()?))
    }

    /// Returns true if a side has sent something.
    pub const fn has_begun(&self, direction: Direction) -> bool {
        !self.sides[direction.index()].beginning.is_empty()
    }

    /// Returns true if the client's hello is known: the connection is TLS.
    pub fn is_tls(&self) -> bool {
        self.client.is_some() || self.server.is_some() || self.failed.is_some() || self.alert.is_some()
    }

    const fn is_known(&self, direction: Direction) -> bool {
        match direction {
            Direction::ClientToServer => self.client.is_some(),
            Direction::ServerToClient => self.server.is_some(),
        }
    }
}

/// Returns true if the capture lacks the hello of a side that begins with these bytes.
const fn lacks_hello(direction: Direction, bytes: &[u8]) -> bool {
    let is_other_hello = match direction {
        Direction::ClientToServer => is_server_hello(bytes),
        Direction::ServerToClient => begins_with_hello(bytes) && !is_server_hello(bytes),
    };
    // An alert can come in place of a hello.
    let is_alert = matches!(bytes, [ALERT, ..]);
    is_other_hello || !is_alert && begins_after_hello(bytes)
}

/// Returns true if TLS can begin a side with these bytes: with a hello, with an alert in place of it, or with a later record, because
/// the capture lacks the hello.
fn is_beginning(bytes: &[u8]) -> bool {
    let is_alert = bytes.first() == Some(&ALERT) && bytes.get(1).is_none_or(|major| *major == 3);
    may_begin_hello(bytes) || is_alert || begins_after_hello(bytes)
}
