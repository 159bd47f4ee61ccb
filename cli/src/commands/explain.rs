//! `flowpilot explain`: what the compiler knows of one step: its edges, what it may read, what it takes and gives, and
//! what is wrong with it. It explains steps of workflows that are not right, too.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use flowpilot_crds::WorkflowSpec;
use flowpilot_crds::unknown_fields::nearest;
use flowpilot_engine::compile::{self, Explanation, StepPlace};
use flowpilot_engine::manifest;
use serde::{Deserialize as _, Serialize};

use super::lint::Finding;
use crate::manifests::one::Workflow;
use crate::{Format, output};

mod schema;
mod show;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  flowpilot explain refund.yaml                 its steps\n  flowpilot explain refund.yaml pay        \
                             one of them; or guard/pay, with the blocks around it\n  flowpilot explain all.yaml pay -w refund -o \
                        json    of one of several workflows, with whole schemas"
)]
pub(crate) struct Arguments {
    /// The file (or a folder); `-` is standard input
    file: PathBuf,
    /// The step; without one, all steps are listed
    step: Option<String>,
    /// Name of the workflow, if there are several
    #[arg(short, long)]
    workflow: Option<String>,
    /// How to print
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

/// A step with everything that is known of it.
#[derive(Serialize)]
struct Explained {
    file: String,
    line: u32,
    column: u32,
    #[serde(flatten)]
    step: Explanation,
    problems: Vec<Finding>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let workflow = Workflow::find(&arguments.file, arguments.workflow.as_deref())?;
    let spec = match WorkflowSpec::deserialize(&workflow.document.object["spec"]) {
        Ok(spec) => spec,
        // What is wrong is better said by the schema.
        Err(error) => {
            let problems = manifest::check(&workflow.document, &workflow.context);
            for problem in problems {
                output::note(&Finding::of(&workflow.file, &workflow.document, problem).to_string());
            }
            bail!("the workflow cannot be explained before it can be read: {error}");
        }
    };
    let places = compile::places(&spec, &workflow.context);
    let Some(asked) = &arguments.step else {
        list(&places, arguments.output)?;
        return Ok(ExitCode::SUCCESS);
    };
    let id = find(&places, asked)?;
    let Some(step) = compile::explain(&spec, &workflow.context, id) else {
        bail!("there is no step {id}");
    };
    let (line, column) = workflow.document.position(&step.place.path).unwrap_or((1, 1));
    let problems = manifest::check(&workflow.document, &workflow.context).into_iter();
    let own = problems.filter(|problem| is_below(&problem.path, &step.place.path));
    let problems = own
        .map(|problem| Finding::of(&workflow.file, &workflow.document, problem))
        .collect();
    let explained = Explained {
        file: workflow.file.clone(),
        line,
        column,
        step,
        problems,
    };
    match arguments.output {
        Format::Table => show::lines(&explained).iter().for_each(|line| output::line(line)),
        format => output::document(&explained, format)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The id of the step that is asked for by its id, or with blocks around it.
fn find<'a>(places: &'a [StepPlace], asked: &str) -> anyhow::Result<&'a str> {
    let (blocks, id) = asked
        .rsplit_once('/')
        .map_or((None, asked), |(blocks, id)| (Some(blocks), id));
    let Some(place) = places.iter().find(|place| place.id == id) else {
        let hint = match nearest(id, places.iter().map(|place| place.id.as_str())) {
            Some(like) => format!("did you mean {like}?"),
            None => "`flowpilot explain FILE` lists all steps".to_owned(),
        };
        bail!("there is no step {id}: {hint}");
    };
    if let Some(blocks) = blocks {
        let blocks: Vec<&str> = blocks.split('/').collect();
        let around: Vec<&str> = place.inside.iter().map(String::as_str).collect();
        if !around.ends_with(&blocks) {
            bail!(
                "the step {id} is not in {}: it is {}",
                blocks.join("/"),
                full(place)
            );
        }
    }
    Ok(&place.id)
}

/// A step with the blocks around it.
fn full(place: &StepPlace) -> String {
    let parts: Vec<&str> = place
        .inside
        .iter()
        .chain([&place.id])
        .map(String::as_str)
        .collect();
    parts.join("/")
}

fn list(places: &[StepPlace], format: Format) -> anyhow::Result<()> {
    if format != Format::Table {
        return output::document(&places, format);
    }
    let rows: Vec<Vec<String>> = places
        .iter()
        .map(|place| {
            vec![
                full(place),
                place.kind.clone().unwrap_or_default(),
                show::links(&place.needs),
                place.title.clone().unwrap_or_default(),
            ]
        })
        .collect();
    output::table(&["STEP", "KIND", "NEEDS", "TITLE"], &rows);
    Ok(())
}

/// Whether a path leads to a value, or into it.
fn is_below(path: &str, parent: &str) -> bool {
    path.strip_prefix(parent)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_found_by_its_id_and_with_its_blocks() {
        let spec: WorkflowSpec = serde_saphyr::from_str(
            "steps: [{id: outer, group: {}}, {id: each, in: outer, forEach: {items: [1]}}, {id: charge, in: each, set: {}}]",
        )
        .unwrap();
        let places = compile::places(&spec, &compile::Context::default());
        let found = |asked: &str| find(&places, asked).map_err(|error| error.to_string());
        for asked in ["charge", "each/charge", "outer/each/charge"] {
            assert_eq!(found(asked), Ok("charge"));
        }
        assert_eq!(
            found("outer/charge"),
            Err("the step charge is not in outer: it is outer/each/charge".to_owned())
        );
        assert_eq!(
            found("chrage"),
            Err("there is no step chrage: did you mean charge?".to_owned())
        );
        assert!(found("invoice").is_err_and(|error| error.contains("lists all steps")));
    }

    #[test]
    fn problems_of_other_steps_are_not_its_own() {
        assert!(is_below("spec.steps[1].needs[0]", "spec.steps[1]"));
        assert!(is_below("spec.steps[1]", "spec.steps[1]"));
        assert!(!is_below("spec.steps[10].needs", "spec.steps[1]"));
    }
}
