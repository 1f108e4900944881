//! A day in the life of a server, for whoever watches it.

use std::time::Duration;

use bowline::prelude::*;
use bowline_sim::{Cluster, ClusterConfig, Conditions, Door, Fault};

use crate::{Game, Ordered, login, numbered};

const S: Duration = Duration::from_secs(1);

/// Three clients come in and talk; one is kicked, one is cut off and comes back, and a fourth is turned away.
///
/// # Panics
/// Where the first client does not come in.
#[must_use]
pub fn a_day() -> Cluster<Game> {
    let mut config = ClusterConfig::new(3, 4);
    config.conditions = Conditions::new(30, 5, 0.05);
    config.client.reconnect = Some(ReconnectPolicy::default());
    for connection in [&mut config.server.connection, &mut config.client.connection] {
        connection.disconnection_timeout_duration = S * 2;
        // One that is lost is no reason to part.
        connection.heartbeat_interval = S / 4;
    }
    let mut cluster = Cluster::<Game>::new(config, login);
    (0..3).for_each(|client| cluster.connect(client));
    cluster.run_for(S * 2);
    for number in 0..100 {
        let _ = cluster.server_mut().broadcast::<Ordered>(Audience::all(), numbered(number, 100), |_, _| ());
        cluster.run_for(S / 20);
    }
    let address = cluster.client_address(0);
    let server = cluster.server_mut();
    let shouting = server.users().find(|user| server.user(*user).unwrap().address == address).unwrap();
    server.disconnect(shouting, "no shouting");
    cluster.apply(&Fault::Cut(1));
    cluster.run_for(S * 4);
    cluster.apply(&Fault::Join(1));
    cluster.run_for(S * 5);
    cluster.set_door(Door::Closed(RejectReason::Unauthorized));
    cluster.connect(3);
    cluster.run_for(S * 2);
    cluster
}
