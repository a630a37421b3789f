//! One entry of a HAR: its messages become frames, its headers a handshake.
//!
//! Chrome writes times in seconds, Playwright in milliseconds, or −1 for an unknown time; others write the seconds of a clock that
//! started at any time, or text. Text is written as it is, other payloads in base64.

use std::io;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::value::RawValue;

use super::events::Events;
use super::handshake::heads;
use super::model::{Close, Half, HarMessage};
use super::oddities::Oddity;
use super::time::to_integer;
use super::url::Url;
use crate::capture::import::json::replay::unknown_client;
use crate::proto::dissected::Direction;
use crate::proto::time::Time;
use crate::wire::close::CloseCode;
use crate::wire::frame::{FrameHead, MAX_HEAD_LEN};
use crate::wire::mask;
use crate::wire::opcode::Opcode;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A time before September 2001 is not one since 1970: its clock started at another time.
const MIN_SINCE_1970: Time = Time(1_000_000_000_000_000_000);

/// The values of the entry that is being read.
#[derive(Debug, Default)]
pub struct HarEntry {
    /// The position of its first event.
    pub first: usize,
    /// Whether it is not an object, and has none of the values below.
    pub is_odd: bool,
    /// Whether it has a list of messages.
    pub has_messages: bool,
    /// How many messages the list has, also of those that are left out.
    pub messages: u64,
    /// When the request was sent; 0 if that is not known.
    pub started: Time,
    /// How many milliseconds later the response arrived.
    pub millis_to_response: f64,
    pub request: Option<Half>,
    pub response: Option<Half>,
    pub server: String,
    pub kind: String,
    pub close: Option<Close>,
    /// How many client frames it has so far.
    pub masked: u64,
}

impl Events {
    /// Adds a message as an unfragmented, uncompressed frame.
    pub fn message(&mut self, json: &RawValue) -> io::Result<()> {
        self.entry.messages += 1;
        let Some(HarMessage { direction, opcode, time, data }) = HarMessage::read(json, &mut self.oddities) else {
            return Ok(());
        };
        let payload = match opcode {
            Opcode::Text => String::from_utf8(data)
                .unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
                .into_bytes(),
            _ => BASE64.decode(&data).unwrap_or_else(|_| {
                self.oddities.add(Oddity::Base64);
                data
            }),
        };
        self.frame(direction, opcode, time, payload)
    }

    fn frame(&mut self, direction: Direction, opcode: Opcode, time: Time, mut payload: Vec<u8>) -> io::Result<()> {
        let key = (direction == Direction::ClientToServer).then(|| {
            self.entry.masked += 1;
            masking_key(self.connections, self.entry.masked)
        });
        let mut head = Vec::with_capacity(MAX_HEAD_LEN);
        FrameHead::new(true, opcode, key, payload.len() as u64).encode(&mut head);
        if let Some(key) = key {
            mask::apply(&mut payload, key, 0);
        }
        self.bytes(direction, time, &[&head, &payload])
    }
}

impl HarEntry {
    /// Adds the handshake before the frames, and gives every event its time.
    pub fn finish(self, events: &mut Events) -> io::Result<()> {
        let is_websocket = self.is_websocket();
        let Some(request) = &self.request else {
            return self.without_request(events, is_websocket);
        };
        if !is_websocket {
            events.skipped += 1;
            return Ok(());
        }
        let status = self.status();
        let any = !events.since(self.first).is_empty();
        // HTTP/2 answers with 200 (RFC 8441); some programs write no status.
        let upgraded = any || status == 101.0 || self.has_messages && status < 300.0;
        if upgraded {
            events.without_list += u64::from(!self.has_messages);
            events.empty_lists += u64::from(self.has_messages && self.messages == 0);
        }
        let number = events.connections;
        let (asked, answered) = heads(request, self.response.as_ref(), invented_key(number), upgraded);
        self.close(events, upgraded)?;
        self.anchor(events);
        let (asked_at, answered_at) = self.times(events);
        let mut latest = answered_at;
        for event in events.since(self.first) {
            if event.time == Time(0) {
                event.time = latest;
            }
            latest = latest.max(event.time);
            event.order = latest;
        }
        events.bytes(Direction::ClientToServer, asked_at, &[&asked])?;
        let answers = match answered {
            Some(answer) => events.bytes(Direction::ServerToClient, answered_at, &[&answer]).map(|()| 1)?,
            None => 0,
        };
        let server = Url::read(&request.url).server(&self.server);
        events.connect((unknown_client(number, server), server), 1 + answers);
        Ok(())
    }

