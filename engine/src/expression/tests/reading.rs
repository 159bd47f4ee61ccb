//! What an expression reads, and which reads are guarded.

use super::*;

/// Each read as its path; a guarded one as `path?plain`.
fn reads(source: &str) -> Vec<String> {
    let describe = |read: crate::expression::Read| {
        let path = read.path.join(".");
        if read.guarded {
            format!("{path}?{}", read.plain)
        } else {
            path
        }
    };
    Program::parse(source)
        .unwrap()
        .reads()
        .into_iter()
        .map(describe)
        .collect()
}

#[test]
fn paths_as_far_as_they_are_literal() {
    for (source, expected) in [
        ("steps.a.output.total > 10", &["steps.a.output.total"][..]),
        ("steps['a'].output['total']", &["steps.a.output.total"]),
        ("inputs.items[0].id", &["inputs.items"]),
        ("inputs.items[inputs.n].id", &["inputs.n", "inputs.items"]),
        ("size(inputs.a) + vars.b", &["inputs.a", "vars.b"]),
        ("[inputs.a, {'k': vars.b}]", &["inputs.a", "vars.b"]),
        ("f", &["f"]),
        ("type(a) == int", &["a"]),
        ("math.greatest(a, 1) + json.parse(b).c", &["a", "b"]),
        ("now() > timestamp(0)", &[]),
    ] {
        assert_eq!(reads(source), expected, "{source}");
    }
}

#[test]
fn variables_of_macros_are_no_reads() {
    assert_eq!(
        reads("inputs.items.map(x, x.id + vars.p)"),
        ["inputs.items", "vars.p"]
    );
    assert_eq!(reads("inputs.m.all(k, v, k == v && k != w)"), ["inputs.m", "w"]);
    assert_eq!(reads("[1].map(x, x) + x"), ["x"]);
    assert_eq!(reads("[1].map(inputs, inputs.a) + [.inputs.b]"), ["inputs.b"]);
}

#[test]
fn guards() {
    for (source, expected) in [
        (
            "steps.a.?output.total.orValue(1)",
            &["steps.a.output.total?2"][..],
        ),
        ("inputs[?'a'].orValue(1)", &["inputs.a?1"]),
        ("inputs.items[?0].id", &["inputs.items"]),
        ("has(inputs.a)", &["inputs.a?1"]),
        ("has(inputs.a) && inputs.a > 1", &["inputs.a?1", "inputs.a?2"]),
        ("has(inputs.a) && inputs.a.b > 1", &["inputs.a?1", "inputs.a.b?3"]),
        ("has(inputs.a) && inputs.b > 1", &["inputs.a?1", "inputs.b"]),
        ("!has(inputs.a) || inputs.a > 1", &["inputs.a?1", "inputs.a?2"]),
        ("has(inputs.a) || inputs.a > 1", &["inputs.a?1", "inputs.a"]),
        (
            "has(inputs.a) ? inputs.a : inputs.b",
            &["inputs.a?1", "inputs.a?2", "inputs.b"],
        ),
        ("has(inputs.a) ? 1 : inputs.a", &["inputs.a?1", "inputs.a"]),
        ("!has(inputs.a) ? 1 : inputs.a", &["inputs.a?1", "inputs.a?2"]),
        ("inputs.a > 1 && has(inputs.a)", &["inputs.a", "inputs.a?1"]),
        (
            "(has(inputs.a) && x) && [1].all(i, i < inputs.a)",
            &["inputs.a?1", "x", "inputs.a?2"],
        ),
        (
            "(has(inputs.a) && x) || inputs.a",
            &["inputs.a?1", "x", "inputs.a"],
        ),
        (
            "(has(inputs.a) && inputs.a) == inputs.a",
            &["inputs.a?1", "inputs.a?2", "inputs.a"],
        ),
    ] {
        assert_eq!(reads(source), expected, "{source}");
    }
}
