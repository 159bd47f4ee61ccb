//! The evaluator: a walk over the syntax tree. Depth is bounded by the parser, everything else by the budget.

mod comprehension;
mod select;

use super::{
    Budget, Key, Map, Scope, Value, arithmetic,
    ast::{Element, Entry, Kind, Node, Relation},
    compare,
    error::{Fault, Outcome},
    functions::Function,
    print,
};
use std::{cmp::Ordering, sync::Arc};

pub(super) use comprehension::sorted_positions;

/// What functions may use: the caller's recorded answers and the budget.
pub(super) struct Context<'a> {
    pub(super) scope: &'a dyn Scope,
    pub(super) budget: &'a mut Budget,
}

/// Evaluates a parsed expression.
pub(super) fn evaluate(node: &Node, scope: &dyn Scope, budget: &mut Budget) -> Outcome<Value> {
    Machine {
        context: Context { scope, budget },
        locals: Vec::new(),
    }
    .evaluate(node)
}

struct Machine<'a> {
    context: Context<'a>,
    /// The macros' variables, outermost first.
    locals: Vec<Value>,
}

impl Machine<'_> {
    fn evaluate(&mut self, node: &Node) -> Outcome<Value> {
        // What costs nothing is not counted: a source has only so many literals.
        if let Kind::Literal(value) = &node.kind {
            return Ok(value.clone());
        }
        self.context
            .budget
            .step(1)
            .and_then(|()| self.dispatch(node))
            .map_err(|fault| fault.at(node.span))
    }

    fn dispatch(&mut self, node: &Node) -> Outcome<Value> {
        match &node.kind {
            Kind::Literal(value) => Ok(value.clone()),
            Kind::Local(slot) => self.local(*slot).cloned(),
            Kind::Path(names) => self.path(names),
            Kind::Select {
                operand,
                field,
                optional,
            } => {
                // The usual `x.field` of a macro looks at its variable without sharing it first.
                if let Kind::Local(slot) = operand.kind {
                    return select::field(self.local(slot)?, field, *optional);
                }
                let operand = self.evaluate(operand)?;
                select::field(&operand, field, *optional)
            }
            Kind::Index {
                operand,
                index,
                optional,
            } => {
                let operand = self.evaluate(operand)?;
                // What is absent has no elements to compute the place of.
                if matches!(operand, Value::Optional(None)) {
                    return Ok(operand);
                }
                let index = self.evaluate(index)?;
                select::index(&operand, &index, *optional)
            }
            Kind::Has { operand, field } => {
                let operand = self.evaluate(operand)?;
                select::has(&operand, field)
            }
            Kind::Not { operand } => {
                let value = self.evaluate(operand)?;
                Ok(Value::Bool(!boolean(&value, "!")?))
            }
            Kind::Negate { operand } => arithmetic::negate(&self.evaluate(operand)?),
            Kind::And(nodes) => self.logic(nodes, false),
            Kind::Or(nodes) => self.logic(nodes, true),
            Kind::Conditional(nodes) => {
                let [condition, yes, no] = nodes.as_ref();
                let value = self.evaluate(condition)?;
                let chosen =
                    boolean(&value, "the condition of ? :").map_err(|fault| fault.at(condition.span))?;
                self.evaluate(if chosen { yes } else { no })
            }
            Kind::Relation(relation, nodes) => {
                let left = self.evaluate(&nodes[0])?;
                let right = self.evaluate(&nodes[1])?;
                self.relate(*relation, &left, &right)
            }
            Kind::Chain { first, rest } => {
                let mut value = self.evaluate(first)?;
                for (operator, node) in rest {
                    let right = self.evaluate(node)?;
                    value = arithmetic::apply(*operator, &value, &right, self.context.budget)?;
                }
                Ok(value)
            }
            Kind::List(elements) => self.list(elements),
            Kind::Map(entries) => self.map(entries),
            Kind::Call { function, arguments } => self.call(function, arguments),
            Kind::Pattern {
                apply,
                pattern,
                arguments,
                ..
            } => {
                let values = arguments
                    .iter()
                    .map(|node| self.evaluate(node))
                    .collect::<Outcome<Vec<_>>>()?;
                apply(&mut self.context, pattern, &values)
            }
            Kind::OrElse { left, right, unwrap } => self.or_else(left, right, *unwrap),
            Kind::OptionalMap {
                operand,
                slot,
                body,
                flat,
            } => self.optional_map(operand, *slot, body, *flat),
            Kind::Comprehension(comprehension) => self.comprehension(comprehension),
        }
    }

    fn local(&self, slot: usize) -> Outcome<&Value> {
        self.locals
            .get(slot)
            .ok_or_else(|| Fault::new("the variable has no value here"))
    }

    /// `&&` (`decisive` false) and `||` (true): whatever decides wins over an error on another side, as in CEL.
    /// A used-up budget is never passed over.
    fn logic(&mut self, nodes: &[Node], decisive: bool) -> Outcome<Value> {
        let mut first = None;
        for node in nodes {
            let operator = if decisive { "||" } else { "&&" };
            let outcome = self
                .evaluate(node)
                .and_then(|value| boolean(&value, operator).map_err(|fault| fault.at(node.span)));
            match outcome {
                Ok(value) if value == decisive => return Ok(Value::Bool(decisive)),
                Ok(_) => {}
                Err(fault) if fault.is_limit() => return Err(fault),
                Err(fault) => {
                    first.get_or_insert(fault);
                }
            }
        }
        first.map_or(Ok(Value::Bool(!decisive)), Err)
    }

    fn relate(&mut self, relation: Relation, left: &Value, right: &Value) -> Outcome<Value> {
        let budget = &mut *self.context.budget;
        Ok(Value::Bool(match relation {
            Relation::Equal => compare::equal(left, right, budget)?,
            Relation::Unequal => !compare::equal(left, right, budget)?,
            Relation::In => contains(right, left, budget)?,
            Relation::Less => compare::order(left, right, budget)? == Some(Ordering::Less),
            Relation::LessOrEqual => {
                matches!(
                    compare::order(left, right, budget)?,
                    Some(Ordering::Less | Ordering::Equal)
                )
            }
            Relation::Greater => compare::order(left, right, budget)? == Some(Ordering::Greater),
            Relation::GreaterOrEqual => {
                matches!(
                    compare::order(left, right, budget)?,
                    Some(Ordering::Greater | Ordering::Equal)
                )
            }
        }))
    }

    fn list(&mut self, elements: &[Element]) -> Outcome<Value> {
        self.context.budget.allocate_entries(elements.len())?;
        let mut items = Vec::with_capacity(elements.len());
        for Element { node, optional } in elements {
            let value = self.evaluate(node)?;
            if !optional {
                items.push(value);
            } else if let Some(value) = present(&value).map_err(|fault| fault.at(node.span))? {
                items.push(value);
            }
        }
        Ok(Value::from(items))
    }

    fn map(&mut self, entries: &[Entry]) -> Outcome<Value> {
        self.context.budget.allocate_entries(entries.len() * 2)?;
        let mut pairs = Vec::with_capacity(entries.len());
        for Entry { key, value, optional } in entries {
            let name = self.evaluate(key)?;
            let name = as_key(&name).map_err(|fault| fault.at(key.span))?;
            let found = self.evaluate(value)?;
            if !optional {
                pairs.push((name, found));
            } else if let Some(found) = present(&found).map_err(|fault| fault.at(value.span))? {
                pairs.push((name, found));
            }
        }
        new_map(pairs)
    }

    fn call(&mut self, function: &Function, arguments: &[Node]) -> Outcome<Value> {
        match arguments {
            [] => (function.call)(&mut self.context, &[]),
            [only] => {
                let values = [self.evaluate(only)?];
                (function.call)(&mut self.context, &values)
            }
            [first, second] => {
                let values = [self.evaluate(first)?, self.evaluate(second)?];
                (function.call)(&mut self.context, &values)
            }
            many => {
                let values = many
                    .iter()
                    .map(|node| self.evaluate(node))
                    .collect::<Outcome<Vec<_>>>()?;
                (function.call)(&mut self.context, &values)
            }
        }
    }

    fn or_else(&mut self, left: &Node, right: &Node, unwrap: bool) -> Outcome<Value> {
        let value = self.evaluate(left)?;
        let Value::Optional(inner) = &value else {
            let name = if unwrap { "orValue" } else { "or" };
            return Err(Fault::new(format!(
                "{name} is for optionals (reached by .? or [?), not for {} {}",
                value.kind(),
                print::preview(&value)
            )));
        };
        match inner {
            Some(inner) if unwrap => Ok(inner.as_ref().clone()),
            Some(_) => Ok(value),
            None => {
                let other = self.evaluate(right)?;
                if !unwrap && !matches!(other, Value::Optional(_)) {
                    return Err(Fault::new(
                        "or takes an optional: write orValue for a plain value",
                    ));
                }
                Ok(other)
            }
        }
    }

    fn optional_map(&mut self, operand: &Node, slot: usize, body: &Node, flat: bool) -> Outcome<Value> {
        let value = self.evaluate(operand)?;
        let Some(inner) = present(&value).map_err(|fault| fault.at(operand.span))? else {
            return Ok(Value::Optional(None));
        };
        self.locals.truncate(slot);
        self.locals.push(inner);
        let result = self.evaluate(body);
        self.locals.truncate(slot);
        let result = result?;
        match result {
            Value::Optional(_) if flat => Ok(result),
            _ if flat => Err(Fault::new(
                "the result of optFlatMap must be an optional: write optMap",
            )),
            _ => Ok(Value::some(result)),
        }
    }
}

