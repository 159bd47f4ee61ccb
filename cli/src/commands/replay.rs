//! `flowpilot replay`: a journal played again, and whether the engine decides the same.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use flowpilot_engine::journal::Event;
use flowpilot_engine::plan::Plan;
use flowpilot_engine::run::{Command, Difference, Instead, Replayed, Task, replay};
use serde_json::{Map, Value, json};

use super::logs;
use crate::journal::{Journal, Recorded, digest, plan};
use crate::{Format, manifests, output};

/// Something could not be read.
const UNREADABLE: u8 = 2;
/// The longest part of an event that is shown.
const SHOWN: usize = 300;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flowpilot run --local refund.yaml --journal run.json && flowpilot replay run.json
  flowpilot runs 0198c5a2-7d5e-7c31-9f55-0d3f2a6f8a11 --journal run.json && flowpilot replay run.json --quiet
  flowpilot replay run.json --with refund-changed.yaml

Nothing is performed: answers, votes and events come from the journal, and what the engine decides is compared with what
was decided then. Exit status: 0 the same, 1 different, 2 something could not be read.")]
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

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let played = Journal::read(&arguments.journal).and_then(|journal| {
        let played = all(&journal, arguments.with.as_deref())?;
        show(&played, arguments)?;
        Ok(played.iter().all(|played| played.replayed.difference.is_none()))
    });
    Ok(match played {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            output::error(&format!("{error:#}"));
            ExitCode::from(UNREADABLE)
        }
    })
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

fn show(played: &[Played<'_>], arguments: &Arguments) -> anyhow::Result<()> {
    if arguments.output != Format::Table {
        let same = played.iter().all(|played| played.replayed.difference.is_none());
        let runs = played
            .iter()
            .map(|played| document(played, arguments.quiet))
            .collect::<anyhow::Result<Vec<_>>>()?;
        return output::document(&json!({"same": same, "runs": runs}), arguments.output);
    }
    for played in played {
        let Recorded {
            path, facts, events, ..
        } = played.recorded;
        let name = format!("run {} of {}", facts.run, facts.workflow);
        let place = if path.is_empty() {
            String::new()
        } else {
            format!(", from {}", path.trim_end_matches('/'))
        };
        if played.other_plan {
            output::note(&format!(
                "{name}: this version makes another plan of its workflow than the one it followed"
            ));
        }
        if !arguments.quiet {
            for (number, (event, turn)) in events.iter().zip(&played.replayed.turns).enumerate() {
                output::line(&format!(
                    "{number:>5}  {}",
                    logs::line(&serde_json::to_value(event)?)
                ));
                for command in &turn.commands {
                    output::line(&format!("       -> {}", told(command)));
                }
            }
        }
        match &played.replayed.difference {
            Some(difference) => {
                let number = difference.number;
                output::line(&format!("{name}{place}: different at event {number}"));
                for line in explained(events.get(number), difference)? {
                    output::line(&format!("  {line}"));
                }
            }
            None => {
                let end = if played.replayed.finished {
                    ""
                } else {
                    ", and it was not over"
                };
                let count = events.len();
                output::line(&format!("{name}{place}: the same, {count} events{end}"));
            }
        }
    }
    Ok(())
}

/// A command in words. What it is given is not shown: it may be sensitive.
fn told(command: &Command) -> String {
    match command {
        Command::Record(event) => format!("record {}", event.name()),
        Command::Perform(perform) => {
            let what = match &perform.task {
                Task::Action { action, .. } => action.as_str(),
                Task::Script { .. } => "script",
                Task::Container { .. } => "container",
                Task::Workflow { name, .. } => return format!("run {name} for {}", perform.step),
            };
            format!("perform {what} for {}, attempt {}", perform.step, perform.attempt)
        }
        Command::Ask(question) => format!("ask people for {}", question.step),
        Command::Listen { step, event } => format!("listen to {event} for {step}"),
        Command::Publish(publication) => {
            format!("publish {} for {}", publication.event, publication.step)
        }
        Command::Abort { step } => format!("stop {step}"),
        Command::Terminate { step } => format!("ask the container of {step} to end"),
        Command::Finish { outcome, .. } => format!("finish: {}", json!(outcome).as_str().unwrap_or_default()),
    }
}

/// What was recorded, what would be now, and the fields in which they differ.
fn explained(recorded: Option<&Event>, difference: &Difference) -> anyhow::Result<Vec<String>> {
    let recorded = recorded
        .map(serde_json::to_value)
        .transpose()?
        .unwrap_or_default();
    let mut lines = vec![format!("recorded: {}", cut(&recorded))];
    match &difference.instead {
        Instead::Wait => {
            lines.push("now:      nothing is decided: it waits for something from outside".to_owned());
        }
        Instead::Over => lines.push("now:      nothing: the run has ended".to_owned()),
        Instead::Refuse(why) => lines.push(format!("now:      the vote is refused: {why}")),
        Instead::Event(event) => {
            let event = serde_json::to_value(event)?;
            lines.push(format!("now:      {}", cut(&event)));
            if recorded["type"] == event["type"] && recorded["step"] == event["step"] {
                let none = Map::new();
                let (then, now) = (
                    recorded.as_object().unwrap_or(&none),
                    event.as_object().unwrap_or(&none),
                );
                let names = then
                    .keys()
                    .chain(now.keys().filter(|name| !then.contains_key(*name)));
                for name in names.filter(|name| then.get(*name) != now.get(*name)) {
                    let side = |fields: &Map<String, Value>| fields.get(name).map_or("-".to_owned(), cut);
                    lines.push(format!("  {name}: {} then, {} now", side(then), side(now)));
                }
            }
        }
    }
    Ok(lines)
}

fn cut(value: &Value) -> String {
    let mut text = value.to_string();
    if text.len() > SHOWN {
        text.truncate(text.floor_char_boundary(SHOWN));
        text.push('…');
    }
    text
}

fn document(played: &Played<'_>, quiet: bool) -> anyhow::Result<Value> {
    let Recorded {
        path, facts, events, ..
    } = played.recorded;
    let mut document = json!({
        "run": facts.run,
        "workflow": facts.workflow,
        "events": events.len(),
        "finished": played.replayed.finished,
        "changedWorkflow": played.is_changed,
        "otherPlan": played.other_plan,
    });
    if !path.is_empty() {
        document["path"] = json!(path);
    }
    if !quiet {
        let turns = played.replayed.turns.iter().enumerate();
        let commands = turns.flat_map(|(number, turn)| {
            turn.commands
                .iter()
                .map(move |command| json!({"afterEvent": number, "command": told(command)}))
        });
        document["commands"] = commands.collect();
    }
    if let Some(difference) = &played.replayed.difference {
        let now = match &difference.instead {
            Instead::Event(event) => serde_json::to_value(event)?,
            Instead::Wait => json!("waits"),
            Instead::Over => json!("over"),
            Instead::Refuse(why) => json!({"refused": why}),
        };
        document["difference"] =
            json!({"event": difference.number, "recorded": events.get(difference.number), "now": now});
    }
    Ok(document)
}
