//! Names: what may be one, and that each stands once.

use std::collections::BTreeMap;

use flowpilot_crds::WorkflowSpec;
use flowpilot_crds::names::{CEL_WORDS, is_identifier};

use super::Problems;

/// Checks a name that expressions will select.
pub(super) fn check(name: &str, path: &str, problems: &mut Problems) {
    if CEL_WORDS.contains(&name) {
        problems.error(
            "ReservedName",
            path,
            format!("{name} is a word of the expression language: choose another name"),
        );
    } else if !is_identifier(name) {
        let message = format!(
            "`{}` is no name: use letters, digits and _, a letter first, at most 63 characters",
            name.chars().take(80).collect::<String>()
        );
        problems.error("InvalidIdentifier", path, message);
    }
}

/// Checks names that stand in a list.
pub(super) fn list<'a>(
    code: &str,
    names: impl Iterator<Item = &'a str>,
    path: impl Fn(usize) -> String,
    problems: &mut Problems,
) {
    let mut seen = BTreeMap::new();
    for (number, name) in names.enumerate() {
        check(name, &path(number), problems);
        if let Some(first) = seen.get(name) {
            problems.error(
                code,
                path(number),
                format!("{name} stands twice, first as {}", path(*first)),
            );
        } else {
            seen.insert(name, number);
        }
    }
}

pub(super) fn steps(spec: &WorkflowSpec, problems: &mut Problems) {
    let ids = spec.steps.iter().map(|step| step.id.as_str());
    list(
        "DuplicateStep",
        ids,
        |number| format!("spec.steps[{number}].id"),
        problems,
    );
}
