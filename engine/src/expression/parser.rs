//! From tokens to the syntax tree: recursive descent over CEL's grammar.
//!
//! Everything that can be known without values is decided here: which function is meant and with how many
//! arguments, where a macro's variable lives, whether a literal pattern is a valid one. The recursion is bounded
//! by `NESTING_LIMIT` (brackets) and `TREE_DEPTH_LIMIT` (chains).

mod calls;
mod cursor;
mod primary;

use super::{
    NESTING_LIMIT, SOURCE_LIMIT, TREE_DEPTH_LIMIT, Type, Value,
    ast::{Arithmetic, Kind, Node, Relation, Span},
    error::ParseError,
    fold,
    lexer::{self, Token},
};

const RELATIONS: [(&str, Relation); 6] = [
    ("==", Relation::Equal),
    ("!=", Relation::Unequal),
    ("<", Relation::Less),
    ("<=", Relation::LessOrEqual),
    (">", Relation::Greater),
    (">=", Relation::GreaterOrEqual),
];
const SUMS: [(&str, Arithmetic); 2] = [("+", Arithmetic::Add), ("-", Arithmetic::Subtract)];
const PRODUCTS: [(&str, Arithmetic); 3] = [
    ("*", Arithmetic::Multiply),
    ("/", Arithmetic::Divide),
    ("%", Arithmetic::Remainder),
];

pub(super) type Parsed<T> = Result<T, ParseError>;

/// Parses a whole expression.
pub(super) fn parse(source: &str) -> Parsed<Node> {
    if source.len() > SOURCE_LIMIT {
        return Err(ParseError::new(
            format!(
                "the expression has {} bytes, {SOURCE_LIMIT} are allowed: use a script",
                source.len()
            ),
            0,
        ));
    }
    let tokens = lexer::tokens(source)?;
    let mut parser = Parser {
        source,
        tokens,
        position: 0,
        nesting: 0,
        variables: Vec::new(),
    };
    if parser.peek() == &Token::End {
        return Err(ParseError::new("the expression is empty", 0));
    }
    let node = parser.expression()?;
    if parser.peek() != &Token::End {
        return Err(parser.unexpected("an operator or the end"));
    }
    Ok(node)
}

pub(super) struct Parser<'s> {
    source: &'s str,
    tokens: Vec<(Token, Span)>,
    position: usize,
    nesting: usize,
    /// The macros' variables in sight, outermost first.
    pub(super) variables: Vec<String>,
}

