//! The thread of a server's socket: signalling, engine and UDP on one runtime. The game's thread meets it in two
//! mailboxes and waits for it nowhere.

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bowline_core::{Entropy, SocketConfig};
use tokio::sync::{Notify, mpsc, oneshot};

use super::engine::{self, Engine, Kind, Limits, OfferError, Statistics};
use super::mailbox::{Batch, Mailbox};
use super::port::{Port, Socket};
use crate::PeerAddress;

/// What the game's thread and the engine's share.
pub(crate) struct Shared {
    pub(crate) inbox: Mailbox<PeerAddress>,
    pub(crate) outbox: Mailbox<Errand>,
    /// Of clients that speak plain UDP, where those are let in.
    plain: Option<Arc<Plain>>,
    /// The outbox has something, or the socket is to close.
    pub(crate) wake: Notify,
    statistics: Mutex<Statistics>,
    lost: AtomicU64,
}

/// Bowline's own datagrams on the same port.
pub(crate) struct Plain {
    pub(crate) inbox: Mailbox<SocketAddr>,
    pub(crate) outbox: Mailbox<SocketAddr>,
}

impl Plain {
    pub(crate) const fn new(config: &SocketConfig) -> Self {
        Self {
            inbox: Mailbox::new(config.receive_buffer_size),
            outbox: Mailbox::new(config.send_buffer_size),
        }
    }
}

/// What the game wants of the engine.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Errand {
    Send(PeerAddress),
    Close(PeerAddress),
}

/// An offer, and where its answer goes.
pub(crate) type Question = (String, oneshot::Sender<Result<String, OfferError>>);

/// How many offers may wait for the engine.
const MAX_QUESTIONS: usize = 256;

/// After so many datagrams the engine looks at its other work.
const MAX_RECEIVES: usize = 512;

impl Shared {
    pub(crate) fn new(config: &SocketConfig, plain: Option<Arc<Plain>>) -> Self {
        Self {
            inbox: Mailbox::new(config.receive_buffer_size),
            outbox: Mailbox::new(config.send_buffer_size),
            plain,
            wake: Notify::new(),
            statistics: Mutex::default(),
            lost: AtomicU64::new(0),
        }
    }

    pub(crate) fn statistics(&self) -> Statistics {
        let mut statistics = *self.statistics.lock().unwrap_or_else(PoisonError::into_inner);
        statistics.dropped_incoming += self.inbox.left_out();
        statistics.dropped_outgoing += self.outbox.left_out() + self.lost.load(Relaxed);
        statistics
    }

    pub(crate) fn end(&self) {
        self.inbox.end();
        if let Some(plain) = &self.plain {
            plain.inbox.end();
        }
    }
}

/// The engine with its socket.
pub(crate) struct Driver<E> {
    engine: Engine<E>,
    port: Port,
    questions: mpsc::Receiver<Question>,
    shared: Arc<Shared>,
    /// On their way from the engine to the inboxes, and from the outboxes to the engine.
    arrived: Batch<PeerAddress>,
    plain_arrived: Batch<SocketAddr>,
    errands: Batch<Errand>,
    plain_errands: Batch<SocketAddr>,
}

/// Where to ask the engine about offers.
pub(crate) fn questions() -> (mpsc::Sender<Question>, mpsc::Receiver<Question>) {
    mpsc::channel(MAX_QUESTIONS)
}

impl<E: Entropy> Driver<E> {
    /// Must be called on the runtime that is to drive it.
    pub(crate) fn new(
        socket: UdpSocket,
        candidates: Vec<SocketAddr>,
        limits: Limits,
        entropy: E,
        questions: mpsc::Receiver<Question>,
        shared: Arc<Shared>,
    ) -> Result<Self, String> {
        let engine = Engine::new(candidates, limits, entropy)?;
        let port = Port::new(socket).map_err(|error| error.to_string())?;
        Ok(Self {
            engine,
            port,
            questions,
            shared,
            arrived: Batch::new(),
            plain_arrived: Batch::new(),
            errands: Batch::new(),
            plain_errands: Batch::new(),
        })
    }

    /// Runs until `stop` is ready.
    pub(crate) async fn run(mut self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        loop {
            let deadline = self.engine.next_deadline();
            let question = tokio::select! {
                () = &mut stop => break,
                question = self.questions.recv() => question,
                () = self.port.readable() => None,
                () = self.shared.wake.notified() => None,
                () = sleep_until(deadline) => None,
            };
            let now = Instant::now();
            if let Some(question) = question {
                self.answer(now, question);
            }
            self.receive(now);
            self.run_errands(now);
            self.look_at_the_time(now);
            self.hand_over();
        }
        self.run_errands(Instant::now());
        let Self { engine, port, arrived, .. } = &mut self;
        engine.close_all(Instant::now(), &mut Out { socket: &port.socket, arrived });
        self.shared.end();
    }

    fn answer(&mut self, now: Instant, (offer, reply): Question) {
        if reply.is_closed() {
            return;
        }
        let Self { engine, port, arrived, .. } = self;
        let answer = engine.handle_offer(now, &offer, &mut Out { socket: &port.socket, arrived });
        let _ = reply.send(answer);
    }

    fn receive(&mut self, now: Instant) {
        let Self { engine, port, arrived, plain_arrived, shared, .. } = self;
        for _ in 0..MAX_RECEIVES {
            let Some((from, size)) = port.receive() else { break };
            let datagram = port.memory.get(..size).unwrap_or_default();
            if Kind::of(datagram) == Kind::Plain && shared.plain.is_some() {
                plain_arrived.push(from, datagram);
            } else {
                engine.handle_datagram(now, from, datagram, &mut Out { socket: &port.socket, arrived });
            }
        }
    }

    fn run_errands(&mut self, now: Instant) {
        let Self { engine, port, shared, errands, arrived, plain_errands, .. } = self;
        shared.outbox.take(errands);
        while let Some((errand, range)) = errands.next() {
            match errand {
                Errand::Send(peer) => engine.send(now, peer, errands.bytes(range)),
                Errand::Close(peer) => engine.close(now, peer, &mut Out { socket: &port.socket, arrived }),
            }
        }
        if let Some(plain) = &shared.plain {
            plain.outbox.take(plain_errands);
            while let Some((to, range)) = plain_errands.next() {
                port.socket.send(to, plain_errands.bytes(range));
            }
        }
    }

    fn look_at_the_time(&mut self, now: Instant) {
        let Self { engine, port, shared, arrived, .. } = self;
        engine.handle_timeout(now, shared.inbox.turns(), &mut Out { socket: &port.socket, arrived });
    }

    fn hand_over(&mut self) {
        self.shared.inbox.put(&mut self.arrived);
        if let Some(plain) = &self.shared.plain {
            plain.inbox.put(&mut self.plain_arrived);
        }
        *self.shared.statistics.lock().unwrap_or_else(PoisonError::into_inner) = self.engine.statistics();
        self.shared.lost.store(self.port.socket.lost(), Relaxed);
    }
}

/// Where what the engine wants done is done.
struct Out<'a> {
    socket: &'a Socket,
    arrived: &'a mut Batch<PeerAddress>,
}

impl engine::Output for Out<'_> {
    fn transmit(&mut self, to: SocketAddr, datagram: &[u8]) {
        self.socket.send(to, datagram);
    }

    fn message(&mut self, from: PeerAddress, message: &[u8]) {
        self.arrived.push(from, message);
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}
