//! Handshakes over loopback: connected pairs for other tests, and which certificates are accepted.

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ProtocolVersion, SupportedProtocolVersion};

use super::authority::{self, Authority, AuthorityError, set_validity};
use super::client::{self, Trust, TrustError};
use super::failure;
use super::handshake::{self, HandshakeFailure};
use super::key_log::KeyLogFile;
use super::server::{IdentityError, ServerTls, local_names};
use super::verifier::Verifier;
use super::{pem, provider};
use crate::net::stream::{Stream, TlsStream};

/// The two ends of a connection.
pub struct Pair {
    /// The client's end.
    pub client: TlsStream,
    /// The server's end.
    pub server: TlsStream,
}

/// The two ends of a connection of TLS 1.3.
pub fn pair() -> Pair {
    pair_of_version(&rustls::version::TLS13)
}

/// The two ends of a connection of a version.
pub fn pair_of_version(version: &'static SupportedProtocolVersion) -> Pair {
    let folder = tempfile::tempdir().expect("a folder");
    let server = ServerTls::from_authority(&folder.path().join("ca"), "test", None).expect("a server");
    let builder = ClientConfig::builder_with_provider(provider()).with_protocol_versions(&[version]);
    let verifier = Arc::new(Verifier::of_anyone(Vec::new()));
    let builder = builder.expect("a version").dangerous().with_custom_certificate_verifier(verifier);
    let (client, server) = shake_hands(&server, Arc::new(builder.with_no_client_auth()), "localhost");
    let (client, server) = (client.expect("a client"), server.expect("a server"));
    for side in [&client, &server] {
        // A test that would wait for ever fails.
        side.socket().set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
        side.socket().set_write_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    }
    Pair { client, server }
}

type Side = Result<TlsStream, HandshakeFailure>;

/// Lets a client that looks for `host` connect to a server.
fn shake_hands(server: &ServerTls, client: Arc<ClientConfig>, host: &str) -> (Side, Side) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let deadline = Instant::now() + Duration::from_secs(10);
    let name = ServerName::try_from(host.to_owned()).expect("a name");
    thread::scope(|scope| {
        let connects = scope.spawn(move || {
            let socket = TcpStream::connect(address).expect("a connection");
            handshake::connect(Arc::new(Stream::tcp(socket)), client, name, deadline)
        });
        let socket = Arc::new(Stream::tcp(listener.accept().expect("a connection").0));
        let accepted = handshake::accept(socket, server.config(&local_names(address.ip())), deadline);
        (connects.join().expect("no panic"), accepted)
    })
}

/// Files of certificates and keys.
struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).expect("written");
        path
    }

    /// Writes a certificate that signs itself, and its key.
    fn self_signed(&self, change: impl FnOnce(&mut CertificateParams)) -> [PathBuf; 2] {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).expect("names");
        params.distinguished_name.push(DnType::CommonName, "a server");
        change(&mut params);
        let certificate = params.self_signed(&key).expect("a certificate");
        [self.write("self.pem", certificate.pem()), self.write("self.key", key.serialize_pem())]
    }
}

/// Why a client that trusts `cacert` does not connect to the server with these files as `host`.
fn refused([certificate, key]: &[PathBuf; 2], cacert: Option<&PathBuf>, host: &str) -> Option<String> {
    let server = ServerTls::from_files(certificate, key, None).expect("a server");
    let trust = Trust { cacert: cacert.cloned(), insecure: false };
    let (client, _) = shake_hands(&server, client::config(&trust, None).expect("a client"), host);
    client.err().map(|failure| failure::with_server(host, &failure))
}

fn contains(line: Option<String>, words: &str) {
    let line = line.expect("refused");
    assert!(line.contains(words) && !line.contains('\n'), "{line}");
}

