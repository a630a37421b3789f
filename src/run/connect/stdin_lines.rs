//! What a headless client sends: the lines of stdin, or a script. At their end it closes the connection.

use std::io::{self, BufRead as _, Read as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::plan::Plan;
use crate::cli::MAX_LINGER;
use crate::net::client::Client;
use crate::run::{script_file, stdio};
use crate::script::{InputLine, Outgoing};
use crate::wire::close::CloseCode;

/// The longest line in bytes.
const MAX_LINE: u64 = 64 << 20;

/// Sends until the lines or the script end, then closes the connection. Counts the lines that were not sent in `unsent`.
pub fn feed(client: &Client, plan: &Plan, linger: Duration, unsent: &AtomicU64) {
    if !client.wait_open(Duration::MAX) {
        return;
    }
    if plan.config.script.is_some() {
        client.wait_script();
        if client.script_end().is_some_and(|end| end.is_err()) {
            return close(client);
        }
    } else {
        send_lines(client, linger, unsent);
    }
    if client.is_open() {
        client.settle(linger, MAX_LINGER);
        close(client);
    }
}

fn close(client: &Client) {
    client.send(&Outgoing::Close { code: Some(CloseCode::NORMAL), reason: String::new() });
}

/// Sends the lines of stdin until it ends, or a line closes the connection.
fn send_lines(client: &Client, linger: Duration, unsent: &AtomicU64) {
    let mut input = io::stdin().lock();
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        let read = (&mut input).take(MAX_LINE).read_until(b'\n', &mut line);
        match read {
            Ok(0) => return,
            Ok(_) => {}
            Err(e) => return stdio::say(format_args!("cannot read stdin: {e}")),
        }
        let refuse = |why: &str| {
            unsent.fetch_add(1, Ordering::SeqCst);
            stdio::say(format_args!("line {number} of stdin: {why}"));
        };
        let outgoing = match outgoing(&line) {
            Ok(outgoing) => outgoing,
            Err(why) => {
                refuse(&why);
                // The rest of a line that is too long is no line.
                if line.len() as u64 == MAX_LINE
                    && !line.ends_with(b"\n")
                    && let Err(e) = input.skip_until(b'\n')
                {
                    return stdio::say(format_args!("cannot read stdin: {e}"));
                }
                continue;
            }
        };
        if outgoing.is_close() {
            client.settle(linger, MAX_LINGER);
        }
        if !client.send_in_time(&outgoing) {
            return refuse("not sent: the connection is closed");
        }
        if outgoing.is_close() {
            return;
        }
    }
}

/// What a line sends.
fn outgoing(line: &[u8]) -> Result<Outgoing, String> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.len() as u64 >= MAX_LINE {
        return Err(format!("it is longer than {} MiB; use /file", MAX_LINE >> 20));
    }
    let text = std::str::from_utf8(line)
        .map_err(|e| format!("it is not UTF-8 from byte {} on; send bytes with /hex", e.valid_up_to() + 1))?;
    match InputLine::parse(text).map_err(|e| e.to_string())? {
        InputLine::Send(outgoing) => Ok(outgoing),
        InputLine::File(path) => script_file::message(&path),
        InputLine::Connect => Err("/connect works on the screen; start framescope again".to_owned()),
    }
}
