//! Lines of entries and items: put in order, indented by two, with their comments.

use flowpilot_crds::field_order::FieldOrder;

use super::flow;
use super::gap::{self, Line};
use super::tree::{Entry, Item, Node, Refused, Shape, end_of_line, refused, start_of_line};

/// What came of a block collection.
pub(super) struct Block {
    /// What stands above its first line.
    pub(super) above: Vec<Line>,
    pub(super) lines: Vec<String>,
    end: End,
}

/// How lines end.
#[derive(Clone, Copy)]
enum End {
    Plain,
    /// With a comment in this column, which belongs to what is above it.
    Foot(usize),
    /// With a block scalar to which a blank line would be added.
    Keeps,
}

/// One entry or item, with what belongs to it.
struct Part<'a> {
    head: Vec<Line>,
    body: Body<'a>,
    foot: Vec<Line>,
}

enum Body<'a> {
    Entry(&'a Entry),
    Item(&'a Item),
}

impl Body<'_> {
    fn start(&self) -> usize {
        match self {
            Self::Entry(entry) => entry.key.range.start,
            Self::Item(item) => item.dash,
        }
    }

    fn value(&self) -> &Node {
        match self {
            Self::Entry(entry) => &entry.value,
            Self::Item(item) => &item.value,
        }
    }

    /// Behind the colon or the dash.
    fn opened(&self) -> usize {
        match self {
            Self::Entry(entry) => entry.colon,
            Self::Item(item) => item.dash + 1,
        }
    }
}

/// Writes a block collection in a column. `above` is what stands between it and what leads to it, `foot` what stands
/// below and belongs into it.
pub(super) fn written(
    text: &str,
    node: &Node,
    column: usize,
    order: Option<&FieldOrder>,
    (above, foot): (Vec<Line>, Vec<Line>),
) -> Result<Block, Refused> {
    let mut out = Block {
        above: Vec::new(),
        lines: Vec::new(),
        end: End::Plain,
    };
    for (number, mut part) in parts(text, node, order, above, foot)?.into_iter().enumerate() {
        let mut body = body(text, &mut part, column, order)?;
        if matches!(part.body, Body::Item(_)) {
            part.head.append(&mut body.above);
        }
        if number == 0 {
            let blank = part.head.iter().take_while(|line| **line == Line::Blank).count();
            out.above = part.head.split_off(blank);
        } else {
            let touches = matches!(out.end, End::Foot(at) if at <= column);
            if touches && part.head.first() != Some(&Line::Blank) {
                out.add(&[Line::Blank], column);
            }
            out.add(&part.head, column);
        }
        out.lines.append(&mut body.lines);
        out.end = body.end;
        if !part.foot.is_empty() {
            out.add(&part.foot, column);
            out.end = End::Foot(column);
        }
    }
    Ok(out)
}

impl Block {
    /// Blank lines behind it would become part of it.
    pub(super) fn keeps_lines(&self) -> bool {
        matches!(self.end, End::Keeps)
    }

    /// Adds comments, and no blank line after another.
    fn add(&mut self, lines: &[Line], column: usize) {
        for line in lines {
            match line {
                Line::Comment(_, comment) => {
                    self.lines.push(format!("{:column$}{comment}", ""));
                    self.end = End::Plain;
                }
                Line::Blank if self.keeps_lines() || self.lines.last().is_none_or(String::is_empty) => {}
                Line::Blank => self.lines.push(String::new()),
            }
        }
    }
}

/// Entries or items in their new order, each with its comments.
fn parts<'a>(
    text: &str,
    node: &'a Node,
    order: Option<&FieldOrder>,
    above: Vec<Line>,
    mut foot: Vec<Line>,
) -> Result<Vec<Part<'a>>, Refused> {
    let bodies: Vec<Body<'a>> = match &node.shape {
        Shape::Map(entries) => entries.iter().map(Body::Entry).collect(),
        Shape::List(items) => items.iter().map(Body::Item).collect(),
        _ => Vec::new(),
    };
    let mut parts: Vec<Part<'a>> = Vec::with_capacity(bodies.len());
    let mut head = above;
    for body in bodies {
        if let Some(before) = parts.last_mut() {
            let start = start_of_line(text, body.start());
            let line = after(text, before.body.value().end())?;
            let gap = gap::lines(text, line..start.max(line))?;
            (before.foot, head) = gap::split(gap, body.start() - start);
        }
        parts.push(Part {
            head: std::mem::take(&mut head),
            body,
            foot: Vec::new(),
        });
    }
    if let Some(last) = parts.last_mut() {
        last.foot.append(&mut foot);
    }
    if let Shape::Map(entries) = &node.shape {
        let mut moved: Vec<Option<Part<'a>>> = parts.into_iter().map(Some).collect();
        return Ok(flow::sorted(entries, order)
            .into_iter()
            .filter_map(|place| moved[place].take())
            .collect());
    }
    Ok(parts)
}

