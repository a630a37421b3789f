//! TLS connections between a client and a server of rustls, written down as TCP segments, with the key log.

use std::fmt;
use std::io::{Read as _, Write as _};
use std::sync::{Arc, Mutex};

use rustls::crypto::ring;
use rustls::pki_types::{PrivatePkcs8KeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, KeyLog, RootCertStore, ServerConfig, ServerConnection, SupportedCipherSuite,
    SupportedProtocolVersion,
};

use super::tcp::{ACK, PSH_ACK, Segment, Tcp};

/// The suites of rustls that a certificate with a key on an elliptic curve can use.
pub fn suites() -> Vec<SupportedCipherSuite> {
    let all = ring::ALL_CIPHER_SUITES.iter().copied();
    all.filter(|suite| !format!("{:?}", suite.suite()).contains("_RSA_")).collect()
}

/// A client and a server with their configuration, which can connect several times.
pub struct Peers {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
    log: Arc<Log>,
}

/// Keeps the lines of the key log.
#[derive(Default)]
struct Log(Mutex<String>);

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Log")
    }
}

impl KeyLog for Log {
    fn log(&self, label: &str, random: &[u8], secret: &[u8]) {
        let line = format!("{label} {} {}\n", hex::encode(random), hex::encode(secret));
        self.0.lock().expect("not poisoned").push_str(&line);
    }
}

impl Peers {
    /// They agree on this suite, and on a protocol, if there is one.
    pub fn new(suite: SupportedCipherSuite, protocol: Option<&str>) -> Self {
        let provider =
            Arc::new(rustls::crypto::CryptoProvider { cipher_suites: vec![suite], ..ring::default_provider() });
        let versions: &[&SupportedProtocolVersion] = match suite {
            SupportedCipherSuite::Tls12(_) => &[&rustls::version::TLS12],
            SupportedCipherSuite::Tls13(_) => &[&rustls::version::TLS13],
        };
        let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
        let mut roots = RootCertStore::empty();
        roots.add(own.cert.der().clone()).expect("a root");
        let log = Arc::new(Log::default());
        let protocols: Vec<Vec<u8>> = protocol.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        let client = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(versions);
        let mut client = client.expect("a version").with_root_certificates(roots).with_no_client_auth();
        client.key_log = Arc::clone(&log) as Arc<dyn KeyLog>;
        client.enable_early_data = true;
        client.alpn_protocols = protocols.clone();
        let server = ServerConfig::builder_with_provider(provider).with_protocol_versions(versions);
        let key = PrivatePkcs8KeyDer::from(own.signing_key.serialize_der()).into();
        let server = server.expect("a version").with_no_client_auth().with_single_cert(vec![own.cert.into()], key);
        let mut server = server.expect("a key");
        server.max_early_data_size = 16_384;
        server.alpn_protocols = protocols;
        Self { client: Arc::new(client), server: Arc::new(server), log }
    }

    /// Gives the server's sessions to the client as tickets, which the client keeps, in place of ids.
    pub fn with_tickets(mut self) -> Self {
        let server = Arc::get_mut(&mut self.server).expect("not shared");
        server.ticketer = ring::Ticketer::new().expect("a ticketer");
        self
    }

    /// What a server of another program needs.
    pub fn server(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.server)
    }

    /// The key log so far.
    pub fn log(&self) -> String {
        self.log.0.lock().expect("not poisoned").clone()
    }

    /// A connection before its handshake. The lengths of its segments follow `pieces` again and again.
    pub fn connect(&self, pieces: &[usize]) -> Talk {
        self.connect_to("localhost", pieces)
    }

    /// The same, where the client expects a server with this name.
    pub fn connect_to(&self, name: &str, pieces: &[usize]) -> Talk {
        let name = ServerName::try_from(name.to_owned()).expect("a name");
        Talk {
            client: ClientConnection::new(Arc::clone(&self.client), name).expect("a client"),
            server: ServerConnection::new(Arc::clone(&self.server)).expect("a server"),
            tcp: Tcp::open(1000, 70_000),
            said: [Vec::new(), Vec::new()],
            pieces: pieces.to_vec(),
            piece: 0,
        }
    }
}

