//! What a server says: messages, requests and responses, and who hears them.

use bowline_core::connection::encode_error;
use bowline_core::{
    CarriesRequests, Channel, ChannelOf, Host, MessageOf, PendingResponse, Protocol, Request, RequestOf,
    Responder, SendError, SendErrorKind, ToClient, Transport, Unanswered, Unsent,
};

use super::Server;
use crate::rooms::{Audience, RoomId, RoomMut};
use crate::users::UserId;

impl<P: Protocol, T: Transport, H: Host> Server<P, T, H> {
    /// Queues a message for a user; it goes out with the next [`send`](Self::send).
    ///
    /// A user is gone from the moment its connection ends, which may be before its `Disconnected` event has been read.
    ///
    /// # Errors
    /// Where the user is gone, a field is over its limit, the message too large, or the channel's queue full. Nothing
    /// was sent; the message comes back.
    pub fn send_to<C: ChannelOf<P> + ToClient>(
        &mut self,
        user: UserId,
        message: impl MessageOf<P>,
    ) -> Result<(), Unsent<P::Message>> {
        let Some(user) = self.users.get_mut(user) else {
            return Err(Unsent { message: message.into(), error: not_connected::<C>() });
        };
        user.connection.send_message::<P, C>(message, &mut self.encoder)
    }

    /// Queues a message for an [`Audience`]: all users, a room, a list, with exceptions. It is encoded once. One whose
    /// queue is full misses it, and is given to `missed` with the reason.
    ///
    /// # Errors
    /// Where a field is over its limit. Nothing was sent to anybody; the message comes back.
    pub fn broadcast<C: ChannelOf<P> + ToClient>(
        &mut self,
        audience: Audience<'_>,
        message: impl MessageOf<P>,
        mut missed: impl FnMut(UserId, SendError),
    ) -> Result<(), Unsent<P::Message>> {
        let bytes = match self.encoder.encode::<P, C>(&message) {
            Ok(bytes) => bytes,
            Err(error) => return Err(Unsent { message: message.into(), error: encode_error::<C>(error) }),
        };
        audience.each(&self.rooms, &mut self.users, |user| {
            if let Err(error) = user.connection.send(C::INDEX, bytes) {
                missed(user.id, error);
            }
        });
        Ok(())
    }

    /// Asks a user. The request goes out with the next [`send`](Self::send); its response can be waited for in two ways,
    /// as [`PendingResponse`] says.
    ///
    /// # Errors
    /// As [`send_to`](Self::send_to), and where `config.connection.max_requests_in_flight` wait for this user's answer
    /// already. Nothing was asked; the request comes back.
    pub fn request_from<C: ChannelOf<P> + CarriesRequests, R: RequestOf<P>>(
        &mut self,
        user: UserId,
        request: R,
    ) -> Result<PendingResponse<R>, Unsent<R>> {
        let now = self.host.now();
        let Some(user) = self.users.get_mut(user) else {
            return Err(Unsent { message: request, error: not_connected::<C>() });
        };
        user.connection.request::<P, C, R>(now, request, &mut self.encoder)
    }

    /// Answers a request of a user, on the channel that it came by. A response of another type than the request's does not
    /// compile.
    ///
    /// # Errors
    /// Where the user is gone, a field is over its limit, the response too large, or the channel's queue full. Nothing was
    /// sent; response and responder come back.
    #[expect(clippy::result_large_err, reason = "the response is given back, whatever its size")]
    pub fn respond<R: Request>(
        &mut self,
        responder: Responder<R>,
        response: R::Response,
    ) -> Result<(), Unanswered<R>> {
        match self.users.get_mut(UserId::from_bits(responder.asker())) {
            Some(user) => user.connection.respond(responder, response, &mut self.encoder),
            None => Err(Unanswered::not_connected(responder, response)),
        }
    }

    /// Opens a room. Nobody is in it.
    pub fn create_room(&mut self) -> RoomId {
        self.rooms.open()
    }

    /// Closes a room; those in it stay connected. `false` where it was closed before.
    pub fn destroy_room(&mut self, room: RoomId) -> bool {
        let was_open = self.rooms.close(room);
        if was_open {
            self.replication.close_room(room.slot());
        }
        was_open
    }

    /// A room, to let users and entities in and out. A user that disconnects leaves all its rooms by itself.
    pub const fn room_mut(&mut self, room: RoomId) -> RoomMut<'_, P, T::Address> {
        let Self { rooms, users, replication, .. } = self;
        RoomMut { rooms, users, replication, id: room }
    }

    /// The open rooms, in a stable order.
    pub fn rooms(&self) -> impl Iterator<Item = RoomId> {
        self.rooms.ids()
    }

    /// Those in a room, in the order of [`users`](Self::users); nobody, where it is closed.
    pub fn users_in(&self, room: RoomId) -> impl Iterator<Item = UserId> {
        self.rooms.users(room)
    }

    /// How many are in a room; 0 where it is closed.
    #[must_use]
    pub fn user_count_in(&self, room: RoomId) -> usize {
        self.rooms.len(room)
    }

    /// Whether a room is open and a user in it.
    #[must_use]
    pub fn is_in(&self, user: UserId, room: RoomId) -> bool {
        self.rooms.contains(room, user)
    }
}

fn not_connected<C: Channel>() -> SendError {
    SendError { channel: C::SPEC.name, kind: SendErrorKind::NotConnected }
}
