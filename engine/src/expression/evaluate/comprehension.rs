//! The walks of `all`, `exists`, `map`, `filter` and their relatives.

use super::{
    super::ast::{Comprehension, Walk},
    Budget, Fault, Frame, Key, Locals, Machine, Outcome, Value, as_key, compare, new_map, print,
};
use std::{cmp::Ordering, sync::Arc};

/// What a walk has gathered so far.
#[derive(Default)]
struct Gathered {
    items: Vec<Value>,
    keys: Vec<Value>,
    pairs: Vec<(Key, Value)>,
    count: usize,
    fault: Option<Fault>,
}

impl<'a> Machine<'a> {
    pub(super) fn comprehension<'v>(
        &mut self,
        comprehension: &'v Comprehension,
        locals: Locals<'v>,
    ) -> Outcome<Value>
    where
        'a: 'v,
    {
        let range = self.evaluate(&comprehension.range, locals)?;
        let mut gathered = Gathered::default();
        match &*range {
            Value::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    let index = Value::Int(i64::try_from(index).unwrap_or(i64::MAX));
                    let (first, second) = if comprehension.pair {
                        (&index, Some(item))
                    } else {
                        (item, None)
                    };
                    if let Some(done) = self.turn(comprehension, &mut gathered, first, second, locals)? {
                        return Ok(done);
                    }
                }
            }
            Value::Map(map) if comprehension.walk != Walk::SortBy => {
                self.context.budget.allocate(map.len() * size_of::<usize>())?;
                for (key, value) in map.iter_sorted() {
                    let key = key.to_value();
                    let second = comprehension.pair.then_some(value);
                    if let Some(done) = self.turn(comprehension, &mut gathered, &key, second, locals)? {
                        return Ok(done);
                    }
                }
            }
            other => {
                return Err(Fault::new(format!(
                    "only lists and maps can be walked over, not {} {}",
                    other.kind(),
                    print::preview(other)
                ))
                .at(comprehension.range.span));
            }
        }
        self.finish(comprehension, &range, gathered)
    }

    /// One turn; gives the result if it is decided.
    fn turn<'v>(
        &mut self,
        comprehension: &'v Comprehension,
        gathered: &mut Gathered,
        first: &'v Value,
        second: Option<&'v Value>,
        outer: Locals<'v>,
    ) -> Outcome<Option<Value>>
    where
        'a: 'v,
    {
        self.context.budget.step(1)?;
        let slot = comprehension.slot;
        let frame = Frame {
            slot,
            value: first,
            outer,
        };
        let Some(value) = second else {
            return self.inside(comprehension, gathered, first, Some(&frame));
        };
        let both = Frame {
            slot: slot + 1,
            value,
            outer: Some(&frame),
        };
        self.inside(comprehension, gathered, first, Some(&both))
    }

    /// One turn, with its variables in sight.
    fn inside<'v>(
        &mut self,
        comprehension: &'v Comprehension,
        gathered: &mut Gathered,
        first: &Value,
        locals: Locals<'v>,
    ) -> Outcome<Option<Value>>
    where
        'a: 'v,
    {
        if let Some(filter) = &comprehension.filter
            && !self.truth(filter, locals, "the condition")?
        {
            return Ok(None);
        }
        let body = &comprehension.body;
        match comprehension.walk {
            Walk::All | Walk::Exists => {
                let decisive = comprehension.walk == Walk::Exists;
                match self.truth(body, locals, "the condition") {
                    Ok(value) if value == decisive => return Ok(Some(Value::Bool(decisive))),
                    Ok(_) => {}
                    Err(fault) if fault.is_limit() => return Err(fault),
                    Err(fault) => {
                        gathered.fault.get_or_insert(fault);
                    }
                }
            }
            Walk::ExistsOne => gathered.count += usize::from(self.truth(body, locals, "the condition")?),
            Walk::Filter => {
                if self.truth(body, locals, "the condition")? {
                    self.context.budget.allocate_entries(1)?;
                    gathered.items.push(first.clone());
                }
            }
            Walk::Map => {
                let value = self.evaluate(body, locals)?.into_owned();
                self.context.budget.allocate_entries(1)?;
                gathered.items.push(value);
            }
            Walk::SortBy => {
                let key = self.evaluate(body, locals)?.into_owned();
                self.context.budget.allocate_entries(2)?;
                gathered.keys.push(key);
                gathered.items.push(first.clone());
            }
            Walk::TransformMap => {
                let value = self.evaluate(body, locals)?.into_owned();
                self.context.budget.allocate_entries(2)?;
                gathered.pairs.push((as_key(first)?, value));
            }
            Walk::TransformMapEntry => {
                let value = self.evaluate(body, locals)?;
                let Value::Map(map) = &*value else {
                    return Err(Fault::new(format!(
                        "transformMapEntry takes a map, not {} {}",
                        value.kind(),
                        print::preview(&value)
                    ))
                    .at(body.span));
                };
                self.context.budget.allocate_entries(map.len() * 2)?;
                gathered
                    .pairs
                    .extend(map.iter().map(|(key, value)| (key.clone(), value.clone())));
            }
        }
        Ok(None)
    }

    fn finish(&mut self, comprehension: &Comprehension, range: &Value, gathered: Gathered) -> Outcome<Value> {
        if let Some(fault) = gathered.fault {
            return Err(fault);
        }
        match comprehension.walk {
            Walk::All => Ok(Value::Bool(true)),
            Walk::Exists => Ok(Value::Bool(false)),
            Walk::ExistsOne => Ok(Value::Bool(gathered.count == 1)),
            // Nothing left out: the same list, without a copy.
            Walk::Filter => match range {
                Value::List(items) if items.len() == gathered.items.len() => {
                    Ok(Value::List(Arc::clone(items)))
                }
                _ => Ok(Value::from(gathered.items)),
            },
            Walk::Map => Ok(Value::from(gathered.items)),
            Walk::SortBy => {
                let order = sorted_positions(&gathered.keys, self.context.budget)
                    .map_err(|fault| fault.at(comprehension.body.span))?;
                self.context.budget.allocate_entries(order.len())?;
                Ok(Value::from(
                    order
                        .into_iter()
                        .filter_map(|at| gathered.items.get(at).cloned())
                        .collect::<Vec<_>>(),
                ))
            }
            Walk::TransformMap | Walk::TransformMapEntry => new_map(gathered.pairs),
        }
    }
}

