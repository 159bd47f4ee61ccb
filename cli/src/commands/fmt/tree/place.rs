//! What the reader of YAML does not say is found in the text: dashes, colons, the ends of block scalars.

use std::ops::Range;

use super::{Node, Refused, Shape, end_of_line, refused, start_of_line};

impl Node {
    /// Finds dashes, colons and ends; `from` is behind what leads to this value.
    pub(in crate::commands::fmt) fn place(&mut self, text: &str, from: usize) -> Result<(), Refused> {
        let after = match &self.properties {
            Some(properties) => properties.end,
            None => from,
        };
        match &mut self.shape {
            Shape::Leaf if self.range.is_empty() => {
                self.range = self.properties.clone().unwrap_or(from..from);
            }
            Shape::Leaf => {}
            Shape::Text { keeps } => {
                let header = skip(text, after, false);
                *keeps = text[header..]
                    .split_whitespace()
                    .next()
                    .is_some_and(|word| word.contains('+'));
                self.range = after.min(header)..end_of_text(text, header, &self.range, *keeps);
            }
            Shape::FlowMap(entries) => {
                for entry in entries {
                    let colon = skip(text, entry.key.range.end, true);
                    let has_colon = text[colon..].starts_with(':');
                    entry.colon = if has_colon { colon + 1 } else { entry.key.range.end };
                    entry.value.place(text, entry.colon)?;
                }
            }
            Shape::FlowList(items) => {
                for item in items {
                    let start = item.range.start;
                    item.place(text, start)?;
                }
            }
            Shape::Map(entries) => {
                let mut from = after;
                for entry in entries.iter_mut() {
                    let start = skip(text, from, true);
                    if start != entry.key.range.start
                        || !matches!(entry.key.shape, Shape::Leaf)
                        || text[entry.key.range.clone()].contains('\n')
                    {
                        return refused(
                            start,
                            "a key of more than one line, or behind `?`, is not formatted: write `key: value`",
                        );
                    }
                    let colon = skip(text, entry.key.range.end, false);
                    if !text[colon..].starts_with(':') {
                        return refused(colon, "there is no colon behind the key");
                    }
                    entry.colon = colon + 1;
                    entry.value.place(text, entry.colon)?;
                    from = entry.value.end();
                }
                self.range.start = entries.first().map_or(after, |entry| entry.key.range.start);
            }
            Shape::List(items) => {
                let mut from = after;
                for item in items.iter_mut() {
                    item.dash = skip(text, from, true);
                    if !text[item.dash..].starts_with('-') {
                        return refused(item.dash, "there is no dash before the item");
                    }
                    item.value.place(text, item.dash + 1)?;
                    from = item.value.end();
                }
                self.range.start = items.first().map_or(after, |item| item.dash);
            }
        }
        Ok(())
    }
}

/// The next place that is no space; and no line break, no comment, if they are to be skipped, too.
fn skip(text: &str, from: usize, lines: bool) -> usize {
    let mut at = from;
    loop {
        let rest = &text[at..];
        let spaces = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        at += spaces;
        match text[at..].bytes().next() {
            Some(b'\n') if lines => at += 1,
            Some(b'#')
                if lines && text[..at].ends_with([' ', '\t', '\n']) || at == 0 && text.starts_with('#') =>
            {
                at = end_of_line(text, at);
            }
            _ => return at,
        }
    }
}

/// The end of the last line of a block scalar. Blank lines after it are its own only if it keeps them, or if they hold
/// more spaces than indent it.
fn end_of_text(text: &str, header: usize, content: &Range<usize>, keeps: bool) -> usize {
    let first = end_of_line(text, header);
    let mut end = content.end.max(first);
    // Nothing but blank lines has no indentation.
    let is_empty = text[first..end].trim().is_empty();
    let indent = if is_empty {
        usize::MAX
    } else {
        content.start - start_of_line(text, content.start)
    };
    let last_line = |end: usize| {
        text[header..end]
            .rfind('\n')
            .map(|line_break| header + line_break)
    };
    let is_blank = |line: &str| line.bytes().all(|letter| letter == b' ');
    // The reader stops where the next thing begins, on a line of that.
    if let Some(line_break) = last_line(end)
        && is_blank(&text[line_break + 1..end])
    {
        end = line_break;
    }
    while !keeps
        && let Some(line_break) = last_line(end)
        && is_blank(&text[line_break + 1..end])
        && end - line_break - 1 <= indent
    {
        end = line_break;
    }
    end
}
