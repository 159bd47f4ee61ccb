//! Actions of the built-in families that tests may use before this version can perform them.
//!
//! A test answers for every action itself, so a workflow can be written and tested earlier than it can run. Other
//! names of these families are slips of the pen, and admission says so.

use std::collections::BTreeMap;

use flowpilot_engine::action::{self, Effect};
use flowpilot_engine::plan::PlanAction;
use serde_json::json;

/// Names that are taken.
const TO_COME: [&str; 13] = [
    "ai/answer@1",
    "ai/classify@1",
    "ai/extract@1",
    "ai/generate@1",
    "ai/sentiment@1",
    "ai/summarize@1",
    "ai/translate@1",
    "core/email@1",
    "core/file-get@1",
    "core/file-put@1",
    "core/notify@1",
    "core/soap@1",
    "core/webhook@1",
];

/// The actions that a test's workflow may use: what this version has is not among them.
pub(crate) fn to_come() -> BTreeMap<String, PlanAction> {
    let missing = TO_COME.iter().filter(|name| action::find(name).is_none());
    let open = PlanAction {
        effect: Effect::Read,
        idempotency_key: false,
        input: json!({}),
        output: json!({}),
        templates: BTreeMap::new(),
    };
    missing.map(|name| ((*name).to_owned(), open.clone())).collect()
}
