//! The evaluator: a walk over the parsed program. Depth is bounded by the parser, everything else by the budget.
//!
//! Values are borrowed wherever they lie: in the program, in the scope, in a list that a macro walks over. Only what is
//! computed is owned, and only what goes into a result is shared.

mod build;
mod comprehension;
mod held;
mod operators;
mod optionals;
mod quick;
mod select;

use super::{
    Budget, Key, Map, Scope, Value, arithmetic,
    ast::{Kind, Node},
    compare,
    error::{Fault, Outcome},
    print,
};
use held::{Frame, Held, Locals};
use std::sync::Arc;

pub(super) use comprehension::sorted_positions;

/// What functions may use: the caller's recorded answers and the budget.
pub(super) struct Context<'a> {
    pub(super) scope: &'a dyn Scope,
    pub(super) budget: &'a mut Budget,
}

/// Evaluates a parsed expression.
pub(super) fn evaluate(node: &Node, scope: &dyn Scope, budget: &mut Budget) -> Outcome<Value> {
    let mut machine = Machine {
        context: Context { scope, budget },
    };
    machine.evaluate(node, None).map(Held::into_owned)
}

struct Machine<'a> {
    context: Context<'a>,
}

impl<'a> Machine<'a> {
    fn evaluate<'v>(&mut self, node: &'v Node, locals: Locals<'v>) -> Outcome<Held<'v>>
    where
        'a: 'v,
    {
        // What costs nothing is not counted: a source has only so many literals.
        if let Some(value) = self.quick(node, locals) {
            return Ok(Held::Borrowed(value));
        }
        if let Err(fault) = self.context.budget.step(1) {
            return Err(fault.at(node.span));
        }
        self.dispatch(&node.kind, locals)
            .map_err(|fault| fault.at(node.span))
    }

    fn dispatch<'v>(&mut self, kind: &'v Kind, locals: Locals<'v>) -> Outcome<Held<'v>>
    where
        'a: 'v,
    {
        Ok(match kind {
            Kind::Literal(value) => Held::Borrowed(value),
            Kind::Local(slot) => Held::Borrowed(held::local(locals, *slot)?),
            Kind::Path(names) => self.path(names)?,
            Kind::Select {
                operand,
                field,
                optional,
            } => select::select(self.evaluate(operand, locals)?, field, *optional)?,
            Kind::Index {
                operand,
                index,
                optional,
            } => {
                let operand = self.evaluate(operand, locals)?;
                // What is absent has no elements to compute the place of.
                if matches!(*operand, Value::Optional(None)) {
                    return Ok(operand);
                }
                let index = self.evaluate(index, locals)?;
                select::element(&operand, &index, *optional)?
            }
            Kind::Has { operand, field } => {
                let operand = self.evaluate(operand, locals)?;
                Held::bool(select::has(&operand, field)?)
            }
            Kind::Not { operand } => Held::bool(!self.truth(operand, locals, "!")?),
            Kind::Negate { operand } => Held::Owned(arithmetic::negate(&*self.evaluate(operand, locals)?)?),
            Kind::And(nodes) => Held::bool(self.logic(nodes, locals, false)?),
            Kind::Or(nodes) => Held::bool(self.logic(nodes, locals, true)?),
            Kind::Conditional(nodes) => {
                let [condition, yes, no] = nodes.as_ref();
                let chosen = self.truth(condition, locals, "the condition of ? :")?;
                return self.evaluate(if chosen { yes } else { no }, locals);
            }
            Kind::Relation(relation, nodes) => Held::bool(self.relation(*relation, nodes, locals)?),
            Kind::Chain { first, rest } => {
                let mut value = self.evaluate(first, locals)?;
                for (operator, node) in rest {
                    let right = self.evaluate(node, locals)?;
                    let result = arithmetic::apply(*operator, &value, &right, self.context.budget)?;
                    value = Held::Owned(result);
                }
                value
            }
            Kind::List(elements) => Held::Owned(self.list(elements, locals)?),
            Kind::Map(entries) => Held::Owned(self.map(entries, locals)?),
            Kind::Call { function, arguments } => Held::Owned(self.call(function, arguments, locals)?),
            Kind::Pattern {
                apply,
                pattern,
                arguments,
                ..
            } => {
                let values = self.arguments(arguments, locals)?;
                Held::Owned(apply(&mut self.context, pattern, &values)?)
            }
            Kind::OrElse { left, right, unwrap } => self.or_else(left, right, *unwrap, locals)?,
            Kind::OptionalMap {
                operand,
                slot,
                body,
                flat,
            } => Held::Owned(self.optional_map(operand, *slot, body, *flat, locals)?),
            Kind::Comprehension(comprehension) => Held::Owned(self.comprehension(comprehension, locals)?),
        })
    }

    /// The truth value of a part that must have one.
    fn truth<'v>(&mut self, node: &'v Node, locals: Locals<'v>, operator: &str) -> Outcome<bool>
    where
        'a: 'v,
    {
        // What gives a bool anyway need not become a value first.
        let outcome = match &node.kind {
            Kind::Relation(relation, nodes) => self.relation(*relation, nodes, locals),
            Kind::And(nodes) => self.logic(nodes, locals, false),
            Kind::Or(nodes) => self.logic(nodes, locals, true),
            _ => return self.bool(node, locals, operator),
        };
        match outcome.and_then(|value| self.context.budget.step(1).map(|()| value)) {
            Ok(value) => Ok(value),
            Err(fault) => Err(fault.at(node.span)),
        }
    }

    /// The truth value of a part that may be anything.
    fn bool<'v>(&mut self, node: &'v Node, locals: Locals<'v>, operator: &str) -> Outcome<bool>
    where
        'a: 'v,
    {
        let value = self.evaluate(node, locals)?;
        value.as_bool().ok_or_else(|| {
            Fault::new(format!(
                "{operator} takes a bool, not {} {}",
                value.kind(),
                print::preview(&value)
            ))
            .at(node.span)
        })
    }

    /// `&&` (`decisive` false) and `||` (true): whatever decides wins over an error on another side, as in CEL.
    /// A used-up budget is never passed over.
    fn logic<'v>(&mut self, nodes: &'v [Node], locals: Locals<'v>, decisive: bool) -> Outcome<bool>
    where
        'a: 'v,
    {
        let operator = if decisive { "||" } else { "&&" };
        let mut first = None;
        for node in nodes {
            match self.truth(node, locals, operator) {
                Ok(value) if value == decisive => return Ok(decisive),
                Ok(_) => {}
                Err(fault) if fault.is_limit() => return Err(fault),
                Err(fault) => {
                    first.get_or_insert(fault);
                }
            }
        }
        first.map_or(Ok(!decisive), Err)
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
