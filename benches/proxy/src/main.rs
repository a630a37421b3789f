//! Compares echoes through `framescope proxy`, with capture on, to a bare TCP relay with two threads per connection, and to mitmproxy.
//!
//! ```text
//! cargo run --release -- FRAMESCOPE-BINARY [MITMDUMP]
//! ```
//!
//! The echo server is tungstenite's, a process of its own. The load client writes frames that were encoded before, and keeps a number
//! of messages in flight per connection. Rounds alternate between the ways; a rate is the median of its rounds, a ratio the median of
//! the rounds' ratios. Captures are written to $TMPDIR: use a memory file system, such as /dev/shm.
//!
//! Exit status 1 if a bar is missed: half of the bare relay's rate, 100 times mitmproxy's, less than 100 µs added to the median time of
//! an echo.

mod load;
mod peers;

use load::Shape;
use peers::Peer;

/// Many short rounds, so that other load on the machine affects all ways alike.
const ROUNDS: usize = 9;

/// The least ratio to the bare relay, and to mitmproxy.
const BARS: [f64; 2] = [0.5, 100.0];

/// The most time that may be added to the median echo, in microseconds.
const MOST_ADDED: f64 = 100.0;

const SHAPES: [Shape; 3] = [
    Shape { connections: 1, len: 14, in_flight: 256, total: 100_000 },
    Shape { connections: 4, len: 1024, in_flight: 64, total: 40_000 },
    Shape { connections: 1, len: 14, in_flight: 1, total: 5_000 },
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |at: usize| arguments.get(at).map(String::as_str);
    match (argument(0), argument(1)) {
        (Some("echo"), None) => return peers::echo(),
        (Some("relay"), Some(target)) => return peers::relay(target),
        (Some(_), _) => {}
        (None, _) => {
            eprintln!("usage: proxy-bench FRAMESCOPE-BINARY [MITMDUMP]");
            std::process::exit(2);
        }
    }
    std::process::exit(i32::from(!compare(&arguments)));
}

/// Runs all comparisons; returns true if every bar is met. The peers have ended when it returns.
fn compare(arguments: &[String]) -> bool {
    let argument = |at: usize| arguments.get(at).map(String::as_str);
    let server = Peer::own(&["echo"]);
    let target = server.address.to_string();
    let relay = Peer::own(&["relay", &target]);
    let proxy = Peer::framescope(&arguments[0], &target, &[]);
    let mut failed = false;
    let mut report = |words: String, met: bool| {
        println!("{words}  {}", if met { "ok" } else { "BELOW" });
        failed |= !met;
    };

    println!("connections  bytes  in flight    direct/s  bare relay/s  framescope/s  ratio");
    for shape in SHAPES {
        let mut rounds = Vec::new();
        for round in 0..=ROUNDS {
            let rates = [&server, &relay, &proxy].map(|way| load::run(&shape, way.address));
            // The first round warms up.
            if round > 0 {
                rounds.push(rates);
            }
        }
        let [direct, bare, ours] = [0, 1, 2].map(|way| median(rounds.iter().map(|rates| rates[way])));
        let ratio = median(rounds.iter().map(|rates| rates[2] / rates[1]));
        let Shape { connections, len, in_flight, .. } = shape;
        let line = format!("{connections:11} {len:6} {in_flight:10} {direct:11.0} {bare:13.0} {ours:13.0} {ratio:6.2}");
        report(line, ratio >= BARS[0]);
    }

    let [direct, bare, ours] = [&server, &relay, &proxy].map(|way| load::median_time(way.address, 10_000));
    let line = format!(
        "\nmedian echo, one in flight: direct {direct:.1} µs, bare relay {bare:.1} µs, framescope {ours:.1} µs"
    );
    report(format!("{line}: {:.1} µs added", ours - direct), ours - direct < MOST_ADDED);

    let ringed = Peer::framescope(&arguments[0], &target, &["--ring", "64MiB"]);
    println!();
    for (name, way) in [("one file", &proxy), ("a ring of 64 MiB", &ringed)] {
        let million = Shape { total: 250_000, ..SHAPES[0] };
        let memory: Vec<u64> = (0..5)
            .map(|round| {
                if round > 0 {
                    load::run(&million, way.address);
                }
                way.memory()
            })
            .collect();
        println!("resident memory at 0 to 1,000,000 messages, {name}: {memory:?} kB");
    }

    if let Some(mitmdump) = argument(1) {
        let mitm = Peer::mitmproxy(mitmdump, &target);
        let few = Shape { total: 4_000, ..SHAPES[0] };
        let mut rounds = Vec::new();
        for _ in 0..3 {
            rounds.push((load::run(&SHAPES[0], proxy.address), load::run(&few, mitm.address)));
        }
        let (ours, theirs) = (median(rounds.iter().map(|r| r.0)), median(rounds.iter().map(|r| r.1)));
        let ratio = median(rounds.iter().map(|r| r.0 / r.1));
        report(
            format!("\n14 bytes, 256 in flight: framescope {ours:.0}/s, mitmproxy {theirs:.0}/s, {ratio:.0} times"),
            ratio >= BARS[1],
        );
    }
    !failed
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
