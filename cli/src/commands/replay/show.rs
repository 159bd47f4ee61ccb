//! What a replay says.

use flowpilot_engine::journal::Event;
use flowpilot_engine::run::{Command, Difference, Instead, Task};
use serde_json::{Map, Value, json};

use super::super::logs;
use super::Played;
use crate::journal::Recorded;
use crate::{Format, output};

/// The longest part of an event that is shown.
const SHOWN: usize = 300;

/// Shows the runs of a journal: what each did, unless it is to be quiet, and whether it is the same.
pub(super) fn all(played: &[Played<'_>], format: Format, quiet: bool) -> anyhow::Result<()> {
    if format == Format::Table {
        return played.iter().try_for_each(|played| one(played, quiet));
    }
    let same = played.iter().all(|played| played.replayed.difference.is_none());
    let runs = played
        .iter()
        .map(|played| document(played, quiet))
        .collect::<anyhow::Result<Vec<_>>>()?;
    output::document(&json!({"same": same, "runs": runs}), format)
}

fn one(played: &Played<'_>, quiet: bool) -> anyhow::Result<()> {
    let Recorded {
        path, facts, events, ..
    } = played.recorded;
    let mut name = format!("run {} of {}", facts.run, facts.workflow);
    if !path.is_empty() {
        name = format!("{name}, from {}", path.trim_end_matches('/'));
    }
    if played.other_plan {
        output::note(&format!(
            "{name}: this version makes another plan of its workflow than the one it followed"
        ));
    }
    if !quiet {
        for (number, (event, turn)) in events.iter().zip(&played.replayed.turns).enumerate() {
            let event = logs::line(&serde_json::to_value(event)?);
            output::line(&format!("{number:>5}  {event}"));
            for command in &turn.commands {
                output::line(&format!("       -> {}", told(command)));
            }
        }
    }
    if let Some(difference) = &played.replayed.difference {
        let number = difference.number;
        output::line(&format!("{name}: different at event {number}"));
        for line in explained(events.get(number), difference)? {
            output::line(&format!("  {line}"));
        }
        return Ok(());
    }
    let (count, finished) = (events.len(), played.replayed.finished);
    let end = if finished { "" } else { ", and it was not over" };
    output::line(&format!("{name}: the same, {count} events{end}"));
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
