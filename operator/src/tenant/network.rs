//! Who may talk to whom in a tenant's namespace.
//!
//! Nobody, with one exception: runners may connect to name servers, to the API server's internal port, to public
//! addresses, and to what the tenant's egress opens. Network policies know addresses and pods, no names, and they
//! see connections behind the translation of a Service: its pods, with their own ports. So a rule for a host opens
//! more than it says, and the guarded client in the runner, which knows names and ports, narrows it.

use k8s_openapi::api::networking::v1::{
    IPBlock, NetworkPolicy, NetworkPolicyEgressRule, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::validate::Opening;
use crate::objects::{self, NAME_LABEL, RUNNER, texts};
use crate::world::Settings;

/// Label that Kubernetes puts on every namespace.
const NAMESPACE_NAME_LABEL: &str = "kubernetes.io/metadata.name";
/// Private IPv4 addresses that a network may use inside (RFC 1918, RFC 6598).
const PRIVATE_V4: [&str; 4] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"];
/// IPv4 addresses that are no host of the internet and no private one: this network, loopback, link-local with the
/// clouds' metadata, protocol assignments, benchmarks, multicast, reserved (RFC 6890).
const SPECIAL_V4: [&str; 7] = [
    "0.0.0.0/8",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "192.0.0.0/24",
    "198.18.0.0/15",
    "224.0.0.0/4",
    "240.0.0.0/4",
];
/// Private IPv6 addresses (RFC 4193).
const PRIVATE_V6: [&str; 1] = ["fc00::/7"];
/// IPv6 addresses that are no host of the internet and no private one; translated IPv4 addresses are among them.
const SPECIAL_V6: [&str; 5] = [
    "::/127",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "fe80::/10",
    "ff00::/8",
];

/// Nothing in, nothing out, for every pod of the namespace.
pub(super) fn default_deny(name: &str, tenant: &str) -> NetworkPolicy {
    NetworkPolicy {
        metadata: objects::metadata(name, tenant),
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(LabelSelector::default()),
            policy_types: Some(vec!["Ingress".to_owned(), "Egress".to_owned()]),
            ..NetworkPolicySpec::default()
        }),
    }
}

/// Where runners may connect to.
pub(super) fn runner_egress(
    name: &str,
    tenant: &str,
    openings: &[Opening],
    settings: &Settings,
) -> NetworkPolicy {
    let mut rules = vec![
        // Name servers run in pods, on the nodes or behind a cloud's address: only the port is the same everywhere.
        NetworkPolicyEgressRule {
            ports: Some(vec![port("UDP", 53), port("TCP", 53)]),
            to: None,
        },
        NetworkPolicyEgressRule {
            ports: Some(vec![port("TCP", settings.api_port.into())]),
            to: Some(vec![NetworkPolicyPeer {
                namespace_selector: Some(selecting(NAMESPACE_NAME_LABEL, &settings.namespace)),
                pod_selector: Some(selecting(NAME_LABEL, "flowpilot-api")),
                ip_block: None,
            }]),
        },
        NetworkPolicyEgressRule {
            ports: None,
            to: Some(vec![
                block("0.0.0.0/0", PRIVATE_V4.iter().chain(&SPECIAL_V4)),
                block("::/0", PRIVATE_V6.iter().chain(&SPECIAL_V6)),
            ]),
        },
    ];
    rules.extend(openings.iter().map(|opening| {
        match opening {
            Opening::Range { cidr, ports } => NetworkPolicyEgressRule {
                ports: Some(ports.iter().map(|number| port("TCP", *number)).collect()),
                to: Some(vec![block(cidr, [].into_iter())]),
            },
            Opening::Namespace(namespace) => NetworkPolicyEgressRule {
                ports: None,
                to: Some(vec![NetworkPolicyPeer {
                    namespace_selector: Some(selecting(NAMESPACE_NAME_LABEL, namespace)),
                    ..NetworkPolicyPeer::default()
                }]),
            },
            Opening::Private => NetworkPolicyEgressRule {
                ports: None,
                to: Some(
                    PRIVATE_V4
                        .iter()
                        .chain(&PRIVATE_V6)
                        .map(|range| block(range, [].into_iter()))
                        .collect(),
                ),
            },
        }
    }));
    NetworkPolicy {
        metadata: objects::metadata(name, tenant),
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(selecting(NAME_LABEL, RUNNER)),
            policy_types: Some(vec!["Egress".to_owned()]),
            egress: Some(rules),
            ..NetworkPolicySpec::default()
        }),
    }
}

fn port(protocol: &str, number: i32) -> NetworkPolicyPort {
    NetworkPolicyPort {
        protocol: Some(protocol.to_owned()),
        port: Some(IntOrString::Int(number)),
        end_port: None,
    }
}

fn block<'a>(cidr: &str, except: impl Iterator<Item = &'a &'a str>) -> NetworkPolicyPeer {
    let except: Vec<String> = except.map(|range| (*range).to_owned()).collect();
    let except = (!except.is_empty()).then_some(except);
    NetworkPolicyPeer {
        ip_block: Some(IPBlock {
            cidr: cidr.to_owned(),
            except,
        }),
        ..NetworkPolicyPeer::default()
    }
}

fn selecting(label: &str, value: &str) -> LabelSelector {
    LabelSelector {
        match_labels: Some(texts([(label, value)])),
        match_expressions: None,
    }
}
