//! Failure and early ends: what is handled, what ends with what.

use flowpilot_engine::journal::StepError;
use jiff::Timestamp;

use super::starts::add;
use super::{Cause, Oracle, Place, State, Verdict, check};
use crate::flow::{Edge, Gives, Kind, Need};

pub(crate) const HOUR: i64 = 3600;

impl Oracle<'_> {
    /// The need names a failure, and that is how the needed step ended.
    fn needs_failure(&self, place: Place<'_>, need: &Need) -> bool {
        need.edges.iter().any(|edge| {
            matches!(edge, Edge::Failed | Edge::Named { failure: true, .. })
                && self.meets(place, need.step, edge)
        })
    }

    /// A step starts: it handles the failures that it needs.
    pub(crate) fn handles(&mut self, place: Place<'_>) {
        for need in &self.step(place.step).needs {
            if self.needs_failure(place, need) {
                let path = format!("{}{}", place.prefix, self.step(need.step).id);
                if let Some(record) = self.records.get_mut(&path) {
                    record.handled = true;
                }
            }
        }
    }

    /// A step will not start: the failures that only it could handle are nobody's.
    pub(crate) fn handles_nothing(&mut self, place: Place<'_>, at: Timestamp) {
        for need in &self.step(place.step).needs {
            if self.needs_failure(place, need) {
                let failed = Place {
                    step: need.step,
                    ..place
                };
                self.look_for_handlers(failed, at);
            }
        }
    }

    /// A failure that no step can handle any more fails the block.
    pub(crate) fn look_for_handlers(&mut self, failed: Place<'_>, at: Timestamp) {
        let path = format!("{}{}", failed.prefix, self.step(failed.step).id);
        if self.records.get(&path).is_none_or(|record| record.handled) {
            return;
        }
        let block = self.step(failed.step).block;
        let pending = self
            .flow
            .steps
            .iter()
            .filter(|step| step.block == block)
            .any(|step| {
                !self
                    .records
                    .contains_key(&format!("{}{}", failed.prefix, step.id))
                    && step
                        .needs
                        .iter()
                        .any(|need| need.step == failed.step && self.needs_failure(failed, need))
            });
        if !pending {
            self.unhandled(failed, at);
        }
    }

    fn unhandled(&mut self, failed: Place<'_>, at: Timestamp) {
        let path = format!("{}{}", failed.prefix, self.step(failed.step).id);
        let key = self.scope_of(failed);
        let is_race = self.is_race(&key);
        let Some(record) = self.records.get(&path).cloned() else {
            return;
        };
        let Some(scope) = self.scopes.get_mut(&key) else {
            return;
        };
        if (scope.cause.is_none() || record.clean_up || record.maybe_clean_up) && scope.error.is_none() {
            scope.error = record.error;
        }
        if is_race {
            scope.doomed = true;
        } else {
            self.end_scope(&key, Cause::Failing, at);
        }
    }

    /// A race whose last steps all ended without a winner is over.
    pub(crate) fn look_at_race(&mut self, key: &str, at: Timestamp) {
        let doomed = self
            .scopes
            .get(key)
            .is_some_and(|scope| scope.doomed && scope.cause.is_none());
        let last = || {
            self.members(key)
                .into_iter()
                .filter(|(step, _)| self.is_last(*step))
        };
        if doomed && last().all(|(_, path)| self.state(&path).is_some_and(State::is_end)) {
            self.end_scope(key, Cause::Failing, at);
        }
    }

    pub(crate) fn is_race(&self, key: &str) -> bool {
        let place = if key.ends_with(']') {
            None
        } else {
            self.place(key).ok()
        };
        place.is_some_and(|place| matches!(self.step(place.step).kind, Kind::Group { race: true, .. }))
    }

    /// No other step needs it, or only by `done`, and it is not itself reached by `done` alone.
    pub(crate) fn is_last(&self, step: usize) -> bool {
        let only_done = |need: &Need| need.edges.iter().all(|edge| *edge == Edge::Done);
        let needs = &self.step(step).needs;
        let needed = self.flow.steps.iter().flat_map(|other| &other.needs);
        !needed
            .into_iter()
            .any(|need| need.step == step && !only_done(need))
            && (needs.is_empty() || !needs.iter().all(only_done))
    }

    /// A block ends early, and with it what runs inside of it.
    pub(crate) fn end_scope(&mut self, key: &str, cause: Cause, at: Timestamp) {
        let Some(scope) = self.scopes.get_mut(key) else {
            return;
        };
        if scope.cause.is_some() || scope.closed {
            return;
        }
        (scope.cause, scope.since) = (Some(cause), at);
        let undo = cause.undoes() || cause == Cause::Won;
        let mut inside: Vec<String> = self
            .members(key)
            .into_iter()
            .filter(|(number, _)| self.step(*number).kind.is_block())
            .filter(|(_, path)| {
                let record = self.records.get(path);
                record.is_some_and(|record| record.state == State::Running && !record.clean_up)
            })
            .map(|(_, path)| path)
            .collect();
        let items = format!("{key}[");
        inside.extend(
            self.scopes
                .keys()
                .filter(|other| {
                    other
                        .strip_prefix(&items)
                        .is_some_and(|rest| rest.find(']') == Some(rest.len() - 1))
                })
                .cloned(),
        );
        for inner in inside {
            self.end_scope(&inner, Cause::Cancelled { undo }, at);
        }
    }

    pub(crate) fn deadline(&self) -> Timestamp {
        add(self.started_at, self.flow.timeout)
    }

    pub(crate) fn cancel(&mut self, by: &str, at: Timestamp) {
        let timed_out = by == "timeout" && at >= self.deadline();
        let run = self.scopes.get_mut("").filter(|run| run.cause.is_none());
        let Some(run) = run else { return };
        if timed_out {
            run.error = Some(("Timeout".to_owned(), None));
        }
        let cause = if timed_out {
            Cause::Failing
        } else {
            Cause::Cancelled { undo: true }
        };
        self.end_scope("", cause, at);
    }

    pub(crate) fn clean_up_is_cut(&mut self, at: Timestamp) -> Verdict {
        let run = self.scope("")?;
        let is_time = run.cause.is_some() && at >= add(run.since, HOUR).max(self.deadline());
        check(is_time && !self.cut_short, || {
            "clean-up is ended too early".to_owned()
        })?;
        self.cut_short = true;
        let run = self.scope_mut("")?;
        run.error.get_or_insert(("Timeout".to_owned(), None));
        let all: Vec<String> = self.scopes.keys().cloned().collect();
        for scope in all {
            self.end_scope(&scope, Cause::Cancelled { undo: true }, at);
        }
        Ok(())
    }

    /// A block fails for a reason of its own.
    pub(crate) fn block_fails(&mut self, key: &str, error: &StepError, at: Timestamp) -> Verdict {
        let code = error.code.as_str();
        let over = self.is_over(key);
        let block = key
            .rfind('[')
            .filter(|_| key.ends_with(']'))
            .map_or(key, |bracket| &key[..bracket]);
        let place = self.place(block)?;
        let step = self.step(place.step);
        let scope = self.scope(key)?;
        check(!scope.closed, || format!("{key} fails after it ended"))?;
        let record = self
            .records
            .get(block)
            .ok_or_else(|| format!("{key} fails before it started"))?;
        let gives = match &step.kind {
            Kind::Group { result, .. } | Kind::ForEach { result, .. } => *result,
            _ => Gives::Nothing,
        };
        let is_right = match code {
            "Timeout"
                if block == key
                    && step
                        .timeout
                        .is_some_and(|timeout| at >= add(record.attempt_at, timeout)) =>
            {
                true
            }
            "MaxIterations" if matches!(step.kind, Kind::Loop { .. }) && block == key => {
                over && !scope.over && matches!(step.kind, Kind::Loop { most, .. } if scope.next == most)
            }
            "ExpressionError" if over && gives == Gives::Error => true,
            // A race without a winner fails with its first error; one that was won with that of its clean-up.
            _ => self.is_race(key) && over && scope.error.as_ref().is_some_and(|(first, _)| first == code),
        };
        check(is_right, || format!("{key} fails with {code} for no reason"))?;
        let own = Some((error.code.clone(), error.step.clone()));
        let scope = self.scope_mut(key)?;
        if scope.error.is_none() {
            scope.error = own;
        }
        if scope.cause == Some(Cause::Won) {
            scope.cause = Some(Cause::Failing);
        }
        self.end_scope(key, Cause::Failing, at);
        Ok(())
    }
}
