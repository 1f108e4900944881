use std::collections::VecDeque;
use std::fmt;

use bowline_core::connection::{ConnectError, Connected, Disconnected, Incoming, PendingAuth, encode_auth};
use bowline_core::{
    CarriesRequests, ChannelOf, ChannelStats, ClientTransport, ConnectionStats, DisconnectReason, Host,
    Instant, MessageOf, PendingResponse, Phase, Protocol, RejectReason, Request, RequestOf, ResourceOf,
    Responder, RoundTrip, SocketConfig, TickTime, ToServer, Unanswered, Unsent,
};

use bowline_replication::{ClientSide, EntityEvent, Unencodable, World};

use crate::observe::Observer;
use crate::{ClientConfig, Progress, Session, TickStats};

/// A client for a game loop: a [`Session`] behind `&mut self`, whose transitions are events.
///
/// * **Act:** [`connect`](Self::connect), [`disconnect`](Self::disconnect), [`connected`](Self::connected)`().send(..)`.
/// * **Feed:** [`receive`](Self::receive), once a frame.
/// * **Drain:** [`next_event`](Self::next_event) until there is none; then [`send`](Self::send).
///
/// One law: `receive`, all events, `send`, every frame, connected or not.
pub struct Client<P: Protocol, T, H> {
    /// None only while a transition is being made.
    state: Option<State<P, T, H>>,
    events: VecDeque<ClientEvent<P>>,
    /// The channels of the messages and requests among the events, in the same order.
    channels: VecDeque<usize>,
    came_by: Option<usize>,
    auth: Vec<u8>,
    retry: Retry,
    observer: Observer,
}

enum State<P: Protocol, T, H> {
    Disconnected(Session<Disconnected, P, T, H>),
    Pending(Session<PendingAuth, P, T, H>),
    Connected(Session<Connected, P, T, H>),
}

/// Where the reconnect policy stands.
#[derive(Debug, Default)]
struct Retry {
    /// Failed attempts in a row.
    attempts: u32,
    at: Option<Instant>,
}

/// What has happened to a client.
#[non_exhaustive]
pub enum ClientEvent<P: Protocol> {
    /// The server let the client in: messages can travel.
    Connected,
    /// A message of the server.
    Message(P::Message),
    /// A request of the server, to be answered now or later: see [`Responder`].
    Request(P::Requested),
    /// It is time for this tick of the client: simulate, and send the player's inputs for it. It is ahead of the server, so
    /// that they arrive before the server's own [`Tick`](Self::Tick). Not where `config.ticks` is off.
    Tick(u32),
    /// Something has happened to an entity or a resource of the server. The client's [`entities`](Client::entities) show it
    /// already.
    Entity(EntityEvent<P>),
    /// A component that this client writes to was given a value that cannot travel. The server sees the one before it.
    Unencodable(Unencodable),
    /// The server did not let the client in.
    Rejected(RejectReason),
    /// The session, or the attempt to make one, has ended.
    Disconnected(DisconnectReason),
    /// The reconnect policy will try again after so long.
    Reconnecting {
        /// How many attempts have failed since there was a session.
        attempt: u32,
        /// How long until the next.
        after: std::time::Duration,
    },
}

/// A client that is connected: what only then makes sense.
pub struct ConnectedClient<'a, P: Protocol, T, H> {
    session: &'a mut Session<Connected, P, T, H>,
}

impl<P: Protocol, T: ClientTransport, H: Host + Default> Client<P, T, H> {
    /// A client on the host's own defaults.
    #[must_use]
    pub fn new(config: ClientConfig) -> Self {
        Self::with_host(config, H::default())
    }
}

impl<P: Protocol, T: ClientTransport, H: Host> Client<P, T, H> {
    /// A client on a host of the caller's choice: a simulated one, say.
    #[must_use]
    pub fn with_host(config: ClientConfig, host: H) -> Self {
        Self {
            state: Some(State::Disconnected(Session::new(config, host))),
            events: VecDeque::new(),
            channels: VecDeque::new(),
            came_by: None,
            auth: Vec::new(),
            retry: Retry::default(),
            observer: Observer::default(),
        }
    }

    /// What the socket should be like, as the configuration says.
    #[must_use]
    pub fn socket_config(&self) -> SocketConfig {
        self.config().map_or_else(SocketConfig::default, |config| config.socket.clone())
    }

    /// Begins a fresh session over `socket`, showing `auth` to the server. Events tell how it goes on.
    ///
    /// # Errors
    /// Where there is a session already, or the credentials are over a limit. Nothing has changed then.
    pub fn connect(&mut self, socket: T, auth: P::Auth) -> Result<(), ConnectError> {
        let encoded = encode_auth::<P>(&auth)?;
        self.connect_encoded(Some(socket), encoded)
    }

