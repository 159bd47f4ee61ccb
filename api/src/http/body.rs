//! Bodies: read up to their limit, by the parser that `Content-Type` names, into a type that knows all its fields.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::strict_json;
use crate::problem::{Code, Problem};

/// A request body of people: nothing they send is larger.
pub const BODY: usize = 1024 * 1024;
/// A workflow: what etcd and the compiler are asked to carry.
pub const WORKFLOW: usize = 512 * 1024;
/// A commit of a runner.
pub const COMMIT: usize = flowpilot_engine::protocol::runner::COMMIT_BYTES;

/// A JSON body of at most `LIMIT` bytes. Which fields it may have is the type's word: `deny_unknown_fields` or not.
#[derive(Debug)]
pub struct Json<T, const LIMIT: usize = BODY>(pub T, pub Bytes);

impl<T: DeserializeOwned, S: Send + Sync, const LIMIT: usize> FromRequest<S> for Json<T, LIMIT> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        match kind_of(&parts.headers)? {
            Kind::Json => {}
            Kind::Yaml => return Err(wrong_type("application/json")),
        }
        let bytes = read(&parts.headers, body, LIMIT).await?;
        let value =
            strict_json::parse(&bytes).map_err(|error| Problem::new(Code::MalformedRequest, error))?;
        Ok(Self(shape(value)?, bytes))
    }
}

/// A Workflow as JSON or YAML.
#[derive(Debug)]
pub struct WorkflowBody(pub Value);

impl<S: Send + Sync> FromRequest<S> for WorkflowBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let kind = kind_of(&parts.headers)?;
        let bytes = read(&parts.headers, body, WORKFLOW).await?;
        let value = match kind {
            Kind::Json => {
                strict_json::parse(&bytes).map_err(|error| Problem::new(Code::MalformedRequest, error))?
            }
            Kind::Yaml => yaml(&bytes)?,
        };
        if value.is_object() {
            Ok(Self(value))
        } else {
            Err(Problem::new(Code::MalformedRequest, "a Workflow is an object"))
        }
    }
}

fn yaml(bytes: &[u8]) -> Result<Value, Problem> {
    let mut documents = flowpilot_engine::manifest::parse(bytes).map_err(|errors| {
        let first = errors.first().map_or_else(String::new, ToString::to_string);
        Problem::new(Code::MalformedRequest, first)
    })?;
    match (documents.pop(), documents.is_empty()) {
        (Some(document), true) => Ok(document.object),
        _ => Err(Problem::new(
            Code::MalformedRequest,
            "the body must be one YAML document",
        )),
    }
}

/// JSON into its type; an unknown field has a code of its own.
pub fn shape<T: DeserializeOwned>(value: Value) -> Result<T, Problem> {
    if !value.is_object() {
        // A list would be taken for the fields in their order.
        return Err(Problem::new(
            Code::MalformedRequest,
            "the body must be a JSON object",
        ));
    }
    T::deserialize(value).map_err(|error| {
        let text = error.to_string();
        let unknown = text
            .strip_prefix("unknown field `")
            .and_then(|rest| rest.split_once('`'));
        match unknown {
            Some((field, _)) => Problem::new(Code::UnknownField, text.clone()).error(
                format!("/{field}"),
                Code::UnknownField.as_str(),
                text.clone(),
            ),
            None => Problem::new(Code::MalformedRequest, text),
        }
    })
}

enum Kind {
    Json,
    Yaml,
}

fn kind_of(headers: &HeaderMap) -> Result<Kind, Problem> {
    let value = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    match value
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
        .as_str()
    {
        "application/json" => Ok(Kind::Json),
        "application/yaml" | "application/x-yaml" | "text/yaml" => Ok(Kind::Yaml),
        _ => Err(wrong_type("application/json")),
    }
}

fn wrong_type(wanted: &str) -> Problem {
    Problem::new(
        Code::UnsupportedMediaType,
        format!("send the body with `Content-Type: {wanted}`"),
    )
}

async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Problem> {
    let too_large = || {
        Problem::new(
            Code::PayloadTooLarge,
            format!("a body of this operation has at most {limit} bytes"),
        )
    };
    let length = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse().ok());
    if length.is_some_and(|length: usize| length > limit) {
        return Err(too_large());
    }
    to_bytes(body, limit).await.map_err(|error| {
        let full =
            std::error::Error::source(&error).is_some_and(|cause| cause.to_string().contains("length limit"));
        if full {
            too_large()
        } else {
            Problem::new(Code::MalformedRequest, "the body ended before its time")
        }
    })
}

/// An answer as JSON, with a status and headers.
#[derive(Debug)]
pub struct Reply<T> {
    status: StatusCode,
    headers: HeaderMap,
    body: T,
}

impl<T: Serialize> Reply<T> {
    /// 200.
    pub fn ok(body: T) -> Self {
        Self {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body,
        }
    }

    /// 201 with the address of what was made.
    pub fn created(location: &str, body: T) -> Self {
        Self {
            status: StatusCode::CREATED,
            ..Self::ok(body)
        }
        .header(header::LOCATION, location)
    }

    /// With a header; a value that cannot stand in one is left out.
    #[must_use]
    pub fn header(mut self, name: header::HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }
}

impl<T: Serialize> IntoResponse for Reply<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.body) {
            Ok(bytes) => {
                let mut response = (self.status, self.headers, bytes).into_response();
                response
                    .headers_mut()
                    .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
                response
            }
            Err(error) => Problem::internal(&error).into_response(),
        }
    }
}

/// A JSON body as it came, for those who read it themselves.
#[derive(Debug)]
pub struct Raw<const LIMIT: usize>(pub Bytes);

impl<S: Send + Sync, const LIMIT: usize> FromRequest<S> for Raw<LIMIT> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        match kind_of(&parts.headers)? {
            Kind::Json => Ok(Self(read(&parts.headers, body, LIMIT).await?)),
            Kind::Yaml => Err(wrong_type("application/json")),
        }
    }
}
