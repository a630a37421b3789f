//! Decrypts one direction of a session: from its bytes to its application data.

use super::aead::RecordKey;
use super::early::{EarlyData, Piece};
use super::effort::Effort;
use super::handshake::{
    self, CLIENT_HELLO, ClientHello, ENCRYPTED_EXTENSIONS, END_OF_EARLY_DATA, EncryptedExtensions, Messages,
    NEW_SESSION_TICKET, SERVER_HELLO, ServerHello,
};
use super::keys::{Keys, Opened, Phase};
use super::reason::Undecryptable;
use super::record::{Record, RecordReader};
use crate::proto::dissected::Direction;
use crate::proto::time::Time;
use crate::wire::tls::{ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE};

/// What an encrypted record has besides its content, at least, in bytes.
const OVERHEAD: u64 = 22;

/// What decrypting yields.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// These bytes of [`Output::bytes`] are the next application data of a direction.
    Data {
        direction: Direction,
        from: usize,
        to: usize,
        time: Time,
    },
    /// About so many bytes of application data of a direction cannot be read.
    Lost {
        direction: Direction,
        bytes: u64,
        time: Time,
    },
    /// An alert (RFC 8446 §6).
    Alert {
        direction: Direction,
        code: u8,
    },
    Extensions(EncryptedExtensions),
    /// The ticket of a session of TLS 1.2.
    Ticket(Vec<u8>),
}

/// Collects what decrypting yields.
#[derive(Debug, Default)]
pub struct Output {
    pub bytes: Vec<u8>,
    pub events: Vec<Event>,
    /// What decrypting may cost.
    pub effort: Effort,
}

impl Output {
    fn data(&mut self, direction: Direction, bytes: &[u8], time: Time) {
        let from = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        self.events.push(Event::Data { direction, from, to: self.bytes.len(), time });
    }

    /// Forgets what decrypting has yielded.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.events.clear();
    }
}

/// A hello of a handshake that renegotiates a session of TLS 1.2 (RFC 5246 §7.4.1): it is encrypted.
#[derive(Debug, PartialEq, Eq)]
pub enum Hello {
    Client(ClientHello),
    Server(ServerHello),
}

/// Decrypts one direction.
pub struct Decryptor {
    direction: Direction,
    reader: RecordReader,
    is_tls_1_3: bool,
    keys: Keys,
    /// In TLS 1.2: whether the next record is encrypted.
    changed_cipher: bool,
    /// The messages of the handshakes of TLS 1.2.
    messages: Messages,
    /// The latest hello that renegotiates the session: see [`Self::take_hello`].
    hello: Option<Hello>,
    early: EarlyData,
    /// Whether the server accepted early data that could not be read.
    lacks_early: bool,
    /// Bytes that could not be read since the latest record that was opened.
    unread: u64,
    /// Whether [`Event::Lost`] was emitted for them.
    is_reported: bool,
    /// Whether bytes were lost since then.
    has_lost: bool,
    /// How many records no key has opened since then.
    unopened: u64,
    /// The content of the latest record.
    content: Vec<u8>,
}

impl Decryptor {
    pub fn new(direction: Direction, is_tls_1_3: bool, keys: Keys, early: EarlyData) -> Self {
        Self {
            direction,
            reader: RecordReader::default(),
            is_tls_1_3,
            keys,
            changed_cipher: false,
            messages: Messages::default(),
            hello: None,
            early,
            lacks_early: false,
            unread: 0,
            is_reported: false,
            has_lost: false,
            unopened: 0,
            content: Vec::new(),
        }
    }

    /// Takes the next bytes, captured at `time`.
    pub fn push(&mut self, bytes: &[u8], time: Time, out: &mut Output) {
        if self.keys.is_exhausted() {
            self.unread += bytes.len() as u64;
            return;
        }
        self.reader.push(bytes);
        self.read(time, out);
    }

    /// A hello that renegotiates the session. Reading has stopped after it; [`Self::proceed`] continues.
    pub const fn take_hello(&mut self) -> Option<Hello> {
        self.hello.take()
    }

    /// Reads what follows the hello that was taken.
    pub fn proceed(&mut self, time: Time, out: &mut Output) {
        self.read(time, out);
    }

    /// Returns true if the secret of application data is known.
    pub fn may_read_data(&self) -> bool {
        self.keys.may_read_data()
    }

    /// After the next ChangeCipherSpec, records have this key.
    pub fn change_key(&mut self, key: RecordKey) {
        self.keys.change(key);
    }

    /// The next `len` bytes are not captured.
    pub fn lose(&mut self, len: u64, time: Time, out: &mut Output) {
        let unread = self.reader.lose(len);
        self.has_lost = true;
        self.miss(unread, time, out);
    }

