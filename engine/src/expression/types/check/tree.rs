//! The type of a JSON value with expressions in it.

use super::super::{
    super::tree::{Branch, escaped},
    Environment, Field, Object, Type, TypeProblem,
};
use std::sync::Arc;

/// Checks each text below a branch; `path` is its place as a JSON pointer.
pub(in super::super) fn tree(
    branch: &Branch,
    path: &str,
    environment: &dyn Environment,
    problems: &mut Vec<(String, TypeProblem)>,
) -> Type {
    match branch {
        Branch::Literal(json) => Type::of_json(json),
        Branch::Text(text) => {
            let (type_, wrong) = text.check(environment);
            problems.extend(wrong.into_iter().map(|problem| (path.to_owned(), problem)));
            type_
        }
        Branch::Rendering(rendering) => {
            tree(rendering.data(), &format!("{path}/data"), environment, problems);
            Type::String
        }
        Branch::List(items) => {
            let mut found = Vec::with_capacity(items.len());
            for (index, item) in items.iter().enumerate() {
                let type_ = tree(item, &format!("{path}/{index}"), environment, problems);
                found.push(present(&type_).1);
            }
            Type::list(Type::any_of(found))
        }
        Branch::Map(fields) => {
            let mut known = Vec::with_capacity(fields.len());
            for (name, value) in fields {
                let type_ = tree(value, &format!("{path}/{}", escaped(name)), environment, problems);
                let (required, type_) = present(&type_);
                known.push(Field {
                    name: Arc::from(name.as_str()),
                    type_,
                    required,
                });
            }
            Type::Object(Arc::new(Object {
                fields: known,
                rest: None,
                written: true,
            }))
        }
    }
}

/// Whether a field with such an expression is there in any case, and its type if it is.
fn present(type_: &Type) -> (bool, Type) {
    let mut required = true;
    let inner = Type::any_of(type_.alternatives().iter().map(|one| match one {
        Type::Optional(inner) => {
            required = false;
            inner.as_ref().clone()
        }
        other => {
            required &= *other != Type::Dyn;
            other.clone()
        }
    }));
    (required, inner)
}
