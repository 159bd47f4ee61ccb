//! Operators: which types they are for, and what comes of them.

use super::{
    super::super::ast::{Arithmetic, Node, Relation, Span},
    Checker, Type, unwrapping,
};

impl Checker<'_> {
    pub(super) fn negation(&mut self, operand: &Node, span: Span) -> Type {
        let type_ = self.node(operand);
        let fits = |one: &&Type| {
            matches!(
                one,
                Type::Dyn | Type::Int | Type::Double | Type::Number | Type::Duration
            )
        };
        let found: Vec<_> = type_.alternatives().iter().filter(fits).cloned().collect();
        if found.is_empty() {
            self.wrong(format!("cannot negate {type_}{}", unwrapping(&type_)), span);
        }
        Type::any_of(found)
    }

    pub(super) fn chain(&mut self, first: &Node, rest: &[(Arithmetic, Node)], span: Span) -> Type {
        let mut type_ = self.node(first);
        for (operator, node) in rest {
            let right = self.node(node);
            let mut found = Vec::new();
            for one in type_.alternatives() {
                found.extend(
                    right
                        .alternatives()
                        .iter()
                        .filter_map(|other| computed(*operator, one, other)),
                );
            }
            if found.is_empty() {
                let hint = hint(*operator, &type_, &right);
                self.wrong(
                    format!("no {} for {type_} and {right}{hint}", operator.symbol()),
                    span,
                );
                return Type::Dyn;
            }
            type_ = Type::any_of(found);
        }
        type_
    }

    pub(super) fn relation(&mut self, relation: Relation, nodes: &[Node; 2], span: Span) -> Type {
        let left = self.node(&nodes[0]);
        let right = self.node(&nodes[1]);
        let fits = |test: fn(&Type, &Type) -> bool| {
            left.alternatives()
                .iter()
                .any(|left| right.alternatives().iter().any(|right| test(left, right)))
        };
        let hint = if unwrapping(&left).is_empty() {
            unwrapping(&right)
        } else {
            unwrapping(&left)
        };
        match relation {
            Relation::Equal | Relation::Unequal if !fits(may_be_equal) => {
                self.wrong(format!("{left} and {right} are never equal{hint}"), span);
            }
            Relation::In if !fits(may_be_in) => {
                let hint = if right == Type::String {
                    "; write x.contains(…) for texts"
                } else {
                    hint
                };
                self.wrong(format!("{left} is never in {right}{hint}"), span);
            }
            Relation::Less | Relation::LessOrEqual | Relation::Greater | Relation::GreaterOrEqual
                if !fits(have_order) =>
            {
                self.wrong(format!("cannot compare {left} with {right}{hint}"), span);
            }
            _ => {}
        }
        Type::Bool
    }
}

pub(super) fn is_number(type_: &Type) -> bool {
    matches!(type_, Type::Int | Type::Uint | Type::Double | Type::Number)
}

fn is_map(type_: &Type) -> bool {
    matches!(type_, Type::Map(..) | Type::Object(_))
}

/// Null is compared with anything: that is how it is asked for.
fn may_be_equal(left: &Type, right: &Type) -> bool {
    match (left, right) {
        (Type::Dyn | Type::Null, _) | (_, Type::Dyn | Type::Null) => true,
        (Type::List(left), Type::List(right)) | (Type::Optional(left), Type::Optional(right)) => left
            .alternatives()
            .iter()
            .any(|left| right.alternatives().iter().any(|right| may_be_equal(left, right))),
        (left, right) => {
            left == right || (is_number(left) && is_number(right)) || (is_map(left) && is_map(right))
        }
    }
}

fn may_be_in(item: &Type, container: &Type) -> bool {
    match container {
        Type::Dyn => true,
        Type::List(element) => element
            .alternatives()
            .iter()
            .any(|element| may_be_equal(item, element)),
        Type::Map(key, _) => key.alternatives().iter().any(|key| may_be_equal(item, key)),
        Type::Object(_) => matches!(item, Type::Dyn | Type::String),
        _ => false,
    }
}

pub(super) fn have_order(left: &Type, right: &Type) -> bool {
    match (left, right) {
        (Type::Dyn, other) | (other, Type::Dyn) => !matches!(
            other,
            Type::Null | Type::List(_) | Type::Map(..) | Type::Object(_) | Type::Optional(_) | Type::Kind
        ),
        (left, right) if is_number(left) => is_number(right),
        (Type::String | Type::Bytes | Type::Bool | Type::Timestamp | Type::Duration, _) => left == right,
        _ => false,
    }
}

/// The type of a computation; nothing if it always fails.
fn computed(operator: Arithmetic, left: &Type, right: &Type) -> Option<Type> {
    use Arithmetic::{Add, Divide, Multiply, Remainder, Subtract};
    match (operator, left, right) {
        (_, Type::Dyn, other) | (_, other, Type::Dyn) => match other {
            Type::Null | Type::Bool | Type::Kind | Type::Map(..) | Type::Object(_) | Type::Optional(_) => {
                None
            }
            Type::List(_) | Type::String | Type::Bytes if operator != Add => None,
            Type::Timestamp | Type::Duration if !matches!(operator, Add | Subtract) => None,
            _ => Some(Type::Dyn),
        },
        (Remainder, Type::Double, _) | (Remainder, _, Type::Double) => None,
        (Remainder, Type::Number, Type::Int | Type::Number) | (Remainder, Type::Int, Type::Number) => {
            Some(Type::Int)
        }
        (Add | Subtract | Multiply | Divide | Remainder, Type::Int, Type::Int) => Some(Type::Int),
        (_, Type::Uint, Type::Uint) => Some(Type::Uint),
        (_, Type::Double, Type::Int | Type::Double | Type::Number)
        | (_, Type::Int | Type::Number, Type::Double) => Some(Type::Double),
        (_, Type::Number, Type::Int | Type::Number) | (_, Type::Int, Type::Number) => Some(Type::Number),
        (Add, Type::String, Type::String) => Some(Type::String),
        (Add, Type::Bytes, Type::Bytes) => Some(Type::Bytes),
        (Add, Type::List(left), Type::List(right)) => Some(Type::list(Type::any_of([
            left.as_ref().clone(),
            right.as_ref().clone(),
        ]))),
        (Add | Subtract, Type::Timestamp, Type::Duration) | (Add, Type::Duration, Type::Timestamp) => {
            Some(Type::Timestamp)
        }
        (Subtract, Type::Timestamp, Type::Timestamp) | (Add | Subtract, Type::Duration, Type::Duration) => {
            Some(Type::Duration)
        }
        _ => None,
    }
}

fn hint(operator: Arithmetic, left: &Type, right: &Type) -> &'static str {
    if !unwrapping(left).is_empty() || !unwrapping(right).is_empty() {
        return ": write .orValue(…) behind the optional";
    }
    match (operator, left, right) {
        (Arithmetic::Add, Type::String, _) | (Arithmetic::Add, _, Type::String) => {
            "; write string(…) around what is not a text"
        }
        (Arithmetic::Remainder, Type::Double, _) | (Arithmetic::Remainder, _, Type::Double) => {
            "; % is for whole numbers, write int(…)"
        }
        _ => "",
    }
}
