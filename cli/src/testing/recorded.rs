//! A test made of a real run: its answers become mocks, its votes and events signals.

use std::collections::BTreeMap;

use anyhow::Context;
use flowpilot_engine::journal::{Event, StepError};
use flowpilot_engine::plan::Plan;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::fields::written;
use super::flow;

/// Reads a journal: a JSON list of events, a map with `events`, or one event per line.
pub(crate) fn journal(text: &str) -> anyhow::Result<Vec<Event>> {
    let events: Vec<Value> = match serde_json::from_str(text) {
        Ok(Value::Array(events)) => events,
        Ok(Value::Object(mut fields)) => match fields.shift_remove("events") {
            Some(Value::Array(events)) => events,
            _ => vec![Value::Object(fields)],
        },
        _ => text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()
            .context("the journal is no JSON: a list of events, or one event per line")?,
    };
    let read = events.into_iter().enumerate().map(|(number, event)| {
        serde_json::from_value(event)
            .with_context(|| format!("event {number} of the journal is not known here"))
    });
    read.collect()
}

/// A WorkflowTest that plays a run again. `workflow` is the path that it names.
pub(crate) fn test(events: &[Event], plan: &Plan, name: &str, workflow: &str) -> anyhow::Result<String> {
    let Some(Event::RunStarted {
        at: start,
        inputs,
        vars,
        ..
    }) = events.first()
    else {
        anyhow::bail!("the journal does not begin with RunStarted");
    };
    let mut tape = Tape {
        plan,
        start: *start,
        started: BTreeMap::new(),
        mocks: BTreeMap::new(),
        signals: Vec::new(),
    };
    for event in events {
        tape.take(event);
    }
    let mut lines = vec![
        "apiVersion: flowpilot.io/v1alpha1".to_owned(),
        "kind: WorkflowTest".to_owned(),
        format!("metadata: {{name: {}}}", flow::scalar(name)),
        "why: it happened".to_owned(),
        format!("workflow: {}", flow::scalar(workflow)),
        format!("clock: {start}"),
    ];
    if !vars.is_empty() {
        lines.push(format!("tenant: {}", flow::value(&json!({"variables": vars}))));
    }
    if !inputs.is_empty() {
        lines.push(format!("inputs: {}", flow::map(inputs)));
    }
    if !tape.mocks.is_empty() {
        lines.push("mocks:".to_owned());
        for (step, answers) in &tape.mocks {
            lines.push(format!("  {}:", flow::scalar(step)));
            lines.extend(answers.iter().map(|answer| format!("  - {}", flow::map(answer))));
        }
    }
    if !tape.signals.is_empty() {
        lines.push("signals:".to_owned());
        lines.extend(
            tape.signals
                .iter()
                .map(|signal| format!("- {}", flow::map(signal))),
        );
    }
    lines.push("expect:".to_owned());
    lines.push("  admission: ok".to_owned());
    lines.extend(ending(events));
    lines.push(String::new());
    Ok(lines.join("\n"))
}

fn ending(events: &[Event]) -> Vec<String> {
    let Some(Event::RunFinished {
        outcome,
        outputs,
        error,
        ..
    }) = events.last()
    else {
        return vec!["  status: Waiting".to_owned()];
    };
    let mut lines = vec![format!("  status: {outcome:?}")];
    if let Some(error) = error {
        lines.push(format!(
            "  error: {}",
            flow::value(&json!({"code": error.code, "step": error.step}))
        ));
    }
    if let Some(outputs) = outputs {
        lines.push(format!("  outputs: {}", flow::map(outputs)));
    }
    lines
}

/// What is gathered from a journal.
struct Tape<'a> {
    plan: &'a Plan,
    start: Timestamp,
    /// When the attempt under way of a step began.
    started: BTreeMap<String, Timestamp>,
    mocks: BTreeMap<String, Vec<Map<String, Value>>>,
    signals: Vec<Map<String, Value>>,
}

impl Tape<'_> {
    fn take(&mut self, event: &Event) {
        match event {
            Event::StepStarted { step, at, .. } => {
                self.started.insert(step.clone(), *at);
            }
            Event::StepSucceeded { step, at, output, .. } => match self.kind(step) {
                Some("uses" | "script" | "container" | "workflow") => {
                    self.mock(step, *at, "output", output.clone().unwrap_or_else(|| json!({})));
                }
                Some("wait") => {
                    if let Some(event) = output.as_ref().filter(|output| output.get("type").is_some()) {
                        let told =
                            json!({"type": event["type"], "source": event["source"], "data": event["data"]});
                        self.signal(*at, "event", told);
                    }
                }
                _ => {}
            },
            Event::StepFailed { step, at, error, .. }
                if matches!(
                    self.kind(step),
                    Some("uses" | "script" | "container" | "workflow")
                ) && self.started.contains_key(step) =>
            {
                self.mock(step, *at, "error", told(error));
            }
            Event::CancelRequested { at, by } if by != "timeout" => self.signal(*at, "cancel", json!(true)),
            _ => {}
        }
    }

    /// The kind of the step at a path.
    fn kind(&self, path: &str) -> Option<&'static str> {
        let last = path.strip_suffix(".undo").unwrap_or(path).rsplit('.').next()?;
        let mut steps = self.plan.steps();
        steps
            .find(|step| step.id == last)
            .map(flowpilot_engine::plan::PlanStep::kind)
    }

    fn mock(&mut self, step: &str, at: Timestamp, field: &str, value: Value) {
        let began = self.started.remove(step).unwrap_or(at);
        let took = at.duration_since(began);
        let mut answer = Map::new();
        if took >= SignedDuration::from_millis(1) {
            answer.insert("delay".to_owned(), json!(written(took)));
        }
        answer.insert(field.to_owned(), value);
        self.mocks.entry(step.to_owned()).or_default().push(answer);
    }

    fn signal(&mut self, at: Timestamp, kind: &str, value: Value) {
        let mut signal = Map::new();
        signal.insert("at".to_owned(), json!(written(at.duration_since(self.start))));
        signal.insert(kind.to_owned(), value);
        self.signals.push(signal);
    }
}

/// An error as mocks write it.
fn told(error: &StepError) -> Value {
    let mut fields = Map::new();
    fields.insert("code".to_owned(), json!(error.code));
    fields.insert("message".to_owned(), json!(error.message));
    if let Some(details) = &error.details {
        fields.insert("details".to_owned(), details.clone());
    }
    if let Some(retryable) = error.retryable {
        fields.insert("retryable".to_owned(), json!(retryable));
    }
    if let Some(span) = error.retry_after_ms.and_then(|after| i64::try_from(after).ok()) {
        fields.insert(
            "retryAfter".to_owned(),
            json!(written(SignedDuration::from_millis(span))),
        );
    }
    Value::Object(fields)
}
