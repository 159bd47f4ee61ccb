//! The only door through which the operator writes to Kubernetes: counted, and shut when nothing would change.
//!
//! Objects are written by server-side apply under the name of the controller, with force: what FlowPilot makes is
//! FlowPilot's. Before that the object is compared with the one in the cache, so in the steady state nothing is sent.

use axum::http;
use flowpilot_crds::names::FINALIZER;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::api::{DeleteParams, Patch, PatchParams, Preconditions, Request};
use kube::core::PartialObjectMeta;
use kube::runtime::events::{Event, EventType, Recorder};
use kube::{Client, Resource, ResourceExt};
use serde::Serialize;
use serde_json::{Value, json};
use snafu::{ResultExt, Snafu};

use crate::metrics::Metrics;

mod compare;

/// Annotation with the digest of what was applied last: a field that is no longer wanted shows only there.
pub(crate) const APPLIED_ANNOTATION: &str = "flowpilot.io/applied";
/// Bytes of a message in a condition: all problems of an ordinary mistake, and no book.
pub(crate) const CONDITION_BYTES: usize = 8 * 1024;
/// Bytes of a message in an Event; Kubernetes ends Events at 1,024.
const NOTE_BYTES: usize = 1000;

/// Why Kubernetes could not be written to.
#[derive(Debug, Snafu)]
#[snafu(visibility(pub(crate)))]
#[non_exhaustive]
pub(crate) enum Error {
    /// It refused, or did not answer.
    #[snafu(display("failed to {verb} {kind} {name}"))]
    Write {
        /// What was tried.
        verb: &'static str,
        /// Kind of the object.
        kind: String,
        /// Its name.
        name: String,
        /// Why.
        #[snafu(source(from(kube::Error, Box::new)))]
        source: Box<kube::Error>,
    },
    /// It refused, or did not answer.
    #[snafu(display("failed to read {kind} {name}"))]
    Read {
        /// Kind of the object.
        kind: String,
        /// Its name.
        name: String,
        /// Why.
        #[snafu(source(from(kube::Error, Box::new)))]
        source: Box<kube::Error>,
    },
    /// A value that JSON cannot hold.
    #[snafu(display("failed to write {kind} as JSON"))]
    Encode {
        /// Kind of the object.
        kind: String,
        /// Why.
        source: serde_json::Error,
    },
    /// The request could not be made.
    #[snafu(display("failed to make a request for {kind}"))]
    MakeRequest {
        /// Kind of the object.
        kind: String,
        /// Why.
        source: kube::core::request::Error,
    },
    /// The request could not be made.
    #[snafu(display("failed to make a patch for {kind}"))]
    PatchRequest {
        /// Kind of the object.
        kind: String,
        /// Why.
        source: http::Error,
    },
}

/// One controller's access to the cluster.
#[derive(Clone)]
pub(crate) struct Cluster {
    client: Client,
    controller: &'static str,
    manager: &'static str,
    recorder: Recorder,
    metrics: Metrics,
}

impl Cluster {
    /// Access for `controller`, whose fields are managed as `manager` (`flowpilot-<controller>`).
    #[must_use]
    pub(crate) fn new(
        client: Client,
        (controller, manager): (&'static str, &'static str),
        identity: &str,
        metrics: Metrics,
    ) -> Self {
        let reporter = kube::runtime::events::Reporter {
            controller: manager.to_owned(),
            instance: Some(identity.to_owned()),
        };
        let recorder = Recorder::new(client.clone(), reporter);
        Self {
            client,
            controller,
            manager,
            recorder,
            metrics,
        }
    }

    /// The client, for reading.
    #[must_use]
    pub(crate) fn client(&self) -> Client {
        self.client.clone()
    }

    /// Makes `found` look as `wanted`; whether that took a write.
    pub(crate) async fn apply<K>(&self, wanted: &K, found: Option<&K>) -> Result<bool, Error>
    where
        K: Resource<DynamicType = ()> + Serialize,
    {
        let wanted_value = compare::stamped(encode(wanted)?);
        if let Some(found) = found
            && compare::covers(&encode(found)?, &wanted_value)
        {
            return Ok(false);
        }
        let request = Request::new(K::url_path(&(), wanted.namespace().as_deref()))
            .patch(&wanted.name_any(), &self.forced(), &Patch::Apply(&wanted_value))
            .context(MakeRequestSnafu { kind: K::kind(&()) })?;
        self.send("apply", K::kind(&()).into_owned(), wanted.name_any(), request)
            .await?;
        Ok(true)
    }

    /// Applies exactly these fields of an object that exists, under a manager's name of their own.
    pub(crate) async fn apply_fields<K>(
        &self,
        name: &str,
        namespace: Option<&str>,
        fields: &Value,
        manager: &str,
    ) -> Result<(), Error>
    where
        K: Resource<DynamicType = ()>,
    {
        let mut body = json!({
            "apiVersion": K::api_version(&()), "kind": K::kind(&()), "metadata": {"name": name, "namespace": namespace},
        });
        merge(&mut body, fields);
        let request = Request::new(K::url_path(&(), namespace))
            .patch(name, &PatchParams::apply(manager).force(), &Patch::Apply(&body))
            .context(MakeRequestSnafu { kind: K::kind(&()) })?;
        self.send("apply", K::kind(&()).into_owned(), name.to_owned(), request)
            .await
    }

