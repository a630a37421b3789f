//! TLS on both sides: the server and the proxy with other people's clients, and certificates that are not accepted.

mod connect;
mod ends;
mod forward;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use tungstenite::Message;

use crate::support::browser::{Chromium, Page as _};
use crate::support::load;
use crate::support::program::{Program, command};
use crate::support::{exported, opened};
use framescope::capture::live::recorder::Recorder;
use framescope::capture::live::spool::Spool;
use framescope::capture::store::Capture;
use framescope::export::Format;
use framescope::net::demo::{self, Behaviour};
use framescope::net::proxy::{Proxy, ProxyConfig};
use framescope::net::tls::authority;
use framescope::net::tls::client::{self, Trust};
use framescope::net::tls::server::ServerTls;
use framescope::net::{ListenerHandle, PageServer, Server, ServerConfig};
use framescope::proto::dissected::Kind;
use framescope::wire::http::Head;

/// A server or proxy under test, and its capture.
struct Bench {
    handle: ListenerHandle,
    recorder: Recorder,
    path: PathBuf,
    folder: tempfile::TempDir,
}

/// TLS from a new authority; the file of its certificate.
fn tls(folder: &Path) -> (Arc<ServerTls>, PathBuf) {
    let folder = folder.join("ca");
    // No two authorities have the same name.
    let host = folder.display().to_string();
    let tls = ServerTls::from_authority(&folder, &host, None).expect("an authority");
    (Arc::new(tls), authority::certificate_path(&folder))
}

fn any_port() -> SocketAddr {
    "127.0.0.1:0".parse().expect("an address")
}

/// Trust in the certificates of one file only, or in any.
fn trusting(cacert: Option<&Path>) -> Arc<ClientConfig> {
    let trust = Trust { cacert: cacert.map(Path::to_owned), insecure: cacert.is_none() };
    client::config(&trust, None).expect("a client")
}

impl Bench {
    fn recording(start: impl FnOnce(&Path, Recorder) -> ListenerHandle) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("live.pcapng");
        let recorder = Recorder::new(Spool::keep(&path, false).expect("a spool"));
        let handle = start(folder.path(), recorder.clone());
        Self { handle, recorder, path, folder }
    }

    fn server() -> Self {
        Self::recording(|folder, recorder| {
            let config = ServerConfig { listen: any_port(), tls: Some(tls(folder).0), ..ServerConfig::default() };
            Server::bind(config).expect("a port").start(recorder).expect("a thread")
        })
    }

    /// A proxy that speaks TLS with clients and with `server`, whose authority it trusts, or any.
    fn proxy(server: SocketAddr, cacert: Option<&Path>) -> Self {
        Self::recording(|folder, recorder| {
            let target = format!("wss://localhost:{}", server.port()).parse().expect("a URL");
            let mut config = ProxyConfig::new(any_port(), target);
            config.tls = Some(tls(folder).0);
            config.trust = Some(trusting(cacert));
            Proxy::bind(config).expect("a port").start(recorder).expect("a thread")
        })
    }

    fn address(&self) -> SocketAddr {
        self.handle.address()
    }

    /// The certificate of its authority.
    fn cacert(&self) -> PathBuf {
        authority::certificate_path(&self.folder.path().join("ca"))
    }

    /// A client that trusts the authority.
    fn client(&self) -> StreamOwned<ClientConnection, TcpStream> {
        let socket = TcpStream::connect(self.address()).expect("a connection");
        socket.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
        let name = ServerName::try_from("localhost").expect("a name");
        let session = ClientConnection::new(trusting(Some(&self.cacert())), name).expect("a client");
        StreamOwned::new(session, socket)
    }

    fn response(&self, request: &str) -> String {
        let mut client = self.client();
        client.write_all(request.as_bytes()).expect("sent");
        let mut response = String::new();
        client.read_to_string(&mut response).expect("a response, whose end is announced");
        response
    }

    /// Ends it; the capture from its file, which has the records of the live run, and the bytes of the file.
    fn finish(self) -> (Capture, Vec<u8>) {
        assert!(self.handle.shutdown(), "all threads ended");
        let capture = load(&self.path);
        let kinds = |capture: &Capture| capture.records(1..u64::MAX).iter().map(|r| r.kind).collect::<Vec<_>>();
        assert_eq!(kinds(&capture), kinds(self.recorder.capture()));
        (capture, std::fs::read(&self.path).expect("the file"))
    }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    memchr::memmem::find(bytes, text.as_bytes()).is_some()
}

fn talk(bench: &Bench) {
    let url = format!("wss://localhost:{}/echo", bench.address().port());
    let (mut peer, _) = tungstenite::client(url, bench.client()).expect("a handshake");
    for message in [Message::text("Hello"), Message::binary(vec![7; 300_000]), Message::text("")] {
        peer.send(message.clone()).expect("sent");
        assert_eq!(peer.read().expect("an echo"), message);
    }
    peer.close(None).expect("sent");
    while peer.read().is_ok() {}
}

