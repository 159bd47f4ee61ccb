//! The examples of `docs/language` are files that a reader can save: each page's are written to a folder and tested.

use std::path::Path;
use std::process::Command;

/// The files of a page: blocks whose first line is a comment with the name of a file.
fn files(page: &str) -> Vec<(&str, &str)> {
    page.split("```yaml\n")
        .skip(1)
        .filter_map(|rest| {
            let block = rest.split("```").next()?;
            let name = block.lines().next()?.strip_prefix("# ")?;
            Path::new(name).extension().is_some().then_some((name, block))
        })
        .collect()
}

#[test]
fn every_example_of_the_pages_does_what_its_test_says() {
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/language");
    let folder = tempfile::tempdir().expect("a folder");
    let mut tests = 0;
    for page in std::fs::read_dir(pages).expect("the pages") {
        let page = page.expect("a page").path();
        let text = std::fs::read_to_string(&page).expect("a text");
        let place = folder.path().join(page.file_stem().expect("a name"));
        std::fs::create_dir(&place).expect("a folder");
        for (name, content) in files(&text) {
            tests += content.matches("kind: WorkflowTest").count();
            std::fs::write(place.join(name), content).expect("a file");
        }
    }
    let output = Command::new(env!("CARGO_BIN_EXE_flowpilot"))
        .arg("test")
        .arg(folder.path())
        .output()
        .expect("the command runs");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(tests > 15, "only {tests} tests were found");
    assert!(told.ends_with(&format!("{tests} passed, 0 failed\n")), "{told}");
}