/// Whether a list or the keys of a map hold a value.
fn contains(container: &Value, value: &Value, budget: &mut Budget) -> Outcome<bool> {
    match container {
        Value::List(items) => {
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

fn boolean(value: &Value, operator: &str) -> Outcome<bool> {
    value.as_bool().ok_or_else(|| {
        Fault::new(format!(
            "{operator} takes a bool, not {} {}",
            value.kind(),
            print::preview(value)
        ))
    })
}

/// The inside of an optional.
fn present(value: &Value) -> Outcome<Option<Value>> {
    match value {
        Value::Optional(inner) => Ok(inner.as_deref().cloned()),
        other => Err(Fault::new(format!(
            "an optional must stand here, not {} {}",
            other.kind(),
            print::preview(other)
        ))),
    }
}

fn as_key(value: &Value) -> Outcome<Key> {
    Key::from_value(value).ok_or_else(|| no_key(value))
}

fn no_key(value: &Value) -> Fault {
    Fault::new(format!(
        "the key of a map is a string, int, uint or bool, not {} {}",
        value.kind(),
        print::preview(value)
    ))
}

fn new_map(pairs: Vec<(Key, Value)>) -> Outcome<Value> {
    Map::new(pairs)
        .map(|map| Value::Map(Arc::new(map)))
        .map_err(|key| {
            Fault::new(format!(
                "the key {} stands twice",
                print::preview(&key.to_value())
            ))
        })
}
