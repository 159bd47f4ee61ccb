//! What the command prints: to the terminal and nowhere else.

use std::io::Write;

use clap::ValueEnum;
use serde::Serialize;
use serde_json::Value;

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Aligned columns for people.
    #[default]
    Table,
    /// One JSON document.
    Json,
    /// One YAML document.
    Yaml,
}

/// One line on standard output. A reader that went away (`| head`) is no error.
pub(crate) fn line(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// One line on standard error.
pub(crate) fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// What a person is asked, on standard error; the answer is typed behind it.
pub(crate) fn prompt(text: &str) {
    let mut terminal = std::io::stderr();
    let _ = write!(terminal, "{text}");
    let _ = terminal.flush();
}

/// What went wrong, on standard error.
pub(crate) fn error(text: &str) {
    note(&format!("error: {text}"));
}

/// A document as JSON or YAML.
pub(crate) fn document(value: &impl Serialize, format: Format) -> anyhow::Result<()> {
    let text = match format {
        Format::Yaml => serde_saphyr::to_string(value)?,
        Format::Json | Format::Table => serde_json::to_string_pretty(value)?,
    };
    line(text.trim_end());
    Ok(())
}

/// Rows under headings, columns aligned as `kubectl` does it.
pub(crate) fn table(headings: &[&str], rows: &[Vec<String>]) {
    for row in columns(headings, rows) {
        line(&row);
    }
}

/// The lines of a table.
pub(crate) fn columns(headings: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    let mut widths: Vec<usize> = headings.iter().map(|heading| heading.len()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let render = |cells: &[String]| {
        let padded = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("   ").trim_end().to_owned()
    };
    let headings: Vec<String> = headings.iter().map(ToString::to_string).collect();
    std::iter::once(&headings)
        .chain(rows)
        .map(|cells| render(cells))
        .collect()
}

/// The text at a JSON pointer, or nothing.
pub(crate) fn text(value: &Value, pointer: &str) -> String {
    match value.pointer(pointer) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}
