//! A session whose secrets are known: decrypts both directions.

use super::aead::RecordKey;
use super::decryptor::{Decryptor, EarlyData, Event, Output};
use super::handshake::{ClientHello, ServerHello};
use super::keys::{Keys, Phase};
use super::reason::Undecryptable;
use super::secrets::{Label, Secret, Secrets};
use crate::proto::dissected::{Direction, EndReason};
use crate::proto::time::Time;
use crate::wire::tls::{Aead, TLS_1_2, TLS_1_3, TlsParams};

/// Decrypts a connection.
pub struct Session {
    params: TlsParams,
    sides: [Decryptor; 2],
    /// The master secret of TLS 1.2, which a later session may resume.
    master: Option<Secret>,
    /// The protocol that the server chose (RFC 7301); empty if none.
    alpn: Vec<u8>,
}

impl Session {
    /// The session that two hellos begin.
    ///
    /// # Errors
    /// Why it cannot be decrypted.
    pub fn new(client: &ClientHello, server: &ServerHello, secrets: &mut Secrets) -> Result<Self, Undecryptable> {
        let params = TlsParams { version: server.version, suite: server.suite };
        let is_tls_1_3 = match params.version {
            TLS_1_3 => true,
            TLS_1_2 => false,
            version => return Err(Undecryptable::Version(version)),
        };
        let aead = params.suite.aead().filter(|_| params.suite.is_tls_1_3() == is_tls_1_3);
        let aead = aead.ok_or(Undecryptable::Suite(params.suite))?;
        if server.compression != 0 {
            return Err(Undecryptable::Compressed);
        }
        let (sides, master) = match is_tls_1_3 {
            true => {
                let (sides, is_complete) = tls_1_3(aead, client, secrets).ok_or(Undecryptable::NoSecret)?;
                (is_complete.then_some(sides).ok_or(Undecryptable::NoSecret)?, None)
            }
            false => {
                let (sides, master) = tls_1_2(aead, client, server, secrets).ok_or(Undecryptable::NoSecret)?;
                (sides, Some(master))
            }
        };
        if let Some(master) = &master {
            secrets.keep_session(&server.session_id, master);
        }
        Ok(Self { params, sides, master, alpn: server.alpn.clone() })
    }

    /// The session of TLS 1.3 that two hellos begin, of which only the handshake can be decrypted, because the log lacks later secrets.
    pub fn of_handshake(client: &ClientHello, server: &ServerHello, secrets: &Secrets) -> Option<Self> {
        let params = TlsParams { version: server.version, suite: server.suite };
        let aead = params.suite.aead().filter(|_| params.version == TLS_1_3)?;
        let (sides, _) = tls_1_3(aead, client, secrets)?;
        Some(Self { params, sides, master: None, alpn: Vec::new() })
    }

    /// What both sides agreed on.
    pub const fn params(&self) -> TlsParams {
        self.params
    }

    /// The protocol that the server chose (RFC 7301); empty if none, or if it is not known yet.
    pub fn alpn(&self) -> &[u8] {
        &self.alpn
    }

    /// Takes the next bytes of a direction, captured at `time`.
    pub fn push(&mut self, direction: Direction, bytes: &[u8], time: Time, out: &mut Output, secrets: &mut Secrets) {
        out.effort.add(bytes.len());
        self.sides[direction.index()].push(bytes, time, out);
        self.follow_up(out, secrets);
    }

    /// Takes the next bytes of a direction, of which only the handshake is wanted.
    pub fn push_handshake(&mut self, direction: Direction, bytes: &[u8], time: Time, out: &mut Output) {
        self.sides[direction.index()].push(bytes, time, out);
    }

    /// The next `len` bytes of a direction are not captured.
    pub fn lose(&mut self, direction: Direction, len: u64, time: Time, out: &mut Output) {
        self.sides[direction.index()].lose(len, time, out);
    }

    /// A direction has no more bytes.
    pub fn end(&mut self, direction: Direction, time: Time, out: &mut Output) {
        self.sides[direction.index()].end(time, out);
    }

    /// Returns true if a record was opened, so that the secrets are those of the session.
    pub fn has_opened(&self) -> bool {
        self.sides.iter().any(|side| side.phase().is_some())
    }

