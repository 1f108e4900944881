mod entities;
mod talk;

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bowline_core::connection::{
    Disconnected, Incoming, Intake, MessageEncoder, PathChange, Received, decode_received,
};
use bowline_core::handshake::{Caller, Doorway, Knock};
use bowline_core::protocol::{Mode, decode_exactly};
use bowline_core::{
    AppText, ChannelOf, ChannelStats, Connection, Demux, DisconnectReason, Host, Instant, Protocol,
    ProtocolSpec, RejectReason, Security, SessionKey, SocketConfig, Transport, TransportError,
    TransportErrorKind,
};

use bowline_replication::ServerSide;

use crate::ServerConfig;
use crate::auth::{AuthRequest, Authenticate, Decisions};
use crate::event::{Departure, Rejection, ServerEvent};
use crate::observe::Observer;
use crate::rooms::Rooms;
use crate::ticks::{Due, Ticks};
use crate::users::{User, UserId, UserInfo, Users};

/// A server: many connections behind one transport.
///
/// * **Act:** [`listen`](Self::listen), [`send_to`](Self::send_to), [`broadcast`](Self::broadcast), [`disconnect`](Self::disconnect).
/// * **Feed:** [`receive`](Self::receive), once a turn of the game loop.
/// * **Drain:** [`next_event`](Self::next_event) until there is none; then [`send`](Self::send).
/// * **Look:** [`users`](Self::users), [`user`](Self::user), [`tick`](Self::tick), [`next_deadline`](Self::next_deadline).
///
/// One law: `receive`, all events, `send`.
pub struct Server<P: Protocol, T: Transport, H> {
    config: ServerConfig,
    host: H,
    transport: Option<T>,
    doorway: Doorway<T::Address>,
    decisions: Decisions<P, T::Address>,
    authenticate: Option<Arc<dyn Authenticate<P>>>,
    users: Users<T::Address, P::Auth>,
    rooms: Rooms,
    replication: ServerSide<P>,
    ghosts: VecDeque<Ghost<T::Address>>,
    events: VecDeque<Queued<P, T::Address>>,
    ticks: Ticks,
    encoder: MessageEncoder,
    came_by: Option<usize>,
    datagram: Vec<u8>,
    observer: Observer,
    strays: u64,
    shutting_down: bool,
}

/// An event; a message is decoded only when it is asked for.
enum Queued<P: Protocol, A> {
    Event(ServerEvent<P, A>),
    Message(UserId, Received),
    Input(UserId, u32, Received),
}

/// A session that is over and whose other end may not know it yet.
struct Ghost<A> {
    key: SessionKey<A>,
    address: A,
    connection: Connection<Disconnected>,
    until: Instant,
}

/// A flood does not keep one `receive` busy for ever: some 20 MB of datagrams.
const MAX_RECEIVES: usize = 16_384;
/// For how long a session that is over is remembered, so that its other end can be told again.
const GHOST_LIFETIME: Duration = Duration::from_secs(10);
/// How many such are remembered.
const MAX_GHOSTS: usize = 1_024;
/// How often a look-up that takes time is asked whether it is done.
const LOOKUP_INTERVAL: Duration = Duration::from_millis(10);

impl<P: Protocol, T: Transport, H: Host + Default> Server<P, T, H> {
    /// A server on the host's own defaults.
    #[must_use]
    pub fn new(config: ServerConfig) -> Self {
        Self::with_host(config, H::default())
    }
}

impl<P: Protocol, T: Transport, H: Host> Server<P, T, H> {
    /// A server on a host of the caller's choice: a simulated one, say.
    #[must_use]
    pub fn with_host(config: ServerConfig, mut host: H) -> Self {
        let protocol = ProtocolSpec::of::<P>();
        let doorway = Doorway::new(config.doorway.clone(), protocol, &mut host);
        let replication = ServerSide::new(config.client_entities);
        Self {
            config,
            host,
            transport: None,
            doorway,
            decisions: Decisions::new(),
            authenticate: None,
            users: Users::new(),
            rooms: Rooms::default(),
            replication,
            ghosts: VecDeque::new(),
            events: VecDeque::new(),
            ticks: Ticks::new(protocol.tick_interval()),
            encoder: MessageEncoder::default(),
            came_by: None,
            datagram: Vec::new(),
            observer: Observer::default(),
            strays: 0,
            shutting_down: false,
        }
    }

    /// What the socket should be like, as the configuration says.
    #[must_use]
    pub fn socket_config(&self) -> SocketConfig {
        self.config.socket.clone()
    }

