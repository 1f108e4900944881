//! What every transport must do, as a test suite: [`transport_conformance!`](crate::transport_conformance).
//!
//! Write a [`Bench`], which makes sockets and lets time pass, and hand it to the macro. It works for queues
//! that stand still until a clock is moved, and for real sockets. Each check is a function here as well, so
//! that one of them can be run by itself, and [`check_all`] runs all of them in a row.
//!
//! A check panics with a sentence that says which rule was broken. Where a transport
//! [loses datagrams](Bench::LOSSY), checks send again and again until one is through.
//!
//! What the suite asks for, beyond the words of [`Transport`]:
//!
//! * Datagrams of 1 byte up to `max_datagram_size` arrive as they were sent. An **empty** one may arrive or
//!   not.
//! * `send` itself refuses what is too large; it is not left to `flush`.
//! * A peer that has gone is silence or an error of a kind other than `Closed`. Only the transport of a
//!   client may close, when its server has gone or has closed its address.
//! * A client that is told to `reopen` opens again.
//! * A flood is bounded: of [`FLOOD_BYTES`] sent while nobody receives, at most [`MOST_HELD_BYTES`] are kept.
//! * After `receive` gave `None` and `flush` was called, `next_deadline` is not in the past, or
//!   whoever sleeps until then would never sleep.

use std::collections::BTreeSet;
use std::task::{Context, Poll, Wake, Waker};

use crate::Instant;
use crate::transport::{ClientTransport, Readiness, Transport, TransportError, TransportErrorKind};

#[expect(clippy::indexing_slicing, reason = "a failed check panics: that is what a check is for")]
mod checks;

pub use checks::{
    a_burst_is_not_joined, a_client_opens_again, a_flood_is_bounded, a_sleeper_is_woken,
    a_vanished_peer_is_silence, a_vanished_server_breaks_nothing, an_empty_datagram_breaks_nothing,
    closing_disturbs_nobody_else, deadlines_are_ahead, every_size_arrives_unchanged, facts_are_stable,
    nothing_comes_from_nothing, peers_are_told_apart, too_large_is_refused,
};

/// Makes the sockets of one check, and lets time pass.
///
/// Each check has a bench of its own. **Implementors** MUST make sockets that nobody else sends to, and on
/// which nothing has happened yet.
///
/// ```
/// use bowline_core::{ClientTransport, Instant, Transport};
/// use bowline_core::transport::conformance::Bench;
///
/// struct MyBench<S, C> { server: Option<S>, clients: Vec<C>, started: std::time::Instant }
///
/// impl<S: Transport, C: ClientTransport<Address = S::Address>> Bench for MyBench<S, C> {
///     type Server = S;
///     type Client = C;
///
///     fn server(&mut self) -> S { self.server.take().unwrap() }        // S::bind("127.0.0.1:0")
///     fn client(&mut self) -> C { self.clients.pop().unwrap() }        // C::connect_to(its address)
///     fn now(&self) -> Instant { Instant::from_nanos(self.started.elapsed().as_nanos() as u64) }
///     fn wait(&mut self) { std::thread::sleep(std::time::Duration::from_millis(1)); }
/// }
/// ```
pub trait Bench {
    /// The transport of a server.
    type Server: Transport;
    /// The transport of a client.
    type Client: ClientTransport;

    /// Whether datagrams may be lost here on purpose. If not, a few dozen sent at once must all arrive.
    const LOSSY: bool = false;

    /// A server's transport. Called once, before any client is made.
    fn server(&mut self) -> Self::Server;

    /// The transport of another client of that server.
    fn client(&mut self) -> Self::Client;

    /// The moment it is.
    fn now(&self) -> Instant;

    /// Lets about a millisecond pass: sleeps, or moves the clock.
    fn wait(&mut self);
}

/// How many [waits](Bench::wait) a check is patient for: some seconds, for set-ups and slow machines.
const PATIENCE: usize = 10_000;

/// For how many [waits](Bench::wait) nothing must happen before a check believes that nothing will.
const QUIET: usize = 50;

/// How many [waits](Bench::wait) pass before a datagram that may be lost is sent again: short at first, for
/// quick links, and twice as long each time, until it is longer than any link.
const RETRY: std::ops::RangeInclusive<usize> = 25..=800;

/// How many bytes a check sends while nobody receives.
pub const FLOOD_BYTES: usize = 64 << 20;

/// How many of them a transport may keep for whoever receives later.
pub const MOST_HELD_BYTES: usize = 48 << 20;

/// The smallest limit on datagrams that is of use: a handshake must fit.
pub const SMALLEST_MAX_DATAGRAM: usize = 256;

/// Errors of `receive` in a row after which a check gives up: a transport that always has one is of no use.
const MOST_ERRORS: usize = 10_000;

