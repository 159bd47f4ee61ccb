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
        (Value::Type(left), Value::Type(right)) => Ok(left == right),
        (Value::Null, Value::Null) | (Value::Optional(None), Value::Optional(None)) => Ok(true),
        _ => Ok(order_scalars(left, right) == Order::Known(Ordering::Equal)),
    }
}

/// The order of two values; nothing if one of them is not a number. An error if they have no order.
pub(super) fn order(left: &Value, right: &Value, budget: &mut Budget) -> Outcome<Option<Ordering>> {
    if let (Value::String(left), Value::String(right)) = (left, right) {
        budget.step(left.len().min(right.len()) / 64)?;
    }
    match order_scalars(left, right) {
        Order::Known(ordering) => Ok(Some(ordering)),
        Order::NotANumber => Ok(None),
        Order::None => Err(Fault::new(format!(
            "cannot compare {} {} with {} {}",
            left.kind(),
            print::preview(left),
            right.kind(),
            print::preview(right)
        ))),
    }
}

#[derive(PartialEq, Eq)]
enum Order {
    Known(Ordering),
    /// One of them is NaN: neither equal nor less nor greater.
    NotANumber,
    /// Such values are never compared.
    None,
}

impl From<Option<Ordering>> for Order {
    fn from(ordering: Option<Ordering>) -> Self {
        ordering.map_or(Self::NotANumber, Self::Known)
    }
}

fn order_scalars(left: &Value, right: &Value) -> Order {
    let known = match (left, right) {
        (Value::Int(left), Value::Int(right)) => left.cmp(right),
        (Value::Uint(left), Value::Uint(right)) => left.cmp(right),
        (Value::Int(left), Value::Uint(right)) => i128::from(*left).cmp(&i128::from(*right)),
        (Value::Uint(left), Value::Int(right)) => i128::from(*left).cmp(&i128::from(*right)),
        (Value::Double(left), Value::Double(right)) => return left.partial_cmp(right).into(),
        (Value::Double(left), Value::Int(right)) => return order_double(*left, i128::from(*right)).into(),
        (Value::Double(left), Value::Uint(right)) => return order_double(*left, i128::from(*right)).into(),
        (Value::Int(left), Value::Double(right)) => {
            return order_double(*right, i128::from(*left))
                .map(Ordering::reverse)
                .into();
        }
        (Value::Uint(left), Value::Double(right)) => {
            return order_double(*right, i128::from(*left))
                .map(Ordering::reverse)
                .into();
        }
        (Value::String(left), Value::String(right)) => left.cmp(right),
        (Value::Bytes(left), Value::Bytes(right)) => left.cmp(right),
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (Value::Timestamp(left), Value::Timestamp(right)) => left.cmp(right),
        (Value::Duration(left), Value::Duration(right)) => left.cmp(right),
        _ => return Order::None,
    };
    Order::Known(known)
}

/// Up to here every whole number is a double.
const EXACT: u64 = 1 << 53;

/// Compares without rounding: a double above 2⁵³ is not equal to its neighbours.
fn order_double(left: f64, right: i128) -> Option<Ordering> {
    if left.is_nan() {
        return None;
    }
    // Whole numbers that small are doubles, too: the usual case, and the fast one.
    if let Ok(small) = i64::try_from(right)
        && small.unsigned_abs() <= EXACT
    {
        #[expect(clippy::cast_precision_loss, reason = "checked to be exact")]
        return left.partial_cmp(&(small as f64));
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the cast saturates, and 128 bits hold every neighbour"
    )]
    let whole = left.trunc() as i128;
    Some(
        whole
            .cmp(&right)
            .then_with(|| left.fract().partial_cmp(&0.0).unwrap_or(Ordering::Equal)),
    )
}
