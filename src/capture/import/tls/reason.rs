//! Why a connection is not decrypted.

use std::fmt;

use crate::proto::dissected::Direction;
use crate::wire::tls::{CipherSuite, alert_name, version_name};

/// Why a connection is not decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undecryptable {
    /// No key log was given, and the file has no secrets.
    NoKeyLog,
    /// The key log that was given does not exist.
    NoFile,
    /// The key log lacks the session.
    NoSecret,
    /// The key log lacks the secret for what one side sent.
    NoSecretOf(Direction),
    /// The key log lacks the secret for what the client sent before the end of the handshake.
    NoEarlySecret,
    /// The capture begins later, or lacks packets of the hellos.
    NotCaptured,
    Version(u16),
    Suite(CipherSuite),
    /// With the compression of TLS 1.2.
    Compressed,
    /// The handshake failed.
    Alert {
        by: Direction,
        /// `None` if the alert is encrypted.
        code: Option<u8>,
    },
    /// The connection ended inside the handshake.
    Incomplete,
    /// No record could be decrypted with the secrets of the session.
    Unfit,
    /// No record could be decrypted after a loss.
    Lost,
    /// From some record on, none could be decrypted.
    Changed,
}

impl Undecryptable {
    /// Returns true if a secret that is not known yet could change it.
    pub const fn may_change(self) -> bool {
        matches!(self, Self::NoSecret)
    }

    /// Returns true if both are of one kind.
    pub fn is_like(self, other: Self) -> bool {
        std::mem::discriminant(&self) == std::mem::discriminant(&other)
    }
}

impl fmt::Display for Undecryptable {
    /// After `encrypted with TLS: `.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKeyLog => f.write_str("give its key log with --keylog FILE"),
            Self::NoFile => f.write_str("its key log does not exist; check the name that --keylog gives"),
            Self::NoSecret => {
                f.write_str("the key log has no secret for the session; log the keys while the packets are captured")
            }
            Self::NoSecretOf(by) => {
                write!(f, "the key log has no secret for what the {} sent; its other side is decrypted", side(*by))
            }
            Self::NoEarlySecret => f.write_str(
                "the key log has no secret for what the client sent before the end of the handshake (0-RTT)",
            ),
            Self::NotCaptured => {
                f.write_str("the capture lacks the handshake or a part of it; start the capture before the connection")
            }
            Self::Version(version) => write!(f, "framescope does not decrypt {}", version_name(*version)),
            Self::Suite(suite) => {
                write!(
                    f,
                    "framescope does not decrypt {suite}; it decrypts those with AES-GCM, AES-CCM and ChaCha20-Poly1305"
                )
            }
            Self::Compressed => f.write_str("framescope does not decrypt TLS with compression"),
            Self::Alert { by, code } => {
                let side = side(*by);
                match code.map(|code| alert_name(code).ok_or(code)) {
                    Some(Ok(name)) => write!(f, "the {side} ended the handshake with the alert {name}"),
                    Some(Err(code)) => write!(f, "the {side} ended the handshake with alert {code}"),
                    None => write!(f, "the {side} ended the handshake with an encrypted alert"),
                }
            }
            Self::Incomplete => f.write_str("the connection ended before the handshake was complete"),
            Self::Unfit => f.write_str("the secrets in the key log do not fit the session"),
            Self::Lost => {
                f.write_str("no record after a loss of packets could be decrypted; capture again without the loss")
            }
            Self::Changed => {
                f.write_str("its last records could not be decrypted: its keys changed, or its bytes are damaged")
            }
        }
    }
}

const fn side(direction: Direction) -> &'static str {
    match direction {
        Direction::ClientToServer => "client",
        Direction::ServerToClient => "server",
    }
}
