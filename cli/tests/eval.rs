//! `flowpilot eval` as people use it.

use std::io::Write;
use std::process::Stdio;

use serde_json::json;

mod common;
use common::{command, flowpilot, folder, text};

#[test]
fn a_value_goes_to_standard_output_and_its_type_and_cost_beside_it() {
    let folder = folder(&[(
        "data.yaml",
        "inputs: {items: [{price: 2}, {price: 3}], name: ann}\n",
    )]);
    let sum = "inputs.items.map(i, i.price).sum()";
    let output = flowpilot(folder.path(), &["eval", sum, "--data", "data.yaml"]);
    assert_eq!(text(&output.stdout), "5\n");
    let told = text(&output.stderr);
    assert!(told.starts_with("type: int\ncost: "), "{told}");
    assert!(
        told.contains("of 1000000 steps") && told.contains("of 16777216 bytes"),
        "{told}"
    );

    let output = flowpilot(
        folder.path(),
        &["eval", "$(inputs.items)", "-d", "data.yaml", "-o", "json"],
    );
    let document = common::json(&output);
    assert_eq!(
        (&document["value"], &document["type"]),
        (&json!([{"price": 2}, {"price": 3}]), &json!("list"))
    );
    assert!(
        document["cost"]["steps"].as_u64() > Some(0),
        "{}",
        document["cost"]
    );
}

#[test]
fn set_wins_over_data_and_data_can_come_from_standard_input() {
    let folder = folder(&[]);
    let mut child = command(
        folder.path(),
        &[
            "eval",
            "For $(inputs.name): $(inputs.n + 1)",
            "--data",
            "-",
            "--set",
            "inputs.n=41",
        ],
    )
    .stdin(Stdio::piped())
    .stdout(Stdio::piped())
    .stderr(Stdio::piped())
    .spawn()
    .expect("it starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin
        .write_all(b"{\"inputs\": {\"name\": \"ann\", \"n\": 1}}")
        .expect("written");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(text(&output.stdout), "For ann: 42\n", "{}", text(&output.stderr));
}

#[test]
fn what_is_wrong_is_said_with_the_place_and_the_values() {
    let folder = folder(&[("list.yaml", "[1]\n")]);
    let failed = |arguments: &[&str]| {
        let output = flowpilot(folder.path(), &[&["eval"], arguments].concat());
        assert!(output.stdout.is_empty());
        (output.status.code(), text(&output.stderr))
    };
    let (code, told) = failed(&["1 + steps.a.outptu", "--set", "steps.a.output=1"]);
    assert_eq!(code, Some(1));
    assert!(
        told.starts_with("error: ExpressionError: no such key: outptu (there are output)"),
        "{told}"
    );
    assert!(
        told.ends_with("  1 + steps.a.outptu\n      ^\n"),
        "the place: {told}"
    );
    let (code, told) = failed(&["stirng(1)"]);
    assert_eq!(code, Some(1));
    assert!(told.contains("did you mean `string`?"), "{told}");
    let (code, told) = failed(&["lists.range(10000).map(x, lists.range(1000).map(y, x * y))"]);
    assert_eq!(code, Some(1));
    assert!(told.starts_with("error: LimitExceeded: "), "{told}");
    let (code, told) = failed(&["1", "--data", "list.yaml"]);
    assert_eq!(code, Some(1));
    assert!(
        told.contains("list.yaml is not a map of what the expression sees"),
        "{told}"
    );
    let (code, told) = failed(&["1", "--set", "a..b=1"]);
    assert_eq!(code, Some(1));
    assert!(told.contains("write a name such as inputs.n"), "{told}");
    assert_eq!(failed(&[]).0, Some(2));
}

#[test]
fn an_empty_optional_is_nothing() {
    let folder = folder(&[]);
    let output = flowpilot(folder.path(), &["eval", "$(a.?b)", "--set", "a={}", "-o", "json"]);
    let document = common::json(&output);
    assert_eq!(
        (document.get("value"), &document["type"]),
        (None, &json!("absent"))
    );
}
