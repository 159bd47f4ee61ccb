//! What `kubectl apply` says to manifests, good and bad.

use flowpilot_e2e::with_tenant;
use reqwest::Method;

#[tokio::test]
async fn admit_a_workflow_and_make_it_ready() -> anyhow::Result<()> {
    with_tenant("admit_ready", async |tenant| {
        tenant
            .ready_workflow(
                "hello",
                "{steps: [{id: say, set: {text: hello}}], outputs: {text: $(steps.say.output.text)}}",
            )
            .await?;
        let workflow = tenant.object("workflow/hello").await?;
        let revision = workflow["status"]["revision"].as_str().unwrap_or_default();
        assert!(revision.starts_with("sha256:"), "{workflow}");
        let ready = &workflow["status"]["conditions"][0];
        assert_eq!(
            (ready["reason"].as_str(), ready["observedGeneration"].as_i64()),
            (Some("Available"), Some(1))
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn admit_tells_every_problem_with_its_path() -> anyhow::Result<()> {
    with_tenant("admit_problems", async |tenant| {
        let spec = r#"
            steps:
            - {id: a, needs: [b], set: {x: 1}}
            - {id: b, needs: [a], set: {x: 1}}
            - {id: charge, set: {x: "$(inputs.amuont)"}}
            - {id: tell, needs: [chrage], set: {x: 1}}
            - {id: ask, needs: [charge], approval: {groups: [managers]}}
            inputs: [{name: amount, type: number, required: true}]
        "#;
        let refusal = tenant.cluster.refusal(tenant.workflow("wrong", spec)?).await?;
        for part in [
            "wait for each other",
            "inputs.amount",
            "spec.steps[3].needs[0]",
            "did you mean `charge`",
            "spec.steps[4].approval",
            "not supported yet",
        ] {
            assert!(refusal.contains(part), "`{part}` is missing in: {refusal}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn admit_refuses_what_the_schema_forbids() -> anyhow::Result<()> {
    with_tenant("admit_schema", async |tenant| {
        let cases = [
            (
                "unknown field",
                "{steps: [{id: a, sett: {x: 1}, set: {x: 1}}]}",
                "unknown field \"spec.steps[0].sett\"",
            ),
            (
                "duplicate id",
                "{steps: [{id: a, set: {x: 1}}, {id: a, set: {x: 1}}]}",
                "Duplicate value",
            ),
            (
                "two kinds",
                "{steps: [{id: a, set: {x: 1}, fail: {code: Bad}}]}",
                "exactly one of",
            ),
            ("no steps", "{steps: []}", "should have at least 1 items"),
            ("wrong type", "{steps: {a: 1}}", "steps"),
        ];
        for (what, spec, expected) in cases {
            let refusal = tenant.cluster.refusal(tenant.workflow("wrong", spec)?).await?;
            assert!(refusal.contains(expected), "{what}: {refusal}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn admit_refuses_two_megabytes() -> anyhow::Result<()> {
    with_tenant("admit_large", async |tenant| {
        let spec = format!(
            "{{steps: [{{id: a, set: {{x: \"{}\"}}}}]}}",
            "y".repeat(2 * 1024 * 1024)
        );
        let said = tenant.cluster.refusal(tenant.workflow("large", &spec)?).await?;
        assert!(
            said.contains("large") || said.contains("limit") || said.contains("size"),
            "{said}"
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn admit_refuses_kinds_and_fields_that_do_nothing_yet() -> anyhow::Result<()> {
    with_tenant("admit_unsupported", async |tenant| {
        let connection = format!(
            "{{apiVersion: flowpilot.io/v1alpha1, kind: Connection, metadata: {{name: shop, namespace: {}}}, spec: {{connector: shop}}}}",
            tenant.namespace
        );
        let budget = format!(
            "{{apiVersion: flowpilot.io/v1alpha1, kind: Tenant, metadata: {{name: {}}}, spec: {{budgets: {{monthUsd: \"1\"}}}}}}",
            tenant.name
        );
        for manifest in [connection, budget] {
            let refusal = tenant.cluster.refusal(&manifest).await?;
            assert!(refusal.contains("not supported yet") || refusal.contains("NotSupportedYet"), "{refusal}");
        }
        Ok(())
    })
    .await
}

/// The same text with one byte that UTF-8 does not know: ü as Latin-1 has it.
fn latin1(text: &str) -> Vec<u8> {
    let (before, after) = text.split_once('ü').expect("the text has an ü");
    [before.as_bytes(), &[0xfc], after.as_bytes()].concat()
}

#[tokio::test]
async fn admit_takes_only_text() -> anyhow::Result<()> {
    with_tenant("admit_utf8", async |tenant| {
        // Kubernetes puts the sign for "unreadable" there before anybody else sees it, so all that it stores is text.
        let json = tenant.workflow("from-json", "{title: grün, steps: [{id: a, set: {x: 1}}]}")?;
        let yaml = json.replace("from-json", "from-yaml");
        for (name, manifest) in [("from-json", json), ("from-yaml", format!("---\n{yaml}"))] {
            let created = tenant
                .cluster
                .kubectl_with(&["create", "-f", "-"], latin1(&manifest))
                .await?;
            assert!(created.status.success(), "{name}: {created:?}");
            tenant
                .wait_for(&format!("workflow/{name}"), "condition=Ready")
                .await?;
            let workflow = tenant.object(&format!("workflow/{name}")).await?;
            assert_eq!(workflow["spec"]["title"], "gr\u{fffd}n", "{name}");
        }
        let body = latin1(
            r#"{"name": "other", "spec": {"title": "grün", "steps": [{"id": "a", "set": {"x": 1}}]}}"#,
        );
        let path = tenant.path("/workflows");
        let answer = tenant
            .cluster
            .rest
            .send(Method::POST, &path, &[], Some(body))
            .await?;
        assert_eq!(
            (answer.status, answer.body["code"].as_str()),
            (400, Some("MalformedRequest")),
            "{}",
            answer.body
        );
        assert!(
            answer.body["detail"]
                .as_str()
                .is_some_and(|text| text.contains("UTF-8")),
            "{}",
            answer.body
        );
        Ok(())
    })
    .await
}
