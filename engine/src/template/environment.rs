//! What a template may use: operators that pay, one function, and filters.

use std::sync::LazyLock;

use minijinja::{Environment, Error, ErrorKind, Expression, State, UndefinedBehavior, Value};

use super::{OUTPUT_LIMIT, filters, format, meter};

/// Functions a template may call.
pub(super) const FUNCTIONS: &[&str] = &["range"];

/// Tests, behind `is`.
pub(super) const TESTS: &[&str] = &[
    "boolean",
    "defined",
    "divisibleby",
    "endingwith",
    "even",
    "false",
    "float",
    "integer",
    "iterable",
    "lower",
    "mapping",
    "none",
    "number",
    "odd",
    "sequence",
    "startingwith",
    "string",
    "true",
    "undefined",
    "upper",
];

/// How deep loops that call themselves may nest.
const RECURSION: usize = 50;

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_recursion_limit(RECURSION);
    // With it an error names what is not there. Only the name is taken over, never the data that comes with it.
    env.set_debug(true);
    env.set_formatter(format::write);
    for name in ["debug", "dict", "namespace"] {
        env.remove_global(name);
    }
    // `select('in', list)` would walk over one list for each item of another.
    env.remove_test("in");
    for operator in ["+", "~", "*"] {
        env.add_function(
            operator,
            move |state: &State<'_, '_>, left: Value, right: Value| compute(state, operator, &left, &right),
        );
    }
    for operator in ["==", "!=", "<", "<=", ">", ">=", "in"] {
        env.add_function(
            operator,
            move |state: &State<'_, '_>, left: Value, right: Value| compare(state, operator, &left, &right),
        );
    }
    filters::add(&mut env);
    env
});

/// The environment for one rendering.
pub(super) fn with_fuel(fuel: u64) -> Environment<'static> {
    let mut env = ENVIRONMENT.clone();
    env.set_fuel(Some(fuel));
    env
}

/// minijinja's own operators, for values that were paid for.
struct Plain {
    add: Option<Expression<'static, 'static>>,
    multiply: Option<Expression<'static, 'static>>,
    contains: Option<Expression<'static, 'static>>,
}

static PLAIN_ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut env = Environment::empty();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env
});

static PLAIN: LazyLock<Plain> = LazyLock::new(|| Plain {
    add: PLAIN_ENVIRONMENT.compile_expression("a + b").ok(),
    multiply: PLAIN_ENVIRONMENT.compile_expression("a * b").ok(),
    contains: PLAIN_ENVIRONMENT.compile_expression("a in b").ok(),
});

fn plain(expression: Option<&Expression<'_, '_>>, left: &Value, right: &Value) -> Result<Value, Error> {
    let values = Value::from_pairs([("a", left.clone()), ("b", right.clone())]);
    let result = expression
        .ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "the operator is not there"))?
        .eval(values);
    // Its place is in our expression, not in the template.
    result.map_err(|error| {
        let said = error
            .detail()
            .map_or_else(|| error.kind().to_string(), str::to_owned);
        Error::new(error.kind(), said)
    })
}

fn compute(state: &State<'_, '_>, operator: &str, left: &Value, right: &Value) -> Result<Value, Error> {
    pay(state, left, right)?;
    match operator {
        "~" => {
            let mut text = format::text(left)?.into_owned();
            text.push_str(&format::text(right)?);
            Ok(Value::from(text))
        }
        "+" => plain(PLAIN.add.as_ref(), left, right),
        _ => {
            if left.as_object().is_some() || right.as_object().is_some() {
                return Err(Error::new(
                    ErrorKind::InvalidOperation,
                    "a list cannot be repeated",
                ));
            }
            let bytes = left.as_str().or(right.as_str()).map_or(0, str::len);
            let times = if left.as_str().is_some() { right } else { left };
            if bytes.saturating_mul(times.as_usize().unwrap_or(1)) > OUTPUT_LIMIT {
                return Err(Error::from(ErrorKind::OutOfFuel));
            }
            plain(PLAIN.multiply.as_ref(), left, right)
        }
    }
}

fn compare(state: &State<'_, '_>, operator: &str, left: &Value, right: &Value) -> Result<Value, Error> {
    pay(state, left, right)?;
    Ok(Value::from(match operator {
        "==" => left == right,
        "!=" => left != right,
        "<" => left < right,
        "<=" => left <= right,
        ">" => left > right,
        ">=" => left >= right,
        _ => return plain(PLAIN.contains.as_ref(), left, right),
    }))
}

fn pay(state: &State<'_, '_>, left: &Value, right: &Value) -> Result<(), Error> {
    if left.is_undefined() || right.is_undefined() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    meter::pay(state, left)?;
    meter::pay(state, right)
}