    /// No more bytes follow.
    pub fn end(&mut self, time: Time, out: &mut Output) {
        // What looks like a record may be longer than the rest, in which there may be others.
        while self.reader.is_searching() && self.reader.incomplete() > 0 && !self.keys.is_exhausted() {
            self.reader.reject();
            self.read(time, out);
            if self.hello.is_some() {
                return;
            }
        }
        self.unread += self.reader.incomplete() as u64;
        if self.unread > 0 && !self.is_reported {
            self.report(time, out);
        }
    }

    /// Returns true if application data may have been lost, and nothing was emitted about it.
    pub const fn is_uncertain(&self) -> bool {
        self.unread > 0 && !self.is_reported
    }

    /// What the latest record contained; `None` before the first encrypted one.
    pub fn phase(&self) -> Option<Phase> {
        self.keys.phase()
    }

    /// Returns true if bytes were lost since the latest record that was opened.
    pub const fn has_lost(&self) -> bool {
        self.has_lost
    }

    /// Why the latest records could not be decrypted, if not because parts of them are missing.
    pub fn failure(&self) -> Option<Undecryptable> {
        match (self.has_lost, self.unopened, self.phase()) {
            (_, 0, _) if self.lacks_early => Some(Undecryptable::NoEarlySecret),
            (_, 0, _) => None,
            (false, _, None | Some(Phase::Early)) => Some(Undecryptable::Unfit),
            (false, ..) => Some(Undecryptable::Changed),
            // What looks like a record need not be one.
            (true, 1, _) => None,
            (true, ..) => Some(Undecryptable::Lost),
        }
    }

    /// The server accepts the client's early data, or rejects it.
    pub fn decide_early(&mut self, is_accepted: bool, out: &mut Output) {
        let EarlyData::Undecided(kept) = &mut self.early else { return };
        for piece in std::mem::take(kept).into_iter().filter(|_| is_accepted) {
            match piece {
                Piece::Data(bytes, time) => out.data(self.direction, &bytes, time),
                Piece::Lost(bytes, time) => {
                    self.lacks_early = true;
                    out.events.push(Event::Lost { direction: self.direction, bytes, time });
                }
            }
        }
        self.early = if is_accepted { EarlyData::Accepted } else { EarlyData::Rejected };
    }

    fn read(&mut self, time: Time, out: &mut Output) {
        while self.hello.is_none() && self.reader.find() {
            let Some(record) = self.reader.record() else { return };
            let len = (record.payload.len() + record.header.len()) as u64;
            let (lost, is_sought) = (self.reader.lost(), self.reader.is_searching());
            let mut content = std::mem::take(&mut self.content);
            let is_encrypted = self.may_be_encrypted(&record, lost);
            let opened = if is_encrypted { self.keys.open(&record, lost, &mut out.effort, &mut content) } else { None };
            let is_plain = !is_sought && opened.is_none() && !self.must_be_encrypted(&record);
            if is_plain {
                match record.kind() {
                    CHANGE_CIPHER_SPEC => self.changed_cipher = true,
                    ALERT => out.events.extend(alert(self.direction, record.payload)),
                    HANDSHAKE if !self.is_tls_1_3 => {
                        // The first hellos are known.
                        take_messages(&mut self.messages, record.payload, out);
                    }
                    _ => {}
                }
            }
            if opened.is_some() || is_plain {
                self.reader.accept();
            } else {
                self.reader.reject();
                self.unopened += u64::from(is_encrypted);
                if !is_sought {
                    self.miss(len, time, out);
                }
            }
            if let Some(opened) = opened {
                self.take_opened(opened, &content, time, out);
            }
            self.content = content;
            if self.keys.is_exhausted() {
                self.unread += self.reader.incomplete() as u64;
                self.report(time, out);
                return;
            }
        }
    }

    /// Returns true if a record can be encrypted. `lost` records before it may be missing.
    fn may_be_encrypted(&self, record: &Record<'_>, lost: u64) -> bool {
        match (self.is_tls_1_3, record.kind()) {
            (true, kind) => kind == APPLICATION_DATA,
            (false, ALERT | HANDSHAKE | APPLICATION_DATA) => self.is_encrypted_from_here() || lost > 0,
            (false, _) => false,
        }
    }

    /// Returns true if a record that no key opens is damaged.
    fn must_be_encrypted(&self, record: &Record<'_>) -> bool {
        match record.kind() {
            APPLICATION_DATA => true,
            ALERT | HANDSHAKE => !self.is_tls_1_3 && self.is_encrypted_from_here(),
            _ => false,
        }
    }

    /// In TLS 1.2: whether all records are encrypted.
    fn is_encrypted_from_here(&self) -> bool {
        self.changed_cipher || self.keys.phase().is_some()
    }

