//! One of several types: flat, without doubles, and not too many.

use super::Type;
use std::sync::Arc;

/// With more alternatives than this, nothing is known.
const ALTERNATIVES: usize = 8;

pub(super) fn of(types: impl IntoIterator<Item = Type>) -> Type {
    let mut found: Vec<Type> = Vec::new();
    for type_ in types {
        for one in type_.alternatives() {
            if *one == Type::Dyn {
                return Type::Dyn;
            }
            add(&mut found, one);
        }
        if found.len() > ALTERNATIVES {
            return Type::Dyn;
        }
    }
    match found.len() {
        0 => Type::Dyn,
        1 => found.remove(0),
        _ => Type::AnyOf(Arc::from(found)),
    }
}

fn add(found: &mut Vec<Type>, one: &Type) {
    let number = |type_: &Type| matches!(type_, Type::Int | Type::Double | Type::Number);
    for known in found.iter_mut() {
        if known == one {
            return;
        }
        if number(known) && number(one) {
            *known = Type::Number;
            return;
        }
        if let (Type::List(left), Type::List(right)) = (&*known, one)
            && (**left == Type::Dyn || **right == Type::Dyn)
        {
            *known = Type::list(Type::Dyn);
            return;
        }
    }
    found.push(one.clone());
}
