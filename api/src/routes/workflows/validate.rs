//! `POST T/workflows/validate`: what the compiler says; nothing is stored and nobody else is asked.

use flowpilot_engine::manifest::check_workflow;
use flowpilot_engine::problem::{Problem as Finding, Severity};
use serde::Serialize;
use serde_json::Value;

use super::model::context;
use crate::auth::{Caller, Permission, WorkflowsRead};
use crate::definitions::Manifest;
use crate::http::{Reply, WorkflowBody, body::shape};
use crate::problem::{Detail, Problem};

/// What the compiler says.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Validation {
    /// Whether it would be accepted.
    valid: bool,
    /// What stops it.
    errors: Vec<Detail>,
    /// What somebody should look at.
    warnings: Vec<Detail>,
    /// JSON Schema of its inputs, if it compiles.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    input_schema: Option<Value>,
}

/// Compiles a workflow and says everything that is wrong with it. A workflow with errors is a good request: 200.
#[utoipa::path(post, path = "/api/v1/tenants/{tenant}/workflows/validate", tag = "workflows", operation_id = "validateWorkflow",
    security(("token" = [<WorkflowsRead as Permission>::NAME])),
    params(("tenant" = String, Path, description = "Name of the tenant")),
    request_body(content((Manifest = "application/json"), (Manifest = "application/yaml"))),
    responses((status = 200, description = "Errors and warnings", body = Validation)),
    extensions(("x-problems" = json!(["MalformedRequest", "UnknownField", "UnsupportedMediaType"]))))]
pub async fn validate(
    caller: Caller<WorkflowsRead>,
    WorkflowBody(object): WorkflowBody,
) -> Result<Reply<Validation>, Problem> {
    let tenant = &caller.scope;
    let manifest: Manifest = shape(object)?;
    // A draft may have no name yet.
    let unnamed = manifest.name.is_none() && manifest.metadata.name.is_none();
    let name = unnamed.then_some("draft");
    let name = manifest.name_in(&tenant.name, name)?;
    let object = manifest.object(&tenant.name, &name);
    Ok(Reply::ok(match check_workflow(&object, &context(tenant)) {
        Ok((_, compiled)) => Validation {
            valid: true,
            errors: Vec::new(),
            warnings: compiled.findings().iter().map(Detail::from).collect(),
            input_schema: Some(compiled.plan.input_schema()),
        },
        Err(findings) => {
            let of = |severity| -> Vec<Detail> {
                findings
                    .iter()
                    .filter(|finding: &&Finding| finding.severity == severity)
                    .map(Detail::from)
                    .collect()
            };
            let (errors, warnings) = (of(Severity::Error), of(Severity::Warning));
            Validation {
                valid: false,
                errors,
                warnings,
                input_schema: None,
            }
        }
    }))
}
