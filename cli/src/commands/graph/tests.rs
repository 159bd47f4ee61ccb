use std::fmt::Write as _;

use flowpilot_crds::WorkflowSpec;
use flowpilot_engine::compile::{Context, compile};
use serde_json::json;

use super::layout::Layout;
use super::model::{Form, Graph};
use super::*;

/// Each form, each way, blocks in blocks, and names that mean something elsewhere.
const WHOLE: &str = r#"
title: 'Refund "all" <b>]--> & more'
variables: {limit: 100}
inputs: [{name: items, type: array, default: []}]
steps:
- {id: guard, group: {}, timeout: 1h}
- {id: size, in: guard, switch: {cases: [{name: large, when: "size(inputs.items) > vars.limit"}], default: small}}
- {id: ask, title: "Pay \"much\"; really?\n1. <yes> #1 `no` ]", in: guard, needs: [size.large], approval: {timeout: 1h}}
- {id: pay, in: guard, needs: [size.small, ask.approved], forEach: {items: $(inputs.items), onItemError: Collect}}
- {id: call, in: pay, uses: core/http@1, with: {url: "http://a"}, undo: {uses: core/http@1, with: {url: "http://b"}}}
- {id: pause, in: pay, needs: [call], when: 'item < 3 && item != "x"', wait: {event: {type: paid, timeout: 1h}}}
- {id: graph, in: guard, needs: [ask.rejected, ask.expired], fail: {code: Declined}}
- {id: late, in: guard, needs: [pay, pay.failed], set: {a: 1}}
- {id: end, needs: [guard.done], emit: {type: over}}
- {id: default, needs: [guard.failed], stop: {status: Failed}}
"#;

fn graph(text: &str) -> Graph {
    graph_of(&serde_saphyr::from_str(text).unwrap())
}

fn graph_of(spec: &WorkflowSpec) -> Graph {
    let compiled = compile(spec, &Context::default()).unwrap_or_else(|problems| panic!("{problems:#?}"));
    Graph::of(&compiled.plan, spec.title.as_deref().unwrap_or("refund"))
}

#[test]
fn mermaid() {
    insta::assert_snapshot!("mermaid", Picture::Mermaid.draw(&graph(WHOLE)).unwrap());
}

#[test]
fn dot_is_read_by_a_reader_of_dot() {
    let text = Picture::Dot.draw(&graph(WHOLE)).unwrap();
    ::layout::gv::DotParser::new(&text)
        .process()
        .unwrap_or_else(|error| panic!("{error}\n{text}"));
    insta::assert_snapshot!("dot", text);
}

#[test]
fn svg_is_xml_with_the_words_of_the_workflow() {
    let text = Picture::Svg.draw(&graph(WHOLE)).unwrap();
    let document = roxmltree::Document::parse(&text).unwrap();
    let words = |name: &str| {
        document
            .root()
            .descendants()
            .find(|node| node.has_tag_name(("http://www.w3.org/2000/svg", name)))
            .and_then(|node| node.text())
            .unwrap()
            .to_owned()
    };
    assert_eq!(words("title"), "Refund \"all\" <b>]--> & more");
    assert!(
        words("desc").contains("graph (fail Declined) in guard after ask rejected, expired."),
        "{}",
        words("desc")
    );
    insta::assert_snapshot!("svg", text);
}

#[test]
fn letters_that_xml_does_not_have_are_replaced() {
    let title: String = ('\u{1}'..'\u{a0}').collect();
    let spec = json!({"title": title, "steps": [{"id": "a", "title": title, "set": {}}]});
    let text = Picture::Svg
        .draw(&graph_of(&serde_json::from_value(spec).unwrap()))
        .unwrap();
    roxmltree::Document::parse(&text).unwrap();
}

/// Boxes of a block do not touch each other and are inside it; arrows lead down from box to box.
fn check(graph: &Graph) {
    let layout = Layout::of(graph);
    for (number, node) in graph.nodes.iter().enumerate() {
        let own = layout.areas[number];
        let (right, low) = (own.x + own.width, own.y + own.height);
        let (width, height) = (layout.width + 0.1, layout.height + 0.1);
        assert!(
            own.x >= -0.1 && own.y >= -0.1 && right <= width && low <= height,
            "{} is outside",
            node.id
        );
        if let Some(block) = node.block {
            let around = layout.areas[block];
            let inside = own.x >= around.x
                && own.y >= around.y
                && right <= around.x + around.width
                && low <= around.y + around.height;
            assert!(inside, "{} is not in its block", node.id);
        }
        for other in graph.members(node.block).filter(|other| *other > number) {
            let other = layout.areas[other];
            let apart = right < other.x
                || other.x + other.width < own.x
                || low < other.y
                || other.y + other.height < own.y;
            assert!(apart, "{} stands on another box", node.id);
        }
    }
    for (arrow, route) in graph.arrows.iter().zip(&layout.routes) {
        let (from, to) = (layout.areas[arrow.from], layout.areas[arrow.to]);
        let (first, last) = (route.first().unwrap(), route.last().unwrap());
        assert!(
            (first.1 - from.y - from.height).abs() < 0.1 && (last.1 - to.y).abs() < 0.1,
            "{arrow:?}"
        );
        assert!(
            route.windows(2).all(|pair| pair[0].1 <= pair[1].1),
            "{arrow:?} leads up"
        );
    }
}

#[test]
fn boxes_stand_apart_and_arrows_lead_down() {
    check(&graph(WHOLE));
    // Random graphs: each step needs some before it, and some are in blocks.
    for seed in 0..30_u64 {
        let mut random = seed;
        let mut next = |below: u64| {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % below
        };
        let mut text = "steps:\n- {id: b0, group: {}}\n- {id: b1, in: b0, group: {}}\n".to_owned();
        for step in 0..30_u64 {
            let inside = ["", "in: b0, ", "in: b1, "][usize::try_from(step % 3).unwrap()];
            let needs: Vec<String> = (0..step)
                .filter(|before| before % 3 == step % 3 && next(3) == 0)
                .map(|before| format!("s{before}"))
                .collect();
            writeln!(
                text,
                "- {{id: s{step}, {inside}needs: [{}], set: {{}}}}",
                needs.join(", ")
            )
            .unwrap();
        }
        check(&graph(&text));
    }
}

#[test]
fn the_densest_graph_is_drawn() {
    let mut text = "steps:\n".to_owned();
    for step in 0..500_usize {
        let needs: Vec<String> = (step.saturating_sub(100)..step)
            .map(|before| format!("s{before}"))
            .collect();
        writeln!(
            text,
            "- {{id: s{step}, needs: [{}], set: {{}}}}",
            needs.join(", ")
        )
        .unwrap();
    }
    let graph = graph(&text);
    assert_eq!(
        graph.nodes.iter().filter(|node| node.form == Form::Work).count(),
        500
    );
    for picture in [Picture::Mermaid, Picture::Dot, Picture::Svg] {
        assert!(picture.draw(&graph).unwrap().len() > 1_000_000);
    }
}
