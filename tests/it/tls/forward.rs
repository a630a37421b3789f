//! The forward proxy with TLS: tunnels to named hosts are opened, others pass unread. Other people's clients use it.

use std::io::{Read, Write};

use framescope::net::proxy::forward::{ForwardConfig, ForwardProxy, Interception};

use super::*;
use crate::support::exported;
use framescope::export::Format;

impl Bench {
    /// A forward proxy that opens the TLS of `localhost`, and trusts the authority of a certificate, or any server.
    fn intercepting(hosts: &[&str], cacert: Option<&Path>) -> Self {
        Self::recording(|folder, recorder| {
            let hosts = hosts.iter().map(|host| host.parse().expect("a host")).collect();
            let interception = Interception { hosts, certificates: tls(folder).0, trust: trusting(cacert) };
            let config = ForwardConfig { interception: Some(interception), ..ForwardConfig::new(any_port()) };
            ForwardProxy::bind(config).expect("a port").start(recorder).expect("a thread")
        })
    }

    /// A client in a tunnel to a port of this machine, which trusts the authority of a certificate.
    fn tunnel(&self, host: &str, port: u16, cacert: &Path) -> StreamOwned<ClientConnection, TcpStream> {
        let mut socket = TcpStream::connect(self.address()).expect("a connection");
        socket.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
        write!(socket, "CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n").expect("sent");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            socket.read_exact(&mut byte).expect("a response");
            head.push(byte[0]);
        }
        assert_eq!(Head::read(&head).status(), Some(200));
        let name = ServerName::try_from(host.to_owned()).expect("a name");
        StreamOwned::new(ClientConnection::new(trusting(Some(cacert)), name).expect("a client"), socket)
    }
}

fn echoes<S: Read + Write>(peer: StreamOwned<ClientConnection, S>, host: &str, port: u16) {
    let (mut peer, _) = tungstenite::client(format!("wss://{host}:{port}/echo"), peer).expect("a handshake");
    for message in [Message::text("Hello"), Message::binary(vec![7; 300_000])] {
        peer.send(message.clone()).expect("sent");
        assert_eq!(peer.read().expect("an echo"), message);
    }
    peer.close(None).expect("sent");
    while peer.read().is_ok() {}
}

#[test]
fn the_tls_of_named_hosts_is_opened_and_the_capture_is_decrypted() {
    let server = Bench::server();
    let port = server.address().port();
    for host in ["localhost", "127.0.0.1"] {
        let proxy = Bench::intercepting(&["localhost", &format!("127.0.0.1:{port}")], Some(&server.cacert()));
        // The client sees a certificate of the proxy for the host that it asked for.
        echoes(proxy.tunnel(host, port, &proxy.cacert()), host, port);
        let (capture, file) = proxy.finish();
        assert!(contains(&file, "framescope:decrypted client=1 server=1") && contains(&file, "Hello"));
        is_decrypted(&capture, &file, "TLS with client and server");
        let records = capture.records(1..u64::MAX);
        let kinds: Vec<_> = records.iter().map(|record| record.kind).take(5).collect();
        assert_eq!(kinds, [Kind::Request, Kind::Response, Kind::Request, Kind::Response, Kind::Frame]);
        let shown = capture.connection(records[0].connection).expect("the connection");
        assert_eq!(shown.about.host.as_deref(), Some(&*format!("{host}:{port}")));
        assert_eq!(capture.findings(0, usize::MAX), []);
        let har = exported(&capture, Format::Har);
        assert!(contains(&har, &format!("\"http://{host}:{port}/\"")));
        assert!(contains(&har, &format!("\"wss://{host}:{port}/echo\"")));
    }
    server.finish();
}

#[test]
fn the_tls_of_other_hosts_passes_unread() {
    let server = Bench::server();
    let port = server.address().port();
    let proxy = Bench::intercepting(&["*.localhost", "localhost:1"], None);
    // The client sees the certificate of the server.
    echoes(proxy.tunnel("localhost", port, &server.cacert()), "localhost", port);
    let (capture, file) = proxy.finish();
    assert!(!contains(&file, "framescope:decrypted") && !contains(&file, "/echo"));
    let gaps = capture.records(1..u64::MAX).into_iter().filter(|record| record.kind == Kind::Gap);
    assert!(gaps.map(|record| record.wire_len).sum::<u64>() > 600_000);
    server.finish();
}

