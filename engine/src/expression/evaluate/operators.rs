//! Comparisons.

use super::{
    super::{Budget, ast::Relation},
    Fault, Outcome, Value, compare, print,
};
use std::cmp::Ordering;

pub(super) fn relate(relation: Relation, left: &Value, right: &Value, budget: &mut Budget) -> Outcome<bool> {
    let is_ordered: fn(Ordering) -> bool = match relation {
        Relation::Equal => return compare::equal(left, right, budget),
        Relation::Unequal => return Ok(!compare::equal(left, right, budget)?),
        Relation::In => return contains(right, left, budget),
        Relation::Less => Ordering::is_lt,
        Relation::LessOrEqual => Ordering::is_le,
        Relation::Greater => Ordering::is_gt,
        Relation::GreaterOrEqual => Ordering::is_ge,
    };
    Ok(compare::order(left, right, budget)?.is_some_and(is_ordered))
}

/// Whether a list or the keys of a map hold a value.
fn contains(container: &Value, value: &Value, budget: &mut Budget) -> Outcome<bool> {
    match container {
        Value::List(items) => {
            if let Value::String(text) = value {
                budget.step(items.len() / 8 + items.len() * (text.len() / 64))?;
                return Ok(items.iter().any(|item| item.as_str() == Some(text)));
            }
            // Scalars are cheap to compare; what is deeper is charged as it is walked over.
            budget.step(items.len() / 8)?;
            for item in items.iter() {
                if compare::equal(item, value, budget)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Value::Map(map) => Ok(map.get(value).is_some()),
        other => Err(Fault::new(format!(
            "`in` looks into a list or map, not into {} {}",
            other.kind(),
            print::preview(other)
        ))),
    }
}
