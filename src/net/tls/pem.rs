//! Reads PEM files of certificates and private keys (RFC 7468), and says what to do about a file that is not one.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use memchr::memmem;
use rustls::pki_types::pem::{self, PemObject as _, SectionKind};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The largest file that is read, in bytes: a bundle of all public authorities has less than 1 MiB.
const MAX_FILE: u64 = 16 << 20;

/// Why a file has no certificate or key that can be used.
#[derive(Debug, thiserror::Error)]
pub enum PemError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file is too long.
    #[error("{} is too long for certificates or keys: it has more than {MAX_FILE} bytes", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// The file has no PEM section.
    #[error(
        "{} has no PEM section (-----BEGIN …); if it is in DER, convert it: openssl {} -inform der -in {} -out {}.pem",
        path.display(), wanted.command(), path.display(), path.display()
    )]
    NotPem {
        /// The file.
        path: PathBuf,
        /// What it should have.
        wanted: Wanted,
    },
    /// A PEM section is damaged.
    #[error("{} has a damaged PEM section: {reason}; export or copy the file again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: &'static str,
    },
    /// The file has other PEM sections.
    #[error("{} has no {}, but {found}; {}", path.display(), wanted.words(), wanted.hint())]
    Other {
        /// The file.
        path: PathBuf,
        /// What it should have.
        wanted: Wanted,
        /// What it has.
        found: &'static str,
    },
    /// The private key is encrypted.
    #[error(
        "the private key in {} is encrypted, and framescope cannot ask for its password; decrypt it: openssl pkey -in {} -out FILE",
        path.display(), path.display()
    )]
    Encrypted {
        /// The file.
        path: PathBuf,
    },
}

/// What the caller expects in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// At least one certificate.
    Certificates,
    /// A private key.
    Key,
}

impl Wanted {
    const fn command(self) -> &'static str {
        match self {
            Self::Certificates => "x509",
            Self::Key => "pkey",
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Certificates => "certificate",
            Self::Key => "private key",
        }
    }

    const fn hint(self) -> &'static str {
        match self {
            Self::Certificates => "use the file of the certificate",
            Self::Key => "use the file of the private key that belongs to the certificate",
        }
    }
}

/// Reads all certificates of a PEM file. Returns at least one.
///
/// # Errors
/// See [`PemError`].
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, PemError> {
    let text = read(path)?;
    let read = CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>();
    let certificates = read.map_err(|error| damaged(path, &error))?;
    if certificates.is_empty() {
        return Err(without(path, &text, Wanted::Certificates));
    }
    Ok(certificates)
}

/// Reads the first private key of a PEM file.
///
/// # Errors
/// See [`PemError`].
pub fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, PemError> {
    let text = read(path)?;
    match PrivateKeyDer::from_pem_slice(&text) {
        Ok(key) => Ok(key),
        Err(pem::Error::NoItemsFound) => Err(without(path, &text, Wanted::Key)),
        Err(error) => Err(damaged(path, &error)),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, PemError> {
    let failed = |source| PemError::Io { path: path.to_owned(), source };
    let mut text = Vec::new();
    // A device or a pipe has no length.
    File::open(path).and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut text)).map_err(failed)?;
    if text.len() as u64 > MAX_FILE {
        return Err(PemError::TooLong { path: path.to_owned() });
    }
    Ok(text)
}

fn damaged(path: &Path, error: &pem::Error) -> PemError {
    let reason = match error {
        pem::Error::MissingSectionEnd { .. } => "its -----END line is missing",
        pem::Error::IllegalSectionStart { .. } => "a -----BEGIN line is not complete",
        pem::Error::Base64Decode(_) => "it is not base64",
        _ => "it cannot be read",
    };
    PemError::Damaged { path: path.to_owned(), reason }
}

/// Why a file without damage lacks what is wanted.
fn without(path: &Path, text: &[u8], wanted: Wanted) -> PemError {
    let path = path.to_owned();
    let has = |needle: &[u8]| memmem::find(text, needle).is_some();
    if wanted == Wanted::Key && has(b"-----BEGIN ENCRYPTED PRIVATE KEY-----") {
        return PemError::Encrypted { path };
    }
    let sections = <(SectionKind, Vec<u8>) as pem::PemObject>::pem_slice_iter(text);
    let found = sections.filter_map(Result::ok).find_map(|(kind, _)| match kind {
        SectionKind::Certificate => Some("a certificate"),
        SectionKind::PrivateKey | SectionKind::RsaPrivateKey | SectionKind::EcPrivateKey => Some("a private key"),
        SectionKind::Csr => Some("a certificate request, which a CA must sign first"),
        SectionKind::PublicKey => Some("a public key"),
        _ => None,
    });
    match found {
        Some(found) => PemError::Other { path, wanted, found },
        None if has(b"-----BEGIN ") => PemError::Other { path, wanted, found: "other PEM sections" },
        None => PemError::NotPem { path, wanted },
    }
}
