//! `flowpilot test` as people use it. Every sentence of the language that can be shown is shown by a WorkflowTest under
//! `engine/tests/language`: they run through the command, too.

use std::path::Path;
use std::process::{Command, Output};

const FLOW: &str = r#"apiVersion: flowpilot.io/v1alpha1
kind: Workflow
metadata: {name: flow}
spec:
  inputs: [{name: n, type: integer, required: true}]
  steps:
  - {id: size, switch: {cases: [{name: big, when: "inputs.n > 10"}], default: small}}
  - {id: pay, needs: [size.big], uses: app/pay@1, with: {n: "$(inputs.n)"}, retry: {attempts: 2}}
  - {id: skip, needs: [size.small], uses: app/skip@1}
  - {id: rescue, needs: [pay.failed], uses: app/rescue@1}
  outputs: {v: "$(steps.pay.?output.?v)"}
"#;

const TEST: &str = r"# a test
apiVersion: flowpilot.io/v1alpha1
kind: WorkflowTest
metadata: {name: big}
why: large ones are paid
workflow: flow.yaml   # the flow
inputs: {n: 12}
mocks:
  pay: [{error: {code: Unavailable, message: down}}, {output: {v: 3}}]
expect:
  # what must come
  status: Failed
  endedAt: 1s
  calls: [{step: pay, with: {n: 13}}]
";

fn flowpilot(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flowpilot"));
    command
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the command runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn folder(test: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content) in [("flow.yaml", FLOW), ("test.yaml", test)] {
        std::fs::write(folder.path().join(name), content).expect("a file");
    }
    folder
}

#[test]
fn the_language_does_what_its_tests_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../engine/tests/language");
    let output = flowpilot(&folder, &["test", "."]);
    let stdout = text(&output.stdout);
    let told: Vec<&str> = stdout.lines().filter(|line| !line.starts_with("ok ")).collect();
    assert!(
        output.status.success(),
        "{}\n{}",
        told.join("\n"),
        text(&output.stderr)
    );
    let last = told.last().expect("a last line");
    let passed: u32 = last
        .split(' ')
        .next()
        .and_then(|number| number.parse().ok())
        .expect("a number");
    assert!(passed > 745, "{last}");
}

#[test]
fn a_failed_test_says_why_what_differs_and_what_happened() {
    let folder = folder(TEST);
    let output = flowpilot(folder.path(), &["test", "."]);
    let stdout = text(&output.stdout);
    for part in [
        "FAILED big (./test.yaml:2)",
        "why: large ones are paid",
        "status:\n      expected: Failed\n      actual:   Succeeded",
        "calls[0].with.n (pay):\n      expected: 13\n      actual:   12",
        "path: size=big -> pay -> skip:skipped(NotTaken) -> rescue:skipped(NotTaken)",
        "1s RunFinished {outcome: succeeded, outputs: {v: 3}}",
    ] {
        assert!(stdout.contains(part), "{part}\n{stdout}");
    }
    assert_eq!(stdout.lines().last(), Some("0 passed, 1 failed"));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn what_cannot_be_read_is_said_with_its_place() {
    let folder = folder(&TEST.replace("endedAt", "endetAt"));
    let output = flowpilot(folder.path(), &["test", "test.yaml"]);
    let stderr = text(&output.stderr);
    assert!(
        stderr.contains("test.yaml:13:3: expect.endetAt: there is no field `endetAt`"),
        "{stderr}"
    );
    assert!(stderr.contains("did you mean `endedAt`?"), "{stderr}");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        flowpilot(folder.path(), &["test", "nowhere.yaml"]).status.code(),
        Some(2)
    );
}

#[test]
fn update_writes_what_happened_and_leaves_the_rest() {
    let folder = folder(TEST);
    flowpilot(folder.path(), &["test", ".", "--update"]);
    let written = std::fs::read_to_string(folder.path().join("test.yaml")).expect("the file");
    let expected = TEST.replace("status: Failed", "status: Succeeded").replace(
        "  calls: [{step: pay, with: {n: 13}}]\n",
        "  calls:\n  - {step: pay, with: {n: 12}}\n  - {step: pay, with: {n: 12}}\n",
    );
    assert_eq!(written, expected);
    assert!(flowpilot(folder.path(), &["test", "."]).status.success());
}

