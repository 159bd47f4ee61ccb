//! When the machine has nothing more to say, nothing may be left that it could have said.

use jiff::Timestamp;

use super::join::Join;
use super::starts::is_clean_up;
use super::{Cause, Oracle, State, Verdict, check};
use crate::flow::Kind;

/// What is under way outside, as the world sees it: path, attempt, and whether it was told to stop.
pub(crate) type Flying<'f> = &'f dyn Fn(&str, u32) -> Option<bool>;

impl Oracle<'_> {
    pub(crate) fn quiet(&self, now: Timestamp, flying: Flying<'_>) -> Verdict {
        if self.finished {
            return Ok(());
        }
        for (key, scope) in self.scopes.iter().filter(|(key, _)| self.is_live(key)) {
            if let Some(Cause::Skipped(_)) = scope.cause {
                let left = self
                    .members(key)
                    .into_iter()
                    .find(|(_, path)| !self.records.contains_key(path));
                check(left.is_none(), || {
                    format!("{left:?} in a skipped block is not skipped")
                })?;
                continue;
            }
            for (number, path) in self.members(key) {
                self.quiet_step(key, number, &path, now, flying)?;
            }
            self.quiet_scope(key)?;
        }
        Ok(())
    }

    /// It and everything around it goes on.
    fn is_live(&self, key: &str) -> bool {
        let mut at = Some(key.to_owned());
        while let Some(scope) = at {
            match self.scopes.get(&scope) {
                Some(found) if !found.closed => {}
                _ => return false,
            }
            at = self.around(&scope);
        }
        true
    }

    fn quiet_step(
        &self,
        key: &str,
        number: usize,
        path: &str,
        now: Timestamp,
        flying: Flying<'_>,
    ) -> Verdict {
        let (step, scope) = (self.step(number), self.scope(key)?);
        let Some(record) = self.records.get(path) else {
            let join = self.join(self.place(path)?);
            check(join == Join::Waits, || {
                format!("{path} is not decided, though its needs say {join:?}")
            })?;
            let left = scope.cause.is_some() && (!is_clean_up(step) || self.cut_short);
            return check(!left, || format!("{path} waits in a block that ends"));
        };
        let spared = (record.clean_up || record.maybe_clean_up) && !self.cut_short;
        let must_end = scope.cause.is_some() && !spared;
        match record.state {
            State::Waiting => {
                check(!must_end, || format!("{path} waits in a block that ends"))?;
                check(record.until.is_none_or(|until| until > now), || {
                    format!("{path} waits too long")
                })?;
                self.has_no_event(number, path)
            }
            State::Retrying => {
                check(!must_end, || {
                    format!("{path} is tried again in a block that ends")
                })?;
                check(record.retry_at > now, || {
                    format!("{path} is not tried again in time")
                })
            }
            State::Running if step.kind.is_performed() => {
                let told = flying(path, record.attempts).ok_or_else(|| format!("{path} runs nowhere"))?;
                let at_once = step.kind.is_harmless() || self.cut_short;
                check(!must_end || told || !at_once, || {
                    format!("{path} is not told to stop")
                })?;
                let late = must_end && now >= super::starts::add(scope.since, 60);
                check(!late || told, || {
                    format!("{path} is left to finish for more than a minute")
                })?;
                let timed_out = step
                    .timeout
                    .is_some_and(|timeout| now >= super::starts::add(record.attempt_at, timeout));
                check(!timed_out || told, || {
                    format!("{path} runs longer than its timeout")
                })
            }
            State::Running if step.kind.is_block() => {
                let inner = self.scope(path)?;
                check(!inner.closed, || format!("{path} runs, but all in it is over"))?;
                check(!must_end || inner.cause.is_some(), || {
                    format!("{path} goes on in a block that ends")
                })
            }
            State::Running => Err(format!("{path} runs, but does nothing")),
            _ => Ok(()),
        }
    }

    /// No event has come that the step waits for.
    fn has_no_event(&self, number: usize, path: &str) -> Verdict {
        let Kind::Event { kind, matches, .. } = self.step(number).kind else {
            return Ok(());
        };
        let taken = self.taken.get(&number);
        let fits = self.events.iter().find(|(id, of, good)| {
            of == kind
                && matches.is_none_or(|wanted| wanted == *good)
                && !taken.is_some_and(|taken| taken.iter().any(|(other, _)| other == id))
        });
        check(fits.is_none() || self.dry, || {
            format!("{path} still waits, though {fits:?} came")
        })
    }

    fn quiet_scope(&self, key: &str) -> Verdict {
        let scope = self.scope(key)?;
        let block = self
            .place(key)
            .ok()
            .filter(|_| !key.ends_with(']'))
            .map(|place| &self.step(place.step).kind);
        let undoes = scope.undoing.is_some();
        match block {
            Some(Kind::ForEach { items, parallel, .. }) if scope.cause.is_none() => {
                let may = scope.next < *items && scope.open < parallel.unwrap_or(1);
                check(!may, || format!("{key} does not go on with its items"))?;
                check(scope.open > 0, || {
                    format!("all items of {key} ended, but not the block")
                })
            }
            Some(Kind::Loop { .. }) if scope.cause.is_none() => {
                check(scope.open > 0 || scope.pause.is_some(), || {
                    format!("{key} does not go on with its turns")
                })
            }
            _ => check(!self.is_over(key) || undoes, || {
                format!("all in `{key}` ended, but not the block")
            }),
        }
    }

    /// Something has a reason to go on: an attempt, a time, or a signal that people and the world can give.
    pub(crate) fn waits_for_a_signal(&self) -> bool {
        self.records.iter().any(|(path, record)| {
            record.state == State::Waiting
                && record.until.is_none()
                && self.place(path).is_ok_and(|place| {
                    matches!(
                        self.step(place.step).kind,
                        Kind::Approval { .. } | Kind::Event { .. }
                    )
                })
        })
    }
}
