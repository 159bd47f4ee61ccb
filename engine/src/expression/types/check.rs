//! The walk that finds the type of each part, and what cannot be right.

mod calls;
mod fields;
mod macros;
mod operators;
mod tree;

use super::{
    super::{
        ast::{Element, Entry, Kind, Node, Span},
        error::excerpt,
    },
    Environment, Field, Object, ProblemKind, Type, TypeProblem, Value,
};
use std::sync::Arc;

pub(super) use tree::tree;

/// More problems of one expression help nobody.
const PROBLEMS: usize = 10;

pub(super) fn of(root: &Node, source: &str, environment: &dyn Environment) -> (Type, Vec<TypeProblem>) {
    let mut checker = Checker {
        source,
        environment,
        locals: Vec::new(),
        problems: Vec::new(),
    };
    let type_ = checker.node(root);
    checker.problems.truncate(PROBLEMS);
    (type_, checker.problems)
}

struct Checker<'a> {
    source: &'a str,
    environment: &'a dyn Environment,
    /// The types of the macros' variables, outermost first.
    locals: Vec<Type>,
    problems: Vec<TypeProblem>,
}

impl Checker<'_> {
    fn node(&mut self, node: &Node) -> Type {
        match &node.kind {
            Kind::Literal(value) => Type::of_value(value),
            Kind::Local(slot) => self.locals.get(*slot).cloned().unwrap_or(Type::Dyn),
            Kind::Path(names) => self.path(names, node.span),
            Kind::Select {
                operand,
                field,
                optional,
            } => self.select(operand, field, *optional, node.span),
            Kind::Index {
                operand,
                index,
                optional,
            } => self.index(operand, index, *optional, node.span),
            Kind::Has { operand, field } => {
                self.select(operand, field, true, node.span);
                Type::Bool
            }
            Kind::Not { operand, .. } => {
                self.condition(operand, "!");
                Type::Bool
            }
            Kind::Negate { operand, .. } => self.negation(operand, node.span),
            Kind::And(nodes) => {
                for node in nodes {
                    self.condition(node, "&&");
                }
                Type::Bool
            }
            Kind::Or(nodes) => {
                for node in nodes {
                    self.condition(node, "||");
                }
                Type::Bool
            }
            Kind::Conditional(nodes) => {
                let [condition, yes, no] = nodes.as_ref();
                self.condition(condition, "the condition of ? :");
                let yes = self.node(yes);
                Type::any_of([yes, self.node(no)])
            }
            Kind::Relation(relation, nodes) => self.relation(*relation, nodes, node.span),
            Kind::Chain { first, rest } => self.chain(first, rest, node.span),
            Kind::List(elements) => self.list(elements),
            Kind::Map(entries) => self.map(entries),
            Kind::Call { function, arguments } => self.call(function, arguments, node.span),
            Kind::Pattern {
                function, arguments, ..
            } => self.pattern(function, arguments, node.span),
            Kind::OrElse { left, right, unwrap } => self.or_else(left, right, *unwrap),
            Kind::OptionalMap {
                operand,
                slot,
                body,
                flat,
            } => self.optional_map(operand, *slot, body, *flat),
            Kind::Comprehension(comprehension) => self.comprehension(comprehension),
        }
    }

    /// A part that must be a bool.
    fn condition(&mut self, node: &Node, operator: &str) {
        let type_ = self.node(node);
        let fits = |one: &Type| matches!(one, Type::Dyn | Type::Bool);
        if !type_.alternatives().iter().any(fits) {
            let hint = unwrapping(&type_);
            self.wrong(format!("{operator} takes a bool, not {type_}{hint}"), node.span);
        }
    }

    fn list(&mut self, elements: &[Element]) -> Type {
        let mut found = Vec::with_capacity(elements.len());
        for Element { node, optional } in elements {
            let type_ = self.node(node);
            found.push(if *optional {
                self.inside(&type_, node)
            } else {
                type_
            });
        }
        Type::list(Type::any_of(found))
    }

    fn map(&mut self, entries: &[Entry]) -> Type {
        let mut keys = Vec::new();
        let mut fields = Vec::new();
        let mut named = true;
        for Entry { key, value, optional } in entries {
            let key_type = self.node(key);
            if !key_type.alternatives().iter().any(is_key) {
                self.wrong(
                    format!("the key of a map is a string, int, uint or bool, not {key_type}"),
                    key.span,
                );
            }
            keys.push(key_type);
            let type_ = self.node(value);
            let type_ = if *optional {
                self.inside(&type_, value)
            } else {
                type_
            };
            let name = if let Kind::Literal(Value::String(name)) = &key.kind {
                Arc::clone(name)
            } else {
                named = false;
                Arc::from("")
            };
            fields.push(Field {
                name,
                type_,
                required: !optional,
            });
        }
        if named && !fields.is_empty() {
            return Type::Object(Arc::new(Object {
                fields,
                rest: None,
                written: true,
            }));
        }
        let values = fields.into_iter().map(|field| field.type_);
        Type::Map(Arc::new(Type::any_of(keys)), Arc::new(Type::any_of(values)))
    }

    /// What is in a part that must be an optional.
    fn inside(&mut self, type_: &Type, node: &Node) -> Type {
        let mut found = Vec::new();
        for one in type_.alternatives() {
            match one {
                Type::Optional(inner) => found.push(inner.as_ref().clone()),
                Type::Dyn => found.push(Type::Dyn),
                _ => {}
            }
        }
        if found.is_empty() {
            self.wrong(format!("an optional must stand here, not {type_}"), node.span);
        }
        Type::any_of(found)
    }

    fn excerpt(&self, span: Span) -> String {
        let part = self.source.get(span.start as usize..span.end as usize);
        excerpt(part.unwrap_or(self.source))
    }

    fn wrong(&mut self, message: impl AsRef<str>, span: Span) {
        self.problem(
            ProblemKind::WrongType,
            message.as_ref(),
            span,
            span.start as usize,
            None,
        );
    }

    fn problem(
        &mut self,
        kind: ProblemKind,
        message: &str,
        span: Span,
        position: usize,
        suggestion: Option<String>,
    ) {
        let message = format!("{message} in `{}`", self.excerpt(span));
        self.problems.push(TypeProblem {
            kind,
            message,
            position,
            suggestion,
        });
    }
}

fn is_key(type_: &Type) -> bool {
    matches!(
        type_,
        Type::Dyn | Type::String | Type::Int | Type::Uint | Type::Number | Type::Bool
    )
}

/// What to do about an optional that stands where its value is meant.
fn unwrapping(type_: &Type) -> &'static str {
    if type_
        .alternatives()
        .iter()
        .any(|one| matches!(one, Type::Optional(_)))
    {
        ": write .orValue(…) behind it"
    } else {
        ""
    }
}

fn is_key_or_double(type_: &Type) -> bool {
    is_key(type_) || *type_ == Type::Double
}
