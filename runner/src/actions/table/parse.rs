//! Rows from text or from a list.

use std::sync::Arc;

use flowpilot_engine::expression::{Key, Map, Value as Cel};
use flowpilot_engine::journal::StepError;
use serde_json::Value;

use super::input::Format;
use super::{BYTES, ROWS, Table, cell};
use crate::actions::failure::{invalid_input, limit_exceeded};

/// The table that `data` holds.
pub(super) fn parse(data: Value, format: Option<Format>) -> Result<Table, StepError> {
    let rows = match (data, format) {
        (Value::String(text), format) => {
            if text.len() > BYTES {
                return Err(limit_exceeded(format!(
                    "with.data: {} bytes, at most {BYTES}",
                    text.len()
                )));
            }
            let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
            match format.unwrap_or_else(|| guess(text)) {
                Format::Csv => csv_rows(text)?,
                Format::Jsonl => jsonl_rows(text)?,
                Format::Json => json_rows(text)?,
            }
        }
        (Value::Array(items), None | Some(Format::Json)) => list_rows(items)?,
        (Value::Array(_), Some(_)) => {
            return Err(invalid_input(
                "with.format: is for text, and data is a list already: remove it",
            ));
        }
        (other, _) => {
            return Err(invalid_input(format!(
                "with.data: must be a text or a list of objects, not {}",
                kind(&other)
            )));
        }
    };
    Ok(Table::new(rows))
}

/// The format of a text whose author did not say: a list begins like one, an object begins like one.
fn guess(text: &str) -> Format {
    match text.trim_start().chars().next() {
        Some('[') => Format::Json,
        Some('{') => Format::Jsonl,
        _ => Format::Csv,
    }
}

fn csv_rows(text: &str) -> Result<Vec<Cel>, StepError> {
    let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| csv_error(&error, &[]))?.clone();
    let names: Vec<Arc<str>> = header.iter().map(Arc::from).collect();
    for (index, name) in names.iter().enumerate() {
        if name.is_empty() {
            return Err(invalid_input(format!(
                "with.data: column {} has no name in the header",
                index + 1
            )));
        }
        if names[..index].contains(name) {
            return Err(invalid_input(format!(
                "with.data: the header names `{name}` twice"
            )));
        }
    }
    let mut rows = Vec::new();
    let mut record = csv::StringRecord::new();
    while reader
        .read_record(&mut record)
        .map_err(|error| csv_error(&error, &names))?
    {
        check_count(rows.len() + 1)?;
        let cells = names
            .iter()
            .zip(&record)
            .map(|(name, text)| (Key::String(Arc::clone(name)), cell::value(text)));
        rows.push(row(cells.collect(), rows.len() + 1)?);
    }
    Ok(rows)
}

fn csv_error(error: &csv::Error, names: &[Arc<str>]) -> StepError {
    let line = error
        .position()
        .map(|position| format!(" (line {})", position.line()))
        .unwrap_or_default();
    let row = error.position().map_or(0, csv::Position::record);
    match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => {
            let first = names
                .first()
                .map(|name| format!("; the first is `{name}`"))
                .unwrap_or_default();
            invalid_input(format!(
                "with.data: row {row}{line} has {len} cells, the header {expected_len}{first}"
            ))
        }
        _ => invalid_input(format!("with.data: row {row}{line} is no CSV: {error}")),
    }
}

fn jsonl_rows(text: &str) -> Result<Vec<Cel>, StepError> {
    let mut rows = Vec::new();
    for (index, line) in text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        check_count(rows.len() + 1)?;
        let item: Value = serde_json::from_str(line)
            .map_err(|error| invalid_input(format!("with.data: line {} is no JSON: {error}", index + 1)))?;
        rows.push(object(&item, || format!("line {}", index + 1))?);
    }
    Ok(rows)
}

fn json_rows(text: &str) -> Result<Vec<Cel>, StepError> {
    match serde_json::from_str(text) {
        Ok(Value::Array(items)) => list_rows(items),
        Ok(other) => Err(invalid_input(format!(
            "with.data: the JSON must be a list of objects, not {}",
            kind(&other)
        ))),
        Err(error) => Err(invalid_input(format!("with.data: is no JSON: {error}"))),
    }
}

fn list_rows(items: Vec<Value>) -> Result<Vec<Cel>, StepError> {
    check_count(items.len())?;
    let rows = items
        .into_iter()
        .enumerate()
        .map(|(index, item)| object(&item, || format!("row {}", index + 1)));
    rows.collect()
}

fn object(item: &Value, place: impl Fn() -> String) -> Result<Cel, StepError> {
    match item {
        Value::Object(_) => Ok(Cel::from_json(item)),
        other => Err(invalid_input(format!(
            "with.data: {} must be an object, not {}",
            place(),
            kind(other)
        ))),
    }
}

fn row(cells: Vec<(Key, Cel)>, number: usize) -> Result<Cel, StepError> {
    let map = Map::new(cells).map_err(|key| invalid_input(format!("row {number} has two fields `{key}`")))?;
    Ok(Cel::Map(Arc::new(map)))
}

fn check_count(rows: usize) -> Result<(), StepError> {
    if rows > ROWS {
        Err(limit_exceeded(format!("with.data: more than {ROWS} rows")))
    } else {
        Ok(())
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
