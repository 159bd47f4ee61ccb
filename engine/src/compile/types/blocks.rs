//! What forEach and loop lend to their steps, and what they give.

use std::sync::Arc;

use super::super::place::View;
use super::super::work::Field;
use super::outputs::unwrapped;
use super::{Checker, expected};
use crate::expression::types::{Field as TypeField, Object, Type};
use crate::plan::{ForEachWork, LoopWork};

impl Checker<'_, '_> {
    pub(super) fn start_for_each(&mut self, number: usize, each: &ForEachWork) {
        let path = Field::of(number).path("forEach.items");
        let type_ = self.tree(&each.items, View::Step(number), &path);
        // What is written out was looked at before.
        let texts = each.items.texts();
        let is_lone = matches!(texts.as_slice(), [(pointer, text)] if pointer.is_empty() && text.is_lone());
        if is_lone && !expected::may_be(&type_, &|one| matches!(one, Type::List(_))) {
            let message = format!("items is a list, and this gives {type_}");
            self.problems.error("WrongType", path, message);
        }
        self.known.lent[number] = element(&type_);
    }

    pub(super) fn end_for_each(&mut self, number: usize, each: &ForEachWork) {
        let Some(result) = &each.result else { return };
        let path = Field::of(number).path("forEach.result");
        let type_ = self.tree(result, View::After(number), &path);
        self.known.outputs[number] = Type::list(unwrapped(&type_));
    }

    pub(super) fn start_loop(&mut self, number: usize, repeats: &LoopWork) {
        let field = Field::of(number);
        let first = self.tree(&repeats.init, View::Step(number), &field.path("loop.init"));
        // What a turn carries on may be of another type than what the first one was given. As the steps inside are
        // not known yet, what comes from them is `dyn`.
        self.known.lent[number] = first.clone();
        let mut carried = first.clone();
        for _ in 0..2 {
            let next = self.carried_on(number, repeats);
            let both = joined(&first, &next);
            if both == carried {
                break;
            }
            carried = both;
            self.known.lent[number] = carried.clone();
        }
        if joined(&first, &self.carried_on(number, repeats)) != carried {
            self.known.lent[number] = Type::Dyn;
        }
        if let Some(before) = &repeats.before {
            self.condition(before, View::Turn(number), &field.path("loop.while"));
        }
        if let Some(delay) = &repeats.delay {
            self.duration(delay, View::Turn(number), &field.path("loop.delay"));
        }
    }

    pub(super) fn end_loop(&mut self, number: usize, repeats: &LoopWork) {
        let field = Field::of(number);
        self.tree(&repeats.next, View::After(number), &field.path("loop.next"));
        if let Some(after) = &repeats.after {
            self.condition(after, View::Until(number), &field.path("loop.until"));
        }
        self.known.outputs[number] = self.known.lent[number].clone();
    }

    /// The type of `next`; its problems are reported when the steps inside are known.
    fn carried_on(&self, number: usize, repeats: &LoopWork) -> Type {
        let environment = self.known.seen_from(View::After(number), self.names);
        repeats.next.check(&environment).0
    }
}

/// What is in a list.
fn element(type_: &Type) -> Type {
    match type_ {
        Type::List(element) => element.as_ref().clone(),
        Type::Optional(inner) => element(inner),
        Type::AnyOf(several) => {
            let lists = several
                .iter()
                .filter(|one| matches!(one, Type::List(_) | Type::Optional(_)));
            Type::any_of(lists.map(element))
        }
        _ => Type::Dyn,
    }
}

/// The carried values of any turn: those of `init`, where `next` does not give them another type.
fn joined(first: &Type, next: &Type) -> Type {
    let (Type::Object(first), Type::Object(next)) = (first, next) else {
        return match (first, next) {
            (Type::Object(_), _) if is_empty(next) => first.clone(),
            (_, Type::Object(_)) if is_empty(first) => next.clone(),
            _ => Type::Dyn,
        };
    };
    let find = |object: &Object, name: &str| {
        let mut fields = object.fields.iter();
        fields
            .find(|field| field.name.as_ref() == name)
            .map(|field| unwrapped(&field.type_))
    };
    let mut fields: Vec<TypeField> = Vec::new();
    for field in first.fields.iter().chain(&next.fields) {
        if fields.iter().any(|known| known.name == field.name) {
            continue;
        }
        let types = [find(first, &field.name), find(next, &field.name)];
        fields.push(TypeField {
            name: Arc::clone(&field.name),
            type_: Type::any_of(types.into_iter().flatten()),
            required: field.required,
        });
    }
    Type::Object(Arc::new(Object {
        fields,
        rest: None,
        written: true,
    }))
}

/// The type of `{}`.
fn is_empty(type_: &Type) -> bool {
    match type_ {
        Type::Object(object) => object.fields.is_empty(),
        Type::Map(..) => true,
        _ => false,
    }
}
