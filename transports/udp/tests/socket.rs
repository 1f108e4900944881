//! What is particular to UDP.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant as StdInstant};

use bowline_core::{
    ClientTransport, Instant, Security, SocketConfig, Transport, TransportError, TransportErrorKind,
};
use bowline_udp::{BindError, ClientSocket, ConnectError, Error, Socket};

const NOW: Instant = Instant::ZERO;
const ANY: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

fn server() -> Socket {
    Socket::bind(ANY, SocketConfig::default()).unwrap()
}

fn client(server: &Socket) -> ClientSocket {
    ClientSocket::connect_to(server.local_address(), SocketConfig::default()).unwrap()
}

/// Asks again and again, for a second.
fn patiently<R>(mut ask: impl FnMut() -> Option<R>) -> Option<R> {
    let started = StdInstant::now();
    while started.elapsed() < Duration::from_secs(1) {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    None
}

fn receive<T: Transport<Error = Error>>(transport: &mut T) -> Option<(T::Address, Vec<u8>)> {
    patiently(|| transport.receive(NOW).unwrap().map(|datagram| (datagram.from, datagram.bytes.to_vec())))
}

#[test]
fn an_address_that_others_can_reach_is_refused_unless_allowed() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let refused = Socket::bind(address, SocketConfig::default()).unwrap_err();
        assert!(matches!(refused, BindError::PlaintextOnPublicAddress { .. }), "{refused}");
        assert!(refused.to_string().contains("allow_plaintext_on_public_address"));
    }
    let mut config = SocketConfig::default();
    config.allow_plaintext_on_public_address = true;
    Socket::bind("0.0.0.0:0", config).unwrap();
}

#[test]
fn errors_of_binding_say_what_to_do() {
    let taken = server().local_address();
    let holder = UdpSocket::bind(taken).unwrap();
    let error = Socket::bind(taken, SocketConfig::default()).unwrap_err();
    assert!(error.to_string().contains(&taken.to_string()) && error.to_string().contains("taken"), "{error}");
    drop(holder);
    let error = Socket::bind("127.0.0.1", SocketConfig::default()).unwrap_err();
    assert!(matches!(error, BindError::NoAddress(_)), "{error}");
    let error = ClientSocket::connect_to("127.0.0.1:0", SocketConfig::default()).unwrap_err();
    assert!(matches!(error, ConnectError::PortZero), "{error}");
}

#[test]
fn nothing_is_vouched_for() {
    let server = server();
    assert_eq!(server.security(server.local_address()), Security::NONE);
    assert_eq!(server.name(server.local_address()), "udp");
}

#[test]
fn a_socket_of_both_families_shows_ipv4_as_ipv4() {
    let mut config = SocketConfig::default();
    config.allow_plaintext_on_public_address = true;
    let mut server = Socket::bind("[::]:0", config).unwrap();
    let port = server.local_address().port();
    for address in ["127.0.0.1", "::1"] {
        let address = SocketAddr::new(address.parse().unwrap(), port);
        let mut client = ClientSocket::connect_to(address, SocketConfig::default()).unwrap();
        client.send(NOW, address, b"ahoy").unwrap();
        client.flush(NOW).unwrap();
        let (from, _) = receive(&mut server).unwrap();
        assert_eq!(from, client.local_address());
        server.send(NOW, from, b"aye").unwrap();
        server.flush(NOW).unwrap();
        assert_eq!(receive(&mut client), Some((address, b"aye".to_vec())));
    }
}

#[test]
fn a_client_reaches_a_server_that_is_bound_to_any_address() {
    let mut config = SocketConfig::default();
    config.allow_plaintext_on_public_address = true;
    let mut server = Socket::bind("0.0.0.0:0", config).unwrap();
    let mut client = client(&server);
    client.send(NOW, client.server_address(), b"ahoy").unwrap();
    client.flush(NOW).unwrap();
    let (from, _) = receive(&mut server).unwrap();
    server.send(NOW, from, b"aye").unwrap();
    server.flush(NOW).unwrap();
    assert_eq!(receive(&mut client).unwrap().1, b"aye");
}

#[test]
fn strangers_are_not_heard() {
    let mut server = server();
    let mut client = client(&server);
    let stranger = UdpSocket::bind(ANY).unwrap();
    stranger.send_to(b"psst", client.local_address()).unwrap();
    server.send(NOW, client.local_address(), b"aye").unwrap();
    server.flush(NOW).unwrap();
    assert_eq!(receive(&mut client).unwrap().1, b"aye");
    assert_eq!((client.statistics().strangers, client.statistics().received), (1, 1));
}

#[test]
fn what_is_larger_than_we_send_is_received_whole() {
    let mut server = server();
    let peer = UdpSocket::bind(ANY).unwrap();
    for size in [0, 1, 1_472, 9_000, 65_507] {
        peer.send_to(&vec![7; size], server.local_address()).unwrap();
        assert_eq!(receive(&mut server).unwrap().1, vec![7; size]);
    }
}

