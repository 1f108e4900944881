use std::fmt;
use std::marker::PhantomData;
use std::sync::Mutex;

use bevy_app::{App, FixedMain, Plugin, PostUpdate, PreUpdate, RunFixedMainLoop};
use bevy_ecs::message::MessageRegistry;
use bevy_ecs::prelude::{
    Add, Commands, IntoScheduleConfigs as _, On, Query, Remove, Res, ResMut, SystemSet, World,
};
use bevy_ecs::schedule::ScheduleLabel;
use bowline::{Host, MessageOf, MessageVisitor, Protocol, RequestOf, RequestVisitor, ServerConfig};

use super::commands::{Ops, adopt};
use super::events::{
    AuthEvent, AuthorityEvent, ConnectEvent, DespawnEntityEvent, DisconnectEvent, InputEvent, MessageEvent,
    RejectEvent, RequestEvent, SpawnEntityEvent, TickEvent, UnencodableEvent,
};
use super::items::ServerItems;
use super::{CoreServer, ServerState, turn};
use crate::ticks::{TickSchedule, TurnOrder, interval};
use crate::{
    AnyHost, BevyProtocol, ComponentTree, DefaultServerTag, EntityMap, NetId, Replicated, ResourceTree,
    ServesHere, Tag,
};

/// A server of protocol `P` in the app. Several in one app have tags of their own.
///
/// ```
/// use std::time::Duration;
/// use bevy_app::App;
/// use bowline::prelude::Protocol;
/// use bowline_bevy::server::{ServerConfig, ServerPlugin};
///
/// #[derive(Protocol)]
/// #[protocol(tick_rate = 20)]
/// pub struct Arena;
///
/// let mut config = ServerConfig::default();
/// config.connection.disconnection_timeout_duration = Duration::from_secs(3);
/// App::new().add_plugins(ServerPlugin::<Arena>::new(config).with_user_entities());
/// ```
pub struct ServerPlugin<P: BevyProtocol, T: Tag = DefaultServerTag> {
    config: ServerConfig,
    host: Mutex<Option<AnyHost>>,
    ticks: TickSchedule,
    has_user_entities: bool,
    types: PhantomData<fn() -> (P, T)>,
}

impl<P: BevyProtocol, T: Tag> ServerPlugin<P, T> {
    /// A server on the clock and the randomness of this machine. It does nothing before
    /// [`listen`](super::Server::listen).
    #[must_use]
    pub fn new(config: ServerConfig) -> Self {
        Self {
            config,
            host: Mutex::default(),
            ticks: TickSchedule::new(ServerTick),
            has_user_entities: false,
            types: PhantomData,
        }
    }

    /// On another host: a simulated one, say, so that the app runs in virtual time.
    #[must_use]
    pub fn with_host(self, host: impl Host + Send + Sync + 'static) -> Self {
        Self { host: Mutex::new(Some(AnyHost::new(host))), ..self }
    }

    /// Has a [`User`](super::User) entity for each connected user.
    #[must_use]
    pub fn with_user_entities(mut self) -> Self {
        self.has_user_entities = true;
        self
    }

    /// Runs another schedule than [`ServerTick`] once for each tick. A second server of the app needs one of its own, if
    /// its ticks are to do anything.
    #[must_use]
    pub fn with_tick_schedule(mut self, schedule: impl ScheduleLabel) -> Self {
        self.ticks = TickSchedule::new(schedule);
        self
    }

    /// Makes the ticks the fixed steps of the app: `FixedUpdate` and its likes run once for each tick, in the rate of the
    /// protocol and with the server's catching up, and `Time` there is that of the ticks. One plugin of an app can do so.
    #[must_use]
    pub fn with_fixed_update(self) -> Self {
        self.with_tick_schedule(FixedMain)
    }
}

