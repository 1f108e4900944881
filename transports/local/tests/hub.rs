//! What is particular to queues within a process.

use bowline_core::{ClientTransport, Instant, SocketConfig, Transport, TransportError, TransportErrorKind};
use bowline_local::{Address, Hub, ListenError};

const NOW: Instant = Instant::ZERO;

#[test]
fn a_server_can_be_started_again() {
    let hub = Hub::new();
    let server = hub.server(SocketConfig::default()).unwrap();
    let mut client = hub.client(SocketConfig::default());
    client.send(NOW, Address::SERVER, b"to the first").unwrap();
    assert_eq!(hub.server(SocketConfig::default()).unwrap_err(), ListenError::AddressInUse);
    drop(server);
    client.send(NOW, Address::SERVER, b"to nobody").unwrap();

    let mut server = hub.server(SocketConfig::default()).unwrap();
    client.send(NOW, Address::SERVER, b"to the second").unwrap();
    let datagram = server.receive(NOW).unwrap().unwrap();
    assert_eq!((datagram.from, datagram.bytes), (client.address(), &b"to the second"[..]));
    assert!(server.receive(NOW).unwrap().is_none());
}

#[test]
fn a_client_that_is_gone_is_never_replaced() {
    let hub = Hub::new();
    let mut server = hub.server(SocketConfig::default()).unwrap();
    let gone = hub.client(SocketConfig::default()).address();
    server.send(NOW, gone, b"anybody there?").unwrap();
    let mut next = hub.client(SocketConfig::default());
    assert_ne!(next.address(), gone);
    assert!(next.receive(NOW).unwrap().is_none());
    assert_eq!(format!("{hub:?}"), "{Address(0), Address(2)}", "nothing is kept for the one that is gone");
}

#[test]
fn a_full_queue_is_told_to_the_sender() {
    let hub = Hub::new();
    let mut config = SocketConfig::default();
    config.receive_buffer_size = 4_000;
    let mut server = hub.server(config).unwrap();
    let mut client = hub.client(SocketConfig::default());
    let sent = (0..10).take_while(|_| client.send(NOW, client.server_address(), &[0; 968]).is_ok()).count();
    assert_eq!(sent, 4);
    let full = client.send(NOW, client.server_address(), &[0; 968]).unwrap_err();
    assert_eq!(full.kind(), TransportErrorKind::Busy);
    assert!(full.to_string().contains("local:0"));
    while server.receive(NOW).unwrap().is_some() {}
    client.send(NOW, client.server_address(), &[0; 968]).unwrap();
}

#[test]
fn addresses_read_well() {
    let hub = Hub::new();
    let addresses: Vec<_> =
        (0..3).map(|_| hub.client(SocketConfig::default()).address().to_string()).collect();
    assert_eq!(addresses, ["local:1", "local:2", "local:3"]);
    assert_eq!(Address::SERVER.to_string(), "local:0");
}

#[test]
fn sockets_work_on_threads_of_their_own() {
    let hub = Hub::new();
    let mut server = hub.server(SocketConfig::default()).unwrap();
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let mut client = hub.client(SocketConfig::default());
            std::thread::spawn(move || {
                for number in 0..200_u32 {
                    client.send(NOW, client.server_address(), &number.to_le_bytes()).unwrap();
                }
                client.address()
            })
        })
        .collect();
    let mut expected: Vec<_> = clients.into_iter().map(|client| (client.join().unwrap(), 0_u32)).collect();
    while let Some(datagram) = server.receive(NOW).unwrap() {
        let next = expected.iter_mut().find(|(address, _)| *address == datagram.from).unwrap();
        assert_eq!(datagram.bytes, next.1.to_le_bytes());
        next.1 += 1;
    }
    assert!(expected.iter().all(|(_, count)| *count == 200));
}
