//! Writes the CustomResourceDefinitions, or with `--check` fails if the files are not what the types say.
//!
//! Usage: `generate [--check] [ROOT]`; ROOT is the repository, by default the working directory.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use flowpilot_crds::definitions;

const FOLDERS: [&str; 2] = ["config/crds", "charts/flowpilot-crds/templates"];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let check = arguments.iter().any(|argument| argument == "--check");
    let root = arguments.iter().find(|argument| !argument.starts_with("--"));
    match run(Path::new(root.map_or(".", String::as_str)), check) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("{message}\n").as_bytes());
            ExitCode::FAILURE
        }
    }
}

fn run(root: &Path, check: bool) -> Result<(), String> {
    let mut stale: Vec<PathBuf> = Vec::new();
    for definition in definitions() {
        let name = format!("{}.yaml", definition.spec.names.plural);
        let text = serde_saphyr::to_string(&definition).map_err(|error| format!("{name}: {error}"))?;
        let text = format!("# Generated from the types in crds/ by `make generate`. Do not edit.\n{text}");
        for folder in FOLDERS {
            let path = root.join(folder).join(&name);
            if std::fs::read_to_string(&path).is_ok_and(|old| old == text) {
                continue;
            }
            if check {
                stale.push(path);
                continue;
            }
            std::fs::create_dir_all(root.join(folder)).map_err(|error| format!("{folder}: {error}"))?;
            std::fs::write(&path, &text).map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }
    if stale.is_empty() {
        return Ok(());
    }
    let files: Vec<String> = stale.iter().map(|path| path.display().to_string()).collect();
    Err(format!(
        "out of date: {}; run `make generate` and commit the result",
        files.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The repository.
    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
    }

    #[test]
    fn generated_files_are_what_the_types_say() {
        run(&root(), true).unwrap();
    }

    #[test]
    fn a_file_that_was_changed_by_hand_is_named() {
        let copy = std::env::temp_dir().join(format!("flowpilot-generated-{}", std::process::id()));
        run(&copy, false).unwrap();
        let file = copy.join(FOLDERS[1]).join("tenants.yaml");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text.replace("Tenant", "Tenent")).unwrap();
        let complaint = run(&copy, true).unwrap_err();
        std::fs::remove_dir_all(&copy).unwrap();
        assert!(
            complaint.contains("charts/flowpilot-crds/templates/tenants.yaml")
                && complaint.contains("make generate"),
            "{complaint}"
        );
        assert!(
            !complaint.contains("config/crds"),
            "only the changed one: {complaint}"
        );
    }
}
