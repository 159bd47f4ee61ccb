//! Static types: what can be known of an expression before anything runs.
//!
//! Types come from JSON Schemas (inputs, actions) and from literals; what nothing is known of is [`Type::Dyn`], and
//! is never complained about. A problem is only what fails whenever it is evaluated.
//!
//! ```text
//! JSON Schema ──► Type ─┐
//!                       ├─ Environment ──► Program::check ──► Type, problems
//! literals    ──► Type ─┘                       │
//!                                               └──► may_satisfy(Type, schema of the field)
//! ```

mod check;
mod satisfy;
mod schema;
mod signature;
mod signatures;
mod union;

#[cfg(test)]
mod tests;

use super::{Key, Program, Text, Tree, Value};
use serde_json::Value as Json;
use std::{fmt, sync::Arc};

pub use satisfy::may_satisfy;

/// What is known of a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    /// Nothing is known.
    Dyn,
    /// JSON's null.
    Null,
    /// True or false.
    Bool,
    /// A whole number.
    Int,
    /// A whole number that is never negative.
    Uint,
    /// A floating-point number.
    Double,
    /// An `int` or a `double`: what JSON Schema calls a number.
    Number,
    /// A text.
    String,
    /// Raw bytes.
    Bytes,
    /// A moment.
    Timestamp,
    /// A span of time.
    Duration,
    /// A type, as `type(x)` gives it.
    Kind,
    /// A list of such elements.
    List(Arc<Type>),
    /// A map from such keys to such values, whose keys are not known.
    Map(Arc<Type>, Arc<Type>),
    /// A map with known fields.
    Object(Arc<Object>),
    /// A value that may be absent.
    Optional(Arc<Type>),
    /// One of several types, none of which is one of these.
    AnyOf(Arc<[Type]>),
}

/// A map with known fields.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Object {
    /// The known fields, in the order they were declared.
    pub fields: Vec<Field>,
    /// The type of other fields; nothing if there are none.
    pub rest: Option<Type>,
    /// It is written out in the workflow, and no schema declares it: then asking whether it has a field misspells nothing.
    pub written: bool,
}

/// A field of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: Arc<str>,
    /// Its type, where it is there.
    pub type_: Type,
    /// Whether it is there in any case.
    pub required: bool,
}

/// The names that an expression may read.
pub trait Environment {
    /// The type of a root name (`inputs`, `steps`, `item`, …). Nothing of an unknown one: that is said elsewhere.
    fn lookup(&self, name: &str) -> Option<Type>;

    /// A short cut for `steps.a.output.total`: the type of a beginning of the path, and how many names it covers (at
    /// least one).
    fn path(&self, path: &[&str]) -> Option<(Type, usize)> {
        self.lookup(path.first()?).map(|type_| (type_, 1))
    }
}

/// What is wrong with an expression whatever the values are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeProblem {
    /// Which sort of mistake it is.
    pub kind: ProblemKind,
    /// What is wrong, in which part.
    pub message: String,
    /// Where, in bytes from the start of the source.
    pub position: usize,
    /// What was probably meant.
    pub suggestion: Option<String>,
}

/// The sorts of mistakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// A field that its object does not have.
    UnknownField,
    /// A field that an object never has, asked for in a way that allows for that.
    NeverThere,
    /// A value of a type that the operator or function is not for.
    WrongType,
}

impl Type {
    /// What a JSON Schema says of its values. What is not understood is `dyn`. An object with `properties` is closed to
    /// reads unless `additionalProperties` is true or a schema.
    #[must_use]
    pub fn from_schema(schema: &Json) -> Self {
        schema::read(schema)
    }

