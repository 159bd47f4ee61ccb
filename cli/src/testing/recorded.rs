//! A test made of a real run: its answers become mocks, its votes and events signals. The runs that it started really
//! run in the test, with the answers that they had.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Context;
use flowpilot_engine::journal::{Event, StepError, Vote};
use flowpilot_engine::plan::Plan;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::fields::written;
use super::flow;
use crate::journal::Recorded;

/// Reads events without anything around them: a JSON list, a map with `events`, or one event per line.
pub(crate) fn events(text: &str) -> anyhow::Result<Vec<Event>> {
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

/// A run to make a test of.
pub(crate) struct Recording<'a> {
    pub(crate) events: &'a [Event],
    pub(crate) plan: &'a Plan,
    /// What the journal says beside its events, where it does.
    pub(crate) recorded: Option<&'a Recorded>,
    /// The runs that it started, each with its plan.
    pub(crate) others: &'a [(&'a Recorded, Arc<Plan>)],
}

/// A WorkflowTest that plays a run again. `file` is the path of its workflow; without one, the test has the manifest.
pub(crate) fn test(recording: &Recording<'_>, name: &str, file: Option<&str>) -> anyhow::Result<String> {
    let Recording {
        events,
        plan,
        recorded,
        others,
    } = *recording;
    let Some(Event::RunStarted {
        at: start,
        inputs,
        vars,
        ..
    }) = events.first()
    else {
        anyhow::bail!("the journal does not begin with RunStarted");
    };
    let mut book = Book::new(*start, recorded, others);
    Tape::new("", plan).read(events, &mut book);
    for (other, plan) in others {
        Tape::new(&other.path, plan).read(&other.events, &mut book);
    }
    let mut lines = vec![
        "apiVersion: flowpilot.io/v1alpha1".to_owned(),
        "kind: WorkflowTest".to_owned(),
        format!("metadata: {{name: {}}}", flow::scalar(name)),
        "why: it happened".to_owned(),
    ];
    match (file, recorded) {
        (Some(file), _) => lines.push(format!("workflow: {}", flow::scalar(file))),
        (None, Some(recorded)) => lines.push(format!("workflow:\n{}", block(&recorded.workflow, 2)?)),
        (None, None) => anyhow::bail!("the journal has no manifest: give it with --workflow"),
    }
    let manifests: BTreeMap<&str, &Value> = others
        .iter()
        .map(|(other, _)| (other.facts.workflow.as_str(), &other.workflow))
        .filter(|(name, _)| recorded.is_none_or(|recorded| recorded.facts.workflow != *name))
        .collect();
    if !manifests.is_empty() {
        lines.push("workflows:".to_owned());
        for (name, manifest) in manifests {
            lines.push(format!("  {}:\n{}", flow::scalar(name), block(manifest, 4)?));
        }
    }
    lines.push(format!("clock: {start}"));
    let facts = recorded.map(|recorded| &recorded.facts);
    if let Some(facts) = facts.filter(|facts| !facts.started_by.is_empty()) {
        lines.push(format!("startedBy: {}", flow::scalar(&facts.started_by)));
    }
    let mut tenant = Map::new();
    tenant.extend(facts.map(|facts| ("name".to_owned(), json!(facts.tenant))));
    if !vars.is_empty() {
        tenant.insert("variables".to_owned(), json!(vars));
    }
    if !tenant.is_empty() {
        lines.push(format!("tenant: {}", flow::map(&tenant)));
    }
    if !inputs.is_empty() {
        lines.push(format!("inputs: {}", flow::map(inputs)));
    }
    lines.extend(book.lines());
    lines.push("expect:".to_owned());
    lines.push("  admission: ok".to_owned());
    lines.extend(ending(events));
    lines.push(String::new());
    Ok(lines.join("\n"))
}

