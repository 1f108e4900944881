use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// From 1 byte to the largest, and around the sizes where headers and lengths change, both ways.
///
/// # Panics
/// If the rule is broken.
pub fn every_size_arrives_unchanged<B: Bench>(bench: B) {
    let mut stage = Stage::new(bench, 1);
    let largest = |max: usize| {
        let sizes = [1, 2, 3, 7, 8, 9, 63, 64, 65, 127, 128, 129, 255, 256, 257, 1_023, 1_024, 1_025];
        let mut sizes: Vec<_> = sizes.into_iter().filter(|size| *size < max).collect();
        sizes.extend([max - 1, max]);
        sizes
    };
    let to_server = stage.clients.first().map_or(0, Transport::max_datagram_size);
    let to_client = stage.server().max_datagram_size();
    for max in [to_server, to_client] {
        assert!(max >= SMALLEST_MAX_DATAGRAM, "max_datagram_size() is {max}: too small for a handshake");
    }
    let datagrams =
        |max| -> Vec<_> { largest(max).into_iter().map(|size| payload(SIZES, 0, size, size)).collect() };
    let address = stage.client_to_server(0, &datagrams(to_server));
    stage.server_to_client(0, address, &datagrams(to_client));
}

/// Many datagrams before one flush, of equal and of different sizes, to one peer and to several in turn: what
/// a transport may send in batches arrives one by one, each as often as it was sent.
///
/// # Panics
/// If the rule is broken.
pub fn a_burst_is_not_joined<B: Bench>(bench: B) {
    const CLIENTS: usize = 3;
    let mut stage = Stage::new(bench, CLIENTS);
    let addresses = stage.addresses();
    let max = stage.server().max_datagram_size();
    let sizes =
        [max, max, max, max, 300.min(max), 300.min(max), 40, 40, 40, 41, 40, max, 5, 5, 5, 6, max - 1];
    let datagrams: Vec<_> =
        sizes.iter().enumerate().map(|(number, size)| payload(BURST, 9, number, *size)).collect();

    for (client, address) in addresses.iter().enumerate() {
        stage.server_to_client(client, *address, &datagrams);
    }
    let turns: Vec<Vec<_>> = (0..CLIENTS)
        .map(|client| (0..16).map(|number| payload(BURST, client, number, 100)).collect())
        .collect();
    for number in 0..16 {
        for (datagrams, address) in turns.iter().zip(&addresses) {
            stage.server_sends(*address, &datagrams[number]);
        }
    }
    for ((client, address), datagrams) in addresses.iter().enumerate().zip(&turns) {
        if B::LOSSY {
            stage.server_to_client(client, *address, datagrams);
        }
        let there = stage.play_until(PATIENCE, |stage| {
            datagrams.iter().all(|datagram| stage.at_clients[client].contains(datagram))
        });
        assert!(there, "datagrams sent to several peers in turn did not all arrive");
    }
    if !B::LOSSY {
        stage.play_on();
        for inbox in &stage.at_clients {
            assert!(
                inbox.len() == datagrams.len() + 16,
                "{} of {} arrived",
                inbox.len(),
                datagrams.len() + 16
            );
        }
    }
    stage.client_to_server(0, &datagrams);
}

/// Eight clients have eight addresses, which do not change, and each receives what was sent to it and nothing
/// else.
///
/// # Panics
/// If the rule is broken.
pub fn peers_are_told_apart<B: Bench>(bench: B) {
    const CLIENTS: usize = 8;
    let mut stage = Stage::new(bench, CLIENTS);
    let addresses = stage.addresses();
    for round in 0..3 {
        for (client, address) in addresses.iter().enumerate() {
            stage.talk(client, *address, round);
        }
    }
    for (client, address) in addresses.iter().enumerate() {
        for (from, bytes) in &stage.at_server {
            let says = usize::from(bytes[1]);
            assert!((from == address) == (says == client), "{from} said what client {says} sent");
        }
        let inbox = &stage.at_clients[client];
        assert!(
            inbox.iter().all(|bytes| usize::from(bytes[1]) == client),
            "{address} heard what was not for it"
        );
    }
}

/// As long as nobody sends, nobody receives.
///
/// # Panics
/// If the rule is broken.
pub fn nothing_comes_from_nothing<B: Bench>(bench: B) {
    let mut stage = Stage::new(bench, 2);
    stage.play_on();
    assert!(stage.at_server.is_empty(), "a server received what nobody sent");
    assert!(stage.at_clients.iter().all(Vec::is_empty), "a client received what nobody sent");
}

/// An empty datagram may arrive or not, and whoever sends one may be told that it cannot.
///
/// # Panics
/// If the rule is broken.
pub fn an_empty_datagram_breaks_nothing<B: Bench>(bench: B) {
    let mut stage = Stage::new(bench, 2);
    let addresses = stage.addresses();
    let now = stage.bench.now();
    for client in &mut stage.clients {
        let _ = client.send(now, client.server_address(), &[]);
    }
    for address in &addresses {
        let _ = stage.server().send(now, *address, &[]);
    }
    for (client, address) in addresses.iter().enumerate() {
        stage.talk(client, *address, 1);
    }
}

