//! What no test took of the workflows: steps, edges, cases.

use std::collections::BTreeMap;

use flowpilot_engine::simulation::{Coverage, Point};

use super::case::{Happened, Outcome};

/// What the tests of one workflow took.
#[derive(Debug, Default)]
struct Tally {
    all: Coverage,
    taken: Coverage,
    tests: usize,
}

/// What tests took, by workflow.
#[derive(Debug, Default)]
pub(crate) struct Cover(BTreeMap<String, Tally>);

impl Cover {
    /// Adds what one test took.
    pub(crate) fn add(&mut self, result: &Outcome) {
        let Some(plan) = &result.plan else { return };
        let tally = self.0.entry(result.title.clone()).or_default();
        tally.all.add(&Coverage::all(plan));
        tally.tests += 1;
        if let Happened::Ran(_, report) = &result.happened {
            tally.taken.add(&report.coverage);
        }
    }

    /// One paragraph per workflow.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (title, tally) in &self.0 {
            let missing: Vec<&Point> = tally.all.taken.difference(&tally.taken.taken).collect();
            let (all, tests) = (tally.all.taken.len(), tally.tests);
            let tests = if tests == 1 {
                "1 test".to_owned()
            } else {
                format!("{tests} tests")
            };
            lines.push(format!(
                "{title}: {} of {all} parts taken by {tests}",
                all - missing.len()
            ));
            lines.extend(missing.into_iter().map(|point| format!("  no test took {point}")));
        }
        lines
    }
}
