//! What steps give, by their kind.

use std::sync::Arc;

use super::Checker;
use crate::expression::types::{Field, Object, Type};
use crate::plan::{FormField, PlanAction};

impl<'a> Checker<'a, '_> {
    /// The output of an action, read from its schema once.
    pub(super) fn output_of(&mut self, name: &str, action: &'a PlanAction) -> Type {
        if let Some(type_) = self.schemas.get(name) {
            return type_.clone();
        }
        let type_ = Type::from_schema(&action.output);
        self.schemas.insert(name.to_owned(), type_.clone());
        type_
    }
}

/// An optional stands for what is in it, where an empty one is left out.
pub(super) fn unwrapped(type_: &Type) -> Type {
    match type_ {
        Type::Optional(inner) => inner.as_ref().clone(),
        Type::AnyOf(several) => Type::any_of(several.iter().map(unwrapped)),
        other => other.clone(),
    }
}

fn object(fields: impl IntoIterator<Item = (&'static str, Type, bool)>) -> Type {
    let fields = fields.into_iter().map(|(name, type_, required)| Field {
        name: Arc::from(name),
        type_,
        required,
    });
    Type::Object(Arc::new(Object {
        fields: fields.collect(),
        rest: None,
        written: false,
    }))
}

pub(super) fn container() -> Type {
    let known = object([("exitCode", Type::Int, true), ("stdout", Type::String, false)]);
    match known {
        // Files are the container's own to name.
        Type::Object(object) => Type::Object(Arc::new(Object {
            fields: object.fields.clone(),
            rest: Some(Type::Dyn),
            written: false,
        })),
        other => other,
    }
}

pub(super) fn approval(form: &[FormField]) -> Type {
    let fields = form.iter().map(|field| Field {
        name: Arc::from(field.name.as_str()),
        type_: match field.type_.as_str() {
            "string" => Type::String,
            "integer" => Type::Int,
            "number" => Type::Number,
            "boolean" => Type::Bool,
            _ => Type::Dyn,
        },
        required: field.required,
    });
    let form = Type::Object(Arc::new(Object {
        fields: fields.collect(),
        rest: None,
        written: false,
    }));
    object([
        ("decision", Type::String, true),
        ("by", Type::list(Type::String), true),
        ("at", Type::Dyn, true),
        ("comment", Type::String, false),
        ("form", form, false),
    ])
}
