//! Lists: cel-go's `lists` extension and Kubernetes' list library.

use super::super::{
    Key, arithmetic,
    ast::Arithmetic,
    compare,
    error::{Fault, Outcome},
    evaluate::{Context, sorted_positions},
    print,
};
use super::{Function, Value, count, global, length, list, method, strings, wrong};
use std::{cmp::Ordering, collections::BTreeSet};

/// How deep `flatten()` goes when it is asked for more than the values can nest anyway.
const FLATTEN_DEPTH: usize = 64;

pub(super) const FUNCTIONS: &[Function] = &[
    global("lists.range", 1, 1, range),
    method("slice", 2, 2, slice),
    method("flatten", 0, 1, flatten),
    method("distinct", 0, 0, distinct),
    method("sort", 0, 0, sort),
    method("first", 0, 0, |_, values| {
        Ok(optional(list("first", &values[0])?.first()))
    }),
    method("last", 0, 0, |_, values| {
        Ok(optional(list("last", &values[0])?.last()))
    }),
    method("sum", 0, 0, sum),
    method("min", 0, 0, |context, values| {
        extreme(context, &values[0], "min", Ordering::Less)
    }),
    method("max", 0, 0, |context, values| {
        extreme(context, &values[0], "max", Ordering::Greater)
    }),
    method("isSorted", 0, 0, is_sorted),
    method("reverse", 0, 0, reverse),
    method("indexOf", 1, 2, |context, values| {
        index_of(context, values, false)
    }),
    method("lastIndexOf", 1, 2, |context, values| {
        index_of(context, values, true)
    }),
];

fn optional(value: Option<&Value>) -> Value {
    value.map_or(Value::Optional(None), |value| Value::some(value.clone()))
}

fn range(context: &mut Context<'_>, values: &[Value]) -> Outcome<Value> {
    let end = count("lists.range", &values[0])?;
    context.budget.allocate_entries(end)?;
    Ok(Value::from((0..end).map(length).collect::<Vec<_>>()))
}

fn slice(context: &mut Context<'_>, values: &[Value]) -> Outcome<Value> {
    let items = list("slice", &values[0])?;
    let (start, end) = (count("slice", &values[1])?, count("slice", &values[2])?);
    let part = items.get(start..end).ok_or_else(|| {
        Fault::new(format!(
            "slice({start}, {end}) is outside a list of {}",
            items.len()
        ))
    })?;
    context.budget.allocate_entries(part.len())?;
    Ok(Value::from(part.to_vec()))
}

fn flatten(context: &mut Context<'_>, values: &[Value]) -> Outcome<Value> {
    let items = list("flatten", &values[0])?;
    let depth = values.get(1).map_or(Ok(1), |depth| count("flatten", depth))?;
    let mut out = Vec::new();
    flatten_into(context, items, depth.min(FLATTEN_DEPTH), &mut out)?;
    Ok(Value::from(out))
}

fn flatten_into(
    context: &mut Context<'_>,
    items: &[Value],
    depth: usize,
    out: &mut Vec<Value>,
) -> Outcome<()> {
    for item in items {
        match item {
            Value::List(inner) if depth > 0 => {
                context.budget.step(1)?;
                flatten_into(context, inner, depth - 1, out)?;
            }
            other => {
                context.budget.allocate_entries(1)?;
                out.push(other.clone());
            }
        }
    }
    Ok(())
}

/// Texts and whole numbers are looked up; only other values are compared with each other.
fn distinct(context: &mut Context<'_>, values: &[Value]) -> Outcome<Value> {
    let items = list("distinct", &values[0])?;
    let mut seen: BTreeSet<Key> = BTreeSet::new();
    let mut others: Vec<&Value> = Vec::new();
    let mut out = Vec::new();
    for item in items {
        context.budget.step(8)?;
        let fresh = if let Some(key) = Key::from_value(item) {
            let double = others
                .iter()
                .any(|other| matches!(other, Value::Double(_)) && *other == item);
            context.budget.step(others.len())?;
            !double && seen.insert(key)
        } else {
            let mut fresh =
                !matches!(item, Value::Double(_)) || whole_key(item).is_none_or(|key| !seen.contains(&key));
            for other in &others {
                context.budget.step(1)?;
                if !fresh || compare::equal(item, other, context.budget)? {
                    fresh = false;
                    break;
                }
            }
            if fresh {
                others.push(item);
            }
            fresh
        };
        if fresh {
            context.budget.allocate_entries(3)?;
            out.push(item.clone());
        }
    }
    Ok(Value::from(out))
}

