//! `'%s costs %.2f'.format([name, price])`.

mod shown;

use super::super::{
    error::{Fault, Outcome},
    evaluate::Context,
};
use super::{Function, Value, list, method, text, wrong};
use std::fmt::Write as _;

/// The most digits behind the point that can be asked for.
const PRECISION: usize = 30;

pub(super) const FUNCTIONS: &[Function] = &[method("format", 1, 1, format)];

fn format(context: &mut Context<'_>, values: &[Value]) -> Outcome<Value> {
    let mut rest = text("format", &values[0])?;
    let mut arguments = list("format", &values[1])?.iter();
    let mut out = String::new();
    while let Some(position) = rest.find('%') {
        context.budget.allocate(position)?;
        out.push_str(&rest[..position]);
        rest = &rest[position + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        let digits = rest.strip_prefix('.').map_or(0, |tail| {
            tail.find(|next: char| !next.is_ascii_digit())
                .unwrap_or(tail.len())
        });
        let precision =
            if digits > 0 {
                let precision = rest[1..=digits]
                    .parse()
                    .ok()
                    .filter(|precision| *precision <= PRECISION);
                rest = &rest[digits + 1..];
                Some(precision.ok_or_else(|| {
                    Fault::new(format!("format allows {PRECISION} digits behind the point"))
                })?)
            } else {
                None
            };
        let Some(verb) = rest.chars().next() else {
            return Err(Fault::new("format ends in %: write %% for the character itself"));
        };
        rest = &rest[verb.len_utf8()..];
        let value = arguments
            .next()
            .ok_or_else(|| Fault::new("format asks for more values than the list has"))?;
        let part = rendered(context, verb, precision, value)?;
        context.budget.allocate(part.len())?;
        out.push_str(&part);
    }
    if arguments.next().is_some() {
        return Err(Fault::new("format asks for fewer values than the list has"));
    }
    context.budget.allocate(rest.len())?;
    out.push_str(rest);
    Ok(Value::from(out))
}

fn rendered(
    context: &mut Context<'_>,
    verb: char,
    precision: Option<usize>,
    value: &Value,
) -> Outcome<String> {
    #[expect(clippy::cast_precision_loss, reason = "%f and %e show a double")]
    let double = || match value {
        Value::Double(number) => Ok(*number),
        Value::Int(number) => Ok(*number as f64),
        Value::Uint(number) => Ok(*number as f64),
        other => Err(wrong(&format!("%{verb}"), "a number", other)),
    };
    Ok(match (verb, value) {
        ('s', value) => {
            let mut text = String::new();
            shown::write(value, &mut text, context.budget, 0)?;
            text
        }
        ('d', Value::Double(number)) => shown::double(*number),
        ('d', Value::Int(number)) => number.to_string(),
        ('d', Value::Uint(number)) => number.to_string(),
        ('f' | 'e', Value::Double(number)) if !number.is_finite() => shown::double(*number),
        ('f', _) => format!("{:.*}", precision.unwrap_or(6), double()?),
        ('e', _) => exponent(&format!("{:.*e}", precision.unwrap_or(6), double()?)),
        ('b', Value::Bool(value)) => u8::from(*value).to_string(),
        ('b' | 'o' | 'x' | 'X', Value::Int(number)) => {
            let sign = if *number < 0 { "-" } else { "" };
            format!("{sign}{}", based(verb, number.unsigned_abs()))
        }
        ('b' | 'o' | 'x' | 'X', Value::Uint(number)) => based(verb, *number),
        ('x' | 'X', Value::String(text)) => hexadecimal(context, verb, text.as_bytes())?,
        ('x' | 'X', Value::Bytes(bytes)) => hexadecimal(context, verb, bytes)?,
        ('d', other) => return Err(wrong("%d", "a number", other)),
        ('b' | 'o' | 'x' | 'X', other) => return Err(wrong(&format!("%{verb}"), "an int", other)),
        _ => {
            return Err(Fault::new(format!(
                "format knows no %{verb}, only %s %d %f %e %b %o %x %X"
            )));
        }
    })
}

fn based(verb: char, number: u64) -> String {
    match verb {
        'b' => format!("{number:b}"),
        'o' => format!("{number:o}"),
        'x' => format!("{number:x}"),
        _ => format!("{number:X}"),
    }
}

fn hexadecimal(context: &mut Context<'_>, verb: char, bytes: &[u8]) -> Outcome<String> {
    context.budget.allocate(bytes.len() * 2)?;
    Ok(if verb == 'x' {
        hex::encode(bytes)
    } else {
        hex::encode_upper(bytes)
    })
}

/// `1.5e3` as C and Go write it: a sign and at least two digits.
fn exponent(text: &str) -> String {
    let Some((number, power)) = text.split_once('e') else {
        return text.to_owned();
    };
    let (sign, digits) = power
        .strip_prefix('-')
        .map_or(('+', power), |digits| ('-', digits));
    let mut out = number.to_owned();
    // Writing into a string cannot fail.
    let _ = write!(out, "e{sign}{digits:0>2}");
    out
}
