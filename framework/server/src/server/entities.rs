//! What a server does with entities and resources, and how they get into packets.

use bowline_core::{
    Address, ComponentOf, Host, Instant, Mutable, NetEntity, Protocol, ResourceOf, Transport,
};
use bowline_replication::{Bundle, Mut, ServerSide, TooManyEntities, World, WorldSource, WriteRule};

use super::{Queued, Server};
use crate::entity::{EntityMut, ScopeMut};
use crate::event::ServerEvent;
use crate::users::{User, UserId};

impl<P: Protocol, T: Transport, H: Host> Server<P, T, H> {
    /// A new entity: `server.spawn((Position { .. }, Health(100)))`. Nobody sees it before it is put into a room, or shown to
    /// somebody.
    ///
    /// # Errors
    /// Where there are [`MAX_ENTITIES`](bowline_replication::MAX_ENTITIES) already.
    pub fn spawn<B: Bundle<P>>(&mut self, components: B) -> Result<NetEntity, TooManyEntities> {
        self.replication.spawn(components)
    }

    /// An entity, to change it; `None` where it is gone.
    pub fn entity_mut(&mut self, entity: NetEntity) -> Option<EntityMut<'_, P>> {
        let Self { replication, rooms, .. } = self;
        replication.contains(entity).then_some(EntityMut { replication, rooms, entity })
    }

    /// An entity is gone, with its components, from its rooms, and from all clients in time; `false` where it was gone already. A
    /// client that owned it may spawn another.
    pub fn despawn(&mut self, entity: NetEntity) -> bool {
        self.replication.despawn(entity)
    }

    /// All entities with their components, and resources: to look at, and to ask for.
    #[must_use]
    pub const fn world(&self) -> &World<P> {
        self.replication.world()
    }

    /// The same, to change values in. Entities and their components come and go by [`spawn`](Self::spawn) and
    /// [`entity_mut`](Self::entity_mut).
    pub const fn world_mut(&mut self) -> &mut World<P> {
        self.replication.world_mut()
    }

    /// Puts a resource in the place of what was there; the old one comes back. All users see it, whatever rooms they are in, and
    /// those that come later do from the beginning.
    ///
    /// # Errors
    /// Where there are [`MAX_ENTITIES`](bowline_replication::MAX_ENTITIES) already.
    pub fn insert_resource<R: ResourceOf<P>>(&mut self, resource: R) -> Result<Option<R>, TooManyEntities> {
        self.replication.insert_resource(resource)
    }

    /// Takes a resource away, from all users too, and gives it back; `None` where there is none.
    pub fn remove_resource<R: ResourceOf<P>>(&mut self) -> Option<R> {
        self.replication.remove_resource()
    }

    /// A resource; `None` where there is none.
    #[must_use]
    pub fn resource<R: ResourceOf<P>>(&self) -> Option<&R> {
        self.world().resource()
    }

    /// A resource, to be changed: what is written to is sent, field by field. `None` where there is none.
    pub fn resource_mut<R: ResourceOf<P> + Mutable>(&mut self) -> Option<Mut<'_, R>> {
        self.world_mut().resource_mut()
    }

    /// What a user sees, over rooms; `None` where the user is gone.
    pub fn scope_mut(&mut self, user: UserId) -> Option<ScopeMut<'_, P>> {
        let Self { users, replication, .. } = self;
        users.get(user).map(|_| ScopeMut { replication, user: user.slot() })
    }

    /// Lets a user have authority that it asked for with an
    /// [`AuthorityRequested`](crate::ServerEvent::AuthorityRequested) event; `false` where somebody else has it, it is not
    /// delegated, or the user is gone or does not see it.
    pub fn grant_authority(&mut self, user: UserId, entity: NetEntity) -> bool {
        self.users.get(user).is_some() && self.replication.grant_authority(user.slot(), entity)
    }

    /// Gives a user authority, whether it asked or not and whoever has it now; `false` where the entity is not
    /// [delegated](EntityMut::delegate), or the user is gone or does not see it. What a user sees is worked out by
    /// [`send`](Self::send): for an entity that has only just been shown, wait for the next.
    pub fn give_authority(&mut self, user: UserId, entity: NetEntity) -> bool {
        self.users.get(user).is_some() && self.replication.give_authority(user.slot(), entity)
    }

    /// Tells a user that it does not get the authority that it asked for; nothing where it did not ask. It may ask again.
    pub fn deny_authority(&mut self, user: UserId, entity: NetEntity) {
        if self.users.get(user).is_some() {
            self.replication.deny_authority(user.slot(), entity);
        }
    }

    /// The user that owns an entity, or has authority over it; `None` where it is the server's.
    #[must_use]
    pub fn authority(&self, entity: NetEntity) -> Option<UserId> {
        self.users.id_at(self.replication.authority(entity)?)
    }

    /// The user whose own an entity is: that has spawned it. `None` for all others, those that are lent too.
    #[must_use]
    pub fn owner(&self, entity: NetEntity) -> Option<UserId> {
        self.users.id_at(self.replication.owner(entity)?)
    }

    /// What clients may write to a component of the entities that they own or have authority over; whatever they like where
    /// nothing was said. What they may not is dropped and counted.
    pub fn set_write_rule<C: ComponentOf<P>>(&mut self, rule: WriteRule<C>) {
        self.replication.set_write_rule(rule);
    }

    /// How much a user wrote that it was not allowed to, or that made no sense: components and packets, since it connected. Honest
    /// clients write a little of it when authority changes hands. 0 where the user is gone.
    #[must_use]
    pub fn refused_writes(&self, user: UserId) -> u64 {
        self.users.get(user).map_or(0, |_| self.replication.refused(user.slot()))
    }

    /// The engine itself: for adapters to a world that is not the embedded one. It knows users and rooms by their slots.
    pub const fn replication_mut(&mut self) -> &mut ServerSide<P> {
        &mut self.replication
    }

    /// Takes in what has changed in a world of the caller's own; then [`send`](Self::send).
    pub fn collect_from(&mut self, source: &mut impl WorldSource<P>) {
        self.replication.collect_from(source);
    }

    /// What clients have done to entities becomes events.
    pub(super) fn hear_of_entities(&mut self) {
        let Self { users, replication, events, .. } = self;
        while let Some((slot, event)) = replication.next_event() {
            if let Some(user) = users.id_at(slot) {
                events.push_back(Queued::Event(ServerEvent::Entity(user, event)));
            }
        }
        while let Some((slot, entity)) = replication.next_asked() {
            if let Some(user) = users.id_at(slot) {
                events.push_back(Queued::Event(ServerEvent::AuthorityRequested { user, entity }));
            }
        }
        while let Some(failure) = replication.next_failure() {
            events.push_back(Queued::Event(ServerEvent::Unencodable(failure)));
        }
    }
}

