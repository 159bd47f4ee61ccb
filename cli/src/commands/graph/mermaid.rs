//! As Mermaid, which many places that show Markdown draw.

use std::fmt::{self, Write as _};

use super::model::{Form, Graph, Way};

/// The text of a flowchart.
pub(super) fn written(graph: &Graph) -> Result<String, fmt::Error> {
    let mut out = String::new();
    // A text in JSON is one in YAML, too.
    writeln!(
        out,
        "---\ntitle: {}\n---\nflowchart TB",
        serde_json::Value::from(graph.title.as_str())
    )?;
    nodes(graph, None, 1, &mut out)?;
    for arrow in &graph.arrows {
        let line = match arrow.way {
            Way::Success | Way::Failure => "-->",
            Way::Always | Way::Back => "-.->",
        };
        let (from, to) = (name(graph, arrow.from), name(graph, arrow.to));
        writeln!(out, "  {from} {line}|\"{}\"| {to}", escaped(&arrow.label))?;
    }
    let failures = graph
        .arrows
        .iter()
        .enumerate()
        .filter(|(_, arrow)| arrow.way == Way::Failure);
    let failures: Vec<String> = failures.map(|(number, _)| number.to_string()).collect();
    if !failures.is_empty() {
        writeln!(out, "  linkStyle {} stroke:#b42318", failures.join(","))?;
    }
    Ok(out)
}

fn nodes(graph: &Graph, block: Option<usize>, depth: usize, out: &mut String) -> fmt::Result {
    for number in graph.members(block) {
        let node = &graph.nodes[number];
        let lines: Vec<String> = node.lines.iter().map(|line| escaped(line)).collect();
        let (id, label) = (name(graph, number), lines.join("<br/>"));
        let indent = "  ".repeat(depth);
        let (open, close) = match node.form {
            Form::Work => ("[", "]"),
            Form::Choice => ("{", "}"),
            Form::Question => ("{{", "}}"),
            Form::Pause => ("([", "])"),
            Form::End => ("[[", "]]"),
            Form::Undo => (">", "]"),
            Form::Block => {
                writeln!(out, "{indent}subgraph {id}[\"{label}\"]")?;
                nodes(graph, Some(number), depth + 1, out)?;
                writeln!(out, "{indent}end")?;
                continue;
            }
        };
        writeln!(out, "{indent}{id}{open}\"{label}\"{close}")?;
    }
    Ok(())
}

/// An id that is no word of Mermaid, such as `end`.
fn name(graph: &Graph, node: usize) -> String {
    match graph.nodes[node].id.strip_suffix(".undo") {
        Some(step) => format!("undo_{step}"),
        None => format!("step_{}", graph.nodes[node].id),
    }
}

/// A text inside quotes. Whatever could mean something to Mermaid, HTML or Markdown is written as its number.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for (place, letter) in text.chars().enumerate() {
        let is_plain = letter.is_alphanumeric() && (place > 0 || !letter.is_numeric());
        if is_plain
            || matches!(
                letter,
                ' ' | '/' | '@' | ',' | ':' | '_' | '?' | '!' | '(' | ')' | '-' | '.'
            ) && place > 0
        {
            out.push(letter);
        } else {
            out.extend(["#", &u32::from(letter).to_string(), ";"]);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_label_means_anything_to_mermaid() {
        assert_eq!(
            escaped("a \"b\" <c> #d; `e` ]"),
            "a #34;b#34; #60;c#62; #35;d#59; #96;e#96; #93;"
        );
        assert_eq!(escaped("1. x"), "#49;. x");
        assert_eq!(escaped("- x_1 y/z@2"), "#45; x_1 y/z@2");
    }
}
