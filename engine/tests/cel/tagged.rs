//! Values in JSON that keeps their type, and gives the same text for equal values. `reference/value.go` writes the
//! same.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flowpilot_engine::expression::{Key, Map, Value};
use jiff::SignedDuration;
use serde_json::{Value as Json, json};
use std::sync::Arc;

/// A value as tagged JSON.
pub(crate) fn encode(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => json!(value),
        Value::Int(value) => json!({"i": value.to_string()}),
        Value::Uint(value) => json!({"u": value.to_string()}),
        Value::Double(value) => json!({"d": double(*value)}),
        Value::String(text) => json!(text.as_ref()),
        Value::Bytes(bytes) => json!({"b": STANDARD.encode(bytes)}),
        Value::List(items) => Json::Array(items.iter().map(encode).collect()),
        Value::Map(map) => {
            let mut pairs: Vec<_> = map
                .iter()
                .map(|(key, value)| (encode(&key.to_value()), encode(value)))
                .collect();
            pairs.sort_by_cached_key(|(key, _)| key.to_string());
            json!({"m": pairs})
        }
        Value::Timestamp(time) => json!({"t": time.to_string()}),
        Value::Duration(span) => json!({"n": span.as_nanos().to_string()}),
        Value::Type(kind) => json!({"type": kind.name()}),
        Value::Optional(None) => json!({"o": []}),
        Value::Optional(Some(inner)) => json!({"o": [encode(inner)]}),
    }
}

fn double(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
    } else {
        format!("{:016x}", value.to_bits())
    }
}

/// A value from tagged JSON, as far as the data has such.
pub(crate) fn decode(json: &Json) -> Value {
    let text = |tag: &str| json.get(tag).and_then(Json::as_str);
    if let Some(number) = text("i") {
        return Value::Int(number.parse().unwrap());
    }
    if let Some(number) = text("u") {
        return Value::Uint(number.parse().unwrap());
    }
    if let Some(bits) = text("d") {
        return Value::Double(match bits {
            "NaN" => f64::NAN,
            "Infinity" => f64::INFINITY,
            "-Infinity" => f64::NEG_INFINITY,
            bits => f64::from_bits(u64::from_str_radix(bits, 16).unwrap()),
        });
    }
    if let Some(bytes) = text("b") {
        return Value::Bytes(Arc::from(STANDARD.decode(bytes).unwrap()));
    }
    if let Some(time) = text("t") {
        return Value::Timestamp(time.parse().unwrap());
    }
    if let Some(nanoseconds) = text("n") {
        return Value::Duration(SignedDuration::from_nanos_i128(nanoseconds.parse().unwrap()));
    }
    if let Some(pairs) = json.get("m").and_then(Json::as_array) {
        let pairs = pairs.iter().map(|pair| {
            let key = Key::from_value(&decode(&pair[0])).unwrap();
            (key, decode(&pair[1]))
        });
        return Value::Map(Arc::new(Map::new(pairs.collect()).unwrap()));
    }
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => Value::from(items.iter().map(decode).collect::<Vec<_>>()),
        other => panic!("no value is written {other}"),
    }
}