/// A connection that is written down.
pub struct Talk {
    client: ClientConnection,
    server: ServerConnection,
    pub tcp: Tcp,
    /// What the client said, and the server, decrypted.
    pub said: [Vec<u8>; 2],
    pieces: Vec<usize>,
    piece: usize,
}

impl Talk {
    /// Both sides exchange their handshake.
    pub fn shake_hands(&mut self) {
        self.cross();
        assert!(!self.client.is_handshaking() && !self.server.is_handshaking());
    }

    /// A side refuses the handshake, and ends it with an alert.
    pub fn fail_hands(&mut self) {
        for _ in 0..10 {
            let mut wire = Vec::new();
            while self.client.wants_write() {
                self.client.write_tls(&mut wire).expect("written");
            }
            self.put(true, &wire);
            let _ = self.server.read_tls(&mut &wire[..]);
            let _ = self.server.process_new_packets();
            wire.clear();
            while self.server.wants_write() {
                self.server.write_tls(&mut wire).expect("written");
            }
            self.put(false, &wire);
            let _ = self.client.read_tls(&mut &wire[..]);
            let _ = self.client.process_new_packets();
        }
        assert!(self.client.is_handshaking());
    }

    /// The client says something before the handshake; returns false if it has no session to resume.
    pub fn say_early(&mut self, bytes: &[u8]) -> bool {
        let Some(mut early) = self.client.early_data() else { return false };
        early.write_all(bytes).expect("early data");
        self.said[0].extend(bytes);
        let mut wire = Vec::new();
        self.client.write_tls(&mut wire).expect("written");
        self.put(true, &wire);
        self.server.read_tls(&mut &wire[..]).expect("read");
        self.server.process_new_packets().expect("valid");
        let mut heard = Vec::new();
        if let Some(mut early) = self.server.early_data() {
            early.read_to_end(&mut heard).expect("read");
        }
        assert_eq!(heard, bytes, "the server accepts early data");
        true
    }

    /// One side says something.
    pub fn say(&mut self, up: bool, bytes: &[u8]) {
        self.said[usize::from(!up)].extend(bytes);
        if up {
            self.client.writer().write_all(bytes).expect("written");
        } else {
            self.server.writer().write_all(bytes).expect("written");
        }
        self.cross();
    }

    /// One side changes its keys.
    pub fn update_keys(&mut self, up: bool) {
        if up { self.client.refresh_traffic_keys() } else { self.server.refresh_traffic_keys() }.expect("TLS 1.3");
    }

    /// Both sides say that they end, and end.
    pub fn close(&mut self) {
        self.server.send_close_notify();
        self.client.send_close_notify();
        self.cross();
        self.tcp.close();
    }

    /// What is written crosses, until nothing more is.
    fn cross(&mut self) {
        loop {
            let mut wire = [Vec::new(), Vec::new()];
            while self.client.wants_write() {
                self.client.write_tls(&mut wire[0]).expect("written");
            }
            self.put(true, &wire[0]);
            let mut rest = &wire[0][..];
            while !rest.is_empty() {
                self.server.read_tls(&mut rest).expect("read");
                self.server.process_new_packets().expect("valid");
                let _ = std::io::copy(&mut self.server.reader(), &mut std::io::sink());
            }
            while self.server.wants_write() {
                self.server.write_tls(&mut wire[1]).expect("written");
            }
            self.put(false, &wire[1]);
            let mut rest = &wire[1][..];
            while !rest.is_empty() {
                self.client.read_tls(&mut rest).expect("read");
                self.client.process_new_packets().expect("valid");
                let _ = std::io::copy(&mut self.client.reader(), &mut std::io::sink());
            }
            if wire.iter().all(Vec::is_empty) {
                return;
            }
        }
    }

    /// Puts encrypted bytes into segments, which the other side acknowledges.
    fn put(&mut self, up: bool, mut wire: &[u8]) {
        while !wire.is_empty() {
            let len = self.pieces[self.piece % self.pieces.len()].min(wire.len());
            self.piece += 1;
            self.tcp.send(up, PSH_ACK, &wire[..len]);
            wire = &wire[len..];
        }
        self.tcp.send(!up, ACK, &[]);
    }

    /// The segments.
    pub fn segments(&self) -> &[Segment] {
        &self.tcp.segments
    }
}
