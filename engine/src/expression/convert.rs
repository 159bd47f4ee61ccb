//! CEL's conversions: `int(x)`, `string(x)`, `timestamp(x)`, … A value out of range is an error, never rounded in
//! silence.

use super::{
    Budget, Value, arithmetic,
    error::{Fault, Outcome},
    print,
};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

pub(super) fn int(value: &Value) -> Outcome<Value> {
    let converted = match value {
        Value::Int(number) => Some(*number),
        Value::Uint(number) => i64::try_from(*number).ok(),
        #[expect(clippy::cast_possible_truncation, reason = "checked to be in range")]
        Value::Double(number) => (number.abs() < 9_223_372_036_854_775_808.0).then_some(*number as i64),
        Value::String(text) => text.parse().ok(),
        // Down to the whole second, also before 1970.
        Value::Timestamp(time) => Some(time.as_second() - i64::from(time.subsec_nanosecond() < 0)),
        _ => return Err(impossible("int", value)),
    };
    converted.map(Value::Int).ok_or_else(|| unfit("int", value))
}

pub(super) fn uint(value: &Value) -> Outcome<Value> {
    let converted = match value {
        Value::Int(number) => u64::try_from(*number).ok(),
        Value::Uint(number) => Some(*number),
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to be in range"
        )]
        Value::Double(number) => {
            (*number >= 0.0 && *number < 18_446_744_073_709_551_616.0).then_some(*number as u64)
        }
        Value::String(text) => text.parse().ok(),
        _ => return Err(impossible("uint", value)),
    };
    converted.map(Value::Uint).ok_or_else(|| unfit("uint", value))
}

pub(super) fn double(value: &Value) -> Outcome<Value> {
    #[expect(clippy::cast_precision_loss, reason = "CEL rounds to the nearest double")]
    let converted = match value {
        Value::Int(number) => Some(*number as f64),
        Value::Uint(number) => Some(*number as f64),
        Value::Double(number) => Some(*number),
        Value::String(text) => text.parse().ok(),
        _ => return Err(impossible("double", value)),
    };
    converted.map(Value::Double).ok_or_else(|| unfit("double", value))
}

pub(super) fn bool(value: &Value) -> Outcome<Value> {
    let converted = match value {
        Value::Bool(value) => Some(*value),
        Value::String(text) => match text.as_ref() {
            "true" | "True" | "TRUE" | "t" | "1" => Some(true),
            "false" | "False" | "FALSE" | "f" | "0" => Some(false),
            _ => None,
        },
        _ => return Err(impossible("bool", value)),
    };
    converted.map(Value::Bool).ok_or_else(|| unfit("bool", value))
}

pub(super) fn string(value: &Value, budget: &mut Budget) -> Outcome<Value> {
    match value {
        Value::String(_) => Ok(value.clone()),
        Value::Bytes(bytes) => {
            budget.allocate(bytes.len())?;
            std::str::from_utf8(bytes)
                .map(Value::from)
                .map_err(|_| Fault::new("the bytes are no UTF-8 text"))
        }
        Value::Type(kind) => Ok(Value::from(kind.name())),
        Value::List(_) | Value::Map(_) => Err(Fault::new(format!(
            "string() of a {}: write json.print(x) to get it as JSON",
            value.kind()
        ))),
        other => match print::scalar(other) {
            Some(text) => {
                budget.allocate(text.len())?;
                Ok(Value::from(text))
            }
            None => Err(impossible("string", value)),
        },
    }
}

pub(super) fn bytes(value: &Value, budget: &mut Budget) -> Outcome<Value> {
    match value {
        Value::Bytes(_) => Ok(value.clone()),
        Value::String(text) => {
            budget.allocate(text.len())?;
            Ok(Value::Bytes(Arc::from(text.as_bytes())))
        }
        other => Err(impossible("bytes", other)),
    }
}

/// A time from RFC 3339 text or from seconds since 1970.
pub(super) fn timestamp(value: &Value) -> Outcome<Value> {
    match value {
        Value::Timestamp(_) => Ok(value.clone()),
        Value::String(text) => {
            let time = parse_timestamp(text).ok_or_else(|| {
                Fault::new(format!(
                    "{} is no time of RFC 3339, like 2026-01-31T08:00:00Z",
                    print::preview(value)
                ))
            })?;
            arithmetic::timestamp(Some(time))
        }
        Value::Int(seconds) => arithmetic::timestamp(Timestamp::from_second(*seconds).ok()),
        other => Err(impossible("timestamp", other)),
    }
}

/// RFC 3339 and nothing wider: the parser behind it also knows other forms.
fn parse_timestamp(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let zone = bytes.last().is_some_and(|last| matches!(last, b'Z'))
        || bytes
            .len()
            .checked_sub(6)
            .and_then(|at| bytes.get(at))
            .is_some_and(|sign| matches!(sign, b'+' | b'-'));
    let shape = bytes.get(4) == Some(&b'-')
        && bytes.get(7) == Some(&b'-')
        && bytes.get(10) == Some(&b'T')
        && bytes.get(13) == Some(&b':')
        && bytes.get(16) == Some(&b':');
    if shape && zone { text.parse().ok() } else { None }
}

/// A duration in Go's grammar: `1h30m`, `90s`, `1.5s`, `-20ms`.
pub(super) fn duration(value: &Value) -> Outcome<Value> {
    match value {
        Value::Duration(_) => Ok(value.clone()),
        Value::String(text) => {
            let span = parse_duration(text).ok_or_else(|| {
                Fault::new(format!(
                    "{} is no duration, like 90s or 1h30m",
                    print::preview(value)
                ))
            })?;
            arithmetic::duration(Some(span))
        }
        other => Err(impossible("duration", other)),
    }
}

fn parse_duration(text: &str) -> Option<SignedDuration> {
    const UNITS: [(&str, i128); 8] = [
        ("ns", 1),
        ("us", 1_000),
        ("µs", 1_000),
        ("μs", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ];
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(SignedDuration::ZERO);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let end = rest.find(|next: char| !next.is_ascii_digit() && next != '.')?;
        let (number, tail) = rest.split_at(end);
        let (unit, factor) = UNITS.into_iter().find(|(unit, _)| {
            tail.strip_prefix(unit).is_some_and(|after| {
                after.is_empty() || after.starts_with(|next: char| next.is_ascii_digit() || next == '.')
            })
        })?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        if !whole.is_empty() {
            total = total.checked_add(whole.parse::<i128>().ok()?.checked_mul(factor)?)?;
        }
        let mut place = factor;
        for digit in fraction.chars() {
            place /= 10;
            total = total.checked_add(i128::from(digit.to_digit(10)?).checked_mul(place)?)?;
        }
        rest = &tail[unit.len()..];
    }
    SignedDuration::try_from_nanos_i128(if negative { -total } else { total })
}

fn impossible(wanted: &str, value: &Value) -> Fault {
    Fault::new(format!(
        "no {wanted}() for {} {}",
        value.kind(),
        print::preview(value)
    ))
}

fn unfit(wanted: &str, value: &Value) -> Fault {
    Fault::new(format!("{} is no {wanted}", print::preview(value)))
}
