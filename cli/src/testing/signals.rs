//! What people and the world do in a test, as documents say it.

use flowpilot_engine::journal::Vote;
use flowpilot_engine::simulation::{Signal, SignalKind};
use jiff::SignedDuration;
use serde_json::Value;

use super::fields::{self, Fields, Read, wrong};

pub(crate) fn read(items: &[Value]) -> Read<Vec<Signal>> {
    items
        .iter()
        .enumerate()
        .map(|(number, item)| signal(item, &format!("signals[{number}]")))
        .collect()
}

fn signal(value: &Value, path: &str) -> Read<Signal> {
    let mut fields = Fields::of(value, path)?;
    let at = fields.span("at")?.unwrap_or(SignedDuration::ZERO);
    let given = [
        fields
            .take("approve")
            .map(|value| vote(value, &fields.path("approve"), true)),
        fields
            .take("reject")
            .map(|value| vote(value, &fields.path("reject"), false)),
        fields
            .take("event")
            .map(|value| event(value, &fields.path("event"))),
        fields
            .take("cancel")
            .map(|value| cancel(value, &fields.path("cancel"))),
    ];
    let mut given = given.into_iter().flatten();
    let (Some(what), None) = (given.next(), given.next()) else {
        return wrong(path, "a signal is one of approve, reject, event, cancel");
    };
    fields.end()?;
    Ok(Signal { at, what: what? })
}

fn vote(value: &Value, path: &str, approve: bool) -> Read<SignalKind> {
    let mut fields = Fields::of(value, path)?;
    let step = fields::text(fields.required("step")?, &fields.path("step"))?.to_owned();
    let by = fields.text("by")?.unwrap_or("somebody").to_owned();
    let groups = fields.texts("groups")?;
    let form = fields.map("form")?.cloned().unwrap_or_default();
    let comment = fields.text("comment")?.map(str::to_owned);
    fields.end()?;
    Ok(SignalKind::Vote {
        step,
        vote: Vote {
            by,
            groups,
            approve,
            form,
            comment,
        },
    })
}

fn event(value: &Value, path: &str) -> Read<SignalKind> {
    let mut fields = Fields::of(value, path)?;
    let event = fields::text(fields.required("type")?, &fields.path("type"))?.to_owned();
    let source = fields.text("source")?.unwrap_or("test").to_owned();
    let data = fields.map("data")?.cloned().unwrap_or_default();
    fields.end()?;
    Ok(SignalKind::Event { event, source, data })
}

fn cancel(value: &Value, path: &str) -> Read<SignalKind> {
    match value {
        Value::Bool(true) => Ok(SignalKind::Cancel {
            by: "somebody".to_owned(),
        }),
        Value::Object(_) => {
            let mut fields = Fields::of(value, path)?;
            let by = fields.text("by")?.unwrap_or("somebody").to_owned();
            fields.end()?;
            Ok(SignalKind::Cancel { by })
        }
        _ => wrong(path, "write cancel: true"),
    }
}
