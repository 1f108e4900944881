//! Which entities are in which room, and which users.

use bowline_core::{NetEntity, Protocol};

use super::ServerSide;
use crate::bits::BitSet;

impl<P: Protocol> ServerSide<P> {
    /// Puts an entity into a room: those in it come to see it. `false` where it is gone, or in already.
    pub fn enter_room(&mut self, room: usize, entity: NetEntity) -> bool {
        if !self.entities.is_alive(entity) {
            return false;
        }
        if self.rooms.len() <= room {
            self.rooms.resize_with(room + 1, BitSet::new);
        }
        let is_news = self.rooms.get_mut(room).is_some_and(|room| room.insert(entity.slot()));
        if is_news {
            self.room_changed(room);
        }
        is_news
    }

    /// Takes an entity out of a room; `false` where it was not in.
    pub fn leave_room(&mut self, room: usize, entity: NetEntity) -> bool {
        let was_in = self.entities.is_alive(entity)
            && self.rooms.get_mut(room).is_some_and(|room| room.remove(entity.slot()));
        if was_in {
            self.room_changed(room);
        }
        was_in
    }

    /// Whether an entity is in a room.
    #[must_use]
    pub fn is_in_room(&self, room: usize, entity: NetEntity) -> bool {
        self.entities.is_alive(entity)
            && self.rooms.get(room).is_some_and(|room| room.contains(entity.slot()))
    }

    /// The entities in a room, in the order of their slots.
    pub fn entities_in(&self, room: usize) -> impl Iterator<Item = NetEntity> {
        let slots = self.rooms.get(room).into_iter().flat_map(BitSet::iter);
        slots.filter_map(|slot| self.entities.at(slot))
    }

    /// A user is in a room from now on: it sees what is in it.
    pub fn user_enters_room(&mut self, user: usize, room: usize) {
        if let Some(user) = self.user_mut(user) {
            user.peer.scope_mut().enter_room(room as u32);
        }
    }

    /// A user is not in a room any more.
    pub fn user_leaves_room(&mut self, user: usize, room: usize) {
        if let Some(user) = self.user_mut(user) {
            user.peer.scope_mut().leave_room(room as u32);
        }
    }

    /// A room is closed: nobody and nothing is in it.
    pub fn close_room(&mut self, room: usize) {
        if let Some(entities) = self.rooms.get_mut(room) {
            entities.clear();
        }
        for user in self.users.iter_mut().flatten() {
            if user.peer.scope().is_in(room as u32) {
                user.peer.scope_mut().leave_room(room as u32);
            }
        }
    }

    fn room_changed(&mut self, room: usize) {
        for user in self.users.iter_mut().flatten() {
            if user.peer.scope().is_in(room as u32) {
                user.peer.scope_mut().look_again();
            }
        }
    }
}
