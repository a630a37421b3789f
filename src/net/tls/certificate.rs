//! What a certificate says (RFC 5280 §4.1), for the checks and messages that rustls leaves to its users.

use std::net::IpAddr;
use std::time::Duration;

use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate, X509Error};
use x509_parser::x509::X509Name;

/// A parsed certificate.
pub struct Certificate<'a> {
    der: &'a CertificateDer<'a>,
    parsed: X509Certificate<'a>,
}

impl<'a> Certificate<'a> {
    /// Parses a certificate.
    ///
    /// # Errors
    /// If it is not X.509.
    pub fn parse(der: &'a CertificateDer<'a>) -> Result<Self, X509Error> {
        let (_, parsed) = X509Certificate::from_der(der).map_err(|e| match e {
            x509_parser::nom::Err::Error(e) | x509_parser::nom::Err::Failure(e) => e,
            x509_parser::nom::Err::Incomplete(_) => X509Error::InvalidCertificate,
        })?;
        Ok(Self { der, parsed })
    }

    /// Returns true if its subject is its issuer.
    pub fn is_self_signed(&self) -> bool {
        self.parsed.subject().as_raw() == self.parsed.issuer().as_raw()
    }

    /// Returns true if it is marked as the certificate of an authority.
    pub fn is_authority(&self) -> bool {
        self.parsed.is_ca()
    }

    /// The common name of the subject, or the whole name.
    pub fn subject(&self) -> String {
        short_name(self.parsed.subject())
    }

    /// The common name of the issuer, or the whole name.
    pub fn issuer(&self) -> String {
        short_name(self.parsed.issuer())
    }

    /// Returns true if its public key consists of these bytes.
    pub fn has_key(&self, public: &[u8]) -> bool {
        *self.parsed.public_key().subject_public_key.data == *public
    }

    /// The first and the last second at which it is valid, since 1970.
    pub fn validity(&self) -> [i64; 2] {
        let validity = self.parsed.validity();
        [validity.not_before.timestamp(), validity.not_after.timestamp()]
    }

    /// The DNS names and IP addresses that it is for.
    pub fn names(&self) -> Vec<String> {
        let names = self.parsed.subject_alternative_name().ok().flatten();
        let names = names.map(|names| names.value.general_names.as_slice()).unwrap_or_default();
        names.iter().filter_map(shown_name).collect()
    }

    /// Checks that it is valid now.
    ///
    /// # Errors
    /// An expired certificate, or one that is not valid yet.
    pub fn check_dates(&self, now: UnixTime) -> Result<(), Error> {
        let [first, last] = self.validity().map(|seconds| u64::try_from(seconds).unwrap_or(0));
        let unix = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        if now.as_secs() > last {
            return Err(CertificateError::ExpiredContext { time: now, not_after: unix(last) }.into());
        }
        if now.as_secs() < first {
            return Err(CertificateError::NotValidYetContext { time: now, not_before: unix(first) }.into());
        }
        Ok(())
    }

    /// Checks that it is for a host. Without alternative names, the common name counts, as certificates for tests have it.
    ///
    /// # Errors
    /// A certificate for other hosts.
    pub fn check_name(&self, host: &ServerName<'_>) -> Result<(), Error> {
        let accepted = if matches!(self.parsed.subject_alternative_name(), Ok(None)) {
            let mut names = self.parsed.subject().iter_common_name().filter_map(|name| name.as_str().ok());
            names.any(|name| name.eq_ignore_ascii_case(&host.to_str()))
        } else {
            verify_server_name(&ParsedCertificate::try_from(self.der)?, host).is_ok()
        };
        if accepted { Ok(()) } else { Err(self.not_for(host)) }
    }

    /// The error that it is for other hosts than `host`.
    pub fn not_for(&self, host: &ServerName<'_>) -> Error {
        let presented = match self.names() {
            names if names.is_empty() => vec![self.subject()],
            names => names,
        };
        CertificateError::NotValidForNameContext { expected: host.to_owned(), presented }.into()
    }
}

/// A time in UTC, to the second, such as `2026-11-26 20:00:00 UTC`.
pub fn date(time: UnixTime) -> String {
    let since = Duration::from_secs(time.as_secs());
    let time = jiff::Timestamp::UNIX_EPOCH.checked_add(since);
    time.map_or_else(|_| "a date after the year 9999".to_owned(), |time| time.strftime("%F %T UTC").to_string())
}

fn short_name(name: &X509Name<'_>) -> String {
    let common = name.iter_common_name().find_map(|name| name.as_str().ok());
    common.map_or_else(|| name.to_string(), str::to_owned)
}

fn shown_name(name: &GeneralName<'_>) -> Option<String> {
    match *name {
        GeneralName::DNSName(name) => Some(name.to_owned()),
        GeneralName::IPAddress(bytes) => {
            let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
            let ip = v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from));
            ip.ok().map(|ip| ip.to_string())
        }
        _ => None,
    }
}
