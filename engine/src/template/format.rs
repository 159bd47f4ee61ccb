//! How a value is written into a text: the same as in `$( … )`.

use std::borrow::Cow;

use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Error, ErrorKind, Output, State, Value, escape_formatter};

use super::meter;
use crate::expression;

/// Writes a value where the template prints one.
pub(super) fn write(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    // The missing `else` of `a if b`.
    if value.is_undefined() {
        return Ok(());
    }
    if value.as_object().is_some() {
        meter::pay(state, value)?;
    }
    match state.auto_escape() {
        AutoEscape::Html if !value.is_safe() => {
            let text = Value::from(text(value)?.into_owned());
            escape_formatter(out, state, &text)
        }
        AutoEscape::Json if !value.is_safe() => Ok(out.write_str(&json(value)?)?),
        _ => Ok(out.write_str(&text(value)?)?),
    }
}

/// A value as text: numbers and booleans as in expressions, lists and maps as compact JSON.
pub(super) fn text(value: &Value) -> Result<Cow<'_, str>, Error> {
    let wrong = |message: &str| Err(Error::new(ErrorKind::InvalidOperation, message.to_owned()));
    if let Some(text) = value.as_str() {
        return Ok(Cow::Borrowed(text));
    }
    match value.kind() {
        ValueKind::None => {
            wrong("null cannot stand in a text (for what may be null write `or \"…\"` behind it)")
        }
        ValueKind::Number if !value.is_integer() => {
            let number = f64::try_from(value.clone())?;
            let text = expression::Value::Double(number).to_text();
            text.map(Cow::Owned)
                .map_err(|error| Error::new(ErrorKind::InvalidOperation, error.message))
        }
        ValueKind::Bool => Ok(Cow::Borrowed(if value.is_true() { "true" } else { "false" })),
        ValueKind::Number => Ok(Cow::Owned(value.to_string())),
        ValueKind::Seq | ValueKind::Map | ValueKind::Iterable => json(value).map(Cow::Owned),
        _ => wrong("this cannot stand in a text"),
    }
}

/// A value as compact JSON.
pub(super) fn json(value: &Value) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| {
        Error::new(ErrorKind::BadSerialization, "this has no form in JSON").with_source(error)
    })
}
