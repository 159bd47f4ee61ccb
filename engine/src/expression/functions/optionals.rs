//! Optionals. `or`, `orValue`, `optMap` and `optFlatMap` are syntax: they evaluate their right side only if it is
//! needed.

use super::super::{
    error::{Fault, Outcome},
    evaluate::Context,
};
use super::{Function, Value, global, list, method, wrong};
use std::sync::Arc;

pub(super) const FUNCTIONS: &[Function] = &[
    global("optional.of", 1, 1, |_, values| {
        Ok(Value::some(values[0].clone()))
    }),
    global("optional.none", 0, 0, |_, _| Ok(Value::Optional(None))),
    global("optional.ofNonZeroValue", 1, 1, |_, values| {
        Ok(if is_zero(&values[0]) {
            Value::Optional(None)
        } else {
            Value::some(values[0].clone())
        })
    }),
    method("hasValue", 0, 0, |_, values| {
        Ok(Value::Bool(inner("hasValue", &values[0])?.is_some()))
    }),
    method("value", 0, 0, |_, values| {
        inner("value", &values[0])?.as_deref().cloned().ok_or_else(|| {
            Fault::new("the optional is empty: write .orValue(…) to say what stands in for it")
        })
    }),
    global("optional.unwrap", 1, 1, unwrap),
    method("unwrapOpt", 0, 0, unwrap),
    // These two are parsed as syntax; they stand here for their arity and for suggestions.
    method("or", 1, 1, |_, values| Ok(values[0].clone())),
    method("orValue", 1, 1, |_, values| Ok(values[0].clone())),
];

fn inner<'a>(name: &str, value: &'a Value) -> Outcome<&'a Option<Arc<Value>>> {
    if let Value::Optional(inner) = value {
        Ok(inner)
    } else {
        Err(wrong(name, "an optional", value))
    }
}

/// The values of a list of optionals, without the empty ones.
fn unwrap(context: &mut Context<'_>, values: &[Value]) -> Outcome<Value> {
    let mut out = Vec::new();
    for item in list("unwrapOpt", &values[0])? {
        context.budget.step(1)?;
        if let Some(value) = inner("unwrapOpt", item)? {
            context.budget.allocate_entries(1)?;
            out.push(value.as_ref().clone());
        }
    }
    Ok(Value::from(out))
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Int(value) => *value == 0,
        Value::Uint(value) => *value == 0,
        Value::Double(value) => *value == 0.0,
        Value::String(text) => text.is_empty(),
        Value::Bytes(bytes) => bytes.is_empty(),
        Value::List(items) => items.is_empty(),
        Value::Map(map) => map.is_empty(),
        Value::Duration(span) => span.is_zero(),
        Value::Timestamp(_) | Value::Type(_) | Value::Optional(_) => false,
    }
}
