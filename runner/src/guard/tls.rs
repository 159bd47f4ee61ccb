//! One TLS configuration for all clients: the system's certificates are read once, and only when they are needed.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;

/// Protocols offered in a handshake, the better one first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Verifies servers against the certificates of the system (`SSL_CERT_FILE`, `SSL_CERT_DIR`, or the usual places).
pub(crate) fn system() -> Result<ClientConfig, rustls::Error> {
    let config = builder()?.with_platform_verifier()?.with_no_client_auth();
    Ok(with_protocols(config))
}

/// Trusts nobody: for clients that only speak plain HTTP, without the memory that certificates take.
pub(crate) fn none() -> Result<ClientConfig, rustls::Error> {
    let config = builder()?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    Ok(with_protocols(config))
}

fn builder() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()
}

fn with_protocols(mut config: ClientConfig) -> ClientConfig {
    config.alpn_protocols = PROTOCOLS.iter().map(|name| name.to_vec()).collect();
    config
}
