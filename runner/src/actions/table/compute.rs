//! Expressions over rows: filter, select, group and aggregate.

use std::collections::HashMap;
use std::sync::Arc;

use flowpilot_engine::expression::{Budget, EvaluationError, Key, Map, Scope, Value};
use flowpilot_engine::journal::StepError;
use serde_json::json;

use super::Table;
use super::input::Column;
use super::order::known_field;
use crate::actions::failure::{failure, invalid_input};

/// Keeps the rows for which the expression is true.
pub(super) fn filter(table: &mut Table, filter: &Column, budget: &mut Budget) -> Result<(), StepError> {
    let mut kept = Table {
        rows: Vec::new(),
        numbers: Vec::new(),
    };
    for (row, number) in std::mem::take(&mut table.rows).into_iter().zip(&table.numbers) {
        let verdict = filter.evaluate(&Row(&row), &Place::Row(*number), budget)?;
        match verdict.as_bool() {
            Some(true) => {
                kept.rows.push(row);
                kept.numbers.push(*number);
            }
            Some(false) => {}
            None => {
                let message = format!("the filter must give true or false, not {}", verdict.kind());
                return Err(filter.error("ExpressionError", &message, 0, &Place::Row(*number)));
            }
        }
    }
    *table = kept;
    Ok(())
}

/// Replaces each row by the fields that are computed of it.
pub(super) fn select(table: &mut Table, columns: &[Column], budget: &mut Budget) -> Result<(), StepError> {
    let names: Vec<Key> = columns.iter().map(Column::key).collect();
    for (row, number) in table.rows.iter_mut().zip(&table.numbers) {
        let mut fields = Vec::with_capacity(columns.len());
        let scope = Row(row);
        for (column, name) in columns.iter().zip(&names) {
            let value = column.evaluate(&scope, &Place::Row(*number), budget)?;
            fields.extend(present(value).map(|value| (name.clone(), value)));
        }
        *row = object(fields)?;
    }
    Ok(())
}

/// Replaces the rows by one for each group, in the order in which the groups are first seen.
pub(super) fn group(
    table: &mut Table,
    by: &[String],
    aggregate: &[Column],
    budget: &mut Budget,
) -> Result<(), StepError> {
    for field in by {
        known_field(&table.rows, field, "groupBy")?;
    }
    let groups = split(table, by)?;
    let key_names: Vec<Key> = by
        .iter()
        .map(|field| Key::String(Arc::from(field.as_str())))
        .collect();
    let aggregate_names: Vec<Key> = aggregate.iter().map(Column::key).collect();
    let mut rows = Vec::with_capacity(groups.len());
    for Group { key, members } in groups {
        let mut fields: Vec<(Key, Value)> = key_names.iter().cloned().zip(key).collect();
        let scope = Rows {
            rows: Value::from(members),
            key: object(fields.clone())?,
        };
        for (column, name) in aggregate.iter().zip(&aggregate_names) {
            let value = column.evaluate(&scope, &Place::Group(&scope.key), budget)?;
            fields.extend(present(value).map(|value| (name.clone(), value)));
        }
        rows.push(object(fields)?);
    }
    *table = Table::new(rows);
    Ok(())
}

struct Group {
    key: Vec<Value>,
    members: Vec<Value>,
}

fn split(table: &mut Table, by: &[String]) -> Result<Vec<Group>, StepError> {
    let rows = std::mem::take(&mut table.rows);
    if by.is_empty() {
        return Ok(vec![Group {
            key: Vec::new(),
            members: rows,
        }]);
    }
    let mut groups: Vec<Group> = Vec::new();
    let mut positions: HashMap<String, usize> = HashMap::new();
    let mut name = String::new();
    for (row, number) in rows.into_iter().zip(&table.numbers) {
        let key: Vec<Value> = by.iter().map(|field| field_of(&row, field)).collect();
        name.clear();
        for (value, field) in key.iter().zip(by) {
            identify(value, &mut name)
                .map_err(|kind| invalid_input(format!("groupBy: `{field}` of row {number} is a {kind}: group by a text, a number, a boolean or null")))?;
        }
        if let Some(position) = positions.get(&name) {
            groups[*position].members.push(row);
        } else {
            positions.insert(name.clone(), groups.len());
            groups.push(Group {
                key,
                members: vec![row],
            });
        }
    }
    Ok(groups)
}

/// The value of a field; null where the row does not have it.
pub(super) fn field_of(row: &Value, field: &str) -> Value {
    match row {
        Value::Map(map) => map.get_str(field).cloned().unwrap_or(Value::Null),
        _ => Value::Null,
    }
}

/// Writes a text that is the same for equal values and for no others. Numbers are equal by value: 1 and 1.0.
fn identify(value: &Value, into: &mut String) -> Result<(), String> {
    use std::fmt::Write as _;
    let written = match value {
        Value::Null => write!(into, "n;"),
        Value::Bool(value) => write!(into, "b{value};"),
        Value::Int(value) => write!(into, "i{value};"),
        Value::Uint(value) => write!(into, "i{value};"),
        // Whole doubles up to 2^53 are exactly these numbers.
        Value::Double(value) if value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0 => {
            // Rust writes -0.0 with its sign, and it is the same number.
            write!(into, "i{};", if *value == 0.0 { 0.0 } else { *value })
        }
        Value::Double(value) => write!(into, "d{value};"),
        Value::String(text) => write!(into, "s{}:{text};", text.len()),
        other => return Err(other.kind().to_string()),
    };
    written.map_err(|error| error.to_string())
}

/// An empty optional leaves its field out.
fn present(value: Value) -> Option<Value> {
    match value {
        Value::Optional(inner) => inner.map(Arc::unwrap_or_clone),
        value => Some(value),
    }
}

fn object(fields: Vec<(Key, Value)>) -> Result<Value, StepError> {
    let map = Map::new(fields).map_err(|key| invalid_input(format!("two fields are called `{key}`")))?;
    Ok(Value::Map(Arc::new(map)))
}

struct Row<'a>(&'a Value);

impl Scope for Row<'_> {
    fn get(&self, root: &str) -> Option<Value> {
        (root == "row").then(|| self.0.clone())
    }
}

struct Rows {
    rows: Value,
    key: Value,
}

impl Scope for Rows {
    fn get(&self, root: &str) -> Option<Value> {
        match root {
            "rows" => Some(self.rows.clone()),
            "key" => Some(self.key.clone()),
            _ => None,
        }
    }
}

/// Where an expression was evaluated.
enum Place<'a> {
    Row(usize),
    Group(&'a Value),
}

impl Column {
    fn key(&self) -> Key {
        Key::String(Arc::from(self.name.as_str()))
    }

    fn evaluate(
        &self,
        scope: &dyn Scope,
        place: &Place<'_>,
        budget: &mut Budget,
    ) -> Result<Value, StepError> {
        self.program.evaluate(scope, budget).map_err(|error| {
            let EvaluationError {
                code,
                message,
                offset,
                ..
            } = error;
            self.error(code, &message, offset, place)
        })
    }

    fn error(&self, code: &str, message: &str, offset: usize, place: &Place<'_>) -> StepError {
        let mut details = json!({"field": self.name, "expression": self.program.source(), "offset": offset});
        let place = match place {
            Place::Row(number) => {
                details["row"] = json!(number);
                format!("row {number}")
            }
            Place::Group(key) => {
                let key = key.to_json().unwrap_or_default();
                let text = format!("group {key}");
                details["group"] = key;
                text
            }
        };
        let mut error = failure(code, format!("with.{}: {place}: {message}", self.place));
        error.details = Some(details);
        error.retryable = Some(false);
        error
    }
}
