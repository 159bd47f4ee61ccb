//! Where a character of a value stands in the text that it was read from.
//!
//! A value is not the text: quotes, escapes, indentation and folded lines are gone. What is the same in both, and in the
//! same order, is everything but white space; so that is counted.

use serde_saphyr::granit_parser::{ScalarStyle, Span};

/// A text as it was written.
#[derive(Clone, Debug)]
pub(super) struct Written {
    style: ScalarStyle,
    /// From 1.
    line: usize,
    /// From 0, in characters.
    column: usize,
    value: Box<str>,
}

impl Written {
    pub(super) fn new(style: ScalarStyle, span: &Span, value: &str) -> Self {
        Self {
            style,
            line: span.start.line(),
            column: span.start.col(),
            value: value.into(),
        }
    }

    /// Line and column, both from 1, where it begins.
    pub(super) fn start(&self) -> (usize, usize) {
        (self.line, self.column + 1)
    }

    /// Line and column, both from 1, of the byte `offset` of the value.
    pub(super) fn place(&self, source: &str, offset: usize) -> (usize, usize) {
        let offset = self.value.floor_char_boundary(offset.min(self.value.len()));
        let (before, after) = self.value.split_at(offset);
        let mut left = before.chars().filter(|letter| !letter.is_whitespace()).count();
        let is_end = after.trim().is_empty();
        let mut reader = Reader::at(source, self.line, self.column);
        match self.style {
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => reader.skip(1),
            // The header of a block: `|-`.
            ScalarStyle::Literal | ScalarStyle::Folded if reader.begins_with(['|', '>']) => {
                reader.skip_line();
            }
            _ => {}
        }
        let mut behind = reader.place();
        while let Some(letter) = reader.rest.chars().next() {
            if letter.is_whitespace() {
                reader.skip(1);
                continue;
            }
            if left == 0 {
                break;
            }
            let (length, is_white) = self.letter(reader.rest);
            reader.skip(length);
            left -= usize::from(!is_white);
            behind = reader.place();
        }
        if is_end { behind } else { reader.place() }
    }

    /// How many characters stand for the next one of the value, and whether that is white space.
    fn letter(&self, rest: &str) -> (usize, bool) {
        match self.style {
            ScalarStyle::SingleQuoted if rest.starts_with("''") => (2, false),
            ScalarStyle::DoubleQuoted if rest.starts_with('\\') => {
                let kind = rest.chars().nth(1).unwrap_or('\\');
                let digits = match kind {
                    'x' => 2,
                    'u' => 4,
                    'U' => 8,
                    _ => {
                        return (
                            2,
                            matches!(kind, 'n' | 't' | 'r' | 'v' | 'f' | 'N' | 'L' | 'P' | '_')
                                || kind.is_whitespace(),
                        );
                    }
                };
                let code = rest
                    .get(2..2 + digits)
                    .and_then(|code| u32::from_str_radix(code, 16).ok());
                (
                    2 + digits,
                    code.and_then(char::from_u32).is_some_and(char::is_whitespace),
                )
            }
            _ => (1, false),
        }
    }
}

/// Walks over a text and knows where it is.
struct Reader<'a> {
    rest: &'a str,
    line: usize,
    column: usize,
}

impl<'a> Reader<'a> {
    fn at(source: &'a str, line: usize, column: usize) -> Self {
        let start: usize = source
            .split_inclusive('\n')
            .take(line.saturating_sub(1))
            .map(str::len)
            .sum();
        let mut reader = Self {
            rest: source.get(start..).unwrap_or_default(),
            line,
            column: 0,
        };
        reader.skip(column);
        reader
    }

    fn begins_with(&self, letters: [char; 2]) -> bool {
        self.rest.starts_with(letters)
    }

    fn skip(&mut self, letters: usize) {
        for letter in self.rest.chars().take(letters) {
            self.rest = &self.rest[letter.len_utf8()..];
            if letter == '\n' {
                (self.line, self.column) = (self.line + 1, 0);
            } else {
                self.column += 1;
            }
        }
    }

    fn skip_line(&mut self) {
        let length = self.rest.find('\n').map_or(self.rest.len(), |end| end + 1);
        self.skip(self.rest[..length].chars().count());
    }

    fn place(&self) -> (usize, usize) {
        (self.line, self.column + 1)
    }
}
