//! The values of expressions, and their way from and to JSON.
//!
//! Big values are shared (`Arc`): reading a field never copies what lies below it.

use super::{Budget, Map, VALUE_DEPTH_LIMIT, compare, error::Fault, error::Outcome, print};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;
use snafu::Snafu;
use std::{fmt, sync::Arc};

/// What an expression computes with.
#[derive(Clone, Debug)]
pub enum Value {
    /// JSON's null. Absent is something else: see [`Value::Optional`].
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number that is never negative; only literals like `1u` and `uint()` make one.
    Uint(u64),
    /// A floating-point number.
    Double(f64),
    /// A text.
    String(Arc<str>),
    /// Raw bytes; in JSON as base64.
    Bytes(Arc<[u8]>),
    /// A list.
    List(Arc<Vec<Value>>),
    /// A map.
    Map(Arc<Map>),
    /// A moment; in JSON as RFC 3339.
    Timestamp(Timestamp),
    /// A span of time; in JSON like `90s`.
    Duration(SignedDuration),
    /// A type, as `type(x)` gives it. Not for JSON.
    Type(Type),
    /// A value that may be absent, as `.?` gives it. Not for JSON.
    Optional(Option<Arc<Value>>),
}

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// `null_type`
    Null,
    /// `bool`
    Bool,
    /// `int`
    Int,
    /// `uint`
    Uint,
    /// `double`
    Double,
    /// `string`
    String,
    /// `bytes`
    Bytes,
    /// `list`
    List,
    /// `map`
    Map,
    /// `google.protobuf.Timestamp`
    Timestamp,
    /// `google.protobuf.Duration`
    Duration,
    /// `type`
    Type,
    /// `optional_type`
    Optional,
}

impl Type {
    /// The name that stands for the type in an expression.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Null => "null_type",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Double => "double",
            Self::String => "string",
            Self::Bytes => "bytes",
            Self::List => "list",
            Self::Map => "map",
            Self::Timestamp => "google.protobuf.Timestamp",
            Self::Duration => "google.protobuf.Duration",
            Self::Type => "type",
            Self::Optional => "optional_type",
        }
    }

    /// The type that a plain name stands for.
    pub(super) fn named(name: &str) -> Option<Self> {
        const PLAIN: [Type; 11] = [
            Type::Null,
            Type::Bool,
            Type::Int,
            Type::Uint,
            Type::Double,
            Type::String,
            Type::Bytes,
            Type::List,
            Type::Map,
            Type::Type,
            Type::Optional,
        ];
        PLAIN.into_iter().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Null => "null",
            Self::Timestamp => "timestamp",
            Self::Duration => "duration",
            Self::Optional => "optional",
            other => other.name(),
        })
    }
}

/// A value that has no form in JSON or in a text.
#[derive(Debug, Clone, PartialEq, Eq, Snafu)]
#[snafu(display("{message}"))]
pub struct JsonError {
    /// What cannot be written, and what to do about it.
    pub message: String,
    /// Whether it is too large or too deep, and not of the wrong type.
    pub limit: bool,
}

impl From<Fault> for JsonError {
    fn from(fault: Fault) -> Self {
        Self {
            limit: fault.is_limit(),
            message: fault.into_message(),
        }
    }
}

