//! What `with` says, with its expressions parsed.

use flowpilot_engine::expression::Program;
use flowpilot_engine::journal::StepError;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::ROWS;
use crate::actions::failure::invalid_input;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Input {
    data: Value,
    format: Option<Format>,
    filter: Option<String>,
    #[serde(default)]
    select: Map<String, Value>,
    #[serde(default)]
    group_by: Vec<String>,
    #[serde(default)]
    aggregate: Map<String, Value>,
    sort_by: Option<String>,
    #[serde(default)]
    descending: bool,
    limit: Option<usize>,
}

/// How text becomes rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Format {
    /// Comma-separated, the first line names the fields (RFC 4180).
    Csv,
    /// One JSON object a line.
    Jsonl,
    /// One JSON list of objects.
    Json,
}

/// A field of the result and how it is computed.
pub(super) struct Column {
    pub(super) name: String,
    pub(super) program: Program,
    /// Where it stands, for errors.
    pub(super) place: String,
}

/// What to do.
pub(super) struct Plan {
    pub(super) data: Value,
    pub(super) format: Option<Format>,
    pub(super) filter: Option<Column>,
    pub(super) select: Vec<Column>,
    pub(super) group_by: Vec<String>,
    pub(super) aggregate: Vec<Column>,
    pub(super) sort_by: Option<String>,
    pub(super) descending: bool,
    pub(super) limit: Option<usize>,
}

impl Plan {
    pub(super) fn new(input: Input) -> Result<Self, StepError> {
        let Input {
            data,
            format,
            filter,
            select,
            group_by,
            aggregate,
            sort_by,
            descending,
            limit,
        } = input;
        let filter = filter
            .map(|source| column("filter", "filter", &source, &["row"]))
            .transpose()?;
        let select = columns(select, "select", &["row"])?;
        let aggregate = columns(aggregate, "aggregate", &["rows", "key"])?;
        for (index, field) in group_by.iter().enumerate() {
            if group_by[..index].contains(field) {
                return Err(invalid_input(format!("with.groupBy: `{field}` stands twice")));
            }
            if aggregate.iter().any(|column| column.name == *field) {
                return Err(invalid_input(format!(
                    "with.aggregate.{field}: groupBy makes a field of this name already"
                )));
            }
        }
        if limit.is_some_and(|limit| limit == 0 || limit > ROWS) {
            return Err(invalid_input(format!("with.limit: 1 to {ROWS}")));
        }
        Ok(Self {
            data,
            format,
            filter,
            select,
            group_by,
            aggregate,
            sort_by,
            descending,
            limit,
        })
    }
}

fn columns(fields: Map<String, Value>, under: &str, names: &[&str]) -> Result<Vec<Column>, StepError> {
    let column = |(name, value): (String, Value)| {
        let place = format!("{under}.{name}");
        match value {
            Value::String(source) => column(&name, &place, &source, names),
            _ => Err(invalid_input(format!(
                "with.{place}: must be an expression, as a text"
            ))),
        }
    };
    fields.into_iter().map(column).collect()
}

fn column(name: &str, place: &str, source: &str, names: &[&str]) -> Result<Column, StepError> {
    let program = Program::parse(source).map_err(|error| {
        invalid_input(format!(
            "with.{place}: {error}, at {} of `{source}`",
            error.offset
        ))
    })?;
    Ok(Column {
        name: name.to_owned(),
        program,
        place: format!("{place} over {}", names.join(", ")),
    })
}
