//! The webhook's certificate, and the authority that signed it.
//!
//! Each rotation makes a new authority, signs one certificate and forgets the authority's key: nobody can sign a
//! second one, and nothing worth stealing is stored but the serving key. The authority before stays trusted until
//! the next rotation, so replicas that have not yet loaded the new certificate are still believed.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use snafu::{OptionExt, ResultExt, Snafu};

/// How long a certificate is valid.
const VALID: Duration = Duration::from_hours(10 * 24);
/// Clocks of other machines may be behind by this.
const SKEW: Duration = Duration::from_hours(1);
/// Where one certificate in a PEM text ends.
const PEM_END: &str = "-----END CERTIFICATE-----\n";

/// Why there is no certificate.
#[derive(Debug, Snafu)]
#[non_exhaustive]
pub(crate) enum Error {
    /// It could not be made.
    #[snafu(display("failed to make a certificate"))]
    Generate {
        /// Why.
        source: rcgen::Error,
    },
    /// It is no PEM.
    #[snafu(display("failed to read the certificate"))]
    Parse {
        /// Why.
        source: rustls::pki_types::pem::Error,
    },
    /// Key and certificate do not fit.
    #[snafu(display("the certificate cannot be used"))]
    Use {
        /// Why.
        source: rustls::Error,
    },
    /// A time that no calendar has.
    #[snafu(display("the time {now} is out of range"))]
    Time {
        /// The time.
        now: Timestamp,
    },
}

/// Certificate, key and trusted authorities, as they are stored.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Material {
    /// The serving certificate, PEM.
    pub(crate) certificate: String,
    /// Its key, PEM.
    pub(crate) key: String,
    /// The authorities, newest first, PEM.
    pub(crate) authorities: String,
    /// When it ends.
    pub(crate) not_after: Timestamp,
}

impl std::fmt::Debug for Material {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Material")
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

impl Material {
    /// A new one for these host names. The newest authority of `before` stays trusted.
    pub(crate) fn generate(hosts: &[String], now: Timestamp, before: Option<&Self>) -> Result<Self, Error> {
        let authority_key = KeyPair::generate().context(GenerateSnafu)?;
        let mut authority = parameters(&[], "FlowPilot webhook authority", now)?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let mut authorities = authority
            .self_signed(&authority_key)
            .context(GenerateSnafu)?
            .pem()
            .replace('\r', "");
        let key = KeyPair::generate().context(GenerateSnafu)?;
        let mut serving = parameters(hosts, "FlowPilot webhook", now)?;
        serving.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        serving.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        serving.use_authority_key_identifier_extension = true;
        let issuer = Issuer::new(authority, authority_key);
        let certificate = serving.signed_by(&key, &issuer).context(GenerateSnafu)?;
        if let Some(newest) = before.and_then(|before| before.authorities.split_inclusive(PEM_END).next()) {
            authorities.push_str(newest);
        }
        Ok(Self {
            certificate: certificate.pem().replace('\r', ""),
            key: key.serialize_pem(),
            authorities,
            not_after: now.checked_add(VALID).ok().context(TimeSnafu { now })?,
        })
    }

    /// Whether more than half of its life is over: time for a new one.
    #[must_use]
    pub(crate) fn is_old(&self, now: Timestamp) -> bool {
        now.checked_add(VALID / 2)
            .is_ok_and(|then| then >= self.not_after)
    }

    /// What a server needs to use it.
    pub(crate) fn server_config(&self) -> Result<Arc<ServerConfig>, Error> {
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(self.certificate.as_bytes())
            .collect::<Result<_, _>>()
            .context(ParseSnafu)?;
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).context(ParseSnafu)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .context(UseSnafu)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .context(UseSnafu)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

fn parameters(hosts: &[String], name: &str, now: Timestamp) -> Result<CertificateParams, Error> {
    let mut parameters = CertificateParams::new(hosts).context(GenerateSnafu)?;
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, name);
    let seconds = u64::try_from(now.as_second()).ok().context(TimeSnafu { now })?;
    let now = rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds);
    parameters.not_before = now - SKEW;
    parameters.not_after = now + VALID;
    Ok(parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    fn hosts() -> Vec<String> {
        vec!["flowpilot-operator.flowpilot-system.svc".to_owned()]
    }

    fn now() -> Timestamp {
        "2026-11-24T05:00:00Z".parse().unwrap()
    }

    #[test]
    fn it_is_old_at_half_its_life() {
        let material = Material::generate(&hosts(), now(), None).unwrap();
        assert!(!material.is_old(now()));
        assert!(!material.is_old(now() + DAY * 4));
        assert!(material.is_old(now() + DAY * 5));
        material.server_config().unwrap();
    }

    #[test]
    fn a_rotation_trusts_the_authority_before_and_no_older_one() {
        let first = Material::generate(&hosts(), now(), None).unwrap();
        let second = Material::generate(&hosts(), now() + DAY * 5, Some(&first)).unwrap();
        let third = Material::generate(&hosts(), now() + DAY * 10, Some(&second)).unwrap();
        let count = |material: &Material| material.authorities.matches("BEGIN CERTIFICATE").count();
        assert_eq!([count(&first), count(&second), count(&third)], [1, 2, 2]);
        assert!(second.authorities.ends_with(&first.authorities));
        assert!(!third.authorities.contains(&first.authorities));
        assert_ne!(first.key, second.key);
    }

    #[test]
    fn a_key_that_does_not_fit_is_refused() {
        let mut material = Material::generate(&hosts(), now(), None).unwrap();
        material.key = Material::generate(&hosts(), now(), None).unwrap().key;
        assert!(material.server_config().is_err());
    }
}
