//! Decides whether the certificate of a server is accepted.
//!
//! rustls refuses a server whose certificate is marked as that of a CA (CA:TRUE), as `openssl req -x509` marks each. If the user
//! gave this very certificate in `--cacert`, no issuer is needed, and this refusal helps nobody. The server must prove in any case that
//! it has the private key.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme};

use super::certificate::Certificate;
use super::provider;

/// Accepts or refuses the certificates of servers.
#[derive(Debug)]
pub struct Verifier {
    /// Checks issuers; `None` accepts any certificate.
    by_issuer: Option<Arc<WebPkiServerVerifier>>,
    /// The certificates that the user gave.
    given: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
}

/// Why a certificate is refused, where the words of rustls would not help.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It is its own issuer.
    #[error("it is self-signed")]
    SelfSigned,
    /// It is marked as that of an authority.
    #[error("it is the certificate of a CA (CA:TRUE), not of a server")]
    Authority,
    /// The issuer of this name is unknown.
    #[error("its issuer is not trusted: {0}")]
    UnknownIssuer(String),
    /// The signature of the handshake was made with another key.
    #[error(
        "its key did not sign the handshake: the server has another key, or one that is too weak (RSA needs 2,048 bits)"
    )]
    OtherKey,
}

impl Verifier {
    /// Accepts certificates that `by_issuer` accepts, and those of `given`.
    pub fn of_issuers(by_issuer: Arc<WebPkiServerVerifier>, given: Vec<CertificateDer<'static>>) -> Self {
        Self { by_issuer: Some(by_issuer), given, provider: provider() }
    }

    /// Accepts any certificate.
    pub fn of_anyone(given: Vec<CertificateDer<'static>>) -> Self {
        Self { by_issuer: None, given, provider: provider() }
    }

    /// Decides about the error of a signature in the handshake. Accepts a certificate in a form that cannot be checked, such as X.509
    /// version 1, if no certificate is checked anyway.
    fn unsigned(&self, error: Error) -> Result<HandshakeSignatureValid, Error> {
        match error {
            Error::InvalidCertificate(CertificateError::BadSignature) => Err(refused(Refusal::OtherKey)),
            Error::InvalidCertificate(_) if self.by_issuer.is_none() => Ok(HandshakeSignatureValid::assertion()),
            error => Err(error),
        }
    }
}

fn refused(refusal: Refusal) -> Error {
    CertificateError::Other(OtherError(Arc::new(refusal))).into()
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(by_issuer) = &self.by_issuer else { return Ok(ServerCertVerified::assertion()) };
        let checked = by_issuer.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        let error = match checked {
            Err(Error::InvalidCertificate(error)) => error,
            checked => return checked,
        };
        let Ok(certificate) = Certificate::parse(end_entity) else { return Err(error.into()) };
        if self.given.contains(end_entity) {
            certificate.check_dates(now)?;
            certificate.check_name(server_name)?;
            return Ok(ServerCertVerified::assertion());
        }
        let untrusted = match &error {
            _ if certificate.is_self_signed() => Refusal::SelfSigned,
            // The second is a trusted issuer of the same name with another key.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                Refusal::UnknownIssuer(certificate.issuer())
            }
            CertificateError::NotValidForNameContext { .. } => return Err(certificate.not_for(server_name)),
            CertificateError::Other(_) if certificate.is_authority() => Refusal::Authority,
            _ => return Err(error.into()),
        };
        Err(refused(untrusted))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms).or_else(|e| self.unsigned(e))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms).or_else(|e| self.unsigned(e))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
