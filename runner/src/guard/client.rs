//! The client itself: one connection pool per port, because a resolver does not learn the port.

use std::error::Error as _;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, redirect};
use snafu::Snafu;
use url::{Host, Url};

use super::egress::{Blocked, Egress};
use super::tls;

/// A server that does not answer the handshake by then is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Pools that are kept. Nearly everything is on 80 and 443; each further port costs a few kilobytes.
const POOLS: usize = 16;
/// Connections kept per host: as many as a workflow's branches use at the same moment.
const IDLE_PER_HOST: usize = 8;
/// Idle connections end before most servers end them.
const IDLE_TIMEOUT: Duration = Duration::from_secs(50);

/// Hands out clients that connect only where the tenant may.
#[derive(Debug)]
pub(crate) struct Guard {
    egress: Arc<Egress>,
    pools: Mutex<Vec<(u16, Client)>>,
    tls: OnceLock<rustls::ClientConfig>,
}

/// A URL that no request is made to.
#[derive(Debug, Snafu)]
#[non_exhaustive]
pub(crate) enum Refused {
    /// The address is closed to the tenant.
    #[snafu(display("{blocked}"))]
    Address {
        /// Which, and what would open it.
        blocked: Blocked,
    },
    /// The URL is none for a request.
    #[snafu(display("{message}"))]
    Url {
        /// What is wrong with it.
        message: String,
    },
    /// The client could not be made.
    #[snafu(display("failed to make an HTTP client: {message}"))]
    Client {
        /// Why.
        message: String,
    },
}

impl Guard {
    /// A client under these rules.
    #[must_use]
    pub(crate) fn new(egress: Egress) -> Self {
        Self {
            egress: Arc::new(egress),
            pools: Mutex::default(),
            tls: OnceLock::new(),
        }
    }

    /// The client for a request to `url`. Names are judged as it connects, see [`Guard::blocked`].
    pub(crate) fn client(&self, url: &Url) -> Result<Client, Refused> {
        let port = self.check_url(url)?;
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = pools.iter().find(|(known, _)| *known == port) {
            return Ok(client.clone());
        }
        if pools.len() == POOLS {
            pools.remove(0);
        }
        let client = self.build(port).map_err(|message| Refused::Client { message })?;
        pools.push((port, client.clone()));
        Ok(client)
    }

    /// The refusal behind an error of a request, if that is its cause.
    #[must_use]
    pub(crate) fn blocked(error: &reqwest::Error) -> Option<&Blocked> {
        let mut source = error.source();
        while let Some(error) = source {
            if let Some(blocked) = error.downcast_ref() {
                return Some(blocked);
            }
            source = error.source();
        }
        None
    }

    /// Judges what can be judged before names are resolved; gives the port.
    fn check_url(&self, url: &Url) -> Result<u16, Refused> {
        let refuse = |message: &str| Refused::Url {
            message: message.to_owned(),
        };
        if !matches!(url.scheme(), "http" | "https") {
            return Err(refuse(&format!(
                "`{}` URLs are not supported: use http or https",
                url.scheme()
            )));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse(
                "a URL must not carry credentials, they would stand in the history of the run",
            ));
        }
        let port = url
            .port_or_known_default()
            .filter(|port| *port > 0)
            .ok_or_else(|| refuse("port 0 is none"))?;
        // A literal address never comes to the resolver.
        let address: Option<IpAddr> = match url.host() {
            Some(Host::Ipv4(address)) => Some(address.into()),
            Some(Host::Ipv6(address)) => Some(address.into()),
            Some(Host::Domain(_)) => None,
            None => return Err(refuse("the URL names no host")),
        };
        if let (Some(address), Some(host)) = (address, url.host_str()) {
            self.egress
                .check(host, address, port)
                .map_err(|blocked| Refused::Address { blocked })?;
        }
        Ok(port)
    }

    fn build(&self, port: u16) -> Result<Client, String> {
        let tls = if let Some(tls) = self.tls.get() {
            tls.clone()
        } else {
            let made = tls::system().map_err(|error| error.to_string())?;
            self.tls.get_or_init(|| made).clone()
        };
        Client::builder()
            .tls_backend_preconfigured(tls)
            .dns_resolver(Resolver {
                egress: Arc::clone(&self.egress),
                port,
            })
            // A proxy from the environment would be asked to connect, and nobody would judge the address.
            .no_proxy()
            // Redirects are followed by the action, which judges each hop.
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .referer(false)
            .user_agent(concat!("FlowPilot/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| error.to_string())
    }
}

/// Resolves names by the system's means and passes on only what is open.
struct Resolver {
    egress: Arc<Egress>,
    port: u16,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (egress, port) = (Arc::clone(&self.egress), self.port);
        Box::pin(async move {
            let host = name.as_str();
            let mut blocked = None;
            let mut open: Vec<SocketAddr> = Vec::new();
            for address in tokio::net::lookup_host((host, port)).await? {
                match egress.check(host, address.ip(), port) {
                    Ok(()) => open.push(address),
                    Err(refusal) => blocked = Some(refusal),
                }
            }
            match blocked {
                Some(refusal) if open.is_empty() => Err(refusal.into()),
                _ => Ok(Box::new(open.into_iter()) as Addrs),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(url: &str) -> String {
        Guard::new(Egress::default())
            .client(&url.parse().unwrap())
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn literal_addresses_are_judged_however_they_are_written() {
        for url in [
            "http://127.0.0.1/",
            "http://[::1]/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://127.1/",
            "http://0/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:7f00:1]/",
            "http://169.254.169.254/latest/meta-data/",
            "http://[fd00:ec2::254]/",
            "http://0xa9fea9fe/",
            "http://10.0.0.1/",
            "http://192.168.0.1:8443/",
            "http://[fc00::1]/",
            "http://[64:ff9b::7f00:1]/",
            "http://①②⑦.0.0.1/",
            "http://1.1.1.1\\@127.0.0.1/".replace("1.1.1.1\\@", "").as_str(),
        ] {
            assert!(
                refusal(url).contains("closed to this tenant"),
                "{url}: {}",
                refusal(url)
            );
        }
        assert!(
            Guard::new(Egress::default())
                .client(&"https://1.1.1.1:8443/".parse().unwrap())
                .is_ok()
        );
    }

    #[test]
    fn urls_that_are_none_for_a_request() {
        assert!(refusal("ftp://example.org/").contains("use http or https"));
        assert!(refusal("file:///etc/passwd").contains("use http or https"));
        assert!(refusal("http://user:secret@example.org/").contains("credentials"));
        assert!(refusal("http://example.org@127.0.0.1/").contains("credentials"));
        assert!(refusal("http://example.org:0/").contains("port 0"));
    }

    #[tokio::test]
    async fn names_are_judged_by_their_addresses() {
        // The one name that every machine knows, and it is a closed address.
        let url: Url = "http://localhost:9/".parse().unwrap();
        let client = Guard::new(Egress::default()).client(&url).unwrap();
        let error = client.get(url).send().await.unwrap_err();
        assert!(
            Guard::blocked(&error)
                .unwrap()
                .to_string()
                .contains("localhost at ")
        );
    }
}
