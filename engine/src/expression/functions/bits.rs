//! `math.bit*`: of two ints or two uints. A shift takes an int as its distance.

use super::super::error::{Fault, Outcome};
use super::{Function, Value, global, int, wrong};

pub(super) const FUNCTIONS: &[Function] = &[
    global("math.bitAnd", 2, 2, |_, values| {
        pair("math.bitAnd", values, |a, b| a & b, |a, b| a & b)
    }),
    global("math.bitOr", 2, 2, |_, values| {
        pair("math.bitOr", values, |a, b| a | b, |a, b| a | b)
    }),
    global("math.bitXor", 2, 2, |_, values| {
        pair("math.bitXor", values, |a, b| a ^ b, |a, b| a ^ b)
    }),
    global("math.bitNot", 1, 1, |_, values| match &values[0] {
        Value::Int(number) => Ok(Value::Int(!number)),
        Value::Uint(number) => Ok(Value::Uint(!number)),
        other => Err(wrong("math.bitNot", "an int or uint", other)),
    }),
    global("math.bitShiftLeft", 2, 2, |_, values| {
        shift("math.bitShiftLeft", values, u64::checked_shl)
    }),
    global("math.bitShiftRight", 2, 2, |_, values| {
        shift("math.bitShiftRight", values, u64::checked_shr)
    }),
];

fn pair(
    name: &str,
    values: &[Value],
    ints: fn(i64, i64) -> i64,
    uints: fn(u64, u64) -> u64,
) -> Outcome<Value> {
    match (&values[0], &values[1]) {
        (Value::Int(left), Value::Int(right)) => Ok(Value::Int(ints(*left, *right))),
        (Value::Uint(left), Value::Uint(right)) => Ok(Value::Uint(uints(*left, *right))),
        (Value::Int(_), other) => Err(wrong(name, "two ints", other)),
        (Value::Uint(_), other) => Err(wrong(name, "two uints", other)),
        (other, _) => Err(wrong(name, "two ints or two uints", other)),
    }
}

/// Bits that are shifted out are lost, also the sign of an int: the bits are moved, not the number.
fn shift(name: &str, values: &[Value], shift: fn(u64, u32) -> Option<u64>) -> Outcome<Value> {
    let distance = int(name, &values[1])?;
    if distance < 0 {
        return Err(Fault::new(format!(
            "{name} takes no negative distance, but got {distance}"
        )));
    }
    let distance = u32::try_from(distance).unwrap_or(u64::BITS);
    match &values[0] {
        Value::Int(number) => {
            let moved = shift(number.cast_unsigned(), distance).unwrap_or(0);
            Ok(Value::Int(moved.cast_signed()))
        }
        Value::Uint(number) => Ok(Value::Uint(shift(*number, distance).unwrap_or(0))),
        other => Err(wrong(name, "an int or uint", other)),
    }
}
