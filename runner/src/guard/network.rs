//! Ranges of addresses, of both versions in one space.
//!
//! An IPv4 address is looked at as its IPv6-mapped form (`::ffff:a.b.c.d`), so that one comparison serves both.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Upper bits of an IPv4-mapped address.
const MAPPED: u128 = 0xffff << 32;
/// Bits before the IPv4 part of a mapped address.
const MAPPED_BITS: u8 = 96;

/// An address range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Network {
    bits: u128,
    prefix: u8,
}

impl Network {
    /// An IPv4 range.
    pub(super) const fn v4(address: [u8; 4], prefix: u8) -> Self {
        Self {
            bits: MAPPED | u32::from_be_bytes(address) as u128,
            prefix: MAPPED_BITS + prefix,
        }
    }

    /// An IPv6 range, by its first two groups of 16 bits.
    pub(super) const fn v6(first: u16, second: u16, prefix: u8) -> Self {
        Self {
            bits: ((first as u128) << 112) | ((second as u128) << 96),
            prefix,
        }
    }

    /// The one address.
    pub(super) const fn host(address: Ipv6Addr) -> Self {
        Self {
            bits: address.to_bits(),
            prefix: 128,
        }
    }

    /// Reads `10.0.0.0/8` or `fd00::/8`. Bits behind the prefix must be zero: `10.1.2.3/8` is a mistake that
    /// would open more than it says.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (address, prefix) = text
            .split_once('/')
            .ok_or("a `/` with the number of bits is missing")?;
        let address: IpAddr = address
            .parse()
            .map_err(|_| format!("`{address}` is no address"))?;
        let prefix: u8 = prefix
            .parse()
            .map_err(|_| format!("`{prefix}` is no number of bits"))?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        if prefix > most {
            return Err(format!("it has at most {most} bits"));
        }
        let offset = if address.is_ipv4() { MAPPED_BITS } else { 0 };
        let network = Self {
            bits: bits(address),
            prefix: prefix + offset,
        };
        if network.bits & !network.mask() != 0 {
            let start = Self {
                bits: network.bits & network.mask(),
                ..network
            };
            return Err(format!("bits behind the prefix are set: write `{start}`"));
        }
        Ok(network)
    }

    /// Whether the address lies in the range. An IPv6 range, `::/0` too, never holds an IPv4 address.
    pub(super) fn contains(self, address: IpAddr) -> bool {
        let bits = bits(address);
        is_v4(bits) == self.is_v4() && bits & self.mask() == self.bits
    }

    /// Whether the whole range lies in `outer`.
    pub(super) fn is_within(self, outer: Self) -> bool {
        self.is_v4() == outer.is_v4() && self.prefix >= outer.prefix && self.bits & outer.mask() == outer.bits
    }

    const fn is_v4(self) -> bool {
        self.prefix >= MAPPED_BITS && is_v4(self.bits)
    }

    const fn mask(self) -> u128 {
        match self.prefix {
            0 => 0,
            prefix => u128::MAX << (128 - prefix),
        }
    }
}

const fn is_v4(bits: u128) -> bool {
    bits >> 32 == MAPPED >> 32
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => MAPPED | u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

impl fmt::Display for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = Ipv6Addr::from_bits(self.bits);
        match address.to_ipv4_mapped() {
            Some(address) if self.is_v4() => write!(formatter, "{address}/{}", self.prefix - MAPPED_BITS),
            _ => write!(formatter, "{address}/{}", self.prefix),
        }
    }
}

/// The IPv4 address that an IPv6 address stands for, where it does.
pub(super) fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    const NAT64: Network = Network::v6(0x64, 0xff9b, 96);
    const SIX_TO_FOUR: Network = Network::v6(0x2002, 0, 16);
    const COMPATIBLE: Network = Network::v6(0, 0, 96);
    let bits = address.to_bits();
    let v6 = IpAddr::V6(address);
    if let Some(mapped) = address.to_ipv4_mapped() {
        return Some(mapped);
    }
    #[expect(clippy::cast_possible_truncation, reason = "the 32 bits that are wanted")]
    if NAT64.contains(v6) || (COMPATIBLE.contains(v6) && bits > 1) {
        Some(Ipv4Addr::from_bits(bits as u32))
    } else if SIX_TO_FOUR.contains(v6) {
        Some(Ipv4Addr::from_bits((bits >> 80) as u32))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_and_written() {
        for text in [
            "10.0.0.0/8",
            "0.0.0.0/0",
            "127.0.0.1/32",
            "fd00::/8",
            "::/0",
            "::1/128",
        ] {
            assert_eq!(Network::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(
            Network::parse("::ffff:10.0.0.0/104").unwrap().to_string(),
            "10.0.0.0/8"
        );
    }

    #[test]
    fn wrong_ranges_say_what_is_wrong() {
        let error = |text| Network::parse(text).unwrap_err();
        assert!(error("10.0.0.0").contains("missing"));
        assert!(error("10.0.0/8").contains("no address"));
        assert!(error("10.0.0.0/33").contains("at most 32"));
        assert!(error("10.0.0.0/x").contains("no number"));
        assert!(error("10.1.2.3/8").contains("write `10.0.0.0/8`"));
    }

    #[test]
    fn an_ipv6_range_never_holds_ipv4() {
        let everything = Network::parse("::/0").unwrap();
        assert!(everything.contains("fd00::1".parse().unwrap()));
        assert!(!everything.contains("10.0.0.1".parse().unwrap()));
        assert!(!Network::parse("10.0.0.0/8").unwrap().is_within(everything));
    }
}
