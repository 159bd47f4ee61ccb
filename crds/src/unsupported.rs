//! What the schema can say and this version cannot do: rejected with its path, never ignored.

/// A field that is set and has no effect yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// Where it stands, such as `spec.budgets`.
    pub path: String,
    /// What it would need, in words for the person who wrote it.
    pub message: String,
}

impl Unsupported {
    /// The field at `path` has no effect yet.
    #[must_use]
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            message: message.into(),
        }
    }
}
