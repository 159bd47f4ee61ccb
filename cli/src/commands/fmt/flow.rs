//! Values in braces and brackets: entries of maps change places, and what stands between them stays.

use flowpilot_crds::field_order::FieldOrder;

use super::tree::{Entry, Node, Shape};

/// The places of entries in their canonical order: known fields first, then the others as they are written.
pub(super) fn sorted(entries: &[Entry], order: Option<&FieldOrder>) -> Vec<usize> {
    let mut places: Vec<usize> = (0..entries.len()).collect();
    let has_anchor = entries
        .iter()
        .any(|entry| entry.key.has_anchor || entry.value.has_anchor);
    if let Some(order) = order.filter(|_| !has_anchor) {
        places.sort_by_key(|place| order.position(&entries[*place].key.word).unwrap_or(usize::MAX));
    }
    places
}

/// The text of a value that is no block collection.
pub(super) fn written(text: &str, node: &Node, order: Option<&FieldOrder>) -> String {
    match &node.shape {
        Shape::FlowMap(entries) => map(text, node, entries, order),
        Shape::FlowList(items) => {
            let parts = items.iter().map(|item| {
                (
                    item.range.clone(),
                    written(text, item, order.and_then(FieldOrder::item)),
                )
            });
            replaced(text, node.range.clone(), parts)
        }
        _ => text[node.range.clone()].to_owned(),
    }
}

fn map(text: &str, node: &Node, entries: &[Entry], order: Option<&FieldOrder>) -> String {
    let ranges: Vec<_> = entries
        .iter()
        .map(|entry| entry.key.range.start..entry.value.range.end.max(entry.colon))
        .collect();
    let between = replaced(
        text,
        node.range.clone(),
        ranges.iter().map(|range| (range.clone(), String::new())),
    );
    let is_plain = between
        .chars()
        .all(|letter| letter.is_whitespace() || matches!(letter, '{' | '}' | ','));
    let order = order.filter(|_| is_plain);
    let places = sorted(entries, order);
    let parts = ranges.iter().zip(places).map(|(range, place)| {
        let entry = &entries[place];
        let value = written(
            text,
            &entry.value,
            order.and_then(|order| order.field(&entry.key.word)),
        );
        let part = replaced(
            text,
            ranges[place].clone(),
            std::iter::once((entry.value.range.clone(), value)),
        );
        (range.clone(), part)
    });
    replaced(text, node.range.clone(), parts)
}

/// A range of the text with some parts of it replaced.
fn replaced(
    text: &str,
    range: std::ops::Range<usize>,
    parts: impl Iterator<Item = (std::ops::Range<usize>, String)>,
) -> String {
    let mut out = String::new();
    let mut at = range.start;
    for (part, new) in parts {
        out.push_str(&text[at..part.start]);
        out.push_str(&new);
        at = part.end;
    }
    out.push_str(&text[at..range.end]);
    out
}
