use std::fmt;
use std::marker::PhantomData;

use bowline_core::connection::{
    ConnectError, Connected, Disconnected, Incoming, MessageEncoder, PendingAuth, Received, Step, encode_auth,
};
use bowline_core::{
    CarriesRequests, ChannelOf, ChannelStats, ClientTransport, Connection, ConnectionStats, DisconnectReason,
    Host, Instant, MessageOf, PendingResponse, Protocol, ProtocolSpec, Request, RequestOf, Responder,
    RoundTrip, TickTime, ToServer, Transport, TransportError, TransportErrorKind, Unanswered, Unsent,
};

use bowline_replication::{ClientSide, EntityEvent};

use crate::ClientConfig;
use crate::observe::{receiving_failed, sending_failed};
use crate::ticks::{ClientTicks, Observed, TickStats};

/// A connection with its transport and its host, in one of its states.
///
/// `connect` makes a [`Session<PendingAuth>`] of a [`Session<Disconnected>`], `poll` makes of that a
/// [`Session<Connected>`] or a disconnected one with the reason. A method that makes no sense in a state does not exist
/// in it: nobody can send before the connection is up.
///
/// `H` is the [`Host`]: a clock and a source of randomness.
pub struct Session<S, P: Protocol, T, H> {
    connection: Connection<S>,
    io: Box<Io<P, T, H>>,
    encoder: MessageEncoder,
    protocol: PhantomData<fn() -> P>,
}

/// What a session stands on, whatever its state.
struct Io<P: Protocol, T, H> {
    config: ClientConfig,
    host: H,
    /// None before the first `connect`.
    transport: Option<T>,
    datagram: Vec<u8>,
    /// The channel of the message that was read last.
    came_by: Option<usize>,
    closed: bool,
    /// The time of the session that is up, if one is.
    ticks: ClientTicks,
    /// What the server has shown, which outlives the session.
    entities: ClientSide<P>,
}

/// What a [`Session<PendingAuth>`] has become.
#[derive(Debug)]
pub enum Progress<P: Protocol, T, H> {
    /// The server has not decided. Poll again.
    Waiting(Session<PendingAuth, P, T, H>),
    /// The server let the client in.
    Connected(Session<Connected, P, T, H>),
    /// It did not, or gave no answer; the reason says why, in words that a player could read.
    Refused(Session<Disconnected, P, T, H>, DisconnectReason),
}

/// An attempt to connect that could not even begin. The session is as it was.
#[derive(thiserror::Error)]
#[error("{error}")]
pub struct ConnectFailed<P: Protocol, T, H> {
    /// The session.
    pub session: Session<Disconnected, P, T, H>,
    /// Why.
    pub error: ConnectError,
}

/// The session that `connect` began, or the one that it could not begin with.
type Begun<P, T, H> = Result<Session<PendingAuth, P, T, H>, ConnectFailed<P, T, H>>;

/// What a client calls the other side of its one connection.
const SERVER: u64 = 0;

/// How many datagrams one call looks at: no flood keeps it busy for ever.
const MAX_RECEIVES: usize = 4_096;

impl<S, P: Protocol, T: ClientTransport, H: Host> Session<S, P, T, H> {
    /// The moment it is, on the session's clock.
    pub fn now(&self) -> Instant {
        self.io.host.now()
    }

    /// How it was configured.
    pub const fn config(&self) -> &ClientConfig {
        &self.io.config
    }

    /// The host.
    pub const fn host_mut(&mut self) -> &mut H {
        &mut self.io.host
    }

    /// What the server has shown, and what this client writes. It outlives the session.
    pub const fn entities(&self) -> &ClientSide<P> {
        &self.io.entities
    }

    /// What the server has shown, and what this client writes.
    pub const fn entities_mut(&mut self) -> &mut ClientSide<P> {
        &mut self.io.entities
    }

    /// The transport, if there has been one.
    pub const fn transport(&self) -> Option<&T> {
        self.io.transport.as_ref()
    }

    /// The transport, if there has been one: to change a link conditioner, or to wait for datagrams.
    pub const fn transport_mut(&mut self) -> Option<&mut T> {
        self.io.transport.as_mut()
    }
}

impl<P: Protocol, T: ClientTransport, H: Host> Session<Disconnected, P, T, H> {
    /// A session that was never connected.
    #[must_use]
    pub fn new(config: ClientConfig, host: H) -> Self {
        let connection = Connection::new(config.connection.clone());
        let ticks = ClientTicks::new(ProtocolSpec::of::<P>().tick_interval());
        let entities = ClientSide::new();
        // Behind a pointer, so that a session is cheap to move: a client moves it at every look.
        let io = Box::new(Io {
            config,
            host,
            transport: None,
            datagram: Vec::new(),
            came_by: None,
            closed: false,
            ticks,
            entities,
        });
        Self { connection, io, encoder: MessageEncoder::default(), protocol: PhantomData }
    }

