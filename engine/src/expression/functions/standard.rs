//! CEL's standard functions: sizes, conversions, and tests on texts.

use super::super::{convert, error::Outcome, evaluate::Context};
use super::{Function, Value, global, length, method, text, wrong};

pub(super) const FUNCTIONS: &[Function] = &[
    global("size", 1, 1, size),
    method("size", 0, 0, size),
    global("int", 1, 1, |_, values| convert::int(&values[0])),
    global("uint", 1, 1, |_, values| convert::uint(&values[0])),
    global("double", 1, 1, |_, values| convert::double(&values[0])),
    global("bool", 1, 1, |_, values| convert::bool(&values[0])),
    global("string", 1, 1, |context, values| {
        convert::string(&values[0], context.budget)
    }),
    global("bytes", 1, 1, |context, values| {
        convert::bytes(&values[0], context.budget)
    }),
    global("timestamp", 1, 1, |_, values| convert::timestamp(&values[0])),
    global("duration", 1, 1, |_, values| convert::duration(&values[0])),
    global("dyn", 1, 1, |_, values| Ok(values[0].clone())),
    global("type", 1, 1, |_, values| Ok(Value::Type(values[0].kind()))),
    method("contains", 1, 1, |context, values| {
        test(context, values, "contains", |text, other| text.contains(other))
    }),
    method("startsWith", 1, 1, |context, values| {
        test(context, values, "startsWith", |text, other| {
            text.starts_with(other)
        })
    }),
    method("endsWith", 1, 1, |context, values| {
        test(context, values, "endsWith", |text, other| text.ends_with(other))
    }),
];

fn size(context: &mut Context<'_>, values: &[Value]) -> Outcome<Value> {
    Ok(length(match &values[0] {
        Value::String(text) => {
            context.budget.scan(text.len())?;
            text.chars().count()
        }
        Value::Bytes(bytes) => bytes.len(),
        Value::List(items) => items.len(),
        Value::Map(map) => map.len(),
        other => return Err(wrong("size", "a string, bytes, list or map", other)),
    }))
}

fn test(
    context: &mut Context<'_>,
    values: &[Value],
    name: &str,
    test: fn(&str, &str) -> bool,
) -> Outcome<Value> {
    let (subject, other) = (text(name, &values[0])?, text(name, &values[1])?);
    context.budget.scan(subject.len() + other.len())?;
    Ok(Value::Bool(test(subject, other)))
}