#[test]
fn addresses_that_no_peer_can_have_are_refused_and_do_no_harm() {
    let mut server = server();
    let mut client = client(&server);
    for nobody in ["127.0.0.1:0", "0.0.0.0:9", "224.0.0.1:9", "255.255.255.255:9", "[::1]:9"] {
        let error = server.send(NOW, nobody.parse().unwrap(), b"anybody?").unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Unreachable, "{error}");
    }
    assert_eq!(server.statistics().lost_no_route, 5);
    for number in 0..10 {
        server.send(NOW, client.local_address(), &[number; 100]).unwrap();
    }
    server.flush(NOW).unwrap();
    assert!((0..10).all(|number| receive(&mut client).unwrap().1 == [number; 100]));
}

#[test]
#[cfg(target_os = "linux")]
fn a_batch_is_one_system_call() {
    let mut server = server();
    let mut client = client(&server);
    for number in 0..40 {
        client.send(NOW, client.server_address(), &[number; 1_000]).unwrap();
    }
    client.flush(NOW).unwrap();
    for number in 0..40 {
        assert_eq!(receive(&mut server).unwrap().1, [number; 1_000]);
    }
    let (sent, received) = (client.statistics(), server.statistics());
    assert_eq!((sent.sent, sent.sent_bytes, sent.send_calls), (40, 40_000, 1));
    assert_eq!((received.received, received.received_bytes), (40, 40_000));
    assert!(received.receive_calls < 40, "{received:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_client_is_told_that_nobody_is_there_and_goes_on() {
    let address = server().local_address();
    let mut client = ClientSocket::connect_to(address, SocketConfig::default()).unwrap();
    client.send(NOW, address, b"anybody?").unwrap();
    client.flush(NOW).unwrap();
    let error = patiently(|| client.receive(NOW).err()).expect("no ICMP message came");
    assert_eq!(error.kind(), TransportErrorKind::Unreachable, "{error}");
    assert!(client.receive(NOW).unwrap().is_none(), "one message, one error");

    // The message about one datagram comes out of the call that sends the next, which arrives all the same.
    client.send(NOW, address, b"anybody?").unwrap();
    client.flush(NOW).unwrap();
    std::thread::sleep(Duration::from_millis(20));
    let mut server = Socket::bind(address, SocketConfig::default()).unwrap();
    client.send(NOW, address, b"ahoy").unwrap();
    client.flush(NOW).unwrap();
    assert_eq!(receive(&mut server).unwrap().1, b"ahoy");
    assert_eq!(client.statistics().nobody_there, 2);
}

#[test]
#[cfg(target_os = "linux")]
fn a_datagram_too_large_for_the_network_is_lost_alone() {
    let mut config = SocketConfig::default();
    config.max_datagram_size = usize::MAX;
    let mut server = Socket::bind("[::1]:0", config.clone()).unwrap();
    let mut client = ClientSocket::connect_to(server.local_address(), config).unwrap();
    let to = client.server_address();
    assert_eq!(client.max_datagram_size(), 65_507, "what IPv4 can carry");
    // The loopback interface takes 64 KiB, headers of 48 bytes included.
    client.send(NOW, to, &[0; 65_500]).unwrap();
    client.send(NOW, to, b"ahoy").unwrap();
    let error = client.flush(NOW).unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::TooLarge, "{error}");
    assert_eq!(receive(&mut server).unwrap().1, b"ahoy");
    assert_eq!((client.statistics().lost_too_large, client.statistics().sent), (1, 1));
}

#[cfg(feature = "tokio")]
mod readiness {
    use std::future::poll_fn;

    use bowline_core::Readiness;

    use super::*;

    #[tokio::test]
    async fn a_task_sleeps_until_a_datagram_arrives() {
        let mut server = server();
        let mut client = client(&server);
        for round in 0..50_u8 {
            assert!(server.receive(NOW).unwrap().is_none());
            let early =
                tokio::time::timeout(Duration::from_millis(2), poll_fn(|cx| server.poll_readable(cx)));
            assert!(early.await.is_err(), "nothing has been sent in round {round}");
            client.send(NOW, client.server_address(), &[round]).unwrap();
            client.flush(NOW).unwrap();
            let in_time =
                tokio::time::timeout(Duration::from_secs(5), poll_fn(|cx| server.poll_readable(cx)));
            in_time.await.expect("the task was not woken");
            assert_eq!(server.receive(NOW).unwrap().unwrap().bytes, [round]);
        }
    }

    #[tokio::test]
    async fn a_loop_that_never_yields_receives_all_the_same() {
        let mut server = server();
        let mut client = client(&server);
        let never = tokio::time::timeout(Duration::from_millis(1), poll_fn(|cx| server.poll_readable(cx)));
        assert!(never.await.is_err());
        client.send(NOW, client.server_address(), b"ahoy").unwrap();
        client.flush(NOW).unwrap();
        // Blocks the only thread of the runtime.
        assert_eq!(receive(&mut server).unwrap().1, b"ahoy");
    }

    #[test]
    fn without_a_runtime_a_socket_is_always_ready() {
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(server().poll_readable(&mut cx).is_ready());
    }
}
