//! What stays out of the errors of steps that read or give what is sensitive.
//!
//! Expressions see to it themselves ([`Scope::is_sensitive`](crate::expression::Scope::is_sensitive)). Here is what is
//! said of their values afterwards. What an action answers stands as it is: it is what the other side says.

use super::Run;
use super::frame::Instance;
use super::retry::RETRYABLE;
use crate::journal::StepError;
use crate::plan::Work;

const HIDDEN: &str = "not shown: it is made of values that are sensitive";

impl Run {
    /// The error without what would show hidden values.
    pub(super) fn hide(&self, instance: Instance, error: StepError) -> StepError {
        let says_values = match &self.plan.steps[instance.step].work {
            Work::Fail { .. } => true,
            // What ended it from outside says nothing of its values.
            Work::Script { .. } => !RETRYABLE.contains(&error.code.as_str()) && error.code != "LimitExceeded",
            // Without details: words about a value, not about an expression.
            _ => error.code == "ExpressionError" && error.details.is_none(),
        };
        if !says_values || !self.plan.is_sensitive(instance.step) {
            return error;
        }
        StepError {
            message: HIDDEN.to_owned(),
            details: None,
            ..error
        }
    }

    /// The message of a `stop`, the same way.
    pub(super) fn hide_message(&self, instance: Instance, message: Option<String>) -> Option<String> {
        if self.plan.is_sensitive(instance.step) {
            message.map(|_| HIDDEN.to_owned())
        } else {
            message
        }
    }
}
