//! A text as a tree of ranges: where each key, dash and value stands, so that whole ranges can be moved and no scalar
//! is ever written anew. What the reader of YAML does not say (dashes, colons, the ends of block scalars) is found in
//! the text; a text with anything else in these places is refused.

use std::ops::Range;

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, Span, StructureStyle, options};

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

/// The documents of a text, which has no carriage returns and no byte order mark.
pub(super) fn documents(text: &str) -> Result<Vec<Document>, Refused> {
    let mut documents: Vec<Document> = Vec::new();
    let mut reader = Reader {
        text,
        parser: Parser::new_from_str_with_options(
            text,
            options! {
                emit_anchor_events: true, emit_comments: false,
            },
        ),
    };
    while let Some((event, span)) = reader.next()? {
        match event {
            Event::DocumentStart(..) => {
                let start = if documents.is_empty() {
                    0
                } else {
                    bytes(&span).start
                };
                if let Some(last) = documents.last_mut() {
                    last.range.end = start;
                }
                documents.push(Document {
                    range: start..text.len(),
                    root: None,
                });
            }
            Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
            event => {
                let root = reader.node(event, &span)?;
                if let Some(document) = documents.last_mut() {
                    document.root = Some(root).filter(|root| !root.range.is_empty() || root.is_block());
                }
            }
        }
    }
    Ok(documents)
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

    /// Finds dashes, colons and ends; `from` is behind what leads to this value.
    pub(super) fn place(&mut self, text: &str, from: usize) -> Result<(), Refused> {
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

struct Reader<'t> {
    text: &'t str,
    parser: Parser<'t, serde_saphyr::granit_parser::StrInput<'t>>,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<Option<(Event<'t>, Span)>, Refused> {
        match self.parser.next_event() {
            None => Ok(None),
            Some(Ok(found)) => Ok(Some(found)),
            Some(Err(error)) => refused(
                error.marker().byte_offset().unwrap_or(0).min(self.text.len()),
                error.to_string(),
            ),
        }
    }

    /// The value that begins with this event.
    fn node(&mut self, event: Event<'t>, span: &Span) -> Result<Node, Refused> {
        let mut node = Node {
            range: bytes(span),
            properties: span.tag_span().map(|tag| bytes(&tag)),
            word: String::new(),
            shape: Shape::Leaf,
            has_anchor: false,
        };
        let anchored = match &event {
            Event::Scalar(_, _, anchor, _)
            | Event::SequenceStart(_, anchor, _)
            | Event::MappingStart(_, anchor, _) => *anchor != 0,
            _ => false,
        };
        if anchored && let Some((_, span)) = self.next()? {
            let anchor = bytes(&span);
            node.has_anchor = true;
            node.properties = Some(match node.properties {
                Some(tag) => tag.start.min(anchor.start)..tag.end.max(anchor.end),
                None => anchor,
            });
        }
        match event {
            Event::Scalar(word, style, ..) => {
                if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
                    node.shape = Shape::Text { keeps: false };
                } else if let Some(properties) = node.properties.as_ref().filter(|_| !node.range.is_empty()) {
                    node.range.start = properties.start;
                }
                node.word = word.into_owned();
            }
            Event::Alias(_) => {}
            Event::SequenceStart(style, ..) => {
                let mut items = Vec::new();
                loop {
                    let (event, span) = self.inside()?;
                    if event == Event::SequenceEnd {
                        node.range.end = bytes(&span).end;
                        break;
                    }
                    items.push(self.node(event, &span)?);
                }
                node.has_anchor |= items.iter().any(|item| item.has_anchor);
                node.shape = if style == StructureStyle::Flow {
                    Shape::FlowList(items)
                } else {
                    Shape::List(items.into_iter().map(|value| Item { dash: 0, value }).collect())
                };
            }
            Event::MappingStart(style, ..) => {
                let mut entries = Vec::new();
                loop {
                    let (event, span) = self.inside()?;
                    if event == Event::MappingEnd {
                        node.range.end = bytes(&span).end;
                        break;
                    }
                    let key = self.node(event, &span)?;
                    let (event, span) = self.inside()?;
                    let value = self.node(event, &span)?;
                    node.has_anchor |= key.has_anchor || value.has_anchor;
                    entries.push(Entry { key, value, colon: 0 });
                }
                node.shape = if style == StructureStyle::Flow {
                    Shape::FlowMap(entries)
                } else {
                    Shape::Map(entries)
                };
            }
            _ => return refused(node.range.start, "this is no value"),
        }
        if !node.is_block()
            && !matches!(node.shape, Shape::Text { .. })
            && let Some(properties) = &node.properties
        {
            node.range.start = node.range.start.min(properties.start);
        }
        Ok(node)
    }

    fn inside(&mut self) -> Result<(Event<'t>, Span), Refused> {
        match self.next()? {
            Some(found) => Ok(found),
            None => refused(self.text.len(), "the text ends inside a value"),
        }
    }
}

fn bytes(span: &Span) -> Range<usize> {
    span.byte_range().unwrap_or_default()
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
                at = end_of_line(text, at)
            }
            _ => return at,
        }
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

/// The end of the last line of a block scalar. Blank lines after it are its own only if it keeps them, or if they hold
/// more spaces than indent it.
fn end_of_text(text: &str, header: usize, content: &Range<usize>, keeps: bool) -> usize {
    let indent = content.start - start_of_line(text, content.start);
    let mut end = content.end.max(end_of_line(text, header));
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
