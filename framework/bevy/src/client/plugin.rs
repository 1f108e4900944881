use std::any::TypeId;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Mutex;

use bevy_app::{App, FixedMain, Plugin, PostUpdate, PreUpdate, RunFixedMainLoop};
use bevy_ecs::message::MessageRegistry;
use bevy_ecs::prelude::{IntoScheduleConfigs as _, On, Query, Remove, Res, ResMut, SystemSet, World};
use bevy_ecs::schedule::ScheduleLabel;
use bevy_state::app::{AppExtStates as _, StatesPlugin};
use bowline::{ClientConfig, Host, MessageOf, MessageVisitor, Phase, Protocol, RequestOf, RequestVisitor};

use super::commands::Ops;
use super::events::{
    AuthorityEvent, ConnectEvent, DespawnEntityEvent, DisconnectEvent, MessageEvent, ReconnectingEvent,
    RejectEvent, RequestEvent, SpawnEntityEvent, TickEvent, UnencodableEvent,
};
use super::items::ClientItems;
use super::state::{ClientState, ConnectionState, TaggedConnectionState};
use super::{CoreClient, turn};
#[cfg(feature = "bevy_reflect")]
use crate::Remote;
use crate::ticks::{TickSchedule, TurnOrder, interval};
use crate::{AnyHost, BevyProtocol, ComponentTree, DefaultClientTag, EntityMap, NetId, ResourceTree, Tag};

/// A client of protocol `P` in the app. Several in one app have tags of their own.
///
/// ```
/// use bevy_app::App;
/// use bowline::prelude::Protocol;
/// use bowline_bevy::client::{ClientConfig, ClientPlugin};
///
/// #[derive(Protocol)]
/// #[protocol(tick_rate = 20)]
/// pub struct Arena;
///
/// /// The client of the second player at one screen.
/// pub struct SecondPlayer;
///
/// App::new().add_plugins((
///     ClientPlugin::<Arena>::new(ClientConfig::default()),
///     ClientPlugin::<Arena, SecondPlayer>::new(ClientConfig::default()),
/// ));
/// ```
///
/// It adds Bevy's `StatesPlugin` where that is missing: add `DefaultPlugins` before.
pub struct ClientPlugin<P: BevyProtocol, T: Tag = DefaultClientTag> {
    config: ClientConfig,
    host: Mutex<Option<AnyHost>>,
    ticks: TickSchedule,
    types: PhantomData<fn() -> (P, T)>,
}

impl<P: BevyProtocol, T: Tag> ClientPlugin<P, T> {
    /// A client on the clock and the randomness of this machine. It does nothing before
    /// [`connect`](super::Client::connect).
    #[must_use]
    pub fn new(config: ClientConfig) -> Self {
        Self { config, host: Mutex::default(), ticks: TickSchedule::new(ClientTick), types: PhantomData }
    }

    /// On another host: a simulated one, say, so that the app runs in virtual time.
    #[must_use]
    pub fn with_host(self, host: impl Host + Send + Sync + 'static) -> Self {
        Self { host: Mutex::new(Some(AnyHost::new(host))), ..self }
    }

    /// Runs another schedule than [`ClientTick`] once for each tick of this client. Of several clients in one app each wants
    /// one of its own.
    #[must_use]
    pub fn with_tick_schedule(mut self, schedule: impl ScheduleLabel) -> Self {
        self.ticks = TickSchedule::new(schedule);
        self
    }

    /// Makes the ticks the fixed steps of the app: `FixedUpdate` and its likes run once for each tick of the client, in the
    /// rate of the protocol, a little faster or slower as the client follows the server; not while it is not connected.
    /// `Time` there is that of the ticks. One plugin of an app can do so.
    #[must_use]
    pub fn with_fixed_update(self) -> Self {
        self.with_tick_schedule(FixedMain)
    }
}