    /// Listens. Ticks are counted from here. A socket that was listened on before is dropped.
    pub fn listen(&mut self, socket: T) {
        self.ticks.start(self.host.now());
        self.transport = Some(socket);
        self.shutting_down = false;
    }

    /// Has `authenticate` decide who comes in, instead of `AuthRequested` events.
    pub fn authenticate_with(&mut self, authenticate: Arc<dyn Authenticate<P>>) {
        self.authenticate = Some(authenticate);
    }

    /// Takes in what has arrived, looks at the time, and makes the events of both.
    pub fn receive(&mut self) {
        let now = self.host.now();
        self.decide(now);
        for _ in 0..MAX_RECEIVES {
            if !self.receive_one(now) {
                break;
            }
        }
        self.doorway.handle_timeout(now);
        self.answer_knocks();
        self.decide(now);
        for slot in 0..self.users.slots() {
            if let Some(id) = self.users.awake_at(slot, now) {
                self.look_after(now, id);
            }
        }
        while self.ghosts.front().is_some_and(|ghost| now >= ghost.until) {
            self.forget_ghost();
        }
        if const { P::SCHEMA.has_entities() } {
            self.hear_of_entities();
        }
        if self.transport.is_some() {
            let before = self.ticks.current();
            for due in self.ticks.advance(now) {
                self.hand_out_inputs(now, due);
                self.events.push_back(Queued::Event(ServerEvent::Tick(due.tick)));
            }
            self.observer.ticked(self.ticks.current().wrapping_sub(before));
        }
        #[cfg(feature = "metrics")]
        {
            let strays = self.strays();
            let users = self.users.iter().map(|user| user.connection.stats());
            self.observer.figures.tell(now, users, self.doorway.pending(), strays);
        }
    }

    /// What has happened next. Messages that the protocol does not know are dropped and counted.
    pub fn next_event(&mut self) -> Option<ServerEvent<P, T::Address>> {
        loop {
            let event = match self.events.pop_front()? {
                Queued::Event(event) => Some(event),
                Queued::Message(user, received) => self.read(user, received).map(|incoming| match incoming {
                    Incoming::Message(message) => ServerEvent::Message(user, message),
                    Incoming::Request(requested) => ServerEvent::Request(user, requested),
                }),
                Queued::Input(user, tick, received) => {
                    self.read(user, received).and_then(|incoming| match incoming {
                        Incoming::Message(message) => Some(ServerEvent::Input { user, tick, message }),
                        // No tick-buffered channel carries requests.
                        Incoming::Request(_) => None,
                    })
                }
            };
            if event.is_some() {
                return event;
            }
        }
    }

    /// By which channel the message, input or request came that [`next_event`](Self::next_event) has given last: the
    /// channel's [`INDEX`](ChannelOf::INDEX). `None` before the first.
    #[must_use]
    pub const fn came_by(&self) -> Option<usize> {
        self.came_by
    }

    /// Whether [`next_event`](Self::next_event) would find something.
    #[must_use]
    pub fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// Sends what is due to everybody: answers, queued messages, acknowledgements, heartbeats, goodbyes.
    pub fn send(&mut self) {
        let now = self.host.now();
        self.decide(now);
        if const { P::SCHEMA.has_entities() } && self.transport.is_some() {
            self.replication.collect();
        }
        let Self { transport, doorway, users, replication, ghosts, datagram, ticks, observer, .. } = self;
        let Some(transport) = transport else { return };
        let mut put = |to, datagram: &[u8]| {
            if let Err(error) = transport.send(now, to, datagram) {
                observer.sending_failed(to, error);
            }
        };
        while let Some(to) = doorway.poll_transmit(datagram) {
            put(to, datagram);
        }
        for user in users.iter_as_they_are() {
            if user.sleeps(now) && !replication.has_news_for(user.id.slot()) {
                continue;
            }
            user.connection.set_tick(now, ticks.current(), ticks.elapsed(now));
            if const { P::SCHEMA.has_entities() } {
                entities::transmit(user, replication, (now, ticks.current()), datagram, &mut put);
            } else {
                while user.connection.poll_transmit(now, datagram) {
                    put(user.path.address(), datagram);
                }
            }
            if let Some(to) = user.connection.poll_path(&mut user.path, now, datagram) {
                put(to, datagram);
            }
            // Who drops a request's responder touches no user, but it has an answer to send.
            if const { P::SCHEMA.requests.is_empty() } {
                user.fall_asleep();
            }
        }
        for ghost in ghosts {
            while ghost.connection.poll_transmit(now, datagram) {
                put(ghost.address, datagram);
            }
        }
        if let Err(error) = transport.flush(now) {
            observer.flushing_failed(error);
        }
    }

