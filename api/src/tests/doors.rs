//! Who may come in where.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{ACME, OPERATOR, OTHER, PEOPLE, World, problem, success};
use crate::problem::Code;

/// Every address of people, with ids that exist nowhere.
async fn addresses(world: &World) -> Vec<(Method, String)> {
    let document = world.get("/api/v1/openapi.json").await;
    let mut all = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        let path = path
            .replace("{tenant}", "acme")
            .replace("{workflow}", "x")
            .replace("{run}", &Uuid::nil().to_string());
        for method in operations.as_object().unwrap().keys() {
            all.push((method.to_uppercase().parse().unwrap(), path.clone()));
        }
    }
    all.push((Method::GET, "/metrics".to_owned()));
    all
}

fn inside() -> Vec<(Method, &'static str)> {
    vec![
        (Method::POST, "/runner/v1/sessions"),
        (
            Method::DELETE,
            "/runner/v1/sessions/00000000-0000-0000-0000-000000000000",
        ),
        (Method::POST, "/runner/v1/lease"),
        (Method::POST, "/runner/v1/commit"),
        (Method::POST, "/runner/v1/heartbeat"),
        (Method::GET, "/runner/v1/plans/sha256:0"),
        (Method::PUT, "/operator/v1/tenants/acme"),
        (Method::DELETE, "/operator/v1/tenants/acme"),
        (Method::PUT, "/operator/v1/workflows/fp-acme/a/revisions/sha256:0"),
        (Method::DELETE, "/operator/v1/workflows/fp-acme/a"),
        (Method::POST, "/operator/v1/runs"),
        (
            Method::DELETE,
            "/operator/v1/runs/00000000-0000-0000-0000-000000000000",
        ),
        (Method::GET, "/operator/v1/runs/changes"),
        (Method::GET, "/operator/v1/pools/changes"),
    ]
}

#[tokio::test]
async fn no_address_is_open_and_each_part_knows_its_own_tokens() {
    let world = World::new().await;
    for (method, path) in addresses(&world).await {
        let ask = |token: Option<&str>| {
            let request = world
                .client
                .request(method.clone(), format!("{}{path}", world.people));
            match token {
                Some(token) => request.bearer_auth(token).send(),
                None => request.send(),
            }
        };
        for token in [None, Some("wrong"), Some(ACME), Some(OPERATOR)] {
            let (status, code, _) = problem(ask(token).await.unwrap()).await;
            assert_eq!(
                (status.as_u16(), code.as_str()),
                (401, "Unauthenticated"),
                "{method} {path} {token:?}"
            );
        }
    }
    for (method, path) in inside() {
        let runners = path.starts_with("/runner");
        for (token, wanted) in [
            ("", 401),
            ("wrong", 401),
            (PEOPLE, 401),
            (if runners { OPERATOR } else { ACME }, 403),
        ] {
            let request = world
                .client
                .request(method.clone(), format!("{}{path}", world.internal));
            let (status, ..) = problem(request.bearer_auth(token).send().await.unwrap()).await;
            assert_eq!(status, wanted, "{method} {path} with {token:?}");
        }
    }
    for path in ["/livez", "/readyz"] {
        assert_eq!(
            world
                .client
                .get(format!("{}{path}", world.people))
                .send()
                .await
                .unwrap()
                .status(),
            200
        );
    }
    for code in Code::ALL {
        let page = world
            .client
            .get(format!("{}/problems/{}", world.people, code.as_str()));
        let page = page.send().await.unwrap();
        assert_eq!(
            (page.status().as_u16(), &page.headers()["cache-control"]),
            (200, &"public, max-age=3600".parse().unwrap())
        );
        let text = page.text().await.unwrap();
        assert!(
            text.contains(code.title()) && text.contains("What to do: "),
            "{text}"
        );
    }
    let unknown = world.client.get(format!("{}/problems/Nothing", world.internal));
    assert_eq!(problem(unknown.send().await.unwrap()).await.1, "NotFound");
    let metrics = world
        .ask(Method::GET, "/metrics")
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(metrics.contains("flowpilot_api_requests_total{"), "{metrics}");
}

#[tokio::test]
async fn one_part_of_the_api_is_not_reached_through_the_other() {
    let world = World::new().await;
    for (base, path) in [
        (&world.people, "/runner/v1/lease"),
        (&world.internal, "/api/v1/meta"),
    ] {
        let answer = world
            .client
            .post(format!("{base}{path}"))
            .bearer_auth(PEOPLE)
            .send()
            .await
            .unwrap();
        assert_eq!(problem(answer).await.1, "NotFound");
    }
}

#[tokio::test]
async fn a_runner_reaches_no_run_of_another_tenant() {
    let world = World::new().await;
    let digest = world.workflow("report").await;
    let run = world.start("report", 1).await;

    let stranger = world.session(OTHER).await;
    let wish = json!({"session": stranger, "free": 8, "waitSeconds": 0, "have": [], "held": []});
    assert_eq!(
        world.runner(OTHER, "lease", &wish).await.status(),
        204,
        "nothing for a stranger"
    );
    let plan = format!("{}/runner/v1/plans/{digest}", world.internal);
    let plan = |token| world.client.get(&plan).bearer_auth(token).send();
    assert_eq!(problem(plan(OTHER).await.unwrap()).await.1, "NotFound");
    assert_eq!(plan(ACME).await.unwrap().status(), 200);

    let own = world.session(ACME).await;
    // A session of another tenant is none.
    let stolen = json!({"session": own, "free": 8, "waitSeconds": 0, "have": [], "held": []});
    assert_eq!(
        problem(world.runner(OTHER, "lease", &stolen).await).await.1,
        "SessionClosed"
    );
    let beat = json!({"session": own, "held": []});
    assert_eq!(
        problem(world.runner(OTHER, "heartbeat", &beat).await).await.1,
        "SessionClosed"
    );
    let leased = world.lease(ACME, own).await;
    assert_eq!(leased["run"], run.to_string());

    let (events, then) = success(2);
    let item =
        json!({"run": run, "epoch": leased["epoch"], "seq": leased["seq"], "events": events, "then": then});
    assert_eq!(world.commit(OTHER, stranger, item.clone()).await, "fenced");
    let mut late = item.clone();
    late["epoch"] = json!(leased["epoch"].as_i64().unwrap() + 1);
    assert_eq!(world.commit(ACME, own, late).await, "fenced");
    assert_eq!(world.commit(ACME, own, item).await, "ok");
}

#[tokio::test]
async fn what_belongs_to_another_tenant_does_not_exist() {
    let world = World::new().await;
    world.workflow("report").await;
    let run = world.start("report", 1).await;
    let mut bodies: Vec<Value> = Vec::new();
    for path in [
        format!("other/runs/{run}"),
        format!("other/runs/{run}/events"),
        format!("other/runs/{run}/stream"),
        format!("acme/runs/{}", Uuid::now_v7()),
        "acme/runs/nonsense".to_owned(),
        "nobody/runs".to_owned(),
        "other/workflows/report".to_owned(),
    ] {
        let answer = world
            .ask(Method::GET, &format!("/api/v1/tenants/{path}"))
            .send()
            .await
            .unwrap();
        let (status, _, mut body) = problem(answer).await;
        assert_eq!(status, 404, "{path}");
        body["requestId"] = Value::Null;
        bodies.push(body);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "absent and invisible look the same: {bodies:?}");
    let cancel = world
        .ask(Method::POST, &format!("/api/v1/tenants/other/runs/{run}/cancel"))
        .send()
        .await
        .unwrap();
    assert_eq!(problem(cancel).await.1, "NotFound");
}
