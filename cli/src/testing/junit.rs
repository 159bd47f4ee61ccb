//! Results as JUnit XML, the format that build servers read.

use std::fmt::Write as _;
use std::time::Duration;

use super::case::{Case, Outcome};
use super::show;
use crate::xml::escaped;

/// One test with its result.
pub(crate) struct Entry<'a> {
    pub(crate) file: String,
    pub(crate) case: &'a Case,
    pub(crate) result: &'a Outcome,
    pub(crate) took: Duration,
}

/// The document.
pub(crate) fn document(entries: &[Entry<'_>]) -> String {
    let failed = |entries: &[&Entry<'_>]| {
        entries
            .iter()
            .filter(|entry| !entry.result.differences.is_empty())
            .count()
    };
    let all: Vec<&Entry<'_>> = entries.iter().collect();
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        text,
        "<testsuites tests=\"{}\" failures=\"{}\">",
        all.len(),
        failed(&all)
    );
    for suite in all.chunk_by(|left, right| left.file == right.file) {
        let name = escaped(&suite[0].file);
        let _ = writeln!(
            text,
            "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{}\">",
            suite.len(),
            failed(suite)
        );
        for entry in suite {
            let (name, seconds) = (escaped(&entry.case.test.name), entry.took.as_secs_f64());
            let _ = write!(
                text,
                "    <testcase name=\"{name}\" classname=\"{}\" line=\"{}\" time=\"{seconds:.6}\"",
                escaped(&entry.file),
                entry.case.line
            );
            if entry.result.differences.is_empty() {
                text.push_str("/>\n");
            } else {
                let message = escaped(&format!("{} differences", entry.result.differences.len()));
                let details = escaped(&show::details(entry.case, entry.result));
                let _ = writeln!(
                    text,
                    ">\n      <failure message=\"{message}\">{details}</failure>\n    </testcase>"
                );
            }
        }
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}