    /// Begins a fresh session over `transport`, showing `auth` to the server. Nothing of an earlier session is left.
    ///
    /// # Errors
    /// Where the credentials are over a limit; the session comes back with the error.
    #[expect(clippy::result_large_err, reason = "the session is given back, whatever its size")]
    pub fn connect(self, transport: T, auth: P::Auth) -> Begun<P, T, H> {
        match encode_auth::<P>(&auth) {
            Ok(auth) => self.connect_encoded(Some(transport), auth),
            Err(error) => Err(ConnectFailed { session: self, error: error.into() }),
        }
    }

    /// Begins a fresh session with credentials that are encoded already, over the transport of the last session if
    /// `transport` is `None`.
    #[expect(clippy::result_large_err, reason = "the session is given back, whatever its size")]
    pub(crate) fn connect_encoded(self, transport: Option<T>, auth: Vec<u8>) -> Begun<P, T, H> {
        let now = self.now();
        let Some(socket) = transport.as_ref().or(self.io.transport.as_ref()) else {
            return Err(ConnectFailed { session: self, error: ConnectError::NoTransport });
        };
        let security = socket.security(socket.server_address());
        let Self { connection, mut io, encoder, .. } = self;
        match connection.connect(now, ProtocolSpec::of::<P>(), security, auth, &mut io.host) {
            Ok(connection) => {
                match transport {
                    Some(transport) => io.transport = Some(transport),
                    None => io.transport.iter_mut().for_each(ClientTransport::reopen),
                }
                io.closed = false;
                let mut session = Session { connection, io, encoder, protocol: PhantomData };
                session.transmit();
                Ok(session)
            }
            Err((connection, error)) => {
                let session = Session { connection, io, encoder, protocol: PhantomData };
                Err(ConnectFailed { session, error })
            }
        }
    }

    /// Why the last session, or the last attempt, ended; `None` before the first.
    #[must_use]
    pub fn reason(&self) -> Option<&DisconnectReason> {
        self.connection.reason()
    }

    /// What the last session did.
    #[must_use]
    pub fn stats(&self) -> &ConnectionStats {
        self.connection.stats()
    }

    /// Says what is still to be said: the goodbye of a session that ended goes out several times. Call it for half a
    /// second after an end, where the program goes on.
    pub fn poll(&mut self) {
        let now = self.now();
        self.io.drop_incoming(now);
        let Self { connection, io, .. } = self;
        io.send_all(now, |now, datagram| connection.poll_transmit(now, datagram));
    }

    /// When [`poll`](Self::poll) will have something to say.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.connection.next_deadline()
    }
}

impl<P: Protocol, T: ClientTransport, H: Host> Session<PendingAuth, P, T, H> {
    /// Receives, looks at the time, sends what is due, and says what has become of the attempt.
    #[must_use]
    pub fn poll(mut self) -> Progress<P, T, H> {
        let now = self.now();
        if self.io.transport.as_ref().is_some_and(|transport| !transport.is_open()) {
            // The transport's own set-up does not use up the attempt's time.
            self.connection.restart_clock(now);
        }
        let Self { connection, io, .. } = &mut self;
        for _ in 0..MAX_RECEIVES {
            // What follows the answer is for the state after it.
            if connection.is_decided() || !io.receive(now, |bytes| connection.handle_datagram(now, bytes)) {
                break;
            }
        }
        if io.closed {
            connection.handle_transport_closed();
        }
        connection.handle_timeout(now);
        let Self { connection, mut io, encoder, .. } = self;
        match connection.poll(now) {
            Step::Waiting(connection) => {
                let mut session = Session { connection, io, encoder, protocol: PhantomData };
                session.transmit();
                Progress::Waiting(session)
            }
            Step::Connected(mut connection) => {
                io.ticks = ClientTicks::new(ProtocolSpec::of::<P>().tick_interval());
                io.entities.begin_session(io.config.stale_entities);
                if let Some(transport) = &io.transport {
                    let wanted = io.config.socket.max_datagram_size;
                    connection.set_max_datagram(wanted.min(transport.max_datagram_size()));
                }
                Progress::Connected(Session { connection, io, encoder, protocol: PhantomData })
            }
            Step::Ended(connection, reason) => {
                let mut session = Session { connection, io, encoder, protocol: PhantomData };
                session.poll();
                Progress::Refused(session, reason)
            }
        }
    }