    /// Begins a fresh session over the transport of the last one, with the same credentials.
    ///
    /// # Errors
    /// Where there is a session already, or there never was one.
    pub fn reconnect(&mut self) -> Result<(), ConnectError> {
        let auth = self.auth.clone();
        self.connect_encoded(None, auth)
    }

    /// Says goodbye, or gives up the attempt. The event follows at once.
    pub fn disconnect(&mut self) {
        self.retry = Retry::default();
        let ended = match self.state.take() {
            Some(State::Connected(session)) => session.disconnect(),
            Some(State::Pending(session)) => session.disconnect(),
            other => {
                self.state = other;
                return;
            }
        };
        self.observer.disconnected(&DisconnectReason::Requested, ended.stats());
        self.events.push_back(ClientEvent::Disconnected(DisconnectReason::Requested));
        self.state = Some(State::Disconnected(ended));
    }

    /// Takes in what has arrived, and looks at the time.
    pub fn receive(&mut self) {
        self.state = match self.state.take() {
            Some(State::Disconnected(session)) => Some(self.poll_disconnected(session)),
            Some(State::Pending(session)) => Some(self.poll_pending(session)),
            Some(State::Connected(session)) => Some(self.poll_connected(session)),
            None => None,
        };
    }

    /// What has happened next.
    pub fn next_event(&mut self) -> Option<ClientEvent<P>> {
        if let Some(event) = self.events.pop_front() {
            if matches!(event, ClientEvent::Message(_) | ClientEvent::Request(_)) {
                self.came_by = self.channels.pop_front();
            }
            return Some(event);
        }
        if const { P::SCHEMA.has_entities() } {
            if let Some(event) = self.entities_mut().next_event() {
                return Some(ClientEvent::Entity(event));
            }
            if let Some(failure) = self.entities_mut().next_failure() {
                return Some(ClientEvent::Unencodable(failure));
            }
        }
        // After all else that `receive` has found; one by one, for what is sent next is sent in that tick.
        match &mut self.state {
            Some(State::Connected(session)) if session.config().ticks => {
                session.next_tick().map(ClientEvent::Tick)
            }
            _ => None,
        }
    }

    /// By which channel the message or request came that [`next_event`](Self::next_event) has given last: the channel's
    /// [`INDEX`](ChannelOf::INDEX). `None` before the first.
    #[must_use]
    pub const fn came_by(&self) -> Option<usize> {
        self.came_by
    }

    /// Sends what is due: queued messages, acknowledgements, heartbeats.
    pub fn send(&mut self) {
        if let Some(State::Connected(session)) = &mut self.state {
            session.flush();
        }
    }

