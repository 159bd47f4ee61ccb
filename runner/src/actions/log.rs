//! `core/log@1`: a line in the runner's log.

use flowpilot_engine::journal::StepError;
use serde::Deserialize;
use serde_json::{Value, json};

use super::failure::cut;
use super::{Call, read_input};

/// The longest line, message and data together. Log stores cut longer ones in the middle of a record.
const LINE_LIMIT: usize = 16 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    #[serde(default)]
    level: Level,
    message: String,
    data: Option<Value>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Debug,
    #[default]
    Info,
    Warn,
    Error,
}

pub(super) fn perform(call: Call) -> Result<Value, StepError> {
    let Input { level, message, data } = read_input(call.with)?;
    let message = cut(&message, LINE_LIMIT);
    let data = data.map(|data| data.to_string());
    let data = data.as_deref().map(|data| cut(data, LINE_LIMIT - message.len()));
    let (run, step) = (call.run, call.step.as_str());
    match level {
        Level::Debug => tracing::debug!(run.id = %run, step, data, "{message}"),
        Level::Info => tracing::info!(run.id = %run, step, data, "{message}"),
        Level::Warn => tracing::warn!(run.id = %run, step, data, "{message}"),
        Level::Error => tracing::error!(run.id = %run, step, data, "{message}"),
    }
    Ok(json!({}))
}

#[cfg(test)]
mod tests {
    use super::super::tests::call;
    use super::*;

    #[test]
    fn it_gives_an_empty_object() {
        let output = perform(call("core/log@1", json!({"message": "hello", "data": {"a": 1}}))).unwrap();
        assert_eq!(output, json!({}));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let error = |with| perform(call("core/log@1", with)).unwrap_err();
        assert!(
            error(json!({"message": 1}))
                .message
                .starts_with("with.message: invalid type")
        );
        assert!(
            error(json!({"message": "a", "level": "loud"}))
                .message
                .contains("with.level: unknown variant")
        );
        assert!(
            error(json!({"message": "a", "extra": 1}))
                .message
                .contains("unknown field `extra`")
        );
        assert_eq!(error(json!({})).code, "InvalidInput");
    }
}
