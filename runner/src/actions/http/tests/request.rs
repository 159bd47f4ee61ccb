//! What leaves: method, headers, query and body as written, and wrong input not at all.

use axum::http::Method;
use serde_json::json;

use super::world::World;

#[tokio::test]
async fn what_is_sent() {
    let world = World::new().await;
    let more = json!({"method": "POST", "query": {"q": "a b&c", "n": 1.5, "t": true}, "json": {"x": [1, null]},
        "headers": {"X-One": "1"}});
    world.ask("/in?first=1", more).await.unwrap();
    let seen = world.last().await;
    assert_eq!(seen.method, "POST");
    assert_eq!(seen.uri.to_string(), "/in?first=1&q=a+b%26c&n=1.5&t=true");
    assert_eq!(seen.body, r#"{"x":[1,null]}"#);
    assert_eq!(seen.headers["content-type"], "application/json");
    assert_eq!(seen.headers["x-one"], "1");
    assert_eq!(
        seen.headers["idempotency-key"],
        "00000000-0000-0000-0000-000000000007:step"
    );
    assert_eq!(seen.headers["x-run-epoch"], "3");
    assert!(
        seen.headers["user-agent"]
            .to_str()
            .unwrap()
            .starts_with("FlowPilot/")
    );

    world
        .ask("/in", json!({"method": "PUT", "form": {"a": "1 2", "b": false}}))
        .await
        .unwrap();
    assert_eq!(world.last().await.body, "a=1+2&b=false");
    world
        .ask(
            "/in",
            json!({"method": "PATCH", "text": "hi", "headers": {"content-type": "x/y"}}),
        )
        .await
        .unwrap();
    let seen = world.last().await;
    assert_eq!(
        (seen.body.as_str(), seen.headers["content-type"].to_str().unwrap()),
        ("hi", "x/y")
    );
    world
        .ask("/in", json!({"method": "POST", "json": null}))
        .await
        .unwrap();
    assert_eq!(world.last().await.body, "null");

    world.ask("/in", json!({})).await.unwrap();
    let seen = world.last().await;
    assert_eq!((seen.method, seen.body.as_str()), (Method::GET, ""));
    assert_eq!(seen.headers.get("idempotency-key"), None);
}

#[tokio::test]
async fn wrong_input_is_named() {
    let world = World::new().await;
    for (more, expected) in [
        (json!({"url": "nonsense"}), "with.url: relative URL"),
        (json!({"url": "ftp://example.org"}), "with.url: `ftp` URLs"),
        (json!({"method": "TRACE"}), "with.method: unknown variant"),
        (
            json!({"json": 1, "text": "a", "method": "POST"}),
            "only one of json, text and form",
        ),
        (json!({"text": "a"}), "a GET request has no body"),
        (
            json!({"headers": {"Host": "other"}}),
            "with.headers[\"Host\"]: is set by FlowPilot",
        ),
        (json!({"headers": {"a b": "x"}}), "is no name of a header"),
        (
            json!({"headers": {"x": "a\r\nb: c"}}),
            "characters that a header cannot carry",
        ),
        (json!({"query": {"x": [1]}}), "with.query[\"x\"]: must be"),
        (
            json!({"expect": {"status": "200"}}),
            "write a class such as `2xx`",
        ),
        (json!({"expect": {"status": []}}), "write a class such as `2xx`"),
        (json!({"maxBytes": 1_048_577}), "with.maxBytes: at most"),
        (json!({"followRedirects": 11}), "with.followRedirects: at most 10"),
        (json!({"other": 1}), "unknown field `other`"),
    ] {
        let error = world.fails("/", more.clone()).await;
        assert_eq!(error.code, "InvalidInput", "{more}");
        assert!(error.message.contains(expected), "{more}: {}", error.message);
    }
    assert!(world.log.lock().await.is_empty(), "nothing has left");
}
