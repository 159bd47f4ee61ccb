//! Messages as runners read them.

use flowpilot_engine::protocol::runner::{InboxBody, InboxMessage};

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
