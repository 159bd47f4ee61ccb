//! Ends of steps: that they could end so, and what follows.

use flowpilot_engine::journal::{Event, SkipReason, StepError};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::starts::add;
use super::{Answer, Cause, Oracle, Place, Record, State, Verdict, check};
use crate::flow::{Action, Condition, Gives, Kind, Step};

/// Worth another attempt unless somebody says otherwise.
const OF_THE_MOMENT: [&str; 5] = ["Timeout", "RateLimited", "Unavailable", "Conflict", "Interrupted"];

impl Oracle<'_> {
    /// The step as far as it got, if the attempt is under way.
    fn under_way(&self, path: &str, attempt: u32) -> Result<&Record, String> {
        let record = self.records.get(path);
        record
            .filter(|record| {
                matches!(record.state, State::Running | State::Waiting) && record.attempts == attempt
            })
            .ok_or_else(|| format!("attempt {attempt} of {path} ends when the step is {record:?}"))
    }

    fn reported(&self, path: &str, attempt: u32) -> Option<&Answer> {
        let report = self.report.as_ref()?;
        (report.step == path && report.attempt == attempt).then_some(&report.answer)
    }

    pub(crate) fn succeeds(&mut self, path: &str, event: &Event) -> Verdict {
        let Event::StepSucceeded {
            at,
            attempt,
            output,
            named,
            cached,
            ..
        } = event
        else {
            return Ok(());
        };
        let place = self.place(path)?;
        let step = self.step(place.step);
        let record = self.under_way(path, *attempt)?.clone();
        check(
            step.when
                .is_none_or(|when| when.answer(self.index(path)).is_some()),
            || format!("{path} succeeds although its `when` cannot be judged"),
        )?;
        let wrong = || format!("{path} succeeds with {output:?} as {named:?}, which cannot be");
        let right = match &step.kind {
            Kind::Uses(_) | Kind::Script | Kind::Container | Kind::Workflow { .. } => {
                match (self.reported(path, *attempt), output) {
                    (Some(Answer::Gives(given)), Some(output)) => !cached && same(given, output),
                    (Some(Answer::Cached(given)), Some(output)) => *cached && same(given, output),
                    _ => false,
                }
            }
            Kind::Set { broken } => !broken && output.is_some(),
            Kind::Switch { cases, default } => {
                choose(cases, *default, self.index(path)) == Ok(named.as_deref().unwrap_or_default())
            }
            Kind::WaitFor(_) | Kind::WaitUntil(_) => {
                record.state == State::Waiting && record.until.is_some_and(|until| *at >= until)
            }
            Kind::Event { .. } if self.dry => output.is_none(),
            Kind::Event { .. } => {
                let id = output
                    .as_ref()
                    .and_then(|output| output["id"].as_str())
                    .unwrap_or_default()
                    .to_owned();
                self.takes(path, place.step, &id)?;
                record.state == State::Waiting
            }
            Kind::Approval { required, .. } => {
                let yes = record.votes.iter().filter(|(_, approves)| *approves).count();
                named.as_deref() == Some("approved") && yes == record.votes.len() && yes >= *required
            }
            Kind::Emit(_) | Kind::Stop { .. } => true,
            Kind::Group { result, .. } => {
                let scope = self.scope(path)?;
                let ends = matches!(scope.cause, None | Some(Cause::Won)) && scope.error.is_none();
                ends && self.is_over(path)
                    && *result != Gives::Error
                    && (output.is_some() == (*result == Gives::Something))
            }
            Kind::ForEach {
                items,
                collect,
                result,
                ..
            } => {
                let scope = self.scope(path)?;
                let partial = (!scope.failures.is_empty()).then_some("partial");
                let values: Vec<&Value> = scope.results.values().collect();
                let gives = match output {
                    None => *result == Gives::Nothing,
                    Some(output) => *result != Gives::Nothing && *output == json!(values),
                };
                scope.cause.is_none()
                    && scope.open == 0
                    && scope.next == *items
                    && gives
                    && named.as_deref() == partial
                    && (*collect || partial.is_none())
            }
            Kind::Loop { .. } => {
                let scope = self.scope(path)?;
                let carried = output.as_ref().map(|output| output["n"].clone());
                scope.cause.is_none() && scope.open == 0 && scope.over && carried == Some(json!(scope.next))
            }
            Kind::Fail | Kind::UsesBroken => false,
        };
        check(right, wrong)?;
        self.finish(path, State::Succeeded, named.as_deref());
        self.completes(path, place)?;
        self.wins_or_stops(place, *at)
    }

    /// A last step of a race that succeeds ends it, and a `stop` the run.
    fn wins_or_stops(&mut self, place: Place<'_>, at: Timestamp) -> Verdict {
        let key = self.scope_of(place);
        if self.is_race(&key) && self.is_last(place.step) && self.scope(&key)?.cause.is_none() {
            let scope = self.scope_mut(&key)?;
            (scope.error, scope.doomed) = (None, false);
            // It went on until now: nothing that started in it was clean-up.
            for (_, member) in self.members(&key) {
                if let Some(record) = self.records.get_mut(&member) {
                    record.maybe_clean_up = false;
                }
            }
            self.end_scope(&key, Cause::Won, at);
        }
        if let Kind::Stop { well } = self.step(place.step).kind {
            self.end_scope("", Cause::Stopped { well }, at);
        }
        Ok(())
    }

    /// The first event that it matches and that this step of the manifest has not taken.
    fn takes(&mut self, path: &str, step: usize, id: &str) -> Verdict {
        let Kind::Event { kind, matches, .. } = self.step(step).kind else {
            return Ok(());
        };
        let delivery = self.delivery;
        let taken = self.taken.entry(step).or_default();
        let was_taken = |id: &str| taken.iter().any(|(other, when)| other == id && *when != delivery);
        let fitting = self.events.iter().find(|(event, of, good)| {
            of == kind && matches.is_none_or(|wanted| wanted == *good) && !was_taken(event)
        });
        check(fitting.is_some_and(|(first, ..)| first == id), || {
            format!("{path} takes the event {id} instead of {fitting:?}")
        })?;
        taken.push((id.to_owned(), delivery));
        Ok(())
    }

    fn finish(&mut self, path: &str, state: State, named: Option<&str>) {
        if let Some(record) = self.records.get_mut(path) {
            record.state = state;
            record.named = named.map(str::to_owned);
        }
    }

    /// It can be taken back from now on; of a block, what was done in it.
    fn completes(&mut self, path: &str, place: Place<'_>) -> Verdict {
        let mut done = Vec::new();
        if self.step(place.step).kind.is_block() {
            let inner = self.scope_mut(path)?;
            inner.closed = true;
            done.append(&mut inner.completed);
        } else if self.step(place.step).undo.is_some() {
            done.push((self.sequence, path.to_owned()));
        }
        let key = self.scope_of(place);
        self.scope_mut(&key)?.completed.append(&mut done);
        Ok(())
    }

    pub(crate) fn fails(&mut self, path: &str, event: &Event) -> Verdict {
        let Event::StepFailed {
            at,
            attempt,
            error,
            retry_at,
            named,
            ..
        } = event
        else {
            return Ok(());
        };
        let place = self.place(path)?;
        let step = self.step(place.step);
        let record = self.under_way(path, *attempt)?.clone();
        let asked = self.could_fail(path, place, &record, error, *at)?;
        let expected_name = match (&step.kind, error.code.as_str()) {
            (Kind::Approval { .. }, "Rejected") => Some("rejected"),
            (Kind::Approval { .. } | Kind::Event { .. }, "Expired") => Some("expired"),
            _ => None,
        };
        check(named.as_deref() == expected_name, || {
            format!("{path} fails as {named:?}")
        })?;
        let broken = step.when.is_some_and(|when| matches!(when, Condition::Broken));
        if broken && step.kind.is_block() {
            // Its steps never began.
            self.end_scope(path, Cause::Skipped(SkipReason::Cancelled), *at);
        } else if step.kind.is_block() {
            let inner = self.scope_mut(path)?;
            check(inner.completed.is_empty(), || {
                format!("{path} fails before all in it is taken back")
            })?;
            inner.closed = true;
        } else {
            check(error.step.as_deref() == Some(path), || {
                format!("{path} fails with the error of {:?}", error.step)
            })?;
        }
        let again = !broken && self.is_worth_another(place, &record, error);
        check(retry_at.is_some() == again, || {
            format!("{path} fails with {error:?}: another attempt should be {again}")
        })?;
        if let Some(retry_at) = retry_at {
            let pause = retry_at.duration_since(*at).as_millis();
            let longest = step.retry.as_ref().map_or(0, |retry| retry.longest);
            let fits = match asked {
                Some(asked) => pause == i128::from(asked.min(3600)) * 1000,
                None => (0..=i128::from(longest) * 1000).contains(&pause),
            };
            check(fits, || format!("{path} pauses for {pause} ms; asked: {asked:?}"))?;
            if let Some(record) = self.records.get_mut(path) {
                (record.state, record.retry_at) = (State::Retrying, *retry_at);
            }
            return Ok(());
        }
        self.finish(path, State::Failed, named.as_deref());
        if let Some(record) = self.records.get_mut(path) {
            record.error = Some((error.code.clone(), error.step.clone()));
        }
        self.look_for_handlers(place, *at);
        self.look_at_race(&self.scope_of(place), *at);
        Ok(())
    }

    /// Whether there is a reason for this failure. Gives the pause that the other side asked for.
    fn could_fail(
        &self,
        path: &str,
        place: Place<'_>,
        record: &Record,
        error: &StepError,
        at: Timestamp,
    ) -> Result<Option<i64>, String> {
        let step = self.step(place.step);
        let code = error.code.as_str();
        if step
            .when
            .is_some_and(|when| when.answer(self.index(path)).is_none())
            && code == "ExpressionError"
        {
            return Ok(None);
        }
        let mut asked = None;
        let right = match &step.kind {
            kind if kind.is_performed() => {
                let timed_out = code == "Timeout"
                    && step
                        .timeout
                        .is_some_and(|timeout| at >= add(record.attempt_at, timeout));
                let unknown_input = matches!(kind, Kind::UsesBroken) && code == "ExpressionError";
                let said = match self.reported(path, record.attempts) {
                    Some(Answer::Fails {
                        code: said,
                        retry_after,
                        ..
                    }) => {
                        asked = *retry_after;
                        *said == code
                    }
                    _ => false,
                };
                timed_out || unknown_input || said || (self.recovering && code == "Interrupted")
            }
            Kind::Set { broken } => *broken && code == "ExpressionError",
            Kind::Switch { cases, default } => choose(cases, *default, self.index(path)) == Err(code),
            Kind::Fail => code == "No",
            Kind::Event { .. } => code == "Expired" && record.until.is_some_and(|until| at >= until),
            Kind::Approval { .. } => match code {
                "Expired" => record.until.is_some_and(|until| at >= until),
                "Rejected" => record.votes.iter().any(|(_, approves)| !approves),
                _ => false,
            },
            Kind::Group { .. } | Kind::ForEach { .. } | Kind::Loop { .. } => {
                let inner = self.scope(path)?;
                let first = inner.error.clone().unwrap_or_default();
                asked = error
                    .retry_after_ms
                    .and_then(|pause| i64::try_from(pause / 1000).ok());
                let is_lost = inner.doomed && matches!(inner.cause, None | Some(Cause::Cancelled { .. }));
                (inner.cause == Some(Cause::Failing) || is_lost)
                    && self.is_over(path)
                    && first == (error.code.clone(), error.step.clone())
            }
            _ => false,
        };
        if right {
            Ok(asked)
        } else {
            Err(format!("{path} fails with {code} for no reason"))
        }
    }

    /// Another attempt follows a failed one.
    fn is_worth_another(&self, place: Place<'_>, record: &Record, error: &StepError) -> bool {
        let step = self.step(place.step);
        let Some(retry) = &step.retry else { return false };
        let ending = self
            .scopes
            .get(&self.scope_of(place))
            .is_some_and(|scope| scope.cause.is_some());
        if record.attempts >= retry.attempts || (ending && !record.clean_up) || self.cut_short {
            return false;
        }
        let code = error.code.as_str();
        if let Some(codes) = &retry.codes {
            return codes.contains(&code);
        }
        let failed = if matches!(step.kind, Kind::Group { .. }) {
            self.failed_step(error).unwrap_or(step)
        } else {
            step
        };
        let unknown = matches!(code, "Timeout" | "Interrupted") || error.may_have_happened;
        if unknown && !failed.kind.is_safe() {
            return false;
        }
        error.retryable.unwrap_or(OF_THE_MOMENT.contains(&code))
    }

    fn failed_step(&self, error: &StepError) -> Option<&Step> {
        self.place(error.step.as_deref()?)
            .ok()
            .map(|place| self.step(place.step))
    }

    pub(crate) fn is_cancelled(&mut self, path: &str, at: Timestamp) -> Verdict {
        let place = self.place(path)?;
        let step = self.step(place.step);
        let key = self.scope_of(place);
        let record = self
            .records
            .get(path)
            .cloned()
            .ok_or_else(|| format!("{path} is cancelled before it started"))?;
        check(!record.state.is_end(), || {
            format!("{path} is cancelled after it ended")
        })?;
        if self.scope(&key)?.cause.is_none() {
            let lost = self
                .doomed_around(&key)
                .ok_or_else(|| format!("{path} is cancelled but its block goes on"))?;
            self.end_scope(&lost, Cause::Failing, at);
        }
        let spared = record.clean_up && !self.cut_short;
        check(!spared, || format!("{path} is clean-up and is cancelled"))?;
        if step.kind.is_performed() && record.state == State::Running {
            let told = matches!(self.reported(path, record.attempts), Some(Answer::Cancelled));
            check(told || self.recovering, || {
                format!("{path} is cancelled while it runs")
            })?;
        }
        if step.kind.is_block() && record.state == State::Running {
            check(self.is_over(path), || {
                format!("{path} is cancelled before its steps ended")
            })?;
            let scope = self.scope_mut(path)?;
            let undone = scope.completed.is_empty() || !scope.cause.is_some_and(Cause::undoes);
            check(undone, || {
                format!("{path} is cancelled before all in it is taken back")
            })?;
            scope.closed = true;
        }
        self.finish(path, State::Cancelled, None);
        Ok(())
    }

    pub(crate) fn run_ends(&mut self, event: &Event) -> Verdict {
        use flowpilot_engine::journal::RunOutcome::{Cancelled, Failed, Succeeded};
        let Event::RunFinished {
            outcome,
            outputs,
            error,
            ..
        } = event
        else {
            return Ok(());
        };
        check(self.is_over(""), || "the run ends before its steps".to_owned())?;
        let run = self.scope("")?;
        let code = error.as_ref().map(|error| error.code.clone());
        let first = run.error.as_ref().map(|(code, _)| code.clone());
        let expected = match run.cause {
            Some(Cause::Failing) => (Failed, first),
            Some(Cause::Cancelled { .. }) => (Cancelled, first),
            Some(Cause::Stopped { well: false }) => (Failed, Some("Stopped".to_owned())),
            Some(Cause::Stopped { well: true }) if first.is_some() => (Failed, first),
            _ => (Succeeded, None),
        };
        check((*outcome, code) == expected, || {
            format!("the run ends as {outcome:?} with {error:?}, not {expected:?}")
        })?;
        check(outputs.is_some() == (*outcome == Succeeded), || {
            "outputs do not go with the outcome".to_owned()
        })?;
        let undone = run.completed.is_empty() || !run.cause.is_some_and(Cause::undoes);
        check(undone && run.undoing.is_none(), || {
            format!("the run ends before {:?} is taken back", run.completed)
        })?;
        self.finished = true;
        Ok(())
    }
}

/// The case that a switch takes, or the code of its error.
fn choose(
    cases: &[(&'static str, Condition)],
    default: Option<&'static str>,
    index: Option<usize>,
) -> Result<&'static str, &'static str> {
    for (name, when) in cases {
        match when.answer(index) {
            Some(true) => return Ok(name),
            Some(false) => {}
            None => return Err("ExpressionError"),
        }
    }
    default.ok_or("NoMatchingCase")
}

fn same(given: &Value, output: &Value) -> bool {
    given == output
}

/// What an undo may be tried again after.
pub(crate) fn is_repeatable(undo: Action, error: &StepError) -> bool {
    undo.is_harmless() || undo == Action::Post || !error.may_have_happened
}
