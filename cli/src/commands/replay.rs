//! `flowpilot replay`: a journal played again, and whether the engine decides the same.

mod show;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use flowpilot_engine::plan::Plan;
use flowpilot_engine::run::{Replayed, replay};

use crate::journal::{Journal, Recorded, digest, plan};
use crate::{Format, manifests, output};

/// Something could not be read.
const UNREADABLE: u8 = 2;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flowpilot run --local refund.yaml --journal run.json
  flowpilot replay run.json
  flowpilot replay run.json --with refund-changed.yaml --quiet

Nothing is performed: answers, votes and events come from the journal, and what the engine
decides is compared with what was decided then.
Exit status: 0 the same, 1 different, 2 something could not be read.")]
pub(crate) struct Arguments {
    /// A journal, from `run --local --journal` or `runs RUN --journal`
    journal: PathBuf,
    /// A file or folder with the workflow as it is now: shows where the run would have gone another way
    #[arg(long, value_name = "FILE")]
    with: Option<PathBuf>,
    /// Say only whether it is the same
    #[arg(short, long)]
    quiet: bool,
    /// How to print
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

/// A run of the journal, played again.
struct Played<'a> {
    recorded: &'a Recorded,
    /// The workflow is not the one of then.
    is_changed: bool,
    /// The same workflow makes another plan than then.
    other_plan: bool,
    replayed: Replayed,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let played = Journal::read(&arguments.journal).and_then(|journal| {
        let played = all(&journal, arguments.with.as_deref())?;
        show::all(&played, arguments.output, arguments.quiet)?;
        Ok(played.iter().all(|played| played.replayed.difference.is_none()))
    });
    match played {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            output::error(&format!("{error:#}"));
            ExitCode::from(UNREADABLE)
        }
    }
}

fn all<'a>(journal: &'a Journal, with: Option<&Path>) -> anyhow::Result<Vec<Played<'a>>> {
    let changed = match with {
        Some(file) => workflows(file)?,
        None => BTreeMap::new(),
    };
    if let (Some(file), Some(first)) = (with, journal.runs.first())
        && !changed.contains_key(&first.facts.workflow)
    {
        bail!(
            "{} has no workflow {}, which the journal is of",
            file.display(),
            first.facts.workflow
        );
    }
    journal
        .runs
        .iter()
        .map(|recorded| one(recorded, changed.get(&recorded.facts.workflow)))
        .collect()
}

fn one<'a>(recorded: &'a Recorded, changed: Option<&Arc<Plan>>) -> anyhow::Result<Played<'a>> {
    let plan = match changed {
        Some(plan) => plan.clone(),
        None => recorded.plan()?,
    };
    let replayed = replay(&plan, &recorded.facts, &recorded.events)
        .with_context(|| format!("the journal of run {}", recorded.facts.run))?;
    Ok(Played {
        recorded,
        is_changed: changed.is_some(),
        other_plan: changed.is_none() && digest(&plan)? != recorded.plan,
        replayed,
    })
}

/// The workflows of a file or folder.
fn workflows(file: &Path) -> anyhow::Result<BTreeMap<String, Arc<Plan>>> {
    let mut plans = BTreeMap::new();
    for source in manifests::load(&[file.to_owned()])? {
        let documents = source.content.map_err(|problems| {
            let words: Vec<String> = problems.iter().map(ToString::to_string).collect();
            anyhow::anyhow!("{}: {}", source.file.display(), words.join("; "))
        })?;
        for document in documents
            .into_iter()
            .filter(|document| document.kind == "Workflow")
        {
            let plan = plan(&document.object).with_context(|| {
                format!(
                    "the workflow {} of {} is rejected",
                    document.name,
                    source.file.display()
                )
            })?;
            plans.insert(document.name, plan);
        }
    }
    Ok(plans)
}
