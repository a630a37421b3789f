//! Why a TLS handshake failed, in one line that says what to do.

use std::io;

use rustls::{AlertDescription, CertificateError, Error, InvalidMessage};

use super::certificate::date;
use super::handshake::HandshakeFailure;
use super::verifier::Refusal;
use crate::wire::printable;
use crate::wire::tls::alert_name;

/// Why the handshake with the server `host` failed.
pub fn with_server(host: &str, failure: &HandshakeFailure) -> String {
    let error = match failure {
        HandshakeFailure::TimedOut => return format!("{host} did not complete the TLS handshake in time"),
        HandshakeFailure::Ended => {
            return format!("{host} ended the connection during the TLS handshake; does it speak TLS on this port?");
        }
        HandshakeFailure::Name => return format!("{host} cannot be in a certificate; use a DNS name or an IP address"),
        HandshakeFailure::Io(e) => return format!("the connection to {host} failed during the TLS handshake: {e}"),
        HandshakeFailure::Tls(error) => error,
    };
    match error {
        Error::InvalidCertificate(error) => {
            let (what, advice) = refusal(error);
            format!("the certificate of {host} is not accepted: {what}; {advice}")
        }
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            format!("{host} does not speak TLS on this port: use ws:// or http://")
        }
        Error::AlertReceived(alert) => {
            format!("{host} refused the TLS handshake with the alert {}{}", name(*alert), meaning(*alert))
        }
        Error::PeerIncompatible(why) => {
            format!("{host} has no TLS version or cipher suite that framescope speaks (TLS 1.2, 1.3): {why:?}")
        }
        other => format!("the TLS handshake with {host} failed: {other}"),
    }
}

/// Why the handshake with a client failed; `None` if that is not worth a message, because the client only went away.
pub fn with_client(failure: &HandshakeFailure) -> Option<String> {
    let HandshakeFailure::Tls(error) = failure else { return None };
    Some(match error {
        Error::AlertReceived(AlertDescription::CertificateExpired) => {
            "a client refuses the certificate, because it has expired (TLS alert certificate_expired): renew it"
                .to_owned()
        }
        Error::AlertReceived(
            alert @ (AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnsupportedCertificate),
        ) => format!(
            "a client does not accept framescope's certificate (TLS alert {}): `framescope ca show` says how to trust it",
            name(*alert)
        ),
        Error::AlertReceived(alert) => format!("a client ended the TLS handshake with the alert {}", name(*alert)),
        Error::NoApplicationProtocol => {
            "a client does not offer HTTP/1.1 (ALPN), the only protocol that framescope speaks over TLS".to_owned()
        }
        Error::PeerIncompatible(why) => {
            format!("a client has no TLS version or cipher suite that framescope speaks (TLS 1.2, 1.3): {why:?}")
        }
        Error::InvalidMessage(_) | Error::DecryptError | Error::PeerMisbehaved(_) => format!(
            "a client sent bytes that are not a valid TLS handshake ({error}); check that it speaks TLS 1.2 or 1.3"
        ),
        other => format!("the TLS handshake with a client failed: {other}"),
    })
}

/// Why the handshake with a client failed that asked for a tunnel to `host`, which was to be opened.
pub fn in_tunnel(host: &str, failure: &HandshakeFailure) -> Option<String> {
    let reason = match failure {
        // Some clients refuse a certificate without an alert.
        HandshakeFailure::Ended => {
            "a client ended the connection during the TLS handshake; if it does not trust framescope's certificate: `framescope ca show` says \
             how to change that"
                .to_owned()
        }
        other => with_client(other)?,
    };
    Some(format!("tunnel to {host}: {reason}; without --intercept {host} its TLS passes unread"))
}

/// Says how `peer` ("client" or "server") ended a TLS connection after its handshake without close_notify. `error` is that of the read.
pub fn unannounced_end(peer: &str, error: &io::Error) -> String {
    let what = match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        None => "without close_notify".to_owned(),
        Some(Error::AlertReceived(alert)) => format!("with the alert {}{}", name(*alert), meaning(*alert)),
        Some(violation) => format!("with bytes that violate TLS ({violation})"),
    };
    format!("the {peer} ended TLS {what}: its last bytes may be missing (RFC 8446 §6.1)")
}

/// What is wrong with a certificate, and what to do about it.
fn refusal(error: &CertificateError) -> (String, &'static str) {
    const ANY: &str = "-k accepts any certificate";
    const RENEW: &str = "renew it, or use -k to accept any certificate";
    if let CertificateError::Other(other) = error
        && let Some(refusal) = other.0.downcast_ref::<Refusal>()
    {
        let advice = match refusal {
            Refusal::OtherKey => "correct the server's certificate or key",
            Refusal::UnknownIssuer(_) => "use --cacert FILE with the issuer's certificate, or -k to accept any",
            Refusal::SelfSigned | Refusal::Authority => "use --cacert FILE with this certificate, or -k to accept any",
        };
        return (printable::text(&refusal.to_string()).into_owned(), advice);
    }
    match error {
        CertificateError::Expired => ("it has expired".to_owned(), RENEW),
        CertificateError::ExpiredContext { not_after, .. } => (format!("it expired on {}", date(*not_after)), RENEW),
        CertificateError::NotValidYetContext { not_before, .. } => {
            (format!("it is valid only from {} on", date(*not_before)), "check the clocks, or use -k")
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            let presented: Vec<_> = presented.iter().map(|name| printable::text(name)).collect();
            let names = if presented.is_empty() { "no host".to_owned() } else { presented.join(", ") };
            let what = format!("it is for {names}, not for {}", expected.to_str());
            (what, "use a name that it is for, or -k to accept any certificate")
        }
        other => (printable::text(&other.to_string()).into_owned(), ANY),
    }
}

/// An alert as the RFCs write it (RFC 8446 §6), such as `unknown_ca`.
fn name(alert: AlertDescription) -> String {
    let code = u8::from(alert);
    alert_name(code).map_or_else(|| code.to_string(), str::to_owned)
}

/// What an alert of a server means for the user.
const fn meaning(alert: AlertDescription) -> &'static str {
    match alert {
        AlertDescription::HandshakeFailure => ": no common cipher suite, or no certificate for this name",
        AlertDescription::ProtocolVersion => ": it speaks neither TLS 1.2 nor 1.3",
        AlertDescription::UnrecognisedName => ": it has no certificate for this name",
        AlertDescription::CertificateRequired => ": it requires a client certificate, which framescope cannot present",
        AlertDescription::NoApplicationProtocol => ": it does not speak HTTP/1.1",
        _ => "",
    }
}
