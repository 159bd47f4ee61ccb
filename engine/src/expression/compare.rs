//! Equality and order of values, as CEL has them: numbers by value across their types, everything else only
//! within its type. Charges for what it looks at, since a shared value may be larger than its memory.

use super::{
    Budget, Value,
    error::{Fault, Outcome},
    print,
};
use std::cmp::Ordering;

/// Whether two values are equal. Values of different types are not; that is no error.
pub(super) fn equal(left: &Value, right: &Value, budget: &mut Budget) -> Outcome<bool> {
    match (left, right) {
        (Value::String(left), Value::String(right)) => {
            budget.step(left.len().min(right.len()) / 64)?;
            Ok(left == right)
        }
        (Value::Bytes(left), Value::Bytes(right)) => {
            budget.step(left.len().min(right.len()) / 64)?;
            Ok(left == right)
        }
        (Value::List(left), Value::List(right)) => {
            if left.len() != right.len() {
                return Ok(false);
            }
            for (left, right) in left.iter().zip(right.iter()) {
                budget.step(1)?;
                if !equal(left, right, budget)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Value::Map(left), Value::Map(right)) => {
            if left.len() != right.len() {
                return Ok(false);
            }
            for (key, left) in left.iter() {
                budget.step(1)?;
                match right.get(&key.to_value()) {
                    Some(right) if equal(left, right, budget)? => {}
                    _ => return Ok(false),
                }
            }
            Ok(true)
        }
        (Value::Optional(Some(left)), Value::Optional(Some(right))) => {
            budget.step(1)?;
            equal(left, right, budget)
        }
        (Value::Optional(None), Value::Optional(None)) => Ok(true),
        (Value::Type(left), Value::Type(right)) => Ok(left == right),
        (Value::Null, Value::Null) => Ok(true),
        _ => Ok(order_scalars(left, right) == Some(Some(Ordering::Equal))),
    }
}

/// The order of two values; nothing if one of them is not a number. An error if they have no order.
pub(super) fn order(left: &Value, right: &Value, budget: &mut Budget) -> Outcome<Option<Ordering>> {
    if let (Value::String(left), Value::String(right)) = (left, right) {
        budget.step(left.len().min(right.len()) / 64)?;
    }
    order_scalars(left, right).ok_or_else(|| {
        Fault::new(format!(
            "cannot compare {} {} with {} {}",
            left.kind(),
            print::preview(left),
            right.kind(),
            print::preview(right)
        ))
    })
}

/// Nothing: no order between such values. Some of nothing: not a number.
fn order_scalars(left: &Value, right: &Value) -> Option<Option<Ordering>> {
    Some(match (left, right) {
        (Value::Int(left), Value::Int(right)) => Some(left.cmp(right)),
        (Value::Uint(left), Value::Uint(right)) => Some(left.cmp(right)),
        (Value::Int(left), Value::Uint(right)) => Some(i128::from(*left).cmp(&i128::from(*right))),
        (Value::Uint(left), Value::Int(right)) => Some(i128::from(*left).cmp(&i128::from(*right))),
        (Value::Double(left), Value::Double(right)) => left.partial_cmp(right),
        (Value::Double(left), Value::Int(right)) => order_double(*left, i128::from(*right)),
        (Value::Double(left), Value::Uint(right)) => order_double(*left, i128::from(*right)),
        (Value::Int(left), Value::Double(right)) => {
            order_double(*right, i128::from(*left)).map(Ordering::reverse)
        }
        (Value::Uint(left), Value::Double(right)) => {
            order_double(*right, i128::from(*left)).map(Ordering::reverse)
        }
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        (Value::Bytes(left), Value::Bytes(right)) => Some(left.cmp(right)),
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Value::Timestamp(left), Value::Timestamp(right)) => Some(left.cmp(right)),
        (Value::Duration(left), Value::Duration(right)) => Some(left.cmp(right)),
        _ => return None,
    })
}

/// Compares without rounding: a double above 2⁵³ is not equal to its neighbours.
fn order_double(left: f64, right: i128) -> Option<Ordering> {
    if left.is_nan() {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "the cast saturates, and 128 bits hold every neighbour")]
    let whole = left.trunc() as i128;
    Some(whole.cmp(&right).then_with(|| left.fract().partial_cmp(&0.0).unwrap_or(Ordering::Equal)))
}