/// A manifest in YAML's block style, so far from the left.
fn block(manifest: &Value, indent: usize) -> anyhow::Result<String> {
    let text = serde_saphyr::to_string(manifest)?;
    let is_same = serde_saphyr::from_str::<Value>(&text).is_ok_and(|read| read == *manifest);
    let text = if is_same { text } else { flow::value(manifest) };
    let indented = text.lines().map(|line| match line {
        "" => String::new(),
        line => format!("{:indent$}{line}", ""),
    });
    Ok(indented.collect::<Vec<_>>().join("\n"))
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

/// What is gathered from journals: what the world answered and did.
struct Book {
    start: Timestamp,
    /// Paths of attempts whose called run is there: it answers, and not a mock.
    called: BTreeSet<String>,
    /// Who sends the events of the runs themselves.
    own: BTreeSet<String>,
    mocks: BTreeMap<String, Vec<Map<String, Value>>>,
    signals: Vec<(Timestamp, Map<String, Value>)>,
    /// Events that are signals already.
    told: BTreeSet<String>,
}

impl Book {
    fn new(start: Timestamp, recorded: Option<&Recorded>, others: &[(&Recorded, Arc<Plan>)]) -> Self {
        let runs = || recorded.into_iter().chain(others.iter().map(|(other, _)| *other));
        Self {
            start,
            called: runs()
                .map(|run| run.path.trim_end_matches('/').to_owned())
                .collect(),
            own: runs().map(|run| format!("run/{}", run.facts.run)).collect(),
            mocks: BTreeMap::new(),
            signals: Vec::new(),
            told: BTreeSet::new(),
        }
    }

    fn mock(&mut self, path: String, took: SignedDuration, field: &str, value: Value) {
        let mut answer = Map::new();
        if took >= SignedDuration::from_millis(1) {
            answer.insert("delay".to_owned(), json!(written(took)));
        }
        answer.insert(field.to_owned(), value);
        self.mocks.entry(path).or_default().push(answer);
    }

    fn signal(&mut self, at: Timestamp, kind: &str, value: Value) {
        let mut signal = Map::new();
        signal.insert("at".to_owned(), json!(written(at.duration_since(self.start))));
        signal.insert(kind.to_owned(), value);
        self.signals.push((at, signal));
    }

    /// The event that ended a wait, once; not one that a run of the journal sent.
    fn event(&mut self, at: Timestamp, taken: &Value) {
        let text = |name: &str| taken[name].as_str().unwrap_or_default();
        if self.own.contains(text("source")) || !self.told.insert(text("id").to_owned()) {
            return;
        }
        // It may have come before the wait began.
        let came = text("time").parse().ok().filter(|time| *time >= self.start);
        let signal = json!({"type": taken["type"], "source": taken["source"], "data": taken["data"]});
        self.signal(came.unwrap_or(at), "event", signal);
    }

    fn lines(mut self) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.mocks.is_empty() {
            lines.push("mocks:".to_owned());
            for (step, answers) in &self.mocks {
                lines.push(format!("  {}:", flow::scalar(step)));
                lines.extend(answers.iter().map(|answer| format!("  - {}", flow::map(answer))));
            }
        }
        if !self.signals.is_empty() {
            lines.push("signals:".to_owned());
            self.signals.sort_by_key(|(at, _)| *at);
            let signals = self.signals.iter();
            lines.extend(signals.map(|(_, signal)| format!("- {}", flow::map(signal))));
        }
        lines
    }
}

/// The journal of one run.
struct Tape<'a> {
    /// Stands before the paths of its steps.
    prefix: &'a str,
    plan: &'a Plan,
    /// When the attempt under way of a step began.
    started: BTreeMap<&'a str, Timestamp>,
}

impl<'a> Tape<'a> {
    fn new(prefix: &'a str, plan: &'a Plan) -> Self {
        let started = BTreeMap::new();
        Self {
            prefix,
            plan,
            started,
        }
    }

    fn read(mut self, events: &'a [Event], book: &mut Book) {
        for event in events {
            self.take(event, book);
        }
    }

    fn take(&mut self, event: &'a Event, book: &mut Book) {
        match event {
            Event::StepStarted { step, at, .. } => {
                self.started.insert(step, *at);
            }
            // What a cache gave was no answer of the world.
            Event::StepSucceeded {
                step,
                at,
                output,
                cached: false,
                ..
            } => match self.kind(step) {
                Some("uses" | "script" | "container" | "workflow") => {
                    let output = output.clone().unwrap_or_else(|| json!({}));
                    self.answer(step, *at, "output", output, book);
                }
                Some("wait") => {
                    if let Some(taken) = output.as_ref().filter(|output| output.get("type").is_some()) {
                        book.event(*at, taken);
                    }
                }
                _ => {}
            },
            Event::StepFailed { step, at, error, .. }
                if matches!(
                    self.kind(step),
                    Some("uses" | "script" | "container" | "workflow")
                ) && self.started.contains_key(step.as_str()) =>
            {
                self.answer(step, *at, "error", told(error), book);
            }
            Event::Voted { step, at, vote } => {
                let kind = if vote.approve { "approve" } else { "reject" };
                let value = voted(&format!("{}{step}", self.prefix), vote);
                book.signal(*at, kind, value);
            }
            // Of a called run, whoever called it cancels it again.
            Event::CancelRequested { at, by } if by != "timeout" && self.prefix.is_empty() => {
                book.signal(*at, "cancel", json!(true));
            }
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

    fn answer(&mut self, step: &str, at: Timestamp, field: &str, value: Value, book: &mut Book) {
        let began = self.started.remove(step).unwrap_or(at);
        let path = format!("{}{step}", self.prefix);
        if !book.called.contains(&path) {
            book.mock(path, at.duration_since(began), field, value);
        }
    }
}

/// A vote as signals write it.
fn voted(path: &str, vote: &Vote) -> Value {
    let mut fields = Map::new();
    fields.insert("step".to_owned(), json!(path));
    fields.insert("by".to_owned(), json!(vote.by));
    if !vote.groups.is_empty() {
        fields.insert("groups".to_owned(), json!(vote.groups));
    }
    if !vote.form.is_empty() {
        fields.insert("form".to_owned(), json!(vote.form));
    }
    if let Some(comment) = &vote.comment {
        fields.insert("comment".to_owned(), json!(comment));
    }
    Value::Object(fields)
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
