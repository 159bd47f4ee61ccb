//! `$( … )` in texts and trees.

use super::*;
use crate::expression::{Text, Tree};

fn text(source: &str) -> Result<Option<Value>, EvaluationError> {
    Text::parse(source)
        .unwrap_or_else(|error| panic!("{source}: {error}"))
        .evaluate(&scope(), &mut Budget::default())
}

#[test]
fn a_lone_expression_keeps_its_type() {
    assert_eq!(text("$(inputs.count)").unwrap(), Some(Value::Int(3)));
    assert_eq!(text(" \n$( inputs.count )\t").unwrap(), Some(Value::Int(3)));
    assert_eq!(
        text("$(inputs.nothing)").unwrap().unwrap().to_json().unwrap(),
        json!(null)
    );
    assert_eq!(text("$(inputs.?name)").unwrap(), Some(Value::from("Ada")));
    assert_eq!(text("$(inputs.?missing)").unwrap(), None);
}

#[test]
fn among_other_text_a_value_is_rendered() {
    for (source, expected) in [
        ("Hello $(inputs.name)!", "Hello Ada!"),
        ("$(inputs.count)$(inputs.price)", "32.5"),
        (
            "a $(1.0) $(true) $(timestamp(0)) $(duration('90s'))",
            "a 1 true 1970-01-01T00:00:00Z 90s",
        ),
        (
            "list $([1, 'a']) map $({'b': 1.0, 'a': null})",
            "list [1,\"a\"] map {\"a\":null,\"b\":1.0}",
        ),
        ("$((1 + 2) * 3) and $(')' + \"(\")", "9 and )("),
        (
            "no expression (at all) $ 5$ $x ${y}",
            "no expression (at all) $ 5$ $x ${y}",
        ),
        (
            "$$(literal) $$$(inputs.name) $$$$(two) $$5",
            "$(literal) $Ada $$(two) $$5",
        ),
        ("", ""),
    ] {
        assert_eq!(text(source).unwrap(), Some(Value::from(expected)), "{source}");
    }
    for (source, expected) in [
        ("a $(inputs.nothing)", "null cannot stand inside a text"),
        ("a $(inputs.?name)", "write .orValue"),
        ("a $(b'x')", "base64.encode"),
        ("a $(type(1))", "a type cannot"),
    ] {
        assert!(text(source).unwrap_err().message.contains(expected), "{source}");
    }
}

#[test]
fn places_count_from_the_start_of_the_text() {
    let parsed = Text::parse("Dear $(inputs.name), $(steps.a.output.total)").unwrap();
    let reads: Vec<_> = parsed
        .reads()
        .into_iter()
        .map(|read| (read.path.join("."), read.offset))
        .collect();
    assert_eq!(
        reads,
        [
            ("inputs.name".to_owned(), 7),
            ("steps.a.output.total".to_owned(), 23)
        ]
    );
    assert_eq!(Text::parse("ab $(1 +)").unwrap_err().offset, 8);
    assert_eq!(Text::parse("ab $(1 + 'x)").unwrap_err().offset, 9);
    assert_eq!(Text::parse("ab $(1").unwrap_err().offset, 3);
    let error = text("ab $(1 / 0)").unwrap_err();
    assert_eq!((error.offset, error.expression.as_str()), (5, "ab $(1 / 0)"));
    assert!(parsed.literal().is_none() && !parsed.is_literal());
    assert_eq!(Text::parse("$$(x)").unwrap().literal(), Some("$(x)"));
}

#[test]
fn a_tree_computes_its_strings() {
    let source = json!({
        "plain": "text", "n": 1, "list": [1, "$(inputs.count)", {"deep": "$(inputs.name)"}],
        "gone": "$(inputs.?missing)", "there": "$(inputs.?name)", "$(key)": "$$(x)", "a/b~": ["$(steps.a.outcome)"],
    });
    let tree = Tree::parse(&source).unwrap();
    assert_eq!(
        tree.evaluate(&scope(), &mut Budget::default()).unwrap(),
        json!({
            "plain": "text", "n": 1, "list": [1, 3, {"deep": "Ada"}], "there": "Ada", "$(key)": "$(x)",
            "a/b~": ["succeeded"],
        })
    );
    let paths: Vec<_> = tree.programs().into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths, ["/list/1", "/list/2/deep", "/gone", "/there", "/a~1b~0/0"]);
    assert_eq!(tree.reads().len(), 5);
    assert!(!tree.is_literal() && Tree::parse(&json!({"a": [1, "b"]})).unwrap().is_literal());
}

#[test]
fn an_empty_optional_leaves_no_place_in_a_list() {
    let tree = Tree::parse(&json!(["$(inputs.?missing)"])).unwrap();
    let error = tree.evaluate(&scope(), &mut Budget::default()).unwrap_err();
    assert!(error.message.contains("empty optional"), "{error}");
    let (path, error) = Tree::parse(&json!({"a": [0, "$(nope("]})).unwrap_err();
    assert_eq!(path, "/a/1");
    assert!(error.message.contains("not closed"), "{error}");
}

#[test]
fn stored_as_written() {
    let program = Program::parse("inputs.count + 1").unwrap();
    assert_eq!(serde_json::to_value(&program).unwrap(), json!("inputs.count + 1"));
    assert_eq!(
        serde_json::from_value::<Program>(json!("inputs.count + 1")).unwrap(),
        program
    );
    assert!(serde_json::from_value::<Program>(json!("1 +")).is_err());
    let text = Text::parse("a $(b)").unwrap();
    assert_eq!(
        serde_json::from_value::<Text>(serde_json::to_value(&text).unwrap()).unwrap(),
        text
    );
    let tree = Tree::parse(&json!({"b": "$(x)", "a": [1.0]})).unwrap();
    assert_eq!(serde_json::to_string(&tree).unwrap(), r#"{"b":"$(x)","a":[1.0]}"#);
    assert_eq!(
        serde_json::from_str::<Tree>(&serde_json::to_string(&tree).unwrap()).unwrap(),
        tree
    );
}
