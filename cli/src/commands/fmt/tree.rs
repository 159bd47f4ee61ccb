//! A text as a tree of ranges: where each key, dash and value stands, so that whole ranges can be moved and no scalar
//! is ever written anew. What the reader of YAML does not say (dashes, colons, the ends of block scalars) is found in
//! the text; a text with anything else in these places is refused.

use std::ops::Range;

mod place;
mod read;

pub(super) use read::documents;

/// One document of a text.
pub(super) struct Document {
    /// From its `---`, or the start of the text, to that of the next.
    pub(super) range: Range<usize>,
    /// Nothing in an empty document.
    pub(super) root: Option<Node>,
}

/// A value.
pub(super) struct Node {
    /// From its anchor or tag, if it has one. A block collection has no end of its own.
    pub(super) range: Range<usize>,
    /// Where anchor and tag end.
    properties: Option<Range<usize>>,
    /// Of a scalar: what it says.
    pub(super) word: String,
    pub(super) shape: Shape,
    /// An anchor stands somewhere in it: order has a meaning then.
    pub(super) has_anchor: bool,
}

/// What a value is made of.
pub(super) enum Shape {
    /// A scalar or an alias on one or more lines.
    Leaf,
    /// A block scalar, and whether the blank lines after it are part of it.
    Text { keeps: bool },
    /// `{…}`, or one `key: value` in a flow list.
    FlowMap(Vec<Entry>),
    /// `[…]`.
    FlowList(Vec<Node>),
    /// Lines of `key: value`.
    Map(Vec<Entry>),
    /// Lines of `- value`.
    List(Vec<Item>),
}

/// `key: value`.
pub(super) struct Entry {
    pub(super) key: Node,
    pub(super) value: Node,
    /// Behind the colon, or behind the key where a flow map has no colon.
    pub(super) colon: usize,
}

/// `- value`.
pub(super) struct Item {
    pub(super) dash: usize,
    pub(super) value: Node,
}

/// A place in a text that cannot be formatted, and why.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) at: usize,
    pub(super) why: String,
}

pub(super) fn refused<T>(at: usize, why: impl Into<String>) -> Result<T, Refused> {
    Err(Refused { at, why: why.into() })
}

impl Node {
    /// Lines of entries or items.
    pub(super) fn is_block(&self) -> bool {
        matches!(self.shape, Shape::Map(_) | Shape::List(_))
    }

    /// Where the last part of it ends.
    pub(super) fn end(&self) -> usize {
        match &self.shape {
            Shape::Map(entries) => entries.last().map_or(self.range.end, |entry| entry.value.end()),
            Shape::List(items) => items.last().map_or(self.range.end, |item| item.value.end()),
            _ => self.range.end,
        }
    }

    /// The value of a field.
    pub(super) fn field(&self, name: &str) -> Option<&Self> {
        let (Shape::Map(entries) | Shape::FlowMap(entries)) = &self.shape else {
            return None;
        };
        entries
            .iter()
            .find(|entry| entry.key.word == name)
            .map(|entry| &entry.value)
    }

    /// What stands on the line of `from` before the first part of a block collection, or before the end of the line:
    /// an anchor, a tag, a comment.
    pub(super) fn lead<'t>(&self, text: &'t str, from: usize) -> Result<&'t str, Refused> {
        let end = end_of_line(text, from);
        if let Some(beyond) = self.properties.as_ref().filter(|properties| properties.end > end) {
            let why =
                "an anchor or tag on a line of its own is not formatted: write it behind the key or dash";
            return refused(beyond.start, why);
        }
        Ok(text[from..end.min(self.range.start)].trim_end())
    }
}

/// The place of the next line break, or the end of the text.
pub(super) fn end_of_line(text: &str, from: usize) -> usize {
    text[from..].find('\n').map_or(text.len(), |length| from + length)
}

/// Where the line of a place begins.
pub(super) fn start_of_line(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |line_break| line_break + 1)
}
