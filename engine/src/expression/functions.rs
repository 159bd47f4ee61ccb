//! The functions of expressions: one table per area, resolved while parsing.
//!
//! A function gets its arguments evaluated (a method its receiver first) and charges the budget for what it walks
//! over and allocates. It decides by the arguments' types which of its forms is meant.

mod bits;
mod calendar;
mod encoders;
mod format;
mod lists;
mod math;
mod optionals;
mod patterns;
mod recorded;
mod standard;
mod strings;
mod times;

use super::{
    Value,
    error::{Fault, Outcome},
    evaluate::Context,
    macros, print, suggest,
};
pub(super) use patterns::{Apply, compile as compile_pattern, prepared};

/// A function and how it is called.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: &'static str,
    pub(super) style: Style,
    /// The fewest and the most arguments, the receiver included.
    pub(super) arity: (usize, usize),
    pub(super) call: fn(&mut Context<'_>, &[Value]) -> Outcome<Value>,
}

/// How a function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// `name(x)` or `area.name(x)`
    Global,
    /// `x.name()`
    Method,
}

type Call = fn(&mut Context<'_>, &[Value]) -> Outcome<Value>;

const fn global(name: &'static str, least: usize, most: usize, call: Call) -> Function {
    Function {
        name,
        style: Style::Global,
        arity: (least, most),
        call,
    }
}

/// A method with so many arguments besides its receiver.
const fn method(name: &'static str, least: usize, most: usize, call: Call) -> Function {
    Function {
        name,
        style: Style::Method,
        arity: (least + 1, most + 1),
        call,
    }
}

const TABLES: [&[Function]; 12] = [
    standard::FUNCTIONS,
    times::FUNCTIONS,
    calendar::FUNCTIONS,
    strings::FUNCTIONS,
    format::FUNCTIONS,
    patterns::FUNCTIONS,
    lists::FUNCTIONS,
    math::FUNCTIONS,
    bits::FUNCTIONS,
    optionals::FUNCTIONS,
    encoders::FUNCTIONS,
    recorded::FUNCTIONS,
];

/// Every function there is.
pub(super) fn all() -> impl Iterator<Item = &'static Function> {
    TABLES.into_iter().flatten()
}

/// Whether the same arguments always give the same value, and say all there is to know of it.
pub(super) fn is_constant(function: &Function) -> bool {
    function.name != "dyn"
        && !recorded::FUNCTIONS
            .iter()
            .any(|other| other.name == function.name)
}

/// Whether a name is the first half of functions like `math.greatest`.
pub(super) fn is_namespace(name: &str) -> bool {
    all().any(|function| {
        let rest = function.name.strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with('.'))
    })
}

/// Why a call means no function.
pub(super) struct Unknown {
    pub(super) message: String,
    pub(super) suggestion: Option<String>,
}

/// The function that a call means. `count` includes the receiver of a method.
pub(super) fn find(style: Style, name: &str, count: usize) -> Result<&'static Function, Unknown> {
    let same_name = || all().filter(|function| function.name == name);
    if let Some(function) = same_name().find(|function| function.style == style) {
        let (least, most) = function.arity;
        if (least..=most).contains(&count) {
            return Ok(function);
        }
        let receiver = usize::from(style == Style::Method);
        let wanted = match (least - receiver, most.saturating_sub(receiver)) {
            (least, most) if least == most => format!("{least}"),
            (least, most) if most > 99 => format!("{least} or more"),
            (least, most) => format!("{least} to {most}"),
        };
        let plural = if wanted == "1" { "" } else { "s" };
        let message = format!(
            "`{name}` takes {wanted} argument{plural}, not {}",
            count - receiver
        );
        return Err(Unknown {
            message,
            suggestion: None,
        });
    }
    if same_name().next().is_some() || macros::named(name).is_some() {
        let message = match style {
            Style::Global => format!("`{name}` is called on a value: x.{name}(…)"),
            Style::Method => format!("`{name}` is called as {name}(x)"),
        };
        return Err(Unknown {
            message,
            suggestion: None,
        });
    }
    let qualified = all().map(|function| function.name).find(|known| {
        known
            .split_once('.')
            .is_some_and(|(_, short)| short.eq_ignore_ascii_case(name))
    });
    let nearest = || {
        let names = all()
            .filter(|function| function.style == style)
            .map(|function| function.name);
        suggest::nearest(name, names.chain(macros::names()))
    };
    Err(Unknown {
        message: format!("unknown function `{name}`"),
        suggestion: elsewhere(name).or(qualified).map(str::to_owned).or_else(nearest),
    })
}

/// What functions of other languages are called here.
fn elsewhere(name: &str) -> Option<&'static str> {
    Some(match name {
        "toUpper" | "toUpperCase" | "upper" | "uppercase" => "upperAscii",
        "toLower" | "toLowerCase" | "lower" | "lowercase" => "lowerAscii",
        "length" | "len" | "count" => "size",
        "includes" | "has" => "contains",
        "strip" => "trim",
        "any" | "some" => "exists",
        "every" => "all",
        "concat" => "join",
        "default" | "coalesce" => "orValue",
        "toString" | "str" => "string",
        "parseInt" | "toInt" => "int",
        "parseFloat" | "float" | "toNumber" | "number" => "double",
        "fromJson" | "parseJson" => "json.parse",
        "toJson" | "stringify" => "json.print",
        "today" => "now",
        "sha256" => "hash.sha256",
        _ => return None,
    })
}

/// The error of a function that got a value it is not for.
fn wrong(function: &str, wanted: &str, value: &Value) -> Fault {
    Fault::new(format!(
        "{function} takes {wanted}, not {} {}",
        value.kind(),
        print::preview(value)
    ))
}

fn text<'a>(function: &str, value: &'a Value) -> Outcome<&'a str> {
    value.as_str().ok_or_else(|| wrong(function, "a string", value))
}

fn list<'a>(function: &str, value: &'a Value) -> Outcome<&'a [Value]> {
    if let Value::List(items) = value {
        Ok(items)
    } else {
        Err(wrong(function, "a list", value))
    }
}

fn int(function: &str, value: &Value) -> Outcome<i64> {
    if let Value::Int(number) = value {
        Ok(*number)
    } else {
        Err(wrong(function, "an int", value))
    }
}

/// A position or count, which must not be negative.
fn count(function: &str, value: &Value) -> Outcome<usize> {
    let number = int(function, value)?;
    usize::try_from(number)
        .map_err(|_| Fault::new(format!("{function} takes no negative number, but got {number}")))
}

fn length(count: usize) -> Value {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}
