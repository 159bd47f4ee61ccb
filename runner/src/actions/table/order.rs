//! Sorting by one field.

use std::cmp::Ordering;

use flowpilot_engine::expression::Value;
use flowpilot_engine::journal::StepError;

use super::Table;
use super::compute::field_of;
use crate::actions::failure::invalid_input;

/// How many fields an error names.
const NAMED: usize = 20;

/// Sorts, keeping the order of equal rows. Null, and rows without the field, come last in both directions;
/// booleans come before numbers and numbers before texts, which compare by code point.
pub(super) fn sort(table: &mut Table, field: &str, descending: bool) -> Result<(), StepError> {
    known_field(&table.rows, field, "sortBy")?;
    let mut keyed = Vec::with_capacity(table.rows.len());
    for (row, number) in std::mem::take(&mut table.rows).into_iter().zip(&table.numbers) {
        let key = Sortable::of(field_of(&row, field)).map_err(|value| {
            let kind = value.kind();
            invalid_input(format!(
                "sortBy: `{field}` of row {number} is a {kind}: sort by a text, a number or a boolean"
            ))
        })?;
        keyed.push((key, row));
    }
    keyed.sort_by(|(first, _), (second, _)| first.compare(second, descending));
    *table = Table::new(keyed.into_iter().map(|(_, row)| row).collect());
    Ok(())
}

/// Refuses a field that no row has: it is misspelt. An empty table has no fields, and nothing to misspell.
pub(super) fn known_field(rows: &[Value], field: &str, under: &str) -> Result<(), StepError> {
    let has = |row: &Value| matches!(row, Value::Map(map) if map.get_str(field).is_some());
    if rows.is_empty() || rows.iter().any(has) {
        return Ok(());
    }
    let names = match &rows[0] {
        Value::Map(map) => map
            .iter()
            .take(NAMED)
            .map(|(key, _)| key.to_string())
            .collect::<Vec<_>>()
            .join(", "),
        _ => String::new(),
    };
    Err(invalid_input(format!(
        "with.{under}: no row has a field `{field}`; the first row has {names}"
    )))
}

enum Sortable {
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(std::sync::Arc<str>),
    Missing,
}

impl Sortable {
    fn of(value: Value) -> Result<Self, Value> {
        match value {
            Value::Bool(value) => Ok(Self::Bool(value)),
            Value::Int(value) => Ok(Self::Int(value)),
            Value::Uint(value) => Ok(i64::try_from(value).map_or(Self::Double(lossy(value)), Self::Int)),
            Value::Double(value) => Ok(Self::Double(value)),
            Value::String(text) => Ok(Self::Text(text)),
            Value::Null => Ok(Self::Missing),
            other => Err(other),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Bool(_) => 0,
            Self::Int(_) | Self::Double(_) => 1,
            Self::Text(_) => 2,
            Self::Missing => 3,
        }
    }

    fn compare(&self, other: &Self, descending: bool) -> Ordering {
        let ordering = match (self, other) {
            (Self::Missing, _) | (_, Self::Missing) => return self.rank().cmp(&other.rank()),
            (Self::Bool(first), Self::Bool(second)) => first.cmp(second),
            (Self::Int(first), Self::Int(second)) => first.cmp(second),
            (Self::Int(first), Self::Double(second)) => signed_lossy(*first).total_cmp(second),
            (Self::Double(first), Self::Int(second)) => first.total_cmp(&signed_lossy(*second)),
            (Self::Double(first), Self::Double(second)) => first.total_cmp(second),
            (Self::Text(first), Self::Text(second)) => first.cmp(second),
            _ => self.rank().cmp(&other.rank()),
        };
        if descending { ordering.reverse() } else { ordering }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "beyond 2^53 neighbours count as equal beside a double"
)]
fn lossy(value: u64) -> f64 {
    value as f64
}

#[expect(
    clippy::cast_precision_loss,
    reason = "beyond 2^53 neighbours count as equal beside a double"
)]
fn signed_lossy(value: i64) -> f64 {
    value as f64
}
