//! Cipher suites (RFC 8446 §B.4, RFC 5288, RFC 5289, RFC 5487, RFC 7905, RFC 8442): their names and algorithms.

use std::fmt;

use self::Aead::{Aes128Gcm, Aes256Gcm, ChaCha20Poly1305};

/// The number of a cipher suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CipherSuite(pub u16);

/// How the records of a suite are encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aead {
    /// AES with a key of 128 bits in Galois/Counter Mode.
    Aes128Gcm,
    /// AES with a key of 256 bits in Galois/Counter Mode.
    Aes256Gcm,
    /// ChaCha20 with Poly1305.
    ChaCha20Poly1305,
}

/// The hash function from which a suite derives its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
}

impl CipherSuite {
    /// The registered name; `None` if framescope does not know the suite.
    pub fn name(self) -> Option<&'static str> {
        self.row().map(|(_, name, _)| *name)
    }

    /// How it encrypts records; `None` if that is not one of the [`Aead`]s.
    pub fn aead(self) -> Option<Aead> {
        self.row().and_then(|(.., aead)| *aead)
    }

    /// True if it is one of TLS 1.3.
    pub const fn is_tls_1_3(self) -> bool {
        self.0 >> 8 == 0x13
    }

    fn row(self) -> Option<&'static (u16, &'static str, Option<Aead>)> {
        SUITES.iter().find(|(number, ..)| *number == self.0)
    }
}

impl fmt::Display for CipherSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "0x{:04x}", self.0),
        }
    }
}

impl Aead {
    /// The length of its key in bytes.
    pub const fn key_len(self) -> usize {
        match self {
            Aes128Gcm => 16,
            Aes256Gcm | ChaCha20Poly1305 => 32,
        }
    }

    /// The hash function that each suite with it uses.
    pub const fn hash(self) -> Hash {
        match self {
            Aes128Gcm | ChaCha20Poly1305 => Hash::Sha256,
            Aes256Gcm => Hash::Sha384,
        }
    }
}

impl Hash {
    /// The length of its output in bytes.
    pub const fn output_len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
        }
    }
}

