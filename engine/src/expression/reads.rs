//! Which names an expression reads, for the compiler: unknown names, steps that are no ancestors, and reads of
//! what may be absent are found before anything runs.

use super::{
    Value,
    ast::{Kind, Node},
};

/// One path that an expression reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// The root and the fields below it, as far as they are literal: `["steps", "a", "output", "total"]`.
    pub path: Vec<String>,
    /// Where the path begins, in bytes from the start of the source.
    pub offset: usize,
    /// Whether it may be absent: reached through `.?` or `[?`, asked about by `has()`, or covered by a `has()` of
    /// the path or its beginning.
    pub guarded: bool,
    /// How many names of the path must be there in any case: those before the first `.?`, or before the field that
    /// `has()` asks about. The whole path if it is read plainly.
    pub plain: usize,
}

/// All reads below a node.
pub(super) fn of(root: &Node) -> Vec<Read> {
    let mut reader = Reader {
        reads: Vec::new(),
        present: Vec::new(),
    };
    reader.walk(root);
    reader.reads
}

struct Reader {
    reads: Vec<Read>,
    /// Paths that a `has()` further out makes sure of.
    present: Vec<Vec<String>>,
}

/// A path while it is put together from the inside out.
struct Trail {
    path: Vec<String>,
    offset: usize,
    plain: usize,
    optional: bool,
    /// Something not literal ended the path; what follows is no longer part of it.
    closed: bool,
}

impl Trail {
    fn extend(&mut self, field: &str, optional: bool) {
        self.optional |= optional;
        if self.closed {
            return;
        }
        self.path.push(field.to_owned());
        if !self.optional {
            self.plain = self.path.len();
        }
    }
}

impl Reader {
    fn walk(&mut self, node: &Node) {
        match &node.kind {
            Kind::Path(_) | Kind::Select { .. } | Kind::Index { .. } => {
                if let Some(trail) = self.trail(node) {
                    self.record(trail);
                }
            }
            Kind::Has { operand, field } => {
                if let Some(mut trail) = self.trail(operand) {
                    trail.extend(field, true);
                    self.record(trail);
                }
            }
            Kind::And(nodes) => self.logic(nodes, true),
            Kind::Or(nodes) => self.logic(nodes, false),
            Kind::Conditional(nodes) => {
                let [condition, yes, no] = nodes.as_ref();
                self.walk(condition);
                self.under(condition, true, yes);
                self.under(condition, false, no);
            }
            kind => kind.each_child(&mut |child| self.walk(child)),
        }
    }

    /// Each operand is evaluated only if those before it were true (`&&`) or false (`||`).
    fn logic(&mut self, nodes: &[Node], truth: bool) {
        let before = self.present.len();
        for node in nodes {
            self.walk(node);
            certain(node, truth, &mut self.present);
        }
        self.present.truncate(before);
    }

    fn under(&mut self, condition: &Node, truth: bool, node: &Node) {
        let before = self.present.len();
        certain(condition, truth, &mut self.present);
        self.walk(node);
        self.present.truncate(before);
    }

    /// The path that a node reads; what else lies below it is walked on the way. Nothing if it is no path.
    fn trail(&mut self, node: &Node) -> Option<Trail> {
        match &node.kind {
            Kind::Path(names) => Some(Trail {
                path: names.iter().map(|name| name.as_ref().to_owned()).collect(),
                offset: node.span.start as usize,
                plain: names.len(),
                optional: false,
                closed: false,
            }),
            Kind::Select {
                operand,
                field,
                optional,
            } => {
                let mut trail = self.trail(operand)?;
                trail.extend(field, *optional);
                Some(trail)
            }
            Kind::Index {
                operand,
                index,
                optional,
            } => {
                let trail = self.trail(operand);
                if let Kind::Literal(Value::String(field)) = &index.kind
                    && (trail.as_ref().is_none_or(|trail| trail.path[0] != "steps")
                        || index.is_written(field))
                {
                    let mut trail = trail?;
                    trail.extend(field, *optional);
                    return Some(trail);
                }
                self.walk(index);
                let mut trail = trail?;
                trail.closed = true;
                Some(trail)
            }
            _ => {
                self.walk(node);
                None
            }
        }
    }

    fn record(&mut self, trail: Trail) {
        let covered = self.present.iter().any(|present| trail.path.starts_with(present));
        let guarded = covered || trail.plain < trail.path.len();
        self.reads.push(Read {
            path: trail.path,
            offset: trail.offset,
            guarded,
            plain: trail.plain,
        });
    }
}

/// The paths that are certainly there if the node is true (or false).
fn certain(node: &Node, truth: bool, present: &mut Vec<Vec<String>>) {
    match &node.kind {
        Kind::Has { operand, field } if truth => {
            if let Some(mut path) = literal(operand) {
                path.push(field.as_ref().to_owned());
                present.push(path);
            }
        }
        Kind::Not { operand } => certain(operand, !truth, present),
        Kind::And(nodes) if truth => nodes.iter().for_each(|node| certain(node, true, present)),
        Kind::Or(nodes) if !truth => nodes.iter().for_each(|node| certain(node, false, present)),
        _ => {}
    }
}

/// The path of a node that is nothing but literal fields.
fn literal(node: &Node) -> Option<Vec<String>> {
    match &node.kind {
        Kind::Path(names) => Some(names.iter().map(|name| name.as_ref().to_owned()).collect()),
        Kind::Select { operand, field, .. } => {
            let mut path = literal(operand)?;
            path.push(field.as_ref().to_owned());
            Some(path)
        }
        Kind::Index { operand, index, .. } => {
            let Kind::Literal(Value::String(field)) = &index.kind else {
                return None;
            };
            let mut path = literal(operand)?;
            path.push(field.as_ref().to_owned());
            Some(path)
        }
        _ => None,
    }
}
