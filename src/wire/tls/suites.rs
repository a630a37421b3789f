//! Cipher suites (RFC 8446 §B.4, RFC 5288, RFC 5289, RFC 5487, RFC 6655, RFC 7251,
//! RFC 7905, RFC 8442): their names and algorithms.

use std::fmt;

use self::Aead::{Aes128Ccm, Aes128Ccm8, Aes128Gcm, Aes256Ccm, Aes256Ccm8, Aes256Gcm, ChaCha20Poly1305};

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
    /// AES with a key of 128 bits in Counter Mode with CBC-MAC.
    Aes128Ccm,
    /// AES with a key of 256 bits in Counter Mode with CBC-MAC.
    Aes256Ccm,
    /// As [`Self::Aes128Ccm`], with a tag of 8 bytes.
    Aes128Ccm8,
    /// As [`Self::Aes256Ccm`], with a tag of 8 bytes.
    Aes256Ccm8,
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
            Aes128Gcm | Aes128Ccm | Aes128Ccm8 => 16,
            Aes256Gcm | ChaCha20Poly1305 | Aes256Ccm | Aes256Ccm8 => 32,
        }
    }

    /// The length of the authentication tag in bytes.
    pub const fn tag_len(self) -> usize {
        match self {
            Aes128Gcm | Aes256Gcm | ChaCha20Poly1305 | Aes128Ccm | Aes256Ccm => 16,
            Aes128Ccm8 | Aes256Ccm8 => 8,
        }
    }

    /// Returns true if the records of TLS 1.2 carry a part of their nonce (RFC 5288 §3, RFC 6655 §3).
    pub const fn has_explicit_nonce(self) -> bool {
        !matches!(self, ChaCha20Poly1305)
    }

    /// The hash function that each suite with it uses.
    pub const fn hash(self) -> Hash {
        match self {
            Aes256Gcm => Hash::Sha384,
            _ => Hash::Sha256,
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
    (0x0001, "TLS_RSA_WITH_NULL_MD5", None),
    (0x0002, "TLS_RSA_WITH_NULL_SHA", None),
    (0x0004, "TLS_RSA_WITH_RC4_128_MD5", None),
    (0x0005, "TLS_RSA_WITH_RC4_128_SHA", None),
    (0x000a, "TLS_RSA_WITH_3DES_EDE_CBC_SHA", None),
    (0x0013, "TLS_DHE_DSS_WITH_3DES_EDE_CBC_SHA", None),
    (0x0016, "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA", None),
    (0x0018, "TLS_DH_anon_WITH_RC4_128_MD5", None),
    (0x001b, "TLS_DH_anon_WITH_3DES_EDE_CBC_SHA", None),
    (0x002c, "TLS_PSK_WITH_NULL_SHA", None),
    (0x002d, "TLS_DHE_PSK_WITH_NULL_SHA", None),
    (0x002e, "TLS_RSA_PSK_WITH_NULL_SHA", None),
    (0x002f, "TLS_RSA_WITH_AES_128_CBC_SHA", None),
    (0x0032, "TLS_DHE_DSS_WITH_AES_128_CBC_SHA", None),
    (0x0033, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA", None),
    (0x0034, "TLS_DH_anon_WITH_AES_128_CBC_SHA", None),
    (0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA", None),
    (0x0038, "TLS_DHE_DSS_WITH_AES_256_CBC_SHA", None),
    (0x0039, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA", None),
    (0x003a, "TLS_DH_anon_WITH_AES_256_CBC_SHA", None),
    (0x003b, "TLS_RSA_WITH_NULL_SHA256", None),
    (0x003c, "TLS_RSA_WITH_AES_128_CBC_SHA256", None),
    (0x003d, "TLS_RSA_WITH_AES_256_CBC_SHA256", None),
    (0x0040, "TLS_DHE_DSS_WITH_AES_128_CBC_SHA256", None),
    (0x0041, "TLS_RSA_WITH_CAMELLIA_128_CBC_SHA", None),
    (0x0044, "TLS_DHE_DSS_WITH_CAMELLIA_128_CBC_SHA", None),
    (0x0045, "TLS_DHE_RSA_WITH_CAMELLIA_128_CBC_SHA", None),
    (0x0046, "TLS_DH_anon_WITH_CAMELLIA_128_CBC_SHA", None),
    (0x0066, "TLS_DHE_DSS_WITH_RC4_128_SHA", None),
    (0x0067, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256", None),
    (0x006a, "TLS_DHE_DSS_WITH_AES_256_CBC_SHA256", None),
    (0x006b, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256", None),
    (0x006c, "TLS_DH_anon_WITH_AES_128_CBC_SHA256", None),
    (0x006d, "TLS_DH_anon_WITH_AES_256_CBC_SHA256", None),
    (0x0084, "TLS_RSA_WITH_CAMELLIA_256_CBC_SHA", None),
    (0x0087, "TLS_DHE_DSS_WITH_CAMELLIA_256_CBC_SHA", None),
    (0x0088, "TLS_DHE_RSA_WITH_CAMELLIA_256_CBC_SHA", None),
    (0x0089, "TLS_DH_anon_WITH_CAMELLIA_256_CBC_SHA", None),
    (0x008a, "TLS_PSK_WITH_RC4_128_SHA", None),
    (0x008b, "TLS_PSK_WITH_3DES_EDE_CBC_SHA", None),
    (0x008c, "TLS_PSK_WITH_AES_128_CBC_SHA", None),
    (0x008d, "TLS_PSK_WITH_AES_256_CBC_SHA", None),
    (0x008e, "TLS_DHE_PSK_WITH_RC4_128_SHA", None),
    (0x008f, "TLS_DHE_PSK_WITH_3DES_EDE_CBC_SHA", None),
    (0x0090, "TLS_DHE_PSK_WITH_AES_128_CBC_SHA", None),
    (0x0091, "TLS_DHE_PSK_WITH_AES_256_CBC_SHA", None),
    (0x0092, "TLS_RSA_PSK_WITH_RC4_128_SHA", None),
    (0x0093, "TLS_RSA_PSK_WITH_3DES_EDE_CBC_SHA", None),
    (0x0094, "TLS_RSA_PSK_WITH_AES_128_CBC_SHA", None),
    (0x0095, "TLS_RSA_PSK_WITH_AES_256_CBC_SHA", None),
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
    (0x00ae, "TLS_PSK_WITH_AES_128_CBC_SHA256", None),
    (0x00af, "TLS_PSK_WITH_AES_256_CBC_SHA384", None),
    (0x00b0, "TLS_PSK_WITH_NULL_SHA256", None),
    (0x00b1, "TLS_PSK_WITH_NULL_SHA384", None),
    (0x00b2, "TLS_DHE_PSK_WITH_AES_128_CBC_SHA256", None),
    (0x00b3, "TLS_DHE_PSK_WITH_AES_256_CBC_SHA384", None),
    (0x00b4, "TLS_DHE_PSK_WITH_NULL_SHA256", None),
    (0x00b5, "TLS_DHE_PSK_WITH_NULL_SHA384", None),
    (0x00b6, "TLS_RSA_PSK_WITH_AES_128_CBC_SHA256", None),
    (0x00b7, "TLS_RSA_PSK_WITH_AES_256_CBC_SHA384", None),
    (0x00b8, "TLS_RSA_PSK_WITH_NULL_SHA256", None),
    (0x00b9, "TLS_RSA_PSK_WITH_NULL_SHA384", None),
    (0x00ba, "TLS_RSA_WITH_CAMELLIA_128_CBC_SHA256", None),
    (0x00bd, "TLS_DHE_DSS_WITH_CAMELLIA_128_CBC_SHA256", None),
    (0x00be, "TLS_DHE_RSA_WITH_CAMELLIA_128_CBC_SHA256", None),
    (0x00bf, "TLS_DH_anon_WITH_CAMELLIA_128_CBC_SHA256", None),
    (0x00c0, "TLS_RSA_WITH_CAMELLIA_256_CBC_SHA256", None),
    (0x00c3, "TLS_DHE_DSS_WITH_CAMELLIA_256_CBC_SHA256", None),
    (0x00c4, "TLS_DHE_RSA_WITH_CAMELLIA_256_CBC_SHA256", None),
    (0x00c5, "TLS_DH_anon_WITH_CAMELLIA_256_CBC_SHA256", None),
    (0x00c6, "TLS_SM4_GCM_SM3", None),
    (0x00c7, "TLS_SM4_CCM_SM3", None),
    (0x1301, "TLS_AES_128_GCM_SHA256", Some(Aes128Gcm)),
    (0x1302, "TLS_AES_256_GCM_SHA384", Some(Aes256Gcm)),
    (0x1303, "TLS_CHACHA20_POLY1305_SHA256", Some(ChaCha20Poly1305)),
    (0x1304, "TLS_AES_128_CCM_SHA256", Some(Aes128Ccm)),
    (0x1305, "TLS_AES_128_CCM_8_SHA256", Some(Aes128Ccm8)),
    (0xc006, "TLS_ECDHE_ECDSA_WITH_NULL_SHA", None),
    (0xc007, "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA", None),
    (0xc008, "TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA", None),
    (0xc009, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", None),
    (0xc00a, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", None),
    (0xc010, "TLS_ECDHE_RSA_WITH_NULL_SHA", None),
    (0xc011, "TLS_ECDHE_RSA_WITH_RC4_128_SHA", None),
    (0xc012, "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", None),
    (0xc013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", None),
    (0xc014, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", None),
    (0xc015, "TLS_ECDH_anon_WITH_NULL_SHA", None),
    (0xc016, "TLS_ECDH_anon_WITH_RC4_128_SHA", None),
    (0xc017, "TLS_ECDH_anon_WITH_3DES_EDE_CBC_SHA", None),
    (0xc018, "TLS_ECDH_anon_WITH_AES_128_CBC_SHA", None),
    (0xc019, "TLS_ECDH_anon_WITH_AES_256_CBC_SHA", None),
    (0xc01a, "TLS_SRP_SHA_WITH_3DES_EDE_CBC_SHA", None),
    (0xc01b, "TLS_SRP_SHA_RSA_WITH_3DES_EDE_CBC_SHA", None),
    (0xc01c, "TLS_SRP_SHA_DSS_WITH_3DES_EDE_CBC_SHA", None),
    (0xc01d, "TLS_SRP_SHA_WITH_AES_128_CBC_SHA", None),
    (0xc01e, "TLS_SRP_SHA_RSA_WITH_AES_128_CBC_SHA", None),
    (0xc01f, "TLS_SRP_SHA_DSS_WITH_AES_128_CBC_SHA", None),
    (0xc020, "TLS_SRP_SHA_WITH_AES_256_CBC_SHA", None),
    (0xc021, "TLS_SRP_SHA_RSA_WITH_AES_256_CBC_SHA", None),
    (0xc022, "TLS_SRP_SHA_DSS_WITH_AES_256_CBC_SHA", None),
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
    (0xc033, "TLS_ECDHE_PSK_WITH_RC4_128_SHA", None),
    (0xc034, "TLS_ECDHE_PSK_WITH_3DES_EDE_CBC_SHA", None),
    (0xc035, "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA", None),
    (0xc036, "TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA", None),
    (0xc037, "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256", None),
    (0xc038, "TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA384", None),
    (0xc039, "TLS_ECDHE_PSK_WITH_NULL_SHA", None),
    (0xc03a, "TLS_ECDHE_PSK_WITH_NULL_SHA256", None),
    (0xc03b, "TLS_ECDHE_PSK_WITH_NULL_SHA384", None),
    (0xc050, "TLS_RSA_WITH_ARIA_128_GCM_SHA256", None),
    (0xc051, "TLS_RSA_WITH_ARIA_256_GCM_SHA384", None),
    (0xc052, "TLS_DHE_RSA_WITH_ARIA_128_GCM_SHA256", None),
    (0xc053, "TLS_DHE_RSA_WITH_ARIA_256_GCM_SHA384", None),
    (0xc056, "TLS_DHE_DSS_WITH_ARIA_128_GCM_SHA256", None),
    (0xc057, "TLS_DHE_DSS_WITH_ARIA_256_GCM_SHA384", None),
    (0xc05c, "TLS_ECDHE_ECDSA_WITH_ARIA_128_GCM_SHA256", None),
    (0xc05d, "TLS_ECDHE_ECDSA_WITH_ARIA_256_GCM_SHA384", None),
    (0xc060, "TLS_ECDHE_RSA_WITH_ARIA_128_GCM_SHA256", None),
    (0xc061, "TLS_ECDHE_RSA_WITH_ARIA_256_GCM_SHA384", None),
    (0xc06a, "TLS_PSK_WITH_ARIA_128_GCM_SHA256", None),
    (0xc06b, "TLS_PSK_WITH_ARIA_256_GCM_SHA384", None),
    (0xc06c, "TLS_DHE_PSK_WITH_ARIA_128_GCM_SHA256", None),
    (0xc06d, "TLS_DHE_PSK_WITH_ARIA_256_GCM_SHA384", None),
    (0xc06e, "TLS_RSA_PSK_WITH_ARIA_128_GCM_SHA256", None),
    (0xc06f, "TLS_RSA_PSK_WITH_ARIA_256_GCM_SHA384", None),
    (0xc072, "TLS_ECDHE_ECDSA_WITH_CAMELLIA_128_CBC_SHA256", None),
    (0xc073, "TLS_ECDHE_ECDSA_WITH_CAMELLIA_256_CBC_SHA384", None),
    (0xc076, "TLS_ECDHE_RSA_WITH_CAMELLIA_128_CBC_SHA256", None),
    (0xc077, "TLS_ECDHE_RSA_WITH_CAMELLIA_256_CBC_SHA384", None),
    (0xc07a, "TLS_RSA_WITH_CAMELLIA_128_GCM_SHA256", None),
    (0xc07b, "TLS_RSA_WITH_CAMELLIA_256_GCM_SHA384", None),
    (0xc07c, "TLS_DHE_RSA_WITH_CAMELLIA_128_GCM_SHA256", None),
    (0xc07d, "TLS_DHE_RSA_WITH_CAMELLIA_256_GCM_SHA384", None),
    (0xc080, "TLS_DHE_DSS_WITH_CAMELLIA_128_GCM_SHA256", None),
    (0xc081, "TLS_DHE_DSS_WITH_CAMELLIA_256_GCM_SHA384", None),
    (0xc084, "TLS_DH_anon_WITH_CAMELLIA_128_GCM_SHA256", None),
    (0xc085, "TLS_DH_anon_WITH_CAMELLIA_256_GCM_SHA384", None),
    (0xc086, "TLS_ECDHE_ECDSA_WITH_CAMELLIA_128_GCM_SHA256", None),
    (0xc087, "TLS_ECDHE_ECDSA_WITH_CAMELLIA_256_GCM_SHA384", None),
    (0xc08a, "TLS_ECDHE_RSA_WITH_CAMELLIA_128_GCM_SHA256", None),
    (0xc08b, "TLS_ECDHE_RSA_WITH_CAMELLIA_256_GCM_SHA384", None),
    (0xc08e, "TLS_PSK_WITH_CAMELLIA_128_GCM_SHA256", None),
    (0xc08f, "TLS_PSK_WITH_CAMELLIA_256_GCM_SHA384", None),
    (0xc090, "TLS_DHE_PSK_WITH_CAMELLIA_128_GCM_SHA256", None),
    (0xc091, "TLS_DHE_PSK_WITH_CAMELLIA_256_GCM_SHA384", None),
    (0xc092, "TLS_RSA_PSK_WITH_CAMELLIA_128_GCM_SHA256", None),
    (0xc093, "TLS_RSA_PSK_WITH_CAMELLIA_256_GCM_SHA384", None),
    (0xc094, "TLS_PSK_WITH_CAMELLIA_128_CBC_SHA256", None),
    (0xc095, "TLS_PSK_WITH_CAMELLIA_256_CBC_SHA384", None),
    (0xc096, "TLS_DHE_PSK_WITH_CAMELLIA_128_CBC_SHA256", None),
    (0xc097, "TLS_DHE_PSK_WITH_CAMELLIA_256_CBC_SHA384", None),
    (0xc098, "TLS_RSA_PSK_WITH_CAMELLIA_128_CBC_SHA256", None),
    (0xc099, "TLS_RSA_PSK_WITH_CAMELLIA_256_CBC_SHA384", None),
    (0xc09a, "TLS_ECDHE_PSK_WITH_CAMELLIA_128_CBC_SHA256", None),
    (0xc09b, "TLS_ECDHE_PSK_WITH_CAMELLIA_256_CBC_SHA384", None),
    (0xc09c, "TLS_RSA_WITH_AES_128_CCM", Some(Aes128Ccm)),
    (0xc09d, "TLS_RSA_WITH_AES_256_CCM", Some(Aes256Ccm)),
    (0xc09e, "TLS_DHE_RSA_WITH_AES_128_CCM", Some(Aes128Ccm)),
    (0xc09f, "TLS_DHE_RSA_WITH_AES_256_CCM", Some(Aes256Ccm)),
    (0xc0a0, "TLS_RSA_WITH_AES_128_CCM_8", Some(Aes128Ccm8)),
    (0xc0a1, "TLS_RSA_WITH_AES_256_CCM_8", Some(Aes256Ccm8)),
    (0xc0a2, "TLS_DHE_RSA_WITH_AES_128_CCM_8", Some(Aes128Ccm8)),
    (0xc0a3, "TLS_DHE_RSA_WITH_AES_256_CCM_8", Some(Aes256Ccm8)),
    (0xc0a4, "TLS_PSK_WITH_AES_128_CCM", Some(Aes128Ccm)),
    (0xc0a5, "TLS_PSK_WITH_AES_256_CCM", Some(Aes256Ccm)),
    (0xc0a6, "TLS_DHE_PSK_WITH_AES_128_CCM", Some(Aes128Ccm)),
    (0xc0a7, "TLS_DHE_PSK_WITH_AES_256_CCM", Some(Aes256Ccm)),
    (0xc0a8, "TLS_PSK_WITH_AES_128_CCM_8", Some(Aes128Ccm8)),
    (0xc0a9, "TLS_PSK_WITH_AES_256_CCM_8", Some(Aes256Ccm8)),
    (0xc0aa, "TLS_PSK_DHE_WITH_AES_128_CCM_8", Some(Aes128Ccm8)),
    (0xc0ab, "TLS_PSK_DHE_WITH_AES_256_CCM_8", Some(Aes256Ccm8)),
    (0xc0ac, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM", Some(Aes128Ccm)),
    (0xc0ad, "TLS_ECDHE_ECDSA_WITH_AES_256_CCM", Some(Aes256Ccm)),
    (0xc0ae, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8", Some(Aes128Ccm8)),
    (0xc0af, "TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8", Some(Aes256Ccm8)),
    (0xc102, "TLS_GOSTR341112_256_WITH_28147_CNT_IMIT", None),
    (0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", Some(ChaCha20Poly1305)),
    (0xcca9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", Some(ChaCha20Poly1305)),
    (0xccaa, "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256", Some(ChaCha20Poly1305)),
    (0xccab, "TLS_PSK_WITH_CHACHA20_POLY1305_SHA256", Some(ChaCha20Poly1305)),
    (0xccac, "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256", Some(ChaCha20Poly1305)),
    (0xccad, "TLS_DHE_PSK_WITH_CHACHA20_POLY1305_SHA256", Some(ChaCha20Poly1305)),
    (0xccae, "TLS_RSA_PSK_WITH_CHACHA20_POLY1305_SHA256", Some(ChaCha20Poly1305)),
    (0xd001, "TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256", Some(Aes128Gcm)),
    (0xd002, "TLS_ECDHE_PSK_WITH_AES_256_GCM_SHA384", Some(Aes256Gcm)),
    (0xd003, "TLS_ECDHE_PSK_WITH_AES_128_CCM_8_SHA256", Some(Aes128Ccm8)),
    (0xd005, "TLS_ECDHE_PSK_WITH_AES_128_CCM_SHA256", Some(Aes128Ccm)),
];
