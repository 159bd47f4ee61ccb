//! The macros that walk over lists and maps.

use super::{
    super::super::ast::{Comprehension, Walk},
    Checker, Type,
    operators::have_order,
    unwrapping,
};
use std::sync::Arc;

impl Checker<'_> {
    pub(super) fn comprehension(&mut self, comprehension: &Comprehension) -> Type {
        let range = self.node(&comprehension.range);
        let (mut keys, mut values, mut lists) = (Vec::new(), Vec::new(), false);
        for one in range.alternatives() {
            match one {
                Type::Dyn => {
                    keys.push(Type::Dyn);
                    values.push(Type::Dyn);
                }
                Type::List(element) => {
                    lists = true;
                    keys.push(Type::Int);
                    values.push(element.as_ref().clone());
                }
                Type::Map(key, value) => {
                    keys.push(key.as_ref().clone());
                    values.push(value.as_ref().clone());
                }
                Type::Object(object) => {
                    keys.push(Type::String);
                    values.extend(object.fields.iter().map(|field| field.type_.clone()));
                    values.extend(object.rest.clone());
                }
                _ => {}
            }
        }
        if keys.is_empty() {
            self.wrong(
                format!(
                    "only lists and maps can be walked over, not {range}{}",
                    unwrapping(&range)
                ),
                comprehension.range.span,
            );
        }
        let maps = range
            .alternatives()
            .iter()
            .any(|one| matches!(one, Type::Map(..) | Type::Object(_) | Type::Dyn));
        let (key, value) = (Type::any_of(keys), Type::any_of(values));
        // With one variable, it is the element of a list and the key of a map.
        let single = match (lists, maps) {
            (true, false) => value.clone(),
            (false, true) => key.clone(),
            _ => Type::Dyn,
        };
        self.locals.truncate(comprehension.slot);
        if comprehension.pair {
            self.locals.push(key.clone());
            self.locals.push(value);
        } else {
            self.locals.push(single.clone());
        }
        if let Some(filter) = &comprehension.filter {
            self.condition(filter, "the condition");
        }
        let type_ = self.walk(comprehension, &key, single);
        self.locals.truncate(comprehension.slot);
        type_
    }

    fn walk(&mut self, comprehension: &Comprehension, key: &Type, single: Type) -> Type {
        let body = &comprehension.body;
        match comprehension.walk {
            Walk::All | Walk::Exists | Walk::ExistsOne => {
                self.condition(body, "the condition");
                Type::Bool
            }
            Walk::Filter => {
                self.condition(body, "the condition");
                Type::list(single)
            }
            Walk::Map => Type::list(self.node(body)),
            Walk::SortBy => {
                let by = self.node(body);
                if !by
                    .alternatives()
                    .iter()
                    .any(|one| have_order(one, one) || *one == Type::Dyn)
                {
                    self.wrong(format!("{by} has no order{}", unwrapping(&by)), body.span);
                }
                Type::list(single)
            }
            Walk::TransformMap => {
                let value = self.node(body);
                Type::Map(Arc::new(key.clone()), Arc::new(value))
            }
            Walk::TransformMapEntry => {
                let entry = self.node(body);
                let is_map = |one: &Type| matches!(one, Type::Map(..) | Type::Object(_) | Type::Dyn);
                if !entry.alternatives().iter().any(is_map) {
                    self.wrong(format!("transformMapEntry takes a map, not {entry}"), body.span);
                }
                Type::Map(Arc::new(Type::Dyn), Arc::new(Type::Dyn))
            }
        }
    }
}
