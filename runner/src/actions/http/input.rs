//! From `with` to a request, everything checked before anything leaves.

use bytes::Bytes;
use flowpilot_engine::journal::StepError;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;
use url::form_urlencoded::Serializer;

use super::super::failure::{invalid_input, limit_exceeded};

/// The largest response, and the limit where `maxBytes` is not given: what a step's output may have.
pub(super) const MAX_BYTES: u64 = 1024 * 1024;
/// The largest request. What a workflow sends it has in its values, which are smaller.
const MAX_REQUEST_BYTES: usize = 8 * 1024 * 1024;
/// The longest URL; servers refuse longer ones.
const MAX_URL: usize = 8 * 1024;
/// Redirects that are followed where `followRedirects` is not given.
const DEFAULT_REDIRECTS: u8 = 5;
/// The most redirects anybody can ask for.
const MAX_REDIRECTS: u8 = 10;
/// Headers that belong to the connection, or that would say something else than the URL.
const RESERVED: [&str; 10] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Input {
    #[serde(default)]
    method: Verb,
    url: String,
    #[serde(default)]
    headers: Map<String, Value>,
    #[serde(default)]
    query: Map<String, Value>,
    #[serde(default, deserialize_with = "present")]
    json: Option<Value>,
    text: Option<String>,
    form: Option<Map<String, Value>>,
    #[serde(default)]
    expect: Expect,
    #[serde(default)]
    parse: Parse,
    max_bytes: Option<u64>,
    follow_redirects: Option<u8>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Verb {
    #[default]
    Get,
    Head,
    Options,
    Post,
    Put,
    Patch,
    Delete,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    status: Option<Value>,
}

/// How the body of the answer becomes a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Parse {
    /// By its content type.
    #[default]
    Auto,
    /// As JSON, whatever its content type.
    Json,
    /// As text, by its charset.
    Text,
    /// Not at all: it is not even read.
    None,
}

/// `"json": null` is a body, and no `json` is none.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// A request that can be sent.
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Bytes>,
    pub(super) expected: Expected,
    pub(super) parse: Parse,
    pub(super) max_bytes: u64,
    pub(super) follow: u8,
}

/// Statuses that are a success.
pub(super) enum Expected {
    /// All that begin with this digit.
    Class(u16),
    /// These.
    Listed(Vec<u16>),
}

impl Request {
    pub(super) fn new(input: Input, idempotency_key: &str, epoch: i32) -> Result<Self, StepError> {
        let method = input.method.method();
        let url = url(&input.url, &input.query)?;
        let mut headers = headers(&input.headers)?;
        let body = body(input.json, input.text, input.form, &mut headers)?;
        if body.is_some() && matches!(method, Method::GET | Method::HEAD) {
            return Err(invalid_input(format!(
                "with: a {method} request has no body: remove json, text and form, or write another method"
            )));
        }
        if !matches!(method, Method::GET | Method::HEAD | Method::OPTIONS) {
            let key = HeaderValue::from_str(idempotency_key)
                .map_err(|_| invalid_input("the step's path is no header"))?;
            headers.entry("idempotency-key").or_insert(key);
            headers.insert("x-run-epoch", HeaderValue::from(epoch));
        }
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
        let max_bytes = input.max_bytes.unwrap_or(MAX_BYTES);
        let follow = input.follow_redirects.unwrap_or(DEFAULT_REDIRECTS);
        if max_bytes > MAX_BYTES {
            return Err(invalid_input(format!("with.maxBytes: at most {MAX_BYTES}")));
        }
        if follow > MAX_REDIRECTS {
            return Err(invalid_input(format!(
                "with.followRedirects: at most {MAX_REDIRECTS}"
            )));
        }
        let expected = expected(input.expect.status)?;
        Ok(Self {
            method,
            url,
            headers,
            body,
            expected,
            parse: input.parse,
            max_bytes,
            follow,
        })
    }

    /// Whether this status is a success.
    pub(super) fn expects(&self, status: StatusCode) -> bool {
        match &self.expected {
            Expected::Class(class) => status.as_u16() / 100 == *class,
            Expected::Listed(statuses) => statuses.contains(&status.as_u16()),
        }
    }
}

