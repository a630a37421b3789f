//! A connection while it is reassembled.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::direction::Side;
use super::held::{Encrypted, Held};
use super::opening::Opening;
use crate::capture::import::link::{TcpHead, VirtualNetwork};
use crate::capture::import::tls::Search;
use crate::capture::store::index::Extent;
use crate::proto::connection::{Connection, HandshakeSummary};
use crate::proto::time::Time;
use crate::wire::tls::Protection;

/// A connection.
pub(super) struct Flow {
    pub client: SocketAddr,
    pub server: SocketAddr,
    /// The virtual network of its first packet.
    pub network: VirtualNetwork,
    /// Whether connections in other networks have the same addresses.
    pub is_beside_others: bool,
    /// Its number in the capture, from its first payload on.
    pub number: Option<u32>,
    /// Its dissectors; `None` after both directions have ended, so that ended connections take little memory.
    pub connection: Option<Box<Connection>>,
    pub sides: [Side; 2],
    pub segments: u64,
    /// The file position after its latest packet, in a ring.
    pub seen: u64,
    /// What a file of a ring begins with.
    pub opening: Opening,
    /// Whether its SYN was captured.
    pub begun: bool,
    pub is_tls: bool,
    /// Its layers of TLS that may be decrypted, the outermost first. Only the last one can be held.
    pub layers: Vec<Encrypted>,
    /// Where TLS had encrypted its bytes, if a marker says so.
    pub was_encrypted: Option<Protection>,
    /// Whether a record of it was decrypted.
    pub is_decrypted: bool,
    /// Whether a reason was given why it is not decrypted.
    pub is_refused: bool,
    /// Looks for TLS, if the capture lacks its beginning.
    pub search: Option<Box<Search>>,
    /// Whether it contains HTTP/2.
    pub is_http_2: bool,
    /// Whether it begins after its handshake, so that only `--port` can make it WebSocket frames.
    pub is_mid_stream: bool,
    pub held_back: Option<HeldBack>,
    /// How many directions have not ended for the dissectors.
    pub open: u8,
    /// Whether a marker has stated a record.
    pub stated: bool,
    /// Whether a marker says that the sender of the current segment has later bytes of the other direction.
    pub outstanding: bool,
    /// The latest bytes that were taken in each direction.
    pub latest: [Option<Extent>; 2],
    /// Notes on packets whose last record is not complete yet, of each direction, by the stream offset after the packet.
    pub notes: [BTreeMap<u64, String>; 2],
    /// Notes on packets whose bytes are not decrypted yet, by the offset in the encrypted stream.
    pub encrypted_notes: [BTreeMap<u64, String>; 2],
}

/// The server's bytes acknowledge a request that was not captured yet.
#[derive(Clone, Copy)]
pub(super) struct HeldBack {
    /// They are held back until this offset of the client's stream is reached,
    pub until_offset: u64,
    /// or until the connection has this many segments.
    pub until_segments: u64,
}

impl Flow {
    /// A connection without bytes, whose SYN was captured or not (`begun`).
    pub fn new(
        client: SocketAddr,
        server: SocketAddr,
        network: VirtualNetwork,
        begun: bool,
        connection: Box<Connection>,
    ) -> Self {
        Self {
            client,
            server,
            network,
            is_beside_others: false,
            number: None,
            connection: Some(connection),
            sides: Default::default(),
            segments: 0,
            seen: 0,
            opening: Opening::None,
            begun,
            is_tls: false,
            layers: Vec::new(),
            was_encrypted: None,
            is_decrypted: false,
            is_refused: false,
            search: None,
            is_http_2: false,
            is_mid_stream: false,
            held_back: None,
            open: 2,
            stated: false,
            outstanding: false,
            latest: [None; 2],
            notes: Default::default(),
            encrypted_notes: Default::default(),
        }
    }

    /// Returns true if both sides had sent their FIN before this time, so that a SYN begins another connection, even if it has the
    /// same sequence number: some programs make captures with numbers that are always the same.
    pub fn was_over(&self, time: Time) -> bool {
        let had_ended = |side: &Side| side.ended && side.fin.is_some_and(|(_, fin)| fin < time);
        self.sides.iter().all(had_ended)
    }

    /// Returns true if a segment belongs to this flow in any case, where it is the latest one between its addresses.
    #[inline]
    pub fn goes_on_with(&self, tcp: &TcpHead) -> bool {
        let ends = (tcp.source, tcp.destination);
        let is_between = ends == (self.server, self.client) || ends == (self.client, self.server);
        is_between && !tcp.flags.syn && !self.is_beside_others && !self.sides.iter().all(|side| side.ended)
    }

    /// The layer of TLS that is held until it is known whether it can be decrypted.
    pub fn held(&self) -> Option<&Held> {
        match self.layers.last() {
            Some(Encrypted::Held(held)) => Some(held),
            _ => None,
        }
    }

    /// See [`Self::held`].
    pub fn held_mut(&mut self) -> Option<&mut Held> {
        match self.layers.last_mut() {
            Some(Encrypted::Held(held)) => Some(held),
            _ => None,
        }
    }

    /// What its handshake says.
    pub fn about(&self) -> HandshakeSummary {
        self.connection.as_ref().map(|connection| connection.about().clone()).unwrap_or_default()
    }
}