    /// Ends a user's connection; the user is told `reason`. What is queued for it goes out once before that, and is
    /// not sent again. Everything of it is gone at once, and the event follows. A user that is gone already stays so.
    pub fn disconnect(&mut self, user: UserId, reason: impl Into<AppText>) {
        let now = self.host.now();
        self.remove(now, user, DisconnectReason::Kicked(reason.into()));
    }

    /// Ends every connection, and lets nobody in any more: users, and those who knock, are told that the server shuts
    /// down. Go on calling `receive` and `send` for half a second, so that all hear it.
    pub fn shut_down(&mut self) {
        self.shutting_down = true;
        let now = self.host.now();
        for slot in 0..self.users.slots() {
            if let Some(id) = self.users.id_at(slot) {
                self.remove(now, id, DisconnectReason::ServerShutdown);
            }
        }
    }

    /// The connected users, in a stable order.
    pub fn users(&self) -> impl Iterator<Item = UserId> {
        self.users.iter().map(|user| user.id)
    }

    /// What is known of a user; `None` where it is gone.
    #[must_use]
    pub fn user(&self, user: UserId) -> Option<UserInfo<T::Address>> {
        let user = self.users.get(user)?;
        let address = user.path.address();
        let transport = self.transport.as_ref().map_or("", |transport| transport.name(address));
        Some(UserInfo { address, transport, stats: user.connection.stats() })
    }

    /// What a channel has done so far for a user; `None` where it is gone.
    #[must_use]
    pub fn channel_stats<C: ChannelOf<P>>(&self, user: UserId) -> Option<ChannelStats> {
        Some(self.users.get(user)?.connection.channel_stats(C::INDEX))
    }

    /// The credentials that a user showed when it came in; `None` where it is gone.
    #[must_use]
    pub fn auth(&self, user: UserId) -> Option<&P::Auth> {
        self.users.get(user).map(|user| &user.auth)
    }

    /// How many users are connected.
    #[must_use]
    pub fn user_count(&self) -> usize {
        self.users.len()
    }

    /// The current tick; 0 before the first.
    #[must_use]
    pub const fn tick(&self) -> u32 {
        self.ticks.current()
    }

    /// Datagrams that belonged to nobody and made no sense as a handshake either.
    #[must_use]
    pub const fn strays(&self) -> u64 {
        self.strays + self.doorway.malformed()
    }

