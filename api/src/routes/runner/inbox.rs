//! Messages as runners read them.

use std::collections::BTreeMap;

use flowpilot_engine::protocol::runner::{InboxBody, InboxMessage, RunInbox};
use uuid::Uuid;

use crate::queue::Message;

/// A stored message; one of a kind that this version does not know is left for a newer one.
pub(super) fn message(message: &Message) -> Option<InboxMessage> {
    match serde_json::from_str::<InboxBody>(&message.body) {
        Ok(body) => Some(InboxMessage {
            seq: message.seq,
            body,
        }),
        Err(error) => {
            tracing::warn!(%error, kind = message.kind, "a message to a run cannot be read");
            None
        }
    }
}

/// All of them.
pub(super) fn messages(all: &[Message]) -> Vec<InboxMessage> {
    all.iter().filter_map(message).collect()
}

/// Those of several runs, by run.
pub(super) fn by_run(all: &[(Uuid, Message)]) -> Vec<RunInbox> {
    let mut runs: BTreeMap<Uuid, Vec<InboxMessage>> = BTreeMap::new();
    for (run, stored) in all {
        runs.entry(*run).or_default().extend(message(stored));
    }
    runs.into_iter()
        .map(|(run, messages)| RunInbox { run, messages })
        .collect()
}