    /// The type of a literal JSON value. Its objects have the fields they have.
    #[must_use]
    pub fn of_json(json: &Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(_) => Self::Bool,
            Json::Number(number) if number.as_i64().is_some() => Self::Int,
            Json::Number(_) => Self::Double,
            Json::String(_) => Self::String,
            Json::Array(items) => Self::list(Self::any_of(items.iter().map(Self::of_json))),
            Json::Object(fields) => Self::Object(Arc::new(Object {
                fields: fields
                    .iter()
                    .map(|(name, value)| Field {
                        name: Arc::from(name.as_str()),
                        type_: Self::of_json(value),
                        required: true,
                    })
                    .collect(),
                rest: None,
                written: true,
            })),
        }
    }

    pub(super) fn of_value(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Bool,
            Value::Int(_) => Self::Int,
            Value::Uint(_) => Self::Uint,
            Value::Double(_) => Self::Double,
            Value::String(_) => Self::String,
            Value::Bytes(_) => Self::Bytes,
            Value::Timestamp(_) => Self::Timestamp,
            Value::Duration(_) => Self::Duration,
            Value::Type(_) => Self::Kind,
            Value::List(items) => Self::list(Self::any_of(items.iter().map(Self::of_value))),
            Value::Map(map)
                if !map.is_empty() && map.iter().all(|(key, _)| matches!(key, Key::String(_))) =>
            {
                Self::Object(Arc::new(Object {
                    fields: map
                        .iter()
                        .map(|(key, value)| Field {
                            name: Arc::from(key.to_string()),
                            type_: Self::of_value(value),
                            required: true,
                        })
                        .collect(),
                    rest: None,
                    written: true,
                }))
            }
            Value::Map(map) => {
                let value = Self::any_of(map.iter().map(|(_, value)| Self::of_value(value)));
                let key = Self::any_of(map.iter().map(|(key, _)| Self::of_value(&key.to_value())));
                Self::Map(Arc::new(key), Arc::new(value))
            }
            Value::Optional(None) => Self::optional(Self::Dyn),
            Value::Optional(Some(inner)) => Self::optional(Self::of_value(inner)),
        }
    }

    /// A list of such elements.
    #[must_use]
    pub fn list(element: Self) -> Self {
        Self::List(Arc::new(element))
    }

    /// A map from texts to such values.
    #[must_use]
    pub fn map(value: Self) -> Self {
        Self::Map(Arc::new(Self::String), Arc::new(value))
    }

    /// A value that may be absent.
    #[must_use]
    pub fn optional(inner: Self) -> Self {
        Self::Optional(Arc::new(inner))
    }

    /// A map with exactly these fields.
    #[must_use]
    pub fn object<'a>(fields: impl IntoIterator<Item = (&'a str, Self)>) -> Self {
        Self::Object(Arc::new(Object {
            fields: fields
                .into_iter()
                .map(|(name, type_)| Field {
                    name: Arc::from(name),
                    type_,
                    required: true,
                })
                .collect(),
            rest: None,
            written: false,
        }))
    }

    /// One of these types. Of none at all nothing is known.
    #[must_use]
    pub fn any_of(types: impl IntoIterator<Item = Self>) -> Self {
        union::of(types)
    }

    /// The alternatives, which is the type itself if there is only one.
    fn alternatives(&self) -> &[Self] {
        match self {
            Self::AnyOf(types) => types,
            other => std::slice::from_ref(other),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dyn => formatter.write_str("any value"),
            Self::Null => formatter.write_str("null"),
            Self::Bool => formatter.write_str("bool"),
            Self::Int => formatter.write_str("int"),
            Self::Uint => formatter.write_str("uint"),
            Self::Double => formatter.write_str("double"),
            Self::Number => formatter.write_str("number"),
            Self::String => formatter.write_str("string"),
            Self::Bytes => formatter.write_str("bytes"),
            Self::Timestamp => formatter.write_str("timestamp"),
            Self::Duration => formatter.write_str("duration"),
            Self::Kind => formatter.write_str("type"),
            Self::List(element) if **element == Self::Dyn => formatter.write_str("list"),
            Self::List(element) => write!(formatter, "list of {element}"),
            Self::Map(..) | Self::Object(_) => formatter.write_str("map"),
            Self::Optional(inner) if **inner == Self::Dyn => formatter.write_str("optional"),
            Self::Optional(inner) => write!(formatter, "optional {inner}"),
            Self::AnyOf(types) => {
                for (index, one) in types.iter().enumerate() {
                    let separator = if index == 0 { "" } else { " or " };
                    write!(formatter, "{separator}{one}")?;
                }
                Ok(())
            }
        }
    }
}

impl Program {
    /// The type of the value, and what is wrong with the expression whatever the values are.
    #[must_use]
    pub fn check(&self, environment: &dyn Environment) -> (Type, Vec<TypeProblem>) {
        check::of(self.root(), self.source(), environment)
    }
}

impl Text {
    /// The type of the value, as [`Program::check`]; of other text than a lone expression, a string. Positions count
    /// from the start of the text.
    #[must_use]
    pub fn check(&self, environment: &dyn Environment) -> (Type, Vec<TypeProblem>) {
        let mut problems = Vec::new();
        let mut lone = None;
        for (base, program) in self.programs() {
            let (type_, found) = program.check(environment);
            problems.extend(found.into_iter().map(|problem| TypeProblem {
                position: problem.position + base,
                ..problem
            }));
            lone = Some(type_);
        }
        let type_ = if self.is_lone() { lone } else { None };
        (type_.unwrap_or(Type::String), problems)
    }
}

impl Tree {
    /// The type of the whole, and the problems of its texts, each with the place of its text as a JSON pointer. A field
    /// whose expression may be an empty optional may be left out.
    #[must_use]
    pub fn check(&self, environment: &dyn Environment) -> (Type, Vec<(String, TypeProblem)>) {
        let mut problems = Vec::new();
        let type_ = check::tree(self.root(), "", environment, &mut problems);
        (type_, problems)
    }
}
