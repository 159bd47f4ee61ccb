//! A whole text: its documents, the lines between them, its line ends.

use flowpilot_crds::GROUP;
use flowpilot_crds::field_order::FieldOrder;

use super::block;
use super::gap::{self, Line};
use super::tree::{self, Document, Node, Refused, Shape, start_of_line};
use crate::testing::document;

/// The text in its canonical form. Documents of other groups stay as they are.
pub(super) fn formatted(text: &str) -> Result<String, Refused> {
    let windows = text.contains("\r\n");
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut out: Vec<String> = Vec::new();
    let documents = tree::documents(&text)?;
    if documents.is_empty() {
        between(text.trim_end(), &mut out);
    }
    for Document { range, root } in documents {
        match root.map(|root| (order(&root), root)) {
            None => between(last(&text, &range, &text[range.clone()]), &mut out),
            Some((Some(order), root)) => ours(&text, range, root, &order, &mut out)?,
            Some((None, _)) => {
                let written = &text[range];
                out.extend(
                    written
                        .strip_suffix('\n')
                        .unwrap_or(written)
                        .split('\n')
                        .map(str::to_owned),
                );
            }
        }
    }
    if out.is_empty() {
        return Ok(String::new());
    }
    let mut whole = out.join("\n");
    whole.push('\n');
    Ok(if windows {
        whole.replace('\n', "\r\n")
    } else {
        whole
    })
}

/// The order of an object's fields, if it is one of ours.
fn order(root: &Node) -> Option<FieldOrder> {
    let group = root.field("apiVersion")?.word.split('/').next()?;
    if group != GROUP {
        return None;
    }
    match root.field("kind")?.word.as_str() {
        "WorkflowTest" => Some(document::field_order()),
        kind => FieldOrder::of_kind(kind),
    }
}

fn ours(
    text: &str,
    range: std::ops::Range<usize>,
    mut root: Node,
    order: &FieldOrder,
    out: &mut Vec<String>,
) -> Result<(), Refused> {
    let start = root.range.start;
    root.place(text, start)?;
    let first_line = start_of_line(text, root.range.start).max(range.start);
    let is_block = matches!(root.shape, Shape::Map(_));
    if is_block && !text[first_line..root.range.start].trim().is_empty() {
        return tree::refused(
            first_line,
            "this is not understood before a map: begin it on a line of its own",
        );
    }
    between(&text[range.start..first_line], out);
    let lines = if is_block {
        let (foot, tail) = tail(text, &root, range.end)?;
        let block = block::written(text, &root, 0, Some(order), (Vec::new(), foot))?;
        between_lines(&block.above, out);
        let keeps = block.keeps_lines();
        out.extend(block.lines);
        // A blank line here would be one more of a block scalar that keeps them.
        if keeps { tail.trim_start() } else { tail }
    } else {
        let line = tree::end_of_line(text, root.range.end).min(range.end);
        let value = super::flow::written(text, &root, Some(order));
        let whole = format!(
            "{}{value}{}",
            &text[first_line..root.range.start],
            &text[root.range.end..line]
        );
        out.extend(whole.trim_end().split('\n').map(str::to_owned));
        &text[(line + 1).min(range.end)..range.end]
    };
    between(last(text, &range, lines), out);
    Ok(())
}

/// What stands behind the last entry: comments that are indented belong into it.
fn tail<'t>(text: &'t str, root: &Node, end: usize) -> Result<(Vec<Line>, &'t str), Refused> {
    let start = block::after(text, root.end())?.min(end);
    let mut length = 0;
    let mut comments = 0;
    for line in text[start..end].split_inclusive('\n') {
        let is_comment = line.trim_start().starts_with('#');
        let is_indented = is_comment && line.starts_with(' ');
        if !(is_indented || line.trim().is_empty()) {
            break;
        }
        length += line.len();
        if is_comment {
            comments = length;
        }
    }
    Ok((
        gap::lines(text, start..start + comments)?,
        &text[start + comments..end],
    ))
}

/// The lines at the end of a document; no blank ones at the end of the text.
fn last<'t>(text: &str, document: &std::ops::Range<usize>, lines: &'t str) -> &'t str {
    if document.end == text.len() {
        lines.trim_end()
    } else {
        lines
    }
}

/// Lines outside of all values: no blank line after another, none at the start.
fn between(lines: &str, out: &mut Vec<String>) {
    for line in lines.lines() {
        push(line.trim_end(), out);
    }
}

fn between_lines(lines: &[Line], out: &mut Vec<String>) {
    for line in lines {
        match line {
            Line::Blank => push("", out),
            Line::Comment(_, comment) => push(comment, out),
        }
    }
}

fn push(line: &str, out: &mut Vec<String>) {
    if !line.is_empty() || out.last().is_some_and(|last| !last.is_empty()) {
        out.push(line.to_owned());
    }
}
