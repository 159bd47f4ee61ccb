//! What is done with optionals: the other side is evaluated only if it is needed.

use super::{super::ast::Node, Fault, Frame, Held, Locals, Machine, Outcome, Value, print};

impl<'a> Machine<'a> {
    pub(super) fn or_else<'v>(
        &mut self,
        left: &'v Node,
        right: &'v Node,
        unwrap: bool,
        locals: Locals<'v>,
    ) -> Outcome<Held<'v>>
    where
        'a: 'v,
    {
        let value = self.evaluate(left, locals)?;
        match &*value {
            Value::Optional(Some(inner)) if unwrap => Ok(match value {
                Held::Borrowed(Value::Optional(Some(inner))) => Held::Borrowed(inner),
                _ => Held::Owned(inner.as_ref().clone()),
            }),
            Value::Optional(Some(_)) => Ok(value),
            Value::Optional(None) => {
                let other = self.evaluate(right, locals)?;
                if !unwrap && !matches!(*other, Value::Optional(_)) {
                    return Err(Fault::new(
                        "or takes an optional: write orValue for a plain value",
                    ));
                }
                Ok(other)
            }
            other => {
                let name = if unwrap { "orValue" } else { "or" };
                Err(Fault::new(format!(
                    "{name} is for optionals (reached by .? or [?), not for {} {}",
                    other.kind(),
                    print::preview(other)
                )))
            }
        }
    }

    pub(super) fn optional_map<'v>(
        &mut self,
        operand: &'v Node,
        slot: usize,
        body: &'v Node,
        flat: bool,
        locals: Locals<'v>,
    ) -> Outcome<Value>
    where
        'a: 'v,
    {
        let value = self.evaluate(operand, locals)?;
        let Some(inner) = present(&value).map_err(|fault| fault.at(operand.span))? else {
            return Ok(Value::Optional(None));
        };
        let frame = Frame {
            slot,
            value: inner,
            outer: locals,
        };
        let result = self.evaluate(body, Some(&frame))?.into_owned();
        match result {
            Value::Optional(_) if flat => Ok(result),
            _ if flat => Err(Fault::new(
                "the result of optFlatMap must be an optional: write optMap",
            )),
            _ => Ok(Value::some(result)),
        }
    }
}

/// The inside of an optional.
pub(super) fn present(value: &Value) -> Outcome<Option<&Value>> {
    match value {
        Value::Optional(inner) => Ok(inner.as_deref()),
        other => Err(Fault::new(format!(
            "an optional must stand here, not {} {}",
            other.kind(),
            print::preview(other)
        ))),
    }
}
