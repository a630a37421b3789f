//! What a headless client sends: the lines of stdin, or a script. At their end it closes the connection.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::os::fd::AsFd as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::plan::Plan;
use crate::cli::MAX_LINGER;
use crate::net::client::Client;
use crate::run::{script_file, stdio};
use crate::script::{InputLine, Outgoing};
use crate::wire::close::CloseCode;

/// The longest line in bytes.
const MAX_LINE: u64 = 64 << 20;

/// Sends until the lines or the script end, then closes the connection. Sets `has_unsent` at a line that is not sent.
pub fn feed(client: &Client, plan: &Plan, linger: Duration, has_unsent: &AtomicBool) {
    if !client.wait_open(Duration::MAX) {
        return;
    }
    if plan.config.script.is_some() {
        client.wait_script();
        if client.script_end().is_some_and(|end| end.is_err()) {
            return close(client);
        }
    } else {
        if let Err(e) = send_lines(client, linger, has_unsent) {
            has_unsent.store(true, Ordering::SeqCst);
            stdio::say(format_args!("cannot read stdin: {e}"));
        }
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
fn send_lines(client: &Client, linger: Duration, has_unsent: &AtomicBool) -> io::Result<()> {
    let mut input = BufReader::new(File::from(io::stdin().as_fd().try_clone_to_owned()?));
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        if (&mut input).take(MAX_LINE).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let refuse = |why: &str| {
            has_unsent.store(true, Ordering::SeqCst);
            stdio::say(format_args!("line {number} of stdin: {why}"));
        };
        let outgoing = match outgoing(&line) {
            Ok(outgoing) => outgoing,
            Err(why) => {
                refuse(&why);
                // The rest of a line that is too long is no line.
                if line.len() as u64 == MAX_LINE && !line.ends_with(b"\n") {
                    input.skip_until(b'\n')?;
                }
                continue;
            }
        };
        if outgoing.is_close() {
            client.settle(linger, MAX_LINGER);
            if has_more(&mut input)? {
                refuse("the client sends nothing after a close: later lines are not sent");
            }
        }
        if !client.send_in_time(&outgoing) {
            refuse("this line and those after it are not sent: the connection is closed");
            break;
        }
        if outgoing.is_close() {
            break;
        }
    }
    Ok(())
}

/// Returns true if stdin has another line already. Never waits for one.
fn has_more(input: &mut BufReader<File>) -> io::Result<bool> {
    if !input.buffer().is_empty() {
        return Ok(true);
    }
    let mut ready = [PollFd::new(input.get_ref(), PollFlags::IN)];
    if poll(&mut ready, Some(&Timespec::default()))? == 0 {
        return Ok(false);
    }
    Ok(!input.fill_buf()?.is_empty())
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
