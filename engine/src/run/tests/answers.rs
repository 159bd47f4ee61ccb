//! What attempts of actions answer in the small world.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::Value;

use crate::journal::StepError;

/// What an attempt of an action does.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) after: SignedDuration,
    pub(super) result: Result<Value, StepError>,
}

pub(super) fn gives(output: Value) -> Answer {
    Answer {
        after: SignedDuration::ZERO,
        result: Ok(output),
    }
}

pub(super) fn fails(code: &str) -> Answer {
    let error = StepError {
        code: code.to_owned(),
        message: format!("{code} happened"),
        ..StepError::default()
    };
    Answer {
        after: SignedDuration::ZERO,
        result: Err(error),
    }
}

impl Answer {
    pub(super) fn after(mut self, seconds: i64) -> Self {
        self.after = SignedDuration::from_secs(seconds);
        self
    }

    pub(super) fn with(mut self, change: impl FnOnce(&mut StepError)) -> Self {
        if let Err(error) = &mut self.result {
            change(error);
        }
        self
    }
}

pub(super) struct Mocks(pub(super) BTreeMap<String, Vec<Answer>>);

pub(super) fn mocks<const N: usize>(answers: [(&str, Vec<Answer>); N]) -> Mocks {
    Mocks(
        answers
            .into_iter()
            .map(|(step, answers)| (step.to_owned(), answers))
            .collect(),
    )
}