/// Makes the packets of one user, with the state of entities in them.
pub(super) fn transmit<P: Protocol, A: Address>(
    user: &mut User<A, P::Auth>,
    replication: &mut ServerSide<P>,
    (now, tick): (Instant, u32),
    datagram: &mut Vec<u8>,
    put: &mut impl FnMut(A, &[u8]),
) {
    let (slot, to) = (user.id.slot(), user.path.address());
    let connection = &mut user.connection;
    while let Some((packet, has_arrived)) = connection.next_freight_fate() {
        replication.decided(slot, packet, has_arrived);
    }
    let control = P::SCHEMA.entity_channels().1;
    while let Some(bytes) = replication.next_control(slot) {
        if connection.send(control, bytes).is_err() {
            break;
        }
        replication.control_is_sent(slot);
    }
    if replication.is_overrun(slot) {
        connection.handle_violation();
    }
    // A user that is owed nothing costs no look at its budget.
    if !replication.owes(slot) {
        while connection.poll_transmit(now, datagram) {
            put(to, datagram);
        }
        return;
    }
    let (budget, bits) = (connection.sendable_bytes(now), connection.freight_bits());
    if let Some(mut load) = replication.load(slot, budget, bits) {
        while connection.poll_transmit_with(now, datagram, &mut load) {
            put(to, datagram);
        }
    }
    replication.finish(slot, tick, connection.max_message_size());
}