impl Value {
    /// The value that a JSON value means: numbers without fraction that fit are `int`, others `double`.
    #[must_use]
    pub fn from_json(json: &Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(number) => number
                .as_i64()
                .map_or_else(|| Self::Double(number.as_f64().unwrap_or(f64::NAN)), Self::Int),
            Json::String(text) => Self::from(text.as_str()),
            Json::Array(items) => Self::from(items.iter().map(Self::from_json).collect::<Vec<_>>()),
            Json::Object(fields) => Self::Map(Arc::new(Map::from_json(fields))),
        }
    }

    /// The value as JSON. Whole numbers stay whole, doubles keep a fraction, times and durations become text;
    /// optionals, types and numbers that are not finite are errors.
    pub fn to_json(&self) -> Result<Json, JsonError> {
        Ok(self.to_json_within(&mut Budget::output())?)
    }

    /// The value as it stands inside a text: strings as they are, numbers and booleans as `string()` gives them,
    /// times as RFC 3339, lists and maps as compact JSON. Null, bytes, types and optionals are errors.
    pub fn to_text(&self) -> Result<String, JsonError> {
        Ok(self.to_text_within(&mut Budget::output())?)
    }

    /// The type of the value.
    #[must_use]
    pub const fn kind(&self) -> Type {
        match self {
            Self::Null => Type::Null,
            Self::Bool(_) => Type::Bool,
            Self::Int(_) => Type::Int,
            Self::Uint(_) => Type::Uint,
            Self::Double(_) => Type::Double,
            Self::String(_) => Type::String,
            Self::Bytes(_) => Type::Bytes,
            Self::List(_) => Type::List,
            Self::Map(_) => Type::Map,
            Self::Timestamp(_) => Type::Timestamp,
            Self::Duration(_) => Type::Duration,
            Self::Type(_) => Type::Type,
            Self::Optional(_) => Type::Optional,
        }
    }

    /// The text, if the value is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self {
            Some(text)
        } else {
            None
        }
    }

    /// The truth value, if the value is one.
    #[must_use]
    pub const fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self {
            Some(*value)
        } else {
            None
        }
    }

    pub(super) fn some(value: Self) -> Self {
        Self::Optional(Some(Arc::new(value)))
    }

    pub(super) fn to_text_within(&self, budget: &mut Budget) -> Outcome<String> {
        match self {
            Self::String(text) => {
                budget.allocate(text.len())?;
                Ok(text.as_ref().to_owned())
            }
            Self::Bool(_)
            | Self::Int(_)
            | Self::Uint(_)
            | Self::Double(_)
            | Self::Timestamp(_)
            | Self::Duration(_) => {
                let text = print::scalar(self).unwrap_or_default();
                budget.allocate(text.len())?;
                Ok(text)
            }
            Self::List(_) | Self::Map(_) => print::json(self, budget),
            Self::Null => Err(Fault::new("null cannot stand inside a text")),
            Self::Bytes(_) => Err(Fault::new(
                "bytes cannot stand inside a text: write string(x) or base64.encode(x)",
            )),
            Self::Type(_) => Err(Fault::new("a type cannot stand inside a text")),
            Self::Optional(_) => Err(Fault::new(
                "an optional cannot stand inside a text: write .orValue(\"…\") behind it",
            )),
        }
    }

    pub(super) fn to_json_within(&self, budget: &mut Budget) -> Outcome<Json> {
        self.json_at(budget, 0)
    }

    fn json_at(&self, budget: &mut Budget, depth: usize) -> Outcome<Json> {
        if depth > VALUE_DEPTH_LIMIT {
            return Err(Fault::limit(format!(
                "the value nests deeper than {VALUE_DEPTH_LIMIT} levels"
            )));
        }
        budget.step(1)?;
        Ok(match self {
            Self::Null => Json::Null,
            Self::Bool(value) => Json::Bool(*value),
            Self::Int(value) => Json::from(*value),
            Self::Uint(value) => Json::from(*value),
            Self::Double(value) => Json::Number(
                serde_json::Number::from_f64(*value)
                    .ok_or_else(|| Fault::new(format!("JSON has no number {}", print::double(*value))))?,
            ),
            Self::String(text) => {
                budget.allocate(text.len())?;
                Json::String(text.as_ref().to_owned())
            }
            Self::Bytes(_) | Self::Timestamp(_) | Self::Duration(_) => {
                Json::String(print::json_scalar(self, budget)?)
            }
            Self::List(items) => {
                budget.allocate_entries(items.len())?;
                let items: Result<_, _> = items.iter().map(|item| item.json_at(budget, depth + 1)).collect();
                Json::Array(items?)
            }
            Self::Map(map) => {
                budget.allocate_entries(map.len() * 2)?;
                let mut fields = serde_json::Map::with_capacity(map.len());
                for (key, value) in map.iter() {
                    let name = key.to_string();
                    budget.allocate(name.len())?;
                    if fields.insert(name, value.json_at(budget, depth + 1)?).is_some() {
                        return Err(Fault::new(format!("two keys of the map are `{key}` in JSON")));
                    }
                }
                Json::Object(fields)
            }
            Self::Type(kind) => {
                return Err(Fault::new(format!(
                    "a type has no form in JSON: write string(type(x)) for `{kind}`"
                )));
            }
            Self::Optional(_) => {
                return Err(Fault::new(
                    "an optional has no form in JSON: write .orValue(…) or .value() behind it",
                ));
            }
        })
    }
}

/// CEL's equality: numbers compare by value across their types.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        compare::equal(self, other, &mut Budget::new(u64::MAX, u64::MAX)).unwrap_or(false)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(Arc::from(text))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(Arc::from(text))
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Self::List(Arc::new(items))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Double(value)
    }
}
