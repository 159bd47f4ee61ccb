//! `core/table@1`: rows from text or a list; filtered, computed, grouped, sorted.
//!
//! ```text
//! data ─► parse ─► filter ─► select ─► groupBy + aggregate ─► sortBy ─► limit ─► rows
//!                  (row)     (row)     (rows, key)
//! ```
//!
//! Rows become values of the expression language once, and are shared from then on: no expression copies a row.

mod cell;
mod compute;
mod input;
mod order;
mod parse;

#[cfg(test)]
mod tests;

use flowpilot_engine::expression::{Budget, Value as Cel};
use flowpilot_engine::journal::StepError;
use serde_json::{Value, json};

use super::failure::{internal, invalid_input, limit_exceeded};
use super::{Call, read_input};
use input::{Input, Plan};

/// The most rows of a table. More belongs into a database.
const ROWS: usize = 100_000;
/// The most bytes of a table's cells; what a step can be given is smaller.
const BYTES: usize = 16 * 1024 * 1024;
/// Steps of all expressions of one call: some 300 for each of the most rows, about half a second.
const STEPS: u64 = 30_000_000;
/// Bytes that all expressions of one call may allocate, counted without what is freed again.
const ALLOCATED: u64 = 256 * 1024 * 1024;

pub(super) async fn perform(call: Call) -> Result<Value, StepError> {
    let plan = Plan::new(read_input::<Input>(call.with)?)?;
    // It computes for up to a second, and the tasks of other runs share this thread.
    match tokio::task::spawn_blocking(move || run(plan)).await {
        Ok(result) => result,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(internal("the computation was ended from outside")),
    }
}

fn run(plan: Plan) -> Result<Value, StepError> {
    let mut budget = Budget::new(STEPS, ALLOCATED);
    let Plan {
        data,
        format,
        filter,
        select,
        group_by,
        aggregate,
        sort_by,
        descending,
        limit,
    } = plan;
    let mut table = parse::parse(data, format)?;
    if let Some(filter) = &filter {
        compute::filter(&mut table, filter, &mut budget)?;
    }
    if !select.is_empty() {
        compute::select(&mut table, &select, &mut budget)?;
    }
    if !group_by.is_empty() || !aggregate.is_empty() {
        compute::group(&mut table, &group_by, &aggregate, &mut budget)?;
    }
    if let Some(field) = &sort_by {
        order::sort(&mut table, field, descending)?;
    }
    table.rows.truncate(limit.unwrap_or(ROWS));
    output(&table.rows)
}

/// The rows, and for errors where each came from.
struct Table {
    rows: Vec<Cel>,
    /// The number of each row in the input, from 1; of groups their own.
    numbers: Vec<usize>,
}

impl Table {
    fn new(rows: Vec<Cel>) -> Self {
        let numbers = (1..=rows.len()).collect();
        Self { rows, numbers }
    }
}

fn output(rows: &[Cel]) -> Result<Value, StepError> {
    let json = rows.iter().enumerate().map(|(index, row)| {
        row.to_json().map_err(|error| {
            let message = format!("row {} of the result cannot be written: {error}", index + 1);
            if error.limit {
                limit_exceeded(message)
            } else {
                invalid_input(message)
            }
        })
    });
    let rows = json.collect::<Result<Vec<_>, _>>()?;
    Ok(json!({"count": rows.len(), "rows": rows}))
}