/// The whole number that a double is equal to.
fn whole_key(value: &Value) -> Option<Key> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "whole, and checked to be in range"
    )]
    match value {
        Value::Double(number) if number.fract() == 0.0 && number.abs() < 9.2e18 => {
            Some(Key::Int(*number as i64))
        }
        _ => None,
    }
}

fn sort(context: &mut Context<'_>, values: &[Value]) -> Outcome<Value> {
    let items = list("sort", &values[0])?;
    let order = sorted_positions(items, context.budget)?;
    context.budget.allocate_entries(items.len())?;
    Ok(Value::from(
        order
            .into_iter()
            .filter_map(|at| items.get(at).cloned())
            .collect::<Vec<_>>(),
    ))
}

/// The sum of numbers or durations; 0 for an empty list.
fn sum(context: &mut Context<'_>, values: &[Value]) -> Outcome<Value> {
    let mut items = list("sum", &values[0])?.iter();
    let Some(first) = items.next() else {
        return Ok(Value::Int(0));
    };
    let summable = |value: &Value| match value {
        Value::Int(_) | Value::Uint(_) | Value::Double(_) | Value::Duration(_) => Ok(()),
        other => Err(wrong("sum", "numbers or durations", other)),
    };
    summable(first)?;
    let mut total = first.clone();
    for item in items {
        context.budget.step(1)?;
        summable(item)?;
        total = arithmetic::apply(Arithmetic::Add, &total, item, context.budget)?;
    }
    Ok(total)
}

fn extreme(context: &mut Context<'_>, value: &Value, name: &str, wanted: Ordering) -> Outcome<Value> {
    let items = list(name, value)?;
    let mut best = items
        .first()
        .ok_or_else(|| Fault::new(format!("{name} of an empty list")))?;
    for item in items.iter().skip(1) {
        context.budget.step(1)?;
        if compare::order(item, best, context.budget)? == Some(wanted) {
            best = item;
        }
    }
    Ok(best.clone())
}

fn is_sorted(context: &mut Context<'_>, values: &[Value]) -> Outcome<Value> {
    for pair in list("isSorted", &values[0])?.windows(2) {
        context.budget.step(1)?;
        if compare::order(&pair[0], &pair[1], context.budget)? == Some(Ordering::Greater) {
            return Ok(Value::Bool(false));
        }
    }
    Ok(Value::Bool(true))
}

/// Of a list or of a text.
fn reverse(context: &mut Context<'_>, values: &[Value]) -> Outcome<Value> {
    match &values[0] {
        Value::String(text) => {
            context.budget.allocate(text.len())?;
            Ok(Value::from(text.chars().rev().collect::<String>()))
        }
        Value::List(items) => {
            context.budget.allocate_entries(items.len())?;
            Ok(Value::from(items.iter().rev().cloned().collect::<Vec<_>>()))
        }
        other => Err(wrong("reverse", "a list or string", other)),
    }
}

/// The position of an element in a list, or of a text in a text; -1 if it is not there.
fn index_of(context: &mut Context<'_>, values: &[Value], last: bool) -> Outcome<Value> {
    let name = if last { "lastIndexOf" } else { "indexOf" };
    match &values[0] {
        Value::String(text) => strings::index_of(context, name, text, &values[1..], last),
        Value::List(items) if values.len() == 2 => {
            context.budget.step(items.len() / 8)?;
            let mut found = None;
            for (at, item) in items.iter().enumerate() {
                if compare::equal(item, &values[1], context.budget)? {
                    found = Some(at);
                    if !last {
                        break;
                    }
                }
            }
            Ok(found.map_or(Value::Int(-1), length))
        }
        Value::List(_) => Err(Fault::new(format!("{name} of a list takes one argument"))),
        other => Err(Fault::new(format!(
            "{name} looks into a list or string, not into {}",
            print::preview(other)
        ))),
    }
}