#[test]
fn update_fills_in_a_test_that_expects_nothing() {
    let test = TEST.split("expect:").next().expect("a beginning").to_owned();
    let folder = folder(&test);
    flowpilot(folder.path(), &["test", ".", "--update"]);
    let written = std::fs::read_to_string(folder.path().join("test.yaml")).expect("the file");
    assert!(written.starts_with(&test), "{written}");
    for part in [
        "  status: Succeeded\n",
        "  endedAt: 1s\n",
        "    size: {outcome: succeeded, named: big}\n",
    ] {
        assert!(written.contains(part), "{part}\n{written}");
    }
    assert!(flowpilot(folder.path(), &["test", "."]).status.success());
}

#[test]
fn coverage_names_what_no_test_took() {
    let folder = folder(TEST);
    let stdout = text(&flowpilot(folder.path(), &["test", ".", "--coverage"]).stdout);
    for part in [
        "no test took step skip",
        "no test took edge size.small -> skip",
        "no test took case size.small",
        "no test took step rescue",
    ] {
        assert!(stdout.contains(part), "{part}\n{stdout}");
    }
    assert!(!stdout.contains("no test took step pay"), "{stdout}");
}

#[test]
fn junit_and_json_are_documents() {
    let folder = folder(TEST);
    let junit = text(&flowpilot(folder.path(), &["test", ".", "--output", "junit"]).stdout);
    assert!(
        junit.starts_with(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"1\" failures=\"1\">"
        ),
        "{junit}"
    );
    assert!(junit.contains("<testcase name=\"big\""), "{junit}");
    assert!(junit.contains("size=big -&gt; pay"), "{junit}");
    let json = flowpilot(folder.path(), &["test", ".", "--output", "json"]).stdout;
    let json: serde_json::Value = serde_json::from_slice(&json).expect("a document");
    assert_eq!(
        (&json[0]["name"], &json[0]["passed"]),
        (&"big".into(), &false.into())
    );
}

#[test]
fn a_recorded_run_becomes_a_test_that_passes() {
    let folder = folder(TEST);
    let journal = r#"[
        {"type":"RunStarted","at":"2026-02-01T00:00:00Z","inputs":{"n":12}},
        {"type":"StepStarted","step":"size","at":"2026-02-01T00:00:00Z","attempt":1},
        {"type":"StepSucceeded","step":"size","at":"2026-02-01T00:00:00Z","attempt":1,"named":"big"},
        {"type":"StepStarted","step":"pay","at":"2026-02-01T00:00:00Z","attempt":1},
        {"type":"StepSucceeded","step":"pay","at":"2026-02-01T00:00:04Z","attempt":1,"output":{"v":3}},
        {"type":"RunFinished","at":"2026-02-01T00:00:04Z","outcome":"succeeded","outputs":{"v":3}}]"#;
    std::fs::write(folder.path().join("journal.json"), journal).expect("a file");
    let recorded = flowpilot(
        folder.path(),
        &["test", "--record", "journal.json", "--workflow", "flow.yaml"],
    );
    let document = text(&recorded.stdout);
    assert!(document.contains("  - {delay: 4s, output: {v: 3}}"), "{document}");
    std::fs::write(folder.path().join("test.yaml"), &document).expect("a file");
    let output = flowpilot(folder.path(), &["test", "."]);
    assert!(output.status.success(), "{document}\n{}", text(&output.stdout));
}

#[test]
fn a_run_without_tests_is_no_success() {
    let folder = folder(TEST);
    let output = flowpilot(folder.path(), &["test", ".", "--filter", "smal"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("none has `smal` in its name"));
}

#[test]
fn a_misspelt_field_that_is_needed_is_named() {
    let folder = folder(&TEST.replace("workflow: flow", "workflw: flow"));
    let output = flowpilot(folder.path(), &["test", "."]);
    assert_eq!(output.status.code(), Some(2));
    let told = text(&output.stderr);
    assert!(
        told.contains("test.yaml:6:1: workflw: there is no field `workflw` here; did you mean `workflow`?"),
        "{told}"
    );
}

#[test]
fn a_mock_that_no_step_takes_is_named_when_a_test_fails() {
    let folder = folder(&TEST.replace("  pay: [", "  pya: ["));
    let told = text(&flowpilot(folder.path(), &["test", "."]).stdout);
    assert!(
        told.contains("mocks.pya: there is no such step; did you mean `pay`?"),
        "{told}"
    );
    let folder = self::folder(&TEST.replace(
        "  pay: [{error: {code: Unavailable, message: down}}, {output: {v: 3}}]",
        "  pay: {output: {v: 3}}",
    ));
    let told = text(&flowpilot(folder.path(), &["test", "."]).stderr);
    assert!(
        told.contains("mocks.pay: answers stand in a list, one for each call"),
        "{told}"
    );
}