    /// The connected client, if it is.
    pub fn connected(&mut self) -> Option<ConnectedClient<'_, P, T, H>> {
        match &mut self.state {
            Some(State::Connected(session)) => Some(ConnectedClient { session }),
            _ => None,
        }
    }

    /// The phase the client is in.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match &self.state {
            Some(State::Connected(_)) => Phase::Connected,
            Some(State::Pending(_)) => Phase::PendingAuth,
            Some(State::Disconnected(_)) | None => Phase::Disconnected,
        }
    }

    /// What the session has done so far; of the last one, where there is none.
    #[must_use]
    pub fn stats(&self) -> ConnectionStats {
        match &self.state {
            Some(State::Connected(session)) => session.stats(),
            Some(State::Disconnected(session)) => *session.stats(),
            Some(State::Pending(_)) | None => ConnectionStats::default(),
        }
    }

    /// What the server has shown, and what this client writes: entities with their components, and resources. It outlives
    /// the session; when a new one begins, `config.stale_entities` says what becomes of it.
    ///
    /// # Panics
    /// Never, unless a panic in the middle of a transition was caught.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the state is there between calls")]
    pub fn entities(&self) -> &ClientSide<P> {
        match self.state.as_ref().expect("no transition is being made") {
            State::Disconnected(session) => session.entities(),
            State::Pending(session) => session.entities(),
            State::Connected(session) => session.entities(),
        }
    }

    /// The entities that the server has shown, with their components, and resources.
    #[must_use]
    pub fn world(&self) -> &World<P> {
        self.entities().world()
    }

    /// A resource of the server; `None` where there is none.
    #[must_use]
    pub fn resource<R: ResourceOf<P>>(&self) -> Option<&R> {
        self.world().resource()
    }

    /// The same as [`entities`](Self::entities), to write to what this client owns or has authority over.
    ///
    /// # Panics
    /// Never, unless a panic in the middle of a transition was caught.
    #[expect(clippy::expect_used, reason = "the state is there between calls")]
    pub fn entities_mut(&mut self) -> &mut ClientSide<P> {
        match self.state.as_mut().expect("no transition is being made") {
            State::Disconnected(session) => session.entities_mut(),
            State::Pending(session) => session.entities_mut(),
            State::Connected(session) => session.entities_mut(),
        }
    }

    /// Why the transport has closed, or could not be set up, as its own error: the cause of
    /// [`DisconnectReason::TransportClosed`], where the transport can tell.
    #[must_use]
    pub fn transport_failure(&self) -> Option<&T::Error> {
        let transport = match self.state.as_ref()? {
            State::Disconnected(session) => session.transport(),
            State::Pending(session) => session.transport(),
            State::Connected(session) => session.transport(),
        };
        transport?.failure()
    }

    /// The transport, if there has been one: to change a link conditioner, or to wait for datagrams.
    pub fn transport_mut(&mut self) -> Option<&mut T> {
        match self.state.as_mut()? {
            State::Disconnected(session) => session.transport_mut(),
            State::Pending(session) => session.transport_mut(),
            State::Connected(session) => session.transport_mut(),
        }
    }

    /// The host: its clock, its randomness. `None` only after a panic in the middle of a transition.
    pub fn host_mut(&mut self) -> Option<&mut H> {
        Some(match self.state.as_mut()? {
            State::Disconnected(session) => session.host_mut(),
            State::Pending(session) => session.host_mut(),
            State::Connected(session) => session.host_mut(),
        })
    }

    /// When [`receive`](Self::receive) or [`send`](Self::send) will have something to do, if nothing arrives and nothing
    /// is sent. `None` for never.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let state = match &self.state {
            Some(State::Connected(session)) => Some(session.next_deadline()),
            Some(State::Pending(session)) => Some(session.next_deadline()),
            Some(State::Disconnected(session)) => session.next_deadline(),
            None => None,
        };
        state.into_iter().chain(self.retry.at).min()
    }

    fn config(&self) -> Option<&ClientConfig> {
        Some(match self.state.as_ref()? {
            State::Disconnected(session) => session.config(),
            State::Pending(session) => session.config(),
            State::Connected(session) => session.config(),
        })
    }

    fn connect_encoded(&mut self, socket: Option<T>, auth: Vec<u8>) -> Result<(), ConnectError> {
        let session = match self.state.take() {
            Some(State::Disconnected(session)) => session,
            other => {
                self.state = other;
                return Err(ConnectError::AlreadyConnected);
            }
        };
        match session.connect_encoded(socket, auth.clone()) {
            Ok(session) => {
                self.auth = auth;
                self.retry.at = None;
                self.observer.connecting();
                self.state = Some(State::Pending(session));
                Ok(())
            }
            Err(failed) => {
                self.state = Some(State::Disconnected(failed.session));
                Err(failed.error)
            }
        }
    }

    fn poll_disconnected(&mut self, mut session: Session<Disconnected, P, T, H>) -> State<P, T, H> {
        session.poll();
        if self.retry.at.is_none_or(|at| session.now() < at) {
            return State::Disconnected(session);
        }
        self.retry.at = None;
        match session.connect_encoded(None, self.auth.clone()) {
            Ok(session) => State::Pending(session),
            Err(failed) => State::Disconnected(failed.session),
        }
    }

    fn poll_pending(&mut self, session: Session<PendingAuth, P, T, H>) -> State<P, T, H> {
        match session.poll() {
            Progress::Waiting(session) => State::Pending(session),
            Progress::Connected(session) => {
                self.retry = Retry::default();
                self.observer.connected();
                self.events.push_back(ClientEvent::Connected);
                self.poll_connected(session)
            }
            Progress::Refused(session, reason) => self.ended(session, reason),
        }
    }

    fn poll_connected(&mut self, mut session: Session<Connected, P, T, H>) -> State<P, T, H> {
        session.receive();
        while let Some(incoming) = session.next_incoming() {
            self.channels.extend(session.came_by());
            self.events.push_back(match incoming {
                Incoming::Message(message) => ClientEvent::Message(message),
                Incoming::Request(requested) => ClientEvent::Request(requested),
            });
        }
        #[cfg(feature = "metrics")]
        self.observer.figures.tell(session.now(), || (session.stats(), session.tick_stats()));
        match session.poll() {
            Ok(session) => State::Connected(session),
            Err(session) => {
                let reason = session.reason().cloned().unwrap_or(DisconnectReason::PeerLeft);
                self.ended(session, reason)
            }
        }
    }

    fn ended(
        &mut self,
        mut session: Session<Disconnected, P, T, H>,
        reason: DisconnectReason,
    ) -> State<P, T, H> {
        let can_reopen = session.transport().is_some_and(ClientTransport::can_reopen);
        let policy = session.config().reconnect;
        let retry = policy.filter(|policy| policy.allows(self.retry.attempts, &reason, can_reopen));
        self.events.push_back(match reason {
            DisconnectReason::Rejected(reason) => {
                self.observer.rejected(&reason);
                ClientEvent::Rejected(reason)
            }
            reason => {
                self.observer.disconnected(&reason, session.stats());
                ClientEvent::Disconnected(reason)
            }
        });
        if let Some(policy) = retry {
            let after = policy.delay(self.retry.attempts, session.host_mut());
            self.retry.attempts += 1;
            self.retry.at = Some(session.now() + after);
            self.observer.reconnecting(self.retry.attempts, after);
            self.events.push_back(ClientEvent::Reconnecting { attempt: self.retry.attempts, after });
        }
        State::Disconnected(session)
    }
}

