//! What is taken back: by the block that failed, the last first, one after another.

use flowpilot_engine::journal::Event;
use jiff::Timestamp;

use super::ends::is_repeatable;
use super::rules::HOUR;
use super::starts::add;
use super::{Answer, Cause, Oracle, Undo, Verdict, check};

/// Undo steps are tried so often.
const ATTEMPTS: u32 = 3;

impl Oracle<'_> {
    pub(crate) fn undo(&mut self, path: &str, event: &Event) -> Verdict {
        match event {
            Event::StepStarted { at, attempt, .. } => self.undo_starts(path, *attempt, *at),
            Event::StepSucceeded { attempt, .. } => {
                self.is_reported(path, *attempt, |answer| {
                    matches!(answer, Answer::Gives(_) | Answer::Cached(_))
                })?;
                self.undo_ends(path, *attempt)
            }
            Event::StepFailed {
                at,
                attempt,
                error,
                retry_at,
                ..
            } => {
                let code = error.code.as_str();
                let interrupted = self.recovering && code == "Interrupted";
                if !interrupted {
                    self.is_reported(
                        path,
                        *attempt,
                        |answer| matches!(answer, Answer::Fails { code: said, .. } if *said == code),
                    )?;
                }
                let place = self.place(path)?;
                let undo = self
                    .step(place.step)
                    .undo
                    .ok_or_else(|| format!("{path} has no undo"))?;
                let again = *attempt < ATTEMPTS && is_repeatable(undo, error);
                check(retry_at.is_some() == again, || {
                    format!("the undo of {path} should be tried again: {again}")
                })?;
                if let Some(retry_at) = retry_at {
                    check(*retry_at >= *at, || {
                        format!("the undo of {path} is tried in the past")
                    })?;
                    if let Some(undo) = self.undos.get_mut(path) {
                        (undo.running, undo.retry_at) = (false, *retry_at);
                    }
                    return Ok(());
                }
                self.incomplete = true;
                self.undo_ends(path, *attempt)
            }
            Event::StepCancelled { .. } => Ok(()),
            _ => Err(format!("{} of an undo", event.name())),
        }
    }

    fn is_reported(&self, path: &str, attempt: u32, fits: impl Fn(&Answer) -> bool) -> Verdict {
        let report = self
            .report
            .as_ref()
            .filter(|report| report.step == format!("{path}.undo") && report.attempt == attempt);
        check(report.is_some_and(|report| fits(&report.answer)), || {
            format!("nobody reported this about the undo of {path}")
        })
    }

    fn undo_starts(&mut self, path: &str, attempt: u32, at: Timestamp) -> Verdict {
        check(attempt <= ATTEMPTS, || {
            format!("the undo of {path} is tried {attempt} times")
        })?;
        if let Some(undo) = self.undos.get_mut(path) {
            let follows =
                !undo.running && !undo.given_up && undo.attempts + 1 == attempt && at >= undo.retry_at;
            check(follows, || format!("{path} is taken back again"))?;
            (undo.running, undo.attempts) = (true, attempt);
            return Ok(());
        }
        check(attempt == 1, || {
            format!("the undo of {path} begins with attempt {attempt}")
        })?;
        let place = self.place(path)?;
        let mut key = self.scope_of(place);
        loop {
            let scope = self.scope(&key)?;
            if scope.completed.iter().any(|(_, completed)| completed == path) {
                break;
            }
            key = self
                .around(&key)
                .ok_or_else(|| format!("{path} is taken back but was never completed"))?;
        }
        let over = self.is_over(&key);
        let doomed = self.scope(&key)?.doomed;
        let scope = self.scope_mut(&key)?;
        let undoes = doomed || scope.cause.is_some_and(Cause::undoes);
        check(undoes && over && !scope.closed, || {
            format!("{path} is taken back although `{key}` does not fail")
        })?;
        check(scope.undoing.is_none(), || {
            format!("{path} is taken back beside {:?}", scope.undoing)
        })?;
        let last = scope.completed.iter().max_by_key(|(sequence, _)| *sequence);
        check(last.is_some_and(|(_, last)| last == path), || {
            format!("{path} is taken back before {last:?}")
        })?;
        scope.undoing = Some(path.to_owned());
        scope.undo_since.get_or_insert(at);
        self.undos.insert(
            path.to_owned(),
            Undo {
                attempts: 1,
                running: true,
                given_up: false,
                retry_at: at,
                by: key,
            },
        );
        Ok(())
    }

    fn undo_ends(&mut self, path: &str, attempt: u32) -> Verdict {
        let undo = self
            .undos
            .get_mut(path)
            .filter(|undo| undo.running && undo.attempts == attempt);
        let undo = undo.ok_or_else(|| format!("the undo of {path} ends but does not run"))?;
        undo.running = false;
        let by = undo.by.clone();
        let scope = self.scope_mut(&by)?;
        scope.undoing = None;
        scope.completed.retain(|(_, completed)| completed != path);
        Ok(())
    }

    pub(crate) fn undo_given_up(&mut self, key: &str, at: Timestamp) -> Verdict {
        let scope = self.scope_mut(key)?;
        let is_time = scope.undo_since.is_some_and(|since| at >= add(since, HOUR));
        check(is_time && !scope.closed, || {
            format!("the undo of `{key}` is given up too early")
        })?;
        scope.completed.clear();
        if let Some(path) = scope.undoing.take()
            && let Some(undo) = self.undos.get_mut(&path)
        {
            (undo.running, undo.given_up) = (false, true);
        }
        self.incomplete = true;
        Ok(())
    }
}