impl Verb {
    fn method(self) -> Method {
        match self {
            Self::Get => Method::GET,
            Self::Head => Method::HEAD,
            Self::Options => Method::OPTIONS,
            Self::Post => Method::POST,
            Self::Put => Method::PUT,
            Self::Patch => Method::PATCH,
            Self::Delete => Method::DELETE,
        }
    }
}

fn url(text: &str, query: &Map<String, Value>) -> Result<Url, StepError> {
    if text.len() > MAX_URL {
        return Err(limit_exceeded(format!("with.url: longer than {MAX_URL} bytes")));
    }
    let mut url =
        Url::parse(text).map_err(|error| invalid_input(format!("with.url: {error}, in `{text}`")))?;
    // It never leaves, and would only make two equal requests look different.
    url.set_fragment(None);
    if !query.is_empty() {
        let mut pairs = url.query_pairs_mut();
        for (name, value) in query {
            pairs.append_pair(name, &scalar(value, "query", name)?);
        }
    }
    Ok(url)
}

fn headers(given: &Map<String, Value>) -> Result<HeaderMap, StepError> {
    let mut headers = HeaderMap::with_capacity(given.len() + 4);
    for (name, value) in given {
        let place = format!("with.headers[{name:?}]");
        let Value::String(text) = value else {
            return Err(invalid_input(format!("{place}: must be a text")));
        };
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| invalid_input(format!("{place}: is no name of a header")))?;
        if RESERVED.contains(&name.as_str()) {
            return Err(invalid_input(format!(
                "{place}: is set by FlowPilot from the request itself: remove it"
            )));
        }
        let value = HeaderValue::from_str(text)
            .map_err(|_| invalid_input(format!("{place}: has characters that a header cannot carry")))?;
        headers.append(name, value);
    }
    Ok(headers)
}

fn body(
    json: Option<Value>,
    text: Option<String>,
    form: Option<Map<String, Value>>,
    headers: &mut HeaderMap,
) -> Result<Option<Bytes>, StepError> {
    let (body, kind) = match (json, text, form) {
        (None, None, None) => return Ok(None),
        (Some(json), None, None) => (json.to_string(), "application/json"),
        (None, Some(text), None) => (text, "text/plain; charset=utf-8"),
        (None, None, Some(form)) => {
            let mut pairs = Serializer::new(String::new());
            for (name, value) in &form {
                pairs.append_pair(name, &scalar(value, "form", name)?);
            }
            (pairs.finish(), "application/x-www-form-urlencoded")
        }
        _ => {
            return Err(invalid_input(
                "with: only one of json, text and form can be the body",
            ));
        }
    };
    if body.len() > MAX_REQUEST_BYTES {
        return Err(limit_exceeded(format!(
            "the body has {} bytes, at most {MAX_REQUEST_BYTES} are sent",
            body.len()
        )));
    }
    headers
        .entry(CONTENT_TYPE)
        .or_insert(HeaderValue::from_static(kind));
    Ok(Some(body.into()))
}

fn scalar(value: &Value, field: &str, name: &str) -> Result<String, StepError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => Err(invalid_input(format!(
            "with.{field}[{name:?}]: must be a text, a number or a boolean"
        ))),
    }
}

fn expected(status: Option<Value>) -> Result<Expected, StepError> {
    let wrong =
        || invalid_input("with.expect.status: write a class such as `2xx`, or a list such as [200, 404]");
    match status {
        None => Ok(Expected::Class(2)),
        Some(Value::String(class)) => match class.as_bytes() {
            [digit @ b'1'..=b'5', b'x', b'x'] => Ok(Expected::Class(u16::from(digit - b'0'))),
            _ => Err(wrong()),
        },
        Some(Value::Array(statuses)) if !statuses.is_empty() => {
            let status = |value: &Value| value.as_u64().and_then(|status| u16::try_from(status).ok());
            let listed = statuses
                .iter()
                .map(|value| status(value).filter(|status| (100..600).contains(status)));
            listed
                .collect::<Option<_>>()
                .map(Expected::Listed)
                .ok_or_else(wrong)
        }
        Some(_) => Err(wrong()),
    }
}
