//! Why a script failed: a code, a message, and where in its source.

use rquickjs::{Ctx, Error, Object, Value as Js};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use snafu::Snafu;

use super::{Line, output};

/// How long a message may be; it goes into the journal.
const MESSAGE: usize = 4 * 1024;
/// Bytes of the details of an error that a script throws.
const DETAILS: usize = 16 * 1024;
/// Lines that QuickJS puts before the body of a function.
const HEADER: u32 = 2;
/// The name that QuickJS gives the source of a function that was made of text.
const SOURCE_NAME: &str = "<input>:";

/// A script that failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Snafu)]
#[snafu(display("{message}"))]
pub struct ScriptError {
    /// `ScriptError`, `InvalidOutput`, `LimitExceeded`, `Cancelled`, `Internal`, or what the script threw.
    pub code: String,
    /// What is wrong, and where.
    pub message: String,
    /// The line of the source, from 1.
    pub line: Option<u32>,
    /// The column of the source, from 1.
    pub column: Option<u32>,
    /// What the script threw beside `code` and `message` as `details`.
    pub details: Option<Value>,
    /// What it wrote until then.
    pub logs: Vec<Line>,
}

impl ScriptError {
    pub(super) fn new(code: &str, message: impl Into<String>) -> Self {
        let mut message = message.into();
        message.truncate(message.floor_char_boundary(MESSAGE));
        Self {
            code: code.to_owned(),
            message,
            line: None,
            column: None,
            details: None,
            logs: Vec::new(),
        }
    }

    pub(super) fn limit(message: impl Into<String>) -> Self {
        Self::new("LimitExceeded", message)
    }

    pub(super) fn internal(message: impl Into<String>) -> Self {
        Self::new("Internal", message)
    }
}

/// What came instead of a value.
pub(super) enum Cause<'js> {
    /// An exception of the script, or of the engine.
    Thrown(Js<'js>),
    /// Something else, already in words. Boxed: it goes through every level of an output that is read.
    Ready(Box<ScriptError>),
}

impl<'js> Cause<'js> {
    pub(super) fn ready(error: ScriptError) -> Self {
        Self::Ready(Box::new(error))
    }

    pub(super) fn of(ctx: &Ctx<'js>, error: Error) -> Self {
        match error {
            Error::Exception => Self::Thrown(ctx.catch()),
            Error::Allocation => Self::ready(out_of_memory()),
            other => Self::ready(ScriptError::new("ScriptError", other.to_string())),
        }
    }

    pub(super) fn into_error(self, ctx: &Ctx<'js>, source: &str) -> ScriptError {
        match self {
            Self::Ready(error) => *error,
            Self::Thrown(value) => thrown(ctx, &value, source),
        }
    }
}

pub(super) fn out_of_memory() -> ScriptError {
    ScriptError::limit("the script uses more memory than it may")
}

pub(super) fn nothing_comes() -> ScriptError {
    ScriptError::new(
        "ScriptError",
        "the script awaits something that nothing will bring",
    )
}

/// Whether this was thrown because there is no memory left. Without any for an error, QuickJS throws null.
pub(super) fn is_lack_of_memory(thrown: &Js<'_>) -> bool {
    thrown.is_null()
        || thrown.as_object().is_some_and(|object| {
            text(object, "name").as_deref() == Some("InternalError")
                && text(object, "message").is_some_and(|said| said.starts_with("out of memory"))
        })
}

fn thrown<'js>(ctx: &Ctx<'js>, value: &Js<'js>, source: &str) -> ScriptError {
    // What QuickJS throws when there is no memory left for an error.
    if value.is_null() {
        return ScriptError::limit("the script uses more memory than it may (or throws null)");
    }
    let Some(object) = value.as_object() else {
        let text = match output::read(ctx, value, MESSAGE) {
            Ok(Value::String(text)) => text,
            Ok(other) => format!("{other} was thrown"),
            Err(_) => format!("a {} was thrown", value.type_name()),
        };
        return ScriptError::new("ScriptError", text);
    };
    let name = text(object, "name");
    let message = text(object, "message");
    match (name.as_deref(), message.as_deref()) {
        _ if is_lack_of_memory(value) => return out_of_memory(),
        (Some("RangeError"), Some("Maximum call stack size exceeded")) => {
            return ScriptError::limit("the functions of the script call each other too deep");
        }
        _ => {}
    }
    let place = text(object, "stack").and_then(|stack| place(&stack, source));
    let own_code = text(object, "code").filter(|code| is_code(code));
    let said = match (&own_code, name, message) {
        (Some(code), _, None) => code.clone(),
        (None, Some(name), Some(message)) => format!("{name}: {message}"),
        (_, _, Some(message)) => message,
        (None, _, None) => match output::read(ctx, value, MESSAGE) {
            Ok(json) => format!("{json} was thrown"),
            Err(_) => "an object was thrown".to_owned(),
        },
    };
    let place_text = place.map_or_else(String::new, |(line, column)| {
        format!(" (line {line}, column {column} of the script)")
    });
    // What a script throws on purpose is for its reader; where it stands is of no interest then.
    let said = if own_code.is_some() {
        said
    } else {
        format!("{said}{place_text}")
    };
    let mut error = ScriptError::new(own_code.as_deref().unwrap_or("ScriptError"), said);
    (error.line, error.column) = place.unzip();
    if own_code.is_some()
        && let Ok(details) = object.get::<_, Js<'js>>("details")
        && !details.is_undefined()
    {
        error.details = output::read(ctx, &details, DETAILS).ok();
    }
    error
}

fn text(object: &Object<'_>, name: &str) -> Option<String> {
    let value: Js<'_> = object.get(name).ok()?;
    let text = value.as_string()?.to_string().ok()?;
    Some(text)
}

/// The codes of the language: `NotFound`.
fn is_code(code: &str) -> bool {
    code.len() <= 63
        && code.starts_with(|letter: char| letter.is_ascii_uppercase())
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The first place of a stack that is in the source: `at f (<input>:3:7)`. What is missing at the end of the source is
/// missed behind it.
fn place(stack: &str, source: &str) -> Option<(u32, u32)> {
    let (_, rest) = stack.split_once(SOURCE_NAME)?;
    let mut numbers = rest.split(|letter: char| !letter.is_ascii_digit());
    let line: u32 = numbers.next()?.parse().ok()?;
    let column: u32 = numbers.next()?.parse().ok()?;
    let line = line.checked_sub(HEADER)?.max(1);
    let last = source.lines().last().unwrap_or_default();
    let lines = u32::try_from(source.lines().count().max(1)).ok()?;
    if line > lines {
        return Some((lines, u32::try_from(last.chars().count()).ok()? + 1));
    }
    Some((line, column.max(1)))
}
