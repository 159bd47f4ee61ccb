//! `fail` and `stop`: ends on purpose.

use flowpilot_crds::workflow::{Fail, Stop, StopStatus};

use super::Field;
use crate::compile::Problems;
use crate::compile::reads::Names;
use crate::plan::Work;

/// The longest code.
const CODE: usize = 63;

pub(super) fn fail(fail: &Fail, field: Field, names: &Names<'_>, problems: &mut Problems) -> Option<Work> {
    let mut letters = fail.code.chars();
    let good = letters.next().is_some_and(|first| first.is_ascii_uppercase())
        && letters.all(|letter| letter.is_ascii_alphanumeric());
    if !good || fail.code.len() > CODE {
        let message =
            "a code is one literal word such as OutOfStock: a capital letter, then letters and digits";
        problems.error("InvalidValue", field.path("fail.code"), message);
    }
    Some(Work::Fail {
        code: fail.code.clone(),
        message: field.optional_text(fail.message.as_deref(), "fail.message", names, problems)?,
    })
}

pub(super) fn stop(stop: &Stop, field: Field, names: &Names<'_>, problems: &mut Problems) -> Option<Work> {
    Some(Work::Stop {
        succeeded: stop.status == StopStatus::Succeeded,
        message: field.optional_text(stop.message.as_deref(), "stop.message", names, problems)?,
    })
}
