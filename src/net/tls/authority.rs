//! The local CA: a private key and a certificate in the user's data folder, from which the certificates of framescope's own
//! servers are issued. Other programs trust it only after the user has installed the certificate there.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use etcetera::BaseStrategy as _;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, UnixTime};

use super::certificate::{Certificate, date};

/// The name of the certificate's file.
const CERTIFICATE: &str = "ca.pem";

/// The name of the key's file.
const KEY: &str = "ca.key";

/// How long the certificate is valid: two years.
const VALIDITY: Duration = Duration::from_secs(2 * 365 * 24 * 60 * 60);

/// `notBefore` is set this far back, because the client's clock may be slow.
pub const CLOCK_SKEW: Duration = Duration::from_secs(60 * 60);

/// Why there is no authority to use.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// It exists already.
    #[error("the local CA exists: {}; `framescope ca show` describes it, `framescope ca remove` deletes it", .0.display())]
    Exists(PathBuf),
    /// It does not exist.
    #[error("no local CA exists; create it: framescope ca create")]
    Missing,
    /// Its files cannot be read or written.
    #[error("cannot use the local CA in {}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Its files are damaged.
    #[error("the local CA in {} is damaged ({reason}); remove it and create another: framescope ca remove", path.display())]
    Damaged {
        /// The folder.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// It has expired.
    #[error(
        "the local CA expired on {0}; replace it (framescope ca remove, framescope ca create) and trust the new one"
    )]
    Expired(String),
    /// The cryptography failed.
    #[error("cannot create the local CA: {0}")]
    Rcgen(#[from] rcgen::Error),
}

/// The local CA.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
}

/// What people need to know about the authority before they trust it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorityFacts {
    /// The file of its certificate.
    pub path: PathBuf,
    /// Its name.
    pub name: String,
    /// The SHA-256 of the certificate, as browsers show it.
    pub fingerprint: String,
    /// The first and the last second at which it is valid.
    pub validity: [String; 2],
    /// Whether it has expired.
    pub expired: bool,
}

/// The folder of the authority: `framescope/ca` in the user's data folder.
///
/// # Errors
/// If the user has no home folder.
pub fn folder() -> io::Result<PathBuf> {
    let base = etcetera::choose_base_strategy().map_err(|e| io::Error::new(ErrorKind::NotFound, e.to_string()))?;
    Ok(base.data_dir().join("framescope").join("ca"))
}

/// The file of the authority's certificate in `folder`.
pub fn certificate_path(folder: &Path) -> PathBuf {
    folder.join(CERTIFICATE)
}

impl Authority {
    /// Creates the authority in `folder`, named after the machine `host` and the time.
    ///
    /// # Errors
    /// [`AuthorityError::Exists`], or why it cannot be written.
    pub fn create(folder: &Path, host: &str) -> Result<Self, AuthorityError> {
        if certificate_path(folder).exists() {
            return Err(AuthorityError::Exists(certificate_path(folder)));
        }
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        let now = SystemTime::now();
        // The time too: programs that remember an older authority take another key under its name for a forgery.
        let today = jiff::Timestamp::try_from(now).unwrap_or_default().strftime("%F %T").to_string();
        params.distinguished_name.push(DnType::CommonName, format!("framescope CA of {host}, {today}"));
        params.distinguished_name.push(DnType::OrganizationName, "framescope local CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.serial_number = Some(serial_number());
        set_validity(&mut params, [now - CLOCK_SKEW, now + VALIDITY]);
        let certificate = params.self_signed(&key)?;
        write(folder, &certificate.pem(), &key.serialize_pem())?;
        Self::load(folder)
    }

    /// Loads the authority from `folder`.
    ///
    /// # Errors
    /// [`AuthorityError::Missing`], or why it cannot be used.
    pub fn load(folder: &Path) -> Result<Self, AuthorityError> {
        let certificate = certificate(folder)?;
        let path = folder.join(KEY);
        let pem = fs::read_to_string(&path).map_err(|source| AuthorityError::Io { path, source })?;
        let key = KeyPair::from_pem(&pem).map_err(|e| damaged(folder, format!("{KEY}: {e}")))?;
        let parsed = Certificate::parse(&certificate).map_err(|e| damaged(folder, e.to_string()))?;
        if !parsed.has_key(key.public_key_raw()) {
            return Err(damaged(folder, format!("{KEY} is not the key of {CERTIFICATE}")));
        }
        let last = UnixTime::since_unix_epoch(Duration::from_secs(parsed.validity()[1].max(0) as u64));
        if UnixTime::now() > last {
            return Err(AuthorityError::Expired(date(last)));
        }
        let issuer = Issuer::from_ca_cert_der(&certificate, key)?;
        Ok(Self { issuer })
    }

    /// Loads the authority, or creates it. The second value is true if it was created.
    ///
    /// # Errors
    /// See [`AuthorityError`].
    pub fn load_or_create(folder: &Path, host: &str) -> Result<(Self, bool), AuthorityError> {
        match Self::load(folder) {
            Err(AuthorityError::Missing) => match Self::create(folder, host) {
                // Another process was faster.
                Err(AuthorityError::Exists(_)) => Ok((Self::load(folder)?, false)),
                created => Ok((created?, true)),
            },
            loaded => Ok((loaded?, false)),
        }
    }

    /// What signs certificates.
    pub(super) const fn issuer(&self) -> &Issuer<'static, KeyPair> {
        &self.issuer
    }
}

