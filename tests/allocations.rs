//! What the heap sees: nothing for strangers, nothing in a steady tick, nothing left after a connection.
//!
//! Every allocation of the test's own thread is counted (`allocation-counter` is the allocator of this program), so
//! these tests run side by side, each with its server and its clients on one thread.

use std::time::Duration;

use allocation_counter::{AllocationInfo, measure};
use bowline::prelude::*;
use bowline::transport::{Datagram, Security, Transport, local, udp};
use bowline::{Instant, ManualClock, SeededEntropy};
use bowline_tests::rig::{
    Arena, ArenaMessage, Facts, Helm, Hundred, LocalServer, Looks, Moves, Settings, Steer, Table, Talk, login,
};

const STEER: Steer = Steer { turn: 0.5 };
const HUNDRED: Hundred = Hundred { bytes: [7; 100] };

/// Everybody says something to everybody, on every mode of channel, one tick long. Gives how many messages arrived.
fn busy_tick(table: &mut Table) -> usize {
    let mut arrived = 0;
    let count = std::cell::Cell::new(0);
    let answer = |server: &mut LocalServer, event| match event {
        ServerEvent::Message(user, message) => {
            count.set(count.get() + 1);
            if let ArenaMessage::Hundred(hundred) = message {
                server.send_to::<Talk>(user, hundred).unwrap();
            }
        }
        ServerEvent::Input { .. } => count.set(count.get() + 1),
        ServerEvent::Tick(_) => {
            server
                .broadcast::<Moves>(Audience::all(), STEER, |user, error| panic!("{user}: {error}"))
                .unwrap();
            server
                .broadcast::<Looks>(Audience::all(), STEER, |user, error| panic!("{user}: {error}"))
                .unwrap();
        }
        event => panic!("{event:?}"),
    };
    table.turn(answer, |_, event| match event {
        ClientEvent::Message(_) => arrived += 1,
        ClientEvent::Tick(_) => {}
        event => panic!("{event:?}"),
    });
    for client in &mut table.clients {
        let mut connected = client.connected().unwrap();
        connected.send::<Talk>(HUNDRED).unwrap();
        connected.send::<Talk>(STEER).unwrap();
        connected.send::<Moves>(STEER).unwrap();
        connected.send::<Looks>(HUNDRED).unwrap();
        connected.send::<Facts>(STEER).unwrap();
        connected.send::<Settings>(STEER).unwrap();
        connected.send::<Helm>(STEER).unwrap();
        client.send();
    }
    arrived + count.get()
}

#[test]
fn a_steady_tick_with_100_clients_allocates_nothing() {
    const CLIENTS: usize = 100;
    const TICKS: usize = 200;
    for security in [Security::NONE, Security::FULL] {
        let mut table = Table::connected(CLIENTS, security);
        for _ in 0..TICKS {
            busy_tick(&mut table);
        }
        let mut arrived = 0;
        let seen = measure(|| {
            for _ in 0..TICKS {
                arrived += busy_tick(&mut table);
            }
        });
        // Seven a client to the server, and four back: two broadcasts, and an answer to each hundred bytes.
        assert_eq!(arrived, 11 * CLIENTS * TICKS);
        assert_eq!((seen.count_total, seen.bytes_total), (0, 0), "{seen:?} in {TICKS} ticks");
    }
}

#[test]
fn an_idle_tick_with_100_clients_allocates_nothing() {
    let mut table = Table::connected(100, Security::NONE);
    let idle = |table: &mut Table| {
        table.turn(
            |_, event| assert!(matches!(event, ServerEvent::Tick(_)), "{event:?}"),
            |_, event| assert!(matches!(event, ClientEvent::Tick(_)), "{event:?}"),
        );
    };
    (0..400).for_each(|_| idle(&mut table));
    let seen = measure(|| (0..400).for_each(|_| idle(&mut table)));
    assert_eq!((seen.count_total, seen.bytes_total), (0, 0), "{seen:?}");
}

/// A socket that hears the same datagram from one address after another, and forgets what it is to send.
struct Crowd {
    datagram: Vec<u8>,
    next: u64,
    /// How many are still to be heard before the next pause.
    left: u64,
    answers: u64,
    answer_bytes: usize,
}

impl Transport for Crowd {
    type Address = u64;
    type Error = std::convert::Infallible;

    fn receive(&mut self, _: Instant) -> Result<Option<Datagram<'_, u64>>, Self::Error> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        self.next += 1;
        Ok(Some(Datagram { from: self.next, bytes: &self.datagram }))
    }

    fn send(&mut self, _: Instant, _: u64, datagram: &[u8]) -> Result<(), Self::Error> {
        self.answers += 1;
        self.answer_bytes = self.answer_bytes.max(datagram.len());
        Ok(())
    }

    fn flush(&mut self, _: Instant) -> Result<(), Self::Error> {
        Ok(())
    }

    fn max_datagram_size(&self) -> usize {
        1_200
    }

    fn security(&self, _: u64) -> Security {
        Security::NONE
    }

    fn name(&self, _: u64) -> &'static str {
        "crowd"
    }

    fn close(&mut self, _: u64) {}
}

/// What a client over UDP says first.
fn hello() -> Vec<u8> {
    let listener = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut client = Client::<Arena, _>::new(ClientConfig::default());
    let there = listener.local_addr().unwrap();
    client
        .connect(udp::ClientSocket::connect_to(there, client.socket_config()).unwrap(), login("anna"))
        .unwrap();
    let mut hello = vec![0; 2_000];
    let len = listener.recv(&mut hello).unwrap();
    hello.truncate(len);
    hello
}