#[rustfmt::skip]
const SUITES: &[(u16, &str, Option<Aead>)] = &[
    (0x0004, "TLS_RSA_WITH_RC4_128_MD5", None),
    (0x0005, "TLS_RSA_WITH_RC4_128_SHA", None),
    (0x000a, "TLS_RSA_WITH_3DES_EDE_CBC_SHA", None),
    (0x002f, "TLS_RSA_WITH_AES_128_CBC_SHA", None),
    (0x0032, "TLS_DHE_DSS_WITH_AES_128_CBC_SHA", None),
    (0x0033, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA", None),
    (0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA", None),
    (0x0038, "TLS_DHE_DSS_WITH_AES_256_CBC_SHA", None),
    (0x0039, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA", None),
    (0x003c, "TLS_RSA_WITH_AES_128_CBC_SHA256", None),
    (0x003d, "TLS_RSA_WITH_AES_256_CBC_SHA256", None),
    (0x0041, "TLS_RSA_WITH_CAMELLIA_128_CBC_SHA", None),
    (0x0067, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256", None),
    (0x006b, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256", None),
    (0x0084, "TLS_RSA_WITH_CAMELLIA_256_CBC_SHA", None),
    (0x009c, "TLS_RSA_WITH_AES_128_GCM_SHA256", Some(Aes128Gcm)),
    (0x009d, "TLS_RSA_WITH_AES_256_GCM_SHA384", Some(Aes256Gcm)),
    (0x009e, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", Some(Aes128Gcm)),
    (0x009f, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", Some(Aes256Gcm)),
    (0x00a0, "TLS_DH_RSA_WITH_AES_128_GCM_SHA256", Some(Aes128Gcm)),
    (0x00a1, "TLS_DH_RSA_WITH_AES_256_GCM_SHA384", Some(Aes256Gcm)),
    (0x00a2, "TLS_DHE_DSS_WITH_AES_128_GCM_SHA256", Some(Aes128Gcm)),
    (0x00a3, "TLS_DHE_DSS_WITH_AES_256_GCM_SHA384", Some(Aes256Gcm)),
    (0x00a4, "TLS_DH_DSS_WITH_AES_128_GCM_SHA256", Some(Aes128Gcm)),
    (0x00a5, "TLS_DH_DSS_WITH_AES_256_GCM_SHA384", Some(Aes256Gcm)),
    (0x00a6, "TLS_DH_anon_WITH_AES_128_GCM_SHA256", Some(Aes128Gcm)),
    (0x00a7, "TLS_DH_anon_WITH_AES_256_GCM_SHA384", Some(Aes256Gcm)),
    (0x00a8, "TLS_PSK_WITH_AES_128_GCM_SHA256", Some(Aes128Gcm)),
    (0x00a9, "TLS_PSK_WITH_AES_256_GCM_SHA384", Some(Aes256Gcm)),
    (0x00aa, "TLS_DHE_PSK_WITH_AES_128_GCM_SHA256", Some(Aes128Gcm)),
    (0x00ab, "TLS_DHE_PSK_WITH_AES_256_GCM_SHA384", Some(Aes256Gcm)),
    (0x00ac, "TLS_RSA_PSK_WITH_AES_128_GCM_SHA256", Some(Aes128Gcm)),
    (0x00ad, "TLS_RSA_PSK_WITH_AES_256_GCM_SHA384", Some(Aes256Gcm)),
    (0x1301, "TLS_AES_128_GCM_SHA256", Some(Aes128Gcm)),
    (0x1302, "TLS_AES_256_GCM_SHA384", Some(Aes256Gcm)),
    (0x1303, "TLS_CHACHA20_POLY1305_SHA256", Some(ChaCha20Poly1305)),
    (0x1304, "TLS_AES_128_CCM_SHA256", None),
    (0x1305, "TLS_AES_128_CCM_8_SHA256", None),
    (0xc007, "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA", None),
    (0xc008, "TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA", None),
    (0xc009, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", None),
    (0xc00a, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", None),
    (0xc011, "TLS_ECDHE_RSA_WITH_RC4_128_SHA", None),
    (0xc012, "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", None),
    (0xc013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", None),
    (0xc014, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", None),
    (0xc023, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", None),
    (0xc024, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", None),
    (0xc027, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", None),
    (0xc028, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", None),
    (0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", Some(Aes128Gcm)),
    (0xc02c, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", Some(Aes256Gcm)),
    (0xc02d, "TLS_ECDH_ECDSA_WITH_AES_128_GCM_SHA256", Some(Aes128Gcm)),
    (0xc02e, "TLS_ECDH_ECDSA_WITH_AES_256_GCM_SHA384", Some(Aes256Gcm)),
    (0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", Some(Aes128Gcm)),
    (0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", Some(Aes256Gcm)),
    (0xc031, "TLS_ECDH_RSA_WITH_AES_128_GCM_SHA256", Some(Aes128Gcm)),
    (0xc032, "TLS_ECDH_RSA_WITH_AES_256_GCM_SHA384", Some(Aes256Gcm)),
    (0xc09c, "TLS_RSA_WITH_AES_128_CCM", None),
    (0xc09d, "TLS_RSA_WITH_AES_256_CCM", None),
    (0xc09e, "TLS_DHE_RSA_WITH_AES_128_CCM", None),
    (0xc09f, "TLS_DHE_RSA_WITH_AES_256_CCM", None),
    (0xc0a0, "TLS_RSA_WITH_AES_128_CCM_8", None),
    (0xc0a1, "TLS_RSA_WITH_AES_256_CCM_8", None),
    (0xc0a2, "TLS_DHE_RSA_WITH_AES_128_CCM_8", None),
    (0xc0a3, "TLS_DHE_RSA_WITH_AES_256_CCM_8", None),
    (0xc0ac, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM", None),
    (0xc0ad, "TLS_ECDHE_ECDSA_WITH_AES_256_CCM", None),
    (0xc0ae, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8", None),
    (0xc0af, "TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8", None),
    (0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", Some(ChaCha20Poly1305)),
    (0xcca9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", Some(ChaCha20Poly1305)),
    (0xccaa, "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256", Some(ChaCha20Poly1305)),
    (0xccab, "TLS_PSK_WITH_CHACHA20_POLY1305_SHA256", Some(ChaCha20Poly1305)),
    (0xccac, "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256", Some(ChaCha20Poly1305)),
    (0xccad, "TLS_DHE_PSK_WITH_CHACHA20_POLY1305_SHA256", Some(ChaCha20Poly1305)),
    (0xccae, "TLS_RSA_PSK_WITH_CHACHA20_POLY1305_SHA256", Some(ChaCha20Poly1305)),
    (0xd001, "TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256", Some(Aes128Gcm)),
    (0xd002, "TLS_ECDHE_PSK_WITH_AES_256_GCM_SHA384", Some(Aes256Gcm)),
    (0xd003, "TLS_ECDHE_PSK_WITH_AES_128_CCM_8_SHA256", None),
    (0xd005, "TLS_ECDHE_PSK_WITH_AES_128_CCM_SHA256", None),
];
