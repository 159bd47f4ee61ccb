//! A run from the request to its end, with the runner's part played by hand.

use reqwest::Method;
use serde_json::{Value, json};

use super::{ACME, World, problem, success, uid};
use crate::clock::Clock;

const START: &str = "/api/v1/tenants/acme/workflows/report/runs";

#[tokio::test]
async fn a_run_lives_from_request_to_outputs() {
    let world = World::new().await;
    let digest = world.workflow("report").await;
    let session = world.session(ACME).await;

    let answer = world
        .ask(Method::POST, START)
        .json(&json!({"inputs": {"count": 21}}))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 201);
    let location = answer.headers()["location"].to_str().unwrap().to_owned();
    let started: Value = answer.json().await.unwrap();
    assert_eq!(started["revision"], digest);
    assert_eq!(
        location,
        format!("/api/v1/tenants/acme/runs/{}", started["id"].as_str().unwrap())
    );

    let leased = world.lease(ACME, session).await;
    assert_eq!(leased["run"], started["id"]);
    assert_eq!(leased["tenant"], "acme");
    assert_eq!(
        leased["url"],
        format!(
            "https://flowpilot.example/t/acme/runs/{}",
            started["id"].as_str().unwrap()
        )
    );
    assert_eq!(leased["journal"][0]["type"], "RunStarted");
    assert_eq!(leased["journal"][0]["inputs"], json!({"count": 21}));
    assert_eq!(leased["journal"][0]["vars"], json!({"region": "eu"}));
    assert!(leased["plan"].is_object());
    // It reads back as the protocol's own type.
    serde_json::from_value::<flowpilot_engine::protocol::runner::LeasedRun>(leased.clone()).unwrap();
    assert_eq!(world.get(&location).await["state"], "running");

    let beat = json!({"session": session, "held": [{"run": leased["run"], "epoch": leased["epoch"]}]});
    let beat: Value = world.runner(ACME, "heartbeat", &beat).await.json().await.unwrap();
    assert_eq!(beat["lost"], json!([]));

    let (events, then) = success(42);
    let item = json!({"run": leased["run"], "epoch": leased["epoch"], "seq": leased["seq"], "events": events, "then": then});
    assert_eq!(world.commit(ACME, session, item.clone()).await, "ok");
    assert_eq!(world.commit(ACME, session, item).await, "dup");

    let run = world.get(&location).await;
    assert_eq!(run["state"], "succeeded");
    assert_eq!(run["outputs"], json!({"value": 42}));
    assert_eq!(run["inputs"], json!({"count": 21}));
    assert_eq!(run["steps"][0]["path"], "double");
    assert_eq!(run["steps"][0]["state"], "succeeded");
    let events = world.get(&format!("{location}/events?limit=2")).await;
    assert_eq!(events["items"][0]["seq"], 0);
    assert_eq!(events["nextAfter"], 1);
    let events = world.get(&format!("{location}/events?after=1")).await;
    assert_eq!(events["items"][1]["type"], "RunFinished");
    assert_eq!(events["nextAfter"], Value::Null);
    let goodbye = format!("{}/runner/v1/sessions/{session}", world.internal);
    assert_eq!(
        world
            .client
            .delete(goodbye)
            .bearer_auth(ACME)
            .send()
            .await
            .unwrap()
            .status(),
        204
    );
}

#[tokio::test]
async fn a_start_can_wait_for_the_end() {
    let world = World::new().await;
    world.workflow("report").await;
    let session = world.session(ACME).await;
    let ask = world
        .ask(Method::POST, &format!("{START}?wait=10s"))
        .json(&json!({"inputs": {"count": 2}}))
        .send();
    let play = async {
        let leased = world.lease(ACME, session).await;
        let (events, then) = success(4);
        let item = json!({"run": leased["run"], "epoch": leased["epoch"], "seq": leased["seq"], "events": events, "then": then});
        assert_eq!(world.commit(ACME, session, item).await, "ok");
    };
    let (answer, ()) = tokio::join!(ask, play);
    let body: Value = answer.unwrap().json().await.unwrap();
    assert_eq!(body["state"], "succeeded");
    assert_eq!(body["outputs"], json!({"value": 4}));
    // The answer is made without reading; it says what a read says.
    let run = world
        .get(&format!(
            "/api/v1/tenants/acme/runs/{}",
            body["id"].as_str().unwrap()
        ))
        .await;
    for member in [
        "id",
        "workflow",
        "revision",
        "state",
        "createdAt",
        "finishedAt",
        "outputs",
        "error",
    ] {
        assert_eq!(body[member], run[member], "{member}");
    }

    let ask = world
        .ask(Method::POST, &format!("{START}?wait=100ms"))
        .json(&json!({"inputs": {"count": 2}}));
    let body: Value = ask.send().await.unwrap().json().await.unwrap();
    assert_eq!(body["state"], "queued", "nobody took it: {body}");
}

