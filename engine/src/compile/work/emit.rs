//! `emit`: an event and its data.

use flowpilot_crds::workflow::Emit;

use super::Field;
use crate::compile::Problems;
use crate::compile::reads::Names;
use crate::plan::Work;

pub(super) fn compile(emit: &Emit, field: Field, names: &Names<'_>, problems: &mut Problems) -> Option<Work> {
    check_type(&emit.type_, &field.path("emit.type"), problems);
    Some(Work::Emit {
        event: emit.type_.clone(),
        data: field.map(&emit.data, "emit.data", names, problems)?,
    })
}

/// Types of events are literal: whoever listens must know them.
pub(in crate::compile) fn check_type(name: &str, path: &str, problems: &mut Problems) {
    if name.trim().is_empty() {
        problems.error("InvalidValue", path, "an event has a type, such as order.paid");
    } else if name.contains("$(") {
        let message = "the type of an event is literal: put what varies into its data";
        problems.error("NotLiteral", path, message);
    }
}
