//! Figures with their spread, and the table of them.

use std::fmt::Write;
use std::time::Duration;

/// One line of the table.
#[derive(Clone, Debug)]
pub struct Figure {
    /// What was measured.
    pub what: String,
    /// Unit of the values.
    pub unit: String,
    /// The measured values, in the order of measuring.
    pub values: Vec<f64>,
    /// What it should be, in words; empty if it is only reported.
    pub aim: &'static str,
}

impl Figure {
    /// Values in milliseconds.
    #[must_use]
    pub fn milliseconds(what: impl Into<String>, times: &[Duration], aim: &'static str) -> Self {
        let values = times.iter().map(|time| time.as_secs_f64() * 1e3).collect();
        Self {
            what: what.into(),
            unit: "ms".to_owned(),
            values,
            aim,
        }
    }

    /// Values as they are.
    #[must_use]
    pub fn of(what: impl Into<String>, unit: impl Into<String>, values: Vec<f64>, aim: &'static str) -> Self {
        Self {
            what: what.into(),
            unit: unit.into(),
            values,
            aim,
        }
    }
}

/// The value below which a share (0 to 1) of the values lies (nearest rank); NaN of nothing.
#[must_use]
pub fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "ranks of a few thousand values"
    )]
    let rank = (share * sorted.len() as f64).ceil().max(1.0) as usize;
    sorted.get(rank - 1).copied().unwrap_or(f64::NAN)
}

/// The table as Markdown.
#[must_use]
pub fn table(figures: &[Figure]) -> String {
    let mut text = String::from("| what | median | min – max | n | aim |\n|---|---|---|---|---|\n");
    for Figure {
        what,
        unit,
        values,
        aim,
    } in figures
    {
        let (median, least, most) = (
            percentile(values, 0.5),
            percentile(values, 0.0),
            percentile(values, 1.0),
        );
        let (median, least, most) = (number(median), number(least), number(most));
        let _ = writeln!(
            text,
            "| {what} | {median} {unit} | {least} – {most} | {} | {aim} |",
            values.len()
        );
    }
    text
}

/// Three significant digits, which is more than any of these figures deserves.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 || value.fract() == 0.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let values: Vec<f64> = (1..=100).map(f64::from).rev().collect();
        for (share, expected) in [(0.0, 1.0), (0.5, 50.0), (0.99, 99.0), (1.0, 100.0)] {
            assert!(
                (percentile(&values, share) - expected).abs() < f64::EPSILON,
                "{share}"
            );
        }
        assert!(percentile(&[], 0.5).is_nan());
    }
}
