//! What a client writes to: entities of its own, and those that it has authority over.

use bowline_core::{ComponentOf, NetEntity, Protocol};

use super::ClientSide;
use crate::authority::{Authority, ClientInput};
use crate::sink::WorldSource;
use crate::world::Bundle;

/// The server lets this client spawn no more entities: it owns as many as it may, or the ids for more are on their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the server has given no id for another entity of this client; despawn one, wait a moment, or have the server raise `client_entities`"
)]
pub struct NoEntityId;

impl<P: Protocol> ClientSide<P> {
    /// An entity of this client: it alone writes to it, and others see it where the server lets them. The id is the one that all
    /// will know it by.
    ///
    /// # Errors
    /// Where the server has given no id for it: it allows none, all are in use, or they have not come yet. The first come with
    /// the first packets of a session, and another one a round trip after a despawn.
    pub fn spawn<B: Bundle<P>>(&mut self, components: B) -> Result<NetEntity, NoEntityId> {
        let mut kinds = Vec::new();
        B::kinds(&mut kinds);
        kinds.sort_unstable();
        kinds.dedup();
        let entity = self.begin_own(&kinds)?;
        self.world.begin(entity);
        components.insert_into(&mut self.world, entity);
        Ok(entity)
    }

    /// An entity of this client whose components are in a world of the caller's own: [`collect_from`](Self::collect_from) takes
    /// them in.
    ///
    /// # Errors
    /// As [`spawn`](Self::spawn).
    pub fn spawn_elsewhere(&mut self) -> Result<NetEntity, NoEntityId> {
        self.begin_own(&[])
    }

    fn begin_own(&mut self, kinds: &[u16]) -> Result<NetEntity, NoEntityId> {
        let link = &mut self.link;
        let at = link.reserved.iter().position(|entity| link.writing.is_free(*entity)).ok_or(NoEntityId)?;
        let entity = link.reserved.remove(at);
        link.own.insert(entity);
        link.begin_writing(entity, kinds);
        Ok(entity)
    }

    /// An entity of this client goes, here at once and everywhere in time. `false` where it is none of its own. There is no event
    /// for it here.
    pub fn despawn(&mut self, entity: NetEntity) -> bool {
        let is_own = self.link.own.remove(&entity);
        if is_own {
            self.world.end(entity);
            self.link.end_own(entity);
        }
        is_own
    }

    /// Gives an entity of this client a component, or another value of it. `false` where it is none of its own.
    pub fn insert<C: ComponentOf<P>>(&mut self, entity: NetEntity, value: C) -> bool {
        let is_own = self.link.own.contains(&entity);
        if is_own {
            self.link.writing.reshape(entity, C::TAG.index() as u16, true);
            self.world.insert(entity, value);
        }
        is_own
    }

    /// Takes a component of an entity of this client away; it comes back. `None` where there is none, or the entity is none of
    /// its own.
    pub fn remove<C: ComponentOf<P>>(&mut self, entity: NetEntity) -> Option<C> {
        if !self.link.own.contains(&entity) {
            return None;
        }
        self.link.writing.reshape(entity, C::TAG.index() as u16, false);
        self.world.remove(entity)
    }

    /// The entities of this client, in the order of their ids.
    pub fn own_entities(&self) -> impl Iterator<Item = NetEntity> {
        self.link.own.iter().copied()
    }

    /// How authority over an entity stands; `None` where there is none to be had: it is not lent, or not seen. This client has
    /// it over its own.
    #[must_use]
    pub fn authority(&self, entity: NetEntity) -> Option<Authority> {
        if self.link.own.contains(&entity) {
            Some(Authority::Granted)
        } else {
            self.link.authority.get(&entity).copied()
        }
    }

    /// Asks for authority over an entity; an [`Authority`](crate::EntityEvent::Authority) event tells the answer. `false` where it is not
    /// to be had now, because somebody has it or it is not lent.
    pub fn request_authority(&mut self, entity: NetEntity) -> bool {
        let after = self.link.drive(entity, ClientInput::Request);
        self.tell();
        after == Some(Authority::Requested)
    }

    /// Gives authority over an entity back, once what was written to it has arrived, or takes the question back. `false` where
    /// this client has none and has not asked.
    pub fn release_authority(&mut self, entity: NetEntity) -> bool {
        let after = self.link.drive(entity, ClientInput::Release);
        self.tell();
        after == Some(Authority::Releasing)
    }

    /// Takes in the changes of what this client writes to. Once before the packets of a send.
    pub fn collect(&mut self) {
        let Self { link, world, .. } = self;
        link.collect(|changes| world.collect(changes));
        self.tell();
    }

    /// The same for a world of the caller's own. Before [`collect`](Self::collect), which a client calls at each send.
    pub fn collect_from(&mut self, source: &mut impl WorldSource<P>) {
        self.link.collect_from(source);
        self.tell();
    }
}
