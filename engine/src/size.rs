//! How large and how deep a value is as JSON, without writing it anywhere.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;

use crate::expression::VALUE_DEPTH_LIMIT;

/// Bytes of the value as compact JSON.
pub(crate) fn json_size<T: Serialize>(value: &T) -> usize {
    let mut counter = Counter(0);
    match serde_json::to_writer(&mut counter, value) {
        Ok(()) => counter.0,
        Err(_) => usize::MAX,
    }
}

/// The value nests deeper than what can be read again inside a journal: readers of JSON stop at 128 levels.
pub(crate) fn is_too_deep(value: &Value) -> bool {
    fn exceeds(value: &Value, left: usize) -> bool {
        let Some(left) = left.checked_sub(1) else {
            return true;
        };
        match value {
            Value::Array(items) => items.iter().any(|item| exceeds(item, left)),
            Value::Object(fields) => fields.values().any(|field| exceeds(field, left)),
            _ => false,
        }
    }
    exceeds(value, VALUE_DEPTH_LIMIT + 1)
}

struct Counter(usize);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
