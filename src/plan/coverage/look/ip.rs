//! IP addresses: version 4 (with a port, too) and version 6 (with brackets, port or zone, too).
//!
//! `120.0.0.0` is how browsers write their version, and no machine's address; neither are 0.0.0.0, the
//! loopback and the undefined one.

use std::net::{Ipv4Addr, Ipv6Addr};

pub(super) fn looks(text: &str) -> bool {
    is_v4(text) || is_v6(text)
}

fn is_v4(text: &str) -> bool {
    let address = match text.split_once(':') {
        Some((address, port)) if port.parse::<u16>().is_ok() => address,
        Some(_) => return false,
        None => text,
    };
    address
        .parse::<Ipv4Addr>()
        .is_ok_and(|address| !matches!(address.octets(), [_, 0, 0, 0]) && !address.is_loopback())
}

fn is_v6(text: &str) -> bool {
    let bare = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((inside, "")) => inside,
        Some((inside, port)) => match port.strip_prefix(':').map(str::parse::<u16>) {
            Some(Ok(_)) => inside,
            _ => return false,
        },
        None => text,
    };
    let bare = bare.split_once('%').map_or(bare, |(address, _)| address);
    bare.parse::<Ipv6Addr>().is_ok_and(|a| !a.is_loopback() && !a.is_unspecified())
}