impl Parser<'_> {
    pub(super) fn expression(&mut self) -> Parsed<Node> {
        self.nesting += 1;
        if self.nesting > NESTING_LIMIT {
            return Err(ParseError::new(
                format!("the expression nests deeper than {NESTING_LIMIT} levels"),
                self.offset(),
            ));
        }
        let start = self.offset();
        let condition = self.disjunction()?;
        let node = if self.take("?") {
            let yes = self.expression()?;
            self.expect(":")?;
            let no = self.expression()?;
            self.node(Kind::Conditional(Box::new([condition, yes, no])), start)?
        } else {
            condition
        };
        self.nesting -= 1;
        Ok(node)
    }

    fn disjunction(&mut self) -> Parsed<Node> {
        let start = self.offset();
        let first = self.conjunction()?;
        if !self.at("||") {
            return Ok(first);
        }
        let mut nodes = vec![first];
        while self.take("||") {
            nodes.push(self.conjunction()?);
        }
        self.node(Kind::Or(nodes), start)
    }

    fn conjunction(&mut self) -> Parsed<Node> {
        let start = self.offset();
        let first = self.relation()?;
        if !self.at("&&") {
            return Ok(first);
        }
        let mut nodes = vec![first];
        while self.take("&&") {
            nodes.push(self.relation()?);
        }
        self.node(Kind::And(nodes), start)
    }

    fn relation(&mut self) -> Parsed<Node> {
        let start = self.offset();
        let mut left = self.sum()?;
        loop {
            let relation = if self.at_word("in") {
                self.position += 1;
                Relation::In
            } else if let Some(relation) = self.take_one_of(&RELATIONS) {
                relation
            } else {
                return Ok(left);
            };
            let right = self.sum()?;
            left = self.node(Kind::Relation(relation, Box::new([left, right])), start)?;
        }
    }

    fn sum(&mut self) -> Parsed<Node> {
        let start = self.offset();
        let first = self.product()?;
        let mut rest = Vec::new();
        while let Some(operator) = self.take_one_of(&SUMS) {
            rest.push((operator, self.product()?));
        }
        self.chain(first, rest, start)
    }

    fn product(&mut self) -> Parsed<Node> {
        let start = self.offset();
        let first = self.unary()?;
        let mut rest = Vec::new();
        while let Some(operator) = self.take_one_of(&PRODUCTS) {
            rest.push((operator, self.unary()?));
        }
        self.chain(first, rest, start)
    }

    fn chain(&self, first: Node, rest: Vec<(Arithmetic, Node)>, start: usize) -> Parsed<Node> {
        if rest.is_empty() {
            return Ok(first);
        }
        self.node(
            Kind::Chain {
                first: Box::new(first),
                rest,
            },
            start,
        )
    }

    /// A run of `!` or `-` is counted, not nested; two of them are none.
    fn unary(&mut self) -> Parsed<Node> {
        let start = self.offset();
        let symbol = if self.at("!") {
            "!"
        } else if self.at("-") {
            "-"
        } else {
            return self.member();
        };
        let mut count = 0_usize;
        while self.at(symbol) {
            if symbol == "-"
                && let Some((Token::Int(_) | Token::Double(_), _)) = self.tokens.get(self.position + 1)
            {
                break;
            }
            self.position += 1;
            count += 1;
        }
        let operand = if self.take("-") {
            let number = self.negative_number(start)?;
            self.members(number, start)?
        } else {
            self.member()?
        };
        if count.is_multiple_of(2) {
            return Ok(operand);
        }
        let operand = Box::new(operand);
        let kind = if symbol == "!" {
            Kind::Not { operand }
        } else {
            Kind::Negate { operand }
        };
        self.node(kind, start)
    }

    fn negative_number(&mut self, start: usize) -> Parsed<Node> {
        let offset = self.offset();
        let value = match self.next() {
            Token::Int(value) => Value::Int(
                0_i64
                    .checked_sub_unsigned(value)
                    .ok_or_else(|| ParseError::new("the number does not fit into int", offset))?,
            ),
            Token::Double(value) => Value::Double(-value),
            _ => return Err(ParseError::new("a number must follow", offset)),
        };
        self.node(Kind::Literal(value), start)
    }

    fn member(&mut self) -> Parsed<Node> {
        let start = self.offset();
        let node = self.primary()?;
        self.members(node, start)
    }

    /// What follows a value: fields, elements, calls.
    fn members(&mut self, mut node: Node, start: usize) -> Parsed<Node> {
        loop {
            if self.take(".") {
                node = self.dotted(node, start)?;
            } else if self.take("[") {
                let optional = self.take("?");
                let index = self.expression()?;
                self.expect("]")?;
                node = self.indexed(node, index, optional, start)?;
            } else {
                break;
            }
        }
        if let Kind::Path(names) = &node.kind
            && let [first, second, third] = names.as_slice()
            && (first.as_ref(), second.as_ref()) == ("google", "protobuf")
        {
            let kind = match third.as_ref() {
                "Timestamp" => Some(Type::Timestamp),
                "Duration" => Some(Type::Duration),
                _ => None,
            };
            if let Some(kind) = kind {
                return self.node(Kind::Literal(Value::Type(kind)), start);
            }
        }
        Ok(node)
    }

    fn indexed(&self, operand: Node, index: Node, optional: bool, start: usize) -> Parsed<Node> {
        match (operand.kind, &index.kind) {
            // Which step is read must stand in the source: `steps['a' + 'b']` stays an index.
            (Kind::Path(mut names), Kind::Literal(Value::String(field)))
                if !optional && (names[0].as_ref() != "steps" || index.is_written(field)) =>
            {
                names.push(field.clone());
                self.node(Kind::Path(names), start)
            }
            (kind, _) => {
                let operand = Box::new(Node { kind, ..operand });
                self.node(
                    Kind::Index {
                        operand,
                        index: Box::new(index),
                        optional,
                    },
                    start,
                )
            }
        }
    }

    pub(super) fn node(&self, kind: Kind, start: usize) -> Parsed<Node> {
        let mut below = 0;
        kind.each_child(&mut |child| below = below.max(child.depth));
        if below >= TREE_DEPTH_LIMIT {
            return Err(ParseError::new(
                format!("the expression chains more than {TREE_DEPTH_LIMIT} operations"),
                start,
            ));
        }
        Ok(fold::folded(Node {
            kind,
            span: self.span(start),
            depth: below + 1,
        }))
    }
}
