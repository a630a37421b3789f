//! Issues the certificates of framescope's own servers, one per set of names, and keeps them in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::sign::{CertifiedKey, SigningKey};

use super::authority::{Authority, CLOCK_SKEW, serial_number, set_validity};
use super::provider;

/// How long an issued certificate is valid: a week.
const VALIDITY: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Issued certificates are replaced after this time.
const RENEW_AFTER: Duration = Duration::from_secs(3 * 24 * 60 * 60);

/// The most certificates that are kept. A client chooses the name that it asks for.
const MAX_KEPT: usize = 256;

/// The longest common name (RFC 5280 appendix A.1, ub-common-name).
const MAX_COMMON_NAME: usize = 64;

/// Issues certificates from the local CA. All have the same key, which exists only in memory.
pub struct LeafIssuer {
    authority: Authority,
    public: KeyPair,
    key: Arc<dyn SigningKey>,
    issued: Mutex<HashMap<Vec<String>, Issued>>,
}

struct Issued {
    certified: Arc<CertifiedKey>,
    renew_at: SystemTime,
}

impl LeafIssuer {
    /// An issuer with a new key.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn new(authority: Authority) -> Result<Self, rcgen::Error> {
        let public = KeyPair::generate()?;
        let der = PrivatePkcs8KeyDer::from(public.serialize_der());
        let key = provider().key_provider.load_private_key(der.into());
        let key = key.map_err(|_| rcgen::Error::CouldNotParseKeyPair)?;
        Ok(Self { authority, public, key, issued: Mutex::default() })
    }

    /// The certificate for DNS names and IP addresses, the first of which becomes the common name. `None` if a name cannot be in a
    /// certificate.
    pub fn certified(&self, names: &[String]) -> Option<Arc<CertifiedKey>> {
        let now = SystemTime::now();
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = issued.get(names).filter(|kept| now < kept.renew_at) {
            return Some(Arc::clone(&kept.certified));
        }
        let certified = Arc::new(self.issue(names, now).ok()?);
        if issued.len() >= MAX_KEPT {
            issued.clear();
        }
        issued.insert(names.to_vec(), Issued { certified: Arc::clone(&certified), renew_at: now + RENEW_AFTER });
        Some(certified)
    }

    fn issue(&self, names: &[String], now: SystemTime) -> Result<CertifiedKey, rcgen::Error> {
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = DistinguishedName::new();
        if let Some(name) = names.first().filter(|name| name.len() <= MAX_COMMON_NAME) {
            params.distinguished_name.push(DnType::CommonName, name.as_str());
        }
        params.distinguished_name.push(DnType::OrganizationName, "framescope");
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        params.serial_number = Some(serial_number());
        set_validity(&mut params, [now - CLOCK_SKEW, now + VALIDITY]);
        let certificate = params.signed_by(&self.public, self.authority.issuer())?;
        Ok(CertifiedKey::new(vec![certificate.into()], Arc::clone(&self.key)))
    }
}
