//! Where names come from: the caller's side of an evaluation.

use super::Value;
use jiff::Timestamp;
use std::collections::BTreeMap;
use uuid::Uuid;

/// The values an expression can see. Everything here must be recorded or derived from what is recorded, so that
/// an evaluation can be repeated.
pub trait Scope {
    /// The value of a name that stands at the beginning of a path (`inputs`, `steps`, `item`, …).
    fn get(&self, root: &str) -> Option<Value>;

    /// A short cut for `steps.a.output.total`: the value of the longest beginning of `path` that can be had
    /// without building anything, and how many names it covers (at least one). At most the first eight names are
    /// asked for. Returns nothing only if the root is unknown.
    fn path(&self, path: &[&str]) -> Option<(Value, usize)> {
        self.get(path.first()?).map(|value| (value, 1))
    }

    /// The same as [`Scope::path`] for what the scope holds as it is: borrowed, so that nothing is even shared. Asked
    /// first; nothing if the scope cannot tell.
    fn borrow(&self, path: &[&str]) -> Option<(&Value, usize)> {
        let _ = path;
        None
    }

    /// Whether what lies at this path, or anything in it, must not be shown: then an error says nothing of the values
    /// it saw.
    fn is_sensitive(&self, path: &[&str]) -> bool {
        let _ = path;
        false
    }

    /// The recorded time of this call of `now()`; nothing where it cannot be used.
    fn now(&self) -> Option<Timestamp> {
        None
    }

    /// The recorded answer to this call of `uuid()`; nothing where it cannot be used.
    fn uuid(&self) -> Option<Uuid> {
        None
    }

    /// The recorded answer to this call of `random()`, from 0 to below 1; nothing where it cannot be used.
    fn random(&self) -> Option<f64> {
        None
    }
}

/// The simplest scope: a map from name to value.
#[derive(Debug, Clone, Default)]
pub struct Variables(BTreeMap<String, Value>);

impl Variables {
    /// Sets a name.
    pub fn set(&mut self, name: impl Into<String>, value: Value) -> &mut Self {
        self.0.insert(name.into(), value);
        self
    }

    /// Sets a name to what a JSON value means.
    pub fn set_json(&mut self, name: impl Into<String>, value: &serde_json::Value) -> &mut Self {
        self.set(name, Value::from_json(value))
    }
}

impl Scope for Variables {
    fn get(&self, root: &str) -> Option<Value> {
        self.0.get(root).cloned()
    }

    fn borrow(&self, path: &[&str]) -> Option<(&Value, usize)> {
        self.0.get(*path.first()?).map(|value| (value, 1))
    }
}
