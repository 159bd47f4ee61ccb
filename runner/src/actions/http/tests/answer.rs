//! What comes back: bodies by their type, within limits of size and time.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::world::World;
use crate::actions::http::perform;
use crate::actions::tests::call;

#[tokio::test]
async fn the_body_follows_its_content_type() {
    let world = World::new().await;
    let body = async |path: &str, more| world.ask(path, more).await.unwrap()["body"].clone();
    assert_eq!(body("/json", json!({})).await, json!({"a": 1, "b": [2.5, null]}));
    assert_eq!(body("/problem", json!({})).await, json!({"a": 1}));
    assert_eq!(body("/csv", json!({})).await, json!("a,b\n1,2\n"));
    assert_eq!(body("/latin", json!({})).await, json!("gün"));
    assert_eq!(body("/untyped", json!({})).await, json!("[1]"));
    assert_eq!(body("/untyped", json!({"parse": "json"})).await, json!([1]));
    assert_eq!(
        body("/json", json!({"parse": "text"})).await,
        json!(r#"{"a": 1, "b": [2.5, null]}"#)
    );
    assert_eq!(body("/status/204", json!({})).await, json!(null));
    let output = world.ask("/json", json!({"parse": "none"})).await.unwrap();
    assert_eq!(output["status"], 200);
    assert_eq!(output.get("body"), None);
    assert_eq!(output["headers"]["content-type"], "application/json");
}

#[tokio::test]
async fn json_that_is_none_is_an_invalid_output() {
    let world = World::new().await;
    let error = world.fails("/broken", json!({})).await;
    assert_eq!(
        (error.code.as_str(), error.retryable),
        ("InvalidOutput", Some(false))
    );
    assert!(error.message.contains("write `parse: text`"), "{}", error.message);
    assert_eq!(
        world.fails("/csv", json!({"parse": "json"})).await.code,
        "InvalidOutput"
    );
    // The write was done, whatever its answer looks like.
    assert!(
        world
            .fails("/broken", json!({"method": "POST"}))
            .await
            .may_have_happened
    );
}

#[tokio::test]
async fn cookies_stay_out_and_headers_of_one_name_are_joined() {
    let world = World::new().await;
    let headers = world.ask("/cookies", json!({})).await.unwrap()["headers"].clone();
    assert_eq!(headers.get("set-cookie"), None);
    assert_eq!(headers["x-twice"], "1, 2");
}

#[tokio::test]
async fn large_answers_stop_at_the_limit() {
    let world = World::new().await;
    assert!(world.ask("/bytes/1000", json!({"maxBytes": 1000})).await.is_ok());
    for (path, more) in [
        ("/bytes/1001", json!({"maxBytes": 1000})),
        ("/bytes/1048577", json!({})),
        ("/endless", json!({})),
    ] {
        let error = world.fails(path, more).await;
        assert_eq!(
            (error.code.as_str(), error.retryable),
            ("LimitExceeded", Some(false)),
            "{path}"
        );
    }
    // An error's body is only read as far as it is shown.
    assert!(world.ask("/endless", json!({"parse": "none"})).await.is_ok());
}

#[tokio::test]
async fn a_slow_answer_times_out() {
    let world = World::new().await;
    let timed = async |method: &str| {
        let mut call = call(
            "core/http@1",
            json!({"url": format!("{}/slow", world.address), "method": method}),
        );
        call.deadline = Some(Timestamp::now() + SignedDuration::from_millis(200));
        perform(&world.guard, call).await.unwrap_err()
    };
    let error = timed("GET").await;
    assert_eq!((error.code.as_str(), error.may_have_happened), ("Timeout", false));
    assert!(timed("DELETE").await.may_have_happened);
}