#[test]
fn a_certificate_in_the_file_is_accepted_also_that_of_an_authority() {
    let files = Files::new();
    for is_ca in [IsCa::NoCa, IsCa::ExplicitNoCa, IsCa::Ca(BasicConstraints::Unconstrained)] {
        let server = files.self_signed(|params| params.is_ca = is_ca);
        contains(refused(&server, None, "localhost"), "self-signed");
        assert_eq!(refused(&server, Some(&server[0]), "localhost"), None, "{is_ca:?}");
        assert_eq!(refused(&server, Some(&server[0]), "127.0.0.1"), None, "{is_ca:?}");
        contains(refused(&server, Some(&server[0]), "example.com"), "localhost, 127.0.0.1, not for example.com");
    }
    // Without alternative names, the common name counts.
    let server = files.self_signed(|params| {
        params.subject_alt_names.clear();
        params.distinguished_name.push(DnType::CommonName, "Localhost");
    });
    assert_eq!(refused(&server, Some(&server[0]), "localhost"), None);
    contains(refused(&server, Some(&server[0]), "127.0.0.1"), "Localhost, not for 127.0.0.1");
}

#[test]
fn dates_are_checked_also_of_a_certificate_in_the_file() {
    let files = Files::new();
    let day = Duration::from_secs(24 * 60 * 60);
    let now = SystemTime::now();
    for is_ca in [IsCa::NoCa, IsCa::Ca(BasicConstraints::Unconstrained)] {
        let expired = files.self_signed(|params| {
            params.is_ca = is_ca;
            set_validity(params, [now - 2 * day, now - day]);
        });
        contains(refused(&expired, Some(&expired[0]), "localhost"), "expired on");
        let early = files.self_signed(|params| {
            params.is_ca = is_ca;
            set_validity(params, [now + day, now + 2 * day]);
        });
        contains(refused(&early, Some(&early[0]), "localhost"), "valid only from");
    }
}

#[test]
fn an_issuer_is_trusted_if_it_is_in_the_file() {
    let files = Files::new();
    let (ca_key, key) = (KeyPair::generate().expect("a key"), KeyPair::generate().expect("a key"));
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.distinguished_name.push(DnType::CommonName, "an issuer\u{1b}[31m");
    let ca_path = files.write("ca.pem", ca.self_signed(&ca_key).expect("a certificate").pem());
    let issuer = Issuer::from_params(&ca, &ca_key);
    let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("names");
    let leaf = params.signed_by(&key, &issuer).expect("a certificate");
    let server = [files.write("leaf.pem", leaf.pem()), files.write("leaf.key", key.serialize_pem())];
    assert_eq!(refused(&server, Some(&ca_path), "localhost"), None);
    // The certificate alone also is enough.
    assert_eq!(refused(&server, Some(&server[0]), "localhost"), None);
    contains(refused(&server, None, "localhost"), "its issuer is not trusted: an issuer␛[31m");
    contains(refused(&server, Some(&ca_path), "example.com"), "it is for localhost, not for example.com");
    // An authority that acts as a server, with a certificate that nobody gave.
    let mut authority = params;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = authority.signed_by(&key, &issuer).expect("a certificate");
    let server = [files.write("leaf.pem", authority.pem()), server[1].clone()];
    contains(refused(&server, Some(&ca_path), "localhost"), "CA:TRUE");
}

