//! The tenant's rules: which closed addresses are open to it.

use std::net::IpAddr;

use flowpilot_crds::tenant;
use snafu::Snafu;

use super::address::{Class, Range, canonical, classify};
use super::network::Network;

/// Ports of a rule that names none.
const DEFAULT_PORTS: [u16; 2] = [80, 443];

/// The rules, ready to judge.
#[derive(Clone, Debug, Default)]
pub struct Egress {
    rules: Vec<Rule>,
    /// This machine and the networks around it are open.
    nearby: bool,
}

#[derive(Clone, Debug)]
struct Rule {
    target: Target,
    ports: Vec<u16>,
}

#[derive(Clone, Debug)]
enum Target {
    /// Exactly this name.
    Host(String),
    /// Whatever ends with this, which begins with a dot.
    Below(String),
    /// These addresses.
    Addresses(Network),
}

/// A rule that cannot be understood.
#[derive(Debug, Snafu)]
#[snafu(display("failed to read egress rule {number}: {message}"))]
pub struct EgressError {
    /// Which one, from 1.
    number: usize,
    /// What is wrong, and what to write.
    message: String,
}

/// An address that is closed.
#[derive(Clone, Debug, Snafu)]
#[snafu(display(
    "{host}{} is {kind} ({range}), which is closed to this tenant; {remedy} in the Tenant's spec.egress.allow would open it",
    at(host, *address)
))]
pub struct Blocked {
    /// The host as the request named it.
    host: String,
    /// The address it has.
    address: IpAddr,
    /// What kind of place that is.
    kind: &'static str,
    /// The range it lies in.
    range: String,
    /// The rule that would open it.
    remedy: String,
}

fn at(host: &str, address: IpAddr) -> String {
    let address = address.to_string();
    if host.trim_matches(['[', ']']) == address {
        String::new()
    } else {
        format!(" at {address}")
    }
}

impl Egress {
    /// Makes the rules of a Tenant ready.
    pub fn new(egress: &tenant::Egress) -> Result<Self, EgressError> {
        let rules = egress.allow.iter().enumerate().map(|(index, rule)| {
            Rule::new(rule).map_err(|message| EgressError {
                number: index + 1,
                message,
            })
        });
        Ok(Self {
            rules: rules.collect::<Result<_, _>>()?,
            nearby: false,
        })
    }

    /// The same with everything open that the person at this machine reaches: the machine itself and private networks.
    /// Metadata of clouds stays closed: it hands out credentials.
    #[must_use]
    pub fn with_nearby(self) -> Self {
        Self { nearby: true, ..self }
    }

    /// Whether a connection to `host`, which has this `address`, may be made.
    pub fn check(&self, host: &str, address: IpAddr, port: u16) -> Result<(), Blocked> {
        let reached = canonical(address);
        match classify(reached) {
            Class::Public => Ok(()),
            Class::Private(_) if self.nearby => Ok(()),
            Class::Sealed(range) if self.nearby && range.is_loopback() => Ok(()),
            Class::Private(_) if self.rules.iter().any(|rule| rule.opens(host, reached, port)) => Ok(()),
            // A wide rule such as 0.0.0.0/0 means the networks around, and not the machine itself or its cloud.
            Class::Sealed(range) if self.rules.iter().any(|rule| rule.unseals(range, reached, port)) => {
                Ok(())
            }
            Class::Private(range) => {
                let remedy = format!("a rule {{host: {}, ports: [{port}]}}", normal(host));
                Err(Blocked::new(host, address, range, remedy))
            }
            Class::Sealed(range) => {
                let bits = if reached.is_ipv4() { 32 } else { 128 };
                let remedy = format!("only a rule {{cidr: {reached}/{bits}, ports: [{port}]}}");
                Err(Blocked::new(host, address, range, remedy))
            }
        }
    }
}

impl Blocked {
    fn new(host: &str, address: IpAddr, range: Range, remedy: String) -> Self {
        let (host, kind, range) = (host.to_owned(), range.name, range.network.to_string());
        Self {
            host,
            address,
            kind,
            range,
            remedy,
        }
    }
}

impl Rule {
    fn new(rule: &tenant::EgressRule) -> Result<Self, String> {
        let target = match (&rule.host, &rule.cidr) {
            (Some(host), None) => match host.strip_prefix('*') {
                Some(suffix) if suffix.starts_with('.') => Target::Below(normal(suffix)),
                Some(_) => return Err(format!("`{host}`: write `*.` and a name")),
                None => Target::Host(normal(host)),
            },
            (None, Some(cidr)) => {
                Target::Addresses(Network::parse(cidr).map_err(|error| format!("cidr `{cidr}`: {error}"))?)
            }
            _ => return Err("it has exactly one of host and cidr".to_owned()),
        };
        let ports = rule.ports.iter().map(|port| {
            u16::try_from(*port)
                .ok()
                .filter(|port| *port > 0)
                .ok_or(format!("{port} is no port: 1 to 65535"))
        });
        let mut ports = ports.collect::<Result<Vec<u16>, _>>()?;
        if ports.is_empty() {
            ports.extend(DEFAULT_PORTS);
        }
        Ok(Self { target, ports })
    }

    fn opens(&self, host: &str, address: IpAddr, port: u16) -> bool {
        self.ports.contains(&port)
            && match &self.target {
                Target::Host(name) => normal(host) == *name,
                Target::Below(suffix) => normal(host).ends_with(suffix.as_str()),
                Target::Addresses(network) => network.contains(address),
            }
    }

