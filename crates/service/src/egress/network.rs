//! What kind of network an address belongs to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Network {
    Public,
    /// Behind a firewall.
    Private,
    /// This machine.
    Machine,
    /// Gives credentials to whoever asks from this machine.
    Metadata,
    Link,
    /// Nobody's address: unspecified, multicast, broadcast, reserved.
    Special,
}

/// Metadata services that are not link-local: Azure's host, Alibaba, Oracle.
const METADATA: [Ipv4Addr; 3] = [
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(192, 0, 0, 192),
];
/// Amazon's.
const METADATA_6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

impl Network {
    pub(super) fn of(address: IpAddr) -> Self {
        match plain(address) {
            IpAddr::V4(address) => Self::of_4(address),
            IpAddr::V6(address) => Self::of_6(address),
        }
    }

    fn of_4(address: Ipv4Addr) -> Self {
        let [a, b, c, _] = address.octets();
        if address == Ipv4Addr::new(169, 254, 169, 254) || METADATA.contains(&address) {
            return Self::Metadata;
        }
        match (a, b, c) {
            (127, ..) => Self::Machine,
            (169, 254, _) => Self::Link,
            (10, ..) | (172, 16..=31, _) | (192, 168, _) | (100, 64..=127, _) => Self::Private,
            // Also documentation, benchmarks, relays.
            (0 | 224.., ..)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113) => Self::Special,
            _ => Self::Public,
        }
    }

    fn of_6(address: Ipv6Addr) -> Self {
        let first = address.segments()[0];
        match first {
            _ if address == METADATA_6 => Self::Metadata,
            _ if address.is_loopback() => Self::Machine,
            _ if address.is_unspecified() => Self::Special,
            0xfe80..=0xfebf => Self::Link,
            0xfc00..=0xfdff | 0xfec0..=0xfeff => Self::Private,
            0x2001 if address.segments()[1] == 0xdb8 => Self::Special,
            // Only this part of the space is given out.
            0x2000..=0x3fff => Self::Public,
            _ => Self::Special,
        }
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Public => "a public address",
            Self::Private => "an address of a private network",
            Self::Machine => "this machine",
            Self::Metadata => "a cloud's metadata service",
            Self::Link => "a link-local address",
            Self::Special => "an address that belongs to no machine",
        }
    }
}

/// The IPv4 address inside of an IPv6 one: mapped, translated (NAT64), tunneled (6to4).
pub(super) fn plain(address: IpAddr) -> IpAddr {
    let IpAddr::V6(long) = address else {
        return address;
    };
    let parts = long.segments();
    let four = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match parts {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            four(high, low)
        }
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => four(high, low),
        [0x2002, high, low, ..] => four(high, low),
        _ => address,
    }
}
