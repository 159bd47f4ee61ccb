//! `flowpilot replay` as people use it.

use serde_json::Value;

mod common;
use common::{flowpilot, folder, text};

const FLOW: &str = r#"apiVersion: flowpilot.io/v1alpha1
kind: Workflow
metadata: {name: flow}
spec:
  inputs: [{name: n, type: integer, default: 1}]
  steps:
  - {id: a, script: {source: "return {n: input.n + 1}", input: {n: "$(inputs.n)"}}}
  - {id: b, needs: [a], set: {big: "$(steps.a.output.n > 1)", id: "$(uuid())", at: "$(now())"}}
  outputs: {big: "$(steps.b.output.big)"}
"#;

/// A folder with the workflow and the journal of a run of it.
fn recorded() -> tempfile::TempDir {
    let folder = folder(&[("flow.yaml", FLOW)]);
    let output = flowpilot(
        folder.path(),
        &["run", "--local", "flow.yaml", "--journal", "run.json"],
    );
    assert!(output.status.success(), "{}", text(&output.stderr));
    folder
}

fn journal(folder: &tempfile::TempDir) -> Value {
    let text = std::fs::read_to_string(folder.path().join("run.json")).expect("the journal");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn the_same_definition_does_the_same_and_says_what() {
    let folder = recorded();
    let output = flowpilot(folder.path(), &["replay", "run.json"]);
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{told}");
    for part in [
        "-> perform script for a, attempt 1",
        "-> finish: succeeded",
        "of flow: the same, 6 events\n",
    ] {
        assert!(told.contains(part), "{part}\n{told}");
    }
    let output = flowpilot(folder.path(), &["replay", "run.json", "-o", "json"]);
    let document = common::json(&output);
    assert_eq!(
        (&document["same"], &document["runs"][0]["events"]),
        (&Value::Bool(true), &Value::from(6))
    );
}

#[test]
fn a_changed_definition_departs_where_it_decides_otherwise() {
    let folder = recorded();
    let changed = FLOW.replace("n > 1", "n > 10");
    std::fs::write(folder.path().join("changed.yaml"), changed).expect("written");
    let output = flowpilot(
        folder.path(),
        &["replay", "run.json", "--with", "changed.yaml", "--quiet"],
    );
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("different at event 4"), "{told}");
    assert!(
        told.contains("recorded: {\"type\":\"StepSucceeded\",\"step\":\"b\""),
        "{told}"
    );
    assert!(
        told.contains("output: {\"big\":true") && told.contains("{\"big\":false"),
        "{told}"
    );
    let same = flowpilot(
        folder.path(),
        &["replay", "run.json", "--with", "flow.yaml", "--quiet"],
    );
    assert_eq!(same.status.code(), Some(0));
}

#[test]
fn a_journal_that_was_changed_is_found_out() {
    let folder = recorded();
    let mut journal = journal(&folder);
    journal["runs"][0]["events"][4]["output"]["big"] = Value::Bool(false);
    std::fs::write(folder.path().join("run.json"), journal.to_string()).expect("written");
    let output = flowpilot(folder.path(), &["replay", "run.json", "-o", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let document = common::json(&output);
    let difference = &document["runs"][0]["difference"];
    assert_eq!(difference["event"], 4, "{difference}");
    assert_eq!(difference["now"]["output"]["big"], true, "{difference}");
}

#[test]
fn what_is_no_journal_is_refused_with_its_place() {
    let folder = recorded();
    let refused = |content: &str| {
        std::fs::write(folder.path().join("wrong.json"), content).expect("written");
        let output = flowpilot(folder.path(), &["replay", "wrong.json"]);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
        text(&output.stderr)
    };
    let whole = journal(&folder);
    let cut = serde_json::to_string_pretty(&whole).expect("JSON");
    assert!(
        refused(&cut[..cut.len() / 2]).contains("wrong.json:"),
        "line and column"
    );
    assert!(refused("apiVersion: v1").contains("wrong.json:1:1: expected value"));
    let told = refused(r#"{"apiVersion": "v1", "kind": "Pod"}"#);
    assert!(
        told.contains("not the journal of a run") && told.contains("Pod"),
        "{told}"
    );

    let mut unknown = whole.clone();
    unknown["runs"][0]["events"][2]["type"] = Value::from("StepJumped");
    let told = refused(&unknown.to_string());
    assert!(
        told.contains("runs[0].events[2]") && told.contains("StepJumped"),
        "{told}"
    );
    let mut headless = whole.clone();
    headless["runs"][0]["events"]
        .as_array_mut()
        .expect("events")
        .remove(0);
    assert!(refused(&headless.to_string()).contains("does not begin with RunStarted"));
    let mut empty = whole.clone();
    empty["runs"] = Value::from(Vec::<Value>::new());
    assert!(refused(&empty.to_string()).contains("has no runs"));
    let mut other = whole;
    other["runs"][0]["workflow"]["spec"]["steps"] = Value::from(Vec::<Value>::new());
    assert!(refused(&other.to_string()).contains("cannot be read any more"));
}

#[test]
fn files_and_journals_have_limits() {
    let folder = recorded();
    let large = folder.path().join("large.json");
    let file = std::fs::File::create(&large).expect("a file");
    file.set_len(1 << 40).expect("a hole");
    let output = flowpilot(folder.path(), &["replay", "large.json"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("more than 67108864 bytes"));

    let whole = journal(&folder);
    let mut journal = whole.clone();
    let mut small = whole["runs"][0].clone();
    small["workflow"] = Value::Null;
    small["events"] = Value::from(vec![small["events"][0].clone()]);
    journal["runs"] = Value::from(vec![small; 20_001]);
    std::fs::write(folder.path().join("runs.json"), journal.to_string()).expect("written");
    let output = flowpilot(folder.path(), &["replay", "runs.json"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("more than 20000 runs"));

    let mut journal = whole;
    let event = journal["runs"][0]["events"][1].clone();
    journal["runs"][0]["events"] = Value::from(vec![event; 100_001]);
    std::fs::write(folder.path().join("many.json"), journal.to_string()).expect("written");
    let output = flowpilot(folder.path(), &["replay", "many.json"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).contains("more than 100000 events"),
        "{}",
        text(&output.stderr)
    );
}
