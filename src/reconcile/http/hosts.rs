//! By which names a browser may call the daemon. A web page elsewhere can give its own name the
//! address 127.0.0.1 ("DNS rebinding") and read what answers there: its name is in `Host`. An address
//! cannot be given away like that, nor can `localhost`.

use std::net::IpAddr;

use axum::http::{HeaderMap, Uri, header};

/// Whether the request names a host that is ours: none, an address, `localhost`, or a name of `known`.
pub(super) fn is_ours(uri: &Uri, headers: &HeaderMap, known: &[String]) -> bool {
    let ours = |host: &str| {
        let bare = name(host);
        bare.parse::<IpAddr>().is_ok()
            || bare.eq_ignore_ascii_case("localhost")
            || known.iter().any(|known| known.eq_ignore_ascii_case(bare))
    };
    uri.authority().is_none_or(|authority| ours(authority.as_str()))
        && headers.get_all(header::HOST).iter().all(|host| host.to_str().is_ok_and(ours))
}

/// Without the port, the brackets of IPv6, and the dot of the root.
fn name(host: &str) -> &str {
    let bare = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or(rest, |(address, _)| address),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    bare.strip_suffix('.').unwrap_or(bare)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn asks(uri: &str, hosts: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(header::HOST, host.parse().unwrap());
        }
        is_ours(&uri.parse().unwrap(), &headers, &["amparo.internal".to_owned()])
    }

    #[test]
    fn addresses_localhost_and_known_names_are_ours() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:9464",
            "[::1]:9464",
            "10.0.0.7:9464",
            "localhost:1",
            "LOCALHOST",
            "localhost.",
            "amparo.internal:80",
            "Amparo.Internal",
        ] {
            assert!(asks("/status", &[host]), "{host}");
        }
        assert!(asks("/status", &[]));
        assert!(asks("http://127.0.0.1/status", &["127.0.0.1"]));
    }

    #[test]
    fn other_names_are_not() {
        for host in [
            "evil.example",
            "evil.example:9464",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "amparo.internal.evil.example",
            "",
            ":9464",
            "[::1",
            "[evil.example]",
            "user@localhost",
        ] {
            assert_eq!(asks("/status", &[host]), host == "[::1", "{host:?}");
        }
        assert!(!asks("/status", &["localhost", "evil.example"]));
        assert!(!asks("http://evil.example/status", &["localhost"]));
    }
}