/// Runs every check on a bench of its own.
///
/// # Panics
/// If a rule is broken.
pub fn check_all<B: Bench>(mut bench: impl FnMut() -> B) {
    every_size_arrives_unchanged(bench());
    a_burst_is_not_joined(bench());
    peers_are_told_apart(bench());
    nothing_comes_from_nothing(bench());
    an_empty_datagram_breaks_nothing(bench());
    too_large_is_refused(bench());
    closing_disturbs_nobody_else(bench());
    a_client_opens_again(bench());
    a_vanished_peer_is_silence(bench());
    a_vanished_server_breaks_nothing(bench());
    a_flood_is_bounded(bench());
    facts_are_stable(bench());
    deadlines_are_ahead(bench());
}

/// The suite that a transport must pass, as a module of tests: one `#[test]` for each rule.
///
/// The first word names the module, the expression makes a [`Bench`](crate::transport::conformance::Bench);
/// it is evaluated once for each test.
///
/// ```
/// # struct MyBench;
/// use bowline_core::transport_conformance;
///
/// transport_conformance!(plain, MyBench::new());
/// ```
#[macro_export]
macro_rules! transport_conformance {
    ($module:ident, $bench:expr $(,)?) => {
        $crate::transport_conformance! {
            @tests $module, $bench;
            every_size_arrives_unchanged
            a_burst_is_not_joined
            peers_are_told_apart
            nothing_comes_from_nothing
            an_empty_datagram_breaks_nothing
            too_large_is_refused
            closing_disturbs_nobody_else
            a_client_opens_again
            a_vanished_peer_is_silence
            a_vanished_server_breaks_nothing
            a_flood_is_bounded
            facts_are_stable
            deadlines_are_ahead
        }
    };
    (@tests $module:ident, $bench:expr; $($check:ident)+) => {
        mod $module {
            #[allow(unused_imports, reason = "the expression may name what stands around it")]
            use super::*;
            $(
                #[test]
                fn $check() {
                    $crate::transport::conformance::$check($bench);
                }
            )+
        }
    };
}

/// A server, its clients, and what each of them has received.
struct Stage<B: Bench> {
    bench: B,
    server: Option<B::Server>,
    clients: Vec<B::Client>,
    at_server: Vec<(AddressOf<B>, Vec<u8>)>,
    at_clients: Vec<Vec<Vec<u8>>>,
    /// A client whose address the server has closed: it may notice, and close too.
    let_go: Option<usize>,
}

type AddressOf<B> = <<B as Bench>::Server as Transport>::Address;

impl<B: Bench> Stage<B> {
    /// Waits until every client is open.
    fn new(mut bench: B, clients: usize) -> Self {
        let server = Some(bench.server());
        let clients: Vec<_> = (0..clients).map(|_| bench.client()).collect();
        let at_clients = clients.iter().map(|_| Vec::new()).collect();
        let mut stage = Self { bench, server, clients, at_server: Vec::new(), at_clients, let_go: None };
        let open = stage.play_until(PATIENCE, |stage| stage.clients.iter().all(ClientTransport::is_open));
        assert!(open, "a client did not open");
        stage
    }

    /// Flushes and receives everywhere, once, and lets a little time pass.
    fn play(&mut self) {
        let now = self.bench.now();
        if let Some(server) = &mut self.server {
            drain(server, now, |from, bytes| self.at_server.push((from, bytes.to_vec())));
        }
        let gone = self.server.is_none();
        for (index, (client, inbox)) in self.clients.iter_mut().zip(&mut self.at_clients).enumerate() {
            if gone || self.let_go == Some(index) {
                // A client whose server has gone, or has no more use for it, may close.
                try_drain(client, now, |_, _| ());
                continue;
            }
            let server = client.server_address();
            drain(client, now, |from, bytes| {
                assert!(from == server, "a client received from {from}, which is not its server_address()");
                inbox.push(bytes.to_vec());
            });
        }
        self.bench.wait();
    }

    /// Plays until something is so; `false` if that took too long.
    fn play_until(&mut self, rounds: usize, done: impl Fn(&Self) -> bool) -> bool {
        for _ in 0..rounds {
            if done(self) {
                return true;
            }
            self.play();
        }
        done(self)
    }

    /// Plays for as long as it takes to believe that nothing more is coming.
    fn play_on(&mut self) {
        self.play_until(QUIET, |_| false);
    }

    fn server(&mut self) -> &mut B::Server {
        match &mut self.server {
            Some(server) => server,
            None => unreachable!("the check has dropped the server and goes on with it"),
        }
    }

    /// Sends from a client; a refusal fails the check.
    fn client_sends(&mut self, client: usize, bytes: &[u8]) {
        let now = self.bench.now();
        let Some(client) = self.clients.get_mut(client) else { return };
        let to = client.server_address();
        if let Err(error) = client.send(now, to, bytes) {
            assert!(B::LOSSY, "a client could not send {} bytes: {error}", bytes.len());
        }
    }

    /// Sends from the server; a refusal fails the check.
    fn server_sends(&mut self, to: AddressOf<B>, bytes: &[u8]) {
        let now = self.bench.now();
        if let Err(error) = self.server().send(now, to, bytes) {
            assert!(B::LOSSY, "the server could not send {} bytes to {to}: {error}", bytes.len());
        }
    }

