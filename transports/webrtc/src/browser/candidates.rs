//! Where the server said that it is, and what may be the matter when it is not reached there.

use std::net::{IpAddr, SocketAddr};

/// The candidates of an answer: lines of the form `a=candidate:1 1 udp 2130706431 203.0.113.7 14192 typ host` (RFC 8839
/// section 5.1).
pub(super) fn of_answer(sdp: &str) -> Vec<SocketAddr> {
    let lines = sdp.lines().filter_map(|line| line.trim().strip_prefix("a=candidate:"));
    let addresses = lines.filter_map(|line| {
        let mut words = line.split_whitespace().skip(4);
        Some(SocketAddr::new(words.next()?.parse().ok()?, words.next()?.parse().ok()?))
    });
    addresses.take(MOST).collect()
}

/// The candidates, for people.
pub(super) fn shown(candidates: &[SocketAddr]) -> String {
    if candidates.is_empty() {
        return "nothing".to_owned();
    }
    candidates.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// What may be the matter. `host` is where the signalling was reached, `browser` what the browser calls itself.
pub(super) fn hint(candidates: &[SocketAddr], host: &str, browser: &str) -> &'static str {
    let all = |is: fn(IpAddr) -> bool| candidates.iter().all(|candidate| is(candidate.ip()));
    let host_is = |is: fn(IpAddr) -> bool| host.trim_matches(['[', ']']).parse().is_ok_and(is);
    let host_is_loopback = host == "localhost" || host_is(|ip| ip.is_loopback());
    if candidates.is_empty() {
        "the answer names no address: give the server its public address"
    } else if all(|ip| ip.is_loopback()) && !host_is_loopback {
        "the server names its own loopback address, which leads nowhere from here: give it its public address"
    } else if all(|ip| ip.is_loopback()) && browser.contains("Firefox") {
        "Firefox does not go to loopback addresses: use the address that the machine has in its network, or another browser"
    } else if all(is_private) && !host_is(is_private) && !host_is_loopback {
        "that is a private address, which leads nowhere from outside its network: give the server its public address"
    } else if all(|ip| ip.is_ipv6()) {
        "the server has an IPv6 address alone, and this network may have no IPv6"
    } else {
        "a firewall, on either side, may let no UDP through to that port; a TURN server helps where none gets out"
    }
}

/// A server has a handful; an answer can name anything.
const MOST: usize = 16;

fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint_of(candidates: &[&str], host: &str, browser: &str) -> &'static str {
        let candidates: Vec<_> = candidates.iter().map(|candidate| candidate.parse().unwrap()).collect();
        hint(&candidates, host, browser)
    }

    #[test]
    fn candidates_are_read_and_anything_else_is_left_alone() {
        let sdp = "v=0\r\na=candidate:1 1 udp 2130706431 203.0.113.7 14192 typ host\r\n\
                   a=candidate:2 1 udp 2130706430 2001:db8::7 14192 typ host\r\n\
                   a=candidate:3 1 udp 1 b5e2.local 9 typ host\r\na=candidate:\r\na=candidate:1 1 udp 7 10.0.0.1\r\n";
        assert_eq!(shown(&of_answer(sdp)), "203.0.113.7:14192, [2001:db8::7]:14192");
        assert_eq!(shown(&of_answer("v=0")), "nothing");
        let flood = "a=candidate:1 1 udp 1 10.0.0.1 9 typ host\n".repeat(1_000);
        assert_eq!(of_answer(&flood).len(), MOST);
    }

    #[test]
    fn the_hint_fits_what_was_tried() {
        assert!(hint_of(&[], "example.com", "").contains("no address"));
        assert!(hint_of(&["127.0.0.1:1"], "example.com", "").contains("loopback address, which"));
        assert!(hint_of(&["127.0.0.1:1"], "localhost", "Firefox/140").contains("Firefox"));
        assert!(hint_of(&["127.0.0.1:1", "[::1]:1"], "[::1]", "Chrome").contains("firewall"));
        assert!(hint_of(&["192.168.0.7:1"], "203.0.113.7", "").contains("private"));
        assert!(hint_of(&["192.168.0.7:1"], "192.168.0.7", "").contains("firewall"));
        assert!(hint_of(&["[2001:db8::7]:1"], "example.com", "").contains("IPv6"));
        assert!(hint_of(&["192.168.0.7:1", "203.0.113.7:1"], "example.com", "").contains("firewall"));
    }
}
