//! What can go wrong with an expression: at parsing (shown at `kubectl apply`) and at evaluation (fails a step).
//!
//! `Fault` is the internal form: functions raise it without knowing where they were called, the evaluator adds
//! the place, and [`EvaluationError`] is made of it at the end.

use super::ast::Span;
use snafu::Snafu;

/// The code of an expression that failed by its values.
const EXPRESSION_ERROR: &str = "ExpressionError";
/// The code of an expression that used up its budget.
const LIMIT_EXCEEDED: &str = "LimitExceeded";

/// An expression that cannot be parsed.
#[derive(Debug, Clone, PartialEq, Eq, Snafu)]
#[snafu(display("{message}{}", hint(suggestion.as_deref())))]
pub struct ParseError {
    /// What is wrong, without the place.
    pub message: String,
    /// Where, in bytes from the start of the source.
    pub offset: usize,
    /// What was probably meant.
    pub suggestion: Option<String>,
}

fn hint(suggestion: Option<&str>) -> String {
    suggestion
        .map(|name| format!("; did you mean `{name}`?"))
        .unwrap_or_default()
}

impl ParseError {
    pub(super) fn new(message: impl Into<String>, offset: usize) -> Self {
        Self {
            message: message.into(),
            offset,
            suggestion: None,
        }
    }

    pub(super) fn suggesting(mut self, suggestion: Option<String>) -> Self {
        self.suggestion = suggestion;
        self
    }

    /// The same error seen from a text in which the source begins at `base`.
    pub(super) fn shifted(mut self, base: usize) -> Self {
        self.offset += base;
        self
    }
}

/// An expression that failed while it was evaluated.
#[derive(Debug, Clone, PartialEq, Eq, Snafu)]
#[snafu(display("{message}"))]
pub struct EvaluationError {
    /// `ExpressionError`, or `LimitExceeded` when the budget is used up.
    pub code: &'static str,
    /// What is wrong, the sub-expression, and the values it saw, each cut to a readable length.
    pub message: String,
    /// Where, in bytes from the start of `expression`.
    pub offset: usize,
    /// The whole expression or text.
    pub expression: String,
}

/// How much of a sub-expression an error shows.
const EXCERPT: usize = 80;

impl EvaluationError {
    /// An error without a place inside the expression.
    pub(super) fn plain(message: impl Into<String>, expression: &str) -> Self {
        Self {
            code: EXPRESSION_ERROR,
            message: message.into(),
            offset: 0,
            expression: expression.to_owned(),
        }
    }

    pub(super) fn from_fault(fault: &Fault, source: &str) -> Self {
        let Fault(fault) = fault;
        let code = if fault.limit {
            LIMIT_EXCEEDED
        } else {
            EXPRESSION_ERROR
        };
        let (start, end) = fault
            .span
            .map_or((0, source.len()), |span| (span.start as usize, span.end as usize));
        let part = source.get(start..end).unwrap_or(source);
        let message = format!("{} in `{}` at {start}", fault.message, excerpt(part));
        Self {
            code,
            message,
            offset: start,
            expression: source.to_owned(),
        }
    }

    /// The same error seen from a text in which the expression begins at `base`.
    pub(super) fn within(mut self, text: &str, base: usize) -> Self {
        self.offset += base;
        text.clone_into(&mut self.expression);
        self
    }
}

/// Cuts a text to what an error message may show of it.
pub(super) fn excerpt(text: &str) -> String {
    match text.char_indices().nth(EXCERPT) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// An evaluation that failed, on its way up to the place that knows the source. Boxed, so that the good way stays
/// small.
#[derive(Debug)]
pub(super) struct Fault(Box<Details>);

#[derive(Debug)]
struct Details {
    limit: bool,
    message: String,
    span: Option<Span>,
}

pub(super) type Outcome<T> = Result<T, Fault>;

impl Fault {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self(Box::new(Details {
            limit: false,
            message: message.into(),
            span: None,
        }))
    }

    pub(super) fn limit(message: impl Into<String>) -> Self {
        Self(Box::new(Details {
            limit: true,
            message: message.into(),
            span: None,
        }))
    }

    /// Gives the fault a place, unless something further inside already did.
    pub(super) fn at(mut self, span: Span) -> Self {
        self.0.span.get_or_insert(span);
        self
    }

    /// The same fault without what it says of values. A used-up budget says nothing of them.
    pub(super) fn hiding(mut self, path: &str) -> Self {
        if !self.0.limit {
            self.0.message = format!("failed on values that are not shown, since {path} is sensitive");
        }
        self
    }

    /// Whether the budget is used up. That is passed over nowhere.
    pub(super) fn is_limit(&self) -> bool {
        self.0.limit
    }

    pub(super) fn into_message(self) -> String {
        self.0.message
    }
}
