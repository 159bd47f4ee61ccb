//! One workflow of a file, for commands that look at it closely.

use std::path::{Path, PathBuf};

use anyhow::{bail, ensure};
use flowpilot_crds::WorkflowSpec;
use flowpilot_crds::unknown_fields::nearest;
use flowpilot_engine::compile::{Compiled, Context, Support};
use flowpilot_engine::manifest::{Document, check_workflow};
use flowpilot_engine::problem::Problem;

use super::{Source, Tenants, load};

/// A Workflow of a file.
pub(crate) struct Workflow {
    /// The file, as people name it.
    pub(crate) file: String,
    pub(crate) document: Document,
    /// What is known around it. The whole language is understood here.
    pub(crate) context: Context,
}

impl Workflow {
    /// The workflow of this name among the files at `path`; without a name the only one.
    pub(crate) fn find(path: &Path, name: Option<&str>) -> anyhow::Result<Self> {
        let sources = load(&[PathBuf::from(path)])?;
        let tenants = Tenants::among(&sources);
        let mut workflows = Vec::new();
        for Source { file, content } in sources {
            let file = file.display().to_string();
            match content {
                Ok(documents) => {
                    let found = documents
                        .into_iter()
                        .filter(|document| document.kind == "Workflow");
                    workflows.extend(found.map(|document| (file.clone(), document)));
                }
                Err(problems) => {
                    let Some(problem) = problems.first() else { continue };
                    bail!(
                        "{file}:{}:{}: {} [{}]",
                        problem.line,
                        problem.column,
                        problem.message,
                        problem.code
                    );
                }
            }
        }
        let place = path.display();
        let names: Vec<String> = workflows
            .iter()
            .map(|(_, document)| document.name.clone())
            .collect();
        ensure!(!names.is_empty(), "there is no Workflow in {place}");
        let number = match name {
            Some(name) => names.iter().position(|known| known == name),
            None if names.len() == 1 => Some(0),
            None => bail!("{place} has several Workflows: name one of {}", names.join(", ")),
        };
        let Some(number) = number else {
            let name = name.unwrap_or_default();
            let hint = match nearest(name, names.iter().map(String::as_str)) {
                Some(like) => format!("did you mean {like}?"),
                None => format!("there are {}", names.join(", ")),
            };
            bail!("there is no Workflow {name} in {place}: {hint}");
        };
        let (file, document) = workflows.swap_remove(number);
        let context = Context {
            support: Support::Everything,
            ..tenants.context(&document)
        };
        Ok(Self {
            file,
            document,
            context,
        })
    }

    /// Its plan, or everything that is wrong with it.
    pub(crate) fn compile(&self) -> Result<(WorkflowSpec, Compiled), Vec<Problem>> {
        check_workflow(&self.document.object, &self.context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> String {
        format!(
            "apiVersion: flowpilot.io/v1alpha1\nkind: Workflow\nmetadata: {{name: {name}}}\nspec: {{steps: [{{id: a, set: {{}}}}]}}\n"
        )
    }

    #[test]
    fn one_of_several_workflows_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.yaml");
        let find = |name| {
            Workflow::find(&file, name)
                .map(|found| found.document.name)
                .map_err(|error| error.to_string())
        };
        std::fs::write(&file, named("only")).unwrap();
        assert_eq!(find(None), Ok("only".to_owned()));
        std::fs::write(&file, format!("{}---\n{}", named("first"), named("second"))).unwrap();
        assert_eq!(find(Some("second")), Ok("second".to_owned()));
        assert!(find(None).is_err_and(|error| error.contains("name one of first, second")));
        assert!(find(Some("secnod")).is_err_and(|error| error.contains("did you mean second?")));
        std::fs::write(&file, "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n").unwrap();
        assert!(find(None).is_err_and(|error| error.contains("there is no Workflow")));
        std::fs::write(&file, "a: {").unwrap();
        assert!(find(None).is_err_and(|error| error.contains("[InvalidYaml]")));
    }
}
