//! What a script writes with `console`.

use super::{Level, Limits, Line};

/// Log lines, as many as are kept.
pub(super) struct Console {
    lines: Vec<Line>,
    bytes: usize,
    /// Lines that were not kept.
    dropped: u64,
    most_lines: usize,
    most_bytes: usize,
}

impl Console {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            lines: Vec::new(),
            bytes: 0,
            dropped: 0,
            most_lines: limits.lines,
            most_bytes: limits.log,
        }
    }

    pub(super) fn write(&mut self, level: &str, text: &str) {
        let left = self.most_bytes - self.bytes;
        if self.lines.len() == self.most_lines || (left == 0 && !text.is_empty()) {
            self.dropped += 1;
            return;
        }
        let text = &text[..text.floor_char_boundary(left.min(text.len()))];
        self.bytes += text.len();
        self.lines.push(Line {
            level: match level {
                "debug" => Level::Debug,
                "warn" => Level::Warn,
                "error" => Level::Error,
                _ => Level::Info,
            },
            text: text.to_owned(),
        });
    }

    /// The lines, and at the end how many are not among them.
    pub(super) fn into_lines(self) -> Vec<Line> {
        let Self {
            mut lines, dropped, ..
        } = self;
        if dropped > 0 {
            lines.push(Line {
                level: Level::Warn,
                text: format!("{dropped} more lines were not kept"),
            });
        }
        lines
    }
}
