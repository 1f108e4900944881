use std::ops::{Deref, DerefMut};
use std::time::Duration;

use bowline_client::{Client, ClientEvent};
use bowline_core::Protocol;
use bowline_server::UserId;

use crate::cluster::{Cluster, ClusterConfig, Seen};
use crate::{Conditions, SimHost, SimSocket};

/// A server and one client. Everything of [`Cluster`] is there too.
///
/// ```
/// use bowline::prelude::*;
/// use bowline_sim::{Conditions, Pair};
///
/// #[derive(Channel)]
/// #[channel(ordered_reliable, bidirectional)]
/// struct Talk;
/// #[derive(Protocol)]
/// #[protocol(tick_rate = 20, channels(Talk))]
/// struct Game;
///
/// let pair = Pair::<Game>::connected(1, Conditions::new(50, 0, 0.0), ());
/// assert_eq!(pair.server().user_count(), 1);
/// ```
#[derive(Debug)]
pub struct Pair<P: Protocol>(Cluster<P>);

impl<P: Protocol<Auth: Clone>> Pair<P> {
    /// A pair that is not connected.
    #[must_use]
    pub fn new(config: ClusterConfig, auth: P::Auth) -> Self {
        Self(Cluster::new(ClusterConfig { clients: 1, ..config }, move |_| auth.clone()))
    }

    /// A pair that is connected.
    ///
    /// # Panics
    /// Where it could not be within 30 seconds of virtual time.
    #[must_use]
    pub fn connected(seed: u64, conditions: Conditions, auth: P::Auth) -> Self {
        let mut pair = Self::new(ClusterConfig { conditions, ..ClusterConfig::new(seed, 1) }, auth);
        pair.connect();
        let connected = pair.0.run_until(Duration::from_secs(30), |cluster| {
            let client = cluster.client(0).phase() == bowline_core::Phase::Connected;
            client && cluster.server().user_count() == 1
        });
        assert!(
            connected,
            "seed {seed}: not connected; the client saw {} events",
            pair.0.client_seen(0).len()
        );
        pair
    }
}

impl<P: Protocol> Pair<P> {
    /// Has the client begin to connect.
    pub fn connect(&mut self) {
        self.0.connect(0);
    }

    /// The client.
    pub fn client_mut(&mut self) -> &mut Client<P, SimSocket, SimHost> {
        self.0.client_mut(0)
    }

    /// The server's only user.
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    pub fn user(&self) -> UserId {
        self.0.server().users().next().expect("a user is connected")
    }

    /// Every message that the server has received, in order.
    #[must_use]
    pub fn server_messages(&self) -> Vec<&P::Message> {
        let messages = self.0.server_seen().iter().filter_map(|(_, seen)| match seen {
            Seen::Message(_, message) => Some(message),
            _ => None,
        });
        messages.collect()
    }

    /// Every message that the client has received, in order.
    #[must_use]
    pub fn client_messages(&self) -> Vec<&P::Message> {
        let messages = self.0.client_seen(0).iter().filter_map(|(_, event)| match event {
            ClientEvent::Message(message) => Some(message),
            _ => None,
        });
        messages.collect()
    }
}

impl<P: Protocol> Deref for Pair<P> {
    type Target = Cluster<P>;

    fn deref(&self) -> &Cluster<P> {
        &self.0
    }
}

impl<P: Protocol> DerefMut for Pair<P> {
    fn deref_mut(&mut self) -> &mut Cluster<P> {
        &mut self.0
    }
}