/// A datagram that is too large is refused by `send`, with a kind that says so, and does no other harm.
///
/// # Panics
/// If the rule is broken.
pub fn too_large_is_refused<B: Bench>(bench: B) {
    fn refuse<T: Transport>(transport: &mut T, now: Instant, to: T::Address) {
        let max = transport.max_datagram_size();
        for size in [max + 1, max * 4, 70_000.max(max + 1)] {
            match transport.send(now, to, &vec![0xEE; size]) {
                Ok(()) => assert!(size == 0, "send took {size} bytes, and max_datagram_size() is {max}"),
                Err(error) => assert!(
                    error.kind() == TransportErrorKind::TooLarge,
                    "send refused {size} bytes as {:?} and not as TooLarge",
                    error.kind()
                ),
            }
        }
    }
    let mut stage = Stage::new(bench, 1);
    let address = stage.addresses()[0];
    let now = stage.bench.now();
    stage.client_sends(0, &payload(TALK, 0, 9, 30));
    for client in &mut stage.clients {
        refuse(client, now, client.server_address());
    }
    stage.server_sends(address, &payload(TALK, 0, 9, 30));
    refuse(stage.server(), now, address);
    stage.talk(0, address, 1);
    let all = stage.at_server.iter().map(|(_, bytes)| bytes).chain(&stage.at_clients[0]);
    assert!(
        { all }.all(|bytes| bytes[0] != 0xEE),
        "some of a datagram that was refused arrived all the same"
    );
}

/// Closing an address, twice too, leaves all others as they were.
///
/// # Panics
/// If the rule is broken.
pub fn closing_disturbs_nobody_else<B: Bench>(bench: B) {
    let mut stage = Stage::new(bench, 3);
    let addresses = stage.addresses();
    stage.server_sends(addresses[1], &payload(TALK, 1, 77, 30));
    stage.let_go = Some(0);
    stage.server().close(addresses[0]);
    stage.server().close(addresses[0]);
    for round in 1..4 {
        stage.talk(1, addresses[1], round);
        stage.talk(2, addresses[2], round);
    }
    if !B::LOSSY {
        let kept = stage.at_clients[1].contains(&payload(TALK, 1, 77, 30));
        assert!(kept, "closing one address threw away what waited for another");
    }
}

/// A client that begins anew is open again after a while, and can talk, and so can the others.
///
/// # Panics
/// If the rule is broken.
pub fn a_client_opens_again<B: Bench>(bench: B) {
    let mut stage = Stage::new(bench, 2);
    let addresses = stage.addresses();
    for round in 1..4 {
        stage.clients[0].reopen();
        let open = stage.play_until(PATIENCE, |stage| stage.clients[0].is_open());
        assert!(open, "a client did not open again");
        let from = stage.client_to_server(0, &[payload(HELLO, 0, round, 20)]);
        stage.server_to_client(0, from, &[payload(HELLO, 0, round, 21)]);
        stage.talk(1, addresses[1], round);
    }
}

/// A peer that is gone is nothing more than silence: sending to it may fail, and all else goes on.
///
/// # Panics
/// If the rule is broken.
pub fn a_vanished_peer_is_silence<B: Bench>(bench: B) {
    let mut stage = Stage::new(bench, 3);
    let addresses = stage.addresses();
    // The last one, so that the others keep their places.
    drop(stage.clients.pop());
    stage.at_clients.pop();
    for round in 1..10 {
        let now = stage.bench.now();
        let gone = stage.server().send(now, addresses[2], &payload(TALK, 2, round, 30));
        if let Err(error) = gone {
            assert!(
                error.kind() != TransportErrorKind::Closed,
                "one peer is gone, and the server has closed"
            );
        }
        stage.talk(0, addresses[0], round);
        stage.talk(1, addresses[1], round);
    }
}

/// A client whose server is gone may see errors, or its transport close; nothing panics, and nothing arrives.
///
/// # Panics
/// If the rule is broken.
pub fn a_vanished_server_breaks_nothing<B: Bench>(bench: B) {
    let mut stage = Stage::new(bench, 1);
    stage.addresses();
    stage.server = None;
    for round in 0..QUIET {
        let now = stage.bench.now();
        for client in &mut stage.clients {
            let _ = client.send(now, client.server_address(), &payload(TALK, 0, round, 30));
        }
        stage.play();
    }
}

