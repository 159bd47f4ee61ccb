//! Outputs that can be used again, as a tenant's cache keeps them.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::run::CacheUse;

/// Outputs by workflow, step and key.
#[derive(Debug, Default)]
pub(super) struct Kept(HashMap<(String, String, String), (Timestamp, Value)>);

impl Kept {
    /// An output that is not too old.
    pub(super) fn find(&self, workflow: &str, step: &str, cache: &CacheUse, now: Timestamp) -> Option<Value> {
        let (at, output) = self.0.get(&key(workflow, step, cache))?;
        let age = now.duration_since(*at);
        let limit = SignedDuration::from_millis(i64::try_from(cache.ttl_ms).unwrap_or(i64::MAX));
        (age < limit).then(|| output.clone())
    }

    pub(super) fn keep(
        &mut self,
        workflow: &str,
        step: &str,
        cache: &CacheUse,
        output: &Value,
        now: Timestamp,
    ) {
        self.0.insert(key(workflow, step, cache), (now, output.clone()));
    }
}

fn key(workflow: &str, step: &str, cache: &CacheUse) -> (String, String, String) {
    (workflow.to_owned(), step.to_owned(), cache.key.clone())
}
