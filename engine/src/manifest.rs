//! Manifests as people write them: YAML or JSON text, with line and column of everything in it.
//!
//! The text may come from anybody. It is bounded before it is read, and the reader is bounded in depth, documents,
//! nodes and what aliases unfold to.

use std::sync::Arc;

use serde_json::Value;
use snafu::Snafu;

use crate::problem::Problem;

mod check;
mod outline;
mod read;
mod shape;
mod written;

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;

pub use check::{check, check_workflow};
use outline::Outlines;

/// The largest text: what a custom resource may have, and more than anybody reads.
pub const MANIFEST_BYTES: usize = 512 * 1024;

/// A text that is no list of manifests.
#[derive(Clone, Debug, PartialEq, Eq, Snafu)]
#[snafu(display("line {line}, column {column}: {message} ({code})"))]
pub struct ManifestProblem {
    /// From 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
    /// Stable word, such as `DuplicateKey`.
    pub code: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// One object of a manifest.
#[derive(Clone, Debug)]
pub struct Document {
    /// `kind`.
    pub kind: String,
    /// `metadata.name`; empty if the object has a `generateName` instead.
    pub name: String,
    /// `metadata.namespace`.
    pub namespace: Option<String>,
    /// All of it.
    pub object: Value,
    /// The text that it stands in.
    outlines: Arc<Outlines>,
    /// Its place among the documents there that are not empty.
    number: usize,
}

/// Findings about a field and not about its value.
const OF_FIELDS: [&str; 5] = [
    "UnknownField",
    "FieldNotAllowed",
    "NotSupportedYet",
    "SeveralKinds",
    "BooleanKey",
];

impl Document {
    /// Line and column (from 1) of a path such as `spec.steps[2].needs[0]`, or of its nearest parent.
    #[must_use]
    pub fn position(&self, path: &str) -> Option<(u32, u32)> {
        Some(self.outlines.document(self.number).position(path))
    }

    /// Line and column (from 1) of what a finding is about: the place in a text, the value, or else the field.
    #[must_use]
    pub fn place(&self, problem: &Problem) -> (u32, u32) {
        let outline = self.outlines.document(self.number);
        let field = || outline.position(&problem.path);
        let Some(written) = outline.written(&problem.path) else {
            return field();
        };
        let (line, column) = match problem.offset {
            Some(offset) => written.place(self.outlines.text(), offset),
            None if OF_FIELDS.contains(&problem.code.as_str()) => return field(),
            None => written.start(),
        };
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        (number(line), number(column))
    }
}

/// Parses YAML or JSON text of one or more documents.
pub fn parse(bytes: &[u8]) -> Result<Vec<Document>, Vec<ManifestProblem>> {
    read::parse(bytes)
}
