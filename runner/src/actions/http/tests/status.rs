//! What a status means: success, an error with its code, when to come back.

use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::json;

use super::world::World;
use crate::actions::http::outcome;

#[tokio::test]
async fn every_status_has_its_code() {
    let world = World::new().await;
    let codes = [
        (400, "BadRequest"),
        (401, "Unauthorized"),
        (403, "Unauthorized"),
        (404, "NotFound"),
        (408, "Timeout"),
        (409, "Conflict"),
        (410, "NotFound"),
        (418, "BadRequest"),
        (422, "BadRequest"),
        (429, "RateLimited"),
        (500, "Unavailable"),
        (502, "Unavailable"),
        (503, "Unavailable"),
        (304, "UnexpectedStatus"),
    ];
    for (status, code) in codes {
        let error = world.fails(&format!("/status/{status}"), json!({})).await;
        assert_eq!(error.code, code, "{status}");
        assert_eq!(error.details.unwrap()["status"], status);
        let waits = matches!(code, "RateLimited" | "Unavailable" | "Timeout");
        assert_eq!(error.retry_after_ms, waits.then_some(7000), "{status}");
        assert!(!error.may_have_happened, "a GET changes nothing");
    }
    let error = world.fails("/status/500", json!({})).await;
    assert_eq!(error.message, "the server answered 500 Internal Server Error");
    assert_eq!(error.details.unwrap()["body"], "what the server says");
}

#[tokio::test]
async fn a_write_may_have_happened_unless_it_was_refused() {
    let world = World::new().await;
    for (path, expected) in [
        ("/status/500", true),
        ("/status/408", true),
        ("/status/400", false),
        ("/status/409", false),
    ] {
        assert_eq!(
            world
                .fails(path, json!({"method": "POST"}))
                .await
                .may_have_happened,
            expected,
            "{path}"
        );
    }
}

#[tokio::test]
async fn expected_statuses_are_a_success() {
    let world = World::new().await;
    assert_eq!(
        world
            .ask("/status/404", json!({"expect": {"status": [200, 404]}}))
            .await
            .unwrap()["status"],
        404
    );
    assert_eq!(
        world
            .ask("/status/503", json!({"expect": {"status": "5xx"}}))
            .await
            .unwrap()["status"],
        503
    );
    assert_eq!(
        world
            .fails("/json", json!({"expect": {"status": [201]}}))
            .await
            .code,
        "UnexpectedStatus"
    );
    let moved = world
        .ask("/to/302/json", json!({"expect": {"status": "3xx"}}))
        .await
        .unwrap();
    assert_eq!(
        (moved["status"].clone(), moved["headers"]["location"].clone()),
        (json!(302), json!("/json"))
    );
}

#[test]
fn retry_after_is_seconds_or_a_date() {
    let now: Timestamp = "2026-11-24T05:00:00Z".parse().unwrap();
    let wait = |text: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", HeaderValue::from_static(text));
        outcome::retry_after(&headers, now)
    };
    assert_eq!(wait("120"), Some(120_000));
    assert_eq!(wait("Tue, 24 Nov 2026 05:00:30 GMT"), Some(30_000));
    assert_eq!(wait("Tue, 24 Nov 2026 04:00:00 GMT"), Some(0));
    assert_eq!(wait("soon"), None);
    assert_eq!(wait("-1"), None);
}
