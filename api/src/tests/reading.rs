//! Lists and their cursors.

use reqwest::Method;
use serde_json::Value;

use super::{World, problem};

const RUNS: &str = "/api/v1/tenants/acme/runs";

#[tokio::test]
async fn a_list_is_walked_by_cursors_that_fit_it_alone() {
    let world = World::new().await;
    world.workflow("report").await;
    let mut started = Vec::new();
    for count in 0..5 {
        started.push(world.start("report", count).await.to_string());
    }
    started.reverse();

    let mut seen = Vec::new();
    let mut path = format!("{RUNS}?limit=2&state=queued");
    loop {
        let answer = world.ask(Method::GET, &path).send().await.unwrap();
        let link = answer
            .headers()
            .get("link")
            .map(|value| value.to_str().unwrap().to_owned());
        let page: Value = answer.json().await.unwrap();
        let items = page["items"].as_array().unwrap();
        seen.extend(items.iter().map(|run| run["id"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["nextCursor"].as_str() else {
            break;
        };
        path = link
            .unwrap()
            .trim_start_matches('<')
            .split('>')
            .next()
            .unwrap()
            .to_owned();
        assert!(path.contains(cursor));
        let other = format!("{RUNS}?limit=2&cursor={cursor}");
        assert_eq!(
            problem(world.ask(Method::GET, &other).send().await.unwrap())
                .await
                .1,
            "InvalidCursor"
        );
        let tampered = format!("{RUNS}?limit=2&state=queued&cursor=A{}", &cursor[1..]);
        if tampered != format!("{RUNS}?limit=2&state=queued&cursor={cursor}") {
            assert_eq!(
                problem(world.ask(Method::GET, &tampered).send().await.unwrap())
                    .await
                    .1,
                "InvalidCursor"
            );
        }
        let elsewhere = format!("/api/v1/tenants/other/runs?limit=2&state=queued&cursor={cursor}");
        assert_eq!(
            problem(world.ask(Method::GET, &elsewhere).send().await.unwrap())
                .await
                .1,
            "InvalidCursor"
        );
    }
    assert_eq!(seen, started, "newest first, each once");
    assert!(
        world.get(&format!("{RUNS}?workflow=other")).await["items"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    assert!(
        world.get(&format!("{RUNS}?state=failed")).await["items"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        world.get(&format!("{RUNS}?workflow=report")).await["items"]
            .as_array()
            .unwrap()
            .len(),
        5
    );
    assert!(
        world.get("/api/v1/tenants/other/runs").await["items"]
            .as_array()
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn the_installation_describes_itself() {
    let world = World::new().await;
    assert_eq!(
        world.get("/api/v1/meta").await["version"],
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(world.get("/api/v1/openapi.json").await["openapi"], "3.1.0");
    let actions = world.get("/api/v1/actions").await;
    assert!(
        actions["items"]
            .as_array()
            .unwrap()
            .iter()
            .any(|action| action["name"] == "core/http@1")
    );
    assert_eq!(world.get("/api/v1/tenants/acme").await["namespace"], "fp-acme");
    let digest = world.workflow("report").await;
    let revisions = world.get("/api/v1/tenants/acme/workflows/report/revisions").await;
    assert_eq!(revisions["items"][0]["digest"], digest);
    assert_eq!(revisions["items"][0]["current"], true);
}
