//! As SVG: a picture by itself, without scripts, fonts or anything else from outside.

use std::fmt::{self, Write as _};

use super::layout::{Area, LETTERS, LINE, Layout};
use super::model::{Arrow, Form, Graph, Node, Way};
use crate::xml::escaped;

/// Around the picture.
const MARGIN: f64 = 20.0;
/// Room for the title.
const HEADER: f64 = 30.0;
const STYLE: &str = "text{font:12px system-ui,sans-serif;fill:#1f2328}\
.id{font-weight:600}.kind{fill:#59636e}.label{font-size:10px;fill:#59636e;stroke:#fff;stroke-width:4px;paint-order:stroke}\
.box{fill:#f6f8fa;stroke:#59636e}.block{fill:#0969da;fill-opacity:.05;stroke:#0969da;stroke-opacity:.4}\
.choice{fill:#fff8c5;stroke:#9a6700}.question{fill:#fbefff;stroke:#8250df}.pause{fill:#ddf4ff;stroke:#0969da}\
.end{fill:#ffebe9;stroke:#b42318}.undo{fill:#fff;stroke:#59636e;stroke-dasharray:2 3}\
.arrow{fill:none;stroke:#59636e}.failure{stroke:#b42318}.always{stroke-dasharray:6 4}.back{stroke-dasharray:2 3}";

/// The text of a picture.
pub(super) fn written(graph: &Graph) -> Result<String, fmt::Error> {
    let layout = Layout::of(graph);
    let (width, height) = (
        (layout.width + 2.0 * MARGIN).max(200.0).ceil(),
        (layout.height + HEADER + 2.0 * MARGIN).ceil(),
    );
    let mut out = String::new();
    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-labelledby=\"title description\" width=\"{width}\" \
         height=\"{height}\" viewBox=\"0 0 {width} {height}\">"
    )?;
    writeln!(out, "<title id=\"title\">{}</title>", escaped(&graph.title))?;
    writeln!(
        out,
        "<desc id=\"description\">{}</desc>",
        escaped(&description(graph))
    )?;
    writeln!(out, "<style>{STYLE}</style>")?;
    for (way, color) in [("plain", "#59636e"), ("failed", "#b42318")] {
        writeln!(
            out,
            "<marker id=\"{way}\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" \
             orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"{color}\"/></marker>"
        )?;
    }
    writeln!(out, "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>")?;
    writeln!(
        out,
        "<text class=\"id\" x=\"{MARGIN}\" y=\"{}\">{}</text>",
        MARGIN + 8.0,
        escaped(&cut(&graph.title))
    )?;
    writeln!(out, "<g transform=\"translate({MARGIN} {})\">", MARGIN + HEADER)?;
    // A block stands in the manifest wherever its author likes, and behind what is in it here.
    let mut order: Vec<usize> = (0..graph.nodes.len()).collect();
    order.sort_by_key(|node| depth(graph, *node));
    for number in order {
        node(&graph.nodes[number], layout.areas[number], &mut out)?;
    }
    for (drawn, route) in graph.arrows.iter().zip(&layout.routes) {
        arrow(drawn, route, &mut out)?;
    }
    for (drawn, route) in graph.arrows.iter().zip(&layout.routes) {
        label(drawn, route, &mut out)?;
    }
    writeln!(out, "</g>\n</svg>")?;
    Ok(out)
}

/// What is to be seen, for those who do not see it.
fn description(graph: &Graph) -> String {
    let steps = graph.nodes.iter().filter(|node| node.form != Form::Undo);
    let mut words = vec![format!("A workflow of {} steps.", steps.count())];
    for (number, node) in graph.nodes.iter().enumerate() {
        let before = graph.arrows.iter().filter(|arrow| arrow.to == number);
        let before: Vec<String> = before
            .map(|arrow| format!("{} {}", graph.nodes[arrow.from].id, arrow.label))
            .collect();
        let inside = node
            .block
            .map(|block| format!(" in {}", graph.nodes[block].id))
            .unwrap_or_default();
        let after = if before.is_empty() {
            String::new()
        } else {
            format!(" after {}", before.join(" and "))
        };
        let what = node.lines.last().map_or("", String::as_str);
        words.push(format!("{} ({what}){inside}{after}.", node.id));
    }
    words.join(" ")
}

