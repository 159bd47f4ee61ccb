//! Definitions as files of a folder.

use reqwest::Method;
use serde_json::{Value, json};

use super::{World, problem};

const ALL: &str = "/api/v1/tenants/acme/workflows";

fn manifest(value: i64) -> Value {
    json!({"apiVersion": "flowpilot.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "greet"},
        "spec": {"steps": [{"id": "a", "set": {"x": value}}]}})
}

#[tokio::test]
async fn a_workflow_is_created_read_replaced_and_deleted() {
    let world = World::new().await;
    let file = world.folder.path().join("greet.yaml");
    let dry = world
        .ask(Method::POST, &format!("{ALL}?dryRun=true"))
        .json(&manifest(1))
        .send()
        .await
        .unwrap();
    assert_eq!(dry.status(), 200);
    assert!(!file.exists(), "a dry run changes nothing");

    let created = world
        .ask(Method::POST, ALL)
        .json(&manifest(1))
        .send()
        .await
        .unwrap();
    assert_eq!(created.status(), 201);
    let tag = created.headers()["etag"].to_str().unwrap().to_owned();
    assert!(std::fs::read_to_string(&file).unwrap().contains("greet"));
    let again = world
        .ask(Method::POST, ALL)
        .json(&manifest(1))
        .send()
        .await
        .unwrap();
    assert_eq!(problem(again).await.1, "AlreadyExists");

    let one = format!("{ALL}/greet");
    let read = world.ask(Method::GET, &one).send().await.unwrap();
    assert_eq!(read.headers()["etag"].to_str().unwrap(), tag);
    let body: Value = read.json().await.unwrap();
    assert_eq!(body["manifest"]["spec"], manifest(1)["spec"]);
    let same = world
        .ask(Method::GET, &one)
        .header("if-none-match", &tag)
        .send()
        .await
        .unwrap();
    assert_eq!(same.status(), 304);
    assert_eq!(world.get(ALL).await["items"][0]["name"], "greet");

    let put = |tag: Option<&str>, value: i64| {
        let request = world.ask(Method::PUT, &one).json(&manifest(value));
        match tag {
            Some(tag) => request.header("if-match", tag).send(),
            None => request.send(),
        }
    };
    assert_eq!(
        problem(put(None, 2).await.unwrap()).await.1,
        "PreconditionRequired"
    );
    assert_eq!(
        problem(put(Some("\"stale\""), 2).await.unwrap()).await.1,
        "PreconditionFailed"
    );
    let replaced = put(Some(&tag), 2).await.unwrap();
    assert_eq!(replaced.status(), 200);
    let newer = replaced.headers()["etag"].to_str().unwrap().to_owned();
    assert_ne!(newer, tag);

    let delete = |tag: &str| world.ask(Method::DELETE, &one).header("if-match", tag).send();
    assert_eq!(problem(delete(&tag).await.unwrap()).await.1, "PreconditionFailed");
    assert_eq!(delete(&newer).await.unwrap().status(), 204);
    assert!(!file.exists());
    assert_eq!(problem(delete(&newer).await.unwrap()).await.1, "NotFound");
}

#[tokio::test]
async fn what_does_not_compile_is_not_stored_and_everything_wrong_is_said() {
    let world = World::new().await;
    let wrong = json!({"metadata": {"name": "bad"}, "spec": {"steps": [
        {"id": "a", "needs": ["b"], "set": {"x": 1}}, {"id": "c", "needs": ["d"], "set": {"x": 1}}]}});
    let (status, code, body) = problem(world.ask(Method::POST, ALL).json(&wrong).send().await.unwrap()).await;
    assert_eq!((status.as_u16(), code.as_str()), (422, "InvalidWorkflow"));
    let pointers: Vec<_> = body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    assert_eq!(pointers, ["/spec/steps/0/needs/0", "/spec/steps/1/needs/0"]);
    assert!(!world.folder.path().join("bad.yaml").exists());

    let validated = world
        .ask(Method::POST, &format!("{ALL}/validate"))
        .json(&wrong)
        .send()
        .await
        .unwrap();
    assert_eq!(validated.status(), 200);
    let validated: Value = validated.json().await.unwrap();
    assert_eq!(
        (
            validated["valid"].as_bool(),
            validated["errors"].as_array().unwrap().len()
        ),
        (Some(false), 2)
    );
    let text = "apiVersion: flowpilot.io/v1alpha1\nkind: Workflow\nmetadata: {name: good}\nspec: {steps: [{id: a, set: {x: 1}}]}\n";
    let request = world
        .ask(Method::POST, &format!("{ALL}/validate"))
        .header("content-type", "application/yaml");
    let validated: Value = request.body(text).send().await.unwrap().json().await.unwrap();
    assert_eq!(validated["valid"], true);

    let unknown = json!({"metadata": {"name": "bad"}, "spec": {"steps": []}, "status": {}});
    assert_eq!(
        problem(world.ask(Method::POST, ALL).json(&unknown).send().await.unwrap())
            .await
            .1,
        "UnknownField"
    );
    let large = json!({"metadata": {"name": "bad"}, "spec": {"description": "x".repeat(600 * 1024)}});
    assert_eq!(
        problem(world.ask(Method::POST, ALL).json(&large).send().await.unwrap())
            .await
            .1,
        "PayloadTooLarge"
    );
    for name in ["../escape", "Upper", ""] {
        let body = json!({"metadata": {"name": name}, "spec": {"steps": [{"id": "a", "set": {"x": 1}}]}});
        assert_eq!(
            problem(world.ask(Method::POST, ALL).json(&body).send().await.unwrap())
                .await
                .1,
            "MalformedRequest"
        );
    }
}

#[tokio::test]
async fn a_file_with_other_manifests_is_changed_by_hand() {
    let world = World::new().await;
    let one = serde_json::to_string(&manifest(1)).unwrap();
    let other = one.replace("greet", "other");
    std::fs::write(
        world.folder.path().join("all.yaml"),
        format!("{one}\n---\n{other}\n"),
    )
    .unwrap();
    let request = world
        .ask(Method::PUT, &format!("{ALL}/greet"))
        .header("if-match", "*")
        .json(&manifest(2));
    let (status, code, body) = problem(request.send().await.unwrap()).await;
    assert_eq!((status.as_u16(), code.as_str()), (409, "ManagedElsewhere"));
    assert!(body["manager"].as_str().unwrap().ends_with("all.yaml"));
    // It is there, and nobody has registered it: a start says so.
    let start = world
        .ask(Method::POST, &format!("{ALL}/other/runs"))
        .json(&json!({}))
        .send()
        .await
        .unwrap();
    assert_eq!(problem(start).await.1, "WorkflowNotReady");
}