/// The positions of values in ascending order; equal ones keep their order. Fails if two have no order.
///
/// Everything that can fail is tried before sorting: a sort whose comparison changes its mind may panic.
pub(in crate::expression) fn sorted_positions(keys: &[Value], budget: &mut Budget) -> Outcome<Vec<usize>> {
    if let [only] = keys {
        compare::order(only, only, budget)?;
    }
    for pair in keys.windows(2) {
        if let [left, right] = pair
            && compare::order(left, right, budget)?.is_none()
        {
            return Err(Fault::new("NaN has no order"));
        }
    }
    let rounds = usize::try_from(keys.len().max(2).ilog2()).unwrap_or(usize::MAX) + 1;
    let text: usize = keys.iter().map(|key| key.as_str().map_or(0, str::len)).sum();
    budget.step((keys.len() + text / 64).saturating_mul(rounds))?;
    budget.allocate(keys.len() * size_of::<usize>())?;
    let mut order: Vec<usize> = (0..keys.len()).collect();
    let unlimited = &mut Budget::new(u64::MAX, u64::MAX);
    order.sort_by(|left, right| {
        compare::order(&keys[*left], &keys[*right], unlimited)
            .ok()
            .flatten()
            .unwrap_or(Ordering::Equal)
    });
    Ok(order)
}
