//! The syntax tree of an expression, with functions and variables already resolved.
//!
//! Paths that start at a name (`steps.a.output`) are one node, `&&`, `||` and sums are one node however long, so
//! that ordinary expressions stay flat.

use super::{
    Value,
    functions::{Apply, Function},
};
use regex::Regex;
use std::sync::Arc;

/// A range of bytes in the source. Sources are short (`SOURCE_LIMIT`), so 32 bits are plenty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Span {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "sources are a few KiB, texts at most 512 KiB"
    )]
    pub(super) const fn new(start: usize, end: usize) -> Self {
        Self {
            start: start as u32,
            end: end as u32,
        }
    }
}

#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) span: Span,
    /// Levels below and including this one; bounded by the parser.
    pub(super) depth: u16,
}

impl Node {
    /// A literal text that stands in the source so, and is not put together from others.
    pub(super) fn is_written(&self, text: &str) -> bool {
        let quotes = 2;
        (self.span.end - self.span.start) as usize == text.len() + quotes
    }
}

#[derive(Debug)]
pub(super) enum Kind {
    Literal(Value),
    /// A macro's variable, by its place among those in sight.
    Local(usize),
    /// A root name and the fields below it; never empty.
    Path(Vec<Arc<str>>),
    Select {
        operand: Box<Node>,
        field: Arc<str>,
        optional: bool,
    },
    Index {
        operand: Box<Node>,
        index: Box<Node>,
        optional: bool,
    },
    Has {
        operand: Box<Node>,
        field: Arc<str>,
    },
    Not {
        operand: Box<Node>,
    },
    Negate {
        operand: Box<Node>,
    },
    And(Vec<Node>),
    Or(Vec<Node>),
    Conditional(Box<[Node; 3]>),
    Relation(Relation, Box<[Node; 2]>),
    Chain {
        first: Box<Node>,
        rest: Vec<(Arithmetic, Node)>,
    },
    List(Vec<Element>),
    Map(Vec<Entry>),
    Call {
        function: &'static Function,
        arguments: Vec<Node>,
    },
    /// `matches` and its relatives with a literal pattern, compiled once. The arguments are without it.
    Pattern {
        function: &'static Function,
        apply: Apply,
        pattern: Box<Regex>,
        arguments: Vec<Node>,
    },
    /// `or` and `orValue`: the right side is evaluated only if it is needed.
    OrElse {
        left: Box<Node>,
        right: Box<Node>,
        unwrap: bool,
    },
    OptionalMap {
        operand: Box<Node>,
        slot: usize,
        body: Box<Node>,
        flat: bool,
    },
    Comprehension(Box<Comprehension>),
}

#[derive(Debug)]
pub(super) struct Element {
    pub(super) node: Node,
    pub(super) optional: bool,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: Node,
    pub(super) value: Node,
    pub(super) optional: bool,
}

/// A macro that walks over a list or map.
#[derive(Debug)]
pub(super) struct Comprehension {
    pub(super) walk: Walk,
    pub(super) range: Node,
    /// Where the first variable lives; the second, if there is one, lives behind it.
    pub(super) slot: usize,
    pub(super) pair: bool,
    pub(super) filter: Option<Node>,
    pub(super) body: Node,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Walk {
    All,
    Exists,
    ExistsOne,
    Map,
    Filter,
    SortBy,
    TransformMap,
    TransformMapEntry,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Arithmetic {
    pub(super) const fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }
}

impl Kind {
    /// Calls `visit` for each node directly below.
    pub(super) fn each_child<'a>(&'a self, visit: &mut dyn FnMut(&'a Node)) {
        match self {
            Self::Literal(_) | Self::Local(_) | Self::Path(_) => {}
            Self::Select { operand, .. }
            | Self::Has { operand, .. }
            | Self::Not { operand }
            | Self::Negate { operand } => visit(operand),
            Self::Index {
                operand: left,
                index: right,
                ..
            }
            | Self::OrElse { left, right, .. }
            | Self::OptionalMap {
                operand: left,
                body: right,
                ..
            } => {
                visit(left);
                visit(right);
            }
            Self::And(nodes)
            | Self::Or(nodes)
            | Self::Call { arguments: nodes, .. }
            | Self::Pattern { arguments: nodes, .. } => {
                nodes.iter().for_each(visit);
            }
            Self::Conditional(nodes) => nodes.iter().for_each(visit),
            Self::Relation(_, nodes) => nodes.iter().for_each(visit),
            Self::Chain { first, rest } => {
                visit(first);
                for (_, node) in rest {
                    visit(node);
                }
            }
            Self::List(elements) => {
                for element in elements {
                    visit(&element.node);
                }
            }
            Self::Map(entries) => {
                for entry in entries {
                    visit(&entry.key);
                    visit(&entry.value);
                }
            }
            Self::Comprehension(comprehension) => {
                visit(&comprehension.range);
                comprehension.filter.iter().for_each(&mut *visit);
                visit(&comprehension.body);
            }
        }
    }
}
