//! Every sentence of the language that can be shown is shown by a WorkflowTest under `engine/tests/language`: they run
//! through the command that users have.

use std::path::Path;
use std::process::{Command, Output};

fn flowpilot(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_flowpilot"))
        .args(arguments)
        .output()
        .expect("the command runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_language_does_what_its_tests_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../engine/tests/language");
    let output = flowpilot(&["test", folder.to_str().expect("a path")]);
    let told: Vec<_> = text(&output.stdout)
        .lines()
        .filter(|line| !line.starts_with("ok "))
        .map(str::to_owned)
        .collect();
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
        .expect("a number of tests");
    assert!(passed > 300, "{last}");
}
