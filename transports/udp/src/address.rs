use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

/// One spelling for each address: IPv4 as IPv4, also where an IPv6 socket saw it, and no flow label, which
/// may differ from datagram to datagram.
pub(crate) fn normalised(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(_) => address,
        SocketAddr::V6(v6) => match v6.ip().to_ipv4_mapped() {
            Some(v4) => SocketAddr::from((v4, v6.port())),
            None => SocketAddr::V6(SocketAddrV6::new(*v6.ip(), v6.port(), 0, v6.scope_id())),
        },
    }
}

/// How an IPv6 socket spells an address.
pub(crate) fn mapped(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(v4) => SocketAddr::from((v4.ip().to_ipv6_mapped(), v4.port())),
        SocketAddr::V6(_) => address,
    }
}

/// Whether one peer can be there. What says it comes from anywhere else is forged.
///
/// This is more than tidiness: an answer to port 0 makes the system call fail in the way that
/// an old network driver does, and `quinn-udp` would stop to send in batches, for everybody and for good.
pub(crate) fn is_plausible(address: SocketAddr) -> bool {
    let ip = address.ip();
    address.port() != 0 && !ip.is_unspecified() && !ip.is_multicast() && ip != IpAddr::V4(Ipv4Addr::BROADCAST)
}

/// Whether others than this machine can reach it.
pub(crate) fn is_public(address: SocketAddr) -> bool {
    !address.ip().to_canonical().is_loopback()
}

/// What a client means by the address of a server: "any" is what servers bind to, and means this machine.
pub(crate) fn of_server(address: SocketAddr) -> SocketAddr {
    match normalised(address) {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => SocketAddr::from((Ipv4Addr::LOCALHOST, v4.port())),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => SocketAddr::from((Ipv6Addr::LOCALHOST, v6.port())),
        address => address,
    }
}

/// Where a client's socket is bound: any port of the family of the server, and this machine alone if the
/// server is on it.
pub(crate) fn of_client(server: SocketAddr) -> SocketAddr {
    let ip: IpAddr = match (server.is_ipv4(), is_public(server)) {
        (true, true) => Ipv4Addr::UNSPECIFIED.into(),
        (true, false) => Ipv4Addr::LOCALHOST.into(),
        (false, true) => Ipv6Addr::UNSPECIFIED.into(),
        (false, false) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_has_one_spelling() {
        assert_eq!(normalised(address("[::ffff:192.0.2.1]:7")), address("192.0.2.1:7"));
        assert_eq!(normalised(address("192.0.2.1:7")), address("192.0.2.1:7"));
        let labelled = SocketAddr::V6(SocketAddrV6::new("fe80::1".parse().unwrap(), 7, 99, 3));
        assert_eq!(
            normalised(labelled),
            SocketAddr::V6(SocketAddrV6::new("fe80::1".parse().unwrap(), 7, 0, 3))
        );
        assert_eq!(mapped(address("192.0.2.1:7")), address("[::ffff:192.0.2.1]:7"));
        assert_eq!(normalised(mapped(address("192.0.2.1:7"))), address("192.0.2.1:7"));
    }

    #[test]
    fn forged_senders_are_seen() {
        for forged in
            ["192.0.2.1:0", "0.0.0.0:7", "[::]:7", "224.0.0.1:7", "[ff02::1]:7", "255.255.255.255:7"]
        {
            assert!(!is_plausible(address(forged)), "{forged}");
        }
        for fine in ["192.0.2.1:1", "127.0.0.1:7", "[::1]:7", "[2001:db8::1]:65535"] {
            assert!(is_plausible(address(fine)), "{fine}");
        }
    }

    #[test]
    fn only_loopback_is_private() {
        for private in ["127.0.0.1:7", "127.9.9.9:7", "[::1]:7", "[::ffff:127.0.0.1]:7"] {
            assert!(!is_public(address(private)), "{private}");
        }
        for public in
            ["0.0.0.0:7", "[::]:7", "192.168.0.1:7", "10.0.0.1:7", "[fe80::1]:7", "[::ffff:8.8.8.8]:7"]
        {
            assert!(is_public(address(public)), "{public}");
        }
    }

    #[test]
    fn any_address_of_a_server_means_this_machine() {
        assert_eq!(of_server(address("0.0.0.0:7")), address("127.0.0.1:7"));
        assert_eq!(of_server(address("[::]:7")), address("[::1]:7"));
        assert_eq!(of_server(address("[::ffff:192.0.2.1]:7")), address("192.0.2.1:7"));
        assert_eq!(of_client(address("192.0.2.1:7")), address("0.0.0.0:0"));
        assert_eq!(of_client(address("127.0.0.1:7")), address("127.0.0.1:0"));
        assert_eq!(of_client(address("[2001:db8::1]:7")), address("[::]:0"));
    }
}