    /// Sends one after the other from a client and waits until all are there. The address that they came
    /// from.
    fn client_to_server(&mut self, client: usize, datagrams: &[Vec<u8>]) -> AddressOf<B> {
        self.through(
            datagrams,
            |stage, bytes| stage.client_sends(client, bytes),
            |stage, bytes| stage.at_server.iter().any(|(_, arrived)| arrived == bytes),
            "from a client to the server",
        );
        let first = self.at_server.iter().find(|(_, arrived)| Some(arrived) == datagrams.first());
        match first {
            Some((from, _)) => *from,
            None => unreachable!("it was waited for"),
        }
    }

    /// Sends one after the other to a client and waits until all are there.
    fn server_to_client(&mut self, client: usize, to: AddressOf<B>, datagrams: &[Vec<u8>]) {
        self.through(
            datagrams,
            |stage, bytes| stage.server_sends(to, bytes),
            |stage, bytes| {
                stage.at_clients.get(client).is_some_and(|inbox| inbox.iter().any(|arrived| arrived == bytes))
            },
            "from the server to a client",
        );
    }

    fn through(
        &mut self,
        datagrams: &[Vec<u8>],
        mut send: impl FnMut(&mut Self, &[u8]),
        arrived: impl Fn(&Self, &[u8]) -> bool,
        way: &str,
    ) {
        let mut patience = if B::LOSSY { *RETRY.start() } else { PATIENCE };
        let mut waited = 0;
        while waited < PATIENCE {
            let missing: Vec<_> = datagrams.iter().filter(|bytes| !arrived(self, bytes)).collect();
            for bytes in missing {
                send(self, bytes);
            }
            if self.play_until(patience, |stage| datagrams.iter().all(|bytes| arrived(stage, bytes))) {
                return;
            }
            waited += patience;
            patience = (patience * 2).min(*RETRY.end());
        }
        let missing = datagrams.iter().find(|bytes| !arrived(self, bytes)).map_or(0, Vec::len);
        assert!(missing == 0, "{missing} bytes did not arrive {way} as they were sent");
    }

    /// The address of each client, by what it says; fails if two are the same.
    fn addresses(&mut self) -> Vec<AddressOf<B>> {
        let addresses: Vec<_> = (0..self.clients.len())
            .map(|client| self.client_to_server(client, &[payload(HELLO, client, 0, 16)]))
            .collect();
        let distinct: BTreeSet<_> = addresses.iter().collect();
        assert!(distinct.len() == addresses.len(), "two clients have one address: {addresses:?}");
        addresses
    }

    /// Whether datagrams still come and go between the server and a client.
    fn talk(&mut self, client: usize, address: AddressOf<B>, round: usize) {
        let from = self.client_to_server(client, &[payload(TALK, client, round, 40)]);
        assert!(from == address, "the address of a client changed from {address} to {from}");
        self.server_to_client(client, address, &[payload(TALK, client, round, 50)]);
    }
}

/// Flushes and receives until there is nothing more. Errors are allowed, `Closed` is not.
fn drain<T: Transport>(transport: &mut T, now: Instant, each: impl FnMut(T::Address, &[u8])) {
    let open = try_drain(transport, now, each);
    assert!(open, "a transport has closed though its peers, or others of them, are there");
}

/// The same; `false` if it has closed.
fn try_drain<T: Transport>(transport: &mut T, now: Instant, mut each: impl FnMut(T::Address, &[u8])) -> bool {
    if let Err(error) = transport.flush(now)
        && error.kind() == TransportErrorKind::Closed
    {
        return false;
    }
    let mut errors = 0;
    loop {
        match transport.receive(now) {
            Ok(Some(datagram)) => each(datagram.from, datagram.bytes),
            Ok(None) => return true,
            Err(error) if error.kind() == TransportErrorKind::Closed => return false,
            Err(error) => {
                errors += 1;
                assert!(errors < MOST_ERRORS, "receive gives errors without end: {error}");
            }
        }
    }
}

const HELLO: u8 = 1;
const TALK: u8 = 2;
const SIZES: u8 = 3;
const BURST: u8 = 4;
const FLOOD: u8 = 5;

/// Bytes that differ by check, client and number, and that no other size of them begins or ends with.
fn payload(check: u8, client: usize, number: usize, size: usize) -> Vec<u8> {
    let mut bytes = vec![check, client as u8, number as u8, (number >> 8) as u8];
    let mut state = (size as u32).wrapping_mul(0x9E37_79B9)
        ^ u32::from(check) << 24
        ^ (number as u32) << 8
        ^ client as u32;
    bytes.extend((0..size.saturating_sub(4)).map(|_| {
        // Numerical Recipes' linear congruential generator: any noise will do.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    }));
    bytes.truncate(size);
    bytes
}

#[cfg(test)]
mod tests;
