//! Parts that come out the same every time are computed once, while parsing: `duration('1h')`, `['AT', 'DE']`.
//!
//! Only what is made of literals alone, small, and free of errors: a mistake in a branch that is never taken must not
//! be one. Branches themselves stay, because what they read must stay known.

use super::{
    Budget, Scope, Value,
    ast::{Kind, Node},
    evaluate, functions,
};

/// What one part may take. A longer list is quicker to build than to keep for every expression.
const STEPS: u64 = 500;
const BYTES: u64 = 4096;

struct Nothing;

impl Scope for Nothing {
    fn get(&self, _: &str) -> Option<Value> {
        None
    }
}

/// The node, or the literal that it always gives.
pub(super) fn folded(node: Node) -> Node {
    if !is_constant(&node.kind) {
        return node;
    }
    match evaluate::evaluate(&node, &Nothing, &mut Budget::new(STEPS, BYTES)) {
        Ok(value) => Node {
            kind: Kind::Literal(value),
            depth: 1,
            ..node
        },
        Err(_) => node,
    }
}

fn is_constant(kind: &Kind) -> bool {
    let pure = match kind {
        Kind::Call { function, .. } => functions::is_constant(function),
        Kind::Not { .. }
        | Kind::Negate { .. }
        | Kind::Relation(..)
        | Kind::Chain { .. }
        | Kind::List(_)
        | Kind::Map(_)
        | Kind::Pattern { .. } => true,
        _ => false,
    };
    let mut literal = pure;
    if pure {
        kind.each_child(&mut |child| literal &= matches!(child.kind, Kind::Literal(_)));
    }
    literal
}
