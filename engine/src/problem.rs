//! What is wrong with a manifest, said once and shown everywhere: by admission, lint, the API and conditions.

use serde::{Deserialize, Serialize};

/// One finding of the compiler.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Whether it stops the workflow from running.
    pub severity: Severity,
    /// Stable word, such as `UnknownStep`.
    pub code: String,
    /// Where, such as `spec.steps[2].needs[0]`.
    pub path: String,
    /// What is wrong and what to do, in one sentence.
    pub message: String,
    /// What was probably meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The workflow is rejected.
    Error,
    /// It runs; somebody should look.
    Warning,
}

impl Problem {
    /// Something that rejects the manifest.
    #[must_use]
    pub fn error(code: &str, path: impl Into<String>, message: impl Into<String>) -> Self {
        let (path, message) = (path.into(), message.into());
        Self {
            severity: Severity::Error,
            code: code.to_owned(),
            path,
            message,
            suggestion: None,
        }
    }

    /// Something to look at.
    #[must_use]
    pub fn warning(code: &str, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, path, message)
        }
    }

    /// With what was probably meant.
    #[must_use]
    pub fn suggesting(mut self, suggestion: Option<String>) -> Self {
        self.suggestion = suggestion;
        self
    }

    /// `/spec/steps/2/needs/0`: the path as RFC 6901 writes it.
    #[must_use]
    pub fn pointer(&self) -> String {
        let mut pointer = String::with_capacity(self.path.len() + 1);
        for part in self.path.split(['.', '[']).map(|part| part.trim_end_matches(']')) {
            pointer.push('/');
            pointer.push_str(&part.replace('~', "~0").replace('/', "~1"));
        }
        pointer
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {} ({})", self.path, self.message, self.code)?;
        match &self.suggestion {
            Some(suggestion) => write!(formatter, "; did you mean `{suggestion}`?"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_a_json_pointer() {
        assert_eq!(
            Problem::error("X", "spec.steps[2].needs[0]", "m").pointer(),
            "/spec/steps/2/needs/0"
        );
    }
}
