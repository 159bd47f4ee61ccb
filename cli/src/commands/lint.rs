//! `flowpilot lint`: what admission would say, with file and line, before anything is applied. A Tenant among the files
//! says which variables its workflows have.

use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;

use flowpilot_engine::manifest::{self, Document, ManifestProblem};
use flowpilot_engine::problem::{Problem, Severity};
use serde::Serialize;

use crate::manifests::{self, Source, Tenants};
use crate::{Format, output};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Files, or folders whose .yaml, .yml and .json files are read; `-` is standard input
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// How to print
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
    /// Fail on warnings, too
    #[arg(long)]
    strict: bool,
}

/// One finding, with its place in a file.
#[derive(Debug, Serialize)]
pub(crate) struct Finding {
    file: String,
    line: u32,
    column: u32,
    severity: Severity,
    code: String,
    path: String,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    suggestion: Option<String>,
}

impl Finding {
    /// Why nothing is known of a file.
    pub(crate) fn unreadable(file: &str, problem: &ManifestProblem) -> Self {
        Self {
            file: file.to_owned(),
            line: problem.line,
            column: problem.column,
            severity: Severity::Error,
            code: problem.code.clone(),
            path: String::new(),
            message: problem.message.clone(),
            suggestion: None,
        }
    }

    /// What is wrong with an object.
    pub(crate) fn of(file: &str, document: &Document, problem: Problem) -> Self {
        let (line, column) = document.place(&problem);
        Self {
            file: file.to_owned(),
            line,
            column,
            severity: problem.severity,
            code: problem.code,
            path: problem.path,
            message: problem.message,
            suggestion: problem.suggestion,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            column,
            severity,
            code,
            path,
            message,
            suggestion,
        } = self;
        let severity = if *severity == Severity::Error {
            "error"
        } else {
            "warning"
        };
        write!(formatter, "{file}:{line}:{column}: {severity}: ")?;
        if !path.is_empty() {
            write!(formatter, "{path}: ")?;
        }
        write!(formatter, "{message}")?;
        if let Some(word) = suggestion {
            write!(formatter, "; did you mean `{word}`?")?;
        }
        write!(formatter, " [{code}]")
    }
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let sources = manifests::load(&arguments.paths)?;
    let tenants = Tenants::among(&sources);
    let mut findings = Vec::new();
    let manifests: usize = sources
        .iter()
        .map(|source| lint(source, &tenants, &mut findings))
        .sum();
    let count = |severity| {
        findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    };
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    if arguments.output == Format::Table {
        for finding in &findings {
            output::line(&finding.to_string());
        }
        output::note(&format!(
            "{manifests} manifests: {errors} errors, {warnings} warnings"
        ));
    } else {
        output::document(&findings, arguments.output)?;
    }
    let failed = errors > 0 || (arguments.strict && warnings > 0);
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Looks at one file and gives the number of manifests in it.
fn lint(source: &Source, tenants: &Tenants, findings: &mut Vec<Finding>) -> usize {
    let name = source.file.display().to_string();
    let documents = match &source.content {
        Ok(documents) => documents,
        Err(problems) => {
            findings.extend(problems.iter().map(|problem| Finding::unreadable(&name, problem)));
            return 0;
        }
    };
    for document in documents {
        let problems = manifest::check(document, &tenants.context(document)).into_iter();
        findings.extend(problems.map(|problem| Finding::of(&name, document, problem)));
    }
    documents.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found in a folder with these files.
    fn findings(files: &[(&str, &str)]) -> Vec<Finding> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let sources = manifests::load(&[folder.path().to_owned()]).unwrap();
        let tenants = Tenants::among(&sources);
        let mut findings = Vec::new();
        let count: usize = sources
            .iter()
            .map(|source| lint(source, &tenants, &mut findings))
            .sum();
        assert!(count <= files.len());
        findings
    }

    #[test]
    fn a_misspelt_step_is_found_with_file_line_path_and_suggestion() {
        let text = "apiVersion: flowpilot.io/v1alpha1\nkind: Workflow\nmetadata: {name: refund}\nspec:\n  steps:\n  - id: \
                    charge\n    set: {a: 1}\n  - id: tell\n    needs: [chrage]\n    set: {b: 2}\n";
        let findings = findings(&[("refund.yaml", text)]);
        let finding = findings
            .iter()
            .find(|finding| finding.code == "UnknownStep")
            .unwrap();
        assert!(finding.file.ends_with("refund.yaml"), "{}", finding.file);
        assert_eq!(
            (finding.line, finding.path.as_str()),
            (9, "spec.steps[1].needs[0]")
        );
        assert_eq!(finding.suggestion.as_deref(), Some("charge"));
    }

    #[test]
    fn a_tenant_among_the_files_says_which_variables_its_workflows_have() {
        let tenant = |name: &str| {
            format!(
                "apiVersion: flowpilot.io/v1alpha1\nkind: Tenant\nmetadata: {{name: {name}}}\nspec: {{variables: {{limit: 1}}}}\n"
            )
        };
        let workflow = |namespace: &str, name: &str| {
            format!(
                "apiVersion: flowpilot.io/v1alpha1\nkind: Workflow\nmetadata: {{name: a{namespace}}}\nspec: {{steps: [{{id: \
                 a, set: {{x: $(vars.{name})}}}}]}}\n"
            )
        };
        let said = |files: &[(&str, &str)]| -> Vec<(Severity, Option<String>)> {
            let of_variable = |finding: Finding| {
                assert_eq!(finding.code, "UnknownVariable", "{}", finding.message);
                (finding.severity, finding.suggestion)
            };
            let mut found = findings(files);
            // Nothing reads the step: advice that is not meant here.
            found.retain(|finding| finding.code != "UnusedOutput");
            found.into_iter().map(of_variable).collect()
        };
        let (acme, other) = (tenant("acme"), tenant("other"));
        let (known, misspelt) = (
            workflow(", namespace: fp-acme", "limit"),
            workflow(", namespace: fp-acme", "limti"),
        );
        // The order of the files does not matter.
        assert_eq!(said(&[("a.yaml", &known), ("z.yaml", &acme)]), []);
        let suggestion = Some("vars.limit".to_owned());
        assert_eq!(
            said(&[("a.yaml", &acme), ("b.yaml", &misspelt)]),
            [(Severity::Error, suggestion)]
        );
        // Of a tenant that is not here nothing is known.
        assert_eq!(said(&[("a.yaml", &known)]), [(Severity::Warning, None)]);
        assert_eq!(
            said(&[("a.yaml", &other), ("b.yaml", &known)]),
            [(Severity::Warning, None)]
        );
        // Without a namespace the only tenant is meant.
        let anywhere = workflow("", "limit");
        assert_eq!(said(&[("a.yaml", &acme), ("b.yaml", &anywhere)]), []);
        assert_eq!(
            said(&[("a.yaml", &acme), ("b.yaml", &other), ("c.yaml", &anywhere)]),
            [(Severity::Warning, None)]
        );
    }

    #[test]
    fn a_file_that_cannot_be_read_is_a_finding_among_the_others() {
        let sources = manifests::load(&[PathBuf::from("/nowhere/a.yaml")]).unwrap();
        let mut findings = Vec::new();
        assert_eq!(lint(&sources[0], &Tenants::among(&sources), &mut findings), 0);
        assert_eq!((findings.len(), findings[0].code.as_str()), (1, "Unreadable"));
    }
}
