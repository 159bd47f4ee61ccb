//! Requests that are wrong, and what the answer says.

use reqwest::Method;
use serde_json::json;

use super::{ACME, World, problem};

const RUNS: &str = "/api/v1/tenants/acme/workflows/report/runs";

#[tokio::test]
async fn a_wrong_body_is_told_what_is_wrong() {
    let world = World::new().await;
    world.workflow("report").await;
    let send = |kind: &'static str, body: Vec<u8>| {
        world
            .ask(Method::POST, RUNS)
            .header("content-type", kind)
            .body(body)
            .send()
    };
    let json = "application/json";
    let deep = format!(
        "{{\"inputs\":{{\"count\":{}1{}}}}}",
        "[".repeat(70),
        "]".repeat(70)
    );
    let large = format!("{{\"inputs\":{{\"count\":\"{}\"}}}}", "x".repeat(1024 * 1024));
    for (kind, body, status, code) in [
        (json, "{", 400, "MalformedRequest"),
        (json, "[]", 400, "MalformedRequest"),
        (json, r#"{"inputs":{},"inputs":{}}"#, 400, "MalformedRequest"),
        (json, deep.as_str(), 400, "MalformedRequest"),
        (json, r#"{"input":{"count":1}}"#, 400, "UnknownField"),
        (json, large.as_str(), 413, "PayloadTooLarge"),
        ("text/plain", "{}", 415, "UnsupportedMediaType"),
        ("application/yaml", "inputs: {}", 415, "UnsupportedMediaType"),
        (json, "{}", 422, "InvalidInputs"),
        (json, r#"{"inputs":{"count":"1"}}"#, 422, "InvalidInputs"),
        (json, r#"{"inputs":{"count":1,"other":2}}"#, 422, "InvalidInputs"),
        (
            json,
            r#"{"inputs":{"count":1},"revision":"sha256:0"}"#,
            422,
            "InvalidInputs",
        ),
        (
            json,
            r#"{"inputs":{"count":1},"priority":"urgent"}"#,
            400,
            "MalformedRequest",
        ),
    ] {
        let (actual, said, text) = problem(send(kind, body.as_bytes().to_vec()).await.unwrap()).await;
        let shown: String = body.chars().take(60).collect();
        assert_eq!(
            (actual.as_u16(), said.as_str()),
            (status, code),
            "{shown}: {text}"
        );
    }
    let (_, code, body) = problem(
        send(json, b"{\"inputs\":{\"count\":\"\xff\"}}".to_vec())
            .await
            .unwrap(),
    )
    .await;
    assert_eq!(code, "MalformedRequest");
    assert!(body["detail"].as_str().unwrap().contains("UTF-8"), "{body}");
    assert!(
        world.get("/api/v1/tenants/acme/runs").await["items"]
            .as_array()
            .unwrap()
            .is_empty(),
        "nothing was started"
    );
}

#[tokio::test]
async fn a_wrong_address_or_query_is_told_too() {
    let world = World::new().await;
    for (method, path, status, code) in [
        (Method::GET, "/api/v1/nothing", 404, "NotFound"),
        (Method::DELETE, "/api/v1/meta", 405, "MethodNotAllowed"),
        (Method::GET, "/api/v1/meta?debug=1", 400, "UnknownParameter"),
        (
            Method::GET,
            "/api/v1/tenants/acme/runs?stat=failed",
            400,
            "UnknownParameter",
        ),
        (
            Method::GET,
            "/api/v1/tenants/acme/runs?state=broken",
            400,
            "MalformedRequest",
        ),
        (
            Method::GET,
            "/api/v1/tenants/acme/runs?limit=201",
            400,
            "MalformedRequest",
        ),
        (
            Method::GET,
            "/api/v1/tenants/acme/runs?limit=many",
            400,
            "MalformedRequest",
        ),
        (
            Method::GET,
            "/api/v1/tenants/acme/runs?since=yesterday",
            400,
            "MalformedRequest",
        ),
        (
            Method::GET,
            "/api/v1/tenants/acme/runs?cursor=AAAA",
            400,
            "InvalidCursor",
        ),
        (
            Method::POST,
            "/api/v1/tenants/acme/workflows/none/runs",
            404,
            "NotFound",
        ),
    ] {
        let request = world.ask(method.clone(), path);
        let request = if method == Method::POST {
            request.json(&json!({}))
        } else {
            request
        };
        let (actual, said, body) = problem(request.send().await.unwrap()).await;
        assert_eq!(
            (actual.as_u16(), said.as_str()),
            (status, code),
            "{method} {path}: {body}"
        );
    }
    let long = format!("/api/v1/meta?{}", "x".repeat(9000));
    assert_eq!(
        problem(world.ask(Method::GET, &long).send().await.unwrap())
            .await
            .1,
        "PayloadTooLarge"
    );
}

#[tokio::test]
async fn the_request_id_of_the_caller_is_kept_and_answers_are_not_stored() {
    let world = World::new().await;
    let answer = world
        .ask(Method::GET, "/api/v1/meta")
        .header("x-request-id", "abcd-1234")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.headers()["x-request-id"], "abcd-1234");
    assert_eq!(answer.headers()["cache-control"], "no-store");
}

#[tokio::test]
async fn a_commit_beyond_its_limits_is_refused_whole() {
    let world = World::new().await;
    let session = world.session(ACME).await;
    let item = json!({"run": session, "epoch": 1, "seq": 1, "events": [], "then": "continue"});
    let many = json!({"session": session, "items": vec![item.clone(); 65]});
    assert_eq!(
        problem(world.runner(ACME, "commit", &many).await).await.1,
        "PayloadTooLarge"
    );
    let twice = json!({"session": session, "items": [item, item]});
    assert_eq!(
        problem(world.runner(ACME, "commit", &twice).await).await.1,
        "InvalidCommit"
    );
    let large = json!({"session": session, "items": [], "pad": "x".repeat(8 * 1024 * 1024)});
    assert_eq!(
        problem(world.runner(ACME, "commit", &large).await).await.1,
        "PayloadTooLarge"
    );
}

#[tokio::test]
async fn a_revision_must_be_what_its_digest_says_and_compile() {
    let world = World::new().await;
    let body =
        json!({"uid": super::uid("x"), "generation": 1, "spec": {"steps": [{"id": "a", "set": {"x": 1}}]}});
    let path = format!("workflows/fp-acme/x/revisions/sha256:{}", "0".repeat(64));
    assert_eq!(
        problem(world.operator(Method::PUT, &path, &body).await).await.1,
        "InvalidWorkflow"
    );
    let spec = json!({"steps": [{"id": "a", "needs": ["b"], "set": {"x": 1}}]});
    let path = format!(
        "workflows/fp-acme/x/revisions/{}",
        flowpilot_engine::digest::digest_of(&spec)
    );
    let body = json!({"uid": super::uid("x"), "generation": 1, "spec": spec});
    let (status, code, body) = problem(world.operator(Method::PUT, &path, &body).await).await;
    assert_eq!((status.as_u16(), code.as_str()), (422, "InvalidWorkflow"));
    assert_eq!(body["errors"][0]["code"], "UnknownStep");
}
