//! Calls of functions, and what is done with optionals.

use super::{
    super::{
        super::{
            ast::{Node, Span},
            functions::{Function, Style},
        },
        signatures,
    },
    Checker, Type, unwrapping,
};

impl Checker<'_> {
    pub(super) fn call(&mut self, function: &Function, arguments: &[Node], span: Span) -> Type {
        let types: Vec<_> = arguments.iter().map(|node| self.node(node)).collect();
        let spans: Vec<_> = arguments.iter().map(|node| node.span).collect();
        self.result(function, &types, &spans, span)
    }

    /// A call whose second argument is a literal pattern, which was taken out.
    pub(super) fn pattern(&mut self, function: &Function, arguments: &[Node], span: Span) -> Type {
        let mut types: Vec<_> = arguments.iter().map(|node| self.node(node)).collect();
        let mut spans: Vec<_> = arguments.iter().map(|node| node.span).collect();
        types.insert(1.min(types.len()), Type::String);
        spans.insert(1.min(spans.len()), span);
        self.result(function, &types, &spans, span)
    }

    fn result(&mut self, function: &Function, types: &[Type], spans: &[Span], span: Span) -> Type {
        match signatures::result(function.style, function.name, types) {
            Ok(made) => made,
            Err(mismatch) => {
                let found = types.get(mismatch.argument).cloned().unwrap_or(Type::Dyn);
                let place = match (function.style, mismatch.argument, types.len()) {
                    (Style::Method, 0, _) => "is called on".to_owned(),
                    (Style::Method, place, 3..) => format!("takes as argument {place}"),
                    (Style::Global, place, 2..) => format!("takes as argument {}", place + 1),
                    _ => "takes".to_owned(),
                };
                let message = format!(
                    "{} {place} {}, not {found}{}",
                    function.name,
                    mismatch.wanted,
                    unwrapping(&found)
                );
                self.wrong(message, spans.get(mismatch.argument).copied().unwrap_or(span));
                Type::Dyn
            }
        }
    }

    pub(super) fn or_else(&mut self, left: &Node, right: &Node, unwrap: bool) -> Type {
        let type_ = self.node(left);
        let name = if unwrap { "orValue" } else { "or" };
        let mut found = Vec::new();
        for one in type_.alternatives() {
            match one {
                Type::Optional(inner) => found.push(inner.as_ref().clone()),
                Type::Dyn => found.push(Type::Dyn),
                _ => {}
            }
        }
        if found.is_empty() {
            self.wrong(
                format!("{name} is for optionals (reached by .? or [?), not for {type_}"),
                left.span,
            );
        }
        let other = self.node(right);
        if unwrap {
            found.push(other);
            return Type::any_of(found);
        }
        found.push(self.inside(&other, right));
        Type::optional(Type::any_of(found))
    }

    pub(super) fn optional_map(&mut self, operand: &Node, slot: usize, body: &Node, flat: bool) -> Type {
        let type_ = self.node(operand);
        let inner = self.inside(&type_, operand);
        self.locals.truncate(slot);
        self.locals.push(inner);
        let result = self.node(body);
        self.locals.truncate(slot);
        if flat {
            Type::optional(self.inside(&result, body))
        } else {
            Type::optional(result)
        }
    }
}
