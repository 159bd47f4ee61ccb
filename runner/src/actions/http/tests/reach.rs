//! Servers that a step may not reach, and servers that are not there.

use serde_json::json;
use tokio::net::TcpListener;

use super::world::World;
use crate::actions::http::perform;
use crate::actions::tests::call;
use crate::guard::{Egress, Guard};

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
