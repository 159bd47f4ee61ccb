//! Fields and elements.

use super::{
    super::super::{
        ast::{Kind, Node, Span},
        suggest,
    },
    Checker, Object, ProblemKind, Type, Value, unwrapping,
};
use std::sync::Arc;

/// How many names of a path the environment is asked for at once.
const ASKED: usize = 8;

/// Why a type has no such field.
struct Missing {
    kind: ProblemKind,
    message: String,
    suggestion: Option<String>,
    /// The object is written out in the workflow.
    written: bool,
}

impl Checker<'_> {
    pub(super) fn path(&mut self, names: &[Arc<str>], span: Span) -> Type {
        let asked: Vec<&str> = names.iter().take(ASKED).map(AsRef::as_ref).collect();
        let Some((mut type_, covered)) = self.environment.path(&asked) else {
            return Type::Dyn;
        };
        // The names stand in the source one after another, with nothing but dots and quotes between them.
        let mut position = span.start as usize;
        for (place, name) in names.iter().enumerate() {
            let found = self
                .source
                .get(position..)
                .and_then(|rest| rest.find(name.as_ref()));
            let start = found.map_or(position, |found| found + position);
            if place >= covered.max(1) {
                type_ = match field(&type_, name) {
                    Ok(inner) => inner,
                    Err(missing) => {
                        let parent = names[..place].join(".");
                        return self.missing(missing, &parent, span, start);
                    }
                };
            }
            position = found.map_or(position, |_| start + name.len());
        }
        type_
    }

    pub(super) fn select(&mut self, operand: &Node, name: &str, optional: bool, span: Span) -> Type {
        let type_ = self.node(operand);
        match field(&type_, name) {
            Ok(found) if optional => wrapped(found),
            Ok(found) => found,
            Err(mut missing) => {
                let allows = optional || matches!(type_, Type::Optional(_));
                if missing.written && allows {
                    missing.kind = ProblemKind::NeverThere;
                }
                let from = operand.span.end as usize;
                let start = self.source.get(from..).and_then(|rest| rest.find(name));
                let parent = self.excerpt(operand.span);
                self.missing(
                    missing,
                    &parent,
                    span,
                    start.map_or(span.start as usize, |start| start + from),
                )
            }
        }
    }

    fn missing(&mut self, missing: Missing, parent: &str, span: Span, position: usize) -> Type {
        let message = format!("{parent} {}", missing.message);
        let suggestion = missing.suggestion.map(|name| format!("{parent}.{name}"));
        self.problem(missing.kind, &message, span, position, suggestion);
        Type::Dyn
    }

    pub(super) fn index(&mut self, operand: &Node, index: &Node, optional: bool, span: Span) -> Type {
        if let Kind::Literal(Value::String(name)) = &index.kind {
            return self.select(operand, name, optional, span);
        }
        let container = self.node(operand);
        let index_type = self.node(index);
        let mut found = Vec::new();
        let mut problem = None;
        for one in container.alternatives() {
            match element(one, &index_type) {
                Ok(type_) => found.push(type_),
                Err(message) => problem = Some(message),
            }
        }
        if let (true, Some(problem)) = (found.is_empty(), problem) {
            self.wrong(problem, span);
        }
        let type_ = Type::any_of(found);
        if optional { wrapped(type_) } else { type_ }
    }
}

/// Behind `.?` everything is an optional, but never one in another.
fn wrapped(type_: Type) -> Type {
    match type_ {
        Type::Optional(_) => type_,
        other => Type::optional(other),
    }
}

fn field(type_: &Type, name: &str) -> Result<Type, Missing> {
    let mut found = Vec::new();
    let mut missing = None;
    for one in type_.alternatives() {
        match field_of(one, name) {
            Ok(type_) => found.push(type_),
            // A misspelt name says more than the wrong type of another alternative.
            Err(error) if error.kind == ProblemKind::UnknownField => missing = Some(error),
            Err(error) => {
                missing.get_or_insert(error);
            }
        }
    }
    match missing {
        Some(missing) if found.is_empty() => Err(missing),
        _ => Ok(Type::any_of(found)),
    }
}

fn field_of(type_: &Type, name: &str) -> Result<Type, Missing> {
    let wrong = |hint: &str| Missing {
        kind: ProblemKind::WrongType,
        message: format!("is {type_} and has no field {name}{hint}"),
        suggestion: None,
        written: false,
    };
    match type_ {
        Type::Dyn => Ok(Type::Dyn),
        Type::Map(key, value)
            if key
                .alternatives()
                .iter()
                .any(|key| matches!(key, Type::Dyn | Type::String)) =>
        {
            Ok(value.as_ref().clone())
        }
        Type::Object(object) => of_object(object, name),
        Type::Optional(inner) => field(inner, name).map(wrapped),
        Type::List(_) => Err(wrong(&format!(
            "; of its elements, write x[0], or x.map(item, item.{name})"
        ))),
        _ => Err(wrong("")),
    }
}

fn of_object(object: &Object, name: &str) -> Result<Type, Missing> {
    if let Some(field) = object.fields.iter().find(|field| field.name.as_ref() == name) {
        return Ok(field.type_.clone());
    }
    if let Some(rest) = &object.rest {
        return Ok(rest.clone());
    }
    let suggestion = suggest::nearest(name, object.fields.iter().map(|field| field.name.as_ref()));
    Err(Missing {
        kind: ProblemKind::UnknownField,
        message: format!("has no field {name}"),
        suggestion,
        written: object.written,
    })
}

/// The type of an element whose place or key is computed.
fn element(container: &Type, index: &Type) -> Result<Type, String> {
    let among = |fits: fn(&Type) -> bool| {
        index
            .alternatives()
            .iter()
            .any(|one| *one == Type::Dyn || fits(one))
    };
    match container {
        Type::Dyn => Ok(Type::Dyn),
        Type::List(element) => {
            if among(|one| matches!(one, Type::Int | Type::Uint | Type::Double | Type::Number)) {
                Ok(element.as_ref().clone())
            } else {
                Err(format!(
                    "the index of a list is an int, not {index}{}",
                    unwrapping(index)
                ))
            }
        }
        Type::Map(..) | Type::Object(_) if !among(super::is_key_or_double) => {
            Err(format!("a map has no key of type {index}{}", unwrapping(index)))
        }
        Type::Map(_, value) => Ok(value.as_ref().clone()),
        Type::Object(object) => Ok(object.rest.clone().map_or_else(
            || Type::any_of(object.fields.iter().map(|field| field.type_.clone())),
            |_| Type::Dyn,
        )),
        Type::Optional(inner) => element(inner, index).map(wrapped),
        other => Err(format!("only lists and maps have elements, not {other}")),
    }
}
