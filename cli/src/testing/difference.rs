//! Something that did not come as expected.

use serde_json::Value;

use super::flow;
use super::matching::Mismatch;

/// Something that did not come as expected.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Difference {
    /// Where, such as `steps.pay.outcome`.
    pub(crate) place: String,
    pub(crate) expected: String,
    pub(crate) actual: String,
}

impl Difference {
    pub(crate) fn new(
        place: impl Into<String>,
        expected: impl Into<String>,
        actual: impl Into<String>,
    ) -> Self {
        Self {
            place: place.into(),
            expected: expected.into(),
            actual: actual.into(),
        }
    }

    pub(crate) fn of(mismatch: &Mismatch) -> Self {
        let expected = match &mismatch.expected {
            Value::Null if mismatch.actual.as_ref().is_some_and(|actual| !actual.is_null()) => {
                "nothing or null".to_owned()
            }
            value => flow::value(value),
        };
        let actual = mismatch
            .actual
            .as_ref()
            .map_or_else(|| "nothing".to_owned(), flow::value);
        Self::new(mismatch.path.clone(), expected, actual)
    }
}