    /// How many clients are on the way in.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.doorway.pending()
    }

    /// When [`receive`](Self::receive) or [`send`](Self::send) will have something to do, if nothing arrives and nothing
    /// is sent. `None` before `listen`.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let transport = self.transport.as_ref()?;
        let users = self.users.iter().map(|user| user.connection.next_deadline());
        let ghosts = self.ghosts.iter().filter_map(|ghost| ghost.connection.next_deadline());
        let lookups = self.decisions.has_lookups().then(|| self.host.now() + LOOKUP_INTERVAL);
        [Some(self.ticks.next_at()), self.doorway.next_deadline(), transport.next_deadline(), lookups]
            .into_iter()
            .flatten()
            .chain(users)
            .chain(ghosts)
            .min()
    }

    /// The transport, once it listens: to change a link conditioner, or to wait for datagrams.
    pub const fn transport_mut(&mut self) -> Option<&mut T> {
        self.transport.as_mut()
    }

    /// The host: its clock, its randomness.
    pub const fn host_mut(&mut self) -> &mut H {
        &mut self.host
    }

    /// Takes one datagram in; `false` when there is none.
    fn receive_one(&mut self, now: Instant) -> bool {
        let Some(transport) = &mut self.transport else { return false };
        let from = match transport.receive(now) {
            Ok(Some(datagram)) => {
                // A copy, because the transport is asked about the sender next; it costs some 20 ns.
                self.datagram.clear();
                self.datagram.extend_from_slice(datagram.bytes);
                datagram.from
            }
            Ok(None) => return false,
            Err(error) => {
                self.observer.receiving_failed(&error);
                if error.kind() == TransportErrorKind::Closed {
                    self.users.iter_mut().for_each(|user| user.connection.handle_transport_closed());
                    return false;
                }
                return true;
            }
        };
        let security = transport.security(from);
        match Demux::of(&self.datagram, from, security) {
            Demux::Data(key) => self.receive_data(now, from, key, security),
            Demux::Goodbye(key) => {
                if let Some(user) = self.users.by_key(key) {
                    user.connection.handle_goodbye(&self.datagram);
                }
            }
            Demux::PathResponse(key, data) => {
                if let Some(user) = self.users.by_key(key)
                    && let PathChange::Moved(old) = user.path.answered(from, data)
                {
                    self.observer.moved(user.id, old, from);
                }
            }
            Demux::Handshake => self.doorway.handle_datagram(now, from, security, &self.datagram),
        }
        true
    }

    fn receive_data(
        &mut self,
        now: Instant,
        from: T::Address,
        key: SessionKey<T::Address>,
        security: Security,
    ) {
        let Some(user) = self.users.by_key(key) else {
            self.strays += 1;
            if let Some(ghost) = self.ghosts.iter_mut().find(|ghost| ghost.key == key) {
                ghost.connection.repeat_farewell(now);
            }
            return;
        };
        match user.connection.handle_datagram(now, &self.datagram) {
            Intake::Dropped => return,
            Intake::Newest if !security.address_proved => {
                user.path.heard_from(now, from, self.datagram.len(), &mut self.host);
            }
            Intake::Newest | Intake::Late => {}
        }
        let (state, control) = const { P::SCHEMA.entity_channels() };
        while let Some(received) = user.connection.next_message() {
            if const { P::SCHEMA.has_entities() } && received.channel >= state {
                let slot = user.id.slot();
                if received.channel == control {
                    self.replication.take_in_control(slot, &received.bytes);
                } else {
                    let (packet, tick) = (received.packet, received.sent_in as u32);
                    self.replication.take_in_state(slot, &received.bytes, packet, tick);
                }
                user.connection.recycle(received);
                continue;
            }
            self.events.push_back(Queued::Message(user.id, received));
        }
    }

    /// Has everybody's messages for a tick come before it.
    fn hand_out_inputs(&mut self, now: Instant, due: Due) {
        if !const { P::SCHEMA.has_mode(Mode::TickBuffered) } {
            return;
        }
        for user in self.users.iter_mut() {
            user.connection.set_tick(now, due.tick, due.late_by);
            while let Some(received) = user.connection.next_input() {
                self.events.push_back(Queued::Input(user.id, due.tick, received));
            }
        }
    }

    /// Decodes what has arrived from a user, who may be gone.
    fn read(&mut self, id: UserId, mut received: Received) -> Option<Incoming<P>> {
        self.came_by = Some(received.channel);
        match self.users.get_mut(id) {
            Some(user) => user.connection.read::<P>(received, id.to_bits()),
            None => decode_received::<P>(&mut received, id.to_bits()),
        }
    }

    /// Turns what the doorway has heard into events, or into look-ups.
    fn answer_knocks(&mut self) {
        while let Some(knock) = self.doorway.next_knock() {
            match knock {
                Knock::Credentials { caller, auth } => self.ask(caller, &auth),
                Knock::Mismatch { caller, mismatch } => {
                    self.rejected(caller, RejectReason::ProtocolMismatch(mismatch));
                }
                Knock::Expired { caller } => {
                    self.decisions.forget(caller);
                    self.rejected(caller, RejectReason::Undecided);
                }
            }
        }
    }

    /// Asks the application, or whoever decides for it, about a caller.
    fn ask(&mut self, caller: Caller<T::Address>, auth: &[u8]) {
        if let Some(reason) = self.closed_door() {
            return self.turn_away(caller, reason);
        }
        let Ok(auth) = decode_exactly::<P::Auth>(auth) else {
            return self.turn_away(caller, RejectReason::InvalidCredentials);
        };
        if let Some(authenticate) = &self.authenticate {
            let address = caller.address();
            let transport = self.transport.as_ref().map_or("", |transport| transport.name(address));
            let request = AuthRequest { auth, address: address.to_string(), transport };
            self.decisions.look_up(caller, Arc::clone(authenticate), request);
        } else {
            let ticket = self.decisions.ticket(caller, auth);
            self.events.push_back(Queued::Event(ServerEvent::AuthRequested(ticket)));
        }
    }

    /// Refuses a caller for a reason of the server's own, and says so in an event.
    fn turn_away(&mut self, caller: Caller<T::Address>, reason: RejectReason) {
        self.doorway.refuse(self.host.now(), caller, reason.clone());
        self.rejected(caller, reason);
    }

    /// Why nobody can come in now, whatever they show.
    fn closed_door(&self) -> Option<RejectReason> {
        if self.shutting_down {
            return Some(RejectReason::ShuttingDown);
        }
        (self.users.len() >= self.config.max_users).then_some(RejectReason::ServerFull)
    }

    fn rejected(&mut self, caller: Caller<T::Address>, reason: RejectReason) {
        self.observer.rejected(caller.address(), &reason);
        let rejection = Rejection { address: caller.address(), reason };
        self.events.push_back(Queued::Event(ServerEvent::Rejected(rejection)));
    }

    /// Carries out the decisions that have been made.
    fn decide(&mut self, now: Instant) {
        for (caller, decision) in self.decisions.take_made() {
            match decision {
                Ok(auth) => match self.closed_door() {
                    Some(reason) => self.turn_away(caller, reason),
                    None => self.admit(now, caller, auth),
                },
                Err(reason) => {
                    self.observer.rejected(caller.address(), &reason);
                    self.doorway.refuse(now, caller, reason);
                }
            }
        }
    }

    fn admit(&mut self, now: Instant, caller: Caller<T::Address>, auth: P::Auth) {
        let Some(transport) = &self.transport else { return };
        let address = caller.address();
        let security = transport.security(address);
        // A number that no session has; on a secret path only 16 bits of it have to be new, for one address.
        let (token, key) = loop {
            let token = self.host.next_u64();
            let key = SessionKey::of(token, address, security);
            if !self.users.knows_key(key) {
                break (token, key);
            }
        };
        let config = self.config.connection.clone();
        let Some(mut connection) = self.doorway.accept(now, caller, token, self.ticks.current(), config)
        else {
            return;
        };
        connection.set_tick(now, self.ticks.current(), self.ticks.elapsed(now));
        connection.set_max_datagram(self.config.socket.max_datagram_size.min(transport.max_datagram_size()));
        let name = transport.name(address);
        let id = self.users.insert(connection, caller, key, auth);
        if const { P::SCHEMA.has_entities() } {
            self.replication.connect(id.slot());
        }
        self.observer.connected(id, address, name);
        self.events.push_back(Queued::Event(ServerEvent::Connected(id)));
    }

    /// Looks at the time for a user, and removes it if its connection has ended.
    fn look_after(&mut self, now: Instant, id: UserId) {
        let Some(user) = self.users.get_mut(id) else { return };
        user.connection.handle_timeout(now);
        if let Some(reason) = user.connection.end_reason().cloned() {
            self.remove(now, id, reason);
        }
    }

    fn remove(&mut self, now: Instant, id: UserId, reason: DisconnectReason) {
        let Some(User { id, mut connection, path, caller, key, .. }) = self.users.remove(id) else { return };
        self.rooms.forget(id);
        self.replication.disconnect(id.slot());
        self.doorway.depart(now, caller);
        let address = path.address();
        if let Some(transport) = &mut self.transport {
            while connection.poll_transmit(now, &mut self.datagram) {
                if let Err(error) = transport.send(now, address, &self.datagram) {
                    self.observer.sending_failed(address, error);
                }
            }
        }
        let connection = connection.disconnect(now, reason.clone());
        let stats = Box::new(*connection.stats());
        self.observer.disconnected(id, address, &reason, &stats);
        if connection.next_deadline().is_some() {
            if self.ghosts.len() >= MAX_GHOSTS {
                self.forget_ghost();
            }
            self.ghosts.push_back(Ghost { key, address, connection, until: now + GHOST_LIFETIME });
        } else {
            self.close(address);
        }
        let departure = Departure { user: id, address, reason, stats };
        self.events.push_back(Queued::Event(ServerEvent::Disconnected(departure)));
    }
}

impl<P: Protocol, T: Transport, H> Server<P, T, H> {
    /// The oldest session that is over has been told so often enough.
    fn forget_ghost(&mut self) {
        if let Some(ghost) = self.ghosts.pop_front() {
            self.close(ghost.address);
        }
    }

    /// Lets the transport forget an address, if no session is there any more.
    fn close(&mut self, address: T::Address) {
        let is_used = self.users.iter().any(|user| user.path.address() == address)
            || self.ghosts.iter().any(|ghost| ghost.address == address);
        if let Some(transport) = self.transport.as_mut().filter(|_| !is_used) {
            transport.close(address);
        }
    }
}

impl<P: Protocol, T: Transport, H> fmt::Debug for Server<P, T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("protocol", &P::NAME).finish_non_exhaustive()
    }
}