fn depth(graph: &Graph, node: usize) -> usize {
    std::iter::successors(graph.nodes[node].block, |block| graph.nodes[*block].block).count()
}

fn node(node: &Node, area: Area, out: &mut String) -> fmt::Result {
    let Area { x, y, width, height } = area;
    let title = escaped(&node.lines.join(" · "));
    writeln!(out, "<g><title>{title}</title>")?;
    let (class, corner) = match node.form {
        Form::Work => ("box", 4.0),
        Form::Choice => ("choice", 0.0),
        Form::Question => ("question", 0.0),
        Form::Pause => ("pause", height / 2.0),
        Form::End => ("end", 4.0),
        Form::Block => ("block", 8.0),
        Form::Undo => ("undo", 4.0),
    };
    if matches!(node.form, Form::Choice | Form::Question) {
        let (middle, right, low) = (y + height / 2.0, x + width, y + height);
        let (in_left, in_right) = (x + 12.0, right - 12.0);
        writeln!(
            out,
            "<path class=\"{class}\" d=\"M{x:.1} {middle:.1}L{in_left:.1} {y:.1}H{in_right:.1}L{right:.1} {middle:.1}L{in_right:.1} \
             {low:.1}H{in_left:.1}z\"/>"
        )?;
    } else {
        writeln!(
            out,
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"{corner}\"/>"
        )?;
    }
    if node.form == Form::Block {
        let (x, y) = (x + 12.0, y + LINE + 4.0);
        writeln!(
            out,
            "<text class=\"kind\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>",
            escaped(&cut(&node.lines.join(" · ")))
        )?;
        return writeln!(out, "</g>");
    }
    let (middle, mut line) = (x + width / 2.0, y + LINE + 3.0);
    for (number, text) in node.lines.iter().enumerate() {
        let class = match number {
            0 => " class=\"id\"",
            _ if number + 1 == node.lines.len() => " class=\"kind\"",
            _ => "",
        };
        writeln!(
            out,
            "<text{class} x=\"{middle:.1}\" y=\"{line:.1}\" text-anchor=\"middle\">{}</text>",
            escaped(&cut(text))
        )?;
        line += LINE;
    }
    writeln!(out, "</g>")
}

fn arrow(arrow: &Arrow, route: &[(f64, f64)], out: &mut String) -> fmt::Result {
    let (class, marker) = match arrow.way {
        Way::Success => ("arrow", "plain"),
        Way::Failure => ("arrow failure", "failed"),
        Way::Always => ("arrow always", "plain"),
        Way::Back => ("arrow back", "plain"),
    };
    write!(out, "<path class=\"{class}\" marker-end=\"url(#{marker})\" d=\"")?;
    for (number, (x, y)) in route.iter().enumerate() {
        match number.checked_sub(1).map(|before| route[before]) {
            None => write!(out, "M{x:.1} {y:.1}")?,
            // Beside boxes it goes straight down, between layers it bends.
            Some((from, _)) if (from - x).abs() < 0.05 => write!(out, "V{y:.1}")?,
            Some((from, above)) => {
                let bend = f64::midpoint(above, *y);
                write!(out, "C{from:.1} {bend:.1} {x:.1} {bend:.1} {x:.1} {y:.1}")?;
            }
        }
    }
    writeln!(out, "\"/>")
}

/// The label stands where the arrow leaves the layer of its box.
fn label(arrow: &Arrow, route: &[(f64, f64)], out: &mut String) -> fmt::Result {
    let [_, (from, above), (to, below), ..] = route else {
        return Ok(());
    };
    let (x, y) = (f64::midpoint(*from, *to), f64::midpoint(*above, *below) + 3.0);
    writeln!(
        out,
        "<text class=\"label\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">{}</text>",
        escaped(&cut(&arrow.label))
    )
}

fn cut(text: &str) -> String {
    if text.chars().count() <= LETTERS {
        return text.to_owned();
    }
    let start: String = text.chars().take(LETTERS - 1).collect();
    format!("{start}…")
}