#[test]
fn a_server_must_prove_that_it_has_the_key_of_a_certificate_in_the_file() {
    let files = Files::new();
    let server = files.self_signed(|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    let chain = pem::certificates(&server[0]).expect("a certificate");
    // Another key signs with the same certificate.
    let other = KeyPair::generate().expect("a key");
    let key = provider()
        .key_provider
        .load_private_key(rustls::pki_types::PrivatePkcs8KeyDer::from(other.serialize_der()).into());
    let certified = rustls::sign::CertifiedKey::new(chain, key.expect("a key"));
    let impostor = ServerTls::given(certified);
    for insecure in [false, true] {
        let trust = Trust { cacert: Some(server[0].clone()), insecure };
        let (client, _) = shake_hands(&impostor, client::config(&trust, None).expect("a client"), "localhost");
        let failure = client.err().map(|failure| failure::with_server("localhost", &failure));
        contains(failure, "did not sign the handshake");
    }
}

#[test]
fn anything_is_accepted_if_the_user_says_so() {
    let files = Files::new();
    let now = SystemTime::now();
    let server =
        files.self_signed(|params| set_validity(params, [now - Duration::from_secs(9), now - Duration::from_secs(5)]));
    let server = ServerTls::from_files(&server[0], &server[1], None).expect("a server");
    assert!(server.warning().is_some_and(|warning| warning.contains("not valid today")));
    let trust = Trust { cacert: None, insecure: true };
    let (client, _) = shake_hands(&server, client::config(&trust, None).expect("a client"), "example.com");
    assert!(client.is_ok());
}

#[test]
fn the_authority_is_created_once_described_and_removed() {
    let data = tempfile::tempdir().expect("a folder");
    let folder = data.path().join("framescope").join("ca");
    assert!(matches!(Authority::load(&folder), Err(AuthorityError::Missing)));
    assert!(matches!(authority::facts(&folder), Err(AuthorityError::Missing)));
    assert!(matches!(authority::remove(&folder), Err(AuthorityError::Missing)));
    let created = Authority::create(&folder, "atlas").expect("created");
    assert!(
        matches!(Authority::create(&folder, "atlas"), Err(AuthorityError::Exists(path)) if path.starts_with(&folder))
    );
    let facts = authority::facts(&folder).expect("facts");
    assert!(facts.name.contains("atlas") && !facts.expired, "{facts:?}");
    assert_eq!(facts.fingerprint.len(), 32 * 3 - 1);
    let key = |authority: &Authority| authority.issuer().key().serialize_der();
    assert_eq!(key(&Authority::load(&folder).expect("loaded")), key(&created));
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |name| std::fs::metadata(folder.join(name)).expect("a file").permissions().mode() & 0o777;
    assert_eq!((mode("ca.key"), mode("ca.pem")), (0o600, 0o644));
    // A key of another authority.
    std::fs::write(folder.join("ca.key"), KeyPair::generate().expect("a key").serialize_pem()).expect("written");
    assert!(matches!(Authority::load(&folder), Err(AuthorityError::Damaged { .. })));
    authority::remove(&folder).expect("removed");
    assert!(!folder.exists() && std::fs::read_dir(data.path().join("framescope")).expect("a folder").next().is_none());
}

#[test]
fn issued_certificates_are_for_the_name_that_a_client_asks_for() {
    let files = Files::new();
    let folder = files.folder.path().join("ca");
    let server = ServerTls::from_authority(&folder, "atlas", None).expect("a server");
    assert!(server.warning().is_some(), "it was created");
    assert!(ServerTls::from_authority(&folder, "atlas", None).expect("a server").warning().is_none());
    let trust = Trust { cacert: Some(authority::certificate_path(&folder)), insecure: false };
    let config = client::config(&trust, None).expect("a client");
    for host in ["localhost", "127.0.0.1", "::1", "app.example.com"] {
        let (client, accepted) = shake_hands(&server, Arc::clone(&config), host);
        let facts = client.expect(host).with_session(|session| {
            let leaf = session.peer_certificates().and_then(|chain| chain.first().cloned());
            (session.alpn_protocol().map(<[u8]>::to_vec), session.protocol_version(), leaf)
        });
        assert_eq!((facts.0.as_deref(), facts.1), (Some(&b"http/1.1"[..]), Some(ProtocolVersion::TLSv1_3)));
        accepted.expect("accepted");
    }
    // An IP address is never sent as SNI, so the certificate for local names does not cover it.
    let (client, _) = shake_hands(&server, config, "192.0.2.1");
    contains(client.err().map(|failure| failure::with_server("192.0.2.1", &failure)), "not for 192.0.2.1");
}

#[test]
fn a_client_that_does_not_trust_the_certificate_is_reported() {
    let files = Files::new();
    let server = ServerTls::from_authority(&files.folder.path().join("ca"), "atlas", None).expect("a server");
    let (_, accepted) = shake_hands(&server, client::config(&Trust::default(), None).expect("a client"), "localhost");
    let failure = accepted.expect_err("refused");
    contains(failure::with_client(&failure), "framescope ca show");
}

#[test]
fn the_key_log_has_the_secrets_of_both_ends_and_belongs_to_its_owner() {
    let files = Files::new();
    let path = files.folder.path().join("keys");
    std::fs::write(&path, "# earlier\n").expect("written");
    let key_log = Arc::new(KeyLogFile::open(&path).expect("a key log"));
    let server = ServerTls::from_authority(&files.folder.path().join("ca"), "atlas", Some(Arc::clone(&key_log)));
    let trust = Trust { cacert: None, insecure: true };
    let config = client::config(&trust, Some(&key_log)).expect("a client");
    let (client, accepted) = shake_hands(&server.expect("a server"), config, "localhost");
    assert!(client.is_ok() && accepted.is_ok());
    let text = std::fs::read_to_string(&path).expect("the file");
    assert!(text.starts_with("# earlier\n"));
    for label in [
        "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
        "SERVER_HANDSHAKE_TRAFFIC_SECRET",
        "CLIENT_TRAFFIC_SECRET_0",
        "SERVER_TRAFFIC_SECRET_0",
    ] {
        let lines: Vec<_> = text.lines().filter(|line| line.starts_with(&format!("{label} "))).collect();
        assert!(lines.len() == 2 && lines[0] == lines[1], "{label}: {lines:?}");
        assert_eq!(lines[0].split(' ').map(str::len).collect::<Vec<_>>()[1..2], [64]);
    }
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(std::fs::metadata(&path).expect("the file").permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_wrong_file_is_refused_with_what_to_do() {
    let files = Files::new();
    let [certificate, key] = files.self_signed(|_| {});
    let other = files.write("other.key", KeyPair::generate().expect("a key").serialize_pem());
    let noise = files.write("noise", b"\x30\x82\x01\x0a not PEM");
    let cut = files.write("cut.pem", &std::fs::read(&certificate).expect("a file")[..200]);
    let junk = files.write("junk.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let base = files.write("base.pem", "-----BEGIN CERTIFICATE-----\n****\n-----END CERTIFICATE-----\n");
    let locked =
        files.write("locked.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n");
    let missing = files.folder.path().join("missing");
    let folder = files.folder.path().to_owned();
    for (certificate, key, words) in [
        (&missing, &key, "No such file"),
        (&folder, &key, "directory"),
        (&noise, &key, "openssl x509 -inform der"),
        (&certificate, &noise, "openssl pkey -inform der"),
        (&cut, &key, "-----END line is missing"),
        (&base, &key, "not base64"),
        (&junk, &key, "cannot be used"),
        (&key, &certificate, "has no certificate, but a private key"),
        (&certificate, &certificate, "has no private key, but a certificate"),
        (&certificate, &locked, "openssl pkey -in"),
        (&certificate, &other, "is not the key of"),
    ] {
        let error = ServerTls::from_files(certificate, key, None).err().map(|e: IdentityError| e.to_string());
        contains(error, words);
    }
    for (cacert, words) in [(&missing, "No such file"), (&key, "has no certificate"), (&junk, "valid X.509")] {
        let trust = Trust { cacert: Some(cacert.clone()), insecure: false };
        contains(client::config(&trust, None).err().map(|e: TrustError| e.to_string()), words);
    }
}

#[test]
fn a_server_that_does_not_speak_tls_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let config = client::config(&Trust { cacert: None, insecure: true }, None).expect("a client");
    let connect = |within| {
        let socket = Arc::new(Stream::tcp(TcpStream::connect(address).expect("a connection")));
        let name = ServerName::try_from("localhost").expect("a name");
        let failure = handshake::connect(socket, Arc::clone(&config), name, Instant::now() + within).err();
        failure.map(|failure| failure::with_server("localhost", &failure))
    };
    contains(connect(Duration::from_millis(20)), "in time");
    let answers = thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        // The first connection only waited.
        drop(listener.accept().expect("a connection"));
        let (mut socket, _) = listener.accept().expect("a connection");
        let _ = socket.read(&mut [0; 1024]);
        socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").expect("written");
        let (socket, _) = listener.accept().expect("a connection");
        let _ = (&socket).read(&mut [0; 1024]);
        // All was read, so this is no reset.
        drop(socket);
    });
    contains(connect(Duration::from_secs(10)), "does not speak TLS on this port");
    contains(connect(Duration::from_secs(10)), "ended the connection");
    answers.join().expect("no panic");
}
