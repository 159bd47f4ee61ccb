//! `switch`: cases with names, asked in order.

use std::collections::BTreeSet;

use flowpilot_crds::workflow::Switch;

use super::Field;
use crate::compile::place::{Place, View};
use crate::compile::reads::Names;
use crate::compile::{Problems, identifiers, values};
use crate::plan::{Case, Work};

/// Outcomes that every step has: no case can be called so.
const RESERVED: [&str; 5] = ["succeeded", "failed", "skipped", "cancelled", "done"];

pub(super) fn compile(
    switch: &Switch,
    field: Field,
    names: &Names<'_>,
    problems: &mut Problems,
) -> Option<Work> {
    if switch.cases.is_empty() {
        let message = "a switch has at least one case";
        problems.error("InvalidValue", field.path("switch.cases"), message);
    }
    let mut seen = BTreeSet::new();
    let mut cases = Vec::with_capacity(switch.cases.len());
    let mut whole = true;
    for (index, case) in switch.cases.iter().enumerate() {
        let path = field.path(&format!("switch.cases[{index}].name"));
        check(&case.name, &path, problems);
        if !seen.insert(case.name.as_str()) {
            let message = format!("the case {} stands twice: a name stands once", case.name);
            problems.error("DuplicateName", path, message);
        }
        let path = field.path(&format!("switch.cases[{index}].when"));
        let view = View::Step(field.step);
        match values::condition(&case.when, names, Place { view, path: &path }, problems) {
            Some(when) => cases.push(Case {
                name: case.name.clone(),
                when,
            }),
            None => whole = false,
        }
    }
    if let Some(default) = &switch.default {
        let path = field.path("switch.default");
        check(default, &path, problems);
        if seen.contains(default.as_str()) {
            let message = format!("the default repeats the case {default}: give it a name of its own");
            problems.error("DuplicateName", path, message);
        }
    }
    let default = switch.default.clone();
    whole.then_some(Work::Switch { cases, default })
}

fn check(name: &str, path: &str, problems: &mut Problems) {
    if RESERVED.contains(&name) {
        let message = format!("{name} is an outcome that every step has: choose another name for the case");
        problems.error("ReservedName", path, message);
    } else {
        identifiers::check(name, path, problems);
    }
}
