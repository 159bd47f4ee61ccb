//! `flowpilot run --local` as people use it: real actions, real time, nobody at the terminal.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::json;

mod common;
use common::{command, flowpilot, folder, server, text};

const REFUND: &str = r#"apiVersion: flowpilot.io/v1alpha1
kind: Workflow
metadata: {name: refund}
spec:
  inputs: [{name: n, type: integer, required: true}, {name: url, type: string, required: true}]
  steps:
  - {id: work, script: {source: "console.log('n is ' + input.n); return {n: input.n * 2}", input: {n: "$(inputs.n)"}}}
  - {id: say, needs: [work], uses: core/log@1, with: {message: {template: "got {{ n }}", data: {n: "$(steps.work.output.n)"}}}}
  - {id: nap, needs: [say], wait: {duration: 1s}}
  - {id: each, needs: [nap], forEach: {items: [1, 2], maxParallel: 2, result: "$(steps.p.output.v)"}}
  - {id: p, in: each, workflow: {name: price, inputs: {n: "$(item)"}}}
  - {id: ask, needs: [each], approval: {groups: [managers], title: "Pay $(steps.work.output.n)?", form: [{name: limit, type: integer, required: true}]}}
  - {id: tell, needs: [ask.approved], emit: {type: refund.done, data: {n: "$(inputs.n)"}}}
  - {id: hold, needs: [tell], wait: {event: {type: order.paid, match: "event.data.id == 1"}}}
  - {id: get, needs: [hold], uses: core/http@1, with: {url: "$(inputs.url)"}, retry: {attempts: 2, backoff: 1s}}
  outputs: {total: "$(steps.each.output)", limit: "$(steps.ask.output.form.limit)", got: "$(steps.get.output.body.a)"}
---
apiVersion: flowpilot.io/v1alpha1
kind: Workflow
metadata: {name: price}
spec:
  inputs: [{name: n, type: integer, required: true}]
  steps:
  - {id: look, set: {v: "$(inputs.n * 10)"}}
  - {id: sure, needs: [look], approval: {title: "Sure?"}}
  outputs: {v: "$(steps.look.output.v)"}
---
apiVersion: flowpilot.io/v1alpha1
kind: Workflow
metadata: {name: audit}
spec:
  inputs: [{name: n, type: integer, required: true}]
  triggers: [{id: done, event: {type: refund.done, match: "event.data.n > 1"}, inputs: {n: "$(trigger.body.n)"}}]
  steps: [{id: note, uses: core/log@1, with: {message: "audited $(inputs.n)"}}]
"#;

/// One workflow of these steps.
fn workflow(steps: &str) -> String {
    format!(
        "apiVersion: flowpilot.io/v1alpha1\nkind: Workflow\nmetadata: {{name: flow}}\nspec:\n  steps:\n{steps}"
    )
}

#[test]
fn all_that_a_process_can_do_really_happens_and_the_journal_plays_again() {
    let folder = folder(&[("refund.yaml", REFUND)]);
    let (address, asked) = server(&[503, 200]);
    let (url, began) = (format!("url={address}"), Instant::now());
    let output = flowpilot(
        folder.path(),
        &[
            "run",
            "--local",
            "refund.yaml",
            "refund",
            "-i",
            "n=3",
            "-i",
            &url,
            "-o",
            "json",
            "--allow-local",
            "--answer",
            "sure=approve",
            "--answer",
            r#"ask={"approve": true, "by": "bob", "form": {"limit": 5}}"#,
            "--event",
            r#"order.paid={"id": 1}"#,
            "--journal",
            "run.json",
        ],
    );
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{told}");
    let document = common::json(&output);
    assert_eq!(document["state"], "succeeded");
    assert_eq!(
        document["outputs"],
        json!({"total": [10, 20], "limit": 5, "got": 1})
    );
    assert!(
        began.elapsed() >= Duration::from_secs(1),
        "the wait takes its time"
    );
    assert_eq!(asked.load(Ordering::SeqCst), 2, "the first answer was 503");
    for part in [
        "n is 3",
        "got 6",
        "each[1].p/look",
        "ask                       approved by bob",
        "get                       failed: Unavailable",
        "get                       started, attempt 2",
        "audited 3",
    ] {
        assert!(told.contains(part), "{part}\n{told}");
    }

    let replayed = flowpilot(folder.path(), &["replay", "run.json", "--quiet"]);
    let verdict = text(&replayed.stdout);
    assert_eq!(replayed.status.code(), Some(0), "{verdict}");
    assert_eq!(verdict.matches(": the same, ").count(), 4, "{verdict}");

    // A test made of it passes, without hands and people.
    let recorded = flowpilot(folder.path(), &["test", "--record", "run.json"]);
    let test = text(&recorded.stdout);
    for part in [
        "  each[0].p/sure",
        "step: ask, by: bob, groups: [managers], form: {limit: 5}",
    ] {
        let part = part.trim();
        assert!(test.contains(part), "{part}\n{test}");
    }
    assert!(!test.contains("\n  each[0].p:"), "the called run answers: {test}");
    std::fs::write(folder.path().join("test.yaml"), &test).expect("written");
    let tested = flowpilot(folder.path(), &["test", "test.yaml"]);
    assert!(tested.status.success(), "{}\n{test}", text(&tested.stdout));
}

