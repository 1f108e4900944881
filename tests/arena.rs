//! A protocol with entities, and what the tests of replication ask of a cluster with it.

use std::time::Duration;

use bowline::prelude::*;
use bowline_sim::{Cluster, ClusterConfig, Conditions};

/// A component of several fields.
#[derive(Replicate, Clone, Copy, Debug, PartialEq)]
pub struct Position {
    /// From west to east.
    pub x: f32,
    /// From south to north.
    pub y: f32,
    /// Up.
    pub z: f32,
}

/// A component of one field.
#[derive(Replicate, Clone, Copy, Debug, PartialEq)]
pub struct Health(pub u8);

/// A component without fields.
#[derive(Replicate, Clone, Copy, Debug, Default, PartialEq)]
pub struct Frozen;

/// A component that may be larger than a packet.
#[derive(Replicate, Clone, Debug, PartialEq)]
pub struct Diary {
    /// What happened.
    #[wire(max_len = 20000)]
    pub text: String,
    /// How often it was written to.
    pub entries: u32,
}

/// A component that refers to another entity.
#[derive(Replicate, Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// To whom.
    pub at: NetEntity,
}

/// Two fields that always change together: one is the other plus seven.
#[derive(Replicate, Clone, Copy, Debug, PartialEq)]
pub struct Twins {
    /// The one.
    pub one: u32,
    /// The other.
    pub other: u32,
    /// This one changes by itself.
    pub alone: u16,
}

/// A component that never changes.
#[derive(Replicate, Clone, Debug, PartialEq)]
#[replicate(immutable)]
pub struct Name {
    /// What it is called.
    #[wire(max_len = 40)]
    pub name: String,
}

/// A resource.
#[derive(Replicate, Clone, Debug, PartialEq)]
pub struct Score {
    /// Of the left team.
    pub left: u32,
    /// Of the right team.
    pub right: u32,
}

/// Another resource.
#[derive(Replicate, Clone, Debug, PartialEq)]
pub struct Weather(pub String);

/// A message that names an entity.
#[derive(Message, Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// At which.
    pub at: NetEntity,
}

/// In order.
#[derive(Channel, Clone, Copy, Debug)]
#[channel(ordered_reliable, bidirectional)]
pub struct Talk;

/// The protocol.
#[derive(Protocol, Clone, Copy, Debug)]
#[protocol(
    tick_rate = 20,
    channels(Talk),
    messages(Look),
    components(Position, Health, Frozen, Diary, Target, Twins, Name),
    resources(Score, Weather),
    derive(Clone, Debug, PartialEq)
)]
pub struct Field;

/// A millisecond.
pub const MS: Duration = Duration::from_millis(1);

/// A position that follows from a number.
#[must_use]
pub const fn position(number: u32) -> Position {
    let number = number as f32;
    Position { x: number, y: number + 0.25, z: number + 0.5 }
}

/// So many clients, connected, with a room that all are in.
///
/// # Panics
/// Where they do not connect.
#[must_use]
pub fn field(config: ClusterConfig) -> (Cluster<Field>, RoomId) {
    let clients = config.clients;
    let mut cluster = Cluster::<Field>::new(config, |_| ());
    cluster.connect_all();
    assert!(cluster.run_until(MS * 20_000, |c| c.server().user_count() == clients), "all connect");
    cluster.run_for(MS * 300);
    let room = cluster.server_mut().create_room();
    for user in cluster.server().users().collect::<Vec<_>>() {
        cluster.server_mut().room_mut(room).add_user(user);
    }
    (cluster, room)
}

/// One client on a quiet link.
#[must_use]
pub fn quiet(clients: usize) -> (Cluster<Field>, RoomId) {
    field(ClusterConfig { conditions: Conditions::new(20, 0, 0.0), ..ClusterConfig::new(1, clients) })
}

/// The user that client `client` is.
///
/// # Panics
/// Where it is not connected.
#[must_use]
pub fn user_of(cluster: &Cluster<Field>, client: usize) -> UserId {
    let address = cluster.client_address(client);
    let mut users = cluster.server().users();
    users.find(|user| cluster.server().user(*user).is_some_and(|info| info.address == address)).unwrap()
}

/// All that is known of an entity in a world.
#[must_use]
pub fn described(world: &bowline::World<Field>, entity: NetEntity) -> Option<String> {
    world.contains(entity).then(|| {
        format!(
            "{:?} {:?} {:?} {:?} {:?} {:?} {:?}",
            world.component::<Position>(entity),
            world.component::<Health>(entity),
            world.component::<Frozen>(entity),
            world.component::<Diary>(entity),
            world.component::<Target>(entity),
            world.component::<Twins>(entity),
            world.component::<Name>(entity),
        )
    })
}

/// What has happened to entities on a client, one word each.
#[must_use]
pub fn entity_story(cluster: &Cluster<Field>, client: usize) -> Vec<String> {
    let events = cluster.client_seen(client).iter().filter_map(|(_, event)| match event {
        ClientEvent::Entity(event) => Some(format!("{event:?}")),
        _ => None,
    });
    events.collect()
}

/// What the server saw of entities, one word each.
#[must_use]
pub fn server_story(cluster: &Cluster<Field>) -> Vec<String> {
    let word = |seen: &bowline_sim::Seen<Field>| match seen {
        bowline_sim::Seen::Entity(user, event) => Some(format!("{event:?} by {user}")),
        bowline_sim::Seen::AuthorityRequested(user, entity) => Some(format!("{user} asks for {entity}")),
        bowline_sim::Seen::Unencodable(failure) => Some(failure.to_string()),
        _ => None,
    };
    cluster.server_seen().iter().filter_map(|(_, seen)| word(seen)).collect()
}
