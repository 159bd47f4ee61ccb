//! What is wrong with a template, and where.

use std::error::Error as _;

use minijinja::{Error, ErrorKind};
use snafu::Snafu;

/// How much of the template an error shows.
const EXCERPT: usize = 80;
/// How long a message may be: it goes into the journal.
const MESSAGE: usize = 1_000;

/// A template that cannot be read, or not be rendered with its data.
#[derive(Clone, Debug, PartialEq, Eq, Snafu)]
#[snafu(display("{message} (line {line}, column {column} of the template)"))]
pub struct TemplateError {
    /// What is wrong, without the place.
    pub message: String,
    /// What was probably meant.
    pub suggestion: Option<String>,
    /// Where, in bytes from the start of the template.
    pub offset: usize,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// A limit was passed: `LimitExceeded` and not `ExpressionError`.
    pub limit: bool,
}

impl TemplateError {
    pub(super) fn new(message: impl Into<String>, source: &str, offset: usize) -> Self {
        let mut message = message.into();
        message.truncate(message.floor_char_boundary(MESSAGE));
        let offset = source.floor_char_boundary(offset.min(source.len()));
        let before = &source[..offset];
        let start = before.rfind('\n').map_or(0, |position| position + 1);
        Self {
            message,
            suggestion: None,
            offset,
            line: before.matches('\n').count() + 1,
            column: before[start..].chars().count() + 1,
            limit: false,
        }
    }

    pub(super) fn limit(message: impl Into<String>, source: &str, offset: usize) -> Self {
        Self {
            limit: true,
            ..Self::new(message, source, offset)
        }
    }

    pub(super) fn suggesting(mut self, suggestion: Option<String>) -> Self {
        if let Some(like) = &suggestion {
            self.message = format!("{}; did you mean `{like}`?", self.message);
        }
        self.suggestion = suggestion;
        self
    }

    /// An error of minijinja, in our words where its own say too little.
    pub(super) fn of(error: &Error, source: &str) -> Self {
        let range = error.range().filter(|range| !range.is_empty());
        let offset = range.as_ref().map_or_else(
            || line_start(source, error.line().unwrap_or(1)),
            |range| range.start,
        );
        let part = range
            .and_then(|range| source.get(range))
            .unwrap_or_default()
            .trim();
        let part = &part[..part.floor_char_boundary(EXCERPT)];
        let said = innermost(error);
        let message = match error.kind() {
            ErrorKind::OutOfFuel => {
                return Self::limit("the template does too much work with this data", source, offset);
            }
            ErrorKind::UndefinedError => {
                let name = said.strip_suffix(" is undefined").map(str::to_owned);
                let name = name.unwrap_or_else(|| format!("`{part}`, or what it reads,"));
                format!(
                    "{name} is not there (for what may be absent write `|default(…)`, or ask `is defined`)"
                )
            }
            ErrorKind::UnknownMethod => {
                format!("{said}: there are no methods here; look for a filter, such as `|items`")
            }
            ErrorKind::SyntaxError => said,
            _ if part.is_empty() => said,
            _ => format!("{said} in `{part}`"),
        };
        Self::new(message, source, offset)
    }
}

/// What the first cause said.
fn innermost(error: &Error) -> String {
    let mut said = error
        .detail()
        .map_or_else(|| error.kind().to_string(), str::to_owned);
    let mut source = error.source();
    while let Some(cause) = source {
        said = cause.downcast_ref::<Error>().map_or_else(
            || format!("{said}: {cause}"),
            |cause| {
                cause
                    .detail()
                    .map_or_else(|| cause.kind().to_string(), str::to_owned)
            },
        );
        source = cause.source();
    }
    said
}

fn line_start(source: &str, line: usize) -> usize {
    let lines = source.split_inclusive('\n').take(line.saturating_sub(1));
    lines.map(str::len).sum()
}
