//! The addresses that an answer names, and what to say where none of them leads to the server.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// How many addresses of a server are tried. Each is asked a hundred times a second: an answer must not be able to turn
/// its client against a whole network.
const MAX_CANDIDATES: usize = 8;

/// The UDP candidates of a session description (RFC 8839 section 5.1), and the description with no others. Names are
/// left out, and TCP is.
pub(super) fn candidates(sdp: &str) -> (Vec<SocketAddr>, String) {
    let mut candidates = Vec::new();
    let mut rest = String::new();
    for line in sdp.lines() {
        if line.starts_with("a=candidate:") {
            match candidate(line) {
                Some(candidate) if candidates.len() < MAX_CANDIDATES => candidates.push(candidate),
                _ => continue,
            }
        }
        rest.push_str(line);
        rest.push_str("\r\n");
    }
    (candidates, rest)
}

/// `a=candidate:1 1 UDP 2130706431 203.0.113.7 14192 typ host`
fn candidate(line: &str) -> Option<SocketAddr> {
    let mut fields = line.trim().strip_prefix("a=candidate:")?.split_ascii_whitespace().skip(2);
    let is_udp = fields.next()?.eq_ignore_ascii_case("udp");
    let address: IpAddr = fields.nth(1)?.parse().ok()?;
    let port = fields.next()?.parse().ok()?;
    is_udp.then(|| SocketAddr::new(address, port))
}

/// The candidates as one text.
pub(super) fn list(candidates: &[SocketAddr]) -> String {
    if candidates.is_empty() {
        return "no address".to_owned();
    }
    let texts: Vec<_> = candidates.iter().map(SocketAddr::to_string).collect();
    texts.join(", ")
}

/// What may be the matter, as far as the addresses show it.
pub(super) fn hint(candidates: &[SocketAddr]) -> &'static str {
    let all = |is: fn(IpAddr) -> bool| candidates.iter().all(|candidate| is(candidate.ip()));
    if candidates.is_empty() {
        "the server's answer names none: it has to be told its public address"
    } else if all(|ip| ip.is_loopback()) {
        "that is an address of the server's own machine: if it is another than this one, the server has to be told its \
         public address; if it runs in a container here, its UDP port has to be published"
    } else if all(is_private) {
        "that is an address of a private network: the server has to be told its public address, to be reached from \
         outside"
    } else if all(|ip| ip.is_ipv6()) {
        "that is IPv6 only, which this network may not carry: the server needs an IPv4 address too"
    } else {
        "a firewall may be in the way: the server's UDP port has to be open, and this network has to let UDP out"
    }
}

/// Whether an address means nothing outside of its network (RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291), or no host at
/// all.
fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [first, second, ..] = ip.octets();
            let carrier = first == 100 && (64..128).contains(&second);
            ip.is_private() || ip.is_link_local() || ip.is_loopback() || ip.is_unspecified() || carrier
        }
        IpAddr::V6(ip) => {
            let local = ip.is_unique_local() || ip.is_unicast_link_local();
            local || ip.is_loopback() || ip == Ipv6Addr::UNSPECIFIED
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{candidates, hint, list};

    const ANSWER: &str = "v=0\r\n\
        a=ice-lite\r\n\
        a=candidate:1 1 udp 2130706431 203.0.113.7 14192 typ host\r\n\
        a=candidate:2 1 UDP 2130706430 2001:db8::1 14192 typ host generation 0\r\n\
        a=candidate:3 1 tcp 2130706429 203.0.113.7 9 typ host tcptype active\r\n\
        a=candidate:4 1 udp 2130706428 b2f1.local 14192 typ host\r\n\
        a=candidate:5 1 udp 1 203.0.113.7 99999 typ host\r\n\
        a=candidate:6\r\n\
        a=end-of-candidates\r\n";

    #[test]
    fn candidates_are_read_and_nonsense_is_left_out() {
        let (found, rest) = candidates(ANSWER);
        assert_eq!(list(&found), "203.0.113.7:14192, [2001:db8::1]:14192");
        let expected: String = { ANSWER.lines().take(4) }
            .chain(["a=end-of-candidates"])
            .map(|line| format!("{line}\r\n"))
            .collect();
        assert_eq!(rest, expected);
        assert_eq!(list(&candidates("v=0\r\n").0), "no address");
    }

    #[test]
    fn an_answer_with_many_candidates_is_cut() {
        let many: String = (0..1_000)
            .map(|port| format!("a=candidate:1 1 udp 1 203.0.113.7 {} typ host\r\n", port + 1))
            .collect();
        let (found, rest) = candidates(&many);
        assert_eq!((found.len(), rest.lines().count()), (8, 8));
        assert!(many.starts_with(&rest));
    }

    #[test]
    fn the_hint_fits_the_addresses() {
        let hint = |addresses: &[&str]| {
            let addresses: Vec<_> = addresses.iter().map(|address| address.parse().unwrap()).collect();
            hint(&addresses)
        };
        assert!(hint(&[]).contains("told its public address"));
        assert!(hint(&["127.0.0.1:1"]).contains("own machine"));
        assert!(hint(&["[::1]:1", "127.0.0.1:1"]).contains("own machine"));
        for private in ["10.0.0.1:1", "172.20.1.1:1", "192.168.1.1:1", "100.64.0.1:1", "169.254.1.1:1"] {
            assert!(hint(&[private]).contains("private network"), "{private}");
        }
        assert!(hint(&["[fd00::1]:1", "192.168.1.1:1"]).contains("private network"));
        assert!(hint(&["[2001:db8::1]:1"]).contains("IPv6 only"));
        assert!(hint(&["203.0.113.7:1"]).contains("firewall"));
        assert!(hint(&["192.168.1.1:1", "203.0.113.7:1"]).contains("firewall"));
        assert!(hint(&["100.128.0.1:1", "172.32.0.1:1"]).contains("firewall"));
    }
}