    /// Gives up the attempt.
    #[must_use]
    pub fn disconnect(self) -> Session<Disconnected, P, T, H> {
        let now = self.now();
        let Self { connection, io, encoder, .. } = self;
        Session { connection: connection.disconnect(now), io, encoder, protocol: PhantomData }
    }

    /// When [`poll`](Self::poll) will have something to do, if nothing arrives.
    #[must_use]
    pub fn next_deadline(&self) -> Instant {
        self.io.or_earlier(self.connection.next_deadline())
    }

    /// Not `send`: a private method of that name would turn "no method named `send`" into "`send` is private".
    fn transmit(&mut self) {
        let now = self.now();
        let Self { connection, io, .. } = self;
        if io.transport.as_ref().is_some_and(ClientTransport::is_open) {
            io.send_all(now, |now, datagram| connection.poll_transmit(now, datagram));
        }
    }
}

impl<P: Protocol, T: ClientTransport, H: Host> Session<Connected, P, T, H> {
    /// Queues a message for the server; it goes out with the next [`flush`](Self::flush).
    ///
    /// # Errors
    /// Where a field is over its limit, the message too large, or the channel's queue full. Nothing was sent; the
    /// message comes back.
    pub fn send<C: ChannelOf<P> + ToServer>(
        &mut self,
        message: impl MessageOf<P>,
    ) -> Result<(), Unsent<P::Message>> {
        self.connection.send_message::<P, C>(message, &mut self.encoder)
    }

    /// Asks the server. The request goes out with the next [`flush`](Self::flush); its response can be waited for in two
    /// ways, as [`PendingResponse`] says.
    ///
    /// # Errors
    /// As [`send`](Self::send), and where `config.connection.max_requests_in_flight` wait for an answer already. Nothing
    /// was asked.
    pub fn request<C: ChannelOf<P> + CarriesRequests, R: RequestOf<P>>(
        &mut self,
        request: R,
    ) -> Result<PendingResponse<R>, Unsent<R>> {
        let now = self.now();
        self.connection.request::<P, C, R>(now, request, &mut self.encoder)
    }

    /// Answers a request of the server.
    ///
    /// # Errors
    /// Where a field is over its limit, the response too large, the channel's queue full, or the session over that the
    /// request came by. Response and responder come back.
    #[expect(clippy::result_large_err, reason = "the response is given back, whatever its size")]
    pub fn respond<R: Request>(
        &mut self,
        responder: Responder<R>,
        response: R::Response,
    ) -> Result<(), Unanswered<R>> {
        self.connection.respond(responder, response, &mut self.encoder)
    }

    /// Takes in what has arrived, and looks at the time.
    pub fn receive(&mut self) {
        let now = self.now();
        let Self { connection, io, .. } = self;
        for _ in 0..MAX_RECEIVES {
            let mut reply = std::mem::take(&mut io.datagram);
            reply.clear();
            let received = io.receive(now, |bytes| connection.handle_from_server(now, bytes, &mut reply));
            if !reply.is_empty() {
                io.send_one(now, &reply);
            }
            io.datagram = reply;
            if !received || connection.end_reason().is_some() {
                break;
            }
        }
        if io.closed {
            connection.handle_transport_closed();
        }
        connection.handle_timeout(now);
        if let Some(observed) = observe(connection, now) {
            io.ticks.advance(now, &observed);
        }
        if self.io.ticks.current().is_none() {
            self.stamp(now);
        }
    }

    /// The next tick of the client that has begun: messages on tick-buffered channels are made for it from now on. Ticks
    /// come one after the other; where the program stood still for long, or the server's time has jumped, some are
    /// left out or come again.
    pub fn next_tick(&mut self) -> Option<u32> {
        let now = self.now();
        let tick = self.io.ticks.next_tick()?;
        self.stamp(now);
        Some(tick)
    }

    /// The tick that the client is in: the last that [`next_tick`](Self::next_tick) gave. 0 before the first.
    ///
    /// It is ahead of the server's, so that what is sent in it arrives before the server comes to it.
    #[must_use]
    pub fn tick(&self) -> u32 {
        self.io.ticks.current().map_or(0, TickTime::tick)
    }

    /// How much of the client's tick has passed, from 0 to 1: where between two simulated ticks a frame stands that is drawn
    /// now.
    #[must_use]
    pub fn tick_fraction(&self) -> f32 {
        let (now, ticks) = (self.now(), &self.io.ticks);
        let (Some(tick), Some(time)) = (ticks.current(), ticks.input_time(now)) else { return 0.0 };
        let passed = time.saturating_since(tick).as_secs_f32() / tick.interval().as_secs_f32();
        passed.min(1.0)
    }

