//! Runs from their start to their row: by resource, by REST, good and bad.

use anyhow::Context;
use flowpilot_e2e::tenant::CALL_OF_A_MINUTE;
use flowpilot_e2e::{eventually, with_tenant};
use serde_json::json;
use sqlx::{Connection, PgConnection};

const ADD: &str = r#"
    inputs: [{name: left, type: integer, required: true}, {name: right, type: integer, default: 2}]
    steps:
    - {id: add, set: {sum: "$(inputs.left + inputs.right)"}}
    - {id: double, needs: [add], set: {value: "$(steps.add.output.sum * 2)"}}
    outputs: {value: "$(steps.double.output.value)"}
"#;

#[tokio::test]
async fn run_a_resource_to_its_outputs_and_its_row() -> anyhow::Result<()> {
    with_tenant("run_resource", async |tenant| {
        tenant.ready_workflow("add", ADD).await?;
        tenant.create_run("first", "add", json!({"left": 19})).await?;
        tenant
            .wait_for("workflowrun/first", "condition=Succeeded")
            .await?;
        let object = tenant.object("workflowrun/first").await?;
        assert_eq!(object["status"]["outputs"], json!({"value": 42}));
        assert!(object["status"]["startedAt"].is_string() && object["status"]["finishedAt"].is_string());
        let run = object["status"]["run"]
            .as_str()
            .context("no run in the status")?
            .to_owned();
        let mut database = PgConnection::connect(&tenant.cluster.database_url().await?).await?;
        sqlx::query("SET ROLE fp_engine").execute(&mut database).await?;
        let id: uuid::Uuid = run.parse()?;
        let (outcome, events): (String, i32) =
            sqlx::query_as("SELECT outcome::text, last_seq FROM fp.run_done WHERE run_id = $1")
                .bind(id)
                .fetch_one(&mut database)
                .await?;
        assert_eq!(outcome, "succeeded");
        let stored: i64 = sqlx::query_scalar("SELECT sum(n) FROM fp.run_journal WHERE run_id = $1")
            .bind(id)
            .fetch_one(&mut database)
            .await?;
        assert_eq!(stored, i64::from(events));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn run_that_fails_says_why_in_status_event_and_api() -> anyhow::Result<()> {
    with_tenant("run_fails", async |tenant| {
        let spec = r#"
            steps:
            - id: call
              uses: core/http@1
              with: {url: "http://data.samples.svc/status/503"}
              retry: {attempts: 3, backoff: 100ms}
        "#;
        tenant.ready_workflow("down", spec).await?;
        tenant.create_run("first", "down", json!({})).await?;
        tenant
            .wait_for("workflowrun/first", "condition=Succeeded=False")
            .await?;
        let object = tenant.object("workflowrun/first").await?;
        let condition = &object["status"]["conditions"][0];
        assert_eq!(condition["reason"], "Failed");
        assert!(
            condition["message"]
                .as_str()
                .is_some_and(|text| text.contains("call") && text.contains("Unavailable")),
            "{condition}"
        );
        assert_eq!(object["status"]["error"]["code"], "Unavailable");
        eventually("an Event tells of the failure", 20, || async {
            let selector = "involvedObject.name=first,type=Warning";
            let events = tenant
                .kubectl(&["get", "events", "--field-selector", selector])
                .await?;
            Ok(events.contains("Failed").then_some(()))
        })
        .await?;
        let run = object["status"]["run"].as_str().context("no run in the status")?;
        let seen = tenant.finished(run).await?;
        assert_eq!(
            (seen["state"].as_str(), seen["error"]["step"].as_str()),
            (Some("failed"), Some("call"))
        );
        let attempts = tenant
            .events(run)
            .await?
            .iter()
            .filter(|event| event["type"] == "StepStarted")
            .count();
        assert_eq!(attempts, 3);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn run_refuses_inputs_that_do_not_fit() -> anyhow::Result<()> {
    with_tenant("run_inputs", async |tenant| {
        tenant.ready_workflow("add", ADD).await?;
        let path = tenant.path("/workflows/add/runs");
        let body = json!({"inputs": {"left": "nineteen", "other": 1}});
        let answer = tenant
            .cluster
            .rest
            .call(reqwest::Method::POST, &path, &[], Some(&body))
            .await?;
        assert_eq!(
            (answer.status, answer.body["code"].as_str()),
            (422, Some("InvalidInputs")),
            "{}",
            answer.body
        );
        assert_eq!(
            answer.body["errors"].as_array().map(Vec::len),
            Some(2),
            "{}",
            answer.body
        );
        tenant
            .create_run("wrong", "add", json!({"left": "nineteen"}))
            .await?;
        tenant
            .wait_for("workflowrun/wrong", "condition=Succeeded=False")
            .await?;
        let condition = tenant.object("workflowrun/wrong").await?["status"]["conditions"][0].clone();
        assert_eq!(condition["reason"], "InvalidInputs", "{condition}");
        assert!(
            condition["message"]
                .as_str()
                .is_some_and(|text| text.contains("left")),
            "{condition}"
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn run_is_cancelled_while_it_waits_while_it_acts_and_by_deleting_its_resource() -> anyhow::Result<()> {
    with_tenant("run_cancel", async |tenant| {
        tenant
            .ready_workflow("sleep", "{steps: [{id: nap, wait: {duration: 1h}}]}")
            .await?;
        let run = tenant.start("sleep", json!({})).await?;
        tenant.in_state(&run, &["waiting"]).await?;
        tenant.cancel(&run).await?;
        assert_eq!(tenant.finished(&run).await?["state"], "cancelled");
        tenant.ready_workflow("call", CALL_OF_A_MINUTE).await?;
        let run = tenant.calling("call").await?;
        tenant.cancel(&run).await?;
        assert_eq!(tenant.finished(&run).await?["state"], "cancelled");
        tenant.create_run("second", "sleep", json!({})).await?;
        let run = eventually("the resource has a run", 30, || async {
            Ok(tenant.object("workflowrun/second").await?["status"]["run"]
                .as_str()
                .map(str::to_owned))
        })
        .await?;
        tenant
            .kubectl(&["delete", "workflowrun/second", "--timeout=60s"])
            .await?;
        assert_eq!(tenant.finished(&run).await?["state"], "cancelled");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn run_meets_a_world_that_is_not_nice() -> anyhow::Result<()> {
    with_tenant("run_bad_world", async |tenant| {
        let call = |path: &str| format!("{{steps: [{{id: call, timeout: 5s, uses: core/http@1, with: {{url: \"http://data.samples.svc{path}\"}}}}]}}");
        let elsewhere = |url: &str| format!("{{steps: [{{id: call, timeout: 5s, uses: core/http@1, with: {{url: \"{url}\"}}}}]}}");
        let cases = [
            ("missing", call("/status/404"), "NotFound"),
            ("large", call("/large?bytes=3000000"), "LimitExceeded"),
            ("slow", call("/slow?ms=20000"), "Timeout"),
            ("unknown", elsewhere("http://no-such-host.example.invalid/"), "Unavailable"),
            ("metadata", elsewhere("http://169.254.169.254/latest/"), "AddressNotAllowed"),
            ("redirected", call("/redirect?to=http://169.254.169.254/"), "AddressNotAllowed"),
        ];
        for (name, spec, _) in &cases {
            tenant.cluster.apply(&tenant.workflow(name, spec)?).await?;
        }
        for (name, _, code) in &cases {
            tenant.wait_for(&format!("workflow/{name}"), "condition=Ready").await?;
            let run = tenant.start(name, json!({})).await?;
            let run = tenant.finished(&run).await?;
            assert_eq!(run["error"]["code"].as_str(), Some(*code), "{name}: {run}");
        }
        Ok(())
    })
    .await
}

/// Items, scripts, templates, turns, and a group whose failure is handled after what it did is taken back.
const BLOCKS: &str = r#"
    steps:
    - {id: each, forEach: {items: "$([1, 2, 3, 4])", maxParallel: 2, onItemError: Collect, result: "$(steps.half.output)"}}
    - {id: half, in: each, script: {input: {n: "$(item)"}, source: "if (input.n % 2) throw {code: 'Odd', message: `${input.n} is odd`}; return input.n / 2"}}
    - {id: again, loop: {until: "turn.n >= 3", init: {n: 0}, next: {n: "$(turn.n + 1)"}}}
    - {id: tick, in: again, set: {x: "$(turn.n)"}}
    - {id: order, group: {}, retry: {attempts: 2, backoff: 100ms, codes: [Declined]}}
    - {id: reserve, in: order, uses: core/log@1, with: {message: reserve}, undo: {uses: core/log@1, with: {message: release}}}
    - {id: pay, in: order, needs: [reserve], fail: {code: Declined, message: no money}}
    - id: letter
      needs: [each.partial, again, order.failed]
      uses: core/table@1
      with: {format: csv, data: {template: "half\n{% for half in halves %}{{ half }}\n{% endfor %}", data: {halves: "$(steps.each.output)"}}}
    outputs:
      odd: "$(steps.each.failures.map(f, f.error.message))"
      rows: "$(steps.letter.output.rows.map(r, r.half))"
      turns: "$(steps.again.output.n)"
      why: "$(steps.order.error.code)"
"#;

#[tokio::test]
async fn run_with_blocks_scripts_templates_and_undo() -> anyhow::Result<()> {
    with_tenant("run_blocks", async |tenant| {
        tenant.ready_workflow("blocks", BLOCKS).await?;
        let run = tenant.start("blocks", json!({})).await?;
        let run_object = tenant.finished(&run).await?;
        assert_eq!(run_object["state"], "succeeded", "{run_object}");
        let outputs = &run_object["outputs"];
        assert_eq!(outputs["odd"], json!(["1 is odd", "3 is odd"]));
        assert_eq!(outputs["turns"], 3);
        assert_eq!(outputs["why"], "Declined");
        let rows: Vec<String> = outputs["rows"]
            .as_array()
            .context("no rows")?
            .iter()
            .map(|row| row.to_string().replace('"', ""))
            .collect();
        assert_eq!(rows, ["1", "2"]);
        let events = tenant.events(&run).await?;
        let begun = |step: &str| {
            let begins = |event: &&serde_json::Value| event["type"] == "StepStarted" && event["step"] == step;
            events.iter().filter(begins).count()
        };
        assert_eq!(
            (begun("reserve"), begun("reserve.undo"), begun("order")),
            (2, 2, 2)
        );
        Ok(())
    })
    .await
}
