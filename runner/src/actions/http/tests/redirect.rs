//! Where a redirect leads, with what.

use serde_json::json;

use super::world::World;
use crate::actions::http::perform;
use crate::actions::tests::call;
use crate::guard::{Egress, Guard};

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
