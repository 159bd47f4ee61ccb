//! Bad and extreme input: each gives an answer or an error with a place, quickly.

use super::*;
use crate::expression::{Text, Tree};
use std::time::{Duration, Instant};

/// Runs within a time that only a mistake takes, also on a busy machine.
fn quickly<T>(work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "took {:?}",
        start.elapsed()
    );
    result
}

fn with_text(source: &str, text: String) -> Result<Value, EvaluationError> {
    let mut scope = Variables::default();
    scope.set("text", Value::from(text));
    Program::parse(source)
        .unwrap_or_else(|error| panic!("{source}: {error}"))
        .evaluate(&scope, &mut Budget::default())
}

#[test]
fn a_text_of_a_megabyte() {
    for (source, expected) in [
        ("text.size()", json!(1 << 20)),
        ("text.contains('b')", json!(false)),
        ("text.matches('^(a+)+$')", json!(true)),
        ("text.matches('^(a|a)*b$')", json!(false)),
        ("text.substring(0, 3)", json!("aaa")),
        ("text.indexOf('b')", json!(-1)),
        ("text == text + ''", json!(true)),
        ("hash.sha256(text).size()", json!(64)),
        ("regex.replace(text, '^a+$', 'b')", json!("b")),
        ("strings.quote(text).size()", json!((1 << 20) + 2)),
    ] {
        let value = quickly(|| with_text(source, "a".repeat(1 << 20)));
        assert_eq!(
            value
                .unwrap_or_else(|error| panic!("{source}: {error}"))
                .to_json()
                .unwrap(),
            expected,
            "{source}"
        );
    }
    for source in [
        "text.split('')",
        "regex.extractAll(text, 'a')",
        "text.replace('a', text)",
        "regex.replace(text, 'a', text)",
        "text.replace('', text)",
        "'%s'.format([lists.range(64).map(x, text)])",
        "lists.range(64).map(x, text).join()",
    ] {
        let error = quickly(|| with_text(source, "a".repeat(1 << 20))).expect_err(source);
        assert_eq!(error.code, "LimitExceeded", "{source}: {error}");
        assert!(error.message.len() < 500, "{source}");
    }
    let error = with_text("text + 1", "a".repeat(1 << 20)).unwrap_err();
    assert!(error.message.len() < 500);
}

#[test]
fn sources_of_a_megabyte() {
    for source in [
        "(((((((((((((((((((((((((((((((((",
        "-",
        "'",
        "$(",
        "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaa' + ",
        "\u{0}",
        "ä",
        "//",
    ] {
        let long = source.repeat((1 << 20) / source.len());
        assert!(quickly(|| Program::parse(&long)).is_err(), "{source}");
        let error = quickly(|| Text::parse(&format!("x $({long}"))).expect_err(source);
        assert!(error.offset <= long.len() + 4, "{source}");
    }
    // Without an expression it is a text like any other.
    assert!(quickly(|| Text::parse(&"$ ( $$( ".repeat(1 << 16))).is_ok());
}

#[test]
fn brackets_that_are_never_closed() {
    for (text, offset) in [
        ("$(", 0),
        ("a $(inputs.name", 2),
        ("$$$(x", 2),
        ("$(')'", 0),
        ("ä $(f(1)", 3),
        ("$(a $(b)", 4),
    ] {
        let error = Text::parse(text).expect_err(text);
        assert_eq!(error.offset, offset, "{text}: {error}");
    }
    let error = Text::parse("$('abc)").unwrap_err();
    assert_eq!(
        (error.offset, error.message.as_str()),
        (2, "the text is not closed by '")
    );
}

#[test]
fn ten_thousand_levels() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let nested = format!("{}1{}", open.repeat(10_000), close.repeat(10_000));
        let error = quickly(|| with_text("json.parse(text)", nested)).unwrap_err();
        assert!(error.message.contains("not JSON"), "{error}");
    }
    // What hands out JSON stops at 128 levels, since a deeper one could not even be thrown away.
    let mut deep = json!("$(1)");
    for _ in 0..1_000 {
        deep = Json::Array(vec![deep]);
    }
    let (_, error) = quickly(|| Tree::parse(&deep)).unwrap_err();
    assert!(error.message.contains("nests deeper"), "{error}");
}

#[test]
fn whole_numbers_beyond_what_a_double_holds() {
    all_true(&[
        "inputs.big == 9007199254740993 && inputs.big != 9007199254740992 && inputs.big + 1 == 9007199254740994",
        "string(inputs.big) == '9007199254740993' && json.print(inputs.big) == '9007199254740993'",
        "json.parse('9223372036854775807') == 9223372036854775807 && type(json.parse('9223372036854775808')) == double",
        "9007199254740993 > 9007199254740992.0 && !(9007199254740993 == 9007199254740992.0)",
        "9007199254740992 in [9007199254740992.0] && !(9007199254740993 in [9007199254740992.0])",
        "[9007199254740993, 9007199254740992.0].sort()[0] == 9007199254740992.0",
        "{9007199254740993: 'a'}[inputs.big] == 'a'",
    ]);
    all_rejected(&[
        ("9223372036854775808", "does not fit into int"),
        ("18446744073709551616u", "does not fit into 64 bits"),
        ("-9223372036854775809", "does not fit into int"),
        ("0x1FFFFFFFFFFFFFFFF", "hexadecimal number of 64 bits"),
    ]);
    assert_eq!(value("1e400 > 1.0"), json!(true));
}

#[test]
fn odd_characters_have_a_place() {
    for (source, offset) in [
        ("a \u{feff}b", 2),
        ("\u{feff}a", 0),
        ("a\u{a0}+ b", 1),
        ("a @ b", 2),
        ("'a' = 'b'", 4),
        ("a ; b", 2),
    ] {
        let error = Program::parse(source).expect_err(source);
        assert_eq!(error.offset, offset, "{source:?}: {error}");
    }
    // Tabs and lines are white space.
    assert_eq!(value("1\t+\r\n2 // three"), json!(3));
}
