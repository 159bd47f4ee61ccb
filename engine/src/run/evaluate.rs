//! Evaluation: expressions of steps and blocks, with what they see and what their errors become.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;

use super::Run;
use super::frame::{FrameId, Instance};
use super::names::{Call, Given, Names};
use super::work::Outcome;
use crate::duration;
use crate::expression::{Budget, EvaluationError, Program, Tree};
use crate::journal::StepError;

impl Run {
    /// What an attempt that is under way computes.
    pub(super) fn evaluate(&self, instance: Instance, tree: &Tree) -> Outcome<Json> {
        let record = self.record_of(instance);
        let path = self.path(instance);
        let at = record.attempt_at.unwrap_or(self.started_at);
        let call = Call::new(&path, "attempt", record.attempts, at);
        self.evaluate_at(instance, call, tree)
    }

    pub(super) fn evaluate_at(&self, instance: Instance, call: Call<'_>, tree: &Tree) -> Outcome<Json> {
        let names = Names::new(self, instance.frame, call, Given::default());
        tree.evaluate(&names, &mut Budget::default())
            .map_err(|error| evaluation_error(&error))
    }

    /// What a block computes at its end.
    pub(super) fn evaluate_in(&self, id: FrameId, name: &str, now: Timestamp, tree: &Tree) -> Outcome<Json> {
        self.evaluate_given(id, name, now, tree, Given::default())
    }

    pub(super) fn evaluate_given(
        &self,
        id: FrameId,
        name: &str,
        now: Timestamp,
        tree: &Tree,
        given: Given,
    ) -> Outcome<Json> {
        let path = self.frame_path(id);
        let names = Names::new(self, id, Call::new(&path, name, 1, now), given);
        tree.evaluate(&names, &mut Budget::default())
            .map_err(|error| evaluation_error(&error))
    }

    /// A condition: true or false.
    pub(super) fn truth(
        &self,
        id: FrameId,
        name: &str,
        now: Timestamp,
        program: &Program,
        given: Given,
    ) -> Outcome<bool> {
        let path = self.frame_path(id);
        self.truth_at(id, Call::new(&path, name, 1, now), name, program, given)
    }

    pub(super) fn truth_at(
        &self,
        id: FrameId,
        call: Call<'_>,
        name: &str,
        program: &Program,
        given: Given,
    ) -> Outcome<bool> {
        let names = Names::new(self, id, call, given);
        let value = program
            .evaluate(&names, &mut Budget::default())
            .map_err(|error| evaluation_error(&error))?;
        value.as_bool().ok_or_else(|| {
            let (kind, source) = (value.kind(), program.source());
            expression_error(format!("`{name}` gave {kind}, not true or false: {source}"))
        })
    }

    /// Whether `when` lets the step run.
    pub(super) fn condition(&self, instance: Instance, now: Timestamp) -> Outcome<bool> {
        let Some(when) = &self.plan.steps[instance.step].when else {
            return Ok(true);
        };
        let path = self.path(instance);
        let call = Call::new(&path, "when", 1, now);
        self.truth_at(instance.frame, call, "when", when, Given::default())
    }

    /// A span of time that an attempt computes.
    pub(super) fn duration(&self, instance: Instance, name: &str, tree: &Tree) -> Outcome<SignedDuration> {
        parse_duration(name, &self.evaluate(instance, tree)?)
    }

    pub(super) fn duration_in(
        &self,
        id: FrameId,
        name: &str,
        now: Timestamp,
        tree: &Tree,
        given: Given,
    ) -> Outcome<SignedDuration> {
        parse_duration(name, &self.evaluate_given(id, name, now, tree, given)?)
    }

    /// A message of `fail` or `stop`, evaluated.
    pub(super) fn message(&self, instance: Instance, message: Option<&Tree>) -> Outcome<Option<String>> {
        let Some(message) = message else { return Ok(None) };
        Ok(Some(match self.evaluate(instance, message)? {
            Json::String(text) => text,
            other => other.to_string(),
        }))
    }
}

/// The error of an expression. The evaluator keeps hidden values out of it.
pub(super) fn evaluation_error(error: &EvaluationError) -> Box<StepError> {
    let details = serde_json::json!({"expression": error.expression, "offset": error.offset});
    Box::new(StepError {
        code: error.code.to_owned(),
        message: error.message.clone(),
        details: Some(details),
        ..StepError::default()
    })
}

pub(super) fn expression_error(message: String) -> Box<StepError> {
    Box::new(StepError {
        code: "ExpressionError".to_owned(),
        message,
        ..StepError::default()
    })
}

fn parse_duration(name: &str, value: &Json) -> Outcome<SignedDuration> {
    let text = value
        .as_str()
        .ok_or_else(|| expression_error(format!("{name} gave {value}, not a duration")))?;
    if text.starts_with('-') {
        return Err(expression_error(format!(
            "{name} gave {text}: time does not run backwards"
        )));
    }
    fraction_of_seconds(text)
        .map_or_else(|| duration::parse(text), Ok)
        .map_err(|error| expression_error(format!("{name}: {error}")))
}

/// `1.5s`, as CEL writes a duration that is no whole number of seconds.
fn fraction_of_seconds(text: &str) -> Option<SignedDuration> {
    let (seconds, fraction) = text.strip_suffix('s')?.split_once('.')?;
    let nanoseconds = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    Some(SignedDuration::new(seconds.parse().ok()?, nanoseconds))
}
