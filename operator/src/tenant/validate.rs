//! What a tenant's spec must satisfy beyond its schema.

use std::net::IpAddr;

use flowpilot_crds::tenant::EgressRule;
use flowpilot_crds::{Reason, Tenant};

use crate::controller::Rejection;

/// Ports of a rule that names none.
const DEFAULT_PORTS: [i32; 2] = [80, 443];

/// A tenant whose spec can be built.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Valid {
    pub(super) openings: Vec<Opening>,
}

/// Where runners may connect to beyond public addresses, as a network policy can say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// An address range.
    Range { cidr: String, ports: Vec<i32> },
    /// The pods of one namespace: a host of the form `<service>.<namespace>.svc`.
    Namespace(String),
    /// All private addresses: a host whose address only its name server knows.
    Private,
}

pub(super) fn validate(tenant: &Tenant) -> Result<Valid, Rejection> {
    let spec = &tenant.spec;
    if let unsupported @ [_, ..] = &*spec.unsupported() {
        let message = unsupported
            .iter()
            .map(|field| format!("{}: {}", field.path, field.message))
            .collect::<Vec<_>>();
        return Err(Rejection {
            reason: Reason::NotSupportedYet,
            message: message.join("\n"),
        });
    }
    let rules = spec.egress.as_ref().map_or(&[][..], |egress| &egress.allow);
    let (mut openings, mut problems) = (Vec::new(), Vec::new());
    for (index, rule) in rules.iter().enumerate() {
        match opening(rule) {
            Ok(opening) if openings.contains(&opening) => {}
            Ok(opening) => openings.push(opening),
            Err(problem) => problems.push(format!("spec.egress.allow[{index}].{problem}")),
        }
    }
    if problems.is_empty() {
        Ok(Valid { openings })
    } else {
        Err(Rejection {
            reason: Reason::InvalidSpec,
            message: problems.join("\n"),
        })
    }
}

fn opening(rule: &EgressRule) -> Result<Opening, String> {
    match (&rule.host, &rule.cidr) {
        (None, Some(cidr)) => {
            let ports = if rule.ports.is_empty() {
                DEFAULT_PORTS.to_vec()
            } else {
                rule.ports.clone()
            };
            check_range(cidr).map(|()| Opening::Range {
                cidr: cidr.clone(),
                ports,
            })
        }
        (Some(host), None) => Ok(namespace_of_service(host).map_or(Opening::Private, Opening::Namespace)),
        _ => Err("host: exactly one of host and cidr".to_owned()),
    }
}

/// `reports` of `data.reports.svc`, `*.reports.svc.cluster.local`.
fn namespace_of_service(host: &str) -> Option<String> {
    let mut labels = host.split('.').skip_while(|label| *label == "*");
    let parts: Vec<&str> = labels.by_ref().collect();
    let service = parts.iter().position(|part| *part == "svc")?;
    let namespace = parts.get(service.checked_sub(1)?)?;
    Some((*namespace).to_owned())
}

fn check_range(cidr: &str) -> Result<(), String> {
    let problem = || format!("cidr: {cidr} is no address range: write it as 10.96.0.0/16 or fd00::/8");
    let (address, bits) = cidr.split_once('/').ok_or_else(problem)?;
    let address: IpAddr = address.parse().map_err(|_| problem())?;
    let most: u8 = if address.is_ipv4() { 32 } else { 128 };
    match bits.parse::<u8>() {
        Ok(bits) if bits <= most => Ok(()),
        _ => Err(problem()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flowpilot_crds::TenantSpec;
    use flowpilot_crds::tenant::Egress;

    fn tenant(rules: Vec<EgressRule>) -> Tenant {
        Tenant::new(
            "a",
            TenantSpec {
                egress: Some(Egress { allow: rules }),
                ..TenantSpec::default()
            },
        )
    }

    fn host(host: &str) -> EgressRule {
        EgressRule {
            host: Some(host.to_owned()),
            ..EgressRule::default()
        }
    }

    fn cidr(cidr: &str) -> EgressRule {
        EgressRule {
            cidr: Some(cidr.to_owned()),
            ..EgressRule::default()
        }
    }

    #[test]
    fn a_host_opens_no_more_than_its_namespace_where_the_name_tells_it() {
        let openings = |text| validate(&tenant(vec![host(text)])).unwrap().openings;
        let samples = Opening::Namespace("samples".to_owned());
        for text in [
            "data.samples.svc",
            "*.samples.svc",
            "data.samples.svc.cluster.local",
            "a.data.samples.svc",
        ] {
            assert_eq!(openings(text), std::slice::from_ref(&samples), "{text}");
        }
        for text in ["intranet.example.com", "*.corp", "svc"] {
            assert_eq!(openings(text), [Opening::Private], "{text}");
        }
    }

    #[test]
    fn every_wrong_range_is_named() {
        let rejection = validate(&tenant(vec![
            cidr("10.0.0.0/33"),
            cidr("10.0.0.0/8"),
            cidr("1.2.3/8"),
        ]))
        .unwrap_err();
        assert_eq!(rejection.reason, Reason::InvalidSpec);
        let lines: Vec<_> = rejection
            .message
            .lines()
            .map(|line| line.split_once(':').unwrap().0)
            .collect();
        assert_eq!(lines, ["spec.egress.allow[0].cidr", "spec.egress.allow[2].cidr"]);
    }

    #[test]
    fn what_has_no_effect_yet_is_rejected() {
        let spec = TenantSpec {
            weight: Some(3),
            parent: Some("b".to_owned()),
            ..TenantSpec::default()
        };
        let rejection = validate(&Tenant::new("a", spec)).unwrap_err();
        assert_eq!(rejection.reason, Reason::NotSupportedYet);
        assert_eq!(rejection.message.lines().count(), 2);
    }
}
