//! `flowpilot lint`: what admission would say, with file and line, before anything is applied.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use flowpilot_engine::manifest;
use flowpilot_engine::problem::Severity;
use serde::Serialize;

use crate::{Format, output};

/// Files that one call looks at: a folder by mistake, such as `/`, ends soon.
const MAX_FILES: usize = 10_000;

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
struct Finding {
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

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let mut findings = Vec::new();
    let mut manifests = 0;
    for file in files(&arguments.paths)? {
        manifests += lint(&file, &mut findings)?;
    }
    let count = |severity| {
        findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    };
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    if arguments.output == Format::Table {
        findings.iter().for_each(print);
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

fn print(finding: &Finding) {
    let Finding {
        file,
        line,
        column,
        severity,
        code,
        path,
        message,
        suggestion,
    } = finding;
    let severity = if *severity == Severity::Error {
        "error"
    } else {
        "warning"
    };
    let hint = suggestion
        .as_ref()
        .map(|word| format!("; did you mean `{word}`?"))
        .unwrap_or_default();
    let place = if path.is_empty() {
        String::new()
    } else {
        format!("{path}: ")
    };
    output::line(&format!(
        "{file}:{line}:{column}: {severity}: {place}{message}{hint} [{code}]"
    ));
}

/// Looks at one file and gives the number of manifests in it.
fn lint(file: &Path, findings: &mut Vec<Finding>) -> anyhow::Result<usize> {
    let bytes = if file == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin(), &mut bytes)
            .context("failed to read standard input")?;
        bytes
    } else {
        std::fs::read(file).with_context(|| format!("failed to read {}", file.display()))?
    };
    let name = file.display().to_string();
    let documents = match manifest::parse(&bytes) {
        Ok(documents) => documents,
        Err(problems) => {
            findings.extend(problems.into_iter().map(|problem| Finding {
                file: name.clone(),
                line: problem.line,
                column: problem.column,
                severity: Severity::Error,
                code: problem.code,
                path: String::new(),
                message: problem.message,
                suggestion: None,
            }));
            return Ok(0);
        }
    };
    for document in &documents {
        for problem in manifest::check(document) {
            let (line, column) = document.position(&problem.path).unwrap_or((1, 1));
            let (severity, code, path) = (problem.severity, problem.code, problem.path);
            let (message, suggestion) = (problem.message, problem.suggestion);
            let file = name.clone();
            findings.push(Finding {
                file,
                line,
                column,
                severity,
                code,
                path,
                message,
                suggestion,
            });
        }
    }
    Ok(documents.len())
}

/// The manifest files among `paths` and in folders below them, sorted.
pub(crate) fn files(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open: Vec<(PathBuf, bool)> = paths.iter().rev().map(|path| (path.clone(), true)).collect();
    while let Some((path, named)) = open.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path);
            let entries = entries.with_context(|| format!("failed to read the folder {}", path.display()))?;
            let mut inside: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
            inside.sort_by(|left, right| right.cmp(left));
            open.extend(
                inside
                    .into_iter()
                    .filter(|path| !hidden(path))
                    .map(|path| (path, false)),
            );
        } else if named || is_manifest(&path) {
            found.push(path);
        }
        anyhow::ensure!(
            found.len() <= MAX_FILES,
            "more than {MAX_FILES} files: name a folder of manifests"
        );
    }
    Ok(found)
}

fn hidden(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

pub(crate) fn is_manifest(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| ["yaml", "yml", "json"].iter().any(|known| extension == *known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_step_is_found_with_file_line_path_and_suggestion() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("refund.yaml");
        std::fs::write(
            &file,
            "apiVersion: flowpilot.io/v1alpha1\nkind: Workflow\nmetadata: {name: refund}\nspec:\n  steps:\n  - id: charge\n    \
             set: {a: 1}\n  - id: tell\n    needs: [chrage]\n    set: {b: 2}\n",
        )
        .unwrap();
        let mut findings = Vec::new();
        assert_eq!(lint(&file, &mut findings).unwrap(), 1);
        let finding = findings
            .iter()
            .find(|finding| finding.code == "UnknownStep")
            .unwrap();
        assert_eq!(
            (finding.line, finding.path.as_str()),
            (9, "spec.steps[1].needs[0]")
        );
        assert_eq!(finding.suggestion.as_deref(), Some("charge"));
    }

    #[test]
    fn folders_are_walked_in_order_and_hidden_files_left_out() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.yaml", "a.yml", ".c.yaml", "d.txt"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let found = files(&[folder.path().to_owned()]).unwrap();
        let names: Vec<_> = found
            .iter()
            .map(|path| path.file_name().unwrap().to_string_lossy())
            .collect();
        assert_eq!(names, ["a.yml", "b.yaml"]);
    }
}