#[test]
fn b1_spoofed_hellos_from_100_000_addresses_leave_no_byte() {
    const A_TURN: u64 = 1_000;
    const TURNS: u64 = 100;
    let clock = ManualClock::new();
    let mut server: Server<Arena, Crowd, _> =
        Server::with_host(ServerConfig::default(), (clock.clone(), SeededEntropy::new(1)));
    server.listen(Crowd { datagram: hello(), next: 0, left: 0, answers: 0, answer_bytes: 0 });
    let mut flood = |turns| {
        for _ in 0..turns {
            clock.advance(Duration::from_millis(50));
            server.transport_mut().unwrap().left = A_TURN;
            server.receive();
            while let Some(event) = server.next_event() {
                assert!(matches!(event, ServerEvent::Tick(_)), "{event:?}");
            }
            server.send();
        }
        let crowd = server.transport_mut().unwrap();
        (crowd.answers, crowd.answer_bytes, crowd.datagram.len())
    };
    // What a turn's answers wait in is kept for the next.
    flood(1);
    let mut outcome = (0, 0, 0);
    let seen = measure(|| outcome = flood(TURNS));
    let (answers, largest, hello) = outcome;
    assert_eq!(answers, A_TURN * (TURNS + 1), "everybody is answered");
    assert!(largest <= hello, "{largest} bytes in answer to {hello}");
    assert_eq!((seen.bytes_current, seen.count_current), (0, 0), "{seen:?}");
    println!("{seen:?}");
}

/// The heap's growth over many connections, from come to gone: first as many as warm everything up, then those that
/// count. `cycle` lets so much time pass that a session is forgotten now and then.
fn growth(mut cycle: impl FnMut()) -> AllocationInfo {
    (0..1_100).for_each(|_| cycle());
    measure(|| (0..1_000).for_each(|_| cycle()))
}

#[test]
fn a8_1_000_connections_leave_the_heap_where_it_was() {
    for security in [Security::NONE, Security::FULL] {
        let mut table = Table::new(1, security);
        let seen = growth(|| {
            table.connect(0);
            let mut is_out = false;
            for _ in 0..8 {
                table.turn(
                    |server, event| {
                        if let ServerEvent::Connected(user) = event {
                            server.send_to::<Talk>(user, HUNDRED).unwrap();
                        }
                    },
                    |client, event| match event {
                        ClientEvent::Connected => client.connected().unwrap().send::<Talk>(STEER).unwrap(),
                        ClientEvent::Message(_) => client.disconnect(),
                        ClientEvent::Disconnected(_) => is_out = true,
                        event => panic!("{event:?}"),
                    },
                );
            }
            assert!(is_out && table.server.user_count() == 0);
            table.clock.advance(Duration::from_secs(11));
            table.turn(|_, _| (), |_, _| ());
        });
        assert_eq!((seen.bytes_current, seen.count_current), (0, 0), "{seen:?}");
    }
}

#[test]
fn a8_1_000_connections_over_udp_leave_the_heap_where_it_was() {
    // Real sockets, and a time that only we move: what a server remembers of a session for ten seconds is forgotten
    // without waiting for it.
    let clock = ManualClock::new();
    let host = |seed| (clock.clone(), SeededEntropy::new(seed));
    let mut server = Server::<Arena, udp::Socket, _>::with_host(ServerConfig::default(), host(1));
    server.listen(udp::Socket::bind("127.0.0.1:0", server.socket_config()).unwrap());
    let address = server.transport_mut().unwrap().local_address();
    let mut client = Client::<Arena, udp::ClientSocket, _>::with_host(ClientConfig::default(), host(2));
    let socket = udp::ClientSocket::connect_to(address, client.socket_config()).unwrap();
    client.connect(socket, login("anna")).unwrap();
    let seen = growth(|| {
        let _ = client.reconnect();
        let (mut is_out, mut was_in) = (false, false);
        for turn in 0.. {
            assert!(turn < 100_000, "connected {was_in}, out {is_out}");
            server.receive();
            while let Some(event) = server.next_event() {
                match event {
                    ServerEvent::AuthRequested(ticket) => ticket.accept(),
                    ServerEvent::Disconnected(_) => is_out = true,
                    _ => {}
                }
            }
            server.send();
            client.receive();
            while let Some(event) = client.next_event() {
                if matches!(event, ClientEvent::Connected) {
                    was_in = true;
                    client.disconnect();
                }
            }
            client.send();
            if is_out {
                break;
            }
            clock.advance(Duration::from_millis(1));
        }
        clock.advance(Duration::from_secs(11));
        server.receive();
        while server.next_event().is_some() {}
        server.send();
        client.receive();
    });
    assert_eq!(server.user_count(), 0);
    assert_eq!((seen.bytes_current, seen.count_current), (0, 0), "{seen:?}");
}

#[test]
fn the_counter_counts() {
    let seen = measure(|| drop(std::hint::black_box(vec![1_u8; 100])));
    assert_eq!((seen.count_total, seen.bytes_total, seen.bytes_current), (1, 100, 0));
    let hub = local::Hub::new();
    let mut kept = Vec::new();
    let seen = measure(|| kept.push(hub.clone()));
    assert!(seen.bytes_current > 0, "{seen:?}");
}
