//! What kind of place an address is.
//!
//! Sources: the IANA special-purpose address registries (RFC 6890 and its successors), and the vendors' pages on
//! instance metadata.

use std::net::{IpAddr, Ipv6Addr};

use super::network::{Network, embedded_v4};

/// How an address is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Anybody's address: open.
    Public,
    /// Inside somebody's network: closed unless a rule opens it.
    Private(Range),
    /// Dangerous wherever the runner stands: closed unless a range inside it is named.
    Sealed(Range),
}

/// A range that has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    /// What it is, for people.
    pub(super) name: &'static str,
    /// Where it is.
    pub(super) network: Network,
}

impl Range {
    /// The machine itself.
    pub(super) fn is_loopback(self) -> bool {
        self.name == LOOPBACK
    }
}

const LOOPBACK: &str = "loopback";

const fn range(name: &'static str, network: Network) -> Range {
    Range { name, network }
}

/// Loopback, metadata of clouds, and what routers treat in ways of their own.
const SEALED: [Range; 17] = [
    range("unspecified", Network::v4([0, 0, 0, 0], 8)),
    range(LOOPBACK, Network::v4([127, 0, 0, 0], 8)),
    range(
        "link-local, where clouds serve metadata",
        Network::v4([169, 254, 0, 0], 16),
    ),
    range("metadata of Alibaba Cloud", Network::v4([100, 100, 100, 200], 32)),
    range("metadata of Azure", Network::v4([168, 63, 129, 16], 32)),
    range(
        "reserved for protocols, metadata of Oracle Cloud among them",
        Network::v4([192, 0, 0, 0], 24),
    ),
    range("multicast", Network::v4([224, 0, 0, 0], 4)),
    range("broadcast", Network::v4([255, 255, 255, 255], 32)),
    range("unspecified", Network::host(Ipv6Addr::UNSPECIFIED)),
    range(LOOPBACK, Network::host(Ipv6Addr::LOCALHOST)),
    range("link-local", Network::v6(0xfe80, 0, 10)),
    range("metadata of AWS", Network::v6(0xfd00, 0x0ec2, 32)),
    range("metadata of Google Cloud", Network::v6(0xfd20, 0x00ce, 32)),
    range("multicast", Network::v6(0xff00, 0, 8)),
    range("Teredo, which hides an IPv4 address", Network::v6(0x2001, 0, 32)),
    range("translation to IPv4", Network::v6(0x64, 0xff9b, 32)),
    range("discarded", Network::v6(0x0100, 0, 64)),
];

/// Networks of organisations, and what is reserved.
const PRIVATE: [Range; 16] = [
    range("private", Network::v4([10, 0, 0, 0], 8)),
    range("private", Network::v4([172, 16, 0, 0], 12)),
    range("private", Network::v4([192, 168, 0, 0], 16)),
    range("shared by a carrier", Network::v4([100, 64, 0, 0], 10)),
    range("for documentation", Network::v4([192, 0, 2, 0], 24)),
    range("for documentation", Network::v4([198, 51, 100, 0], 24)),
    range("for documentation", Network::v4([203, 0, 113, 0], 24)),
    range("for benchmarks", Network::v4([198, 18, 0, 0], 15)),
    range("reserved for relays", Network::v4([192, 88, 99, 0], 24)),
    range("reserved", Network::v4([240, 0, 0, 0], 4)),
    range("private", Network::v6(0xfc00, 0, 7)),
    range("private", Network::v6(0xfec0, 0, 10)),
    range("reserved for protocols", Network::v6(0x2001, 0, 23)),
    range("for documentation", Network::v6(0x2001, 0x0db8, 32)),
    range("for documentation", Network::v6(0x3fff, 0, 20)),
    range("reserved for routing", Network::v6(0x5f00, 0, 16)),
];

/// The part of IPv6 that is handed out; whatever lies outside of it is nobody's public address.
const GLOBAL_UNICAST: Network = Network::v6(0x2000, 0, 3);
const OUTSIDE: Range = range("reserved", Network::v6(0, 0, 0));

/// The address as it will really be reached: forms that carry an IPv4 address become that.
pub(super) fn canonical(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => embedded_v4(v6).map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

/// What kind of place a canonical address is.
pub(super) fn classify(address: IpAddr) -> Class {
    let inside = |range: &&Range| range.network.contains(address);
    if let Some(range) = SEALED.iter().find(inside) {
        return Class::Sealed(*range);
    }
    if let Some(range) = PRIVATE.iter().find(inside) {
        return Class::Private(*range);
    }
    if address.is_ipv6() && !GLOBAL_UNICAST.contains(address) {
        return Class::Private(OUTSIDE);
    }
    Class::Public
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(text: &str) -> &'static str {
        match classify(canonical(text.parse().unwrap())) {
            Class::Public => "public",
            Class::Private(_) => "private",
            Class::Sealed(_) => "sealed",
        }
    }

    #[test]
    fn every_class_of_address() {
        let public = [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "172.15.0.1",
            "172.32.0.1",
            "192.167.0.1",
            "100.63.255.255",
            "100.128.0.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            // Public IPv4 addresses inside IPv6 ones.
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
            "2002:0101:0101::1",
        ];
        let private = [
            "10.0.0.1",
            "10.255.255.255",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "100.127.255.255",
            "192.0.2.1",
            "198.51.100.7",
            "203.0.113.9",
            "198.18.0.1",
            "198.19.255.255",
            "192.88.99.1",
            "240.0.0.1",
            "fc00::1",
            "fd12:3456::1",
            "fec0::1",
            "2001:db8::1",
            "3fff::1",
            "2001:2::1",
            "5f00::1",
            "4000::1",
            "::2:0:0:1",
            "::ffff:10.0.0.1",
            "64:ff9b::10.0.0.1",
            "2002:0a00:0001::1",
            "::10.0.0.1",
        ];
        let sealed = [
            "0.0.0.0",
            "0.1.2.3",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "169.254.0.1",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "224.0.0.1",
            "239.255.255.255",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "febf::1",
            "fd00:ec2::254",
            "fd20:ce::254",
            "ff02::1",
            "2001::1",
            "64:ff9b:1::1",
            "100::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::169.254.169.254",
            "64:ff9b::127.0.0.1",
            "2002:7f00:0001::1",
            "2002:a9fe:a9fe::",
            "::127.0.0.1",
            "::ffff:0.0.0.0",
        ];
        for (expected, addresses) in [
            ("public", &public[..]),
            ("private", &private),
            ("sealed", &sealed),
        ] {
            for address in addresses {
                assert_eq!(class(address), expected, "{address}");
            }
        }
    }
}
