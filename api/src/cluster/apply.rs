//! Changing a Workflow for a person: server-side apply under our field manager, never by force.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderValue, Request};
use flowpilot_crds::Workflow;
use flowpilot_crds::names::{BUILDER_MANAGER, namespace_of};
use kube::Resource;
use kube::api::{DeleteParams, Patch, PatchParams, Preconditions};
use kube::core::Status;
use kube::core::request::Request as Operation;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Cluster, refusal, watch};
use crate::definitions::{Change, Definition, Identity, Manifest, Precondition};
use crate::problem::{Code, Problem};

/// Time for one call of Kubernetes.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Says who made an object; a policy of the cluster lets members change only their own.
const CREATED_BY: &str = "flowpilot.io/created-by";

impl Cluster {
    pub(crate) async fn apply(
        &self,
        change: &Change<'_>,
        manifest: &Manifest,
    ) -> Result<Definition, Problem> {
        let known = self.current(change).await?;
        let mut object = manifest.object(change.tenant, change.name);
        let made_by = known.as_ref().map_or_else(
            || Some(change.identity.user.as_str()),
            |known| {
                known
                    .metadata
                    .annotations
                    .as_ref()?
                    .get(CREATED_BY)
                    .map(String::as_str)
            },
        );
        if let Some(made_by) = made_by {
            object["metadata"]["annotations"][CREATED_BY] = json!(made_by);
        }
        if let (Precondition::Version(_), Some(known)) = (&change.precondition, &known) {
            object["metadata"]["resourceVersion"] = json!(known.metadata.resource_version);
        }
        let parameters = PatchParams {
            dry_run: change.dry_run,
            field_manager: Some(BUILDER_MANAGER.to_owned()),
            ..Default::default()
        };
        let operation = operation(change.tenant).patch(change.name, &parameters, &Patch::Apply(&object));
        let request = operation.map_err(|error| Problem::internal(&error))?;
        match self.send::<Workflow>(change.identity, request).await? {
            Ok(workflow) => {
                let definition = watch::definition(workflow);
                if !change.dry_run {
                    self.watch.saw(Arc::new(definition.clone()));
                }
                Ok(definition)
            }
            Err(status) => Err(refusal::problem(&status, Some(&object))),
        }
    }

    pub(crate) async fn delete(&self, change: &Change<'_>) -> Result<(), Problem> {
        let Some(known) = self.current(change).await? else {
            return Err(Problem::not_found());
        };
        let (uid, resource_version) = (
            known.metadata.uid.clone(),
            known.metadata.resource_version.clone(),
        );
        let definition = watch::definition(known);
        if let Some(manager) = &definition.managed_by {
            return Err(refusal::managed_elsewhere(manager, &definition.manifest()));
        }
        let resource_version =
            resource_version.filter(|_| matches!(change.precondition, Precondition::Version(_)));
        let parameters = DeleteParams {
            dry_run: change.dry_run,
            preconditions: Some(Preconditions {
                uid,
                resource_version,
            }),
            ..DeleteParams::default()
        };
        let request = operation(change.tenant).delete(change.name, &parameters);
        let request = request.map_err(|error| Problem::internal(&error))?;
        match self.send::<Value>(change.identity, request).await? {
            Ok(_) => Ok(()),
            Err(status) => Err(refusal::problem(&status, None)),
        }
    }

    /// The object as it is now, checked against what the caller expects. It is asked for and not taken from the
    /// watch, which may be a moment behind.
    async fn current(&self, change: &Change<'_>) -> Result<Option<Workflow>, Problem> {
        let request = operation(change.tenant).get(change.name, &kube::api::GetParams::default());
        let request = request.map_err(|error| Problem::internal(&error))?;
        let known = match self.send::<Workflow>(change.identity, request).await? {
            Ok(workflow) => Some(workflow),
            Err(status) if status.code == 404 => None,
            Err(status) => return Err(refusal::problem(&status, None)),
        };
        let version = known
            .as_ref()
            .and_then(|known| known.metadata.resource_version.as_ref());
        match (&change.precondition, version) {
            (Precondition::Absent, Some(_)) => Err(Problem::new(
                Code::AlreadyExists,
                format!("the workflow `{}` exists", change.name),
            )),
            (Precondition::Version(_) | Precondition::Exists, None) => Err(Problem::not_found()),
            (Precondition::Version(versions), Some(version)) if !versions.contains(version) => Err(
                Problem::new(Code::PreconditionFailed, "the workflow changed since it was read"),
            ),
            _ => Ok(known),
        }
    }

    /// Sends a request as somebody else. The inner error is Kubernetes' refusal.
    async fn send<T: DeserializeOwned>(
        &self,
        identity: &Identity,
        mut request: Request<Vec<u8>>,
    ) -> Result<Result<T, Box<Status>>, Problem> {
        let header = |text: &str| HeaderValue::from_str(text).map_err(|error| Problem::internal(&error));
        request
            .headers_mut()
            .insert("impersonate-user", header(&identity.user)?);
        request
            .headers_mut()
            .insert("impersonate-group", header(&identity.group)?);
        match tokio::time::timeout(TIMEOUT, self.client.request::<T>(request)).await {
            Ok(Ok(answer)) => Ok(Ok(answer)),
            Ok(Err(kube::Error::Api(status))) => Ok(Err(status)),
            Ok(Err(error)) => Err(Problem::unavailable("Kubernetes cannot be reached", &error)),
            Err(_) => Err(Problem::new(
                Code::UpstreamTimeout,
                "Kubernetes did not answer in time",
            )),
        }
    }
}

fn operation(tenant: &str) -> Operation {
    Operation::new(Workflow::url_path(&(), Some(&namespace_of(tenant))))
}
