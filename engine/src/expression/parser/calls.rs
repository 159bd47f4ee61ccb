//! What follows a value: fields, methods, macros, and calls of functions.

use super::{
    super::{
        ast::{Kind, Node, Span},
        functions::{self, Style},
        lexer::Token,
        macros,
    },
    ParseError, Parsed, Parser, Value,
};
use std::sync::Arc;

impl Parser<'_> {
    /// What follows a dot: a field, a method, a macro or the second half of `math.greatest`.
    pub(super) fn dotted(&mut self, operand: Node, start: usize) -> Parsed<Node> {
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
            if let Some(walk) = macros::named(&field) {
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

    pub(super) fn global(&mut self, name: &str, start: usize) -> Parsed<Node> {
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
        if let Some(apply) = functions::prepared(name)
            && let Some(pattern) = arguments.get(1)
            && let Kind::Literal(Value::String(source)) = &pattern.kind
        {
            let pattern = functions::compile_pattern(name, source)
                .map_err(|problem| ParseError::new(problem, pattern.span.start as usize))?;
            arguments.remove(1);
            let kind = Kind::Pattern {
                function,
                apply,
                pattern: Box::new(pattern),
                arguments,
            };
            return self.node(kind, start);
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

    pub(super) fn has(&mut self, start: usize) -> Parsed<Node> {
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
                let text = &self.source[span.start as usize..span.end as usize];
                let length = text.rfind(['.', '[']).unwrap_or(text.len());
                (
                    Box::new(Node {
                        kind: Kind::Path(names),
                        span: Span::new(span.start as usize, span.start as usize + length),
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
}