/// Far more than anybody should hold, sent while nobody receives, and then everything works as before.
///
/// # Panics
/// If the rule is broken.
pub fn a_flood_is_bounded<B: Bench>(bench: B) {
    let mut stage = Stage::new(bench, 2);
    let addresses = stage.addresses();
    let size = stage.clients.first().map_or(1, Transport::max_datagram_size);
    let datagram = payload(FLOOD, 0, 0, size);
    let mut held = 0;
    for _ in 0..FLOOD_BYTES / size {
        let now = stage.bench.now();
        let Some(client) = stage.clients.first_mut() else { return };
        if let Err(error) = client.send(now, client.server_address(), &datagram) {
            assert!(error.kind() != TransportErrorKind::Closed, "a flood closed the transport that made it");
        }
    }
    let started = stage.bench.now();
    for _ in 0..*RETRY.end() / 2 {
        let now = stage.bench.now();
        if let Some(client) = stage.clients.first_mut() {
            let _ = client.flush(now);
        }
        drain(stage.server(), now, |_, bytes| held += bytes.len());
        stage.bench.wait();
    }
    assert!(stage.bench.now() > started, "the bench lets no time pass");
    assert!(held <= MOST_HELD_BYTES, "{held} bytes of a flood were kept");
    stage.talk(0, addresses[0], 1);
    stage.talk(1, addresses[1], 1);
}

/// What a transport says about itself and its addresses does not change.
///
/// # Panics
/// If the rule is broken.
pub fn facts_are_stable<B: Bench>(bench: B) {
    let mut stage = Stage::new(bench, 2);
    let addresses = stage.addresses();
    let facts = |stage: &mut Stage<B>| {
        let server = stage.server();
        let of_server: Vec<_> = addresses
            .iter()
            .map(|address| (server.name(*address), server.security(*address), server.max_datagram_size()))
            .collect();
        let of_clients: Vec<_> = stage
            .clients
            .iter()
            .map(|client| {
                let address = client.server_address();
                (client.name(address), client.security(address), client.max_datagram_size())
            })
            .collect();
        (of_server, of_clients)
    };
    let before = facts(&mut stage);
    for round in 0..5 {
        stage.talk(0, addresses[0], round);
        stage.talk(1, addresses[1], round);
    }
    let after = facts(&mut stage);
    assert!(before == after, "name, security or max_datagram_size changed: {before:?}, then {after:?}");
    let names = before.0.iter().chain(&before.1).map(|(name, ..)| *name);
    assert!({ names }.all(|name| !name.is_empty()), "a transport has no name");
}

/// Once everything that is due has been received and flushed, the next deadline lies ahead.
///
/// # Panics
/// If the rule is broken.
pub fn deadlines_are_ahead<B: Bench>(bench: B) {
    fn look<T: Transport>(transport: &T, now: Instant) {
        if let Some(deadline) = transport.next_deadline() {
            assert!(deadline > now, "everything was served at {now:?}, and next_deadline() is {deadline:?}");
        }
    }
    let mut stage = Stage::new(bench, 1);
    let address = stage.addresses()[0];
    for round in 0..20 {
        stage.client_sends(0, &payload(TALK, 0, round, 20));
        stage.server_sends(address, &payload(TALK, 0, round, 20));
        let now = stage.bench.now();
        let server = stage.server();
        drain(server, now, |_, _| ());
        look(server, now);
        for client in &mut stage.clients {
            drain(client, now, |_, _| ());
            look(client, now);
        }
        stage.bench.wait();
    }
}

/// For transports that wake a task, besides the suite: one that waits for a datagram is woken by it.
///
/// Call it within whatever the transport needs to wake anybody: a runtime, with other threads to drive it.
///
/// # Panics
/// If the rule is broken.
pub fn a_sleeper_is_woken<B: Bench<Server: Readiness>>(bench: B) {
    #[derive(Default)]
    struct Bell(AtomicUsize);

    impl Wake for Bell {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    let mut stage = Stage::new(bench, 1);
    stage.addresses();
    for round in 0..20 {
        let bell = Arc::new(Bell::default());
        let waker = Waker::from(bell.clone());
        let mut cx = Context::from_waker(&waker);
        let mut asleep = false;
        for _ in 0..PATIENCE {
            let now = stage.bench.now();
            drain(stage.server(), now, |_, _| ());
            asleep = stage.server().poll_readable(&mut cx) == Poll::Pending;
            if asleep {
                break;
            }
            stage.bench.wait();
        }
        assert!(asleep, "poll_readable is ready though nothing arrives");
        let before = bell.0.load(Ordering::SeqCst);
        let expected = payload(TALK, 0, round, 30);
        let mut arrived = false;
        for attempt in 0..PATIENCE {
            if attempt % RETRY.end() == 0 && (attempt == 0 || B::LOSSY) {
                stage.client_sends(0, &expected);
            }
            let now = stage.bench.now();
            for client in &mut stage.clients {
                drain(client, now, |_, _| ());
            }
            // A woken task receives, and so does one whose deadline has come.
            let deadline = stage.server().next_deadline().is_some_and(|deadline| deadline <= now);
            if bell.0.load(Ordering::SeqCst) > before || deadline {
                drain(stage.server(), now, |_, bytes| arrived |= bytes == expected);
                let _ = stage.server().poll_readable(&mut cx);
            }
            if arrived {
                break;
            }
            stage.bench.wait();
        }
        assert!(arrived, "a datagram arrived and the task that waited for it was not woken");
    }
}
