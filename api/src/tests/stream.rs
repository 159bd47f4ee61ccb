//! Live views of a run.

use std::time::Duration;

use reqwest::{Method, Response};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{ACME, World, success};

/// Reads messages until the stream ends: id, event name, data.
async fn messages(mut response: Response) -> Vec<(Option<i64>, Option<String>, Value)> {
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut text = String::new();
    while let Some(chunk) = response.chunk().await.unwrap() {
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    let field = |message: &str, name: &str| {
        message
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .map(|value| value.trim().to_owned())
    };
    let blocks = text
        .split("\n\n")
        .filter(|block| !block.trim().is_empty() && !block.starts_with(':'));
    blocks
        .map(|block| {
            let id = field(block, "id:").map(|id| id.parse().unwrap());
            let data = field(block, "data:")
                .and_then(|data| serde_json::from_str(&data).ok())
                .unwrap_or(Value::Null);
            (id, field(block, "event:"), data)
        })
        .collect()
}

async fn finish(world: &World, session: Uuid) {
    let leased = world.lease(ACME, session).await;
    let at = jiff::Timestamp::now();
    let step = json!([{"type": "StepStarted", "step": "double", "at": at, "attempt": 1}]);
    let item =
        json!({"run": leased["run"], "epoch": leased["epoch"], "seq": 1, "events": step, "then": "continue"});
    assert_eq!(world.commit(ACME, session, item).await, "ok");
    tokio::time::sleep(Duration::from_millis(50)).await;
    let (events, then) = success(2);
    let events = &events.as_array().unwrap()[1..];
    let item =
        json!({"run": leased["run"], "epoch": leased["epoch"], "seq": 2, "events": events, "then": then});
    assert_eq!(world.commit(ACME, session, item).await, "ok");
}

#[tokio::test]
async fn a_stream_tells_everything_once_and_is_taken_up_where_it_broke_off() {
    let world = World::new().await;
    world.workflow("report").await;
    let session = world.session(ACME).await;
    let run = world.start("report", 1).await;
    let path = format!("/api/v1/tenants/acme/runs/{run}/stream");
    let live = async { messages(world.ask(Method::GET, &path).send().await.unwrap()).await };
    let (live, ()) = tokio::join!(live, finish(&world, session));
    let ids: Vec<_> = live.iter().map(|(id, ..)| id.unwrap()).collect();
    assert_eq!(ids, [0, 1, 2, 3]);
    assert_eq!(live[0].2["seq"], 0);
    assert_eq!(live[3].2["type"], "RunFinished");

    let again = world
        .ask(Method::GET, &path)
        .header("Last-Event-ID", "1")
        .send()
        .await
        .unwrap();
    let ids: Vec<_> = messages(again).await.iter().map(|(id, ..)| id.unwrap()).collect();
    assert_eq!(ids, [2, 3]);
    let again = world
        .ask(Method::GET, &format!("{path}?after=3"))
        .send()
        .await
        .unwrap();
    assert!(
        messages(again).await.is_empty(),
        "a run that ended has nothing more to say"
    );
}

#[tokio::test]
async fn a_stream_says_goodbye_and_a_lease_is_answered_when_the_server_ends() {
    let mut world = World::new().await;
    world.workflow("report").await;
    let run = world.start("report", 1).await;
    let session = world.session(super::OTHER).await;
    let stream = world
        .ask(Method::GET, &format!("/api/v1/tenants/acme/runs/{run}/stream"))
        .send()
        .await
        .unwrap();
    let wish = json!({"session": session, "free": 8, "waitSeconds": 25, "have": [], "held": []});
    let lease = async { world.runner(super::OTHER, "lease", &wish).await.status() };
    let stop = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        world.shutdown.cancel();
    };
    let before = std::time::Instant::now();
    let (told, lease, ()) = tokio::join!(messages(stream), lease, stop);
    assert_eq!(told.last().unwrap().1.as_deref(), Some("bye"));
    assert_eq!(lease, 204);
    tokio::time::timeout(Duration::from_secs(10), &mut world.server)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(before.elapsed() < Duration::from_secs(10));
}