    /// The time that a client shows of the server's world: behind it by so much that the snapshots before and after it
    /// have nearly always arrived. `None` before anything came.
    #[must_use]
    pub fn shown_time(&self) -> Option<TickTime> {
        self.io.ticks.shown_time(self.now())
    }

    /// How the client's time stands to the server's.
    #[must_use]
    pub fn tick_stats(&self) -> TickStats {
        let now = self.now();
        observe(&self.connection, now).map_or_else(TickStats::default, |o| self.io.ticks.stats(now, &o))
    }

    /// Has the connection's packets stamped with the client's time.
    fn stamp(&mut self, now: Instant) {
        let Some(time) = self.io.ticks.input_time(now) else { return };
        // A program that does not ask for ticks is in the one that it is.
        let tick = self.io.ticks.current().unwrap_or_else(|| time.floor());
        self.connection.set_tick(now, tick.tick(), time.saturating_since(tick));
    }

    /// The next message or request that has arrived. One that the protocol does not know is dropped and counted.
    pub fn next_incoming(&mut self) -> Option<Incoming<P>> {
        loop {
            if self.io.entities.is_full() {
                return None;
            }
            let received: Received = self.connection.next_message()?;
            if const { P::SCHEMA.has_entities() } && self.is_of_entities(&received) {
                self.take_in_entities(received);
                continue;
            }
            let came_by = received.channel;
            if let Some(incoming) = self.connection.read::<P>(received, SERVER) {
                self.io.came_by = Some(came_by);
                return Some(incoming);
            }
        }
    }

    /// By which channel that came which [`next_incoming`](Self::next_incoming) has given last: the channel's
    /// [`INDEX`](bowline_core::ChannelOf::INDEX). `None` before the first.
    #[must_use]
    pub const fn came_by(&self) -> Option<usize> {
        self.io.came_by
    }

    /// Sends what is due: queued messages, acknowledgements, a heartbeat, and what this client has written to entities.
    pub fn flush(&mut self) {
        let now = self.now();
        self.stamp(now);
        if const { P::SCHEMA.has_entities() } {
            self.flush_with_entities(now);
        } else {
            let Self { connection, io, .. } = self;
            io.send_all(now, |now, datagram| connection.poll_transmit(now, datagram));
        }
    }

    /// The session, if it goes on.
    ///
    /// # Errors
    /// The disconnected session, where it does not; its [`reason`](Session::reason) says why.
    pub fn poll(self) -> Result<Self, Session<Disconnected, P, T, H>> {
        let now = self.now();
        let Self { connection, io, encoder, .. } = self;
        match connection.poll(now) {
            Ok(connection) => Ok(Session { connection, io, encoder, protocol: PhantomData }),
            Err(connection) => {
                let mut session = Session { connection, io, encoder, protocol: PhantomData };
                session.poll();
                Err(session)
            }
        }
    }

    /// Says goodbye. What is queued goes out once before it, and is not sent again.
    #[must_use]
    pub fn disconnect(mut self) -> Session<Disconnected, P, T, H> {
        self.flush();
        let now = self.now();
        let Self { connection, io, encoder, .. } = self;
        let connection = connection.disconnect(now, DisconnectReason::Requested);
        let mut session = Session { connection, io, encoder, protocol: PhantomData };
        session.poll();
        session
    }

    /// What the session has done so far.
    #[must_use]
    pub fn stats(&self) -> ConnectionStats {
        self.connection.stats()
    }

    /// What a channel has done so far.
    #[must_use]
    pub fn channel_stats<C: ChannelOf<P>>(&self) -> ChannelStats {
        self.connection.channel_stats(C::INDEX)
    }

    /// The round-trip time as measured so far.
    #[must_use]
    pub fn round_trip(&self) -> &RoundTrip {
        self.connection.round_trip()
    }

    /// The newest tick of the server that is known here.
    #[must_use]
    pub fn server_tick(&self) -> u32 {
        self.connection.peer_tick()
    }

    /// When [`receive`](Self::receive) or [`flush`](Self::flush) will have something to do, if nothing arrives and
    /// nothing is sent.
    #[must_use]
    pub fn next_deadline(&self) -> Instant {
        let connection = self.io.or_earlier(self.connection.next_deadline());
        let tick = self.io.config.ticks.then(|| self.io.ticks.next_at(self.now())).flatten();
        tick.map_or(connection, |tick| tick.min(connection))
    }
}

/// What the ticks of a client follow.
fn observe(connection: &Connection<Connected>, now: Instant) -> Option<Observed> {
    Some(Observed {
        server: connection.server_time(now)?,
        on_the_way: connection.on_the_way(),
        jitter: connection.jitter_margin(),
        inputs: connection.input_report(),
    })
}