#[test]
fn a_client_that_does_not_trust_the_proxy_is_reported_with_the_next_step() {
    let server = Bench::server();
    let proxy = Bench::intercepting(&["localhost"], None);
    let mut client = proxy.tunnel("localhost", server.address().port(), &server.cacert());
    assert!(client.write_all(b"GET / HTTP/1.1\r\n\r\n").is_err() || client.read(&mut [0; 8]).is_err());
    drop(client);
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    let problem = loop {
        if let Some(problem) = proxy.recorder.capture().trouble().problems.pop() {
            break problem.text;
        }
        assert!(std::time::Instant::now() < deadline, "nothing is reported");
        std::thread::sleep(Duration::from_millis(5));
    };
    assert!(problem.contains("tunnel to localhost") && problem.contains("framescope ca show"), "{problem}");
    let (capture, _) = proxy.finish();
    assert_eq!(capture.totals().records, 4);
    server.finish();
}

#[test]
fn a_server_that_is_not_trusted_is_a_502_in_the_tunnel() {
    let (server, other) = (Bench::server(), Bench::server());
    let proxy = Bench::intercepting(&["localhost"], Some(&other.cacert()));
    let mut client = proxy.tunnel("localhost", server.address().port(), &proxy.cacert());
    client.write_all(b"GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("sent");
    let mut response = String::new();
    client.read_to_string(&mut response).expect("a response");
    assert_eq!(Head::read(response.as_bytes()).status(), Some(502));
    assert!(response.contains("error=tls_certificate_error") && response.contains("--cacert"), "{response}");
    let (capture, _) = proxy.finish();
    let kinds: Vec<_> = capture.records(1..5).iter().map(|record| record.kind).collect();
    assert_eq!(kinds, [Kind::Request, Kind::Response, Kind::Request, Kind::Response]);
    server.finish();
    other.finish();
}

#[test]
fn other_bytes_than_tls_pass_to_a_named_host() {
    let plain = Bench::recording(|_, recorder| {
        let config = ServerConfig { listen: any_port(), ..ServerConfig::default() };
        Server::bind(config).expect("a port").start(recorder).expect("a thread")
    });
    let proxy = Bench::intercepting(&["localhost"], None);
    let StreamOwned { sock, .. } = proxy.tunnel("localhost", plain.address().port(), &proxy.cacert());
    let (mut peer, _) =
        tungstenite::client(format!("ws://localhost:{}/echo", plain.address().port()), sock).expect("a handshake");
    peer.send(Message::text("Hello")).expect("sent");
    assert_eq!(peer.read().expect("an echo"), Message::text("Hello"));
    drop(peer);
    let (capture, file) = proxy.finish();
    assert!(!contains(&file, "framescope:decrypted"));
    assert_eq!(capture.records(1..u64::MAX).iter().filter(|record| record.kind == Kind::Frame).count(), 2);
    plain.finish();
}

#[test]
fn a_client_may_speak_tls_with_the_proxy_too() {
    let server = Bench::server();
    let port = server.address().port();
    let proxy = Bench::recording(|folder, recorder| {
        let (certificates, trust) = (tls(folder).0, trusting(Some(&server.cacert())));
        let hosts = vec!["localhost".parse().expect("a host")];
        let interception = Interception { hosts, certificates: Arc::clone(&certificates), trust };
        let mut config = ForwardConfig::new(any_port());
        (config.tls, config.interception) = (Some(certificates), Some(interception));
        ForwardProxy::bind(config).expect("a port").start(recorder).expect("a thread")
    });
    let mut outer = proxy.client();
    write!(outer, "CONNECT localhost:{port} HTTP/1.1\r\n\r\n").expect("sent");
    let mut head = [0; 39];
    outer.read_exact(&mut head).expect("a response");
    assert!(head.starts_with(b"HTTP/1.1 200 ") && head.ends_with(b"\r\n\r\n"));
    let name = ServerName::try_from("localhost").expect("a name");
    let inner = ClientConnection::new(trusting(Some(&proxy.cacert())), name).expect("a client");
    echoes(StreamOwned::new(inner, outer), "localhost", port);
    // Without TLS.
    let mut plain = TcpStream::connect(proxy.address()).expect("a connection");
    plain.write_all(b"CONNECT localhost:9 HTTP/1.1\r\n\r\n").expect("sent");
    let mut response = Vec::new();
    plain.read_to_end(&mut response).expect("a response");
    assert_eq!(Head::read(&response).status(), Some(400));
    let (capture, file) = proxy.finish();
    assert!(contains(&file, "framescope:decrypted client=1 server=1") && contains(&file, "Hello"));
    assert_eq!(capture.records(1..u64::MAX).iter().filter(|record| record.kind == Kind::Frame).count(), 6);
    server.finish();
}

/// The program as a forward proxy that opens `localhost`, with a data folder of its own, and the flags of curl and others for it.
fn program(server: &Bench, data: &Path) -> (Program, PathBuf) {
    assert_eq!(run(data, &["ca", "create"]).0, Some(0));
    let cacert = server.cacert().display().to_string();
    let arguments = ["proxy", "--forward", "--listen", "127.0.0.1:0", "--intercept", "localhost", "--cacert", &cacert];
    (Program::run_in(&data.display().to_string(), &arguments), data.join("framescope/ca/ca.pem"))
}

#[test]
#[ignore = "needs curl"]
fn curl_through_the_program() {
    let (server, data) = (Bench::server(), tempfile::tempdir().expect("a folder"));
    let (mut proxy, certificate) = program(&server, data.path());
    let plain = Program::start(&[]);
    let style = format!("https://localhost:{}/style.css", server.address().port());
    let unread = format!("https://127.0.0.1:{}/style.css", server.address().port());
    let urls = [format!("{}style.css", plain.url), style, unread];
    for (url, trusted) in urls.iter().zip([&certificate, &certificate, &server.cacert()]) {
        let curl = Command::new("curl")
            .args(["--silent", "--show-error", "--noproxy", "", "--proxy", &proxy.url, url, "--cacert"])
            .arg(trusted)
            .output()
            .expect("curl");
        assert!(curl.status.success(), "{url}: {}", String::from_utf8_lossy(&curl.stderr));
        assert_eq!(curl.stdout, include_bytes!("../../../static/style.css"));
    }
    proxy.wait_for("the end of the third connection", 0, |record| record["conn"] == 3 && record["type"] == "end");
    let records = proxy.stop();
    let of = |conn: u64, kind: &str| records.iter().filter(|r| r["conn"] == conn && r["type"] == kind).count();
    assert_eq!([of(1, "request"), of(2, "request"), of(3, "request")], [1, 2, 1], "{records:#?}");
    assert!(of(3, "gap") > 0 && of(2, "gap") == 0);
    assert!(records.iter().all(|r| r["findings"].as_array().is_none_or(Vec::is_empty)), "{records:#?}");
    plain.stop();
    server.finish();
}

#[test]
#[ignore = "needs Python's websockets, which .ci/run installs"]
fn the_websockets_of_python_through_the_program() {
    let (server, data) = (Bench::server(), tempfile::tempdir().expect("a folder"));
    let (mut proxy, certificate) = program(&server, data.path());
    let mut client = Command::new(installed().join("venv/bin/python"));
    client.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/websockets_client.py"));
    client
        .env("SSL_CERT_FILE", certificate)
        .env("https_proxy", &proxy.url)
        .env_remove("no_proxy")
        .env_remove("NO_PROXY");
    let output = client.arg(format!("wss://localhost:{}/echo", server.address().port())).output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    proxy.wait_for("a Close", 0, |record| record["opcode_name"] == "close");
    let records = proxy.stop();
    assert!(records.iter().filter(|record| record["method"] == "CONNECT").count() > 5);
    assert!(records.iter().filter(|record| record["rsv1"] == true).count() > 20);
    server.finish();
}

#[test]
#[ignore = "needs Chromium and certutil (Debian packages chromium and libnss3-tools)"]
fn chromium_through_the_program_with_the_authority_in_its_own_profile() {
    let (server, data) = (Bench::server(), tempfile::tempdir().expect("a folder"));
    let (mut proxy, certificate) = program(&server, data.path());
    let url = format!("https://localhost:{}/", server.address().port());
    let mut page = Chromium::trusting_through(&proxy.url, &url, &certificate);
    page.wait_for_text("#url", "wss://localhost:");
    page.wait_for_text("#state", "OPEN");
    proxy.wait_for("a masked frame of the page", 0, |record| record["type"] == "frame" && record["dir"] == "c2s");
    // Without TLS: the page in the absolute form, its WebSocket in a tunnel.
    let plain = Program::start(&["--interval", "100ms"]);
    page.navigate(&plain.url);
    page.wait_for_text("#url", "ws://127.0.0.1:");
    page.wait_for_text("#state", "OPEN");
    let at = proxy.wait_for("the plain page", 0, |r| r["target"].as_str().is_some_and(|t| t == plain.url));
    proxy.wait_for("its frames", at, |record| record["type"] == "frame" && record["dir"] == "c2s");
    drop(page);
    let records = proxy.stop();
    let errors = records.iter().flat_map(|record| record["findings"].as_array().into_iter().flatten());
    let errors: Vec<_> = errors.filter(|finding| finding["severity"] == "error").collect();
    assert!(errors.is_empty(), "{errors:#?}");
    plain.stop();
    server.finish();
}
