//! Texts with expressions in them: `Hello $(inputs.name)`.
//!
//! A lone expression keeps its type; among other text it is rendered. Of a run of dollars before a bracket each
//! pair is one literal dollar, and an odd one opens an expression.

use super::{Budget, EvaluationError, ParseError, Program, Read, Scope, Value, error::Fault, lexer};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{fmt, sync::Arc};

/// A text, parsed once. Cheap to clone; stored as its source; equal if the source is.
#[derive(Clone)]
pub struct Text(Arc<Inner>);

struct Inner {
    source: Box<str>,
    parts: Parts,
}

enum Parts {
    Literal(Arc<str>),
    /// One expression and nothing but white space around it.
    Lone(Embedded),
    Mixed(Vec<Part>),
}

enum Part {
    Literal(Box<str>),
    Expression(Embedded),
}

struct Embedded {
    program: Program,
    /// Where its source begins in the text.
    base: usize,
}

impl Text {
    /// Parses a text. Offsets in the error count from the start of the text.
    pub fn parse(source: &str) -> Result<Self, ParseError> {
        let parts = split(source)?;
        Ok(Self(Arc::new(Inner {
            source: Box::from(source),
            parts,
        })))
    }

    /// The text as it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// Whether there is no expression in the text.
    #[must_use]
    pub fn is_literal(&self) -> bool {
        matches!(self.0.parts, Parts::Literal(_))
    }

    /// Whether the text is one expression and nothing but white space around it.
    #[must_use]
    pub fn is_lone(&self) -> bool {
        matches!(self.0.parts, Parts::Lone(_))
    }

    /// The value of a text without expressions, with `$$(` already read as `$(`.
    #[must_use]
    pub fn literal(&self) -> Option<&str> {
        if let Parts::Literal(text) = &self.0.parts {
            Some(text)
        } else {
            None
        }
    }

    /// The expressions in the text, and where each begins in it.
    #[must_use]
    pub fn programs(&self) -> Vec<(usize, &Program)> {
        self.embedded()
            .map(|embedded| (embedded.base, &embedded.program))
            .collect()
    }

    /// What the expressions read; offsets count from the start of the text.
    #[must_use]
    pub fn reads(&self) -> Vec<Read> {
        let shifted = |embedded: &Embedded| {
            let base = embedded.base;
            embedded.program.reads().into_iter().map(move |read| Read {
                offset: read.offset + base,
                ..read
            })
        };
        self.embedded().flat_map(shifted).collect()
    }

    /// Computes the value: of a lone expression its own, otherwise a string. Nothing if a lone expression is an
    /// empty optional: then the field is left out.
    pub fn evaluate(&self, scope: &dyn Scope, budget: &mut Budget) -> Result<Option<Value>, EvaluationError> {
        match &self.0.parts {
            Parts::Literal(text) => Ok(Some(Value::String(text.clone()))),
            Parts::Lone(embedded) => Ok(match self.value(embedded, scope, budget)? {
                Value::Optional(inner) => inner.as_deref().cloned(),
                value => Some(value),
            }),
            Parts::Mixed(parts) => {
                let mut out = String::new();
                for part in parts {
                    match part {
                        Part::Literal(text) => out.push_str(text),
                        Part::Expression(embedded) => {
                            let value = self.value(embedded, scope, budget)?;
                            let rendered = value.to_text_within(budget).map_err(|fault| {
                                embedded
                                    .program
                                    .explain(fault, scope)
                                    .within(self.source(), embedded.base)
                            })?;
                            out.push_str(&rendered);
                        }
                    }
                }
                Ok(Some(Value::from(out)))
            }
        }
    }

    fn value(
        &self,
        embedded: &Embedded,
        scope: &dyn Scope,
        budget: &mut Budget,
    ) -> Result<Value, EvaluationError> {
        embedded
            .program
            .evaluate(scope, budget)
            .map_err(|error| error.within(self.source(), embedded.base))
    }

    /// The error of a fault in what was made of the value of a lone expression.
    pub(super) fn explain(&self, fault: Fault, scope: &dyn Scope) -> EvaluationError {
        match self.embedded().next() {
            Some(embedded) => {
                let error = embedded.program.explain(fault, scope);
                error.within(self.source(), embedded.base)
            }
            None => EvaluationError::from_fault(&fault, self.source()),
        }
    }

    fn embedded(&self) -> impl Iterator<Item = &Embedded> {
        let (lone, parts) = match &self.0.parts {
            Parts::Literal(_) => (None, [].as_slice()),
            Parts::Lone(embedded) => (Some(embedded), [].as_slice()),
            Parts::Mixed(parts) => (None, parts.as_slice()),
        };
        lone.into_iter().chain(parts.iter().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Expression(embedded) => Some(embedded),
        }))
    }
}

fn split(source: &str) -> Result<Parts, ParseError> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut position = 0;
    while let Some(found) = source[position..].find('$') {
        let start = position + found;
        literal.push_str(&source[position..start]);
        let dollars = source[start..]
            .bytes()
            .take_while(|letter| *letter == b'$')
            .count();
        let bracket = start + dollars;
        if !source[bracket..].starts_with('(') {
            literal.push_str(&source[start..bracket]);
            position = bracket;
            continue;
        }
        literal.push_str(&source[start..start + dollars / 2]);
        if dollars % 2 == 0 {
            literal.push('(');
            position = bracket + 1;
            continue;
        }
        let base = bracket + 1;
        let unclosed = || {
            ParseError::new(
                "the $( is not closed by a bracket (write $$( for the characters themselves)",
                bracket - 1,
            )
        };
        let end = lexer::closing(source, base)?.ok_or_else(unclosed)?;
        let program = Program::parse(&source[base..end]).map_err(|error| error.shifted(base))?;
        if !literal.is_empty() {
            parts.push(Part::Literal(std::mem::take(&mut literal).into_boxed_str()));
        }
        parts.push(Part::Expression(Embedded { program, base }));
        position = end + 1;
    }
    literal.push_str(&source[position..]);
    if parts.is_empty() {
        return Ok(Parts::Literal(Arc::from(literal)));
    }
    if !literal.is_empty() {
        parts.push(Part::Literal(literal.into_boxed_str()));
    }
    let blank = |part: &Part| matches!(part, Part::Literal(text) if text.trim().is_empty());
    if parts.iter().filter(|part| !blank(part)).count() == 1 {
        parts.retain(|part| !blank(part));
        if matches!(parts.as_slice(), [Part::Expression(_)])
            && let Some(Part::Expression(embedded)) = parts.pop()
        {
            return Ok(Parts::Lone(embedded));
        }
    }
    Ok(Parts::Mixed(parts))
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.source() == other.source()
    }
}

impl Eq for Text {}

impl fmt::Debug for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Text").field(&self.source()).finish()
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.source())
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