    fn take_opened(&mut self, opened: Opened, content: &[u8], time: Time, out: &mut Output) {
        if self.unread > 0 && !self.is_reported && opened.phase == Phase::Application && opened.skipped > 0 {
            self.report(time, out);
        }
        if self.has_lost || opened.skipped > 0 {
            // A message may have begun in what is missing.
            self.messages = Messages::default();
        }
        (self.unread, self.is_reported, self.has_lost, self.unopened) = (0, false, false, 0);
        let content = &content[..opened.len];
        if opened.phase != Phase::Early {
            // The server rejected what came before.
            self.decide_early(false, out);
        }
        match (opened.kind, opened.phase, content) {
            (APPLICATION_DATA, Phase::Early, content) => match &mut self.early {
                EarlyData::Undecided(_) => self.early.keep(Piece::Data(content.to_vec(), time)),
                EarlyData::Accepted => out.data(self.direction, content, time),
                EarlyData::None | EarlyData::Rejected => {}
            },
            (APPLICATION_DATA, _, []) => {}
            (APPLICATION_DATA, _, content) => out.data(self.direction, content, time),
            (ALERT, _, content) => out.events.extend(alert(self.direction, content)),
            (HANDSHAKE, Phase::Early, [END_OF_EARLY_DATA, ..]) => self.decide_early(true, out),
            (HANDSHAKE, Phase::Handshake, [ENCRYPTED_EXTENSIONS, _, _, _, body @ ..]) => {
                out.events.push(Event::Extensions(EncryptedExtensions::read(body)));
            }
            (HANDSHAKE, Phase::Application, content) if !self.is_tls_1_3 => {
                let hello = take_messages(&mut self.messages, content, out);
                self.hello = hello.filter(|hello| match hello {
                    Hello::Client(_) => self.direction == Direction::ClientToServer,
                    Hello::Server(_) => self.direction == Direction::ServerToClient,
                });
            }
            _ => {}
        }
    }

    /// Some bytes cannot be read.
    fn miss(&mut self, bytes: u64, time: Time, out: &mut Output) {
        self.unread += bytes;
        let may_be_data = match self.phase() {
            Some(Phase::Application) => true,
            // What the server rejects is not missing.
            Some(Phase::Early) | None if self.early != EarlyData::None => self.early != EarlyData::Rejected,
            _ => !self.keys.may_read_data(),
        };
        if may_be_data && !self.is_reported {
            self.report(time, out);
        }
    }

    fn report(&mut self, time: Time, out: &mut Output) {
        if !std::mem::replace(&mut self.is_reported, true) {
            let bytes = self.unread.saturating_sub(OVERHEAD).max(1);
            if self.early.is_undecided() {
                return self.early.keep(Piece::Lost(bytes, time));
            }
            out.events.push(Event::Lost { direction: self.direction, bytes, time });
        }
    }
}

/// The alert in a record (RFC 8446 §6).
fn alert(direction: Direction, content: &[u8]) -> Option<Event> {
    match *content {
        [_, code] => Some(Event::Alert { direction, code }),
        _ => None,
    }
}

/// Takes a record of a handshake of TLS 1.2, which may contain a ticket or a hello.
fn take_messages(messages: &mut Messages, payload: &[u8], out: &mut Output) -> Option<Hello> {
    let mut hello = None;
    messages.push(payload, |kind, body| match kind {
        NEW_SESSION_TICKET => {
            out.events.extend(handshake::ticket(body).map(|ticket| Event::Ticket(ticket.to_vec())));
        }
        CLIENT_HELLO => hello = ClientHello::read(body).map(Hello::Client),
        SERVER_HELLO => hello = ServerHello::read(body).map(Hello::Server),
        _ => {}
    });
    hello
}

#[cfg(test)]
mod tests {
    use super::super::secrets::Secret;
    use super::*;
    use crate::wire::tls::Aead;

    #[test]
    fn early_data_that_cannot_be_read_is_missing_only_if_the_server_accepts_it() {
        for is_accepted in [false, true] {
            let secret = Secret::new(&[7; 32]);
            let keys = [(Phase::Handshake, &secret), (Phase::Application, &secret)];
            let keys = Keys::of_traffic(Aead::Aes128Gcm, keys).expect("keys");
            let early = EarlyData::Undecided(Vec::new());
            let mut client = Decryptor::new(Direction::ClientToServer, true, keys, early);
            let mut out = Output::default();
            let time = Time::default();
            client.push(&[&[APPLICATION_DATA, 3, 3, 0, 100][..], &[0; 100]].concat(), time, &mut out);
            assert_eq!(out.events, []);
            client.decide_early(is_accepted, &mut out);
            let lost = Event::Lost { direction: Direction::ClientToServer, bytes: 105 - OVERHEAD, time };
            let expected = is_accepted.then_some(lost);
            assert_eq!(out.events, expected.into_iter().collect::<Vec<_>>());
        }
    }
}
