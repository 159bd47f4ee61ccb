//! What must come of a test, as documents say it.

use jiff::SignedDuration;
use serde_json::{Map, Value};

use super::fields::{self, Fields, Read, wrong};

/// Fields that can be expected of a step.
pub(crate) const STEP_FIELDS: [&str; 13] = [
    "outcome",
    "named",
    "reason",
    "code",
    "message",
    "attempts",
    "output",
    "failures",
    "error",
    "details",
    "mayHaveHappened",
    "startedAt",
    "endedAt",
];
/// Fields that can be expected of a call.
pub(crate) const CALL_FIELDS: [&str; 19] = [
    "step",
    "at",
    "attempt",
    "uses",
    "kind",
    "with",
    "input",
    "env",
    "args",
    "command",
    "image",
    "workflow",
    "inputs",
    "emit",
    "title",
    "description",
    "connection",
    "undo",
    "cancelled",
];
/// Fields of errors.
const ERROR_FIELDS: [&str; 6] = ["code", "message", "step", "attempt", "details", "mayHaveHappened"];

/// What must come of a test.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expect {
    /// `None`: not said, which means that it must be accepted.
    pub(crate) admission_rejected: bool,
    pub(crate) start_rejected: bool,
    /// Of the problem that admission or the start must have.
    pub(crate) problem: Pattern,
    pub(crate) status: Option<&'static str>,
    pub(crate) error: Option<Map<String, Value>>,
    pub(crate) warnings: Vec<Pattern>,
    pub(crate) ended_at: Option<Moment>,
    pub(crate) outputs: Option<Value>,
    pub(crate) steps: Vec<(String, Map<String, Value>)>,
    pub(crate) absent: Vec<String>,
    pub(crate) calls: Option<Calls>,
}

/// What a problem is recognised by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pattern {
    /// It is at this path or below.
    pub(crate) path: Option<String>,
    /// Words in its path or message.
    pub(crate) contains: Vec<String>,
}

/// A moment of simulated time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Moment {
    /// This one.
    At(SignedDuration),
    /// One between these.
    Between(Option<SignedDuration>, Option<SignedDuration>),
}

/// One call.
#[derive(Clone, Debug)]
pub(crate) struct ExpectedCall {
    pub(crate) at: Option<Moment>,
    /// Everything else that was written.
    pub(crate) fields: Map<String, Value>,
}

/// What must have left the engine.
#[derive(Clone, Debug)]
pub(crate) enum Calls {
    /// All of it, in this order.
    Exactly(Vec<ExpectedCall>),
    /// Something about it.
    About {
        /// All of it, in any order.
        unordered: Option<Vec<ExpectedCall>>,
        /// Some of it.
        includes: Vec<ExpectedCall>,
        /// Steps that called nothing.
        excludes: Vec<String>,
        /// How often steps called.
        count: Vec<(String, u64)>,
        /// Steps that called before others.
        before: Vec<(String, String)>,
    },
}

impl Moment {
    pub(crate) fn holds(self, at: SignedDuration) -> bool {
        match self {
            Self::At(moment) => at == moment,
            Self::Between(min, max) => min.is_none_or(|min| at >= min) && max.is_none_or(|max| at <= max),
        }
    }

    pub(crate) fn words(self) -> String {
        match self {
            Self::At(moment) => fields::written(moment),
            Self::Between(min, max) => {
                let side = |word: &str, span: Option<SignedDuration>| {
                    span.map(|span| format!("{word} {}", fields::written(span)))
                };
                let sides = [side("at least", min), side("at most", max)];
                sides.into_iter().flatten().collect::<Vec<_>>().join(" and ")
            }
        }
    }
}

