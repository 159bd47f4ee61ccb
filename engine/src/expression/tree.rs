//! JSON whose strings are texts: `with`, `set`, `outputs`.

mod rendering;

use super::{Budget, EvaluationError, ParseError, Program, Read, Scope, Text, VALUE_DEPTH_LIMIT};
use crate::template::Targets;
use rendering::Rendering;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::Value as Json;
use std::{fmt, sync::Arc};

/// A JSON value with expressions in its strings, parsed once. Keys are literal. Cheap to clone; stored as the JSON
/// it was made of.
#[derive(Clone)]
pub struct Tree(Arc<Inner>);

struct Inner {
    source: Json,
    root: Branch,
}

pub(super) enum Branch {
    /// Nothing to compute below here.
    Literal(Json),
    Text(Text),
    List(Vec<Branch>),
    Map(Vec<(String, Branch)>),
    /// A text that a template makes.
    Rendering(Box<Rendering>),
}

impl Tree {
    /// Parses every string of a JSON value. An error comes with its place, as a JSON pointer.
    pub fn parse(source: &Json) -> Result<Self, (String, ParseError)> {
        Self::grown(source, None)
    }

    /// The same for a value in which `{template: "…", data: {…}}` stands for a text. For what each is, a field of an
    /// action says.
    pub fn parse_with_templates(source: &Json, targets: &Targets) -> Result<Self, (String, ParseError)> {
        Self::grown(source, Some(targets))
    }

    fn grown(source: &Json, targets: Option<&Targets>) -> Result<Self, (String, ParseError)> {
        let root = grow(source, "", 0, targets)?;
        Ok(Self(Arc::new(Inner {
            source: source.clone(),
            root,
        })))
    }

    /// The JSON as it was written.
    #[must_use]
    pub fn source(&self) -> &Json {
        &self.0.source
    }

    /// Whether there is nothing to compute.
    #[must_use]
    pub fn is_literal(&self) -> bool {
        matches!(self.0.root, Branch::Literal(_))
    }

    /// The texts with expressions, each with its place as a JSON pointer.
    #[must_use]
    pub fn texts(&self) -> Vec<(String, &Text)> {
        let mut found = Vec::new();
        gather(&self.0.root, "", &mut found);
        found
    }

    /// All expressions, each with the place of its text as a JSON pointer.
    #[must_use]
    pub fn programs(&self) -> Vec<(String, &Program)> {
        let texts = self.texts().into_iter();
        texts
            .flat_map(|(path, text)| {
                text.programs()
                    .into_iter()
                    .map(move |(_, program)| (path.clone(), program))
            })
            .collect()
    }

    /// What the expressions read, each with the place of its text as a JSON pointer. Offsets count from the start of
    /// that text.
    #[must_use]
    pub fn reads(&self) -> Vec<(String, Read)> {
        let texts = self.texts().into_iter();
        texts
            .flat_map(|(path, text)| text.reads().into_iter().map(move |read| (path.clone(), read)))
            .collect()
    }

    pub(super) fn root(&self) -> &Branch {
        &self.0.root
    }

    /// Computes the JSON. A field whose value is an empty optional is left out; in a list that is an error.
    pub fn evaluate(&self, scope: &dyn Scope, budget: &mut Budget) -> Result<Json, EvaluationError> {
        compute(&self.0.root, scope, budget)
    }
}

