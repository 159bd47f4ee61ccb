//! One parsed expression.

use super::{
    Budget, Compared, EvaluationError, ParseError, Read, Scope, Value,
    ast::Node,
    compared,
    error::{Fault, Outcome},
    evaluate, parser, reads,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{fmt, sync::Arc};

/// A CEL expression, parsed once. Cheap to clone; stored as its source; equal if the source is.
#[derive(Clone)]
pub struct Program(Arc<Inner>);

struct Inner {
    source: Box<str>,
    root: Node,
}

impl Program {
    /// Parses an expression. Everything that is wrong without knowing any value is found here.
    pub fn parse(source: &str) -> Result<Self, ParseError> {
        let root = parser::parse(source)?;
        Ok(Self(Arc::new(Inner {
            source: Box::from(source),
            root,
        })))
    }

    /// The expression as it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// What the expression reads, in the order it is written. Variables of macros are not among it.
    #[must_use]
    pub fn reads(&self) -> Vec<Read> {
        reads::of(&self.0.root)
    }

    /// Which paths it compares with literal texts.
    #[must_use]
    pub fn compared(&self) -> Vec<Compared> {
        compared::of(self.root())
    }

    /// Computes the value. The budget is counted down, so that several expressions can share one.
    pub fn evaluate(&self, scope: &dyn Scope, budget: &mut Budget) -> Result<Value, EvaluationError> {
        self.run(scope, budget)
            .map_err(|fault| self.explain(fault, scope))
    }

    /// The error of a fault in this expression, or in what was made of its value. Whatever values it speaks of came
    /// from what the expression reads.
    pub(super) fn explain(&self, fault: Fault, scope: &dyn Scope) -> EvaluationError {
        let sensitive = self.reads().into_iter().find(|read| {
            let path: Vec<&str> = read.path.iter().map(String::as_str).collect();
            scope.is_sensitive(&path)
        });
        let fault = match sensitive {
            Some(read) => fault.hiding(&read.path.join(".")),
            None => fault,
        };
        EvaluationError::from_fault(&fault, self.source())
    }

    pub(super) fn root(&self) -> &Node {
        &self.0.root
    }

    pub(super) fn run(&self, scope: &dyn Scope, budget: &mut Budget) -> Outcome<Value> {
        evaluate::evaluate(&self.0.root, scope, budget)
    }
}

impl PartialEq for Program {
    fn eq(&self, other: &Self) -> bool {
        self.source() == other.source()
    }
}

impl Eq for Program {}

impl fmt::Debug for Program {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Program").field(&self.source()).finish()
    }
}

impl fmt::Display for Program {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.source())
    }
}

impl Serialize for Program {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.source())
    }
}

impl<'de> Deserialize<'de> for Program {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
