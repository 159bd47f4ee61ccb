//! Files with WorkflowTest documents, cut into their documents.
//!
//! A file may hold a thousand tests. Each is parsed by itself, so that the limits of a manifest are those of one
//! document, a mistake in one does not hide the others, and `--update` touches one and leaves the rest as it is.

use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::Context;
use flowpilot_engine::manifest;

/// The largest file that is read: a hundred times the largest manifest.
const FILE_BYTES: u64 = 50 * 1024 * 1024;

/// A file, cut at the lines `---`.
#[derive(Debug)]
pub(crate) struct TestFile {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    pub(crate) parts: Vec<Part>,
}

/// One document of a file.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// Where its text stands.
    pub(crate) bytes: Range<usize>,
    /// Lines before it.
    pub(crate) lines: u32,
}

/// Something that cannot be read, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable {
    pub(crate) file: PathBuf,
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) message: String,
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            file,
            line,
            column,
            message,
        } = self;
        write!(formatter, "{}:{line}:{column}: {message}", file.display())
    }
}

impl TestFile {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let size = std::fs::metadata(path)
            .with_context(|| format!("failed to read {}", path.display()))?
            .len();
        anyhow::ensure!(
            size <= FILE_BYTES,
            "{} has {size} bytes; at most {FILE_BYTES} are read",
            path.display()
        );
        let bytes = std::fs::read(path).with_context(|| format!("failed to read {}", path.display()))?;
        let text = String::from_utf8(bytes);
        let text =
            text.with_context(|| format!("{} is not UTF-8: save it in that encoding", path.display()))?;
        let parts = cut(&text);
        Ok(Self {
            path: path.to_owned(),
            text,
            parts,
        })
    }

    /// The text of a part.
    pub(crate) fn part(&self, part: &Part) -> &str {
        &self.text[part.bytes.clone()]
    }

    /// Parses a part that holds one of our tests; nothing if it is something else or empty.
    pub(crate) fn parse(&self, part: &Part) -> Result<Option<manifest::Document>, Unreadable> {
        let text = self.part(part);
        if !text.contains("WorkflowTest") {
            return Ok(None);
        }
        match manifest::parse(text.as_bytes()) {
            Ok(documents) => Ok(documents
                .into_iter()
                .find(|document| document.kind == "WorkflowTest")),
            Err(problems) => {
                let first = problems.into_iter().next();
                let (line, column, message) = first.map_or((1, 1, String::new()), |problem| {
                    (
                        problem.line,
                        problem.column,
                        format!("{} [{}]", problem.message, problem.code),
                    )
                });
                Err(Unreadable {
                    file: self.path.clone(),
                    line: line + part.lines,
                    column,
                    message,
                })
            }
        }
    }
}

/// Cuts a text at its document markers. A line that begins with `---` is one wherever it stands.
fn cut(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let (mut start, mut first_line) = (0, 0);
    let mut offset = 0;
    for (number, line) in (1_u32..).zip(text.split_inclusive('\n')) {
        let behind = line.strip_prefix("---");
        if behind.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\n', '\r', '\t'])) {
            parts.push(Part {
                bytes: start..offset,
                lines: first_line,
            });
            (start, first_line) = (offset + line.len(), number);
        }
        offset += line.len();
    }
    parts.push(Part {
        bytes: start..text.len(),
        lines: first_line,
    });
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_cut_at_its_document_markers_and_lines_are_counted() {
        let text = "a: 1\n---\nb: |\n  ---x\nc: 3\n--- \nd: 4";
        let parts = cut(text);
        let texts: Vec<_> = parts
            .iter()
            .map(|part| (&text[part.bytes.clone()], part.lines))
            .collect();
        assert_eq!(texts, [("a: 1\n", 0), ("b: |\n  ---x\nc: 3\n", 2), ("d: 4", 6)]);
    }
}
