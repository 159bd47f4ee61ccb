//! What is known of each name, and which of it an expression sees.

use std::sync::Arc;

use super::super::kinds::Kind;
use super::super::place::View;
use super::super::reads::Names;
use super::is;
use crate::expression::types::{Environment, Field, Object, Type};

/// Types that have been found so far.
pub(in crate::compile) struct Known {
    inputs: Type,
    variables: Type,
    /// What each step gives.
    pub(in crate::compile) outputs: Vec<Type>,
    /// Of a forEach: its item. Of a loop: its carried values.
    pub(super) lent: Vec<Type>,
    error: Type,
    failures: Type,
    run: Type,
    workflow: Type,
    tenant: Type,
    trigger: Type,
    event: Type,
}

impl Known {
    pub(super) fn of(names: &Names<'_>) -> Self {
        let count = names.layout.block.len();
        let error = error();
        let failures = Type::list(Type::object([("index", Type::Int), ("error", error.clone())]));
        Self {
            inputs: inputs(names),
            variables: variables(names),
            outputs: vec![Type::Dyn; count],
            lent: vec![Type::Dyn; count],
            failures,
            error,
            run: Type::object([
                ("id", Type::String),
                ("url", Type::String),
                ("startedAt", Type::Timestamp),
                ("attempt", Type::Int),
            ]),
            workflow: Type::object([("name", Type::String), ("revision", Type::String)]),
            tenant: Type::object([("name", Type::String)]),
            trigger: Type::object([
                ("type", Type::String),
                ("id", Type::String),
                ("body", Type::Dyn),
                ("headers", Type::map(Type::Dyn)),
                ("query", Type::map(Type::Dyn)),
                ("scheduledAt", Type::Dyn),
            ]),
            event: event(),
        }
    }

    /// What an expression sees.
    pub(super) fn seen_from<'a>(&'a self, view: View, names: &'a Names<'a>) -> Seen<'a> {
        Seen {
            known: self,
            view,
            names,
        }
    }
}

/// The shape of an event.
pub(super) fn event() -> Type {
    Type::object([
        ("id", Type::String),
        ("type", Type::String),
        ("source", Type::Dyn),
        ("time", Type::Dyn),
        ("data", Type::Dyn),
    ])
}

fn error() -> Type {
    let field = |name: &str, type_, required| Field {
        name: Arc::from(name),
        type_,
        required,
    };
    Type::Object(Arc::new(Object {
        fields: vec![
            field("code", Type::String, true),
            field("message", Type::String, true),
            field("step", Type::String, true),
            field("attempt", Type::Dyn, true),
            field("details", Type::Dyn, false),
            field("mayHaveHappened", Type::Bool, true),
        ],
        rest: None,
        written: false,
    }))
}

fn inputs(names: &Names<'_>) -> Type {
    let fields = names.inputs.iter().map(|input| Field {
        name: Arc::from(input.name.as_str()),
        type_: Type::from_schema(&input.full_schema()),
        required: input.required || input.default.is_some(),
    });
    Type::Object(Arc::new(Object {
        fields: fields.collect(),
        // An unknown one was reported.
        rest: Some(Type::Dyn),
        written: false,
    }))
}

fn variables(names: &Names<'_>) -> Type {
    let fields = names.layout.spec.variables.iter().map(|(name, value)| Field {
        name: Arc::from(name.as_str()),
        type_: Type::of_json(value),
        required: true,
    });
    Type::Object(Arc::new(Object {
        fields: fields.collect(),
        rest: Some(Type::Dyn),
        written: false,
    }))
}

/// What one expression sees.
pub(super) struct Seen<'a> {
    known: &'a Known,
    view: View,
    names: &'a Names<'a>,
}

impl Seen<'_> {
    fn innermost(&self, kind: Kind) -> Option<usize> {
        self.view
            .blocks(self.names.layout)
            .find(|block| is(self.names, *block, kind))
    }

    /// `steps.<id>.<field>`.
    fn step(&self, path: &[&str]) -> (Type, usize) {
        let (Some(id), Some(field)) = (path.get(1), path.get(2)) else {
            return (Type::Dyn, path.len());
        };
        let Some(step) = self.names.layout.number(id) else {
            return (Type::Dyn, path.len());
        };
        let type_ = match *field {
            "output" if self.names.can_read(step, self.view) => self.known.outputs[step].clone(),
            "error" => self.known.error.clone(),
            "failures" => self.known.failures.clone(),
            "outcome" => Type::String,
            "startedAt" | "endedAt" => Type::Timestamp,
            _ => Type::Dyn,
        };
        (type_, 3)
    }

    /// `<carried value>` or `index` of a loop, `item` or `index` of a forEach.
    fn lent(&self, block: usize, name: &str) -> Type {
        if name == "index" {
            return Type::Int;
        }
        match &self.known.lent[block] {
            Type::Object(object) if is(self.names, block, Kind::Loop) => {
                let mut fields = object.fields.iter();
                let field = fields.find(|field| field.name.as_ref() == name);
                field.map_or(Type::Dyn, |field| field.type_.clone())
            }
            item if name == "item" => item.clone(),
            _ => Type::Dyn,
        }
    }

    fn turn(&self, path: &[&str]) -> (Type, usize) {
        let (Some(block), Some(name)) = (self.innermost(Kind::Loop), path.get(1)) else {
            return (Type::Dyn, path.len());
        };
        (self.lent(block, name), 2)
    }

    fn outer(&self, path: &[&str]) -> (Type, usize) {
        let (Some(id), Some(name)) = (path.get(1), path.get(2)) else {
            return (Type::Dyn, path.len());
        };
        let mut around = self.view.blocks(self.names.layout);
        let block = around.find(|block| self.names.layout.id(*block) == *id);
        block.map_or((Type::Dyn, path.len()), |block| (self.lent(block, name), 3))
    }
}

impl Environment for Seen<'_> {
    fn lookup(&self, name: &str) -> Option<Type> {
        // That it cannot be read here was said.
        if !self.names.is_there(name, self.view) {
            return Some(Type::Dyn);
        }
        Some(match name {
            "inputs" => self.known.inputs.clone(),
            "vars" => self.known.variables.clone(),
            "run" => self.known.run.clone(),
            "workflow" => self.known.workflow.clone(),
            "tenant" => self.known.tenant.clone(),
            "trigger" => self.known.trigger.clone(),
            "event" => self.known.event.clone(),
            "index" => Type::Int,
            "item" => match self.innermost(Kind::ForEach) {
                Some(block) => self.lent(block, "item"),
                None => Type::Dyn,
            },
            _ => Type::Dyn,
        })
    }

    fn path(&self, path: &[&str]) -> Option<(Type, usize)> {
        match *path.first()? {
            "steps" => Some(self.step(path)),
            "turn" => Some(self.turn(path)),
            "blocks" => Some(self.outer(path)),
            // Their fields were checked as names, with what else there is to say.
            "run" | "workflow" | "tenant" | "trigger" | "event" => match path {
                [root, field, ..] => Some((self.field(root, field), 2)),
                [root, ..] => Some((self.lookup(root)?, 1)),
                [] => None,
            },
            root => Some((self.lookup(root)?, 1)),
        }
    }
}

impl Seen<'_> {
    fn field(&self, root: &str, name: &str) -> Type {
        match self.lookup(root) {
            Some(Type::Object(object)) => {
                let mut fields = object.fields.iter();
                let field = fields.find(|field| field.name.as_ref() == name);
                field.map_or(Type::Dyn, |field| field.type_.clone())
            }
            _ => Type::Dyn,
        }
    }
}