impl<P: Protocol, T: ClientTransport, H: Host> ConnectedClient<'_, P, T, H> {
    /// Queues a message for the server; it goes out with the next [`Client::send`].
    ///
    /// # Errors
    /// Where a field is over its limit, the message too large, or the channel's queue full. Nothing was sent; the
    /// message comes back.
    pub fn send<C: ChannelOf<P> + ToServer>(
        &mut self,
        message: impl MessageOf<P>,
    ) -> Result<(), Unsent<P::Message>> {
        self.session.send::<C>(message)
    }

    /// Asks the server. The request goes out with the next [`Client::send`]; its response can be waited for in two ways,
    /// as [`PendingResponse`] says.
    ///
    /// # Errors
    /// As [`send`](Self::send), and where `config.connection.max_requests_in_flight` wait for an answer already. Nothing
    /// was asked; the request comes back.
    pub fn request<C: ChannelOf<P> + CarriesRequests, R: RequestOf<P>>(
        &mut self,
        request: R,
    ) -> Result<PendingResponse<R>, Unsent<R>> {
        self.session.request::<C, R>(request)
    }

    /// Answers a request of the server. A response of another type than the request's does not compile.
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
        self.session.respond(responder, response)
    }

    /// What the session has done so far.
    #[must_use]
    pub fn stats(&self) -> ConnectionStats {
        self.session.stats()
    }

    /// What a channel has done so far.
    #[must_use]
    pub fn channel_stats<C: ChannelOf<P>>(&self) -> ChannelStats {
        self.session.channel_stats::<C>()
    }

    /// The round-trip time as measured so far.
    #[must_use]
    pub fn round_trip(&self) -> &RoundTrip {
        self.session.round_trip()
    }

    /// The tick that the client is in: that of the last [`ClientEvent::Tick`]. 0 before the first.
    ///
    /// It is ahead of the server's, so that what is sent in it arrives before the server comes to it.
    #[must_use]
    pub fn tick(&self) -> u32 {
        self.session.tick()
    }

    /// How much of the client's tick has passed, from 0 to 1: where between two simulated ticks a frame stands that is drawn
    /// now.
    #[must_use]
    pub fn tick_fraction(&self) -> f32 {
        self.session.tick_fraction()
    }

    /// The time that a client shows of the server's world: behind it by so much that the snapshots before and after it
    /// have nearly always arrived. `None` before anything came.
    #[must_use]
    pub fn shown_time(&self) -> Option<TickTime> {
        self.session.shown_time()
    }

    /// How the client's time stands to the server's.
    #[must_use]
    pub fn tick_stats(&self) -> TickStats {
        self.session.tick_stats()
    }

    /// The newest tick of the server that is known here.
    #[must_use]
    pub fn server_tick(&self) -> u32 {
        self.session.server_tick()
    }
}

impl<P: Protocol, T: ClientTransport, H: Host> fmt::Debug for Client<P, T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("protocol", &P::NAME)
            .field("phase", &self.phase())
            .finish_non_exhaustive()
    }
}

impl<P: Protocol, T, H> fmt::Debug for ConnectedClient<'_, P, T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectedClient").finish_non_exhaustive()
    }
}

impl<P: Protocol> fmt::Debug for ClientEvent<P>
where
    P::Message: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connected => f.write_str("Connected"),
            Self::Message(message) => f.debug_tuple("Message").field(message).finish(),
            Self::Request(requested) => f.debug_tuple("Request").field(requested).finish(),
            Self::Tick(tick) => f.debug_tuple("Tick").field(tick).finish(),
            Self::Entity(event) => event.fmt(f),
            Self::Unencodable(failure) => f.debug_tuple("Unencodable").field(failure).finish(),
            Self::Rejected(reason) => f.debug_tuple("Rejected").field(reason).finish(),
            Self::Disconnected(reason) => f.debug_tuple("Disconnected").field(reason).finish(),
            Self::Reconnecting { attempt, after } => {
                f.debug_struct("Reconnecting").field("attempt", attempt).field("after", after).finish()
            }
        }
    }
}
