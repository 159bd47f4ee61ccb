//! `math.*`: as in cel-go's extension. Rounding also takes an int, as JSON numbers may turn out to be one, and
//! gives a double all the same.

use super::super::{
    compare,
    error::{Fault, Outcome},
    evaluate::Context,
};
use super::{Function, Value, global, wrong};
use std::cmp::Ordering;

pub(super) const FUNCTIONS: &[Function] = &[
    global("math.greatest", 1, usize::MAX, |context, values| {
        extreme(context, values, "math.greatest", Ordering::Greater)
    }),
    global("math.least", 1, usize::MAX, |context, values| {
        extreme(context, values, "math.least", Ordering::Less)
    }),
    global("math.ceil", 1, 1, |_, values| {
        rounded("math.ceil", &values[0], f64::ceil)
    }),
    global("math.floor", 1, 1, |_, values| {
        rounded("math.floor", &values[0], f64::floor)
    }),
    global("math.round", 1, 1, |_, values| {
        rounded("math.round", &values[0], f64::round)
    }),
    global("math.trunc", 1, 1, |_, values| {
        rounded("math.trunc", &values[0], f64::trunc)
    }),
    global("math.sqrt", 1, 1, |_, values| {
        rounded("math.sqrt", &values[0], f64::sqrt)
    }),
    global("math.abs", 1, 1, |_, values| abs(&values[0])),
    global("math.sign", 1, 1, |_, values| sign(&values[0])),
    global("math.isNaN", 1, 1, |_, values| {
        Ok(Value::Bool(float("math.isNaN", &values[0])?.is_nan()))
    }),
    global("math.isInf", 1, 1, |_, values| {
        Ok(Value::Bool(float("math.isInf", &values[0])?.is_infinite()))
    }),
    global("math.isFinite", 1, 1, |_, values| {
        Ok(Value::Bool(float("math.isFinite", &values[0])?.is_finite()))
    }),
];

/// The greatest or least of the arguments, or of the one argument that is a list.
fn extreme(context: &mut Context<'_>, values: &[Value], name: &str, wanted: Ordering) -> Outcome<Value> {
    let values = match values {
        [Value::List(items)] => items.as_slice(),
        other => other,
    };
    let mut best = values
        .first()
        .ok_or_else(|| Fault::new(format!("{name} takes at least one number")))?;
    for value in values {
        if !matches!(value, Value::Int(_) | Value::Uint(_) | Value::Double(_)) {
            return Err(wrong(name, "numbers", value));
        }
        if matches!(value, Value::Double(number) if number.is_nan()) {
            return Err(Fault::new(format!("{name}: NaN has no order")));
        }
        context.budget.step(1)?;
        if compare::order(value, best, context.budget)? == Some(wanted) {
            best = value;
        }
    }
    Ok(best.clone())
}

fn float(name: &str, value: &Value) -> Outcome<f64> {
    #[expect(clippy::cast_precision_loss, reason = "a double is what the function gives")]
    match value {
        Value::Double(number) => Ok(*number),
        Value::Int(number) => Ok(*number as f64),
        other => Err(wrong(name, "a number", other)),
    }
}

fn rounded(name: &str, value: &Value, round: fn(f64) -> f64) -> Outcome<Value> {
    float(name, value).map(|number| Value::Double(round(number)))
}

fn abs(value: &Value) -> Outcome<Value> {
    match value {
        Value::Double(number) => Ok(Value::Double(number.abs())),
        Value::Int(number) => number
            .checked_abs()
            .map(Value::Int)
            .ok_or_else(|| Fault::new("the result is beyond int")),
        Value::Uint(_) => Ok(value.clone()),
        other => Err(wrong("math.abs", "a number", other)),
    }
}

fn sign(value: &Value) -> Outcome<Value> {
    match value {
        Value::Double(number) if *number == 0.0 => Ok(Value::Double(0.0)),
        Value::Double(number) if number.is_nan() => Ok(Value::Double(*number)),
        Value::Double(number) => Ok(Value::Double(number.signum())),
        Value::Int(number) => Ok(Value::Int(number.signum())),
        Value::Uint(number) => Ok(Value::Uint((*number).min(1))),
        other => Err(wrong("math.sign", "a number", other)),
    }
}
