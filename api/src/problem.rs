//! Errors as people and programs read them: RFC 9457 problem documents with a stable code.
//!
//! A handler returns a [`Problem`]; the outermost layer ([`crate::http::observe`]) writes it down, because only it
//! knows the request's id. What an inner failure was stands in the log and never in the answer.

mod advice;
mod code;

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use flowpilot_engine::problem::{Problem as Finding, Severity};
use serde::Serialize;
use serde_json::{Map, Value};

pub use advice::advice;
pub use code::Code;

/// Findings in one answer: nobody reads more, and a hostile manifest could have many.
const FINDINGS: usize = 200;

/// Why a request was not done.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The stable word.
    pub code: Code,
    /// What happened, in one sentence for people.
    pub detail: String,
    /// What is wrong with the body, each with its place.
    pub errors: Vec<Detail>,
    /// Members that only this code has. Boxed: most have none, and every handler's result carries the room for it.
    pub more: Box<Map<String, Value>>,
    /// Seconds after which another attempt makes sense.
    pub retry_after: Option<u32>,
}

/// One thing that is wrong with a body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Detail {
    /// JSON pointer (RFC 6901) to the place.
    pub pointer: String,
    /// Stable word for the cause.
    pub code: String,
    /// What is wrong and what to do.
    pub detail: String,
    /// What was probably meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
}

/// A problem document as it is sent: RFC 9457.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Problem)]
pub struct Document {
    /// `/problems/<code>`.
    #[serde(rename = "type")]
    pub type_: String,
    /// What the code means.
    pub title: String,
    /// The status of the answer.
    pub status: u16,
    /// Stable word for the cause.
    pub code: String,
    /// What happened here.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// Id of the request, as it stands in the logs.
    pub request_id: String,
    /// What is wrong with the body.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Detail>,
    /// Members that only this code has.
    #[serde(flatten)]
    #[schema(ignore)]
    pub more: Map<String, Value>,
}

impl Problem {
    /// A problem with its sentence.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            more: Box::default(),
            retry_after: None,
        }
    }

    /// Absent or invisible: always the same answer.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(Code::NotFound, "")
    }

    /// A failure that the caller can do nothing about; the cause goes to the log.
    #[must_use]
    pub fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error = chain(error), "failed to serve a request");
        Self::new(Code::Internal, "")
    }

    /// Something below is away; the cause goes to the log.
    #[must_use]
    pub fn unavailable(detail: &str, error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::warn!(error = chain(error), "failed to serve a request: {detail}");
        Self::new(Code::Unavailable, detail).retry_after(2)
    }

    /// With the compiler's findings; warnings are left out.
    #[must_use]
    pub fn findings(mut self, findings: &[Finding]) -> Self {
        let errors = findings
            .iter()
            .filter(|finding| finding.severity == Severity::Error);
        self.errors.extend(errors.take(FINDINGS).map(Detail::from));
        self
    }

    /// With one thing that is wrong with the body.
    #[must_use]
    pub fn error(mut self, pointer: impl Into<String>, code: &str, detail: impl Into<String>) -> Self {
        let (pointer, detail) = (pointer.into(), detail.into());
        self.errors.push(Detail {
            pointer,
            code: code.to_owned(),
            detail,
            suggestion: None,
        });
        self
    }

    /// With a member that only this code has.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    /// With the time after which another attempt makes sense.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The answer, for a request of this id.
    #[must_use]
    pub fn render(self, request_id: &str) -> Response {
        let status = self.code.status();
        let document = Document {
            type_: format!("/problems/{}", self.code.as_str()),
            title: self.code.title().to_owned(),
            status: status.as_u16(),
            code: self.code.as_str().to_owned(),
            detail: self.detail,
            request_id: request_id.to_owned(),
            errors: self.errors,
            more: *self.more,
        };
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.code == Code::Unauthenticated {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"flowpilot\""),
            );
        }
        response
    }
}

impl From<&Finding> for Detail {
    fn from(finding: &Finding) -> Self {
        Self {
            pointer: finding.pointer(),
            code: finding.code.clone(),
            detail: finding.sentence(),
            suggestion: finding.suggestion.clone(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.code.status();
        response.extensions_mut().insert(self);
        response
    }
}

/// An error and everything behind it, on one line.
#[must_use]
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut inner = error.source();
    while let Some(error) = inner {
        text.push_str(": ");
        text.push_str(&error.to_string());
        inner = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_problem_carries_code_request_and_places() {
        let finding = Finding::error("UnknownStep", "spec.steps[3].needs[0]", "no step `chrage`")
            .suggesting(Some("charge".to_owned()));
        let warning = Finding::warning("X", "spec", "odd");
        let problem = Problem::new(Code::InvalidWorkflow, "").findings(&[finding, warning]);
        let response = problem.render("abc-12345");
        assert_eq!(response.status(), 422);
        let body = axum::body::to_bytes(response.into_body(), 4096).await.unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        let wanted = serde_json::json!({"type": "/problems/InvalidWorkflow", "title": "The workflow does not compile",
            "status": 422, "code": "InvalidWorkflow", "requestId": "abc-12345", "errors": [{"code": "UnknownStep",
            "pointer": "/spec/steps/3/needs/0", "detail": "no step `chrage`", "suggestion": "charge"}]});
        assert_eq!(body, wanted);
    }
}
