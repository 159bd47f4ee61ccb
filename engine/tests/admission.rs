//! The documents of `tests/language` as far as admission goes: what is refused and where, what only warns, and what is
//! accepted. What runs of them do is tested where there is a world to run them in.

use std::collections::BTreeMap;
use std::path::Path;

use flowpilot_engine::compile::{Context, WorkflowInterface, compile};
use flowpilot_engine::manifest::check_workflow;
use flowpilot_engine::plan::PlanAction;
use flowpilot_engine::problem::{Problem, Severity};
use serde_json::{Value, json};

/// What a document calls an action.
fn actions(document: &Value) -> BTreeMap<String, PlanAction> {
    let declared = document["actions"].as_object().into_iter().flatten();
    declared
        .map(|(name, action)| {
            let mut action = action.clone();
            for (field, default) in [
                ("effect", json!("Read")),
                ("input", json!({})),
                ("output", json!({})),
            ] {
                if action.get(field).is_none() {
                    action[field] = default;
                }
            }
            let action = serde_json::from_value(action).expect("an action that is declared right");
            (name.clone(), action)
        })
        .collect()
}

fn interfaces(document: &Value) -> BTreeMap<String, WorkflowInterface> {
    let called = document["workflows"].as_object().into_iter().flatten();
    called
        .filter_map(|(name, workflow)| {
            let spec = serde_json::from_value(workflow.get("spec")?.clone()).ok()?;
            let plan = compile(&spec, &Context::default()).ok()?.plan;
            Some((name.clone(), WorkflowInterface::of(&plan)))
        })
        .collect()
}

fn findings(document: &Value) -> (bool, Vec<Problem>) {
    let context = Context {
        actions: actions(document),
        workflows: Some(interfaces(document)),
        connections: Some(std::collections::BTreeSet::new()),
        tenant_variables: document["tenant"]["variables"]
            .as_object()
            .map(|variables| variables.keys().cloned().collect()),
        ..Context::default()
    };
    match check_workflow(&document["workflow"], &context) {
        Ok((_, compiled)) => (true, compiled.findings()),
        Err(problems) => (false, problems),
    }
}

/// At or below the path, with every word.
fn fits(problem: &Problem, pattern: &Value) -> bool {
    let path = pattern["path"].as_str().unwrap_or_default();
    let below = problem
        .path
        .strip_prefix(path)
        .is_some_and(|rest| rest.is_empty() || path.is_empty() || rest.starts_with(['.', '[']));
    let text = format!("{} {problem}", problem.path);
    let words = pattern["contains"].as_array().into_iter().flatten();
    below && words.filter_map(Value::as_str).all(|word| text.contains(word))
}

/// What is wrong with a document, if anything is.
fn difference(document: &Value) -> Option<String> {
    let expect = &document["expect"];
    let (accepted, found) = findings(document);
    let shown = || {
        let lines: Vec<String> = found
            .iter()
            .map(|problem| format!("    {:?} {problem}", problem.severity))
            .collect();
        lines.join("\n")
    };
    let errors = || found.iter().filter(|problem| problem.severity == Severity::Error);
    if expect["admission"] == "rejected" {
        if accepted {
            return Some(format!("accepted\n{}", shown()));
        }
        if !errors().any(|problem| fits(problem, expect)) {
            return Some(format!("refused otherwise\n{}", shown()));
        }
    } else if !accepted {
        return Some(format!("refused\n{}", shown()));
    }
    let warnings = expect["warnings"].as_array().into_iter().flatten();
    for warning in warnings {
        if !found.iter().any(|problem| fits(problem, warning)) {
            return Some(format!("no warning {warning}\n{}", shown()));
        }
    }
    None
}

#[test]
fn admission_is_what_each_document_says() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/language");
    let folder = std::env::var_os("FLOWPILOT_DOCUMENTS").map_or(own, Into::into);
    let (mut count, mut wrong) = (0, Vec::new());
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let mut options = serde_saphyr::Options::default();
        options.strict_booleans = true;
        let documents: Vec<Value> = serde_saphyr::from_multiple_with_options(&text, options).unwrap();
        for document in documents {
            let name = document["metadata"]["name"].as_str().unwrap_or_default();
            if document["kind"] != "WorkflowTest" || !document["workflow"].is_object() {
                continue;
            }
            count += 1;
            if let Some(difference) = difference(&document) {
                let file = path.file_name().unwrap_or_default().to_string_lossy();
                wrong.push(format!("{name} ({file}): {difference}"));
            }
        }
    }
    assert!(
        count > 0 && wrong.is_empty(),
        "{count} documents\n{}",
        wrong.join("\n")
    );
}
