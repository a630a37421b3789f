//! The bound for the buffers of all connections: the connection that is idle the longest is closed, the others are unaffected.

use std::io::ErrorKind;
use std::thread;

use tungstenite::Message;

use super::*;

const LIMIT: u64 = 4 << 20;

/// A fragment whose message takes more than half of the limit in the server's buffers, and less than all of it.
const FRAGMENT: usize = 1_500_000;

fn bench() -> Bench {
    Bench::with(|config| config.max_memory = LIMIT)
}

/// The frames of the client that the capture has.
fn fragments(capture: &Capture) -> usize {
    payloads(capture, UP, Opcode::Binary).iter().filter(|payload| payload.len() == FRAGMENT).count()
}

#[test]
fn the_oldest_unfinished_message_is_given_up_and_its_client_may_try_again() {
    let bench = bench();
    let mut small = bench.client("/echo");
    small.send(Message::text("small")).expect("sent");
    assert_eq!(small.read().expect("an echo"), Message::text("small"));
    let mut oldest = bench.upgraded("/echo");
    oldest.write_all(&frame(false, Opcode::Binary, &vec![1; FRAGMENT])).expect("sent");
    bench.wait("the first fragment", |capture| fragments(capture) == 1);
    let mut latest = bench.client("/echo");
    latest.send(Message::binary(vec![2; FRAGMENT])).expect("sent");
    assert_eq!(latest.read().expect("an echo"), Message::binary(vec![2; FRAGMENT]));
    let close = read_to_end(&mut oldest);
    assert_eq!((close[0], usize::from(close[1]) + 2), (0x88, close.len()), "one Close with a reason");
    assert_eq!(u16::from_be_bytes([close[2], close[3]]), 1013);
    small.send(Message::text("still here")).expect("sent");
    assert_eq!(small.read().expect("an echo"), Message::text("still here"));
    bench
        .wait("the report", |capture| capture.trouble().reason().is_some_and(|reason| reason.contains("--max-memory")));
    assert!(!bench.capture().trouble().has_failed(), "the capture lacks nothing");
    bench.finish();
}

#[test]
fn a_peer_that_takes_no_bytes_is_cut() {
    let bench = bench();
    let mut mute = bench.upgraded("/echo");
    mute.set_write_timeout(Some(PATIENCE)).expect("a timeout");
    let message = frame(true, Opcode::Binary, &vec![1; FRAGMENT]);
    // The echoes fill the sockets. Then the server waits in a write, reads no more, and the peer's writes wait too.
    let writes = thread::spawn(move || (0..1000).find_map(|_| mute.write_all(&message).err()).map(|e| e.kind()));
    // Others need memory until the mute peer is the one that made no progress for the longest time.
    let deadline = Instant::now() + PATIENCE;
    while !writes.is_finished() && Instant::now() < deadline {
        let mut other = bench.upgraded("/echo");
        // It may be evicted itself while the mute peer's echoes are still written.
        let _ = other.write_all(&frame(false, Opcode::Binary, &vec![2; FRAGMENT]));
        let _ = other.write_all(&frame(true, Opcode::Close, b""));
        let _ = other.read(&mut [0; 64]);
    }
    let error = writes.join().expect("no panic").expect("the server cuts the connection");
    assert!(matches!(error, ErrorKind::BrokenPipe | ErrorKind::ConnectionReset), "{error:?}");
    let mut other = bench.client("/echo");
    other.send(Message::text("unaffected")).expect("sent");
    assert_eq!(other.read().expect("an echo"), Message::text("unaffected"));
    drop(other);
    bench.finish();
}