impl<P: BevyProtocol, T: Tag> Plugin for ServerPlugin<P, T> {
    fn build(&self, app: &mut App) {
        assert!(
            !app.world().contains_resource::<Ops<T>>(),
            "there is a server with the tag `{}` already; give `ServerPlugin` another tag as its second type parameter",
            std::any::type_name::<T>()
        );
        let host = self.host.lock().ok().and_then(|mut host| host.take()).unwrap_or_default();
        let server = CoreServer::<P>::with_host(self.config.clone(), host);
        app.insert_resource(ServerState::<P, T>::new(server, self.has_user_entities))
            .insert_resource(Ops::<T>::of::<P>())
            .insert_resource(ServesHere::<P>(PhantomData))
            .init_resource::<EntityMap<T>>()
            .add_message::<AuthEvent<P, T>>()
            .add_message::<ConnectEvent<T>>()
            .add_message::<DisconnectEvent<T>>()
            .add_message::<RejectEvent<T>>()
            .add_message::<TickEvent<T>>()
            .add_message::<SpawnEntityEvent<T>>()
            .add_message::<DespawnEntityEvent<T>>()
            .add_message::<AuthorityEvent<T>>()
            .add_message::<UnencodableEvent<T>>();
        P::each_message(&mut Register::<T> { world: app.world_mut(), tag: PhantomData });
        P::each_request(&mut Register::<T> { world: app.world_mut(), tag: PhantomData });
        let mut items = ServerItems::<P, T>::new(app.world_mut());
        P::ComponentTypes::on_server(&mut items);
        P::ResourceTypes::on_server(&mut items);
        let items = items.finish();
        app.insert_resource(items);
        self.ticks.prepare(app, interval::<P>());

        #[cfg(feature = "bevy_reflect")]
        app.register_type::<Replicated>().register_type::<NetId<T>>();
        let ticks = self.ticks;
        let [receive, world_events] = [ServerSystems::Receive, ServerSystems::WorldEvents];
        TurnOrder {
            receive,
            world_events,
            tick_events: ServerSystems::TickEvents,
            update: ServerSystems::Update,
            send: ServerSystems::Send,
        }
        .prepare(app);
        app.add_observer(replicate::<P, T>)
            .add_observer(replicate_no_more::<T>)
            .add_observer(forget::<P, T>)
            .add_systems(
                PreUpdate,
                (
                    turn::receive::<P, T>.in_set(ServerSystems::Receive),
                    turn::tell_all::<P, T>.in_set(ServerSystems::WorldEvents),
                ),
            )
            .add_systems(
                RunFixedMainLoop,
                (move |world: &mut World| turn::run_ticks::<P, T>(world, ticks))
                    .in_set(ServerSystems::TickEvents),
            )
            .add_systems(PostUpdate, turn::send::<P, T>.in_set(ServerSystems::Send));
    }

    fn is_unique(&self) -> bool {
        // A second one with the same tag is told what to do.
        false
    }
}

/// What happens in a turn, in this order. Systems that are to see what has just arrived come after `WorldEvents` or in
/// `Update`; what they change before `Send` goes out in the same turn.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ServerSystems {
    /// In `PreUpdate`: datagrams are taken in.
    Receive,
    /// In `PreUpdate`: what they say is in the world, and told by messages.
    WorldEvents,
    /// In `RunFixedMainLoop`: the schedule of ticks runs for each that is due.
    TickEvents,
    /// In `Update`, with nothing of ours in it: for systems of the game that want to be named by others.
    Update,
    /// In `PostUpdate`: changes are found, and packets leave.
    Send,
}

/// The schedule that runs once for each tick of the server with the default tag. Simulate here: all inputs for the tick have
/// come as [`InputEvent`]s.
#[derive(ScheduleLabel, Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct ServerTick;

/// Whether the server of protocol `P` listens: `.run_if(server_listening::<Arena>)`.
pub fn server_listening<P: Protocol>(state: Option<Res<'_, ServerState<P>>>) -> bool {
    server_listening_with::<P, DefaultServerTag>(state)
}

/// The same for a server with a tag.
pub fn server_listening_with<P: Protocol, T: Tag>(state: Option<Res<'_, ServerState<P, T>>>) -> bool {
    state.is_some_and(|state| state.is_listening())
}

fn replicate<P: Protocol, T: Tag>(added: On<'_, '_, Add<Replicated>>, mut commands: Commands<'_, '_>) {
    let entity = added.event().entity;
    commands.queue(move |world: &mut World| adopt::<P, T>(world, entity));
}

fn replicate_no_more<T: Tag>(removed: On<'_, '_, Remove<Replicated>>, mut commands: Commands<'_, '_>) {
    let entity = removed.event().entity;
    commands.queue(move |world: &mut World| {
        if let Ok(mut entity) = world.get_entity_mut(entity)
            && !entity.contains::<Replicated>()
        {
            entity.remove::<NetId<T>>();
        }
    });
}

fn forget<P: Protocol, T: Tag>(
    removed: On<'_, '_, Remove<NetId<T>>>,
    ids: Query<'_, '_, &NetId<T>>,
    mut state: ResMut<'_, ServerState<P, T>>,
    mut map: ResMut<'_, EntityMap<T>>,
) {
    let Ok(id) = ids.get(removed.event().entity) else { return };
    state.shared = state.shared.saturating_sub(usize::from(id.is_shared));
    state.server.despawn(id.id());
    map.remove(id.id());
}

/// Registers the messages that a protocol's types come in.
struct Register<'w, T> {
    world: &'w mut World,
    tag: PhantomData<fn() -> T>,
}

impl<P: Protocol, T: Tag> MessageVisitor<P> for Register<'_, T> {
    fn name<M: MessageOf<P>>(&mut self) {
        MessageRegistry::register_message::<MessageEvent<M, T>>(self.world);
        MessageRegistry::register_message::<InputEvent<M, T>>(self.world);
    }

    fn message<M: MessageOf<P>>(self, _: M) {}
}

impl<P: Protocol, T: Tag> RequestVisitor<P> for Register<'_, T> {
    fn name<R: RequestOf<P>>(&mut self) {
        MessageRegistry::register_message::<RequestEvent<R, T>>(self.world);
    }

    fn request<R: RequestOf<P>>(self, _: bowline::Asked<R>) {}
}

impl<P: BevyProtocol, T: Tag> fmt::Debug for ServerPlugin<P, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerPlugin").field("protocol", &P::NAME).finish_non_exhaustive()
    }
}
