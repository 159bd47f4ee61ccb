//! `flowpilot fmt`, `graph` and `explain` as people use them.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const OLD: &str = "# a flow\nkind: Workflow\napiVersion: flowpilot.io/v1alpha1\nmetadata: {name: flow}\nspec:\n    steps:\n      - set: {x: 1} # \
                   one\n        id: a\n      - {needs: [a], id: b, set: {y: $(steps.a.output.x)}}\n";
const NEW: &str = "# a flow\napiVersion: flowpilot.io/v1alpha1\nkind: Workflow\nmetadata: {name: flow}\nspec:\n  steps:\n  - id: a\n    set: {x: \
                   1} # one\n  - {id: b, needs: [a], set: {y: $(steps.a.output.x)}}\n";

struct Folder(tempfile::TempDir);

impl Folder {
    fn with(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).expect("a file");
        }
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).expect("a text")
    }

    /// Exit status, standard output, standard error.
    fn flowpilot(&self, arguments: &[&str], input: &str) -> (i32, String, String) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_flowpilot"))
            .args(arguments)
            .current_dir(self.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        // A command that reads nothing may be over by now.
        let _ = child.stdin.take().expect("an input").write_all(input.as_bytes());
        let Output {
            status,
            stdout,
            stderr,
        } = child.wait_with_output().expect("the command ends");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("a text");
        (status.code().expect("a status"), text(stdout), text(stderr))
    }
}

#[test]
fn fmt_writes_what_it_checks() {
    let folder = Folder::with(&[("a.yaml", OLD), ("b.yaml", NEW), ("notes.txt", "a: {")]);
    let (status, out, told) = folder.flowpilot(&["fmt", "--check", "."], "");
    assert_eq!(status, 1, "{told}");
    assert!(out.starts_with("--- ./a.yaml\n+++ ./a.yaml\n@@"), "{out}");
    assert!(
        out.contains("-      - set: {x: 1} # one\n") && out.contains("+    set: {x: 1} # one\n"),
        "{out}"
    );
    assert!(
        told.contains("1 files would change, 1 are as they should be"),
        "{told}"
    );
    assert_eq!(folder.text("a.yaml"), OLD);

    let (status, out, told) = folder.flowpilot(&["fmt", "."], "");
    assert_eq!((status, out.as_str()), (0, ""));
    assert!(told.contains("formatted ./a.yaml"), "{told}");
    assert_eq!(
        (folder.text("a.yaml"), folder.text("b.yaml")),
        (NEW.to_owned(), NEW.to_owned())
    );
    assert_eq!(
        std::fs::read_dir(folder.path()).expect("the folder").count(),
        3,
        "nothing else was left"
    );
    assert_eq!(folder.flowpilot(&["fmt", "--check", "."], "").0, 0);
}

#[test]
fn fmt_goes_from_standard_input_to_standard_output() {
    let folder = Folder::with(&[]);
    let (status, out, _) = folder.flowpilot(&["fmt", "-"], OLD);
    assert_eq!((status, out.as_str()), (0, NEW));
    assert_eq!(folder.flowpilot(&["fmt", "--check", "-"], OLD).0, 1);
    assert_eq!(folder.flowpilot(&["fmt", "--check", "-"], NEW).0, 0);
}

#[test]
fn fmt_leaves_what_it_cannot_read_and_does_the_rest() {
    let broken = "kind: Workflow\nmetadata: {name: a\nspec: [\n";
    let folder = Folder::with(&[
        ("a.yaml", broken),
        ("b.yaml", OLD),
        ("c.yaml", "kind: A\nkind: B\n"),
        ("d.yaml", "kind: A\nmetadata:\n\tname: a\n"),
    ]);
    let (status, _, told) = folder.flowpilot(&["fmt", "."], "");
    assert_eq!(status, 1);
    for line in [
        "./a.yaml:3:5: error: ",
        "./c.yaml:2:1: error: kind stands twice",
        "./d.yaml:3:2: error: a tab indents this line",
    ] {
        assert!(told.contains(line), "{line} in {told}");
    }
    assert_eq!(
        (folder.text("a.yaml"), folder.text("b.yaml")),
        (broken.to_owned(), NEW.to_owned())
    );
}

