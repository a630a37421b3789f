//! The direction of the client: requests, then bytes of any protocol.

use std::net::Shutdown;
use std::sync::PoisonError;

use super::{DOWN, LOOK, Relay, SWITCH_LOOK, State, UP, fate};
use crate::capture::format::proxied::Proxied;
use crate::net::proxy::end::End;
use crate::net::proxy::hold::{Frames, Link as _};
use crate::net::proxy::input::Input;
use crate::net::proxy::requests::{Outgoing, Requests};
use crate::net::proxy::rewrite::Rewritten;
use crate::net::wiretap::Remark;

/// The note on a request for another server that comes too late, or on bytes that are no request.
const NOT_SENT: &str = "framescope did not send this: the server of the request before has ended its connection, or has sent bytes that \
    could be taken for a response to a later one; so the connection to the client ends too";

impl Relay {
    /// Relays the bytes of the client; returns how its direction ends.
    pub(super) fn relay_requests(
        &self,
        first: Option<Outgoing>,
        input: &mut Input,
        requests: &mut Requests<'_>,
    ) -> End {
        // What the client sent after its latest head, before the switch: how many bytes, and where frames end in them.
        let mut early = (Frames::default(), 0);
        if let Some(first) = first {
            let sent = self.send_request(&first, input, requests, &mut early);
            input.consume(first.len);
            if let Err(end) = sent {
                return end;
            }
        }
        loop {
            while let Some(out) = requests.next(input.bytes(), &self.exchange) {
                if out.waits {
                    if let Err(end) = self.answered() {
                        return end;
                    }
                    // In another protocol it is no head.
                    if self.exchange.has_switched() {
                        continue;
                    }
                    if !self.exchange.is_final() && self.decide(fate::LEFT) == fate::LEFT {
                        return End::Left;
                    }
                    self.tap.push(
                        UP,
                        &input.bytes()[..out.len],
                        Some(Remark::proxied(Proxied::Dropped, NOT_SENT.to_owned())),
                    );
                    input.consume(out.len);
                    return End::Cut;
                }
                let bytes = &input.bytes()[..out.len];
                let remark = out.changed.as_ref().map(Rewritten::remark);
                let time = self.tap.push(UP, bytes, remark);
                let sent = match self.lane(UP).filter(|_| requests.is_raw()) {
                    Some(lane) => {
                        if early.1 > 0 {
                            let (frames, passed) = std::mem::take(&mut early);
                            lane.adopt(frames, passed);
                        }
                        lane.pass(self, bytes)
                    }
                    None => self.send_request(&out, input, requests, &mut early),
                };
                input.consume(out.len);
                if let Err(end) = sent {
                    return end;
                }
                let is_busy = input.is_busy(time);
                self.tap.drain(is_busy);
            }
            // Bytes that begin like a request may turn out to be those of another protocol.
            let waits = requests.awaits_switch() && !input.bytes().is_empty();
            let timeout = if waits { Some(SWITCH_LOOK) } else { self.control_wait(UP) };
            if let Err(end) = self.read_lane(UP, input, timeout) {
                return end;
            }
        }
    }

    /// Waits until the server has answered every request, or ends, or another protocol is spoken.
    fn answered(&self) -> Result<(), End> {
        self.tap.drain(false);
        let mut is_told = false;
        while !self.exchange.is_idle() && !self.exchange.has_switched() && self.state(DOWN) == State::Runs {
            self.exchange.wait(LOOK);
            if self.is_cut() {
                return Err(End::Cut);
            }
            if self.is_reset(UP) {
                return Err(End::Reset);
            }
            // The server learns that no request follows, as it would if the client's bytes were read up to their end.
            if !is_told && self.client.peer_has_ended() {
                is_told = true;
                // Before the FIN, upon which the other direction may end.
                self.set(UP, State::Ended);
                let _ = self.server.shutdown(Shutdown::Write);
            }
        }
        Ok(())
    }

    /// Sends a part of a request, or bytes before the switch of the protocol.
    fn send_request(
        &self,
        out: &Outgoing,
        input: &Input,
        requests: &Requests<'_>,
        early: &mut (Frames, u64),
    ) -> Result<(), End> {
        let bytes = out.changed.as_ref().map_or(&input.bytes()[..out.len], |changed| &changed.bytes);
        if requests.is_raw() && !out.is_head {
            early.0.track(bytes);
            early.1 += bytes.len() as u64;
        } else {
            *early = (Frames::default(), 0);
        }
        if out.is_head && requests.awaits_switch() {
            *self.upgrade.lock().unwrap_or_else(PoisonError::into_inner) = bytes.to_vec();
        }
        self.write(UP, bytes)
    }
}
