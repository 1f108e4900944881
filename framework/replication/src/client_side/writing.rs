//! What a client writes to: entities of its own, and those that it has authority over.

use std::marker::PhantomData;

use bowline_core::{ComponentOf, NetEntity, Protocol};

use super::ClientSide;
use crate::authority::{Ask, Authority, ClientInput};
use crate::changes::Changes;
use crate::control::{FromClient, Standing};
use crate::event::EntityEvent;
use crate::limits::MAX_ENTITIES;
use crate::peer::Override;
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
        let at = self.reserved.iter().position(|entity| self.writing.is_free(*entity)).ok_or(NoEntityId)?;
        let entity = self.reserved.remove(at);
        let mut kinds = Vec::new();
        B::kinds(&mut kinds);
        kinds.sort_unstable();
        kinds.dedup();
        self.own.insert(entity);
        self.world.begin(entity);
        components.insert_into(&mut self.world, entity);
        self.begin_writing(entity, &kinds);
        Ok(entity)
    }

    /// An entity of this client goes, here at once and everywhere in time. `false` where it is none of its own. There is no event
    /// for it here.
    pub fn despawn(&mut self, entity: NetEntity) -> bool {
        if !self.own.remove(&entity) {
            return false;
        }
        self.world.end(entity);
        self.writing.despawn(entity);
        if !self.server.knows(entity.slot()) {
            // The server has heard nothing of it, so its id is as good as new.
            self.reserved.push(entity);
        }
        true
    }

    /// Gives an entity of this client a component, or another value of it. `false` where it is none of its own.
    pub fn insert<C: ComponentOf<P>>(&mut self, entity: NetEntity, value: C) -> bool {
        let is_own = self.own.contains(&entity);
        if is_own {
            self.writing.reshape(entity, C::TAG.index() as u16, true);
            self.world.insert(entity, value);
        }
        is_own
    }

    /// Takes a component of an entity of this client away; it comes back. `None` where there is none, or the entity is none of
    /// its own.
    pub fn remove<C: ComponentOf<P>>(&mut self, entity: NetEntity) -> Option<C> {
        if !self.own.contains(&entity) {
            return None;
        }
        self.writing.reshape(entity, C::TAG.index() as u16, false);
        self.world.remove(entity)
    }

    /// The entities of this client, in the order of their ids.
    pub fn own_entities(&self) -> impl Iterator<Item = NetEntity> {
        self.own.iter().copied()
    }

    /// How authority over an entity stands; `None` where there is none to be had: it is not lent, or not seen. This client has
    /// it over its own.
    #[must_use]
    pub fn authority(&self, entity: NetEntity) -> Option<Authority> {
        if self.own.contains(&entity) {
            Some(Authority::Granted)
        } else {
            self.authority.get(&entity).copied()
        }
    }

    /// Asks for authority over an entity; an [`Authority`](EntityEvent::Authority) event tells the answer. `false` where it is not
    /// to be had now, because somebody has it or it is not lent.
    pub fn request_authority(&mut self, entity: NetEntity) -> bool {
        self.drive(entity, ClientInput::Request) == Some(Authority::Requested)
    }

    /// Gives authority over an entity back, once what was written to it has arrived, or takes the question back. `false` where
    /// this client has none and has not asked.
    pub fn release_authority(&mut self, entity: NetEntity) -> bool {
        self.drive(entity, ClientInput::Release) == Some(Authority::Releasing)
    }

    /// Takes in the changes of what this client writes to. Once before the packets of a send.
    pub fn collect(&mut self) {
        self.try_returning();
        let Self { writing, world, failures, .. } = self;
        world.collect(&mut Changes { entities: writing, resources: &[], failures, protocol: PhantomData });
        self.distribute();
        self.give_back_what_is_drained();
    }

    pub(super) fn heard(&mut self, entity: NetEntity, standing: Standing) {
        if self.own.contains(&entity) {
            if standing == Standing::None {
                // The server has taken it over.
                self.own.remove(&entity);
                self.stop_writing(entity);
            }
            return;
        }
        if !self.world.contains(entity) {
            if self.early.len() < MAX_ENTITIES {
                self.early.insert(entity, standing);
            }
            return;
        }
        let before = self.authority.get(&entity).copied();
        let after = before.unwrap_or(Authority::Denied).after(ClientInput::Heard(standing)).0;
        self.set(entity, before, after);
    }

    /// What was said of entities before they came.
    pub(super) fn hear_what_was_early(&mut self) {
        while let Some(entity) = self.come.pop() {
            if let Some(standing) = self.early.remove(&entity) {
                self.heard(entity, standing);
            }
        }
    }

    /// Drives the machine of an entity; gives where it stands now.
    fn drive(&mut self, entity: NetEntity, input: ClientInput) -> Option<Authority> {
        let before = *self.authority.get(&entity)?;
        let (after, ask) = before.after(input);
        match ask {
            Ask::Nothing => {}
            Ask::Request => self.say(&FromClient::Request(entity)),
            Ask::Release => self.say(&FromClient::Release(entity)),
        }
        self.set(entity, Some(before), after);
        after
    }

    fn set(&mut self, entity: NetEntity, before: Option<Authority>, after: Option<Authority>) {
        if before == after {
            return;
        }
        match after {
            Some(authority) => {
                self.authority.insert(entity, authority);
                self.events.push_back(EntityEvent::Authority { entity, authority });
            }
            None => {
                self.authority.remove(&entity);
            }
        }
        let writes = |authority| matches!(authority, Some(Authority::Granted | Authority::Releasing));
        if after == Some(Authority::Granted) && !self.writing.is_alive(entity) {
            self.returning.push(entity);
            self.try_returning();
        } else if before.is_some_and(|before| writes(Some(before))) && !writes(after) {
            self.stop_writing(entity);
        }
    }

    fn begin_writing(&mut self, entity: NetEntity, kinds: &[u16]) -> bool {
        let has_begun = self.writing.adopt(entity, kinds);
        if has_begun {
            self.server.scope_mut().set_override(entity.slot(), Some(Override::Include));
        }
        has_begun
    }

    /// Begins to write to what this client has authority over.
    fn try_returning(&mut self) {
        let mut returning = std::mem::take(&mut self.returning);
        returning.retain(|entity| {
            if self.authority.get(entity) != Some(&Authority::Granted) {
                return false;
            }
            // With nothing: what is written to first goes first, and the rest stays the server's.
            !(self.world.contains(*entity) && self.begin_writing(*entity, &[]))
        });
        self.returning = returning;
    }

    /// The server's word counts again, and it is told so.
    fn stop_writing(&mut self, entity: NetEntity) {
        let before = self.returning.len();
        self.returning.retain(|returning| *returning != entity);
        if self.writing.despawn(entity) || self.returning.len() < before {
            self.say(&FromClient::Release(entity));
        }
    }

    fn give_back_what_is_drained(&mut self) {
        let releasing = self.authority.iter().filter(|(_, authority)| **authority == Authority::Releasing);
        let drained: Vec<NetEntity> = releasing
            .map(|(entity, _)| *entity)
            .filter(|entity| {
                self.writing.is_alive(*entity) && self.server.is_settled(&self.writing, entity.slot())
                    || self.returning.contains(entity)
            })
            .collect();
        for entity in drained {
            self.drive(entity, ClientInput::Drained);
            self.returning.retain(|returning| *returning != entity);
            self.writing.despawn(entity);
        }
    }
}
