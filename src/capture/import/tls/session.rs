//! A session whose secrets are known: decrypts both directions.

use super::aead::RecordKey;
use super::decryption::Decryption;
use super::decryptor::{Decryptor, Event, Hello, Output};
use super::early::EarlyData;
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
    /// Whether application data was decrypted.
    pub has_data: bool,
    /// The side whose data has no secret in the log.
    lacking: Option<Direction>,
    /// The ClientHello that renegotiates the session.
    renegotiating: Option<ClientHello>,
    /// Why the session cannot be decrypted after it was renegotiated.
    refused: Option<Undecryptable>,
}

impl Session {
    /// The session that two hellos begin.
    ///
    /// # Errors
    /// Why it cannot be decrypted.
    pub fn new(client: &ClientHello, server: &ServerHello, secrets: &mut Secrets) -> Result<Self, Undecryptable> {
        let (params, aead) = agreed(server)?;
        let (sides, master) = match params.version {
            TLS_1_3 => {
                let sides = tls_1_3(aead, client, secrets).ok_or(Undecryptable::NoSecret)?;
                (sides.iter().all(Decryptor::may_read_data).then_some(sides).ok_or(Undecryptable::NoSecret)?, None)
            }
            _ => {
                let (keys, master) = tls_1_2(aead, client, server, secrets).ok_or(Undecryptable::NoSecret)?;
                let side =
                    |direction, key| Decryptor::new(direction, false, Keys::of_tls_1_2(aead, key), EarlyData::None);
                let [client, server] = keys;
                let sides = [side(Direction::ClientToServer, client), side(Direction::ServerToClient, server)];
                (sides, Some(master))
            }
        };
        if let Some(master) = &master {
            secrets.keep_session(&server.session_id, master);
        }
        Ok(Self { master, alpn: server.alpn.clone(), ..Self::of_sides(params, sides) })
    }

    /// The session of TLS 1.3 that two hellos begin, if the log lacks some of its secrets. Some records can be decrypted.
    pub fn of_part(client: &ClientHello, server: &ServerHello, secrets: &Secrets) -> Option<Self> {
        let (params, aead) = agreed(server).ok().filter(|(params, _)| params.version == TLS_1_3)?;
        Some(Self::of_sides(params, tls_1_3(aead, client, secrets)?))
    }

    fn of_sides(params: TlsParams, sides: [Decryptor; 2]) -> Self {
        let lacks = |direction: &Direction| !sides[direction.index()].may_read_data();
        let lacking = Direction::BOTH.into_iter().find(lacks);
        Self {
            params,
            sides,
            master: None,
            alpn: Vec::new(),
            has_data: false,
            lacking,
            renegotiating: None,
            refused: None,
        }
    }

