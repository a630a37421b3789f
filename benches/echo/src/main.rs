//! Compares the rate of `/echo` with capture to that of a blocking tungstenite echo server without capture.
//!
//! ```text
//! cargo run --release -- [FRAMESCOPE-BINARY [MODE-BYTES-CONNECTIONS]]     such as inflight-1024-4
//! ```
//!
//! Each server is a process of its own: `framescope serve --headless --quiet` if its path is given, otherwise the library
//! without the program. Both have the same load client, whose frames are encoded and masked beforehand, so that it takes
//! little time on the cores that all processes share. Rounds alternate between the two servers; a rate is the median of its
//! rounds, a ratio the median of the rounds' ratios.
//!
//! *Pipelined*: one thread per connection writes all messages in large pieces while another reads the echoes. *In
//! flight*: each connection sends a message when the echo of the previous one has arrived.

mod load;
mod servers;

use load::Case;
use servers::Peer;

/// Many short rounds, so that other load on the machine affects both servers alike.
const ROUNDS: usize = 15;

/// The four combinations of message length and connections, in both modes. `total` messages over all connections.
const CASES: [Case; 8] = [
    Case { pipelined: true, len: 14, connections: 1, total: 200_000, bar: 1.0 },
    Case { pipelined: true, len: 14, connections: 4, total: 200_000, bar: 1.0 },
    Case { pipelined: true, len: 1024, connections: 1, total: 60_000, bar: 1.0 },
    Case { pipelined: true, len: 1024, connections: 4, total: 60_000, bar: 1.0 },
    Case { pipelined: false, len: 14, connections: 1, total: 40_000, bar: 0.9 },
    Case { pipelined: false, len: 14, connections: 4, total: 80_000, bar: 0.9 },
    Case { pipelined: false, len: 1024, connections: 1, total: 40_000, bar: 0.9 },
    Case { pipelined: false, len: 1024, connections: 4, total: 80_000, bar: 0.9 },
];

fn main() {
    let mut arguments = std::env::args().skip(1);
    let program = arguments.next();
    match program.as_deref() {
        Some("serve-tungstenite") => return servers::tungstenite(),
        Some("serve-framescope") => return servers::framescope(),
        _ => {}
    }
    let own = std::env::current_exe().expect("the path of this program").display().to_string();
    let with = program.as_deref().unwrap_or("the library (give the path of the program to measure that)");
    println!("framescope: {with}\n");
    println!("                                framescope     tungstenite");
    println!("mode        bytes  connections   messages/s     messages/s   ratio    bar        µs of CPU/message");
    let mut failed = false;
    let only = arguments.next();
    for case in CASES.into_iter().filter(|case| only.as_ref().is_none_or(|only| *only == case.name())) {
        // New processes for each case, so that no case inherits a file or heap.
        let capturing = match &program {
            Some(program) => Peer::program(program),
            None => Peer::child(&own, "serve-framescope"),
        };
        let plain = Peer::child(&own, "serve-tungstenite");
        let mut rates = Vec::new();
        load::run(&case, capturing.address, 10);
        load::run(&case, plain.address, 10);
        let before = [&capturing, &plain].map(Peer::cpu);
        for _ in 0..ROUNDS {
            rates.push((load::run(&case, capturing.address, 1), load::run(&case, plain.address, 1)));
        }
        let ours = median(rates.iter().map(|r| r.0));
        let theirs = median(rates.iter().map(|r| r.1));
        let ratio = median(rates.iter().map(|r| r.0 / r.1));
        let verdict = if ratio >= case.bar { "ok" } else { "BELOW" };
        failed |= ratio < case.bar;
        let messages = f64::from(ROUNDS as u32) * case.total as f64;
        let cpu = [(&capturing, before[0]), (&plain, before[1])].map(|(p, before)| (p.cpu() - before) / messages * 1e6);
        let mode = if case.pipelined { "pipelined" } else { "in flight" };
        let Case { len, connections, bar, .. } = case;
        println!("{mode:9} {len:7} {connections:12} {ours:12.0} {theirs:14.0} {ratio:7.2} {bar:6.1} {verdict:5}  {:.2} / {:.2}", cpu[0], cpu[1]);
    }
    std::process::exit(i32::from(failed));
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
