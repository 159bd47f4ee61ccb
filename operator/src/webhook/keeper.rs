//! Keeps the certificate fresh: in a Secret that all replicas share, in this process, and in the configuration by
//! which the API server of Kubernetes knows whom to believe.
//!
//! The chart makes Secret and configuration; the operator fills in `data` and `caBundle` and nothing else. Two
//! replicas that rotate at the same moment are told apart by the Secret's version: the later one reads again.

use std::time::Duration;

use axum_server::tls_rustls::RustlsConfig;
use jiff::Timestamp;
use k8s_openapi::ByteString;
use k8s_openapi::api::admissionregistration::v1::ValidatingWebhookConfiguration;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, ResourceExt};
use serde_json::{Value, json};
use snafu::{ResultExt, Snafu};
use tokio_util::sync::CancellationToken;

use super::certificate::{self, Material};
use crate::cache::Chain;
use crate::cluster::{self, Cluster, ReadSnafu};

/// Name under which its writes are counted.
pub(crate) const NAME: &str = "webhook";
/// Its field manager.
pub(crate) const MANAGER: &str = "flowpilot-webhook";
/// Name of the Secret.
const SECRET: &str = "flowpilot-webhook-certificate";
/// Annotation with the end of the certificate.
const NOT_AFTER: &str = "flowpilot.io/not-after";
/// How often Secret and configuration are looked at: another replica may have rotated.
const LOOK: Duration = Duration::from_mins(5);
/// Wait after a failure.
const RETRY: Duration = Duration::from_secs(3);

/// Why there is no certificate, or nobody knows of it.
#[derive(Debug, Snafu)]
enum Error {
    #[snafu(display("failed to keep the webhook's certificate in Kubernetes"))]
    Kubernetes { source: cluster::Error },
    #[snafu(display("failed to make the webhook's certificate"))]
    Certificate { source: certificate::Error },
}

/// Keeps the certificate of one installation.
pub(crate) struct Keeper {
    /// Kubernetes.
    pub(crate) cluster: Cluster,
    /// Namespace of the installation.
    pub(crate) namespace: String,
    /// Name of the Service that the certificate is for.
    pub(crate) service: String,
    /// Name of the configuration; empty if nobody is told.
    pub(crate) configuration: String,
}

impl Keeper {
    /// Returns with the first certificate, and renews it from then on until `stop`. `None` if `stop` came first.
    pub(crate) async fn start(self, stop: CancellationToken) -> Option<RustlsConfig> {
        let (mut known, tls) = loop {
            match self.first().await {
                Ok(first) => break first,
                Err(error) => tracing::warn!(error = %Chain(&error), "no certificate yet; it is tried again"),
            }
            tokio::select! {
                () = tokio::time::sleep(RETRY) => {}
                () = stop.cancelled() => return None,
            }
        };
        let served = tls.clone();
        tokio::spawn(async move {
            // The configuration could not be told before; then not five minutes may pass.
            let mut wait = Duration::ZERO;
            loop {
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    () = stop.cancelled() => return,
                }
                wait = match self.renew(&mut known, &tls).await {
                    Ok(()) => LOOK,
                    Err(error) => {
                        tracing::warn!(error = %Chain(&error), "failed to keep the certificate; it is tried again");
                        RETRY
                    }
                };
            }
        });
        Some(served)
    }

    async fn first(&self) -> Result<(Material, RustlsConfig), Error> {
        let material = self.material().await?;
        let config = material.server_config().context(CertificateSnafu)?;
        Ok((material, RustlsConfig::from_config(config)))
    }

    async fn renew(&self, known: &mut Material, tls: &RustlsConfig) -> Result<(), Error> {
        let material = self.material().await?;
        // First those who ask learn of the new authority, then it is used.
        self.tell(&material).await.context(KubernetesSnafu)?;
        if material != *known {
            tls.reload_from_config(material.server_config().context(CertificateSnafu)?);
            tracing::info!(not_after = %material.not_after, "took a new certificate");
            *known = material;
        }
        Ok(())
    }

    /// The certificate in the Secret; a new one if that is old or unusable.
    async fn material(&self) -> Result<Material, Error> {
        let api = Api::<Secret>::namespaced(self.cluster.client(), &self.namespace);
        let secret = api
            .get_opt(SECRET)
            .await
            .context(ReadSnafu {
                kind: "Secret",
                name: SECRET,
            })
            .context(KubernetesSnafu)?;
        let now = Timestamp::now();
        let stored = secret.as_ref().and_then(read);
        if let Some(stored) = &stored
            && !stored.is_old(now)
            && stored.server_config().is_ok()
        {
            return Ok(stored.clone());
        }
        let material = Material::generate(&self.hosts(), now, stored.as_ref()).context(CertificateSnafu)?;
        let encoded = |text: &str| ByteString(text.as_bytes().to_vec());
        let fields = json!({
            "metadata": {
                // If another replica wrote it meanwhile, that one's certificate counts.
                "resourceVersion": secret.as_ref().and_then(ResourceExt::resource_version),
                "annotations": {NOT_AFTER: material.not_after.to_string()},
            },
            "data": {
                "tls.crt": encoded(&material.certificate),
                "tls.key": encoded(&material.key),
                "ca.crt": encoded(&material.authorities),
            },
        });
        self.cluster
            .apply_fields::<Secret>(SECRET, Some(&self.namespace), &fields, MANAGER)
            .await
            .context(KubernetesSnafu)?;
        Ok(material)
    }

    /// Writes the authorities into the configuration, if they are not there.
    async fn tell(&self, material: &Material) -> Result<(), cluster::Error> {
        if self.configuration.is_empty() {
            return Ok(());
        }
        let name = &self.configuration;
        let api = Api::<ValidatingWebhookConfiguration>::all(self.cluster.client());
        let found = api.get_opt(name).await.context(ReadSnafu {
            kind: "ValidatingWebhookConfiguration",
            name,
        })?;
        let Some(found) = found else {
            tracing::debug!(
                name,
                "there is no configuration to write the certificate authority into"
            );
            return Ok(());
        };
        let bundle = ByteString(material.authorities.as_bytes().to_vec());
        let ours: Vec<_> = found
            .webhooks
            .iter()
            .flatten()
            .filter(|webhook| {
                let service = webhook.client_config.service.as_ref();
                service.is_some_and(|service| {
                    service.name == self.service && service.namespace == self.namespace
                })
            })
            .collect();
        if ours
            .iter()
            .all(|webhook| webhook.client_config.ca_bundle.as_ref() == Some(&bundle))
        {
            return Ok(());
        }
        let webhooks: Vec<Value> = ours
            .iter()
            .map(|webhook| json!({"name": webhook.name, "clientConfig": {"caBundle": bundle}}))
            .collect();
        let fields = json!({"webhooks": webhooks});
        self.cluster
            .apply_fields::<ValidatingWebhookConfiguration>(name, None, &fields, MANAGER)
            .await
    }

    fn hosts(&self) -> Vec<String> {
        let host = format!("{}.{}.svc", self.service, self.namespace);
        vec![format!("{host}.cluster.local"), host]
    }
}

fn read(secret: &Secret) -> Option<Material> {
    let text = |key| {
        secret
            .data
            .as_ref()?
            .get(key)
            .and_then(|bytes| String::from_utf8(bytes.0.clone()).ok())
    };
    Some(Material {
        certificate: text("tls.crt")?,
        key: text("tls.key")?,
        authorities: text("ca.crt")?,
        not_after: secret.annotations().get(NOT_AFTER)?.parse().ok()?,
    })
}
