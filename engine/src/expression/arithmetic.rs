//! `+ - * / %` and the unary minus. Overflow is an error; `int` with `double` gives `double`, our one extension.

use super::{
    Budget, Value,
    ast::Arithmetic,
    error::{Fault, Outcome},
    print,
};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// The beginning of the year 1: what lies before is no timestamp of CEL.
const FIRST: Timestamp = Timestamp::constant(-62_135_596_800, 0);
/// The longest duration of CEL, about 10,000 years.
const LONGEST: SignedDuration = SignedDuration::from_secs(315_576_000_000);

pub(super) fn apply(
    operator: Arithmetic,
    left: &Value,
    right: &Value,
    budget: &mut Budget,
) -> Outcome<Value> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => int(operator, *left, *right).map(Value::Int),
        (Value::Uint(left), Value::Uint(right)) => uint(operator, *left, *right).map(Value::Uint),
        (Value::Double(a), Value::Double(b)) => double(operator, *a, *b, left, right),
        #[expect(clippy::cast_precision_loss, reason = "a double is what the operation gives")]
        (Value::Int(a), Value::Double(b)) => double(operator, *a as f64, *b, left, right),
        #[expect(clippy::cast_precision_loss, reason = "a double is what the operation gives")]
        (Value::Double(a), Value::Int(b)) => double(operator, *a, *b as f64, left, right),
        _ => match operator {
            Arithmetic::Add => add(left, right, budget),
            Arithmetic::Subtract => subtract(left, right),
            _ => Err(mismatch(operator, left, right)),
        },
    }
}

pub(super) fn negate(value: &Value) -> Outcome<Value> {
    match value {
        Value::Int(number) => number
            .checked_neg()
            .map(Value::Int)
            .ok_or_else(|| overflow("int")),
        Value::Double(number) => Ok(Value::Double(-number)),
        Value::Duration(span) => duration(span.checked_neg()),
        other => Err(Fault::new(format!(
            "cannot negate {} {}",
            other.kind(),
            print::preview(other)
        ))),
    }
}

fn int(operator: Arithmetic, left: i64, right: i64) -> Outcome<i64> {
    match operator {
        Arithmetic::Add => left.checked_add(right),
        Arithmetic::Subtract => left.checked_sub(right),
        Arithmetic::Multiply => left.checked_mul(right),
        Arithmetic::Divide if right == 0 => return Err(Fault::new(format!("divided {left} by zero"))),
        Arithmetic::Divide => left.checked_div(right),
        Arithmetic::Remainder if right == 0 => {
            return Err(Fault::new(format!("took the remainder of {left} by zero")));
        }
        Arithmetic::Remainder => left.checked_rem(right),
    }
    .ok_or_else(|| Fault::new(format!("{left} {} {right} is beyond int", operator.symbol())))
}

fn uint(operator: Arithmetic, left: u64, right: u64) -> Outcome<u64> {
    match operator {
        Arithmetic::Add => left.checked_add(right),
        Arithmetic::Subtract => left.checked_sub(right),
        Arithmetic::Multiply => left.checked_mul(right),
        Arithmetic::Divide if right == 0 => return Err(Fault::new(format!("divided {left}u by zero"))),
        Arithmetic::Divide => left.checked_div(right),
        Arithmetic::Remainder if right == 0 => {
            return Err(Fault::new(format!("took the remainder of {left}u by zero")));
        }
        Arithmetic::Remainder => left.checked_rem(right),
    }
    .ok_or_else(|| Fault::new(format!("{left}u {} {right}u is beyond uint", operator.symbol())))
}

fn double(operator: Arithmetic, a: f64, b: f64, left: &Value, right: &Value) -> Outcome<Value> {
    Ok(Value::Double(match operator {
        Arithmetic::Add => a + b,
        Arithmetic::Subtract => a - b,
        Arithmetic::Multiply => a * b,
        Arithmetic::Divide => a / b,
        Arithmetic::Remainder => return Err(mismatch(operator, left, right)),
    }))
}

fn add(left: &Value, right: &Value, budget: &mut Budget) -> Outcome<Value> {
    match (left, right) {
        (Value::String(left), Value::String(right)) => {
            budget.allocate(left.len() + right.len())?;
            let mut text = String::with_capacity(left.len() + right.len());
            text.push_str(left);
            text.push_str(right);
            Ok(Value::from(text))
        }
        (Value::Bytes(left), Value::Bytes(right)) => {
            budget.allocate(left.len() + right.len())?;
            Ok(Value::Bytes(Arc::from([left.as_ref(), right.as_ref()].concat())))
        }
        (Value::List(left), Value::List(right)) => {
            budget.allocate_entries(left.len() + right.len())?;
            Ok(Value::from([left.as_slice(), right.as_slice()].concat()))
        }
        (Value::Timestamp(time), Value::Duration(span)) | (Value::Duration(span), Value::Timestamp(time)) => {
            moved(*time, *span)
        }
        (Value::Duration(left), Value::Duration(right)) => duration(left.checked_add(*right)),
        _ => Err(mismatch(Arithmetic::Add, left, right)),
    }
}

fn subtract(left: &Value, right: &Value) -> Outcome<Value> {
    match (left, right) {
        (Value::Timestamp(left), Value::Timestamp(right)) => Ok(Value::Duration(left.duration_since(*right))),
        (Value::Timestamp(time), Value::Duration(span)) => {
            moved(*time, span.checked_neg().ok_or_else(|| overflow("duration"))?)
        }
        (Value::Duration(left), Value::Duration(right)) => duration(left.checked_sub(*right)),
        _ => Err(mismatch(Arithmetic::Subtract, left, right)),
    }
}

fn moved(time: Timestamp, span: SignedDuration) -> Outcome<Value> {
    timestamp(time.checked_add(span).ok())
}

/// A timestamp within CEL's years 1 to 9999.
pub(super) fn timestamp(time: Option<Timestamp>) -> Outcome<Value> {
    time.filter(|time| *time >= FIRST)
        .map(Value::Timestamp)
        .ok_or_else(|| Fault::new("the time is outside the years 1 to 9999"))
}

/// A duration within CEL's range.
pub(super) fn duration(span: Option<SignedDuration>) -> Outcome<Value> {
    span.filter(|span| span.unsigned_abs() <= LONGEST.unsigned_abs())
        .map(Value::Duration)
        .ok_or_else(|| Fault::new("the duration is longer than 10,000 years"))
}

fn overflow(kind: &str) -> Fault {
    Fault::new(format!("the result is beyond {kind}"))
}

fn mismatch(operator: Arithmetic, left: &Value, right: &Value) -> Fault {
    let hint = match (operator, left, right) {
        (Arithmetic::Add, Value::String(_), Value::Null)
        | (Arithmetic::Add, Value::Null, Value::String(_)) => "",
        (Arithmetic::Add, Value::String(_), _) | (Arithmetic::Add, _, Value::String(_)) => {
            "; write string(…) around what is not a text"
        }
        (Arithmetic::Remainder, Value::Double(_), _) | (Arithmetic::Remainder, _, Value::Double(_)) => {
            "; % is for whole numbers, write int(…)"
        }
        _ => "",
    };
    Fault::new(format!(
        "no {} for {} {} and {} {}{hint}",
        operator.symbol(),
        left.kind(),
        print::preview(left),
        right.kind(),
        print::preview(right)
    ))
}