    /// Returns true if the entry is a WebSocket. Firefox does not say so: the URL or an accepted upgrade shows it.
    fn is_websocket(&self) -> bool {
        let is_upgrade = || {
            let mut headers = self.response.iter().flat_map(|response| &response.headers);
            self.status() == 101.0 && headers.any(|header| header.is("upgrade", "websocket"))
        };
        let by_url = || self.request.as_ref().is_some_and(|request| Url::read(&request.url).is_websocket);
        self.kind.eq_ignore_ascii_case("websocket") || self.has_messages || by_url() || is_upgrade()
    }

    /// The status of the response; 0 if the entry has none.
    fn status(&self) -> f64 {
        self.response.as_ref().map_or(0.0, |response| response.status)
    }

    /// The file ended before the request: the frames follow a made-up handshake.
    fn without_request(&self, events: &mut Events, is_websocket: bool) -> io::Result<()> {
        if !is_websocket || events.since(self.first).is_empty() {
            events.skipped += 1;
            return Ok(());
        }
        let known = Self {
            first: self.first,
            has_messages: true,
            started: self.started,
            request: Some(Half::default()),
            response: Some(Half::default()),
            ..Self::default()
        };
        known.finish(events)
    }

    /// Moves times of a clock that did not start in 1970: the first of them becomes the time at which the entry started.
    fn anchor(&self, events: &mut Events) {
        if self.started == Time(0) {
            return;
        }
        let mut first = None;
        for event in events.since(self.first) {
            if (Time(1)..MIN_SINCE_1970).contains(&event.time) {
                let first = *first.get_or_insert(event.time);
                event.time = Time(self.started.0.saturating_add(event.time.0.saturating_sub(first.0)));
            }
        }
    }

    /// When the request was sent, and when the response arrived.
    fn times(&self, events: &mut Events) -> (Time, Time) {
        let first = events.since(self.first).iter().map(|event| event.time).find(|time| *time != Time(0));
        let asked = Some(self.started).filter(|started| *started != Time(0)).or(first).unwrap_or_default();
        let asked = first.map_or(asked, |first| asked.min(first));
        let answered = Time(asked.0.saturating_add(to_integer(self.millis_to_response * 1e6)));
        (asked, first.map_or(answered, |first| answered.min(first)))
    }

    /// Adds the closing handshake, if the entry has a close code.
    fn close(&self, events: &mut Events, upgraded: bool) -> io::Result<()> {
        let Some(Close { code, reason, time }) = &self.close else { return Ok(()) };
        let code = CloseCode(u16::try_from(to_integer(*code)).unwrap_or(0));
        if !upgraded || !(1000..5000).contains(&code.0) || matches!(code.0, 1004..=1006 | 1015) {
            return Ok(());
        }
        let mut payload = code.0.to_be_bytes().to_vec();
        let reason = &reason[..reason.floor_char_boundary(123)];
        payload.extend_from_slice(reason.as_bytes());
        for direction in Direction::BOTH {
            events.entry.masked = self.masked;
            events.frame(direction, Opcode::Close, *time, payload.clone())?;
        }
        Ok(())
    }
}

/// A masking key that is neither zero nor the key of the frame before. The same file gives the same keys.
fn masking_key(connection: u64, frame: u64) -> [u8; 4] {
    let mixed = mix(mix(connection) ^ frame);
    // The lowest bit differs between neighbours.
    let key = (mixed & !1 | frame & 1 | 0x8000_0000) & 0xffff_ffff;
    (key as u32).to_be_bytes()
}

fn invented_key(connection: u64) -> [u8; 16] {
    let [high, low] = [mix(connection ^ 0x6861_7221), mix(connection)];
    let mut key = [0; 16];
    key[..8].copy_from_slice(&high.to_be_bytes());
    key[8..].copy_from_slice(&low.to_be_bytes());
    key
}

/// SplitMix64's output function.
const fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masking_keys_are_not_zero_and_differ_from_their_neighbours() {
        let keys: Vec<_> = (0..3000).map(|frame| masking_key(7, frame)).collect();
        assert!(keys.iter().all(|key| *key != [0; 4]));
        assert!(keys.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
