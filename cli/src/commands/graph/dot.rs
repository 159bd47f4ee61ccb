//! As DOT, the language of Graphviz.

use std::fmt::{self, Write as _};

use super::model::{Form, Graph, Way};

/// The text of a digraph.
pub(super) fn written(graph: &Graph) -> Result<String, fmt::Error> {
    let mut out = String::new();
    writeln!(out, "digraph {} {{", quoted(&graph.title))?;
    writeln!(out, "  label={};", quoted(&graph.title))?;
    out.push_str("  labelloc=t;\n  compound=true;\n  fontname=\"sans-serif\";\n");
    out.push_str("  node [shape=box, style=rounded, fontname=\"sans-serif\", fontsize=11];\n");
    out.push_str("  edge [fontname=\"sans-serif\", fontsize=9];\n");
    nodes(graph, None, 1, &mut out)?;
    for arrow in &graph.arrows {
        let mut attributes = vec![format!("label={}", quoted(&arrow.label))];
        match arrow.way {
            Way::Success => {}
            Way::Failure => attributes.push("color=\"#b42318\"".to_owned()),
            Way::Always => attributes.push("style=dashed".to_owned()),
            Way::Back => attributes.push("style=dotted".to_owned()),
        }
        // Between blocks an arrow leads from one of the steps inside to another, and is cut at the border.
        let (from, to) = (inside(graph, arrow.from, true), inside(graph, arrow.to, false));
        for (end, name, node) in [(from, "ltail", arrow.from), (to, "lhead", arrow.to)] {
            if end != node {
                attributes.push(format!("{name}={}", quoted(&cluster(graph, node))));
            }
        }
        let (from, to) = (quoted(&graph.nodes[from].id), quoted(&graph.nodes[to].id));
        writeln!(out, "  {from} -> {to} [{}];", attributes.join(", "))?;
    }
    out.push_str("}\n");
    Ok(out)
}

fn nodes(graph: &Graph, block: Option<usize>, depth: usize, out: &mut String) -> fmt::Result {
    let indent = "  ".repeat(depth);
    for number in graph.members(block) {
        let node = &graph.nodes[number];
        let label = quoted(&node.lines.join("\n"));
        let shape = match node.form {
            Form::Work => "",
            Form::Choice => ", shape=diamond, style=\"\"",
            Form::Question => ", shape=hexagon, style=\"\"",
            Form::Pause => ", shape=ellipse, style=\"\"",
            Form::End => ", peripheries=2",
            Form::Undo => ", style=\"rounded,dotted\"",
            Form::Block => {
                writeln!(out, "{indent}subgraph {} {{", quoted(&cluster(graph, number)))?;
                writeln!(out, "{indent}  label={label};")?;
                nodes(graph, Some(number), depth + 1, out)?;
                writeln!(out, "{indent}}}")?;
                continue;
            }
        };
        writeln!(out, "{indent}{} [label={label}{shape}];", quoted(&node.id))?;
    }
    Ok(())
}

/// Graphviz draws a box around a subgraph whose name begins so.
fn cluster(graph: &Graph, block: usize) -> String {
    format!("cluster_{}", graph.nodes[block].id)
}

/// A node that is no block: the node itself, or the last or first one inside.
fn inside(graph: &Graph, node: usize, last: bool) -> usize {
    let mut node = node;
    while graph.nodes[node].form == Form::Block {
        let mut members = graph.members(Some(node));
        let found = if last { members.last() } else { members.next() };
        match found {
            Some(member) => node = member,
            None => break,
        }
    }
    node
}

/// A text in quotes; a backslash is one, and a line break begins a line.
fn quoted(text: &str) -> String {
    format!(
        "\"{}\"",
        text.replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n")
    )
}
