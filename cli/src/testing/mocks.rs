//! What actions, scripts, containers and called workflows answer, as documents say it.

use std::collections::BTreeMap;

use flowpilot_engine::journal::StepError;
use jiff::SignedDuration;
use serde_json::{Map, Value};

use super::fields::{self, Fields, Read, wrong};

/// Answers by step id or path.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mocks(pub(crate) BTreeMap<String, Mock>);

/// The answers of one step.
#[derive(Clone, Debug)]
pub(crate) enum Mock {
    /// One after the other; the last one again and again.
    List(Vec<MockAnswer>),
    /// For each item of a forEach its own.
    ByIndex(BTreeMap<usize, Vec<MockAnswer>>),
}

/// One answer.
#[derive(Clone, Debug)]
pub(crate) struct MockAnswer {
    pub(crate) delay: SignedDuration,
    pub(crate) result: Result<Value, StepError>,
}

impl Mocks {
    pub(crate) fn read(mocks: Option<&Map<String, Value>>) -> Read<Self> {
        let mocks = mocks.into_iter().flatten();
        let read = mocks.map(|(step, value)| Ok((step.clone(), mock(value, &fields::join("mocks", step))?)));
        Ok(Self(read.collect::<Read<_>>()?))
    }
}

fn mock(value: &Value, path: &str) -> Read<Mock> {
    if let Value::Array(items) = value {
        return Ok(Mock::List(answers(items, path)?));
    }
    if !value.is_object() {
        return wrong(path, "this is a list of answers, or a map with byIndex");
    }
    if ["output", "error", "delay"]
        .iter()
        .any(|field| value.get(field).is_some())
    {
        return wrong(path, "answers stand in a list, one for each call: write [{ … }]");
    }
    let mut fields = Fields::of(value, path)?;
    let place = fields.path("byIndex");
    let by_index = fields::map(fields.required("byIndex")?, &place)?;
    fields.end()?;
    let mut lists = BTreeMap::new();
    for (index, list) in by_index {
        let place = fields::join(&place, index);
        let Ok(number) = index.parse() else {
            return wrong(place, "this is the number of an item, from 0");
        };
        lists.insert(number, answers(fields::list(list, &place)?, &place)?);
    }
    Ok(Mock::ByIndex(lists))
}

fn answers(items: &[Value], path: &str) -> Read<Vec<MockAnswer>> {
    if items.is_empty() {
        return wrong(
            path,
            "a list of answers has at least one: leave the step out to have it answer {}",
        );
    }
    items
        .iter()
        .enumerate()
        .map(|(number, item)| answer(item, &format!("{path}[{number}]")))
        .collect()
}

fn answer(value: &Value, path: &str) -> Read<MockAnswer> {
    let mut fields = Fields::of(value, path)?;
    let delay = fields.span("delay")?.unwrap_or_default();
    let (output, failure) = (fields.raw("output"), fields.take("error"));
    let result = match (output, failure) {
        (Some(_), Some(_)) => return wrong(path, "an answer has an output or an error, not both"),
        (Some(output), None) => Ok(output.clone()),
        (None, Some(failure)) => Err(error(failure, &fields.path("error"))?),
        (None, None) => Ok(Value::Object(Map::new())),
    };
    fields.end()?;
    Ok(MockAnswer { delay, result })
}

fn error(value: &Value, path: &str) -> Read<StepError> {
    let mut fields = Fields::of(value, path)?;
    let code = fields.required("code")?;
    let code = fields::text(code, &fields.path("code"))?.to_owned();
    let message = fields
        .text("message")?
        .map_or_else(|| code.clone(), str::to_owned);
    let details = fields.take("details").cloned();
    let retry_after = fields.span("retryAfter")?;
    let retryable = fields.flag("retryable")?;
    let may_have_happened = fields.flag("mayHaveHappened")?.unwrap_or(false);
    fields.end()?;
    Ok(StepError {
        code,
        message,
        details,
        retry_after_ms: retry_after.and_then(|span| u64::try_from(span.as_millis()).ok()),
        retryable,
        may_have_happened,
        ..StepError::default()
    })
}
