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
    /// Where in the text that stands at the path, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<usize>,
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
            offset: None,
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

    /// With a place in the text.
    #[must_use]
    pub fn at(mut self, offset: Option<usize>) -> Self {
        self.offset = offset;
        self
    }

    /// With what was probably meant.
    #[must_use]
    pub fn suggesting(mut self, suggestion: Option<String>) -> Self {
        self.suggestion = suggestion;
        self
    }

    /// The message, with the place in the text: for whoever has no line and column.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self.offset {
            Some(offset) => format!("{} (at {offset})", self.message),
            None => self.message.clone(),
        }
    }

    /// Where the code is explained, from the root of the repository: `docs/errors.md#unknownstep`.
    #[must_use]
    pub fn anchor(&self) -> String {
        format!("docs/errors.md#{}", self.code.to_lowercase())
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
        write!(formatter, "{}: {} ({})", self.path, self.sentence(), self.code)?;
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
    fn every_code_is_explained_and_every_explanation_has_a_code() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut used = std::collections::BTreeSet::new();
        // A code stands first in a call that reports, or alone before a comma or as the first of a pair.
        let call = regex::Regex::new(
            r#"(?:code:|error|warning|suggesting|unresolved|invalid|list|problem|=>|=> \(|\(|,)\s*"([A-Z][a-z]+[A-Za-z0-9]*)"(?:,|\.to_owned\(\),| *\n? *\})"#,
        )
        .unwrap();
        let mut open = vec![root.join("src/compile"), root.join("src/manifest")];
        open.extend([root.join("src/compile.rs"), root.join("src/plan/input.rs")]);
        while let Some(path) = open.pop() {
            if path.is_dir() {
                let entries = std::fs::read_dir(&path).unwrap();
                open.extend(entries.map(|entry| entry.unwrap().path()));
            } else if !path.to_string_lossy().contains("/tests") && !path.ends_with("fuzz.rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let found = call.captures_iter(&text);
                used.extend(found.map(|found| found[1].to_owned()));
            }
        }
        for kind in [
            "Tenant",
            "RunnerClass",
            "Connector",
            "Connection",
            "Workflow",
            "WorkflowRun",
        ] {
            used.remove(kind);
        }
        let page = std::fs::read_to_string(root.join("../docs/errors.md")).unwrap();
        let explained: std::collections::BTreeSet<String> = page
            .lines()
            .filter_map(|line| line.strip_prefix("### ").map(str::to_owned))
            .collect();
        assert_eq!(used, explained);
        let problem = Problem::error("UnknownStep", "spec", "m");
        assert_eq!(problem.anchor(), "docs/errors.md#unknownstep");
    }

    #[test]
    fn a_path_becomes_a_json_pointer() {
        assert_eq!(
            Problem::error("X", "spec.steps[2].needs[0]", "m").pointer(),
            "/spec/steps/2/needs/0"
        );
    }
}
