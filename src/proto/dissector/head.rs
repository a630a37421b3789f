//! HTTP heads, and what comes before the first one.

use super::{
    Body, ConnectionState, DissectedRecord, Dissector, FeedOutcome, FeedStep, Kind, MAX_HTTP_HEAD, ReadNext, State,
    may_be_head,
};
use crate::proto::dissected::Direction;
use crate::proto::rules::{Finding, Rule};
use crate::wire::field::Span;
use crate::wire::http;
use crate::wire::proxy_header::{ProxyHeader, ProxyReading};

impl Dissector {
    /// Takes bytes of an HTTP head, or of a PROXY header before the first one; `at` bytes of the call were taken before.
    pub(super) fn take_head(&mut self, bytes: &[u8], at: usize, connection: &mut ConnectionState) -> FeedStep {
        let State::Head { start, kept } = &mut self.state else { return FeedStep::Taken(0) };
        let (start, had) = (*start, kept.len());
        kept.extend_from_slice(&bytes[..bytes.len().min(MAX_HTTP_HEAD + 1 - had)]);
        // No response begins like such a header. A request can, except at the start of the connection or of a tunnel.
        if start == connection.proxy_headers_end || self.direction == Direction::ServerToClient {
            match ProxyHeader::read(kept) {
                ProxyReading::Header(header) => {
                    self.emit_proxy_header(&header, start, connection);
                    return FeedStep::Taken(header.len - had);
                }
                ProxyReading::NeedMore => return FeedStep::Taken(bytes.len()),
                ProxyReading::Other => {}
            }
        }
        // RFC 9112 §2.2: a recipient ignores empty lines before a head.
        let breaks = line_breaks(kept);
        let begins_well = may_be_head(self.direction, &kept[breaks..]);
        let len = http::head_len(&kept[breaks..], had.saturating_sub(breaks));
        let end = len.map(|len| breaks + len).filter(|end| *end <= MAX_HTTP_HEAD);
        if let Some(end) = end.filter(|_| begins_well) {
            let head = kept[breaks..end].to_vec();
            self.position += (end - had) as u64;
            if breaks > 0 {
                connection.emit(DissectedRecord::new(Kind::Junk, self.direction, start, breaks as u64, self.last));
            }
            return FeedStep::Stop(FeedOutcome::Head { taken: at + end - had, start: start + breaks as u64, head });
        }
        let too_long = kept.len() > MAX_HTTP_HEAD;
        if begins_well && !too_long {
            return FeedStep::Taken(bytes.len());
        }
        if !too_long && self.begins_before_response(had, connection) {
            return FeedStep::Taken(0);
        }
        connection.response_unread |= self.direction == Direction::ServerToClient;
        let why = begins_well.then(|| Finding::new(Rule::HeadTooLong, None).number(MAX_HTTP_HEAD as u64));
        self.state = State::Junk { start, why };
        FeedStep::Taken(0)
    }

    /// Appends a record of a header of the PROXY protocol in front of a head. That of another proxy, or an HTTP head, follows. Only the
    /// side that opens a connection may send one.
    fn emit_proxy_header(&mut self, header: &ProxyHeader, start: u64, connection: &mut ConnectionState) {
        let len = header.len as u64;
        let rule = match self.direction {
            Direction::ClientToServer => {
                connection.server = header.ends.map(|[_, server]| server);
                connection.proxy_headers_end += len;
                Rule::ProxyHeader
            }
            Direction::ServerToClient => Rule::ProxyHeaderFromServer,
        };
        let finding = Finding::new(rule, Some(Span::bytes(0, len)));
        let mut record = DissectedRecord::new(Kind::Junk, self.direction, start, len, self.last);
        record.findings.push(finding.number(u64::from(header.version)).text(&header.words()));
        connection.emit(record);
        self.state = self.after(ReadNext::Head, start + len);
    }

    /// Notes that the client sends another request. It took the latest response as complete: one without a length, such as a 401
    /// of a server that keeps the connection, has no body, although it could go on until the end (RFC 9112 §6.3).
    pub fn next_request(&mut self, connection: &mut ConnectionState) {
        if let State::Body { body: Body::UntilEnd(0), then, .. } = &self.state {
            let then = *then;
            self.emit_body(then, self.position, connection);
        }
    }
}

/// The kind of an unfinished head: line breaks alone are none, and a server does not send the beginning of a PROXY header.
pub(super) fn unfinished(direction: Direction, kept: &[u8]) -> Kind {
    let after_breaks = &kept[line_breaks(kept)..];
    if after_breaks.is_empty() || !may_be_head(direction, after_breaks) { Kind::Junk } else { Kind::CutHttp }
}

/// The number of CRs and LFs with which bytes begin.
fn line_breaks(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| b"\r\n".contains(byte)).count()
}
