//! The macros that walk over lists and maps: their arguments are not values but a variable and what to do with
//! it. They are parsed straight into nodes of their own.

use super::{
    ast::{Comprehension, Kind, Node, Walk},
    error::ParseError,
    lexer::Token,
    parser::{Parsed, Parser},
};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Macro {
    /// One variable, or two if there are three arguments.
    Test(Walk),
    /// One variable and a body.
    Each(Walk),
    /// `map(x, body)` or `map(x, filter, body)`.
    Map,
    /// Two variables, perhaps a filter, and a body.
    Transform(Walk),
    /// On an optional.
    Optional { flat: bool },
}

const MACROS: [(&str, Macro); 13] = [
    ("all", Macro::Test(Walk::All)),
    ("exists", Macro::Test(Walk::Exists)),
    ("exists_one", Macro::Test(Walk::ExistsOne)),
    ("existsOne", Macro::Test(Walk::ExistsOne)),
    ("map", Macro::Map),
    ("filter", Macro::Each(Walk::Filter)),
    ("sortBy", Macro::Each(Walk::SortBy)),
    ("transformList", Macro::Transform(Walk::Map)),
    ("transformMap", Macro::Transform(Walk::TransformMap)),
    ("transformMapEntry", Macro::Transform(Walk::TransformMapEntry)),
    ("optMap", Macro::Optional { flat: false }),
    ("optFlatMap", Macro::Optional { flat: true }),
    ("has", Macro::Map),
];

/// The macro that is called on a value under this name.
pub(super) fn named(name: &str) -> Option<Macro> {
    MACROS
        .iter()
        .find(|(known, _)| *known == name && name != "has")
        .map(|(_, found)| *found)
}

/// The names of all macros, for suggestions.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    MACROS.iter().map(|(name, _)| *name)
}

impl Parser<'_> {
    /// Parses the arguments of a macro, behind its opening bracket.
    pub(super) fn expand(
        &mut self,
        which: Macro,
        name: &str,
        operand: Node,
        start: usize,
        offset: usize,
    ) -> Parsed<Node> {
        let usage = match which {
            Macro::Transform(_) => "(key, value, result) or (key, value, condition, result)",
            Macro::Map => "(x, result) or (x, condition, result)",
            Macro::Test(_) => "(x, condition) or (key, value, condition)",
            Macro::Each(_) | Macro::Optional { .. } => "(x, result)",
        };
        let wrong = || ParseError::new(format!("`{name}` is called as .{name}{usage}"), offset);
        let slot = self.variables.len();
        let first = self.variable().ok_or_else(wrong)?;
        self.variables.push(first);
        let pair = match which {
            Macro::Transform(_) => true,
            Macro::Test(_) => self.peek() == &Token::Name && matches!(self.peek_at(1), Token::Symbol(",")),
            _ => false,
        };
        if pair {
            let second = self.variable().ok_or_else(wrong)?;
            if self.variables.last() == Some(&second) {
                return Err(ParseError::new(
                    format!("`{second}` is the name of two variables"),
                    offset,
                ));
            }
            self.variables.push(second);
        }
        let mut bodies = vec![self.expression()?];
        while self.take(",") {
            bodies.push(self.expression()?);
        }
        self.expect(")")?;
        self.variables.truncate(slot);

        let filtered = matches!(which, Macro::Map | Macro::Transform(_));
        let filter = if filtered && bodies.len() == 2 {
            Some(bodies.remove(0))
        } else {
            None
        };
        let (Some(body), true) = (bodies.pop(), bodies.is_empty()) else {
            return Err(wrong());
        };
        let walk = match which {
            Macro::Optional { flat } => {
                let kind = Kind::OptionalMap {
                    operand: Box::new(operand),
                    slot,
                    body: Box::new(body),
                    flat,
                };
                return self.node(kind, start);
            }
            Macro::Map => Walk::Map,
            Macro::Test(walk) | Macro::Each(walk) | Macro::Transform(walk) => walk,
        };
        let comprehension = Comprehension {
            walk,
            range: operand,
            slot,
            pair,
            filter,
            body,
        };
        self.node(Kind::Comprehension(Box::new(comprehension)), start)
    }

    /// A variable and the comma behind it.
    fn variable(&mut self) -> Option<String> {
        let offset = self.offset();
        if self.next() != Token::Name {
            return None;
        }
        let name = self.text(offset).to_owned();
        let keyword = matches!(name.as_str(), "true" | "false" | "null" | "in");
        (!keyword && self.take(",")).then_some(name)
    }
}
