//! What a forEach and a loop do next, and what comes of an item or a turn.

use jiff::Timestamp;
use serde_json::{Map, Value as Json};

use super::evaluate::expression_error;
use super::frame::{FrameId, Instance, Owner, Turns};
use super::names::Given;
use super::path::Target;
use super::settle::check_limit;
use super::work::Outcome;
use super::{Command, Run, after};
use crate::journal::{Event, IterationEnd, StepError};
use crate::plan::{ForEachWork, LoopWork, Work};

impl Run {
    /// A forEach begins: its items are known from now on.
    pub(super) fn list_items(&self, instance: Instance, each: &ForEachWork) -> Outcome<Vec<Json>> {
        let items = match self.evaluate(instance, &each.items)? {
            Json::Array(items) => items,
            other => {
                let kind = kind_of(&other);
                return Err(expression_error(format!("`items` gave {kind}, not a list")));
            }
        };
        let (most, given) = (each.max_items as usize, items.len());
        if given > most {
            return Err(Box::new(StepError {
                code: "LimitExceeded".to_owned(),
                message: format!("`items` has {given} items; at most {most} are allowed (`maxItems`)"),
                ..StepError::default()
            }));
        }
        let list = Json::Array(items);
        check_limit(&list)?;
        let Json::Array(items) = list else {
            return Ok(Vec::new());
        };
        Ok(items)
    }

    /// A loop begins: what it carries, and whether there is no turn at all.
    pub(super) fn begin_turns(
        &self,
        instance: Instance,
        turns: &LoopWork,
        now: Timestamp,
    ) -> Outcome<(Map<String, Json>, bool)> {
        let carried = match self.evaluate(instance, &turns.init)? {
            Json::Object(carried) => carried,
            _ => Map::new(),
        };
        let over = match &turns.before {
            Some(before) => {
                let given = Given::turn(instance.step, &carried, 0);
                !self.truth(instance.frame, "while", now, before, given)?
            }
            None => false,
        };
        Ok((carried, over))
    }

    /// Begins items or turns, or ends the block after the last one.
    pub(super) fn go_on(&mut self, id: FrameId, now: Timestamp, commands: &mut Vec<Command>) {
        let plan = self.plan.clone();
        let frame = self.frames.get(id);
        let (Owner::Step(instance), Some(iterations)) = (frame.owner, &frame.iterations) else {
            return;
        };
        let (next, open, pauses) = (iterations.next, frame.open, frame.timer.is_some());
        match (&plan.steps[instance.step].work, &iterations.plan) {
            (Work::ForEach(each), Turns::Items { items, .. }) => {
                let most = (each.max_parallel as usize).max(1);
                if next < items.len() && open < most {
                    self.begin_iteration(id, next, now, commands);
                    // Another one may begin at the same moment.
                    self.settling.insert(id);
                } else if open == 0 && next >= items.len() {
                    self.end_items(id, instance, now, commands);
                }
            }
            (Work::Loop(turns), Turns::Loop { carried, over }) => {
                if open > 0 || pauses {
                } else if *over {
                    let output = Json::Object(carried.clone());
                    self.succeed(instance, Some(output), now, commands);
                } else if next >= turns.max_iterations as usize {
                    let error = StepError {
                        code: "MaxIterations".to_owned(),
                        message: format!("the loop is not over after {} turns", turns.max_iterations),
                        ..StepError::default()
                    };
                    self.fails_late(id, error, now, commands);
                } else {
                    self.begin_iteration(id, next, now, commands);
                }
            }
            _ => {}
        }
    }

    fn begin_iteration(&mut self, of: FrameId, index: usize, now: Timestamp, commands: &mut Vec<Command>) {
        let step = format!("{}[{index}]", self.frames.get(of).prefix);
        self.record_at(
            Target::Iteration { of, index },
            Event::IterationStarted { step, at: now },
            commands,
        );
    }

    /// Every item ended: the list of what they gave.
    fn end_items(&mut self, id: FrameId, instance: Instance, now: Timestamp, commands: &mut Vec<Command>) {
        let Work::ForEach(each) = &self.plan.steps[instance.step].work else {
            return;
        };
        let has_result = each.result.is_some();
        let iterations = self.frames.get_mut(id).iterations.as_mut();
        let Some(Turns::Items {
            results, failures, ..
        }) = iterations.map(|all| &mut all.plan)
        else {
            return;
        };
        let named = (!failures.is_empty()).then(|| "partial".to_owned());
        // Taken out: nobody reads them any more, and they may be large.
        let output = has_result.then(|| Json::Array(results.drain(..).flatten().collect()));
        match output.as_ref().map_or(Ok(()), check_limit) {
            Ok(()) => self.succeed_as(instance, output, named, now, commands),
            Err(error) => self.fails_late(id, *error, now, commands),
        }
    }

    /// What a finished item gives, or what a finished turn carries on.
    pub(super) fn iteration_result(
        &self,
        of: FrameId,
        id: FrameId,
        index: usize,
        now: Timestamp,
    ) -> Outcome<IterationEnd> {
        let block = self.frames.get(of).block.unwrap_or_default();
        match &self.plan.steps[block].work {
            Work::ForEach(each) => {
                let result = match &each.result {
                    Some(result) => Some(self.evaluate_in(id, "result", now, result)?),
                    None => None,
                };
                if let Some(result) = &result {
                    check_limit(result)?;
                }
                Ok(IterationEnd::Succeeded {
                    result,
                    carried: None,
                    over: false,
                    next_at: None,
                })
            }
            Work::Loop(turns) => self.turn_result(of, id, block, index, turns, now),
            _ => Ok(IterationEnd::Cancelled),
        }
    }

    fn turn_result(
        &self,
        of: FrameId,
        id: FrameId,
        block: usize,
        index: usize,
        turns: &LoopWork,
        now: Timestamp,
    ) -> Outcome<IterationEnd> {
        let mut carried = match self.frames.get(of).iterations.as_ref().map(|all| &all.plan) {
            Some(Turns::Loop { carried, .. }) => carried.clone(),
            _ => Map::new(),
        };
        if let Json::Object(next) = self.evaluate_in(id, "next", now, &turns.next)? {
            carried.extend(next);
        }
        let values = Json::Object(carried);
        check_limit(&values)?;
        let Json::Object(carried) = values else {
            return Ok(IterationEnd::Cancelled);
        };
        let over = match (&turns.before, &turns.after) {
            (Some(before), _) => {
                let given = Given::turn(block, &carried, index + 1);
                !self.truth(id, "while", now, before, given)?
            }
            (None, Some(after)) => {
                let given = Given::turn(block, &carried, index);
                self.truth(id, "until", now, after, given)?
            }
            (None, None) => true,
        };
        // No pause before a turn that does not come.
        let comes = !over && index + 1 < turns.max_iterations as usize;
        let next_at = match &turns.delay {
            Some(delay) if comes => {
                let given = Given::turn(block, &carried, index);
                let pause = self.duration_in(id, "loop.delay", now, delay, given)?;
                (!pause.is_zero()).then(|| after(now, pause))
            }
            _ => None,
        };
        Ok(IterationEnd::Succeeded {
            result: None,
            carried: Some(carried),
            over,
            next_at,
        })
    }
}

/// What a value is, in a word.
pub(super) fn kind_of(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "a truth value",
        Json::Number(_) => "a number",
        Json::String(_) => "a text",
        Json::Array(_) => "a list",
        Json::Object(_) => "a map",
    }
}
