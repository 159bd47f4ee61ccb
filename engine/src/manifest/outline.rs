//! Where everything stands in a text.

use std::sync::OnceLock;

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, Span};

use super::written::Written;

/// A text, and where everything stands in it. That is found out when it is first asked for: most texts have no problem.
#[derive(Debug)]
pub(super) struct Outlines {
    text: String,
    read: OnceLock<(Vec<Outline>, Vec<LostNumber>)>,
}

impl Outlines {
    pub(super) fn of(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            read: OnceLock::new(),
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The document of this number, counted from 0 without empty ones.
    pub(super) fn document(&self, number: usize) -> &Outline {
        static NOWHERE: OnceLock<Outline> = OnceLock::new();
        let found = self.read().0.get(number);
        found.unwrap_or_else(|| NOWHERE.get_or_init(Outline::start))
    }

    /// Numbers that would be lost.
    pub(super) fn lost(&self) -> &[LostNumber] {
        // Eighteen digits always fit.
        let mut runs = self.text.as_bytes().split(|letter| !letter.is_ascii_digit());
        if runs.any(|run| run.len() > 18) {
            &self.read().1
        } else {
            &[]
        }
    }

    fn read(&self) -> &(Vec<Outline>, Vec<LostNumber>) {
        self.read.get_or_init(|| {
            let (mut documents, lost) = of(&self.text);
            documents.retain(|outline| !outline.is_empty);
            (documents, lost)
        })
    }
}

/// A value and where it stands; below it, its parts.
#[derive(Clone, Debug, Default)]
pub(super) struct Outline {
    line: u32,
    column: u32,
    fields: Vec<(String, Outline)>,
    items: Vec<Outline>,
    /// Of a text or another plain value: how it was written.
    written: Option<Written>,
    /// It stands for nothing: an empty document.
    is_empty: bool,
}

/// A number that no JSON reader keeps as it is written.
#[derive(Debug)]
pub(super) struct LostNumber {
    pub(super) line: u32,
    pub(super) column: u32,
    pub(super) written: String,
}

impl Outline {
    /// Line and column of a path, or of its nearest parent.
    pub(super) fn position(&self, path: &str) -> (u32, u32) {
        let (mut current, mut rest) = (self, path);
        while let Some((next, left)) = current.step(rest) {
            (current, rest) = (next, left);
        }
        (current.line, current.column)
    }

    /// How the plain value at a path was written.
    pub(super) fn written(&self, path: &str) -> Option<&Written> {
        let (mut current, mut rest) = (self, path);
        while !rest.is_empty() {
            (current, rest) = current.step(rest)?;
        }
        current.written.as_ref()
    }

    /// The part of this value that the path leads to next, and the rest of the path.
    fn step<'a, 'p>(&'a self, path: &'p str) -> Option<(&'a Self, &'p str)> {
        if let Some(rest) = path.strip_prefix('[') {
            let (number, rest) = rest.split_once(']')?;
            return Some((self.items.get(number.parse::<usize>().ok()?)?, rest));
        }
        let path = path.strip_prefix('.').unwrap_or(path);
        // Keys may contain dots: the longest key that fits is meant.
        let fits = |name: &str| {
            path.strip_prefix(name)
                .filter(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        let fields = self
            .fields
            .iter()
            .filter_map(|(name, inner)| Some((name.len(), inner, fits(name)?)));
        fields
            .max_by_key(|(length, _, _)| *length)
            .map(|(_, inner, rest)| (inner, rest))
    }

    /// The beginning of a text.
    fn start() -> Self {
        Self {
            line: 1,
            column: 1,
            ..Self::default()
        }
    }

    fn at(span: &Span) -> Self {
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let (line, column) = (
            number(span.start.line()),
            number(span.start.col()).saturating_add(1),
        );
        Self {
            line,
            column,
            ..Self::default()
        }
    }
}

/// A list or map that is being read.
struct Open {
    outline: Outline,
    is_map: bool,
    /// Of a map: the key whose value comes next, and where it stands.
    key: Option<(String, Outline)>,
}

/// The outline of each document of a text, and numbers that would be lost. A text that cannot be parsed to its end
/// gives what was read.
fn of(text: &str) -> (Vec<Outline>, Vec<LostNumber>) {
    let mut documents = Vec::new();
    let mut lost = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    let mut parser = Parser::new_from_str(text);
    while let Some(Ok((event, span))) = parser.next_event() {
        let (here, starts) = (Outline::at(&span), |is_map| Open {
            outline: Outline::at(&span),
            is_map,
            key: None,
        });
        let done = match event {
            Event::MappingStart(..) => {
                open.push(starts(true));
                continue;
            }
            Event::SequenceStart(..) => {
                open.push(starts(false));
                continue;
            }
            Event::MappingEnd | Event::SequenceEnd => match open.pop() {
                Some(closed) => closed.outline,
                None => continue,
            },
            Event::Scalar(value, style, ..) => {
                if style == ScalarStyle::Plain && is_lost(&value) {
                    lost.push(LostNumber {
                        line: here.line,
                        column: here.column,
                        written: value.chars().take(60).collect(),
                    });
                }
                let is_key = open.last().is_some_and(|open| open.is_map && open.key.is_none());
                if is_key && let Some(map) = open.last_mut() {
                    map.key = Some((value.into_owned(), here));
                    continue;
                }
                Outline {
                    is_empty: value.is_empty() || value == "null" || value == "~",
                    written: Some(Written::new(style, &span, &value)),
                    ..here
                }
            }
            Event::Alias(_) => here,
            _ => continue,
        };
        match open.last_mut() {
            None => documents.push(done),
            Some(parent) if !parent.is_map => parent.outline.items.push(done),
            Some(parent) => match parent.key.take() {
                // A field stands where its key does.
                Some((name, key)) => {
                    let field = Outline {
                        line: key.line,
                        column: key.column,
                        ..done
                    };
                    parent.outline.fields.push((name, field));
                }
                // A key that is no text: nothing can lead to it.
                None => parent.key = Some((String::new(), done)),
            },
        }
    }
    (documents, lost)
}

/// A whole number that does not fit into 64 bits.
fn is_lost(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.starts_with(|first: char| first.is_ascii_digit()) {
        return false;
    }
    digits.bytes().all(|letter| letter.is_ascii_digit()) && text.parse::<i64>().is_err()
}
