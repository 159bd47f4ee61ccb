//! From tokens to the syntax tree: recursive descent over CEL's grammar.
//!
//! Everything that can be known without values is decided here: which function is meant and with how many
//! arguments, where a macro's variable lives, whether a literal pattern is a valid one. The recursion is bounded
//! by `NESTING_LIMIT` (brackets) and `TREE_DEPTH_LIMIT` (chains).

use super::{
    NESTING_LIMIT, SOURCE_LIMIT, TREE_DEPTH_LIMIT, Type, Value,
    ast::{Arithmetic, Element, Entry, Kind, Node, Relation, Span},
    error::ParseError,
    functions::{self, Style},
    lexer::{self, Token},
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

    /// A run of `!` or `-` is counted, not nested.
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
            self.negative_number(start)?
        } else {
            self.member()?
        };
        if count == 0 {
            return Ok(operand);
        }
        let operand = Box::new(operand);
        let twice = count.is_multiple_of(2);
        let kind = if symbol == "!" {
            Kind::Not { operand, twice }
        } else {
            Kind::Negate { operand, twice }
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
        let mut node = self.primary()?;
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
            (Kind::Path(mut names), Kind::Literal(Value::String(field))) if !optional => {
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

    /// What follows a dot: a field, a method, a macro or the second half of `math.greatest`.
    fn dotted(&mut self, operand: Node, start: usize) -> Parsed<Node> {
        let optional = self.take("?");
        let offset = self.offset();
        let (field, quoted) = match self.next() {
            Token::Name => (self.text(offset).to_owned(), false),
            Token::Quoted(field) => (field, true),
            _ => {
                self.position -= 1;
                return Err(self.unexpected("a field name"));
            }
        };
        if !quoted && matches!(field.as_str(), "true" | "false" | "null" | "in") {
            return Err(ParseError::new(
                format!("`{field}` is a keyword: write [\"{field}\"]"),
                offset,
            ));
        }
        if !optional && !quoted && self.take("(") {
            if let Kind::Path(names) = &operand.kind
                && let [namespace] = names.as_slice()
                && functions::is_namespace(namespace)
            {
                return self.global(&format!("{namespace}.{field}"), start);
            }
            if let Some(walk) = super::macros::named(&field) {
                return self.expand(walk, &field, operand, start, offset);
            }
            return self.method(&field, operand, start, offset);
        }
        let field: Arc<str> = Arc::from(field);
        match operand.kind {
            Kind::Path(mut names) if !optional => {
                names.push(field);
                self.node(Kind::Path(names), start)
            }
            kind => {
                let operand = Box::new(Node { kind, ..operand });
                self.node(
                    Kind::Select {
                        operand,
                        field,
                        optional,
                    },
                    start,
                )
            }
        }
    }

    fn method(&mut self, name: &str, receiver: Node, start: usize, offset: usize) -> Parsed<Node> {
        let mut arguments = vec![receiver];
        self.arguments(&mut arguments)?;
        if matches!(name, "or" | "orValue") && arguments.len() == 2 {
            let unwrap = name == "orValue";
            if let (Some(right), Some(left)) = (arguments.pop(), arguments.pop()) {
                return self.node(
                    Kind::OrElse {
                        left: Box::new(left),
                        right: Box::new(right),
                        unwrap,
                    },
                    start,
                );
            }
        }
        self.call(Style::Method, name, arguments, start, offset)
    }

    fn global(&mut self, name: &str, start: usize) -> Parsed<Node> {
        let mut arguments = Vec::new();
        self.arguments(&mut arguments)?;
        self.call(Style::Global, name, arguments, start, start)
    }

    fn call(
        &self,
        style: Style,
        name: &str,
        mut arguments: Vec<Node>,
        start: usize,
        offset: usize,
    ) -> Parsed<Node> {
        let function = functions::find(style, name, arguments.len())
            .map_err(|problem| ParseError::new(problem.message, offset).suggesting(problem.suggestion))?;
        if name == "matches"
            && let [_, pattern] = arguments.as_slice()
            && let Kind::Literal(Value::String(source)) = &pattern.kind
        {
            let place = pattern.span.start as usize;
            let pattern =
                functions::compile_pattern(source).map_err(|problem| ParseError::new(problem, place))?;
            arguments.truncate(1);
            if let Some(target) = arguments.pop() {
                let kind = Kind::Matches {
                    target: Box::new(target),
                    pattern: Box::new(pattern),
                };
                return self.node(kind, start);
            }
        }
        self.node(Kind::Call { function, arguments }, start)
    }

    /// The arguments behind an opening bracket, and the closing one.
    fn arguments(&mut self, arguments: &mut Vec<Node>) -> Parsed<()> {
        if self.take(")") {
            return Ok(());
        }
        loop {
            arguments.push(self.expression()?);
            if self.take(")") {
                return Ok(());
            }
            self.expect(",")?;
        }
    }

    fn primary(&mut self) -> Parsed<Node> {
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

    fn has(&mut self, start: usize) -> Parsed<Node> {
        let inner = self.expression()?;
        self.expect(")")?;
        let span = inner.span;
        let (operand, field) = match inner.kind {
            Kind::Select {
                operand,
                field,
                optional: false,
            } => (operand, field),
            Kind::Path(mut names) if names.len() > 1 => {
                let field = names.pop().unwrap_or_default();
                (
                    Box::new(Node {
                        kind: Kind::Path(names),
                        span,
                        depth: inner.depth,
                    }),
                    field,
                )
            }
            _ => {
                return Err(ParseError::new(
                    "has() takes a field, as in has(inputs.name)",
                    span.start as usize,
                ));
            }
        };
        self.node(Kind::Has { operand, field }, start)
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

    pub(super) fn node(&self, kind: Kind, start: usize) -> Parsed<Node> {
        let mut below = 0;
        kind.each_child(&mut |child| below = below.max(child.depth));
        if below >= TREE_DEPTH_LIMIT {
            return Err(ParseError::new(
                format!("the expression chains more than {TREE_DEPTH_LIMIT} operations"),
                start,
            ));
        }
        Ok(Node {
            kind,
            span: self.span(start),
            depth: below + 1,
        })
    }

    /// From `start` to the end of the token that was taken last.
    fn span(&self, start: usize) -> Span {
        let end = self
            .position
            .checked_sub(1)
            .and_then(|last| self.tokens.get(last));
        Span::new(start, end.map_or(start, |(_, span)| span.end as usize))
    }

    pub(super) fn peek(&self) -> &Token {
        self.peek_at(0)
    }

    pub(super) fn peek_at(&self, ahead: usize) -> &Token {
        self.tokens
            .get(self.position + ahead)
            .map_or(&Token::End, |(token, _)| token)
    }

    /// Takes a token; the last one, `End`, is never passed by more than one.
    pub(super) fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.position += 1;
        token
    }

    /// Where the next token begins.
    pub(super) fn offset(&self) -> usize {
        self.tokens
            .get(self.position)
            .map_or(self.source.len(), |(_, span)| span.start as usize)
    }

    /// The text of the token that begins at `offset` and was just taken.
    pub(super) fn text(&self, offset: usize) -> &str {
        let end = self.span(offset).end as usize;
        &self.source[offset..end]
    }

    pub(super) fn at(&self, symbol: &str) -> bool {
        matches!(self.peek(), Token::Symbol(found) if *found == symbol)
    }

    fn at_word(&self, word: &str) -> bool {
        self.peek() == &Token::Name
            && self
                .tokens
                .get(self.position)
                .is_some_and(|(_, span)| &self.source[span.start as usize..span.end as usize] == word)
    }

    pub(super) fn take(&mut self, symbol: &str) -> bool {
        let found = self.at(symbol);
        self.position += usize::from(found);
        found
    }

    fn take_one_of<T: Copy>(&mut self, choices: &[(&str, T)]) -> Option<T> {
        let (_, choice) = choices.iter().find(|(symbol, _)| self.at(symbol))?;
        self.position += 1;
        Some(*choice)
    }

    pub(super) fn expect(&mut self, symbol: &str) -> Parsed<()> {
        if self.take(symbol) {
            Ok(())
        } else {
            Err(self.unexpected(&format!("`{symbol}`")))
        }
    }

    fn unexpected(&self, wanted: &str) -> ParseError {
        let offset = self.offset();
        let found = match self.tokens.get(self.position) {
            None | Some((Token::End, _)) => "the end".to_owned(),
            Some((_, span)) => {
                format!(
                    "`{}`",
                    super::error::excerpt(&self.source[offset..span.end as usize])
                )
            }
        };
        let hint = if found == "`{`" {
            "; messages are not built, only maps {\"key\": value}"
        } else {
            ""
        };
        ParseError::new(format!("expected {wanted}, found {found}{hint}"), offset)
    }
}