fn grow(
    json: &Json,
    path: &str,
    depth: usize,
    targets: Option<&Targets>,
) -> Result<Branch, (String, ParseError)> {
    if depth > VALUE_DEPTH_LIMIT {
        let message = format!("the value nests deeper than {VALUE_DEPTH_LIMIT} levels");
        return Err((path.to_owned(), ParseError::new(message, 0)));
    }
    let is_literal = |branch: &Branch| matches!(branch, Branch::Literal(_));
    Ok(match json {
        Json::String(source) => {
            let text = Text::parse(source).map_err(|error| (path.to_owned(), error))?;
            match text.literal() {
                Some(literal) => Branch::Literal(Json::String(literal.to_owned())),
                None => Branch::Text(text),
            }
        }
        Json::Array(items) => {
            let items = items
                .iter()
                .enumerate()
                .map(|(index, item)| grow(item, &format!("{path}/{index}"), depth + 1, targets))
                .collect::<Result<Vec<_>, _>>()?;
            if items.iter().all(is_literal) {
                Branch::Literal(Json::Array(items.into_iter().filter_map(literal).collect()))
            } else {
                Branch::List(items)
            }
        }
        Json::Object(fields) => {
            if let Some(targets) = targets
                && let Some(source) = rendering::template(fields)
            {
                return Rendering::grow(source, fields, path, depth, targets);
            }
            let fields = fields
                .iter()
                .map(|(name, value)| {
                    Ok((
                        name.clone(),
                        grow(value, &format!("{path}/{}", escaped(name)), depth + 1, targets)?,
                    ))
                })
                .collect::<Result<Vec<_>, (String, ParseError)>>()?;
            if fields.iter().all(|(_, value)| is_literal(value)) {
                let fields = fields
                    .into_iter()
                    .filter_map(|(name, value)| Some((name, literal(value)?)));
                Branch::Literal(Json::Object(fields.collect()))
            } else {
                Branch::Map(fields)
            }
        }
        other => Branch::Literal(other.clone()),
    })
}

fn literal(branch: Branch) -> Option<Json> {
    if let Branch::Literal(json) = branch {
        Some(json)
    } else {
        None
    }
}

/// A name as a part of a JSON pointer (RFC 6901).
pub(super) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn gather<'a>(branch: &'a Branch, path: &str, found: &mut Vec<(String, &'a Text)>) {
    match branch {
        Branch::Literal(_) => {}
        Branch::Text(text) => found.push((path.to_owned(), text)),
        Branch::List(items) => {
            for (index, item) in items.iter().enumerate() {
                gather(item, &format!("{path}/{index}"), found);
            }
        }
        Branch::Rendering(rendering) => rendering.gather(path, found),
        Branch::Map(fields) => {
            for (name, value) in fields {
                gather(value, &format!("{path}/{}", escaped(name)), found);
            }
        }
    }
}

fn compute(branch: &Branch, scope: &dyn Scope, budget: &mut Budget) -> Result<Json, EvaluationError> {
    match branch {
        Branch::Literal(json) => Ok(json.clone()),
        Branch::Text(text) => optional(text, scope, budget)?.ok_or_else(|| {
            EvaluationError::plain(
                format!(
                    "`{}` is an empty optional, and nothing can be left out here",
                    text.source()
                ),
                text.source(),
            )
        }),
        Branch::List(items) => {
            let items: Result<_, _> = items.iter().map(|item| compute(item, scope, budget)).collect();
            Ok(Json::Array(items?))
        }
        Branch::Rendering(rendering) => rendering.compute(scope, budget),
        Branch::Map(fields) => {
            let mut out = serde_json::Map::with_capacity(fields.len());
            for (name, value) in fields {
                let value = match value {
                    Branch::Text(text) => optional(text, scope, budget)?,
                    other => Some(compute(other, scope, budget)?),
                };
                if let Some(value) = value {
                    out.insert(name.clone(), value);
                }
            }
            Ok(Json::Object(out))
        }
    }
}

fn optional(text: &Text, scope: &dyn Scope, budget: &mut Budget) -> Result<Option<Json>, EvaluationError> {
    let Some(value) = text.evaluate(scope, budget)? else {
        return Ok(None);
    };
    let json = value
        .to_json_within(budget)
        .map_err(|fault| text.explain(fault, scope))?;
    Ok(Some(json))
}

impl PartialEq for Tree {
    fn eq(&self, other: &Self) -> bool {
        self.source() == other.source()
    }
}

impl fmt::Debug for Tree {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Tree").field(self.source()).finish()
    }
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.source().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&Json::deserialize(deserializer)?)
            .map_err(|(path, error)| D::Error::custom(format!("{path}: {error}")))
    }
}
