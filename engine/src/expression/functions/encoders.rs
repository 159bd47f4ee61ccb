//! Base64, JSON and SHA-256.

use super::super::{
    error::{Fault, Outcome},
    evaluate::Context,
    print,
};
use super::{Function, Value, global, text, wrong};
use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

pub(super) const FUNCTIONS: &[Function] = &[
    global("base64.encode", 1, 1, encode),
    global("base64.decode", 1, 1, decode),
    global("json.parse", 1, 1, parse),
    global("json.print", 1, 1, |context, values| {
        print::json(&values[0], context.budget).map(Value::from)
    }),
    global("hash.sha256", 1, 1, sha256),
];

/// Decodes with padding or without, as others write it.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

fn encode(context: &mut Context<'_>, values: &[Value]) -> Outcome<Value> {
    let Value::Bytes(bytes) = &values[0] else {
        return Err(wrong(
            "base64.encode",
            "bytes (write bytes(x) for a text)",
            &values[0],
        ));
    };
    context.budget.allocate(bytes.len() / 3 * 4 + 4)?;
    Ok(Value::from(STANDARD.encode(bytes)))
}

fn decode(context: &mut Context<'_>, values: &[Value]) -> Outcome<Value> {
    let text = text("base64.decode", &values[0])?;
    context.budget.allocate(text.len())?;
    // Long ones are often written over several lines.
    let lines = text
        .contains(['\r', '\n'])
        .then(|| text.replace(['\r', '\n'], ""));
    let text = lines.as_deref().unwrap_or(text);
    if text.ends_with('=') && !text.len().is_multiple_of(4) {
        return Err(Fault::new("not base64: the padding is not complete"));
    }
    LENIENT
        .decode(text)
        .map(|bytes| Value::Bytes(Arc::from(bytes)))
        .map_err(|error| Fault::new(format!("not base64: {error}")))
}

fn parse(context: &mut Context<'_>, values: &[Value]) -> Outcome<Value> {
    let text = text("json.parse", &values[0])?;
    // A list of small numbers takes up to this many times its text: once as JSON, once as a value.
    context.budget.allocate(text.len().saturating_mul(8))?;
    serde_json::from_str(text)
        .map(|json| Value::from_json(&json))
        .map_err(|error| Fault::new(format!("not JSON: {error}, in {}", print::preview(&values[0]))))
}

fn sha256(context: &mut Context<'_>, values: &[Value]) -> Outcome<Value> {
    let bytes = match &values[0] {
        Value::String(text) => text.as_bytes(),
        Value::Bytes(bytes) => bytes,
        other => return Err(wrong("hash.sha256", "a string or bytes", other)),
    };
    context.budget.scan(bytes.len())?;
    Ok(Value::from(hex::encode(Sha256::digest(bytes))))
}
