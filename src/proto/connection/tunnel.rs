//! Tunnels through a proxy (RFC 9110 §9.3.6). What follows is read as on a new connection.

use super::Connection;
use crate::proto::dissected::Direction;
use crate::proto::dissector::Dissector;

impl Connection {
    /// A proxy opens a tunnel to another server.
    pub(super) fn open_tunnel(&mut self) {
        let starts = self.directions.each_ref().map(Dissector::record_start);
        self.state.server = None;
        self.state.proxy_headers_end = starts[0];
        self.state.tunnel = Some(starts);
        // The client did not wait for the tunnel: it may begin with a header of the PROXY protocol.
        let (kept, last) = self.directions[0].begun_head();
        self.dissect(Direction::ClientToServer, &kept, last);
    }

    /// Reads unrecognized bytes of the client from here on: they are encrypted. After a loss, none of them begins a frame. The server
    /// may still answer without encryption.
    pub fn read_no_further(&mut self) {
        self.directions[0].opaque(&mut self.state);
    }

    /// Returns true if the client has asked for a tunnel, and the proxy has not answered.
    pub fn awaits_tunnel(&self) -> bool {
        self.state.requests.iter().any(|(_, facts)| facts.is_connect())
    }

    /// Returns true if a proxy has opened a tunnel, of which no bytes were fed yet.
    pub fn begins_tunnel(&self) -> bool {
        self.state.tunnel.is_some_and(|starts| starts == self.directions.each_ref().map(Dissector::position))
    }
}
