//! The servers. Each is a child process, which ends when its [`Peer`] is dropped.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::thread;

use framescope::capture::live::recorder::Recorder;
use framescope::capture::live::spool::Spool;
use framescope::net::{Server, ServerConfig};

/// A running server.
pub struct Peer {
    child: Child,
    pub address: SocketAddr,
    /// The folder of its capture.
    _folder: tempfile::TempDir,
}

impl Peer {
    /// Starts the framescope program.
    pub fn program(path: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = Command::new(path);
        command.args(["serve", "--headless", "--quiet", "--listen", "127.0.0.1:0", "--write"]);
        command.arg(folder.path().join("live.pcapng"));
        Self::start(command, folder)
    }

    /// Starts this program as a server.
    pub fn child(own: &str, what: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = Command::new(own);
        command.arg(what).env("SPOOL", folder.path().join("live.pcapng"));
        Self::start(command, folder)
    }

    fn start(mut command: Command, folder: tempfile::TempDir) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("a server process");
        let mut lines = BufReader::new(child.stderr.take().expect("its stderr")).lines();
        let address = loop {
            let line = lines.next().expect("a line that says where it listens").expect("text");
            if let Some((_, place)) = line.split_once("listening on http://") {
                break place.trim_end_matches('/').parse().expect("an address");
            }
        };
        // Read and discard later lines: a full pipe would block the server.
        thread::spawn(move || lines.for_each(drop));
        Self { child, address, _folder: folder }
    }

    /// The processor time that the server has used, in seconds: fields 14 and 15 of proc_pid_stat(5), in ticks of 10 ms.
    pub fn cpu(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("its times");
        let (_, fields) = stat.rsplit_once(") ").expect("a name in parentheses");
        fields.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<f64>().expect("ticks")).sum::<f64>() / 100.0
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Its file is deleted with the folder, so it need not end in order.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves as `framescope serve --headless --quiet` does.
pub fn framescope() {
    let spool = std::env::var_os("SPOOL").expect("the path of the capture");
    let recorder = Recorder::new(Spool::keep(spool.as_ref(), false).expect("a spool"));
    let config = ServerConfig { listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..ServerConfig::default() };
    let server = Server::bind(config).expect("a port");
    let handle = server.start(recorder).expect("a thread");
    eprintln!("listening on http://{}/", handle.address());
    wait_for_the_end();
    handle.shutdown();
}

/// Serves as tungstenite's example echo server does: a thread per connection reads each message and sends it back.
pub fn tungstenite() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    eprintln!("listening on http://{}/", listener.local_addr().expect("an address"));
    thread::spawn(wait_for_the_end_and_exit);
    for stream in listener.incoming() {
        let stream = stream.expect("a connection");
        thread::spawn(move || {
            stream.set_nodelay(true).expect("no delay");
            let mut socket = ::tungstenite::accept(stream).expect("a handshake");
            while let Ok(message) = socket.read() {
                if message.is_text() || message.is_binary() {
                    socket.send(message).expect("sent");
                }
            }
        });
    }
}

/// Waits until the parent closes stdin or ends.
fn wait_for_the_end() {
    let _ = std::io::stdin().read(&mut [0]);
}

fn wait_for_the_end_and_exit() {
    wait_for_the_end();
    std::process::exit(0);
}
