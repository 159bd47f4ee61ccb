//! What holds for every journal, told from the events alone.

use std::collections::BTreeMap;

use crate::journal::{Event, IterationEnd, RunOutcome, SkipReason};
use crate::plan::{Edge, Plan};
use crate::run::UndoState;
use crate::run::tests::world::World;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Succeeded,
    PassedOver,
    Failed,
    Other,
}

/// The journal as a reader follows it.
#[derive(Default)]
struct Reader {
    /// Ends of steps, by path.
    ends: BTreeMap<String, End>,
    /// Steps that can be taken back, in the order of their ends.
    completed: Vec<String>,
}

pub(super) fn check(world: &World) -> Result<(), String> {
    let plan = &world.plan;
    let mut reader = Reader::default();
    for event in &world.journal {
        reader.read(plan, event)?;
    }
    let stopped_well = world
        .journal
        .iter()
        .any(|event| matches!(event, Event::StepSucceeded { step, .. } if stops(plan, step)));
    let outcome = world.view().outcome;
    if outcome != Some(RunOutcome::Succeeded)
        && !stopped_well
        && world.view().undo != UndoState::Incomplete
        && !reader.completed.is_empty()
    {
        return Err(format!("not taken back: {:?}", reader.completed));
    }
    Ok(())
}

/// A step that ends the run as succeeded.
fn stops(plan: &Plan, path: &str) -> bool {
    let step = plan.step_number(id(path));
    step.is_some_and(|step| {
        matches!(
            plan.steps[step].work,
            crate::plan::Work::Stop { succeeded: true, .. }
        )
    })
}

fn id(path: &str) -> &str {
    let last = path.rsplit('.').next().unwrap_or_default();
    last.split('[').next().unwrap_or_default()
}

/// What the paths of the step's siblings begin with.
fn prefix(path: &str) -> &str {
    path.rfind('.').map_or("", |dot| &path[..=dot])
}

impl Reader {
    fn read(&mut self, plan: &Plan, event: &Event) -> Result<(), String> {
        let Some(path) = event.step() else { return Ok(()) };
        if let Some(step) = path.strip_suffix(".undo") {
            return self.undo(step, event);
        }
        match event {
            Event::StepStarted { attempt, .. } => self.starts(plan, path, *attempt)?,
            Event::StepSucceeded { .. } => {
                self.ends.insert(path.to_owned(), End::Succeeded);
                let step = plan.step_number(id(path)).ok_or("unknown step")?;
                if plan.steps[step].undo.is_some() {
                    self.completed.push(path.to_owned());
                }
            }
            Event::StepFailed { retry_at: None, .. } => {
                self.ends.insert(path.to_owned(), End::Failed);
                self.is_undone(plan, path)?;
            }
            Event::StepFailed { .. } => self.is_undone(plan, path)?,
            Event::StepSkipped { reason, .. } => {
                let passed = *reason == SkipReason::Condition;
                self.ends
                    .insert(path.to_owned(), if passed { End::PassedOver } else { End::Other });
            }
            Event::StepCancelled { .. } => {
                self.ends.insert(path.to_owned(), End::Other);
            }
            Event::IterationEnded { end, .. } => {
                if matches!(end, IterationEnd::Failed { .. }) {
                    self.is_undone(plan, path)?;
                }
                self.ends.insert(path.to_owned(), End::Other);
            }
            _ => {}
        }
        Ok(())
    }

    fn undo(&mut self, step: &str, event: &Event) -> Result<(), String> {
        let is_end = matches!(
            event,
            Event::StepSucceeded { .. } | Event::StepFailed { retry_at: None, .. }
        );
        if is_end {
            let last = self.completed.iter().rposition(|completed| completed == step);
            self.completed
                .remove(last.ok_or(format!("{step} was never completed"))?);
        }
        Ok(())
    }

    /// A step starts only while its block goes on, once everything it needs has ended and something of it is met.
    fn starts(&mut self, plan: &Plan, path: &str, attempt: u32) -> Result<(), String> {
        let number = plan.step_number(id(path)).ok_or("unknown step")?;
        let step = &plan.steps[number];
        if let Some(block) = step.block {
            let outer = prefix(path).strip_suffix('.').unwrap_or_default();
            let group = &plan.steps[block].id;
            let is_group = matches!(plan.steps[block].work, crate::plan::Work::Group { .. });
            let around = if is_group {
                format!("{}{group}", prefix(path))
            } else {
                outer.to_owned()
            };
            if self.ends.contains_key(&around) {
                return Err(format!("{path} starts after {around} has ended"));
            }
        }
        if matches!(step.work, crate::plan::Work::Group { .. }) {
            self.forget(plan, number, prefix(path));
        }
        if attempt > 1 || self.ends.remove(path).is_some() && step.block.is_none() {
            return if attempt > 1 {
                Ok(())
            } else {
                Err(format!("{path} starts twice"))
            };
        }
        let mut met = 0;
        for need in &step.needs {
            let needed = format!("{}{}", prefix(path), plan.steps[need.step].id);
            let end = self
                .ends
                .get(&needed)
                .ok_or(format!("{path} starts before {needed} has ended"))?;
            met += usize::from(need.edges.iter().any(|edge| match edge {
                Edge::Succeeded => matches!(end, End::Succeeded | End::PassedOver),
                Edge::Failed => *end == End::Failed,
                Edge::Done => true,
                Edge::Named { .. } => false,
            }));
        }
        if met == 0 && !step.needs.is_empty() {
            return Err(format!("{path} starts on nothing"));
        }
        Ok(())
    }

    /// The steps of a group begin anew.
    fn forget(&mut self, plan: &Plan, group: usize, prefix: &str) {
        for member in plan.members(Some(group)) {
            let path = format!("{prefix}{}", plan.steps[*member].id);
            self.ends
                .retain(|ended, _| *ended != path && !ended.starts_with(&format!("{path}[")));
            self.forget(plan, *member, prefix);
        }
    }

    /// Nothing is left of what was completed in a block that failed.
    fn is_undone(&self, plan: &Plan, path: &str) -> Result<(), String> {
        let inside = |completed: &str| {
            let mut block = plan
                .step_number(id(completed))
                .and_then(|step| plan.steps[step].block);
            let starts =
                completed.starts_with(&format!("{path}.")) || completed.starts_with(&format!("{path}["));
            let mut in_group = false;
            while let Some(step) = block {
                in_group |= plan.steps[step].id == id(path) && prefix(path) == shared(completed, path);
                block = plan.steps[step].block;
            }
            starts || (in_group && !path.ends_with(']'))
        };
        match self.completed.iter().find(|completed| inside(completed)) {
            Some(left) => Err(format!("{path} failed before {left} was taken back")),
            None => Ok(()),
        }
    }
}

/// The beginning of a path that is as long as the prefix of another one.
fn shared<'a>(path: &'a str, other: &str) -> &'a str {
    path.get(..prefix(other).len()).unwrap_or_default()
}
