//! Fields and elements: `a.b`, `a[0]`, `a.?b`, `has(a.b)`.

use super::{super::error::excerpt, Fault, Held, Key, Machine, Outcome, Scope, Value, no_key, print};
use std::sync::Arc;

/// How many names of a path the scope is asked for at once.
const ASKED: usize = 8;

impl<'a> Machine<'a> {
    pub(super) fn path<'v>(&mut self, names: &[Arc<str>]) -> Outcome<Held<'v>>
    where
        'a: 'v,
    {
        let mut asked = [""; ASKED];
        let count = names.len().min(ASKED);
        for (place, name) in asked.iter_mut().zip(names) {
            *place = name;
        }
        if let Some((value, covered)) = self.context.scope.borrow(&asked[..count]) {
            return follow(value, names.get(covered.max(1)..).unwrap_or_default());
        }
        let Some((value, covered)) = self.context.scope.path(&asked[..count]) else {
            return Err(Fault::new(format!(
                "no such name: {}",
                names.first().map_or("", AsRef::as_ref)
            )));
        };
        let rest = names.get(covered.max(1)..).unwrap_or_default();
        if rest.is_empty() {
            return Ok(Held::Owned(value));
        }
        follow(&value, rest).map(|found| Held::Owned(found.into_owned()))
    }
}

/// The value at a path that the scope holds as it is, if it is there.
pub(super) fn borrowed<'v>(scope: &'v dyn Scope, names: &[Arc<str>]) -> Option<&'v Value> {
    let mut asked = [""; ASKED];
    for (place, name) in asked.iter_mut().zip(names) {
        *place = name;
    }
    let (mut value, covered) = scope.borrow(&asked[..names.len().min(ASKED)])?;
    for name in names.get(covered.max(1)..).unwrap_or_default() {
        let Value::Map(map) = value else { return None };
        value = map.get_str(name)?;
    }
    Some(value)
}

/// The value below a value by names.
fn follow<'v>(value: &'v Value, names: &[Arc<str>]) -> Outcome<Held<'v>> {
    let mut current = Held::Borrowed(value);
    for name in names {
        current = select(current, name, false)?;
    }
    Ok(current)
}

/// A field, borrowed where the operand is.
pub(super) fn select<'v>(operand: Held<'v>, name: &str, optional: bool) -> Outcome<Held<'v>> {
    match operand {
        Held::Borrowed(value) if !optional => {
            if let Value::Map(map) = value {
                return map
                    .get_str(name)
                    .map(Held::Borrowed)
                    .ok_or_else(|| missing(value, name));
            }
            field(value, name, false).map(Held::Owned)
        }
        other => field(&other, name, optional).map(Held::Owned),
    }
}

/// An element, borrowed where the operand is.
pub(super) fn element<'v>(operand: &Held<'v>, index: &Value, optional: bool) -> Outcome<Held<'v>> {
    if let (Held::Borrowed(Value::List(items)), Value::Int(at), false) = (operand, index, optional)
        && let Some(item) = usize::try_from(*at).ok().and_then(|at| items.get(at))
    {
        return Ok(Held::Borrowed(item));
    }
    self::index(operand, index, optional).map(Held::Owned)
}

/// A field; behind an optional every field is optional.
fn field(operand: &Value, name: &str, optional: bool) -> Outcome<Value> {
    match operand {
        Value::Map(map) => match map.get_str(name) {
            Some(value) if optional => Ok(Value::some(value.clone())),
            Some(value) => Ok(value.clone()),
            None if optional => Ok(Value::Optional(None)),
            None => Err(missing(operand, name)),
        },
        Value::Optional(None) => Ok(Value::Optional(None)),
        Value::Optional(Some(inner)) if !matches!(**inner, Value::Optional(_)) => field(inner, name, true),
        other => Err(no_fields(other, name)),
    }
}

/// An element of a list or map; behind an optional every element is optional.
fn index(operand: &Value, index: &Value, optional: bool) -> Outcome<Value> {
    let found = match operand {
        Value::Optional(None) => return Ok(Value::Optional(None)),
        Value::Optional(Some(inner)) if !matches!(**inner, Value::Optional(_)) => {
            return self::index(inner, index, true);
        }
        Value::List(items) => position(index)?.and_then(|position| items.get(position)),
        Value::Map(map) => {
            if Key::from_value(index).is_none() && !matches!(index, Value::Double(_)) {
                return Err(no_key(index));
            }
            map.get(index)
        }
        other => {
            return Err(Fault::new(format!(
                "only lists and maps have elements, not {} {}",
                other.kind(),
                print::preview(other)
            )));
        }
    };
    match found {
        Some(value) if optional => Ok(Value::some(value.clone())),
        Some(value) => Ok(value.clone()),
        None if optional => Ok(Value::Optional(None)),
        None => Err(match (operand, index) {
            (Value::List(items), _) => Fault::new(format!(
                "no element {} in a list of {}",
                print::preview(index),
                items.len()
            )),
            (_, Value::String(name)) => missing(operand, name),
            _ => missing(operand, &print::preview(index)),
        }),
    }
}

pub(super) fn has(operand: &Value, name: &str) -> Outcome<bool> {
    match operand {
        Value::Map(map) => Ok(map.get_str(name).is_some()),
        Value::Optional(None) => Ok(false),
        Value::Optional(Some(inner)) => has(inner, name),
        other => Err(no_fields(other, name)),
    }
}

/// The position that an index means; nothing if it is before the start.
fn position(index: &Value) -> Outcome<Option<usize>> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole and checked to be in range"
    )]
    let position = match index {
        Value::Int(number) => usize::try_from(*number).ok(),
        Value::Uint(number) => usize::try_from(*number).ok(),
        Value::Double(number) if number.fract() == 0.0 && number.abs() < 9e15 => {
            (*number >= 0.0).then_some(*number as usize)
        }
        other => {
            return Err(Fault::new(format!(
                "the index of a list is an int, not {} {}",
                other.kind(),
                print::preview(other)
            )));
        }
    };
    Ok(position)
}

fn missing(operand: &Value, name: &str) -> Fault {
    let Value::Map(map) = operand else {
        return Fault::new(format!("no such key: {name}"));
    };
    let mut known = String::new();
    for (key, _) in map.iter().take(20) {
        if !known.is_empty() {
            known.push_str(", ");
        }
        known.push_str(&key.to_string());
    }
    let known = if map.is_empty() {
        "the map is empty".to_owned()
    } else {
        format!("there are {}", excerpt(&known))
    };
    Fault::new(format!("no such key: {name} ({known})"))
}

fn no_fields(value: &Value, name: &str) -> Fault {
    let hint = match value {
        Value::List(_) => format!("; of its elements, write x[0], or x.map(item, item.{name})"),
        _ => String::new(),
    };
    Fault::new(format!(
        "no field {name} in {} {}{hint}",
        value.kind(),
        print::preview(value)
    ))
}
