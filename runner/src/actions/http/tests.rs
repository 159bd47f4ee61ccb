//! Against a real server on this machine, which the tenant's rules of these tests open.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::routing::any;
use flowpilot_engine::journal::StepError;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{HeaderMap as ClientHeaders, HeaderValue};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Mutex;

use super::super::tests::call;
use super::{outcome, perform};
use crate::guard::{Egress, Guard};

#[derive(Clone, Debug)]
struct Seen {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: String,
}

type Log = Arc<Mutex<Vec<Seen>>>;

struct World {
    address: String,
    log: Log,
    guard: Guard,
}

impl World {
    async fn new() -> Self {
        let log = Log::default();
        let router = Router::new().fallback(any(answer)).with_state(log.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let rules = json!({"allow": [{"cidr": "127.0.0.0/8", "ports": [port]}]});
        let guard = Guard::new(Egress::new(&serde_json::from_value(rules).unwrap()).unwrap());
        Self {
            address: format!("http://127.0.0.1:{port}"),
            log,
            guard,
        }
    }

    async fn ask(&self, path: &str, more: Value) -> Result<Value, StepError> {
        let mut with = json!({"url": format!("{}{path}", self.address)});
        with.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        perform(&self.guard, call("core/http@1", with)).await
    }

    async fn fails(&self, path: &str, more: Value) -> StepError {
        self.ask(path, more).await.unwrap_err()
    }

    async fn last(&self) -> Seen {
        self.log.lock().await.last().unwrap().clone()
    }
}

/// `/status/404` answers with that status, `/to/303/next` redirects, and so on.
async fn answer(
    State(log): State<Log>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let seen = Seen {
        method,
        uri: uri.clone(),
        headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    log.lock().await.push(seen);
    let mut parts = uri.path().trim_start_matches('/').splitn(3, '/');
    let (what, number, rest) = (
        parts.next().unwrap(),
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    let kind = |kind: &'static str| [(header::CONTENT_TYPE, kind)];
    match what {
        "json" => (kind("application/json"), r#"{"a": 1, "b": [2.5, null]}"#).into_response(),
        "problem" => (kind("application/problem+json"), r#"{"a": 1}"#).into_response(),
        "broken" => (kind("application/json"), "{nothing").into_response(),
        "csv" => (kind("text/csv"), "a,b\n1,2\n").into_response(),
        "latin" => (kind("text/plain; charset=iso-8859-1"), vec![b'g', 0xfc, b'n']).into_response(),
        "untyped" => "[1]".to_owned().into_bytes().into_response(),
        "status" => {
            let status = StatusCode::from_u16(number.parse().unwrap()).unwrap();
            (status, [("retry-after", "7")], "what the server says").into_response()
        }
        "to" => {
            let status = StatusCode::from_u16(number.parse().unwrap()).unwrap();
            let target = if rest.starts_with("http") {
                rest.replacen(':', "://", 1)
            } else {
                format!("/{rest}")
            };
            (status, [("location", target)]).into_response()
        }
        "loop" => (StatusCode::FOUND, [("location", "/loop")]).into_response(),
        "bytes" => "x".repeat(number.parse().unwrap()).into_response(),
        "endless" => Body::from_stream(futures::stream::repeat_with(|| {
            Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; 65536]))
        }))
        .into_response(),
        "slow" => {
            tokio::time::sleep(Duration::from_secs(30)).await;
            "late".into_response()
        }
        "cookies" => (
            AppendHeaders([("set-cookie", "secret=1"), ("x-twice", "1"), ("x-twice", "2")]),
            "{}",
        )
            .into_response(),
        _ => "ok".into_response(),
    }
}

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

#[tokio::test]
async fn redirects_follow_the_rules_of_http() {
    let world = World::new().await;
    for (status, method, becomes) in [
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (303, "PUT", "GET"),
        (303, "HEAD", "HEAD"),
        (301, "PUT", "PUT"),
        (307, "POST", "POST"),
        (308, "DELETE", "DELETE"),
    ] {
        let body = if method == "HEAD" {
            json!({})
        } else {
            json!({"text": "body"})
        };
        let mut more = json!({"method": method, "headers": {"authorization": "Bearer x"}});
        more.as_object_mut()
            .unwrap()
            .extend(body.as_object().unwrap().clone());
        world.ask(&format!("/to/{status}/end"), more).await.unwrap();
        let seen = world.last().await;
        assert_eq!(
            (seen.method.as_str(), seen.uri.path()),
            (becomes, "/end"),
            "{status} {method}"
        );
        assert_eq!(
            seen.body,
            if matches!(becomes, "GET" | "HEAD") {
                ""
            } else {
                "body"
            },
            "{status} {method}"
        );
        assert_eq!(
            seen.headers.contains_key("content-type"),
            !matches!(becomes, "GET" | "HEAD")
        );
        assert!(
            seen.headers.contains_key("authorization"),
            "the same server may have it"
        );
    }
    assert_eq!(world.fails("/loop", json!({})).await.code, "TooManyRedirects");
    assert_eq!(
        world
            .log
            .lock()
            .await
            .iter()
            .filter(|seen| seen.uri.path() == "/loop")
            .count(),
        6
    );
    assert_eq!(
        world
            .fails("/to/302/json", json!({"followRedirects": 0}))
            .await
            .code,
        "UnexpectedStatus"
    );
}

#[tokio::test]
async fn credentials_do_not_follow_to_another_server() {
    let (first, second) = (World::new().await, World::new().await);
    let target = second.address.replacen("://", ":", 1);
    let both = json!({"allow": [{"cidr": "127.0.0.0/8", "ports": ([&first, &second]).map(|world| {
        world.address.rsplit_once(':').unwrap().1.parse::<u16>().unwrap()
    })}]});
    let guard = Guard::new(Egress::new(&serde_json::from_value(both).unwrap()).unwrap());
    let with = json!({"url": format!("{}/to/307/{target}/end", first.address),
        "headers": {"authorization": "Bearer x", "cookie": "a=b", "x-other": "1"}});
    perform(&guard, call("core/http@1", with)).await.unwrap();
    let seen = second.last().await;
    assert_eq!(seen.headers.get("authorization"), None);
    assert_eq!(seen.headers.get("cookie"), None);
    assert!(seen.headers.contains_key("x-other"));
}

#[tokio::test]
async fn closed_addresses_are_refused_also_behind_a_redirect() {
    let world = World::new().await;
    let error = world
        .fails("/to/302/http:169.254.169.254/latest/meta-data/", json!({}))
        .await;
    assert_eq!(
        (error.code.as_str(), error.retryable),
        ("AddressNotAllowed", Some(false))
    );
    assert!(
        error.message.contains("cidr: 169.254.169.254/32, ports: [80]"),
        "{}",
        error.message
    );

    let closed = Guard::new(Egress::default());
    for url in [
        world.address.clone(),
        world.address.replace("127.0.0.1", "localhost"),
    ] {
        let with = json!({"url": url, "method": "POST"});
        let error = perform(&closed, call("core/http@1", with)).await.unwrap_err();
        assert_eq!(error.code, "AddressNotAllowed", "{url}: {}", error.message);
        assert!(!error.may_have_happened);
    }
    assert_eq!(world.log.lock().await.len(), 1, "only the redirect was asked");
}

#[tokio::test]
async fn what_is_not_there_is_unavailable() {
    let free = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let rules = json!({"allow": [{"cidr": "127.0.0.1/32", "ports": [free.port()]}]});
    let guard = Guard::new(Egress::new(&serde_json::from_value(rules).unwrap()).unwrap());
    let ask = async |url: String| {
        perform(&guard, call("core/http@1", json!({"url": url, "method": "POST"})))
            .await
            .unwrap_err()
    };
    let error = ask(format!("http://{free}/")).await;
    assert_eq!(
        (error.code.as_str(), error.may_have_happened),
        ("Unavailable", false)
    );
    assert_eq!(
        ask("http://no-such-host.invalid/".to_owned()).await.code,
        "Unavailable"
    );
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

#[test]
fn retry_after_is_seconds_or_a_date() {
    let now: Timestamp = "2026-11-24T05:00:00Z".parse().unwrap();
    let wait = |text: &'static str| {
        let mut headers = ClientHeaders::new();
        headers.insert("retry-after", HeaderValue::from_static(text));
        outcome::retry_after(&headers, now)
    };
    assert_eq!(wait("120"), Some(120_000));
    assert_eq!(wait("Tue, 24 Nov 2026 05:00:30 GMT"), Some(30_000));
    assert_eq!(wait("Tue, 24 Nov 2026 04:00:00 GMT"), Some(0));
    assert_eq!(wait("soon"), None);
    assert_eq!(wait("-1"), None);
}