#[test]
fn a_journal_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder(&[("flow.yaml", &workflow("  - {id: a, set: {x: 1}}\n"))]);
    let output = flowpilot(
        folder.path(),
        &["run", "--local", "flow.yaml", "--journal", "run.json"],
    );
    assert!(output.status.success(), "{}", text(&output.stderr));
    let mode = std::fs::metadata(folder.path().join("run.json"))
        .expect("the journal")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn what_nobody_answers_is_named_and_what_was_done_is_undone() {
    let steps = "  - {id: pay, uses: core/log@1, with: {message: paid}, undo: {uses: core/log@1, with: {message: taken back}}}
  - {id: ask, needs: [pay], approval: {title: Sure?}}
  - {id: hold, needs: [pay], wait: {event: {type: order.paid}}}
";
    let folder = folder(&[("flow.yaml", &workflow(steps))]);
    let began = Instant::now();
    let output = flowpilot(folder.path(), &["run", "--local", "flow.yaml"]);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    for part in [
        "nobody here answers",
        "ask asks for an approval (Sure?): --answer ask=approve, or --answer ask=reject",
        "hold waits for an event order.paid: --event order.paid='{…}'",
        "taken back",
    ] {
        assert!(told.contains(part), "{part}\n{told}");
    }
    assert!(text(&output.stdout).contains("cancelled"));
    assert!(began.elapsed() < Duration::from_secs(20), "it does not wait");
}

#[test]
fn clean_up_that_nobody_answers_does_not_wait_either() {
    let steps = "  - {id: ask, approval: {title: Sure?}}\n  - {id: tidy, needs: [ask.done], approval: {title: Tidy?}}\n";
    let folder = folder(&[("flow.yaml", &workflow(steps))]);
    let output = flowpilot(folder.path(), &["run", "--local", "flow.yaml"]);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(
        told.contains("clean-up waits, and nobody here answers. tidy asks for an approval (Tidy?)"),
        "{told}"
    );
}