impl<P: BevyProtocol, T: Tag> Plugin for ClientPlugin<P, T> {
    fn build(&self, app: &mut App) {
        assert!(
            !app.world().contains_resource::<Ops<T>>(),
            "there is a client with the tag `{}` already; give `ClientPlugin` another tag as its second type parameter",
            std::any::type_name::<T>()
        );
        let host = self.host.lock().ok().and_then(|mut host| host.take()).unwrap_or_default();
        let mut client = CoreClient::<P>::with_host(self.config.clone(), host);
        client.entities_mut().use_own_world();
        if !app.is_plugin_added::<StatesPlugin>() {
            app.add_plugins(StatesPlugin);
        }
        app.insert_resource(ClientState::<P, T>::new(client, self.config.stale_entities))
            .insert_resource(Ops::<T>::of::<P>())
            .init_resource::<EntityMap<T>>()
            .init_state::<TaggedConnectionState<T>>()
            .add_message::<ConnectEvent<T>>()
            .add_message::<DisconnectEvent<T>>()
            .add_message::<RejectEvent<T>>()
            .add_message::<ReconnectingEvent<T>>()
            .add_message::<TickEvent<T>>()
            .add_message::<SpawnEntityEvent<T>>()
            .add_message::<DespawnEntityEvent<T>>()
            .add_message::<AuthorityEvent<T>>()
            .add_message::<UnencodableEvent<T>>();
        if TypeId::of::<T>() == TypeId::of::<DefaultClientTag>() {
            app.init_state::<ConnectionState>();
        }
        P::each_message(&mut Register::<T> { world: app.world_mut(), tag: PhantomData });
        P::each_request(&mut Register::<T> { world: app.world_mut(), tag: PhantomData });
        let mut items = ClientItems::<P, T>::new(app.world_mut());
        P::ComponentTypes::on_client(&mut items);
        P::ResourceTypes::on_client(&mut items);
        let items = items.finish();
        app.insert_resource(items);
        self.ticks.prepare(app, interval::<P>());

        #[cfg(feature = "bevy_reflect")]
        app.register_type::<ConnectionState>().register_type::<NetId<T>>().register_type::<Remote<T>>();
        let ticks = self.ticks;
        let [receive, world_events] = [ClientSystems::Receive, ClientSystems::WorldEvents];
        TurnOrder {
            receive,
            world_events,
            tick_events: ClientSystems::TickEvents,
            update: ClientSystems::Update,
            send: ClientSystems::Send,
        }
        .prepare(app);
        app.add_observer(forget::<P, T>)
            .add_systems(
                PreUpdate,
                (
                    turn::receive::<P, T>.in_set(ClientSystems::Receive),
                    turn::tell_all::<P, T>.in_set(ClientSystems::WorldEvents),
                ),
            )
            .add_systems(
                RunFixedMainLoop,
                (move |world: &mut World| turn::run_ticks::<P, T>(world, ticks))
                    .in_set(ClientSystems::TickEvents),
            )
            .add_systems(PostUpdate, turn::send::<P, T>.in_set(ClientSystems::Send));
    }

    fn is_unique(&self) -> bool {
        // A second one with the same tag is told what to do.
        false
    }
}

/// What happens in a turn, in this order. Systems that are to see what has just arrived come after `WorldEvents` or in
/// `Update`; what they send before `Send` goes out in the same turn.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientSystems {
    /// In `PreUpdate`: datagrams are taken in.
    Receive,
    /// In `PreUpdate`: what they say is in the world, and told by messages.
    WorldEvents,
    /// In `RunFixedMainLoop`: the schedule of ticks runs for each that is due.
    TickEvents,
    /// In `Update`, with nothing of ours in it: for systems of the game that want to be named by others.
    Update,
    /// In `PostUpdate`: what the game has written is found, and packets leave.
    Send,
}

/// The schedule that runs once for each tick of the client with the default tag. Read the player's inputs and send them here.
#[derive(ScheduleLabel, Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct ClientTick;

/// Whether the client of protocol `P` is connected: `.run_if(client_connected::<Arena>)`.
pub fn client_connected<P: Protocol>(state: Option<Res<'_, ClientState<P>>>) -> bool {
    client_connected_with::<P, DefaultClientTag>(state)
}

/// The same for a client with a tag.
pub fn client_connected_with<P: Protocol, T: Tag>(state: Option<Res<'_, ClientState<P, T>>>) -> bool {
    state.is_some_and(|state| state.client().phase() == Phase::Connected)
}

/// An entity is gone from this world: if it was the client's own, from the server too.
fn forget<P: Protocol, T: Tag>(
    removed: On<'_, '_, Remove<NetId<T>>>,
    ids: Query<'_, '_, &NetId<T>>,
    state: Option<ResMut<'_, ClientState<P, T>>>,
    mut map: ResMut<'_, EntityMap<T>>,
) {
    let Ok(id) = ids.get(removed.event().entity) else { return };
    map.remove(id.id());
    // None while the server's state lands: what goes then goes by the server's word.
    if let Some(mut state) = state {
        state.client.entities_mut().despawn(id.id());
        state.writable = state.writable.saturating_sub(usize::from(id.is_shared));
    }
}

/// Registers the messages that a protocol's types come in.
struct Register<'w, T> {
    world: &'w mut World,
    tag: PhantomData<fn() -> T>,
}

impl<P: Protocol, T: Tag> MessageVisitor<P> for Register<'_, T> {
    fn name<M: MessageOf<P>>(&mut self) {
        MessageRegistry::register_message::<MessageEvent<M, T>>(self.world);
    }

    fn message<M: MessageOf<P>>(self, _: M) {}
}

impl<P: Protocol, T: Tag> RequestVisitor<P> for Register<'_, T> {
    fn name<R: RequestOf<P>>(&mut self) {
        MessageRegistry::register_message::<RequestEvent<R, T>>(self.world);
    }

    fn request<R: RequestOf<P>>(self, _: bowline::Asked<R>) {}
}

impl<P: BevyProtocol, T: Tag> fmt::Debug for ClientPlugin<P, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientPlugin").field("protocol", &P::NAME).finish_non_exhaustive()
    }
}
