//! `forEach`: a list, and how its items run.

use flowpilot_crds::workflow::{ForEach, OnItemError};
use serde_json::Value;

use super::Field;
use crate::compile::place::View;
use crate::compile::reads::Names;
use crate::compile::{Problems, limits};
use crate::expression::Text;
use crate::plan::{ForEachWork, Work};

/// Items unless the manifest says otherwise.
const ITEMS: u32 = 1000;
/// Items of one forEach.
const MOST_ITEMS: u32 = 10_000;
/// Items at the same moment.
const MOST_PARALLEL: u32 = 1000;

pub(super) fn compile(
    each: &ForEach,
    field: Field,
    names: &Names<'_>,
    problems: &mut Problems,
) -> Option<Work> {
    let mut number = |value: Option<i32>, name: &str, unset: u32, most: u32| {
        limits::number(value, unset, most, &field.path(name), problems)
    };
    let max_parallel = number(each.max_parallel, "forEach.maxParallel", 1, MOST_PARALLEL);
    let max_items = number(each.max_items, "forEach.maxItems", ITEMS, MOST_ITEMS);
    check_items(&each.items, max_items, field, problems);
    let items = field.seen_from(
        View::Step(field.step),
        &each.items,
        "forEach.items",
        names,
        problems,
    );
    let result = each
        .result
        .as_ref()
        .map(|result| field.inside(result, "forEach.result", names, problems));
    Some(Work::ForEach(ForEachWork {
        items: items?,
        max_parallel,
        max_items,
        collects: each.on_item_error == Some(OnItemError::Collect),
        result: match result {
            Some(result) => Some(result?),
            None => None,
        },
    }))
}

/// A list, or an expression alone.
fn check_items(items: &Value, most: u32, field: Field, problems: &mut Problems) {
    let path = field.path("forEach.items");
    let found = match items {
        Value::Array(items) => {
            if items.len() > most as usize {
                let message = format!(
                    "the list has {} items; at most {most} are allowed here",
                    items.len()
                );
                problems.error("LimitExceeded", path, message);
            }
            return;
        }
        Value::String(text) => match Text::parse(text) {
            Ok(parsed) if !parsed.is_lone() => "a text",
            _ => return,
        },
        Value::Object(_) => "a map",
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
    };
    let message = format!("items is a list or one expression such as $(inputs.orders), not {found}");
    problems.error("InvalidValue", path, message);
}