/// The live capture says that its only connection is decrypted, and how; its file says the same, and an export of the file.
fn is_decrypted(capture: &Capture, file: &[u8], how: &str) {
    let again = opened(file);
    for capture in [capture, &again, &opened(&exported(&again, Format::Pcapng))] {
        let tls = capture.connection(1).and_then(|connection| connection.tls).expect("decrypted");
        assert_eq!((tls.to_string(), capture.totals().decrypted), (how.to_owned(), 1));
    }
}

#[test]
fn the_server_speaks_websocket_over_tls_and_the_file_says_so() {
    let bench = Bench::server();
    talk(&bench);
    let (capture, file) = bench.finish();
    assert!(contains(&file, "framescope:decrypted client=1") && contains(&file, "Hello"));
    is_decrypted(&capture, &file, "TLS with the client");
    let frames = capture.records(1..u64::MAX).iter().filter(|record| record.kind == Kind::Frame).count();
    assert_eq!((frames, capture.findings(0, usize::MAX).len()), (8, 0));
}

#[test]
fn the_page_and_its_origin_have_the_scheme_https() {
    let bench = Bench::server();
    let place = format!("127.0.0.1:{}", bench.address().port());
    let page = bench.response(&format!("GET / HTTP/1.1\r\nHost: {place}\r\nConnection: close\r\n\r\n"));
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    for (scheme, status) in [("https", 101), ("http", 403)] {
        let request = format!(
            "GET /echo HTTP/1.1\r\nHost: {place}\r\nOrigin: {scheme}://{place}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        let mut client = bench.client();
        client.write_all(request.as_bytes()).expect("sent");
        let mut head = [0; 1024];
        let n = client.read(&mut head).expect("a response");
        assert_eq!(Head::read(&head[..n]).status(), Some(status), "{scheme}");
    }
    bench.finish();
}

#[test]
fn a_request_without_tls_is_told_the_address_with_tls() {
    let server = Bench::server();
    for bench in [Bench::proxy(server.address(), None), server] {
        let mut plain = TcpStream::connect(bench.address()).expect("a connection");
        plain.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
        plain.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("sent");
        let mut response = Vec::new();
        plain.read_to_end(&mut response).expect("a response");
        assert_eq!(Head::read(&response).status(), Some(400));
        assert!(contains(&response, &format!("https://{}", bench.address())));
        let (capture, file) = bench.finish();
        assert!(!contains(&file, "framescope:decrypted client"));
        assert_eq!(capture.totals().connections, 1);
    }
}

#[test]
fn the_demo_client_speaks_tls() {
    let bench = Bench::server();
    let demo = demo::start(PageServer { address: bench.address(), is_tls: true }, Behaviour::Lesson).expect("a thread");
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while bench.recorder.capture().totals().records < 4 {
        assert!(std::time::Instant::now() < deadline, "the demo client does not connect");
        std::thread::sleep(Duration::from_millis(5));
    }
    demo.stop().expect("it closes");
    bench.finish();
}

#[test]
fn the_proxy_relays_from_tls_to_tls() {
    let server = Bench::server();
    let proxy = Bench::proxy(server.address(), Some(&server.cacert()));
    talk(&proxy);
    let (relayed, file) = proxy.finish();
    let (served, _) = server.finish();
    assert!(contains(&file, "framescope:decrypted client=1 server=1"));
    is_decrypted(&relayed, &file, "TLS with client and server");
    let bytes = |capture: &Capture| {
        let records = capture.records(1..u64::MAX);
        let frames = records.iter().filter(|record| record.kind == Kind::Frame);
        frames.map(|record| capture.wire(record, 0..u64::MAX).expect("bytes")).collect::<Vec<_>>()
    };
    assert!(bytes(&relayed).len() == 8 && bytes(&relayed) == bytes(&served));
}

#[test]
fn a_certificate_that_is_not_accepted_is_a_502_with_the_reason_and_a_record() {
    let (server, other) = (Bench::server(), Bench::server());
    let proxy = Bench::proxy(server.address(), Some(&other.cacert()));
    let response = proxy.response("GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(Head::read(response.as_bytes()).status(), Some(502));
    assert!(response.contains("--cacert") && response.contains("framescope CA of"), "{response}");
    let (capture, _) = proxy.finish();
    let kinds: Vec<_> = capture.records(1..3).iter().map(|record| record.kind).collect();
    assert_eq!(kinds, [Kind::Request, Kind::Response]);
    server.finish();
    other.finish();
}

/// Runs the program with a data folder of its own.
fn run(data: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = command(arguments)
        .env("XDG_DATA_HOME", data)
        .stdin(std::process::Stdio::null())
        .output()
        .expect("the program runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_authority_is_managed_by_its_command() {
    let data = tempfile::tempdir().expect("a folder");
    let ca = |action| run(data.path(), &["ca", action]);
    let certificate = data.path().join("framescope/ca/ca.pem");
    for action in ["show", "path", "remove"] {
        let (status, out, error) = ca(action);
        assert_eq!((status, out.as_str(), error.lines().count()), (Some(1), "", 1), "{action}: {error}");
    }
    assert_eq!(ca("create").0, Some(0));
    assert_eq!(ca("create").0, Some(1));
    assert_eq!(ca("path").1.trim(), certificate.display().to_string());
    let fingerprint =
        Command::new("openssl").args(["x509", "-noout", "-fingerprint", "-sha256", "-in"]).arg(&certificate).output();
    if let Ok(output) = fingerprint {
        let shown = String::from_utf8(output.stdout).expect("text");
        let shown = shown.trim().split_once('=').map(|(_, hex)| hex.to_owned());
        assert!(shown.is_some_and(|hex| ca("show").1.contains(&hex)));
    }
    assert_eq!((ca("remove").0, certificate.exists()), (Some(0), false));
}

#[test]
fn wrong_files_and_flags_are_one_line() {
    let data = tempfile::tempdir().expect("a folder");
    let missing = data.path().join("missing").display().to_string();
    for (arguments, expected) in [
        (&["serve", "--cert", &missing, "--key", &missing][..], 2),
        (&["serve", "--tls", "--cert", &missing], 2),
        (&["serve", "--headless", "--tls", "--cert", &missing, "--key", &missing], 1),
        (&["serve", "--headless", "--tls", "--keylog", "/"], 1),
        (&["proxy", "--headless", "wss://localhost", "--cacert", &missing], 1),
    ] {
        let (status, _, error) = run(data.path(), arguments);
        assert_eq!((status, error.lines().count()), (Some(expected), 1), "{arguments:?}: {error}");
    }
}

/// Where `.ci/run` installs other people's clients.
fn installed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers")
}

/// Lets a client talk to `/echo`, of the server and through a proxy. The client trusts the certificate in the file of `variable`.
fn is_understood(client: impl Fn() -> Command, variable: &str) {
    let server = Bench::server();
    let proxy = Bench::proxy(server.address(), Some(&server.cacert()));
    for bench in [&server, &proxy] {
        let mut client = client();
        client.env(variable, bench.cacert()).arg(format!("wss://localhost:{}/echo", bench.address().port()));
        let output = client.output().expect("the client runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let [through, served] = [proxy, server].map(|bench| bench.finish().0.totals().records);
    assert!(through > 20 && served > through, "{through} of {served}");
}

#[test]
#[ignore = "needs Python's websockets, which .ci/run installs"]
fn the_websockets_of_python() {
    let client = || {
        let mut client = Command::new(installed().join("venv/bin/python"));
        client.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/websockets_client.py"));
        client
    };
    is_understood(client, "SSL_CERT_FILE");
}

#[test]
#[ignore = "needs Node and npm's ws, which .ci/run installs"]
fn the_ws_of_npm() {
    let client = || {
        let mut client = Command::new("node");
        client.env("NODE_PATH", installed().join("node_modules"));
        client.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/ws_client.js"));
        client
    };
    is_understood(client, "NODE_EXTRA_CA_CERTS");
}

#[test]
#[ignore = "needs curl and openssl"]
fn curl_and_openssl_with_tls_1_2_and_1_3() {
    let bench = Bench::server();
    let port = bench.address().port();
    for (host, version) in [("localhost", "1.3"), ("127.0.0.1", "1.2")] {
        let output = Command::new("curl")
            .args(["--silent", "--show-error", "--noproxy", "*", &format!("--tlsv{version}"), "--tls-max", version])
            .arg("--cacert")
            .arg(bench.cacert())
            .arg(format!("https://{host}:{port}/style.css"))
            .output()
            .expect("curl");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.stdout, include_bytes!("../../../static/style.css"));
    }
    let output = Command::new("openssl")
        .args([
            "s_client",
            "-connect",
            &format!("localhost:{port}"),
            "-alpn",
            "h2,http/1.1",
            "-verify_return_error",
            "-CAfile",
        ])
        .arg(bench.cacert())
        .stdin(std::process::Stdio::null())
        .output()
        .expect("openssl");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("Verify return code: 0 (ok)") && text.contains("ALPN protocol: http/1.1"), "{text}");
    bench.finish();
}

#[test]
#[ignore = "needs Chromium and certutil (Debian packages chromium and libnss3-tools)"]
fn chromium_with_the_authority_in_its_own_profile() {
    let data = tempfile::tempdir().expect("a folder");
    assert_eq!(run(data.path(), &["ca", "create"]).0, Some(0));
    let data_home = data.path().display().to_string();
    let mut server = Program::run_in(&data_home, &["serve", "--listen", "127.0.0.1:0", "--tls", "--interval", "100ms"]);
    assert!(server.url.starts_with("https://127.0.0.1:"), "{}", server.url);
    let mut page = Chromium::trusting(&server.url, &data.path().join("framescope/ca/ca.pem"));
    page.wait_for_text("#url", "wss://");
    page.wait_for_text("#state", "OPEN");
    server.wait_for("a masked frame of the page", 0, |record| record["type"] == "frame" && record["dir"] == "c2s");
    server.stop();
}
