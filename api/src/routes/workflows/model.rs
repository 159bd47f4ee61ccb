//! Workflows as answers, and what creating and replacing share.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::{HeaderMap, header};
use flowpilot_crds::names::role_group;
use flowpilot_engine::compile::Context;
use flowpilot_engine::manifest::check_workflow;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::auth::Principal;
use crate::definitions::{Definition, Identity, Manifest, Precondition, Ready};
use crate::problem::{Code, Detail, Problem};
use crate::store::tenants::Tenant;

/// A workflow in a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkflowSummary {
    /// Its name.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// Labels of the object.
    pub labels: BTreeMap<String, String>,
    /// Generation of its spec.
    pub generation: i64,
    /// Whether its current spec can run; nothing before it was checked.
    pub ready: Option<Ready>,
    /// Digest of the revision that new runs use.
    pub revision: Option<String>,
    /// The tool that owns the spec, unless it is this API: such a workflow is changed there.
    pub managed_by: Option<String>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// Changes with every change of the object: the ETag.
    pub version: String,
}

/// A workflow with its definition.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkflowView {
    /// What lists show.
    #[serde(flatten)]
    pub summary: WorkflowSummary,
    /// The manifest, as it can be sent back.
    #[schema(value_type = Manifest)]
    pub manifest: Value,
    /// What the compiler warns of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Detail>,
}

impl WorkflowSummary {
    /// Of a definition. In a folder nobody writes a status: what is registered says which revision runs.
    #[must_use]
    pub fn new(definition: &Definition, registered: Option<&str>) -> Self {
        let metadata = &definition.workflow.metadata;
        let name = metadata.name.clone().unwrap_or_default();
        let status = definition.workflow.status.as_ref();
        Self {
            title: definition
                .workflow
                .spec
                .title
                .clone()
                .unwrap_or_else(|| name.clone()),
            name,
            labels: metadata.labels.clone().unwrap_or_default(),
            generation: metadata.generation.unwrap_or(1),
            ready: definition.ready(),
            revision: status
                .and_then(|status| status.revision.clone())
                .or_else(|| registered.map(ToOwned::to_owned)),
            managed_by: definition.managed_by.clone(),
            created_at: metadata.creation_timestamp.as_ref().map(|time| time.0),
            version: definition.version.clone(),
        }
    }
}

impl WorkflowView {
    /// Of a definition.
    #[must_use]
    pub fn new(definition: &Definition, registered: Option<&str>, warnings: Vec<Detail>) -> Self {
        let summary = WorkflowSummary::new(definition, registered);
        Self {
            summary,
            manifest: definition.manifest(),
            warnings,
        }
    }
}

/// As whom a person changes the tenant's custom resources.
pub(super) fn identity(principal: &Principal, tenant: &Tenant) -> Identity {
    match principal {
        Principal::Admin | Principal::Runner { .. } | Principal::Operator => Identity {
            user: flowpilot_crds::names::BOOTSTRAP_USER.to_owned(),
            group: role_group(&tenant.name, "owner"),
        },
    }
}

/// What the compiler knows about this tenant.
pub(super) fn context(tenant: &Tenant) -> Context {
    let variables: Option<Map<String, Value>> = serde_json::from_str(&tenant.variables).ok();
    let names: Option<BTreeSet<String>> =
        variables.map(|map| map.into_iter().map(|(name, _)| name).collect());
    Context::server(names)
}

/// Everything that is wrong with a workflow, before anybody is asked to store it; otherwise the warnings.
pub(super) fn check(manifest: &Manifest, tenant: &Tenant, name: &str) -> Result<Vec<Detail>, Problem> {
    let object = manifest.object(&tenant.name, name);
    match check_workflow(&object, &context(tenant)) {
        Ok((_, compiled)) => Ok(compiled.findings().iter().map(Detail::from).collect()),
        Err(problems) => Err(Problem::new(Code::InvalidWorkflow, "").findings(&problems)),
    }
}

/// From `If-Match` and `If-None-Match`; changes need one of them.
pub(super) fn precondition(headers: &HeaderMap) -> Result<Precondition, Problem> {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &header::HeaderValue| value.to_str().ok())
            .map(str::trim)
    };
    match (text(header::IF_MATCH), text(header::IF_NONE_MATCH)) {
        (Some("*"), None) => Ok(Precondition::Exists),
        (Some(tags), None) => {
            // Strong comparison: a weak tag never matches.
            let tags = tags
                .split(',')
                .map(str::trim)
                .filter(|tag| !tag.starts_with("W/"));
            Ok(Precondition::Version(
                tags.map(|tag| tag.trim_matches('"').to_owned()).collect(),
            ))
        }
        (None, Some("*")) => Ok(Precondition::Absent),
        _ => {
            let text = "send `If-Match` with the ETag you read, or `If-None-Match: *` to create";
            Err(Problem::new(Code::PreconditionRequired, text))
        }
    }
}

/// A version as an ETag.
pub(super) fn etag(version: &str) -> String {
    format!("\"{version}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &'static str, value: &'static str) -> Result<Precondition, Problem> {
        precondition(&HeaderMap::from_iter([(
            header::HeaderName::from_static(name),
            header::HeaderValue::from_static(value),
        )]))
    }

    #[test]
    fn a_change_says_which_version_it_means() {
        assert_eq!(of("if-none-match", "*").unwrap(), Precondition::Absent);
        assert_eq!(of("if-match", "*").unwrap(), Precondition::Exists);
        let versions = vec!["7".to_owned(), "8".to_owned()];
        assert_eq!(
            of("if-match", "\"7\", \"8\"").unwrap(),
            Precondition::Version(versions)
        );
        assert_eq!(
            of("if-match", "W/\"7\"").unwrap(),
            Precondition::Version(Vec::new())
        );
        assert_eq!(
            of("if-none-match", "\"7\"").unwrap_err().code,
            Code::PreconditionRequired
        );
        assert_eq!(
            precondition(&HeaderMap::new()).unwrap_err().code,
            Code::PreconditionRequired
        );
    }
}