/// Describes the authority in `folder`.
///
/// # Errors
/// See [`AuthorityError`].
pub fn facts(folder: &Path) -> Result<AuthorityFacts, AuthorityError> {
    let der = certificate(folder)?;
    let parsed = Certificate::parse(&der).map_err(|e| damaged(folder, e.to_string()))?;
    let unix = |seconds: i64| UnixTime::since_unix_epoch(Duration::from_secs(seconds.max(0) as u64));
    let validity = parsed.validity().map(unix);
    let digest = ring::digest::digest(&ring::digest::SHA256, &der);
    let bytes: Vec<_> = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    Ok(AuthorityFacts {
        path: certificate_path(folder),
        name: parsed.subject(),
        fingerprint: bytes.join(":"),
        validity: validity.map(date),
        expired: UnixTime::now() > validity[1],
    })
}

/// Deletes the authority in `folder`.
///
/// # Errors
/// [`AuthorityError::Missing`], or the system's error.
pub fn remove(folder: &Path) -> Result<(), AuthorityError> {
    // The key first: without it, what is left is harmless.
    let mut found = false;
    for path in [folder.join(KEY), certificate_path(folder)] {
        match fs::remove_file(&path) {
            Ok(()) => found = true,
            Err(e) if e.kind() == ErrorKind::NotFound => {}
            Err(source) => return Err(AuthorityError::Io { path, source }),
        }
    }
    // Other files of the user may be in the folder.
    let _ = fs::remove_dir(folder);
    if found { Ok(()) } else { Err(AuthorityError::Missing) }
}

/// Reads the certificate in `folder`.
fn certificate(folder: &Path) -> Result<CertificateDer<'static>, AuthorityError> {
    let path = certificate_path(folder);
    let pem = fs::read(&path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => AuthorityError::Missing,
        _ => AuthorityError::Io { path, source },
    })?;
    CertificateDer::from_pem_slice(&pem).map_err(|_| damaged(folder, format!("{CERTIFICATE} is not a PEM certificate")))
}

/// Writes both files into a folder of another name and renames it: no other process sees a half of them.
fn write(folder: &Path, certificate: &str, key: &str) -> Result<(), AuthorityError> {
    let parent = folder.parent().unwrap_or(Path::new("."));
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| AuthorityError::Io { path, source }
    };
    DirBuilder::new().recursive(true).mode(0o700).create(parent).map_err(failed(parent))?;
    // Such a folder has mode 0700.
    let temporary = tempfile::Builder::new().prefix(".ca-").tempdir_in(parent).map_err(failed(parent))?;
    for (name, text, mode) in [(KEY, key, 0o600), (CERTIFICATE, certificate, 0o644)] {
        let path = temporary.path().join(name);
        let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&path);
        file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(failed(&path))?;
    }
    match fs::rename(temporary.path(), folder) {
        Ok(()) => {
            // It has another name now, and must stay.
            let _ = temporary.keep();
            Ok(())
        }
        Err(e) if matches!(e.kind(), ErrorKind::AlreadyExists | ErrorKind::DirectoryNotEmpty) => {
            if certificate_path(folder).exists() {
                return Err(AuthorityError::Exists(certificate_path(folder)));
            }
            Err(damaged(folder, format!("it has files, but no {CERTIFICATE}")))
        }
        Err(source) => Err(AuthorityError::Io { path: folder.to_owned(), source }),
    }
}

fn damaged(folder: &Path, reason: String) -> AuthorityError {
    AuthorityError::Damaged { path: folder.to_owned(), reason }
}

/// A random serial number of 16 bytes (RFC 5280 §4.1.2.2): two certificates of an authority must not have the same.
pub(super) fn serial_number() -> rcgen::SerialNumber {
    use ring::rand::SecureRandom as _;
    let mut bytes = [0; 16];
    // If the system has no randomness, key generation has failed before.
    let _ = ring::rand::SystemRandom::new().fill(&mut bytes);
    // The number is positive, and not shorter.
    bytes[0] = bytes[0] & 0x7f | 0x40;
    rcgen::SerialNumber::from_slice(&bytes)
}

/// Sets from when and until when a certificate is valid. (`rcgen` does not export the type of its times.)
pub(super) fn set_validity(params: &mut CertificateParams, [first, last]: [SystemTime; 2]) {
    let offset =
        |time: SystemTime| rcgen::date_time_ymd(1970, 1, 1) + time.duration_since(UNIX_EPOCH).unwrap_or_default();
    params.not_before = offset(first);
    params.not_after = offset(last);
}