/// Entities travel with the packets of the connection.
impl<P: Protocol, T: ClientTransport, H: Host> Session<Connected, P, T, H> {
    /// What has happened next to entities and resources. Read [`next_incoming`](Self::next_incoming) to its end before.
    pub fn next_entity_event(&mut self) -> Option<EntityEvent<P>> {
        self.io.entities.next_event()
    }

    fn is_of_entities(&self, received: &Received) -> bool {
        received.channel >= P::SCHEMA.entity_channels().0
    }

    fn take_in_entities(&mut self, received: Received) {
        let entities = &mut self.io.entities;
        let made_sense = if received.channel == P::SCHEMA.entity_channels().0 {
            entities.take_in_state(&received.bytes, received.packet, received.sent_in as u32)
        } else {
            entities.take_in_control(&received.bytes)
        };
        if !made_sense {
            self.connection.handle_violation();
        }
        self.connection.recycle(received);
    }

    fn flush_with_entities(&mut self, now: Instant) {
        let tick = self.tick();
        let Self { connection, io, .. } = self;
        while let Some((packet, has_arrived)) = connection.next_freight_fate() {
            io.entities.decided(packet, has_arrived);
        }
        io.entities.collect();
        while let Some(bytes) = io.entities.next_control() {
            if connection.send(P::SCHEMA.entity_channels().1, bytes).is_err() {
                break;
            }
            io.entities.control_is_sent();
        }
        let Io { entities, transport, datagram, .. } = &mut **io;
        match entities.load(connection.sendable_bytes(now), connection.freight_bits()) {
            Some(mut load) => send_all(transport, datagram, now, |now, datagram| {
                connection.poll_transmit_with(now, datagram, &mut load)
            }),
            None => {
                send_all(transport, datagram, now, |now, datagram| connection.poll_transmit(now, datagram));
            }
        }
        entities.finish(tick, connection.max_message_size());
    }
}

impl<P: Protocol, T: ClientTransport, H> Io<P, T, H> {
    /// Hands the next datagram of the server to `feed`; `false` when there is none.
    fn receive(&mut self, now: Instant, feed: impl FnOnce(&[u8])) -> bool {
        let Some(transport) = &mut self.transport else { return false };
        let server = transport.server_address();
        match transport.receive(now) {
            Ok(Some(datagram)) => {
                if datagram.from == server {
                    feed(datagram.bytes);
                }
                true
            }
            Ok(None) => false,
            Err(error) => {
                receiving_failed(&error);
                self.closed = error.kind() == TransportErrorKind::Closed;
                !self.closed
            }
        }
    }

    /// Takes what still arrives for a session that is over, and drops it.
    fn drop_incoming(&mut self, now: Instant) {
        for _ in 0..MAX_RECEIVES {
            if self.closed || !self.receive(now, |_| ()) {
                break;
            }
        }
    }

    fn send_all(&mut self, now: Instant, next: impl FnMut(Instant, &mut Vec<u8>) -> bool) {
        send_all(&mut self.transport, &mut self.datagram, now, next);
    }

    fn send_one(&mut self, now: Instant, datagram: &[u8]) {
        if let Some(transport) = &mut self.transport {
            send_one(transport, now, datagram);
        }
    }

    fn or_earlier(&self, deadline: Instant) -> Instant {
        let transport = self.transport.as_ref().and_then(Transport::next_deadline);
        transport.map_or(deadline, |earlier| earlier.min(deadline))
    }
}

fn send_all<T: ClientTransport>(
    transport: &mut Option<T>,
    datagram: &mut Vec<u8>,
    now: Instant,
    mut next: impl FnMut(Instant, &mut Vec<u8>) -> bool,
) {
    while next(now, datagram) {
        if let Some(transport) = transport {
            send_one(transport, now, datagram);
        }
    }
    if let Some(transport) = transport
        && let Err(error) = transport.flush(now)
    {
        sending_failed(error);
    }
}

fn send_one<T: ClientTransport>(transport: &mut T, now: Instant, datagram: &[u8]) {
    let server = transport.server_address();
    if let Err(error) = transport.send(now, server, datagram) {
        sending_failed(error);
    }
}

impl<S: bowline_core::connection::State, P: Protocol, T, H> fmt::Debug for Session<S, P, T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("phase", &S::PHASE).finish_non_exhaustive()
    }
}

impl<P: Protocol, T, H> fmt::Debug for ConnectFailed<P, T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectFailed").field("error", &self.error).finish_non_exhaustive()
    }
}
