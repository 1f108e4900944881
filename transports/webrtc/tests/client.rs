//! The native client against a server of another make, and against none.

mod client_support;

use std::time::{Duration, Instant as Clock};

use bowline_core::{ClientTransport, Instant, SocketConfig, Transport};
use bowline_webrtc::{ClientSocket, Destination, PeerAddress, Socket};

use client_support::Echo;

fn connect(destination: Destination) -> ClientSocket {
    Socket::new(destination, SocketConfig::default()).unwrap()
}

fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let started = Clock::now();
    while !done() {
        assert!(started.elapsed() < Duration::from_secs(15), "{what} did not happen");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn open(url: &str) -> ClientSocket {
    let socket = connect(Destination::new(url));
    wait_for("opening", || {
        assert!(socket.failure().is_none(), "{:?}", socket.failure());
        socket.is_open()
    });
    socket
}

#[test]
fn a_datagram_goes_there_and_back() {
    let echo = Echo::new();
    for _ in 0..20 {
        let started = Clock::now();
        let mut socket = open(&echo.http.url());
        println!("open after {:?}", started.elapsed());
        socket.send(Instant::ZERO, PeerAddress::SERVER, b"hello").unwrap();
        socket.flush(Instant::ZERO).unwrap();
        wait_for("the echo", || {
            socket.receive(Instant::ZERO).unwrap().is_some_and(|datagram| datagram.bytes == b"hello")
        });
    }
}
