//! The specification: generated from the operations, completed with what all of them share.

use std::collections::HashMap;
use std::sync::Arc;

use axum::http::Method;
use serde_json::{Value, json};
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};

use crate::problem::{Code, Detail, Document};
use crate::state::KnownParameters;

/// What every operation may answer beside its own codes.
const EVERYWHERE: [Code; 6] = [
    Code::Unauthenticated,
    Code::Forbidden,
    Code::UnknownParameter,
    Code::PayloadTooLarge,
    Code::Internal,
    Code::Unavailable,
];

/// The frame: title, tags, the scheme of tokens.
#[derive(OpenApi)]
#[openapi(
    info(title = "FlowPilot", description = "Workflows and their runs. See docs/api.md."),
    tags(
        (name = "meta", description = "About the installation"),
        (name = "tenants", description = "Tenants"),
        (name = "workflows", description = "Definitions and revisions"),
        (name = "runs", description = "Runs and their histories")
    ),
    components(schemas(Document, Detail))
)]
struct Frame;

pub(crate) fn base() -> utoipa::openapi::OpenApi {
    let mut document = Frame::openapi();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A token of this installation"));
    if let Some(components) = &mut document.components {
        components.add_security_scheme("token", SecurityScheme::Http(bearer.build()));
    }
    document
}

/// The specification as it is sent, and what it says about query parameters.
pub(crate) fn generate() -> Result<(Arc<str>, KnownParameters), serde_json::Error> {
    let (_, document) = crate::routes::people().split_for_parts();
    let mut document = serde_json::to_value(document)?;
    let mut parameters = HashMap::new();
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    for (path, operations) in paths {
        for (method, operation) in operations.as_object_mut().into_iter().flatten() {
            let Ok(method) = Method::from_bytes(method.to_ascii_uppercase().as_bytes()) else {
                continue;
            };
            add_problems(operation);
            parameters.insert((method, path.clone()), query_parameters(operation));
        }
    }
    Ok((
        serde_json::to_string(&document)?.into(),
        KnownParameters::new(parameters),
    ))
}

fn query_parameters(operation: &Value) -> Vec<String> {
    let all = operation["parameters"].as_array().into_iter().flatten();
    let of_query = all.filter(|parameter| parameter["in"] == "query");
    of_query
        .filter_map(|parameter| Some(parameter["name"].as_str()?.to_owned()))
        .collect()
}

/// From `x-problems`, the operation's own codes, and those of every operation, one answer per status.
fn add_problems(operation: &mut Value) {
    let own: Vec<String> = operation["x-problems"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|code| Some(code.as_str()?.to_owned()))
        .collect();
    let tenant = operation["parameters"]
        .as_array()
        .is_some_and(|all| all.iter().any(|one| one["in"] == "path"));
    for code in Code::ALL {
        let here = EVERYWHERE.contains(code) || own.iter().any(|name| name == code.as_str());
        if !(here || tenant && *code == Code::NotFound) {
            continue;
        }
        let status = code.status().as_u16().to_string();
        let answer = &mut operation["responses"][&status];
        if answer.is_null() {
            *answer = json!({"description": "", "content": {"application/problem+json": {
                "schema": {"$ref": "#/components/schemas/Problem"}}}});
        }
        let line = format!("`{}`: {}", code.as_str(), code.title());
        let before = answer["description"].as_str().unwrap_or_default();
        answer["description"] = json!(if before.is_empty() {
            line
        } else {
            format!("{before}\n\n{line}")
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::PERMISSIONS;

    fn specification() -> Value {
        serde_json::from_str(&generate().unwrap().0).unwrap()
    }

    #[test]
    fn the_specification_is_the_committed_one() {
        insta::assert_json_snapshot!("openapi", specification());
    }

    #[test]
    fn every_operation_has_a_permission_its_problems_and_a_name() {
        let document = specification();
        let mut names = Vec::new();
        for (path, operations) in document["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                let permission = operation["security"][0]["token"][0].as_str();
                assert!(
                    permission.is_some_and(|word| PERMISSIONS.contains(&word)),
                    "{method} {path}: {permission:?}"
                );
                for status in ["401", "403", "500", "503"] {
                    assert!(
                        operation["responses"][status].is_object(),
                        "{method} {path}: {status}"
                    );
                }
                for code in operation["x-problems"].as_array().into_iter().flatten() {
                    let known = Code::ALL.iter().any(|known| known.as_str() == code);
                    assert!(known, "{method} {path}: no code {code}");
                }
                names.push(operation["operationId"].as_str().unwrap().to_owned());
            }
        }
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count, "two operations share a name");
    }
}
