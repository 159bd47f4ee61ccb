#![expect(clippy::format_push_string, reason = "manifests are put together here, once")]

use serde_json::json;

use super::{MANIFEST_BYTES, check, check_workflow, parse};
use crate::compile::Context;

const GOOD: &str = "apiVersion: flowpilot.io/v1alpha1
kind: Workflow
metadata: {name: refund, namespace: fp-acme}
spec:
  steps:
  - id: a
    set: {x: 1}
  - id: b
    needs:
    - a
    uses: core/http@1
    with: {url: 'http://x.test', metod: GET}
";

fn refused(text: impl AsRef<[u8]>) -> (u32, u32, String) {
    let problems = parse(text.as_ref()).expect_err("a text that cannot be read");
    (problems[0].line, problems[0].column, problems[0].code.clone())
}

#[test]
fn everything_has_a_line_and_a_column() {
    let text = format!("# first\n{GOOD}---\n---\n{}", GOOD.replace("refund", "second"));
    let documents = parse(text.as_bytes()).unwrap();
    assert_eq!(
        documents
            .iter()
            .map(|document| document.name.as_str())
            .collect::<Vec<_>>(),
        ["refund", "second"]
    );
    assert_eq!(documents[0].namespace.as_deref(), Some("fp-acme"));
    let at = |path: &str| documents[0].position(path).unwrap();
    assert_eq!(at("kind"), (3, 1));
    assert_eq!(at("metadata.name"), (4, 12));
    assert_eq!(at("spec.steps[1].needs[0]"), (11, 7));
    assert_eq!(at("spec.steps[1].with.metod"), (13, 34));
    assert_eq!(at("spec.steps[1].nothing[3].here"), at("spec.steps[1]"));
    assert_eq!(documents[1].position("kind").unwrap().0, 17);
    let json =
        parse(br#"{"apiVersion": "flowpilot.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "x"}}"#)
            .unwrap();
    assert_eq!(json[0].position("metadata.name").unwrap(), (1, 74));
}

#[test]
fn texts_that_cannot_be_read_say_where_and_why() {
    assert_eq!(refused("a: 1\na: 2"), (2, 1, "DuplicateKey".to_owned()));
    assert_eq!(refused("kind: W\nspec:\n  x: {y: 1, y: 2}").2, "DuplicateKey");
    let (line, _, code) = refused("kind: W\nspec:\n\tsteps: []");
    assert_eq!((line, code.as_str()), (3, "InvalidYaml"));
    assert_eq!(
        refused(b"kind: W\nname: \xff\xfe"),
        (2, 7, "InvalidUtf8".to_owned())
    );
    assert_eq!(refused(vec![b'#'; MANIFEST_BYTES + 1]).2, "LimitExceeded");
    assert_eq!(refused(vec![b'x'; 2 * 1024 * 1024]).2, "LimitExceeded");
    assert_eq!(refused("[".repeat(10_000)).2, "LimitExceeded");
    assert_eq!(
        refused(
            "a:\n".to_owned()
                + &(0..150)
                    .map(|level| " ".repeat(level + 1) + "a:\n")
                    .collect::<String>()
        )
        .2,
        "LimitExceeded"
    );
    assert_eq!(refused("- 1").2, "NoManifest");
    assert_eq!(refused("kind: W"), (1, 1, "NoManifest".to_owned()));
    assert_eq!(refused("metadata: {name: x}").2, "NoManifest");
    assert!(parse(b"").unwrap().is_empty());
}

#[test]
fn aliases_do_not_explode() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    assert_eq!(refused(bomb).2, "LimitExceeded");
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_text() {
    let documents = parse(format!("\u{feff}{GOOD}").as_bytes()).unwrap();
    assert_eq!(documents[0].position("apiVersion"), Some((1, 1)));
}

#[test]
fn words_of_old_yaml_are_words() {
    let text = "kind: Workflow\nmetadata: {name: x}\nspec: {on: no, off: yes, really: true}";
    assert_eq!(
        parse(text.as_bytes()).unwrap()[0].object["spec"],
        json!({"on": "no", "off": "yes", "really": true})
    );
}

#[test]
fn shape_and_meaning_are_checked_together() {
    let text = GOOD
        .replace("  - id: a", "  - id: 1a")
        .replace("set: {x: 1}", "set: {x: '$(1'}")
        .replace("needs", "need");
    let documents = parse(text.as_bytes()).unwrap();
    let problems = check(&documents[0], &Context::default());
    let found: Vec<String> = problems
        .iter()
        .map(|problem| format!("{} {}", problem.code, problem.path))
        .collect();
    let expected = [
        "InvalidIdentifier spec.steps[0].id",
        "InvalidExpression spec.steps[0].set.x",
        "UnknownField spec.steps[1].need",
        "UnknownField spec.steps[1].with.metod",
    ];
    assert_eq!(found, expected);
}

#[test]
fn each_kind_is_checked_for_what_it_can_be() {
    let codes = |text: &str| -> Vec<String> {
        let documents = parse(text.as_bytes()).unwrap();
        check(&documents[0], &Context::default())
            .into_iter()
            .map(|problem| format!("{} {}", problem.code, problem.path))
            .collect()
    };
    let head =
        |kind: &str| format!("apiVersion: flowpilot.io/v1alpha1\nkind: {kind}\nmetadata: {{name: x}}\n");
    assert_eq!(codes(&head("Connector")), ["NotSupportedYet kind"]);
    assert_eq!(codes(&head("Connection")), ["NotSupportedYet kind"]);
    assert_eq!(codes(&head("Workflw")), ["UnknownKind kind"]);
    assert_eq!(codes(&head("WorkflowRun")), ["InvalidValue spec"]);
    assert_eq!(
        codes(&(head("WorkflowRun") + "spec: {workflow: 1}")),
        ["InvalidValue spec.workflow"]
    );
    assert_eq!(
        codes(&(head("WorkflowRun") + "spec: {workflow: x}")),
        Vec::<String>::new()
    );
    assert_eq!(
        codes(&(head("RunnerClass") + "spec: {isolation: Job}")),
        ["NotSupportedYet spec.isolation"]
    );
    assert_eq!(
        codes("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}"),
        Vec::<String>::new()
    );
    let odd = "apiVersion: flowpilot.io/v2\nkind: Workflow\nmetadata: {name: Bad_Name}\nspec: {steps: [{id: a, set: {x: 1}}]}";
    assert_eq!(
        codes(odd),
        ["UnknownVersion apiVersion", "InvalidIdentifier metadata.name"]
    );
}

#[test]
fn a_good_workflow_compiles_from_its_object() {
    let object = parse(GOOD.replace("metod", "method").as_bytes())
        .unwrap()
        .remove(0)
        .object;
    let (spec, compiled) = check_workflow(&object, &Context::default()).unwrap();
    assert_eq!(
        (
            spec.steps.len(),
            compiled.plan.steps().len(),
            compiled.warnings.len()
        ),
        (2, 2, 0)
    );
    for broken in [
        json!({}),
        json!(null),
        json!([]),
        json!({"spec": 1}),
        json!({"spec": {"steps": [{"id": 1}]}}),
    ] {
        assert!(check_workflow(&broken, &Context::default()).is_err(), "{broken}");
    }
}

#[test]
fn a_name_may_be_left_to_the_server_by_a_prefix() {
    let text = "apiVersion: flowpilot.io/v1alpha1\nkind: WorkflowRun\nmetadata: {generateName: nightly-}\nspec: {workflow: a}\n";
    let documents = parse(text.as_bytes()).unwrap();
    assert_eq!(
        (
            documents[0].name.as_str(),
            check(&documents[0], &Context::default())
        ),
        ("", Vec::new())
    );
    assert!(parse(text.replace("generateName", "other").as_bytes()).is_err());
}

#[test]
fn numbers_keep_every_digit_or_are_refused() {
    let parse_one = |number: &str| {
        let text = GOOD.replace("set: {x: 1}", &format!("set: {{x: {number}}}"));
        parse(text.as_bytes()).map(|documents| documents[0].object["spec"]["steps"][0]["set"]["x"].clone())
    };
    assert_eq!(
        parse_one("9007199254740993").unwrap().to_string(),
        "9007199254740993"
    );
    assert_eq!(
        parse_one("-9223372036854775808").unwrap().to_string(),
        "-9223372036854775808"
    );
    for large in ["9223372036854775808", "123456789012345678901234567890"] {
        let problem = &parse_one(large).expect_err(large)[0];
        assert_eq!(
            (problem.line, problem.code.as_str()),
            (7, "InvalidNumber"),
            "{large}"
        );
    }
}
