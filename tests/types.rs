//! What the public types promise beside their methods: where they may go, what cannot be copied, how large they are. It
//! all is checked when this file compiles.

use std::error::Error;
use std::fmt::{Debug, Display};
use std::hash::Hash;
use std::net::SocketAddr;

use bowline::driver::{Drive, Flow};
use bowline::prelude::*;
use bowline::transport::{local, udp};
use bowline::{AppText, AuthTicket, ConnectError, Departure, Instant, Rejection, UserInfo};
use bowline_tests::rig::{Arena, ArenaMessage};
use static_assertions::{
    assert_eq_size, assert_impl_all, assert_not_impl_any, assert_type_eq_all, const_assert,
};

type UdpServer = Server<Arena, udp::Socket>;
type UdpClient = Client<Arena, udp::ClientSocket>;
type UdpSession<S> = Session<S, Arena, udp::ClientSocket>;
type Ticket = AuthTicket<Arena, SocketAddr>;

// A server, a client, a session may be moved to another thread, with all that they give out.
assert_impl_all!(UdpServer: Send, Debug, Drive);
assert_impl_all!(UdpClient: Send, Debug, Drive);
assert_impl_all!(UdpSession<Disconnected>: Send, Debug);
assert_impl_all!(UdpSession<PendingAuth>: Send, Debug);
assert_impl_all!(UdpSession<Connected>: Send, Debug);
assert_impl_all!(Server<Arena, local::Socket>: Send);
assert_impl_all!(Client<Arena, local::ClientSocket>: Send);
assert_impl_all!(ServerEvent<Arena, SocketAddr>: Send, Debug);
assert_impl_all!(ClientEvent<Arena>: Send, Debug);

// A ticket is one decision, and may be taken on any thread.
assert_impl_all!(Ticket: Send, Debug);
assert_not_impl_any!(Ticket: Clone, Copy);

// There is one of each; whoever holds it, has it.
assert_not_impl_any!(UdpServer: Clone);
assert_not_impl_any!(UdpClient: Clone);
assert_not_impl_any!(UdpSession<Connected>: Clone);
assert_not_impl_any!(Connected: Clone, Default);
assert_not_impl_any!(local::Socket: Clone);
assert_not_impl_any!(udp::Socket: Clone);
assert_impl_all!(local::Hub: Clone, Send, Sync);

// Addresses, ids and figures are plain values.
assert_impl_all!(SocketAddr: bowline::transport::Address);
assert_impl_all!(local::Address: Copy, Ord, Hash, Display, Send, Sync, bowline::transport::Address);
assert_impl_all!(UserId: Copy, Ord, Hash, Display, Send, Sync);
assert_impl_all!(ProtocolId: Copy, Eq, Hash, Display, Send, Sync);
assert_impl_all!(Instant: Copy, Ord, Hash, Default, Send, Sync);
assert_impl_all!(ConnectionStats: Copy, Default, Send, Sync);
assert_impl_all!(UserInfo<SocketAddr>: Copy, Send, Sync);
assert_impl_all!(Departure<SocketAddr>: Clone, PartialEq, Send, Sync);
assert_impl_all!(Rejection<SocketAddr>: Clone, PartialEq, Send, Sync);

// Errors and reasons can be boxed, sent and shown.
assert_impl_all!(SendError: Error, Clone, Send, Sync);
assert_impl_all!(ConnectError: Error, Clone, Send, Sync);
assert_impl_all!(RejectReason: Error, Clone, Eq, Send, Sync);
assert_impl_all!(DisconnectReason: Error, Clone, Eq, Send, Sync);
assert_impl_all!(AppText: Display, Clone, Ord, Hash, Send, Sync);

// The states are cheap to move: what they hold is behind one pointer.
assert_eq_size!(Disconnected, usize);
assert_eq_size!(PendingAuth, usize);
assert_eq_size!(Connected, usize);
const_assert!(size_of::<UserId>() == 8);
const_assert!(size_of::<Instant>() == 8);
const_assert!(size_of::<DisconnectReason>() <= 32);

// The names of the facade are on this machine unless another is named, and the generated names lead to the traits'.
assert_type_eq_all!(UdpServer, Server<Arena, udp::Socket, SystemClock>);
assert_type_eq_all!(<Arena as bowline::Protocol>::Message, ArenaMessage);

// What a handler of the driver may return.
assert_impl_all!((): Flow);
assert_impl_all!(std::ops::ControlFlow<u8>: Flow);
assert_impl_all!(Result<(), SendError>: Flow);

/// A run may be spawned, whatever the protocol.
fn _needs_send<P: Protocol>(mut server: Server<P, udp::Socket>, mut client: Client<P, udp::ClientSocket>) {
    fn is_send(_: impl Send) {}
    is_send(server.run(|_, _| ()));
    is_send(client.run_until(std::future::ready(()), |_, _| ()));
}
