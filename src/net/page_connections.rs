//! Answers the page in the browser when it asks which connection of the capture is its own.
//!
//! A script cannot see which TCP connection its WebSocket uses. So the page adds a token to the target of each handshake
//! (`/ticker?page=TOKEN`), and asks with `GET /connection?page=TOKEN` for the number of that connection. The answer also says how many
//! messages the server sent, because a browser discards those that arrive after `close()`. The capture contains the handshake
//! with its token, but not this request and its response: a learner looks for frames, not for what the page needs.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::http::Response;
use crate::wire::http::Head;

/// The first bytes of the request.
const REQUEST: &[u8] = b"GET /connection?page=";

/// The most characters of a token.
const MAX_TOKEN: usize = 32;

/// How many connections are remembered, open or not.
const REMEMBERED: usize = 1024;

/// The latest connections of pages, by token.
#[derive(Default)]
pub struct PageConnections {
    recent: Mutex<VecDeque<(String, Arc<PageConnection>)>>,
}

/// A connection that a page opened with a token.
pub struct PageConnection {
    number: u32,
    sent: AtomicU64,
}

impl PageConnection {
    /// Sets how many data messages the server has sent.
    pub fn set_sent(&self, messages: u64) {
        self.sent.store(messages, Ordering::SeqCst);
    }
}

impl PageConnections {
    /// Remembers the number in the capture of the connection with this token, and forgets the oldest connection if there are too many.
    pub fn add(&self, token: &str, number: u32) -> Arc<PageConnection> {
        let connection = Arc::new(PageConnection { number, sent: AtomicU64::new(0) });
        let mut recent = self.lock();
        recent.truncate(REMEMBERED - 1);
        recent.push_front((token.to_owned(), Arc::clone(&connection)));
        connection
    }

    /// The response to a page that asks for the connection with this token: `{"conn":2,"sent":9}`.
    pub fn response(&self, token: &str) -> Response {
        let recent = self.lock();
        let Some((_, connection)) = recent.iter().find(|(known, _)| known == token) else {
            return Response::text(404, "No connection has this token.");
        };
        Response::json(format!(
            "{{\"conn\":{},\"sent\":{}}}",
            connection.number,
            connection.sent.load(Ordering::SeqCst)
        ))
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(String, Arc<PageConnection>)>> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns true if the bytes, as far as they have arrived, may be the request for a connection's number.
pub fn may_be_request(input: &[u8]) -> bool {
    let len = input.len().min(REQUEST.len());
    input[..len] == REQUEST[..len]
}

/// The token of the page's request for a connection's number; `None` for any other request, also for that of a foreign page.
pub fn requested_token<'a>(head: &Head<'a>) -> Option<&'a str> {
    let is_own = head.value("sec-fetch-site").is_none_or(|site| site == b"same-origin");
    let target = head.target().filter(|_| is_own && head.method() == Some(b"GET"))?;
    let token = std::str::from_utf8(target.strip_prefix(b"/connection?page=")?).ok()?;
    Some(token).filter(|token| is_token(token))
}

/// Returns true for 1 to 32 letters and digits.
pub fn is_token(text: &str) -> bool {
    (1..=MAX_TOKEN).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
