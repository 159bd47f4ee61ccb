//! `now()`, `uuid()`, `random()`: answered by the scope, so that the same run always gets the same answers.

use super::super::error::{Fault, Outcome};
use super::{Function, Value, global};

pub(super) const FUNCTIONS: &[Function] = &[
    global("now", 0, 0, |context, _| {
        answer("now", context.scope.now().map(Value::Timestamp))
    }),
    global("uuid", 0, 0, |context, _| {
        context.budget.allocate(36)?;
        answer(
            "uuid",
            context
                .scope
                .uuid()
                .map(|uuid| Value::from(uuid.hyphenated().to_string())),
        )
    }),
    global("random", 0, 0, |context, _| {
        answer("random", context.scope.random().map(Value::Double))
    }),
];

fn answer(name: &str, value: Option<Value>) -> Outcome<Value> {
    value.ok_or_else(|| Fault::new(format!("{name}() cannot be used here")))
}