    /// Why a part of the connection, or all of it, was not decrypted; `None` if at most missing packets are the cause.
    pub fn failure(&self, how: EndReason) -> Option<Undecryptable> {
        if let Some(failure) = self.sides.iter().find_map(Decryptor::failure) {
            return Some(failure);
        }
        let is_captured = how != EndReason::Capture && !self.sides.iter().any(Decryptor::has_lost);
        let reason = if is_captured { Undecryptable::Incomplete } else { Undecryptable::NotCaptured };
        (!self.has_opened()).then_some(reason)
    }

    /// One direction.
    pub const fn side(&self, direction: Direction) -> &Decryptor {
        &self.sides[direction.index()]
    }

    /// Takes what one direction says about the session.
    fn follow_up(&mut self, out: &mut Output, secrets: &mut Secrets) {
        // A message of EncryptedExtensions comes once.
        for i in 0..out.events.len() {
            match &out.events[i] {
                Event::Extensions(extensions) => {
                    self.alpn.clone_from(&extensions.alpn);
                    // The client's data came before what else the server says here.
                    let mut early = Output { bytes: std::mem::take(&mut out.bytes), ..Output::default() };
                    let client = &mut self.sides[Direction::ClientToServer.index()];
                    client.decide_early(extensions.early_data, &mut early);
                    out.bytes = early.bytes;
                    out.events.splice(i..=i, early.events);
                    return;
                }
                Event::Ticket(ticket) => {
                    if let Some(master) = &self.master {
                        secrets.keep_session(ticket, master);
                    }
                }
                _ => {}
            }
        }
    }
}

/// Both directions of TLS 1.3 (RFC 8446 §7.1), and whether their secrets are complete. A log may lack those of the handshake.
fn tls_1_3(aead: Aead, client: &ClientHello, secrets: &Secrets) -> Option<([Decryptor; 2], bool)> {
    let secret = |label, phase| Some((phase, fitting(aead, secrets.get(&client.random, label)?)?));
    let early = secret(Label::ClientEarly, Phase::Early).filter(|_| client.early_data);
    let of_client =
        [early, secret(Label::ClientHandshake, Phase::Handshake), secret(Label::ClientTraffic, Phase::Application)];
    let of_server =
        [secret(Label::ServerHandshake, Phase::Handshake), secret(Label::ServerTraffic, Phase::Application)];
    let is_complete = of_client.last()?.is_some() && of_server.last()?.is_some();
    let early = if client.early_data { EarlyData::Undecided(Vec::new()) } else { EarlyData::None };
    let client = Decryptor::new(
        Direction::ClientToServer,
        true,
        Keys::of_traffic(aead, of_client.into_iter().flatten())?,
        early,
    );
    let server = Decryptor::new(
        Direction::ServerToClient,
        true,
        Keys::of_traffic(aead, of_server.into_iter().flatten())?,
        EarlyData::None,
    );
    Some(([client, server], is_complete))
}

/// A secret, if its length is that of the suite's hash function.
fn fitting(aead: Aead, secret: &Secret) -> Option<&Secret> {
    (secret.bytes().len() == aead.hash().output_len()).then_some(secret)
}

/// Both directions of TLS 1.2 (RFC 5246 §6.3), with the master secret of the session or of the one that it resumes.
fn tls_1_2(
    aead: Aead,
    client: &ClientHello,
    server: &ServerHello,
    secrets: &Secrets,
) -> Option<([Decryptor; 2], Secret)> {
    let by_id = || secrets.session(&server.session_id).filter(|_| server.session_id == client.session_id);
    let known = secrets.get(&client.random, Label::Master);
    let master = known.or_else(|| secrets.session(&client.ticket)).or_else(by_id)?;
    let keys = RecordKey::of_master(aead, master, &client.random, &server.random)?;
    let [client, server] = keys.map(|key| Keys::of_tls_1_2(aead, key));
    let client = Decryptor::new(Direction::ClientToServer, false, client, EarlyData::None);
    let server = Decryptor::new(Direction::ServerToClient, false, server, EarlyData::None);
    Some(([client, server], master.clone()))
}
