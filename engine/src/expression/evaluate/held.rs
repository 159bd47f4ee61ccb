//! A value on its way through the evaluator, and the macros' variables: both borrow what lies elsewhere.

use super::{Fault, Outcome, Value};
use std::ops::Deref;

/// A value that lies elsewhere, or was just computed.
pub(super) enum Held<'v> {
    Borrowed(&'v Value),
    Owned(Value),
}

impl Held<'_> {
    pub(super) const fn bool(value: bool) -> Self {
        Self::Owned(Value::Bool(value))
    }

    /// The value to keep. What lies elsewhere is shared, not copied.
    pub(super) fn into_owned(self) -> Value {
        match self {
            Self::Borrowed(value) => value.clone(),
            Self::Owned(value) => value,
        }
    }
}

impl Deref for Held<'_> {
    type Target = Value;

    fn deref(&self) -> &Value {
        match self {
            Self::Borrowed(value) => value,
            Self::Owned(value) => value,
        }
    }
}

/// The variables in sight, innermost first: a chain on the stack of those who bound them.
pub(super) type Locals<'v> = Option<&'v Frame<'v>>;

pub(super) struct Frame<'v> {
    pub(super) slot: usize,
    pub(super) value: &'v Value,
    pub(super) outer: Locals<'v>,
}

/// The value of a macro's variable.
pub(super) fn local(locals: Locals<'_>, slot: usize) -> Outcome<&Value> {
    let mut next = locals;
    while let Some(frame) = next {
        if frame.slot == slot {
            return Ok(frame.value);
        }
        next = frame.outer;
    }
    Err(Fault::new("the variable has no value here"))
}
