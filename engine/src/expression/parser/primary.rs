//! Where an expression begins: literals, names, brackets.

use super::{
    super::{
        Type,
        ast::{Element, Entry, Kind, Node},
        lexer::Token,
    },
    ParseError, Parsed, Parser, Value,
};
use std::sync::Arc;

/// Words that are no names. `loop` is one of them, which is why the loop's values are called `turn`.
const RESERVED: [&str; 18] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
    "in",
];

impl Parser<'_> {
    pub(super) fn primary(&mut self) -> Parsed<Node> {
        let start = self.offset();
        let root = self.take(".");
        let offset = self.offset();
        let value = match self.next() {
            Token::Name => return self.name(start, offset, root),
            _ if root => {
                self.position -= 1;
                return Err(self.unexpected("a name"));
            }
            Token::Int(value) => Value::Int(i64::try_from(value).map_err(|_| {
                ParseError::new(
                    "the number does not fit into int: write u behind it for uint",
                    offset,
                )
            })?),
            Token::Uint(value) => Value::Uint(value),
            Token::Double(value) => Value::Double(value),
            Token::String(text) => Value::from(text),
            Token::Bytes(bytes) => Value::Bytes(Arc::from(bytes)),
            Token::Symbol("(") => {
                let mut inner = self.expression()?;
                self.expect(")")?;
                inner.span = self.span(start);
                return Ok(inner);
            }
            Token::Symbol("[") => return self.list(start),
            Token::Symbol("{") => return self.map(start),
            _ => {
                self.position -= 1;
                return Err(self.unexpected("a value"));
            }
        };
        self.node(Kind::Literal(value), start)
    }

    fn name(&mut self, start: usize, offset: usize, root: bool) -> Parsed<Node> {
        let name = self.text(offset).to_owned();
        match name.as_str() {
            "true" | "false" => return self.node(Kind::Literal(Value::Bool(name == "true")), start),
            "null" => return self.node(Kind::Literal(Value::Null), start),
            word if RESERVED.contains(&word) => {
                return Err(ParseError::new(
                    format!("`{word}` is a reserved word of CEL, no name"),
                    offset,
                ));
            }
            _ => {}
        }
        if self.take("(") {
            return if name == "has" {
                self.has(start)
            } else {
                self.global(&name, start)
            };
        }
        if !root && let Some(slot) = self.variables.iter().rposition(|variable| *variable == name) {
            return self.node(Kind::Local(slot), start);
        }
        if let Some(kind) = Type::named(&name) {
            return self.node(Kind::Literal(Value::Type(kind)), start);
        }
        self.node(Kind::Path(vec![Arc::from(name)]), start)
    }

    fn list(&mut self, start: usize) -> Parsed<Node> {
        let mut elements = Vec::new();
        while !self.take("]") {
            let optional = self.take("?");
            elements.push(Element {
                node: self.expression()?,
                optional,
            });
            if !self.at("]") {
                self.expect(",")?;
            }
        }
        self.node(Kind::List(elements), start)
    }

    fn map(&mut self, start: usize) -> Parsed<Node> {
        let mut entries = Vec::new();
        while !self.take("}") {
            let optional = self.take("?");
            let key = self.expression()?;
            self.expect(":")?;
            let value = self.expression()?;
            entries.push(Entry { key, value, optional });
            if !self.at("}") {
                self.expect(",")?;
            }
        }
        self.node(Kind::Map(entries), start)
    }
}
