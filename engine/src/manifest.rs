//! Manifests as people write them: YAML or JSON text, with line and column of everything in it.

use flowpilot_crds::WorkflowSpec;
use serde_json::Value;
use snafu::Snafu;

use crate::compile::{Compiled, Context};
use crate::problem::Problem;

/// The largest text of manifests: what a custom resource may have, and more than anybody reads.
pub const MANIFEST_BYTES: usize = 512 * 1024;

/// A text that is no list of manifests.
#[derive(Clone, Debug, PartialEq, Eq, Snafu)]
#[snafu(display("line {line}, column {column}: {message}"))]
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
    /// `metadata.name`.
    pub name: String,
    /// `metadata.namespace`.
    pub namespace: Option<String>,
    /// All of it.
    pub object: Value,
}

impl Document {
    /// Line and column (from 1) of a path such as `spec.steps[2].needs[0]`, or of its nearest parent.
    #[must_use]
    pub fn position(&self, path: &str) -> Option<(u32, u32)> {
        let _ = path;
        None
    }
}

/// Parses YAML or JSON text of one or more documents.
pub fn parse(bytes: &[u8]) -> Result<Vec<Document>, Vec<ManifestProblem>> {
    let _ = bytes;
    Ok(Vec::new())
}

/// Everything that one Workflow object can be checked for: unknown fields, shape, and the compiler.
pub fn check_workflow(object: &Value, context: &Context) -> Result<(WorkflowSpec, Compiled), Vec<Problem>> {
    let _ = (object, context);
    Err(Vec::new())
}

/// Checks an object of any of the six kinds.
#[must_use]
pub fn check(document: &Document) -> Vec<Problem> {
    let _ = document;
    Vec::new()
}
