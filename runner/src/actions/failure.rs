//! Errors that actions share. Codes are those of the language.

use flowpilot_engine::journal::StepError;

/// An error with a code of the language.
pub(super) fn failure(code: &str, message: impl Into<String>) -> StepError {
    StepError {
        code: code.to_owned(),
        message: message.into(),
        ..StepError::default()
    }
}

/// What `with` says cannot be done. Another attempt would say the same.
pub(super) fn invalid_input(message: impl Into<String>) -> StepError {
    StepError {
        retryable: Some(false),
        ..failure("InvalidInput", message)
    }
}

/// Something is too large. Another attempt would be as large.
pub(super) fn limit_exceeded(message: impl Into<String>) -> StepError {
    StepError {
        retryable: Some(false),
        ..failure("LimitExceeded", message)
    }
}

/// A mistake of ours.
pub(crate) fn internal(message: impl Into<String>) -> StepError {
    StepError {
        retryable: Some(false),
        ..failure("Internal", message)
    }
}

/// Cuts a text to at most so many bytes, at the end of a character.
pub(super) fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}
