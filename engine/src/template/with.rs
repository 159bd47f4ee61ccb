//! `with` of an action: a tree in which a template stands for a text.

use std::ops::Deref;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::{Map, Value};

use super::Targets;
use crate::expression::{ParseError, Tree};

/// A [`Tree`] with templates. Stored as its source, and for what its texts are.
#[derive(Clone, Debug, PartialEq)]
pub struct With {
    tree: Tree,
    targets: Targets,
}

impl With {
    /// Parses every string and every template. An error comes with its place, as a JSON pointer.
    pub fn parse(source: &Value, targets: Targets) -> Result<Self, (String, ParseError)> {
        Ok(Self {
            tree: Tree::parse_with_templates(source, &targets)?,
            targets,
        })
    }
}

/// The value with a text in place of each template: what a schema may look at. The text holds an expression, so that
/// nobody takes it for the final one.
#[must_use]
pub fn without_templates(source: &Value) -> Value {
    match source {
        Value::Object(fields) if is_template(fields) => Value::from(SOME_TEXT),
        Value::Object(fields) => {
            let fields = fields.iter();
            Value::Object(
                fields
                    .map(|(name, value)| (name.clone(), without_templates(value)))
                    .collect(),
            )
        }
        Value::Array(items) => items.iter().map(without_templates).collect(),
        other => other.clone(),
    }
}

/// Whether a map stands for a text.
pub(crate) fn is_template(fields: &Map<String, Value>) -> bool {
    fields.get("template").is_some_and(Value::is_string)
        && fields.keys().all(|name| name == "template" || name == "data")
}

/// A text that an expression is part of.
const SOME_TEXT: &str = "template $(data)";

impl Deref for With {
    type Target = Tree;

    fn deref(&self) -> &Tree {
        &self.tree
    }
}

#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    source: std::borrow::Cow<'a, Value>,
    #[serde(default, skip_serializing_if = "Targets::is_empty")]
    targets: std::borrow::Cow<'a, Targets>,
}

impl Serialize for With {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let source = std::borrow::Cow::Borrowed(self.tree.source());
        let targets = std::borrow::Cow::Borrowed(&self.targets);
        Stored { source, targets }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for With {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Stored { source, targets } = Stored::deserialize(deserializer)?;
        Self::parse(&source, targets.into_owned())
            .map_err(|(path, error)| D::Error::custom(format!("{path}: {error}")))
    }
}