    /// Returns true if application data of one side at least can be decrypted.
    pub fn may_read_data(&self) -> bool {
        self.sides.iter().any(Decryptor::may_read_data)
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
    pub fn push(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        time: Time,
        out: &mut Output,
        decryption: &mut Decryption,
    ) {
        out.effort.add(bytes.len());
        self.sides[direction.index()].push(bytes, time, out);
        self.follow_up(out, &mut decryption.secrets);
        while self.renegotiate(direction, decryption) {
            self.sides[direction.index()].proceed(time, out);
            self.follow_up(out, &mut decryption.secrets);
        }
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
    pub fn end(&mut self, direction: Direction, time: Time, out: &mut Output, decryption: &mut Decryption) {
        self.sides[direction.index()].end(time, out);
        while self.renegotiate(direction, decryption) {
            self.sides[direction.index()].proceed(time, out);
            self.sides[direction.index()].end(time, out);
        }
        self.follow_up(out, &mut decryption.secrets);
    }

    /// Takes the hello after which a direction stopped, if it did. After those of both sides, the keys change (RFC 5246 §7.4.1).
    fn renegotiate(&mut self, direction: Direction, decryption: &mut Decryption) -> bool {
        match self.sides[direction.index()].take_hello() {
            None => return false,
            Some(Hello::Client(client)) => self.renegotiating = Some(client),
            Some(Hello::Server(server)) => {
                if let Some(client) = self.renegotiating.take() {
                    let begun = match self.begin_again(&client, &server, &mut decryption.secrets) {
                        Err(reason) if reason.may_change() && decryption.look_again() => {
                            self.begin_again(&client, &server, &mut decryption.secrets)
                        }
                        begun => begun,
                    };
                    self.refused = begun.err();
                }
            }
        }
        true
    }

    /// Takes the keys of the session that follows in the same connection.
    fn begin_again(
        &mut self,
        client: &ClientHello,
        server: &ServerHello,
        secrets: &mut Secrets,
    ) -> Result<(), Undecryptable> {
        let (params, aead) = agreed(server)?;
        if params.version != TLS_1_2 {
            return Err(Undecryptable::Version(params.version));
        }
        let (keys, master) = tls_1_2(aead, client, server, secrets).ok_or(Undecryptable::NoSecret)?;
        secrets.keep_session(&server.session_id, &master);
        self.master = Some(master);
        self.sides.iter_mut().zip(keys).for_each(|(side, key)| side.change_key(key));
        Ok(())
    }

    /// Returns true if a record was opened, so that the secrets are those of the session.
    pub fn has_opened(&self) -> bool {
        self.sides.iter().any(|side| side.phase().is_some())
    }

    /// Why a part of the connection, or all of it, was not decrypted; `None` if at most missing packets are the cause.
    pub fn failure(&self, how: EndReason) -> Option<Undecryptable> {
        let failure = |direction: Direction| {
            let failure = self.side(direction).failure()?;
            let lacking = self.lacking.filter(|lacking| *lacking == direction);
            Some(self.refused.or_else(|| lacking.map(Undecryptable::NoSecretOf)).unwrap_or(failure))
        };
        if let Some(failure) = Direction::BOTH.into_iter().find_map(failure) {
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
        let mut i = 0;
        while let Some(event) = out.events.get(i) {
            match event {
                Event::Extensions(extensions) => {
                    self.alpn.clone_from(&extensions.alpn);
                    // The client's data came before what else the server says here.
                    let mut early = Output { bytes: std::mem::take(&mut out.bytes), ..Output::default() };
                    let client = &mut self.sides[Direction::ClientToServer.index()];
                    client.decide_early(extensions.early_data, &mut early);
                    out.bytes = early.bytes;
                    out.events.splice(i..=i, early.events);
                }
                Event::Ticket(ticket) => {
                    if let Some(master) = &self.master {
                        secrets.keep_session(ticket, master);
                    }
                    out.events.remove(i);
                }
                _ => i += 1,
            }
        }
    }
}

/// What the server chose, if it can be decrypted.
fn agreed(server: &ServerHello) -> Result<(TlsParams, Aead), Undecryptable> {
    let params = TlsParams { version: server.version, suite: server.suite };
    if !matches!(params.version, TLS_1_2 | TLS_1_3) {
        return Err(Undecryptable::Version(params.version));
    }
    let is_tls_1_3 = params.version == TLS_1_3;
    let aead = params.suite.aead().filter(|_| params.suite.is_tls_1_3() == is_tls_1_3);
    let aead = aead.ok_or(Undecryptable::Suite(params.suite))?;
    if server.compression == 0 { Ok((params, aead)) } else { Err(Undecryptable::Compressed) }
}

/// Both directions of TLS 1.3 (RFC 8446 §7.1). A log may lack some of their secrets, such as those of the handshake.
fn tls_1_3(aead: Aead, client: &ClientHello, secrets: &Secrets) -> Option<[Decryptor; 2]> {
    let secret = |label, phase| Some((phase, fitting(aead, secrets.get(&client.random, label)?)?));
    let early = secret(Label::ClientEarly, Phase::Early).filter(|_| client.early_data);
    let of_client =
        [early, secret(Label::ClientHandshake, Phase::Handshake), secret(Label::ClientTraffic, Phase::Application)];
    let of_server =
        [secret(Label::ServerHandshake, Phase::Handshake), secret(Label::ServerTraffic, Phase::Application)];
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
    Some([client, server])
}

/// A secret, if its length is that of the suite's hash function.
fn fitting(aead: Aead, secret: &Secret) -> Option<&Secret> {
    (secret.bytes().len() == aead.hash().output_len()).then_some(secret)
}

/// The keys of client and server in TLS 1.2 (RFC 5246 §6.3), with the master secret of the session or of the one that it resumes.
fn tls_1_2(
    aead: Aead,
    client: &ClientHello,
    server: &ServerHello,
    secrets: &Secrets,
) -> Option<([RecordKey; 2], Secret)> {
    let by_id = || secrets.session(&server.session_id).filter(|_| server.session_id == client.session_id);
    let known = secrets.get(&client.random, Label::Master);
    let master = known.or_else(|| secrets.session(&client.ticket)).or_else(by_id)?;
    let keys = RecordKey::of_master(aead, master, &client.random, &server.random)?;
    Some((keys, master.clone()))
}