    fn unseals(&self, range: Range, address: IpAddr, port: u16) -> bool {
        match &self.target {
            Target::Addresses(network) => {
                network.is_within(range.network) && network.contains(address) && self.ports.contains(&port)
            }
            Target::Host(_) | Target::Below(_) => false,
        }
    }
}

/// Names compare without case and without the dot that ends a full name.
fn normal(host: &str) -> String {
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[expect(clippy::needless_pass_by_value, reason = "callers write the value in place")]
    fn egress(rules: serde_json::Value) -> Egress {
        Egress::new(&serde_json::from_value(json!({ "allow": rules })).unwrap()).unwrap()
    }

    fn open(egress: &Egress, host: &str, address: &str, port: u16) -> bool {
        egress.check(host, address.parse().unwrap(), port).is_ok()
    }

    #[test]
    fn without_rules_only_public_addresses_are_open() {
        let none = Egress::default();
        assert!(open(&none, "example.org", "93.184.216.34", 8443));
        assert!(!open(&none, "inside.example.org", "10.0.0.1", 443));
        assert!(!open(&none, "localhost", "127.0.0.1", 80));
    }

    #[test]
    fn a_host_rule_opens_the_private_addresses_of_that_name_on_its_ports() {
        let egress =
            egress(json!([{"host": "data.samples.svc"}, {"host": "*.internal.example", "ports": [8080]}]));
        assert!(open(&egress, "data.samples.svc", "10.96.0.7", 80));
        assert!(open(&egress, "DATA.samples.svc.", "fd00::7", 443));
        assert!(!open(&egress, "data.samples.svc", "10.96.0.7", 8080));
        assert!(!open(&egress, "other.samples.svc", "10.96.0.7", 80));
        assert!(!open(&egress, "xdata.samples.svc", "10.96.0.7", 80));
        assert!(open(&egress, "a.b.internal.example", "192.168.0.1", 8080));
        assert!(!open(&egress, "internal.example", "192.168.0.1", 8080));
        assert!(!open(&egress, "notinternal.example", "192.168.0.1", 8080));
    }

    #[test]
    fn a_host_rule_opens_neither_loopback_nor_metadata() {
        let egress = egress(json!([{"host": "rebound.example"}, {"cidr": "0.0.0.0/0"}, {"cidr": "::/0"}]));
        for address in [
            "127.0.0.1",
            "169.254.169.254",
            "::1",
            "fd00:ec2::254",
            "0.0.0.0",
            "::ffff:127.0.0.1",
        ] {
            assert!(!open(&egress, "rebound.example", address, 80), "{address}");
        }
        assert!(open(&egress, "rebound.example", "10.0.0.1", 80));
    }

    #[test]
    fn nearby_is_this_machine_and_private_networks_but_no_metadata() {
        let nearby = Egress::default().with_nearby();
        for address in ["127.0.0.1", "::1", "10.0.0.1", "192.168.1.1", "fd12::1"] {
            assert!(open(&nearby, "near.example", address, 8080), "{address}");
            assert!(
                !open(&Egress::default(), "near.example", address, 8080),
                "{address}"
            );
        }
        for address in ["169.254.169.254", "fd00:ec2::254", "0.0.0.0", "224.0.0.1"] {
            assert!(!open(&nearby, "near.example", address, 80), "{address}");
        }
    }

    #[test]
    fn a_range_inside_a_sealed_one_opens_it() {
        let egress =
            egress(json!([{"cidr": "127.0.0.0/8", "ports": [9000]}, {"cidr": "169.254.169.254/32"}]));
        assert!(open(&egress, "127.0.0.1", "127.0.0.1", 9000));
        assert!(open(&egress, "localhost", "::ffff:127.0.0.1", 9000));
        assert!(!open(&egress, "127.0.0.1", "127.0.0.1", 80));
        assert!(open(&egress, "169.254.169.254", "169.254.169.254", 80));
        assert!(!open(&egress, "169.254.169.253", "169.254.169.253", 80));
    }

    #[test]
    fn a_refusal_names_the_rule_that_would_open_the_address() {
        let error = Egress::default()
            .check("db.svc", "10.0.0.5".parse().unwrap(), 5432)
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "db.svc at 10.0.0.5 is private (10.0.0.0/8), which is closed to this tenant; \
             a rule {host: db.svc, ports: [5432]} in the Tenant's spec.egress.allow would open it"
        );
        let error = Egress::default()
            .check("127.0.0.1", "127.0.0.1".parse().unwrap(), 80)
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "127.0.0.1 is loopback (127.0.0.0/8), which is closed to this tenant; \
             only a rule {cidr: 127.0.0.1/32, ports: [80]} in the Tenant's spec.egress.allow would open it"
        );
    }

    #[test]
    fn wrong_rules_are_named() {
        let error = |rule| {
            let egress =
                serde_json::from_value(json!({ "allow": [{"host": "fine.example"}, rule] })).unwrap();
            Egress::new(&egress).unwrap_err().to_string()
        };
        assert!(error(json!({})).starts_with("failed to read egress rule 2: it has exactly one"));
        assert!(error(json!({"host": "a", "cidr": "10.0.0.0/8"})).contains("exactly one"));
        assert!(error(json!({"cidr": "10.0.0.1/8"})).contains("write `10.0.0.0/8`"));
        assert!(error(json!({"host": "*a"})).contains("`*.`"));
        assert!(error(json!({"host": "a", "ports": [0]})).contains("0 is no port"));
    }
}
