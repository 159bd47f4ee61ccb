//! From the events of the reader of YAML to a tree.

use std::ops::Range;

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, Span, StrInput, StructureStyle, options};

use super::{Document, Entry, Item, Node, Refused, Shape, refused};

/// The documents of a text, which has no carriage returns and no byte order mark.
pub(in crate::commands::fmt) fn documents(text: &str) -> Result<Vec<Document>, Refused> {
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

struct Reader<'t> {
    text: &'t str,
    parser: Parser<'t, StrInput<'t>>,
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
        // Where nothing is written, the reader may be far ahead; `place` knows better.
        let is_written = !node.is_block() && !node.range.is_empty();
        if is_written
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