impl Expect {
    pub(crate) fn read(value: &Value) -> Read<Self> {
        let mut fields = Fields::of(value, "expect")?;
        let admission = fields.word("admission", &["ok", "rejected"])?;
        let start = fields.word("start", &["ok", "rejected"])?;
        let problem = Pattern {
            path: fields.text("path")?.map(str::to_owned),
            contains: fields.texts("contains")?,
        };
        let status = fields.word("status", &["Succeeded", "Failed", "Cancelled", "Waiting"])?;
        let error = fields
            .take("error")
            .map(|value| known(value, "expect.error", &ERROR_FIELDS))
            .transpose()?;
        let warnings = fields.list("warnings")?.iter().enumerate();
        let warnings = warnings.map(|(number, value)| warning(value, &format!("expect.warnings[{number}]")));
        let warnings = warnings.collect::<Read<_>>()?;
        let ended_at = fields
            .take("endedAt")
            .map(|value| moment(value, "expect.endedAt"))
            .transpose()?;
        let outputs = fields.take("outputs").cloned();
        let steps = fields.map("steps")?.into_iter().flatten();
        let steps = steps.map(|(path, value)| {
            Ok((
                path.clone(),
                known(value, &format!("expect.steps.{path}"), &STEP_FIELDS)?,
            ))
        });
        let steps = steps.collect::<Read<_>>()?;
        let absent = fields.texts("absentSteps")?;
        let calls = fields.take("calls").map(calls).transpose()?;
        fields.end()?;
        Ok(Self {
            admission_rejected: admission == Some("rejected"),
            start_rejected: start == Some("rejected"),
            problem,
            status,
            error,
            warnings,
            ended_at,
            outputs,
            steps,
            absent,
            calls,
        })
    }
}

/// A map whose fields are all known.
fn known(value: &Value, path: &str, names: &[&'static str]) -> Read<Map<String, Value>> {
    let mut fields = Fields::of(value, path)?;
    for name in names {
        fields.raw(name);
    }
    fields.end()?;
    Ok(value.as_object().cloned().unwrap_or_default())
}

fn warning(value: &Value, path: &str) -> Read<Pattern> {
    let mut fields = Fields::of(value, path)?;
    let pattern = Pattern {
        path: fields.text("path")?.map(str::to_owned),
        contains: fields.texts("contains")?,
    };
    fields.end()?;
    Ok(pattern)
}

fn moment(value: &Value, path: &str) -> Read<Moment> {
    if !value.is_object() {
        return Ok(Moment::At(fields::span(value, path)?));
    }
    let mut fields = Fields::of(value, path)?;
    let (min, max) = (fields.span("min")?, fields.span("max")?);
    fields.end()?;
    if min.is_none() && max.is_none() {
        return wrong(path, "write a time such as 5s, or min and max");
    }
    Ok(Moment::Between(min, max))
}

fn calls(value: &Value) -> Read<Calls> {
    let path = "expect.calls";
    if let Value::Array(items) = value {
        return Ok(Calls::Exactly(listed(items, path)?));
    }
    let mut fields = Fields::of(value, path)?;
    let unordered = match fields.take("unordered") {
        Some(_) => Some(listed(fields.list("unordered")?, "expect.calls.unordered")?),
        None => None,
    };
    let includes = listed(fields.list("includes")?, "expect.calls.includes")?;
    let excludes = fields.texts("excludes")?;
    let mut count = Vec::new();
    for (step, number) in fields.map("count")?.into_iter().flatten() {
        let Some(number) = number.as_u64() else {
            return wrong(format!("expect.calls.count.{step}"), "this is a number from 0");
        };
        count.push((step.clone(), number));
    }
    let mut before = Vec::new();
    for (number, pair) in fields.list("before")?.iter().enumerate() {
        let place = format!("expect.calls.before[{number}]");
        match fields::list(pair, &place)? {
            [first, second] => {
                before.push((
                    fields::text(first, &place)?.to_owned(),
                    fields::text(second, &place)?.to_owned(),
                ));
            }
            _ => return wrong(place, "write two steps: [first, second]"),
        }
    }
    fields.end()?;
    Ok(Calls::About {
        unordered,
        includes,
        excludes,
        count,
        before,
    })
}

fn listed(items: &[Value], path: &str) -> Read<Vec<ExpectedCall>> {
    let one = |(number, item): (usize, &Value)| {
        let path = format!("{path}[{number}]");
        let mut fields = known(item, &path, &CALL_FIELDS)?;
        let at = fields
            .shift_remove("at")
            .map(|value| moment(&value, &format!("{path}.at")))
            .transpose()?;
        Ok(ExpectedCall { at, fields })
    };
    items.iter().enumerate().map(one).collect()
}
