//! Input that breaks readers elsewhere: each is a problem with a code, a line and a column.

use flowpilot_engine::compile::Context;
use flowpilot_engine::manifest::{check, parse};
use flowpilot_engine::problem::Severity;

const HEAD: &str =
    "apiVersion: flowpilot.io/v1alpha1\nkind: Workflow\nmetadata: {name: x}\nspec:\n  steps:\n  - id: a\n";

/// Code, line and column of the first problem.
fn problem(text: impl AsRef<[u8]>) -> (String, u32, u32) {
    let documents = match parse(text.as_ref()) {
        Ok(documents) => documents,
        Err(problems) => return (problems[0].code.clone(), problems[0].line, problems[0].column),
    };
    let problems = check(&documents[0], &Context::default());
    let first = problems.first().unwrap_or_else(|| panic!("no problem is found"));
    let (line, column) = documents[0].position(&first.path).unwrap();
    (first.code.clone(), line, column)
}

/// A step with this content: its line is the seventh.
fn step(content: &str) -> String {
    format!("{HEAD}    {content}\n")
}

#[track_caller]
fn is(text: impl AsRef<[u8]>, code: &str, line: u32, column: u32) {
    assert_eq!(problem(text), (code.to_owned(), line, column));
}

#[test]
fn a_bomb_of_aliases() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    let (code, line, column) = problem(bomb);
    assert_eq!(code, "LimitExceeded");
    assert!((2..=13).contains(&line) && column > 0, "{line}:{column}");
}

#[test]
fn a_string_of_a_megabyte() {
    let (code, line, column) = problem(step(&format!("set: {{x: \"{}\"}}", "x".repeat(1024 * 1024))));
    assert_eq!(
        (code.as_str(), line > 0, column > 0),
        ("LimitExceeded", true, true)
    );
}

#[test]
fn a_depth_of_ten_thousand() {
    assert_eq!(problem("- ".repeat(10_000)).0, "LimitExceeded");
    for deep in ["[".repeat(10_000), "{a: ".repeat(10_000)] {
        let (code, line, column) = problem(step(&format!("set: {{x: {deep}")));
        assert_eq!(code, "LimitExceeded");
        assert!(line == 7 && column > 4, "{line}:{column}");
    }
    is(
        step(&format!(
            "when: \"{}1{}\"\n    set: {{x: 1}}",
            "(".repeat(2_000),
            ")".repeat(2_000)
        )),
        "InvalidExpression",
        7,
        5,
    );
}

#[test]
fn an_expression_without_an_end() {
    is(step("set: {x: 'a $(inputs.n'}"), "InvalidExpression", 7, 11);
    is(step("set: {x: '$('}"), "InvalidExpression", 7, 11);
    is(
        step(&format!("set: {{x: '{}'}}", "$(".repeat(1_000))),
        "InvalidExpression",
        7,
        11,
    );
    is(step("set: {x: \"$('never closed)\"}"), "InvalidExpression", 7, 11);
}

#[test]
fn a_number_that_would_lose_digits() {
    is(step("set: {x: 9223372036854775808}"), "InvalidNumber", 7, 14);
    is(step("set: {x: -9223372036854775809}"), "InvalidNumber", 7, 14);
    is(
        step("set: {x: 123456789012345678901234567890}"),
        "InvalidNumber",
        7,
        14,
    );
    is(step("set: {x: 1e999}"), "InvalidYaml", 7, 14);
    // Between 2^53 and 2^63 every digit is kept.
    let documents = parse(step("set: {x: 9007199254740993}").as_bytes()).unwrap();
    assert_eq!(
        documents[0].object["spec"]["steps"][0]["set"]["x"].to_string(),
        "9007199254740993"
    );
    let problems = check(&documents[0], &Context::default());
    assert!(
        problems
            .iter()
            .all(|problem| problem.severity == Severity::Warning),
        "{problems:?}"
    );
}

#[test]
fn a_key_that_stands_twice() {
    is(step("set: {x: 1}\n    set: {x: 2}"), "DuplicateKey", 8, 5);
    is(step("set: {x: 1, y: 2, x: 3}"), "DuplicateKey", 7, 23);
    is("kind: A\nkind: B\n", "DuplicateKey", 2, 1);
}

#[test]
fn bytes_that_are_no_utf_8() {
    is(
        [HEAD.as_bytes(), b"    title: \"a\xff\"\n"].concat(),
        "InvalidUtf8",
        7,
        14,
    );
    is(b"\xff\xfek\0i\0n\0d\0", "InvalidUtf8", 1, 1);
    is(b"\xed\xa0\x80", "InvalidUtf8", 1, 1);
}

#[test]
fn a_byte_order_mark_where_none_belongs() {
    is(
        step("set: {\"\u{feff}x\": 1}").replace("id: a", "id: \u{feff}a"),
        "InvalidYaml",
        6,
        9,
    );
    // At the beginning it is no part of the text.
    is(
        format!("\u{feff}{}", step("set: {x: '$('}")),
        "InvalidExpression",
        7,
        11,
    );
}

#[test]
fn tabs_as_indentation() {
    is("kind: Workflow\nspec:\n\tsteps: []\n", "InvalidYaml", 3, 2);
    is(format!("{HEAD}\tset: {{x: 1}}\n"), "InvalidYaml", 6, 9);
}
