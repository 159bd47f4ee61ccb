//! What may start, and what is not started.

use flowpilot_engine::journal::{SkipReason, Vote};
use jiff::Timestamp;

use super::join::Join;
use super::{Cause, Oracle, Place, Record, Scope, State, Verdict, check};
use crate::flow::{Edge, Kind};

pub(crate) const STARTER: &str = "ann";

impl Oracle<'_> {
    pub(crate) fn starts(&mut self, path: &str, attempt: u32, at: Timestamp) -> Verdict {
        let place = self.place(path)?;
        let step = self.step(place.step);
        let key = self.scope_of(place);
        let scope = self.scope(&key)?;
        check(!scope.closed, || format!("{path} starts after its block ended"))?;
        check(scope.undo_since.is_none(), || {
            format!("{path} starts while its block is taken back")
        })?;
        check(!self.cut_short, || {
            format!("{path} starts although clean-up was ended")
        })?;
        let (ending, doomed) = (scope.cause, self.doomed_around(&key).is_some());
        check(attempt <= self.limit(place.step), || {
            format!("{path} has attempt {attempt}, more than its limit")
        })?;
        match self.records.get(path) {
            None => {
                check(attempt == 1, || format!("{path} begins with attempt {attempt}"))?;
                let join = self.join(place);
                check(join == Join::Runs, || {
                    format!("{path} starts, but its needs say {join:?}")
                })?;
                if let Some(cause) = ending {
                    check(!matches!(cause, Cause::Skipped(_)), || {
                        format!("{path} starts in a skipped block")
                    })?;
                    check(is_clean_up(step), || {
                        format!("{path} starts although its block ends: {cause:?}")
                    })?;
                }
                let when = step.when.map(|when| when.answer(self.index(path)));
                check(when != Some(Some(false)), || {
                    format!("{path} starts although its `when` is false")
                })?;
                self.records.insert(
                    path.to_owned(),
                    Record {
                        state: State::Running,
                        attempts: 1,
                        attempt_at: at,
                        named: None,
                        clean_up: ending.is_some(),
                        maybe_clean_up: doomed && ending.is_none() && is_clean_up(step),
                        retry_at: at,
                        until: None,
                        votes: Vec::new(),
                        handled: false,
                        by_needs: false,
                        error: None,
                    },
                );
                self.handles(place);
            }
            Some(record) => {
                let follows = record.state == State::Retrying && attempt == record.attempts + 1;
                check(follows, || {
                    format!("{path} begins attempt {attempt} when it is {record:?}")
                })?;
                check(at >= record.retry_at, || {
                    format!("{path} is tried again too early")
                })?;
                let allowed = ending.is_none() || record.clean_up || record.maybe_clean_up;
                check(allowed, || {
                    format!("{path} is tried again although its block ends")
                })?;
                if let Some(record) = self.records.get_mut(path) {
                    (record.state, record.attempts, record.attempt_at) = (State::Running, attempt, at);
                }
            }
        }
        if matches!(step.kind, Kind::Group { .. }) {
            self.forget_inside(place);
            self.scopes.insert(path.to_owned(), Scope::default());
        }
        Ok(())
    }

    /// The steps of a group begin anew.
    fn forget_inside(&mut self, group: Place<'_>) {
        let inside: Vec<String> = (0..self.flow.steps.len())
            .filter(|step| self.is_inside(*step, group.step))
            .map(|step| format!("{}{}", group.prefix, self.step(step).id))
            .collect();
        let is_old = |path: &str| {
            inside.iter().any(|old| {
                path.strip_prefix(old.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('['))
            })
        };
        self.records.retain(|path, _| !is_old(path));
        self.scopes.retain(|path, _| !is_old(path));
        self.undos.retain(|path, _| !is_old(path));
    }

    fn is_inside(&self, step: usize, block: usize) -> bool {
        self.step(step)
            .block
            .is_some_and(|outer| outer == block || self.is_inside(outer, block))
    }

    pub(crate) fn limit(&self, step: usize) -> u32 {
        self.step(step).retry.as_ref().map_or(1, |retry| retry.attempts)
    }

    pub(crate) fn waits(&mut self, path: &str, at: Timestamp, until: Option<Timestamp>) -> Verdict {
        let place = self.place(path)?;
        let seconds = |seconds: i64| Some(add(at, seconds));
        let expected = match self.step(place.step).kind {
            Kind::WaitFor(duration) => {
                if self.dry {
                    Some(at)
                } else {
                    seconds(duration)
                }
            }
            Kind::WaitUntil(time) => {
                if self.dry {
                    Some(at)
                } else {
                    Timestamp::from_second(time).ok()
                }
            }
            Kind::Event { .. } if self.dry => Some(at),
            Kind::Event { timeout, .. } | Kind::Approval { timeout, .. } => timeout.and_then(seconds),
            _ => return Err(format!("{path} waits, but is no wait")),
        };
        check(until == expected, || {
            format!("{path} waits until {until:?} instead of {expected:?}")
        })?;
        let record = self
            .records
            .get_mut(path)
            .filter(|record| record.state == State::Running);
        let record = record.ok_or_else(|| format!("{path} waits but does not run"))?;
        (record.state, record.until) = (State::Waiting, until);
        Ok(())
    }

    pub(crate) fn voted(&mut self, path: &str, vote: &Vote) -> Verdict {
        let place = self.place(path)?;
        let Kind::Approval { self_approval, .. } = self.step(place.step).kind else {
            return Err(format!("a vote about {path}, which asks nobody"));
        };
        check(self_approval || vote.by != STARTER, || {
            format!("the starter votes about {path}")
        })?;
        check(vote.groups.iter().any(|group| group == "managers"), || {
            format!("a stranger votes about {path}")
        })?;
        let record = self
            .records
            .get_mut(path)
            .filter(|record| record.state == State::Waiting);
        let record = record.ok_or_else(|| format!("a vote about {path}, which does not wait"))?;
        record.votes.retain(|(by, _)| *by != vote.by);
        record.votes.push((vote.by.clone(), vote.approve));
        Ok(())
    }

    pub(crate) fn skips(&mut self, path: &str, reason: SkipReason, at: Timestamp) -> Verdict {
        let place = self.place(path)?;
        let step = self.step(place.step);
        check(!self.records.contains_key(path), || {
            format!("{path} is skipped after it started or ended")
        })?;
        let key = self.scope_of(place);
        check(!self.scope(&key)?.closed, || {
            format!("{path} is skipped after its block ended")
        })?;
        let join = self.join(place);
        let is_right = match self.scope(&key)?.cause {
            Some(Cause::Skipped(outer)) => outer == reason,
            cause => {
                let ends = cause.is_some() && (!is_clean_up(step) || self.cut_short);
                let by_when = reason == SkipReason::Condition
                    && join == Join::Runs
                    && step.when.and_then(|when| when.answer(self.index(path))) == Some(false);
                by_when || join == Join::Skips(reason) || (ends && reason == SkipReason::Cancelled)
            }
        };
        if !is_right {
            let lost = self
                .doomed_around(&key)
                .filter(|_| reason == SkipReason::Cancelled && !is_clean_up(step));
            let lost =
                lost.ok_or_else(|| format!("{path} is skipped as {reason:?}, but its needs say {join:?}"))?;
            self.end_scope(&lost, Cause::Failing, at);
        }
        let record = Record {
            state: State::Skipped(reason),
            attempts: 0,
            attempt_at: at,
            named: None,
            clean_up: false,
            maybe_clean_up: false,
            retry_at: at,
            until: None,
            votes: Vec::new(),
            handled: false,
            by_needs: reason != SkipReason::Condition && matches!(join, Join::Skips(_)),
            error: None,
        };
        self.records.insert(path.to_owned(), record);
        if matches!(step.kind, Kind::Group { .. }) {
            self.scopes.insert(
                path.to_owned(),
                Scope {
                    cause: Some(Cause::Skipped(reason)),
                    ..Scope::default()
                },
            );
        }
        self.handles_nothing(place, at);
        self.look_at_race(&key, at);
        Ok(())
    }

    /// The innermost race around or at a scope that may be lost already.
    pub(crate) fn doomed_around(&self, key: &str) -> Option<String> {
        let mut at = Some(key.to_owned());
        while let Some(scope) = at {
            if self
                .scopes
                .get(&scope)
                .is_some_and(|scope| scope.doomed && scope.cause.is_none())
            {
                return Some(scope);
            }
            at = self.around(&scope);
        }
        None
    }
}

/// It runs after any end of another step.
pub(crate) fn is_clean_up(step: &crate::flow::Step) -> bool {
    step.needs.iter().any(|need| need.edges.contains(&Edge::Done))
}

pub(crate) fn add(at: Timestamp, seconds: i64) -> Timestamp {
    at.checked_add(jiff::SignedDuration::from_secs(seconds))
        .unwrap_or(Timestamp::MAX)
}
