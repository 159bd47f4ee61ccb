//! Which paths an expression compares with literal texts, for the compiler: a comparison with a name that does not
//! exist never holds.

use super::Value;
use super::ast::{Kind, Node, Relation};

/// A path that is compared with a literal text, by `==`, `!=` or `in`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// The names of the path.
    pub path: Vec<String>,
    /// The text.
    pub literal: String,
    /// Where the comparison begins, in bytes from the start of the source.
    pub offset: usize,
}

/// All comparisons below a node.
pub(super) fn of(root: &Node) -> Vec<Compared> {
    let mut found = Vec::new();
    walk(root, &mut found);
    found
}

fn walk(node: &Node, found: &mut Vec<Compared>) {
    if let Kind::Relation(relation, nodes) = &node.kind {
        let [left, right] = nodes.as_ref();
        let offset = node.span.start as usize;
        match relation {
            Relation::Equal | Relation::Unequal => {
                compare(left, right, offset, found);
                compare(right, left, offset, found);
            }
            Relation::In => compare(left, right, offset, found),
            _ => {}
        }
    }
    node.kind.each_child(&mut |child| walk(child, found));
}

fn compare(path: &Node, with: &Node, offset: usize, found: &mut Vec<Compared>) {
    let Kind::Path(path) = &path.kind else { return };
    let mut add = |literal: &str| {
        found.push(Compared {
            path: path.iter().map(|name| name.as_ref().to_owned()).collect(),
            literal: literal.to_owned(),
            offset,
        });
    };
    match &with.kind {
        Kind::Literal(Value::String(text)) => add(text),
        Kind::Literal(Value::List(items)) => {
            for item in items.iter() {
                if let Value::String(text) = item {
                    add(text);
                }
            }
        }
        Kind::List(elements) => {
            for element in elements {
                if let Kind::Literal(Value::String(text)) = &element.node.kind {
                    add(text);
                }
            }
        }
        _ => {}
    }
}