    /// Writes the status, if it differs; whether it did.
    pub(crate) async fn apply_status<K, S>(
        &self,
        object: &K,
        status: &S,
        found: Option<&S>,
    ) -> Result<bool, Error>
    where
        K: Resource<DynamicType = ()>,
        S: Serialize + PartialEq,
    {
        if found == Some(status) {
            return Ok(false);
        }
        let body = json!({
            "apiVersion": K::api_version(&()),
            "kind": K::kind(&()),
            // With its UID an object that went meanwhile is not made anew.
            "metadata": {"name": object.name_any(), "namespace": object.namespace(), "uid": object.uid()},
            "status": status,
        });
        let kind = format!("{}/status", K::kind(&()));
        let request = Request::new(K::url_path(&(), object.namespace().as_deref()))
            .patch_subresource("status", &object.name_any(), &self.forced(), &Patch::Apply(&body))
            .context(MakeRequestSnafu { kind: kind.clone() })?;
        self.send("apply", kind, object.name_any(), request).await?;
        Ok(true)
    }

    /// Sets our finalizer, if it is missing.
    pub(crate) async fn hold<K: Resource<DynamicType = ()>>(&self, object: &K) -> Result<(), Error> {
        let finalizers = object.finalizers();
        if finalizers.iter().any(|finalizer| finalizer == FINALIZER) {
            return Ok(());
        }
        let patch = if finalizers.is_empty() {
            json!([
                {"op": "test", "path": "/metadata/uid", "value": object.uid()},
                {"op": "add", "path": "/metadata/finalizers", "value": [FINALIZER]},
            ])
        } else {
            json!([
                {"op": "test", "path": "/metadata/uid", "value": object.uid()},
                {"op": "test", "path": "/metadata/finalizers", "value": finalizers},
                {"op": "add", "path": "/metadata/finalizers/-", "value": FINALIZER},
            ])
        };
        self.patch_finalizers(object, &patch).await
    }

    /// Removes our finalizer, if it is there: the object goes.
    pub(crate) async fn release<K: Resource<DynamicType = ()>>(&self, object: &K) -> Result<(), Error> {
        let Some(index) = object
            .finalizers()
            .iter()
            .position(|finalizer| finalizer == FINALIZER)
        else {
            return Ok(());
        };
        let place = format!("/metadata/finalizers/{index}");
        let patch = json!([
            {"op": "test", "path": place, "value": FINALIZER},
            {"op": "remove", "path": place},
        ]);
        match self.patch_finalizers(object, &patch).await {
            Err(Error::Write { source, .. }) if is_gone(&source) => Ok(()),
            other => other,
        }
    }

    /// Deletes the object of this UID; one that is gone is fine.
    pub(crate) async fn delete<K: Resource<DynamicType = ()>>(&self, object: &K) -> Result<(), Error> {
        let preconditions = Preconditions {
            uid: object.uid(),
            resource_version: None,
        };
        let request = Request::new(K::url_path(&(), object.namespace().as_deref()))
            .delete(
                &object.name_any(),
                &DeleteParams::background().preconditions(preconditions),
            )
            .context(MakeRequestSnafu { kind: K::kind(&()) })?;
        let kind = K::kind(&()).into_owned();
        self.metrics.wrote(self.controller, kind.clone(), "delete");
        match self.client.request_text(request).await {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if status.code == 404 || status.code == 409 => Ok(()),
            Err(source) => Err(source).context(WriteSnafu {
                verb: "delete",
                kind,
                name: object.name_any(),
            }),
        }
    }

    /// Tells people with an Event. One that cannot be written is logged, and stops nothing.
    pub(crate) async fn warn<K: Resource<DynamicType = ()>>(
        &self,
        object: &K,
        reason: &str,
        action: &str,
        note: &str,
    ) {
        let reference: ObjectReference = object.object_ref(&());
        let event = Event {
            type_: EventType::Warning,
            reason: reason.to_owned(),
            note: Some(shorten(note, NOTE_BYTES)),
            action: action.to_owned(),
            secondary: None,
        };
        self.metrics.wrote(self.controller, "Event".to_owned(), "create");
        if let Err(error) = self.recorder.publish(&event, &reference).await {
            tracing::warn!(error = %crate::cache::Chain(&error), object = %object.name_any(), "failed to write an Event");
        }
    }

    async fn patch_finalizers<K: Resource<DynamicType = ()>>(
        &self,
        object: &K,
        patch: &Value,
    ) -> Result<(), Error> {
        let body = serde_json::to_vec(patch).context(EncodeSnafu { kind: K::kind(&()) })?;
        let folder = K::url_path(&(), object.namespace().as_deref());
        let request = http::Request::patch(format!(
            "{folder}/{}?fieldManager={}",
            object.name_any(),
            self.manager
        ))
        .header(http::header::CONTENT_TYPE, "application/json-patch+json")
        .header(http::header::ACCEPT, "application/json")
        .body(body)
        .context(PatchRequestSnafu { kind: K::kind(&()) })?;
        self.send("patch", K::kind(&()).into_owned(), object.name_any(), request)
            .await
    }

    async fn send(
        &self,
        verb: &'static str,
        kind: String,
        name: String,
        request: http::Request<Vec<u8>>,
    ) -> Result<(), Error> {
        self.metrics.wrote(self.controller, kind.clone(), verb);
        tracing::debug!(kind, name, verb, "writing");
        let answer = self.client.request::<PartialObjectMeta>(request).await;
        answer.map(drop).context(WriteSnafu { verb, kind, name })
    }

    fn forced(&self) -> PatchParams {
        PatchParams::apply(self.manager).force()
    }
}

fn encode<K: Resource<DynamicType = ()> + Serialize>(object: &K) -> Result<Value, Error> {
    serde_json::to_value(object).context(EncodeSnafu { kind: K::kind(&()) })
}

fn is_gone(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 404)
}

fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

/// At most `limit` bytes of a text, with a sign that something is missing.
#[must_use]
pub(crate) fn shorten(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(limit.saturating_sub('…'.len_utf8()));
    format!("{}…", &text[..end])
}

#[cfg(test)]
mod tests;