#[tokio::test]
async fn a_repeated_start_with_a_key_finds_the_first_run() {
    let world = World::new().await;
    world.workflow("report").await;
    let ask = |count: i64| {
        world
            .ask(Method::POST, START)
            .header("Idempotency-Key", "k-1")
            .json(&json!({"inputs": {"count": count}}))
            .send()
    };
    let first: Value = ask(1).await.unwrap().json().await.unwrap();
    let again = ask(1).await.unwrap();
    assert_eq!(again.status(), 201);
    assert_eq!(again.headers()["idempotency-replayed"], "true");
    let again: Value = again.json().await.unwrap();
    assert_eq!(
        (&again["id"], &again["createdAt"]),
        (&first["id"], &first["createdAt"])
    );
    let (status, code, _) = problem(ask(2).await.unwrap()).await;
    assert_eq!((status.as_u16(), code.as_str()), (422, "IdempotencyMismatch"));
    assert_eq!(
        world.get("/api/v1/tenants/acme/runs").await["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn a_run_that_nobody_touched_ends_at_once_and_another_is_told() {
    let world = World::new().await;
    world.workflow("report").await;
    let idle = world.start("report", 1).await;
    let cancel = |run| {
        world
            .ask(Method::POST, &format!("/api/v1/tenants/acme/runs/{run}/cancel"))
            .send()
    };
    let answer = cancel(idle).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(problem(cancel(idle).await.unwrap()).await.1, "RunFinished");

    let session = world.session(ACME).await;
    let busy = world.start("report", 1).await;
    let leased = world.lease(ACME, session).await;
    assert_eq!(leased["run"], busy.to_string());
    assert_eq!(cancel(busy).await.unwrap().status(), 202);
    let beat = json!({"session": session, "held": [{"run": busy, "epoch": leased["epoch"]}]});
    let beat: Value = world.runner(ACME, "heartbeat", &beat).await.json().await.unwrap();
    let message = &beat["inbox"][0]["messages"][0];
    assert_eq!(
        (message["kind"].as_str(), message["by"].as_str()),
        (Some("CancelRequested"), Some("bootstrap-admin"))
    );
}

#[tokio::test]
async fn a_workflow_run_is_handed_over_once_and_mirrored() {
    let world = World::new().await;
    world.workflow("report").await;
    let session = world.session(ACME).await;
    let wish = json!({"uid": uid("wish"), "namespace": "fp-acme", "name": "wish", "workflow": "report", "inputs": {"count": 3}});
    let first: Value = world
        .operator(Method::POST, "runs", &wish)
        .await
        .json()
        .await
        .unwrap();
    let again: Value = world
        .operator(Method::POST, "runs", &wish)
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(first["run"], again["run"]);
    let wrong = json!({"uid": uid("wrong"), "namespace": "fp-acme", "name": "wrong", "workflow": "report", "inputs": {"count": "3"}});
    let (status, code, body) = problem(world.operator(Method::POST, "runs", &wrong).await).await;
    assert_eq!((status.as_u16(), code.as_str()), (422, "InvalidInputs"));
    assert_eq!(body["errors"][0]["pointer"], "/inputs/count");

    let changes = async {
        let mut after = 0;
        loop {
            let url = format!(
                "{}/operator/v1/runs/changes?after={after}&wait=10",
                world.internal
            );
            let page: Value = world
                .client
                .get(url)
                .bearer_auth(super::OPERATOR)
                .send()
                .await
                .unwrap()
                .json()
                .await
                .unwrap();
            after = page["next"].as_i64().unwrap();
            if let Some(last) = page["changes"]
                .as_array()
                .unwrap()
                .iter()
                .find(|change| change["state"] == "succeeded")
            {
                return last.clone();
            }
        }
    };
    let play = async {
        let leased = world.lease(ACME, session).await;
        let (events, then) = success(6);
        let item = json!({"run": leased["run"], "epoch": leased["epoch"], "seq": leased["seq"], "events": events, "then": then});
        assert_eq!(world.commit(ACME, session, item).await, "ok");
    };
    let (report, ()) = tokio::join!(changes, play);
    assert_eq!(report["uid"], uid("wish").to_string());
    assert_eq!(report["outputs"], json!({"value": 6}));

    // Another one goes away before anybody took it.
    let close = format!("{}/runner/v1/sessions/{session}", world.internal);
    assert_eq!(
        world
            .client
            .delete(close)
            .bearer_auth(ACME)
            .send()
            .await
            .unwrap()
            .status(),
        204
    );
    let wish = json!({"uid": uid("gone"), "namespace": "fp-acme", "name": "gone", "workflow": "report", "inputs": {"count": 3}});
    let report: Value = world
        .operator(Method::POST, "runs", &wish)
        .await
        .json()
        .await
        .unwrap();
    let path = format!("runs/{}", uid("gone"));
    assert_eq!(
        world
            .operator(Method::DELETE, &path, &json!({"uid": uid("gone")}))
            .await
            .status(),
        204
    );
    let run = world
        .get(&format!(
            "/api/v1/tenants/acme/runs/{}",
            report["run"].as_str().unwrap()
        ))
        .await;
    assert_eq!(run["state"], "cancelled");
    let path = format!("runs/{}", uid("never"));
    assert_eq!(
        problem(world.operator(Method::DELETE, &path, &json!({})).await)
            .await
            .1,
        "NotFound"
    );
}

#[tokio::test]
async fn pools_are_told_when_they_differ() {
    let world = World::new().await;
    world.workflow("report").await;
    let pools = |query: String| {
        let url = format!("{}/operator/v1/pools/changes{query}", world.internal);
        async {
            world
                .client
                .get(url)
                .bearer_auth(super::OPERATOR)
                .send()
                .await
                .unwrap()
                .json::<Value>()
                .await
                .unwrap()
        }
    };
    let first = pools(String::new()).await;
    let version = first["version"].as_i64().unwrap();
    let unchanged = pools(format!("?after={version}&wait=0")).await;
    assert_eq!(unchanged["version"], version);
    let later = pools(format!("?after={version}&wait=10"));
    let start = async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        world.start("report", 1).await;
    };
    let (later, ()) = tokio::join!(later, start);
    let acme = later["pools"]
        .as_array()
        .unwrap()
        .iter()
        .find(|pool| pool["tenant"] == "acme")
        .unwrap();
    assert_eq!(
        (&acme["ready"], &acme["runnerClass"]),
        (&json!(1), &json!("default"))
    );
}

#[tokio::test]
async fn a_replica_whose_clock_is_wrong_starts_no_runs_and_does_all_else() {
    let late = || jiff::Timestamp::now() - jiff::SignedDuration::from_secs(7);
    let world = World::at(Clock::new(late)).await;
    world.workflow("report").await;
    let answer = world
        .ask(Method::POST, START)
        .json(&json!({"inputs": {"count": 1}}))
        .send()
        .await
        .unwrap();
    assert!(answer.headers().contains_key("retry-after"));
    let (status, code, body) = problem(answer).await;
    assert_eq!((status.as_u16(), code.as_str()), (503, "Unavailable"));
    let detail = body["detail"].as_str().unwrap();
    assert!(detail.contains("ms behind the database's"), "{detail}");
    world.get("/api/v1/tenants/acme/runs").await;
    let metrics = world
        .ask(Method::GET, "/metrics")
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let line = metrics
        .lines()
        .find(|line| line.starts_with("flowpilot_api_clock_ahead_milliseconds "))
        .unwrap();
    let ahead: i64 = line.split(' ').nth(1).unwrap().parse().unwrap();
    assert!((-8_000..-5_000).contains(&ahead), "{line}");
}
