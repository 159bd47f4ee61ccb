//! From an answer to the output of the step.

use encoding_rs::{Encoding, UTF_8};
use flowpilot_engine::journal::StepError;
use reqwest::header::{CONTENT_TYPE, HeaderMap, SET_COOKIE};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Map, Value, json};

use super::super::failure::{failure, limit_exceeded};
use super::input::{Parse, Request};
use super::outcome::causes;

/// `status`, `headers` and, unless `parse` is `none`, `body`.
pub(super) async fn output(response: Response, request: &Request) -> Result<Value, StepError> {
    let status = response.status();
    let mut output = Map::new();
    output.insert("status".to_owned(), json!(status.as_u16()));
    output.insert("headers".to_owned(), Value::Object(headers(response.headers())));
    if request.parse == Parse::None {
        return Ok(Value::Object(output));
    }
    let media = Media::of(response.headers());
    let bytes = read(response, request.max_bytes).await?;
    let nothing = bytes.is_empty() && (request.method == Method::HEAD || status == StatusCode::NO_CONTENT);
    let json = match request.parse {
        Parse::Json => !nothing,
        // A JSON type on an empty body is a habit of servers and no JSON.
        Parse::Auto => media.json && !bytes.is_empty(),
        Parse::Text | Parse::None => false,
    };
    let body = if json {
        serde_json::from_slice(&bytes).map_err(|error| not_json(&error, request.parse))?
    } else if nothing {
        Value::Null
    } else {
        Value::String(media.decode(&bytes))
    };
    output.insert("body".to_owned(), body);
    Ok(Value::Object(output))
}

/// The beginning of a body, for an error. Whatever cannot be read is left out.
pub(super) async fn excerpt(mut response: Response, bytes: usize) -> String {
    let media = Media::of(response.headers());
    let mut body = Vec::new();
    while body.len() < bytes {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk[..chunk.len().min(bytes - body.len())]),
            Ok(None) | Err(_) => break,
        }
    }
    media.decode(&body)
}

async fn read(mut response: Response, limit: u64) -> Result<Vec<u8>, StepError> {
    let too_large = || limit_exceeded(format!("the answer has more than {limit} bytes (maxBytes)"));
    // The length may be that of a compressed body; what it grows to is counted below.
    let length = response.content_length().unwrap_or(0);
    if length > limit {
        return Err(too_large());
    }
    let mut body = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if (body.len() + chunk.len()) as u64 > limit => return Err(too_large()),
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body),
            Err(error) => {
                let message = format!(
                    "the answer broke off after {} bytes: {}",
                    body.len(),
                    causes(&error)
                );
                return Err(failure("Unavailable", message));
            }
        }
    }
}

/// Names in lower case; values of the same name joined. Cookies stay out: they are credentials, and the output
/// stands in the history of the run.
fn headers(given: &HeaderMap) -> Map<String, Value> {
    let mut headers = Map::with_capacity(given.keys_len());
    for name in given.keys().filter(|name| *name != SET_COOKIE) {
        let values = given
            .get_all(name)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()));
        let joined = values.collect::<Vec<_>>().join(", ");
        headers.insert(name.as_str().to_owned(), Value::String(joined));
    }
    headers
}

fn not_json(error: &serde_json::Error, parse: Parse) -> StepError {
    let remedy = match parse {
        Parse::Auto => "; its content type says JSON: write `parse: text` to take it as it is",
        _ => "",
    };
    let message = format!("the answer is no JSON: {error}{remedy}");
    StepError {
        retryable: Some(false),
        ..failure("InvalidOutput", message)
    }
}

/// What the content type says.
struct Media {
    json: bool,
    charset: &'static Encoding,
}

impl Media {
    fn of(headers: &HeaderMap) -> Self {
        let text = headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let text = text.to_ascii_lowercase();
        let mut parts = text.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default();
        let charset = parts.find_map(|part| part.strip_prefix("charset="));
        let charset = charset.and_then(|label| Encoding::for_label(label.trim_matches('"').as_bytes()));
        Self {
            json: kind == "application/json" || kind.ends_with("+json"),
            charset: charset.unwrap_or(UTF_8),
        }
    }

    /// A byte-order mark wins over the charset, as in browsers; what cannot be decoded becomes U+FFFD.
    fn decode(&self, bytes: &[u8]) -> String {
        self.charset.decode(bytes).0.into_owned()
    }
}