/// The line after the one on which a value ends, if nothing but a comment follows it there.
pub(super) fn after(text: &str, end: usize) -> Result<usize, Refused> {
    let line = end_of_line(text, end);
    let rest = text[end..line].trim_start();
    if !rest.is_empty() && !rest.starts_with('#') {
        return refused(end, "this is not understood behind a value");
    }
    Ok((line + 1).min(text.len()))
}

/// An entry or item without its head, and of its foot with what belongs into its value.
fn body(
    text: &str,
    part: &mut Part<'_>,
    column: usize,
    order: Option<&FieldOrder>,
) -> Result<Block, Refused> {
    let order = match &part.body {
        Body::Entry(entry) => order.and_then(|order| order.field(&entry.key.word)),
        Body::Item(_) => order.and_then(FieldOrder::item),
    };
    let (opened, value) = (part.body.opened(), part.body.value());
    if !value.is_block() {
        return Ok(leaf(text, &part.body, column, order));
    }
    let own_line = start_of_line(text, value.range.start);
    let lead = value.lead(text, opened)?;
    let above = if own_line > opened {
        gap::lines(text, end_of_line(text, opened) + 1..own_line)?
    } else {
        Vec::new()
    };
    let foot = gap::take_deeper(&mut part.foot, value.range.start - own_line);
    let is_item = matches!(part.body, Body::Item(_));
    // The dashes of a list stand below the key.
    let is_below_key = !is_item && matches!(value.shape, Shape::List(_));
    let inner_column = if is_below_key { column } else { column + 2 };
    let mut inner = written(text, value, inner_column, order, (above, foot))?;
    let mut out = Block {
        above: Vec::new(),
        lines: Vec::new(),
        end: End::Plain,
    };
    if is_item && lead.is_empty() {
        out.above = inner.above;
        if let Some(first) = inner.lines.first_mut() {
            first.replace_range(column..=column, "-");
        }
    } else {
        let name = &text[part.body.start()..opened];
        out.lines.push(format!("{:column$}{name}{lead}", ""));
        out.add(&inner.above, inner_column);
    }
    out.lines.append(&mut inner.lines);
    out.end = inner.end;
    Ok(out)
}

/// A value that is no block collection: its lines move together.
fn leaf(text: &str, body: &Body<'_>, column: usize, order: Option<&FieldOrder>) -> Block {
    let (start, opened, value) = (body.start(), body.opened(), body.value());
    let mut between = &text[opened..value.range.start];
    if matches!(body, Body::Item(_)) && !between.is_empty() && !between.contains('\n') {
        between = " ";
    }
    let behind = &text[value.range.end..end_of_line(text, value.range.end)];
    let whole = format!(
        "{}{between}{}{behind}",
        &text[start..opened],
        flow::written(text, value, order)
    );
    let is_text = matches!(value.shape, Shape::Text { .. });
    let whole = if is_text { &whole } else { whole.trim_end() };
    let old_column = start - start_of_line(text, start);
    let mut lines = whole.split('\n');
    let first = lines.next().unwrap_or_default();
    let first = format!(
        "{:column$}{}",
        "",
        if whole.contains('\n') {
            first.trim_end()
        } else {
            first
        }
    );
    let rest = lines.map(|line| shifted(line, old_column, column));
    Block {
        above: Vec::new(),
        lines: std::iter::once(first).chain(rest).collect(),
        end: if matches!(value.shape, Shape::Text { keeps: true }) {
            End::Keeps
        } else {
            End::Plain
        },
    }
}

/// A line of a value whose first line moved from one column to another.
fn shifted(line: &str, from: usize, to: usize) -> String {
    if line.is_empty() || to >= from {
        let more = if line.is_empty() { 0 } else { to - from };
        return format!("{:more$}{line}", "");
    }
    let spaces = line.len() - line.trim_start_matches(' ').len();
    line[spaces.min(from - to)..].to_owned()
}