#[test]
fn a_rejection_goes_its_way_and_an_answer_that_nobody_asked_for_is_told() {
    let steps = "  - {id: ask, approval: {required: 2}}
  - {id: no, needs: [ask.rejected], set: {x: \"$(steps.ask.output.by[0])\"}}
  - {id: late, approval: {timeout: 1s}}
  - {id: over, needs: [late.expired], set: {x: 1}}
";
    let folder = folder(&[("flow.yaml", &workflow(steps))]);
    let output = flowpilot(
        folder.path(),
        &[
            "run",
            "--local",
            "flow.yaml",
            "--answer",
            "ask=reject",
            "--answer",
            "aks=approve",
        ],
    );
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{told}");
    for part in [
        "ask                       rejected by approver",
        "--answer aks: nobody was asked",
        // With a time of its own it is waited for, and told.
        "late asks for an approval: --answer late=approve",
        "over                      succeeded",
    ] {
        assert!(told.contains(part), "{part}\n{told}");
    }
}

/// A run whose step `nap` waits.
struct Napping {
    child: Child,
    lines: Receiver<String>,
    told: String,
}

impl Napping {
    fn start(folder: &tempfile::TempDir) -> Self {
        let mut child = command(
            folder.path(),
            &["run", "--local", "flow.yaml", "--journal", "run.json"],
        )
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
        let reader = BufReader::new(child.stderr.take().expect("a pipe"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in reader.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut napping = Self {
            child,
            lines,
            told: String::new(),
        };
        napping.wait_for("waits until");
        napping
    }

    fn wait_for(&mut self, part: &str) {
        loop {
            let line = self.lines.recv_timeout(Duration::from_mins(1));
            assert!(line.is_ok(), "{part} is not told\n{}", self.told);
            let line = line.expect("a line") + "\n";
            self.told.push_str(&line);
            if line.contains(part) {
                return;
            }
        }
    }

    /// How it ended, and all that it told.
    fn end(mut self) -> (Option<i32>, String) {
        let code = self.child.wait().expect("it ends").code();
        self.told.extend(self.lines.iter().map(|line| line + "\n"));
        (code, self.told)
    }
}

fn interrupt(child: &Child) {
    let pid = child.id().to_string();
    let status = std::process::Command::new("kill").args(["-INT", &pid]).status();
    assert!(status.expect("kill runs").success());
}

#[test]
fn ctrl_c_cancels_with_clean_up_and_undo() {
    let steps = "  - {id: pay, uses: core/log@1, with: {message: paid}, undo: {uses: core/log@1, with: {message: taken back}}}
  - {id: nap, needs: [pay], wait: {duration: 1h}}
  - {id: tidy, needs: [nap.done], uses: core/log@1, with: {message: tidied}}
";
    let folder = folder(&[("flow.yaml", &workflow(steps))]);
    let napping = Napping::start(&folder);
    interrupt(&napping.child);
    let (code, told) = napping.end();
    assert_eq!(code, Some(1), "{told}");
    let place = |part: &str| told.find(part).unwrap_or_else(|| panic!("{part}\n{told}"));
    assert!(place("INFO tidied") < place("INFO taken back"), "{told}");
    place("error: cancelled by Ctrl-C");
    let replayed = flowpilot(folder.path(), &["replay", "run.json", "--quiet"]);
    assert!(replayed.status.success(), "{}", text(&replayed.stdout));
}

#[test]
fn a_second_ctrl_c_stops_at_once_and_leaves_the_journal() {
    let steps = "  - {id: nap, wait: {duration: 1h}}
  - {id: slow, needs: [nap.done], wait: {duration: 1h}}
";
    let folder = folder(&[("flow.yaml", &workflow(steps))]);
    let mut napping = Napping::start(&folder);
    interrupt(&napping.child);
    napping.wait_for("Ctrl-C again stops at once");
    napping.wait_for("slow");
    interrupt(&napping.child);
    let (code, told) = napping.end();
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("stopped at once"), "{told}");
    let replayed = flowpilot(folder.path(), &["replay", "run.json", "--quiet"]);
    let verdict = text(&replayed.stdout);
    assert!(
        verdict.contains("the same") && verdict.contains("not over"),
        "{verdict}"
    );
}

#[test]
fn errors_of_sensitive_steps_are_not_shown() {
    let steps = "  - {id: key, script: {source: \"throw new Error('hunter2')\"}, sensitive: true}\n";
    let folder = folder(&[("flow.yaml", &workflow(steps))]);
    let output = flowpilot(folder.path(), &["run", "--local", "flow.yaml"]);
    let told = text(&output.stderr) + &text(&output.stdout);
    assert_eq!(output.status.code(), Some(1));
    assert!(told.contains("not shown, as the step is sensitive"), "{told}");
    assert!(!told.contains("hunter2"), "{told}");
}

#[test]
fn timeout_cancels() {
    let folder = folder(&[("flow.yaml", &workflow("  - {id: nap, wait: {duration: 1h}}\n"))]);
    let output = flowpilot(folder.path(), &["run", "--local", "flow.yaml", "--timeout", "1s"]);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("it took longer than --timeout"), "{told}");
}

#[test]
fn what_cannot_run_here_is_refused_before_anything_starts() {
    let refused = |steps: &str| {
        let first = "  - {id: first, uses: core/log@1, with: {message: began}}\n";
        let folder = folder(&[("flow.yaml", &workflow(&format!("{first}{steps}")))]);
        let output = flowpilot(folder.path(), &["run", "--local", "flow.yaml"]);
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(!told.contains("began"), "{told}");
        told
    };
    let told = refused("  - {id: pod, container: {image: busybox}}\n");
    assert!(
        told.contains("line 7: spec.steps[1].container: a container is a pod"),
        "{told}"
    );
    assert!(refused("  - {id: call, workflow: {name: nowhere}}\n").contains("nowhere"));
    assert!(refused("  - {id: ask, uses: shop/pay@1}\n").contains("shop/pay@1"));
    assert!(refused("  - {id: ask, uses: ai/extract@1, with: {text: x}}\n").contains("ai/extract@1"));
}

#[test]
fn a_called_workflow_that_cannot_run_here_is_refused_too() {
    let inner = "---\napiVersion: flowpilot.io/v1alpha1\nkind: Workflow\nmetadata: {name: inner}\nspec: {steps: [{id: pod, container: {image: x}}]}\n";
    let outer = workflow("  - {id: call, workflow: {name: inner}}\n");
    let folder = folder(&[("flow.yaml", &format!("{outer}{inner}"))]);
    let output = flowpilot(folder.path(), &["run", "--local", "flow.yaml", "flow"]);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("inner cannot run here"), "{told}");
}

#[test]
fn this_machine_is_closed_unless_it_is_opened() {
    let (address, asked) = server(&[200]);
    let steps = format!("  - {{id: get, uses: core/http@1, with: {{url: \"{address}\"}}}}\n");
    let folder = folder(&[("flow.yaml", &workflow(&steps))]);
    let output = flowpilot(folder.path(), &["run", "--local", "flow.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stdout).contains("loopback"),
        "{}",
        text(&output.stdout)
    );
    assert!(text(&output.stderr).contains("--allow-local opens this machine"));
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    let output = flowpilot(folder.path(), &["run", "--local", "flow.yaml", "--allow-local"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[test]
fn a_tenant_among_the_files_gives_variables_and_opens_addresses() {
    let (address, _) = server(&[200]);
    let port = address.trim_end_matches('/').rsplit(':').next().expect("a port");
    let tenant = format!(
        "apiVersion: flowpilot.io/v1alpha1\nkind: Tenant\nmetadata: {{name: acme}}\nspec: {{variables: {{url: \"{address}\"}}, egress: {{allow: [{{cidr: 127.0.0.0/8, ports: [{port}]}}]}}}}\n"
    );
    let steps = "  - {id: get, uses: core/http@1, with: {url: $(vars.url)}}\n  - {id: who, set: {t: $(tenant.name)}}\n  outputs: {t: $(steps.who.output.t)}\n";
    let folder = folder(&[("flow.yaml", &workflow(steps)), ("tenant.yaml", &tenant)]);
    let output = flowpilot(folder.path(), &["run", "--local", ".", "-o", "json"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(common::json(&output)["outputs"], json!({"t": "acme"}));
}

#[test]
fn wrong_inputs_files_and_options_are_named() {
    let folder = folder(&[("refund.yaml", REFUND)]);
    let told = |arguments: &[&str]| {
        let output = flowpilot(folder.path(), &[&["run"], arguments].concat());
        (output.status.code(), text(&output.stderr))
    };
    let (code, why) = told(&["--local", "refund.yaml", "refund", "-i", "n=many", "-i", "url=x"]);
    assert_eq!(code, Some(1));
    assert!(why.contains("inputs.n"), "{why}");
    let (code, why) = told(&["--local", "refund.yaml"]);
    assert_eq!(code, Some(1));
    assert!(why.contains("name one of audit, price, refund"), "{why}");
    let (code, why) = told(&["--local", "refund.yaml", "refnud"]);
    assert_eq!(code, Some(1));
    assert!(why.contains("has no workflow refnud"), "{why}");
    for wrong in [
        &["--local", "refund.yaml", "--no-wait"][..],
        &["refund", "--journal", "x"],
        &["refund", "other"],
        &["--local", "refund.yaml", "--timeout", "soon"],
    ] {
        assert_eq!(told(wrong).0, Some(2), "{wrong:?}");
    }
}