#[cfg(unix)]
#[test]
fn fmt_keeps_rights_and_links() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let folder = Folder::with(&[("real.txt", OLD)]);
    let real = folder.path().join("real.txt");
    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).expect("rights");
    symlink("real.txt", folder.path().join("link.yaml")).expect("a link");
    assert_eq!(folder.flowpilot(&["fmt", "link.yaml"], "").0, 0);
    assert!(
        std::fs::symlink_metadata(folder.path().join("link.yaml"))
            .expect("a link")
            .is_symlink()
    );
    assert_eq!(folder.text("real.txt"), NEW);
    assert_eq!(
        real.metadata().expect("a file").permissions().mode() & 0o777,
        0o640
    );
}

#[test]
fn graph_draws_one_of_several_workflows() {
    let both = format!("{OLD}---\n{}", NEW.replace("name: flow", "name: other"));
    let folder = Folder::with(&[
        ("a.yaml", &both),
        ("wrong.yaml", &NEW.replace("needs: [a]", "needs: [aa]")),
    ]);
    let (status, out, _) = folder.flowpilot(&["graph", "a.yaml", "other"], "");
    assert_eq!(status, 0);
    assert!(
        out.contains("title: \"other\"") && out.contains("step_a -->|\"succeeded\"| step_b"),
        "{out}"
    );
    for (picture, start, end) in [
        ("dot", "digraph \"other\" {", "}\n"),
        ("svg", "<svg ", "</svg>\n"),
    ] {
        let (status, out, _) = folder.flowpilot(&["graph", "a.yaml", "other", "--output", picture], "");
        assert!(
            status == 0 && out.starts_with(start) && out.ends_with(end),
            "{out}"
        );
    }
    let (status, _, told) = folder.flowpilot(&["graph", "a.yaml"], "");
    assert!(status == 1 && told.contains("name one of flow, other"), "{told}");
    let (status, out, told) = folder.flowpilot(&["graph", "wrong.yaml"], "");
    assert_eq!((status, out.as_str()), (1, ""));
    assert!(
        told.contains("wrong.yaml:9:21: error: spec.steps[1].needs[0]: ")
            && told.contains("did you mean `a`?"),
        "{told}"
    );
}

#[test]
fn explain_says_what_is_known_of_a_step() {
    let wrong = NEW.replace("output.x", "output.z");
    let folder = Folder::with(&[("a.yaml", OLD), ("wrong.yaml", &wrong)]);
    let (status, out, _) = folder.flowpilot(&["explain", "a.yaml"], "");
    assert_eq!(
        (status, out.as_str()),
        (0, "STEP   KIND   NEEDS   TITLE\na      set\nb      set    a\n")
    );
    let (status, out, _) = folder.flowpilot(&["explain", "a.yaml", "b"], "");
    assert_eq!(status, 0);
    for line in [
        "place      spec.steps[1] (a.yaml:9:9)\n",
        "needs      a\n",
        "  steps.a.output.x    int         always\n",
    ] {
        assert!(out.contains(line), "{line} in {out}");
    }
    assert!(out.ends_with("[UnusedOutput]\n"), "{out}");
    let (_, out, _) = folder.flowpilot(&["explain", "wrong.yaml", "b"], "");
    assert!(
        out.contains("Problems\n  wrong.yaml:9:") && out.contains("[UnknownField]"),
        "{out}"
    );
    let (status, out, _) = folder.flowpilot(&["explain", "-", "b", "-o", "json"], OLD);
    let explained: serde_json::Value = serde_json::from_str(&out).expect("a document");
    assert_eq!(
        (status, &explained["needs"][0]["step"]),
        (0, &serde_json::json!("a"))
    );
    let (status, _, told) = folder.flowpilot(&["explain", "a.yaml", "c"], "");
    assert!(
        status == 1 && told.contains("there is no step c: did you mean"),
        "{told}"
    );
}
