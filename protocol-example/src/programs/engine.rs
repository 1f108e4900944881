use bowline::prelude::*;
use bowline::transport::PackAddress;

use crate::game::{ArenaClient, ArenaServer, ClientSide, ServerSide};

/// What the game runs on, for the demo and the programs to be written once.
pub trait Engine: Copy {
    /// The folder of its page for browsers, beside the programs of the workspace.
    const PAGE: &'static str;
    /// The server's half.
    type Server<T: ServerSocket>: ServerSide<Socket = T>;
    /// A player's half.
    type Client<T: ClientSocket>: ClientSide<Socket = T>;
}

/// Plain method calls: [`Server`] and [`Client`] in a loop.
#[derive(Clone, Copy, Debug)]
pub struct OnCore;

impl Engine for OnCore {
    const PAGE: &'static str = "web";
    type Server<T: ServerSocket> = ArenaServer<T>;
    type Client<T: ClientSocket> = ArenaClient<T>;
}

/// A transport that any engine can listen on: one that can go to another thread.
pub trait ServerSocket: Transport<Address: PackAddress> + Send + 'static {}

impl<T: Transport<Address: PackAddress> + Send + 'static> ServerSocket for T {}

/// The same for a client.
pub trait ClientSocket: ClientTransport<Address: PackAddress> + Send + 'static {}

impl<T: ClientTransport<Address: PackAddress> + Send + 'static> ClientSocket for T {}
