//! `flowpilot runs RUN --journal`: what a server has of a run becomes a file that plays again.

use serde_json::{Value, json};

mod common;
use common::{flowpilot, folder, serve, text};

const FLOW: &str = "apiVersion: flowpilot.io/v1alpha1
kind: Workflow
metadata: {name: flow}
spec:
  steps:
  - {id: a, script: {source: return 1}}
  - {id: b, needs: [a], set: {id: $(uuid())}}
";

/// A server that has the run of a journal, and shows two events a page. `current` is the revision it shows.
fn server(run: Value, current: &'static str) -> (String, String) {
    let id = run["facts"]["run"].as_str().expect("an id").to_owned();
    let shown = id.clone();
    let (address, _) = serve(move |_, path| {
        let path = path.strip_prefix("/api/v1/tenants/acme/").expect("the tenant");
        let (place, query) = path.split_once('?').unwrap_or((path, ""));
        let body = if place == format!("runs/{shown}") {
            json!({"id": shown, "workflow": "flow", "revision": run["facts"]["revision"]})
        } else if place == "workflows/flow" {
            let revision = if current.is_empty() {
                run["facts"]["revision"].clone()
            } else {
                json!(current)
            };
            json!({"name": "flow", "revision": revision, "manifest": run["workflow"]})
        } else if place == format!("runs/{shown}/events") {
            let after: i64 = query
                .split('&')
                .find_map(|part| part.strip_prefix("after="))
                .and_then(|after| after.parse().ok())
                .expect("where the page begins");
            let events = run["events"].as_array().expect("events");
            let begin = usize::try_from(after + 1).expect("a number");
            let items: Vec<Value> = events.iter().skip(begin).take(2).cloned().collect();
            let last = begin + items.len() - 1;
            let next = (last + 1 < events.len()).then_some(last);
            json!({"items": items, "nextAfter": next})
        } else {
            return (404, json!({"title": "Not found"}).to_string());
        };
        (200, body.to_string())
    });
    (address, id)
}

/// A folder with a workflow, and the first run of its journal as the server of `acme` would have it.
fn recorded() -> (tempfile::TempDir, Value) {
    let folder = folder(&[("flow.yaml", FLOW)]);
    let output = flowpilot(
        folder.path(),
        &["run", "--local", "flow.yaml", "--journal", "local.json"],
    );
    assert!(output.status.success(), "{}", text(&output.stderr));
    let journal = std::fs::read_to_string(folder.path().join("local.json")).expect("the journal");
    let journal: Value = serde_json::from_str(&journal).expect("JSON");
    (folder, journal["runs"][0].clone())
}

#[test]
fn a_run_of_a_server_is_saved_and_plays_again() {
    let (folder, run) = recorded();
    let (address, id) = server(run, "");
    let connection = ["--server", &address, "--token", "t", "--tenant", "acme"];
    let saved = flowpilot(
        folder.path(),
        &[&["runs", &id, "--journal", "run.json"], &connection[..]].concat(),
    );
    assert!(saved.status.success(), "{}", text(&saved.stderr));
    assert!(text(&saved.stderr).contains("saved 6 events"));
    let replayed = flowpilot(folder.path(), &["replay", "run.json", "--quiet"]);
    assert!(
        text(&replayed.stdout).contains("the same, 6 events"),
        "{}",
        text(&replayed.stdout)
    );
    let test = flowpilot(
        folder.path(),
        &[&["test", "--record", &id], &connection[..]].concat(),
    );
    assert!(
        text(&test.stdout).contains("tenant: {name: acme}"),
        "{}",
        text(&test.stderr)
    );
}

#[test]
fn a_workflow_that_was_changed_since_is_asked_for() {
    let (folder, run) = recorded();
    let (address, id) = server(run, "sha256:other");
    let save = |more: &[&str]| {
        let base = ["runs", &id, "--journal", "run.json", "--server", &address];
        let rest = ["--token", "t", "--tenant", "acme"];
        let output = flowpilot(folder.path(), &[&base[..], &rest[..], more].concat());
        (output.status.success(), text(&output.stderr))
    };
    let (saved, told) = save(&[]);
    assert!(!saved && told.contains("--manifest"), "{told}");
    std::fs::write(
        folder.path().join("changed.yaml"),
        FLOW.replace("return 1", "return 2"),
    )
    .expect("written");
    let (saved, told) = save(&["--manifest", "changed.yaml"]);
    assert!(!saved && told.contains("of revision sha256:"), "{told}");
    let (saved, told) = save(&["--manifest", "flow.yaml"]);
    assert!(saved, "{told}");
}
