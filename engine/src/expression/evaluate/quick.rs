//! The short way for what is only looked up: `i.amount`, `steps.a.output.total`, literals.
//!
//! Most of what an expression does is reading fields and comparing them. Here a reference goes from hand to hand; the
//! general way moves values, which takes several times as long. What is not found here goes the general way, which also
//! says what is wrong.

use super::{
    super::ast::{Kind, Node, Relation},
    Locals, Machine, Outcome, Value, held, operators, select,
};

impl<'a> Machine<'a> {
    /// The value of a node that is only looked up, if it is there.
    pub(super) fn quick<'v>(&mut self, node: &'v Node, locals: Locals<'v>) -> Option<&'v Value>
    where
        'a: 'v,
    {
        let value = match &node.kind {
            Kind::Literal(value) => return Some(value),
            Kind::Local(slot) => held::local(locals, *slot).ok()?,
            Kind::Path(names) => select::borrowed(self.context.scope, names)?,
            Kind::Select {
                operand,
                field,
                optional: false,
            } => match self.quick(operand, locals)? {
                Value::Map(map) => map.get_str(field)?,
                _ => return None,
            },
            _ => return None,
        };
        self.context.budget.step(1).ok()?;
        Some(value)
    }

    /// A comparison, as a bool and not as a value.
    pub(super) fn relation<'v>(
        &mut self,
        relation: Relation,
        nodes: &'v [Node; 2],
        locals: Locals<'v>,
    ) -> Outcome<bool>
    where
        'a: 'v,
    {
        let (left, right);
        let first = if let Some(value) = self.quick(&nodes[0], locals) {
            value
        } else {
            left = self.evaluate(&nodes[0], locals)?;
            &left
        };
        let second = if let Some(value) = self.quick(&nodes[1], locals) {
            value
        } else {
            right = self.evaluate(&nodes[1], locals)?;
            &right
        };
        operators::relate(relation, first, second, self.context.budget)
    }
}
