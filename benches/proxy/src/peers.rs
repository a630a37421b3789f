//! The server and the ways to it. Each is a child process, which ends when its [`Peer`] is dropped.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The longest that a process may take to listen.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running process that listens.
pub struct Peer {
    child: Child,
    pub address: SocketAddr,
    /// The folder of its capture.
    folder: Option<PathBuf>,
}

impl Peer {
    /// This program in another role.
    pub fn own(arguments: &[&str]) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("the path of this program"));
        command.args(arguments);
        Self::start(command, None)
    }

    /// `framescope proxy`, which writes its capture to a file.
    pub fn framescope(program: &str, target: &str, further: &[&str]) -> Self {
        static SERIAL: AtomicU32 = AtomicU32::new(0);
        let name = format!("proxy-bench-{}-{}", std::process::id(), SERIAL.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir(&folder).expect("a folder");
        let mut command = Command::new(program);
        command.args(["proxy", &format!("ws://{target}"), "--headless", "--quiet", "--listen", "127.0.0.1:0"]);
        command.args(further).arg("--write").arg(folder.join("live.pcapng"));
        Self::start(command, Some(folder))
    }

    /// mitmproxy as a reverse proxy.
    pub fn mitmproxy(program: &str, target: &str) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
        let mut command = Command::new(program);
        command.args(["--mode", &format!("reverse:http://{target}"), "--listen-host", "127.0.0.1", "-q"]);
        command.args(["--listen-port", &free.port().to_string()]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("mitmdump starts");
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(free).is_err() {
            assert!(Instant::now() < deadline, "mitmdump does not listen");
            thread::sleep(Duration::from_millis(50));
        }
        Self { child, address: free, folder: None }
    }

    fn start(mut command: Command, folder: Option<PathBuf>) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("a process");
        let mut lines = BufReader::new(child.stderr.take().expect("its stderr")).lines();
        let address = loop {
            let line = lines.next().expect("a line that says where it listens").expect("text");
            if let Some((_, place)) = line.split_once("listening on http://") {
                break place.trim_end_matches('/').parse().expect("an address");
            }
            eprintln!("{line}");
        };
        // Read and discard later lines: a full pipe would block the process.
        thread::spawn(move || lines.for_each(drop));
        Self { child, address, folder }
    }

    /// Its resident memory in kB (VmRSS of proc_pid_status(5)).
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("its status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Its file is deleted, so it need not end in order.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(folder) = &self.folder {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

/// Serves as tungstenite's example echo server does: a thread per connection reads each message and sends it back.
pub fn echo() {
    let listener = listen();
    for stream in listener.incoming() {
        let stream = stream.expect("a connection");
        thread::spawn(move || {
            stream.set_nodelay(true).expect("no delay");
            let mut socket = tungstenite::accept(stream).expect("a handshake");
            while let Ok(message) = socket.read() {
                if message.is_text() || message.is_binary() {
                    socket.send(message).expect("sent");
                }
            }
        });
    }
}

/// Relays connections to `target`: two threads per connection, each of which reads and writes.
pub fn relay(target: &str) {
    let listener = listen();
    for client in listener.incoming() {
        let (client, target) = (client.expect("a connection"), target.to_owned());
        thread::spawn(move || {
            let server = TcpStream::connect(target).expect("the server");
            client.set_nodelay(true).and_then(|()| server.set_nodelay(true)).expect("no delay");
            thread::scope(|scope| {
                scope.spawn(|| copy(&server, &client));
                copy(&client, &server);
            });
        });
    }
}

fn copy(mut from: &TcpStream, mut to: &TcpStream) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(n @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..n]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// Listens, and ends the process when the parent closes stdin or ends.
fn listen() -> TcpListener {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    eprintln!("listening on http://{}/", listener.local_addr().expect("an address"));
    thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    listener
}
