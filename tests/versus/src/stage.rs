//! What a library has to do for the scenarios. They are written once, against this.

use std::time::Duration;

/// How long a tick is, on both sides.
pub(crate) const TICK: Duration = Duration::from_millis(50);

/// A server and its clients on one thread, over queues in memory, in virtual time. Clients that come in are put into
/// [`Room::Main`].
pub(crate) trait Stage: Sized {
    /// How it is set up: limits as they come, or lifted.
    type Setup: Copy;

    /// Whether there are entities yet. While there are none, the methods about them are never called.
    const HAS_ENTITIES: bool;

    /// A server that listens, and nobody else.
    fn new(setup: Self::Setup) -> Self;

    /// Time passes.
    fn advance(&mut self, by: Duration);

    /// One more client begins to connect, from an address that nobody had before.
    fn connect(&mut self);

    /// How many clients know that they are connected, and the server does too.
    fn connected(&self) -> usize;

    /// Every client says goodbye with its next turn.
    fn say_goodbye(&mut self);

    /// How many users the server has.
    fn users(&self) -> usize;

    /// The clients are gone, and all of their memory.
    fn drop_clients(&mut self);

    /// The server takes in what has come and handles its events.
    fn server_receive(&mut self);

    /// The server sends.
    fn server_send(&mut self);

    /// Every client takes in what has come, handles its events, and sends.
    fn clients_turn(&mut self);

    /// The server queues a message of 100 bytes for its first user, ordered and reliable; `false` where it is refused.
    fn send_message(&mut self) -> bool;

    /// What has happened so far.
    fn counts(&self) -> Counts;

    /// The server makes entities with a position of three `f32` each, in all these rooms.
    fn spawn(&mut self, count: usize, rooms: &[Room]);

    /// The server changes all three values of every entity.
    fn change_all(&mut self);

    /// How many entities there are on the clients, together.
    fn seen(&self) -> usize;

    /// Every user goes into a room, or leaves it.
    fn move_users(&mut self, room: Room, inside: bool);
}

/// Where entities and users are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    /// Everybody is in here from the start.
    Main,
    /// Who is in here is up to the scenario.
    Side,
}

impl Room {
    /// How many there are; each library's room keys stand in an array in this order.
    pub(crate) const COUNT: usize = 2;
}

/// What has happened on a stage so far.
#[derive(Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) to_clients: Lane,
    pub(crate) to_server: Lane,
    /// Messages that clients have read.
    pub(crate) messages: u64,
    /// Changes of entities that clients have read and that are in their world now.
    pub(crate) updates: u64,
}

/// Datagrams one way, without the headers of UDP and IP.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lane {
    pub(crate) datagrams: u64,
    pub(crate) bytes: u64,
}

impl Lane {
    pub(crate) fn count(&mut self, datagram: &[u8]) {
        self.datagrams += 1;
        self.bytes += datagram.len() as u64;
    }
}
