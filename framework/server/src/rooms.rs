use std::fmt;

use bowline_core::{Address, NetEntity, Protocol};
use bowline_replication::ServerSide;

use crate::UserId;
use crate::users::{User, Users};

/// A room of users and entities: those who are in the same place of the game, or in the same conversation. Its users see its
/// entities, and hear what is broadcast to it. The id of one that is gone never means another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomId {
    slot: u32,
    generation: u32,
}

impl RoomId {
    pub(crate) const fn slot(self) -> usize {
        self.slot as usize
    }
}

impl fmt::Display for RoomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "room {}", self.slot)?;
        if self.generation > 0 { write!(f, ".{}", self.generation) } else { Ok(()) }
    }
}

impl fmt::Debug for RoomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RoomId({}.{})", self.slot, self.generation)
    }
}

/// Who is in which room: any number of users in any number of rooms.
#[derive(Debug, Default)]
pub(crate) struct Rooms {
    slots: Vec<Slot>,
    free: Vec<u32>,
}

#[derive(Debug, Default)]
struct Slot {
    generation: u32,
    is_open: bool,
    /// A place for each slot of users; memory that is used again.
    users: Vec<Option<UserId>>,
    count: usize,
}

impl Rooms {
    pub(crate) fn open(&mut self) -> RoomId {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            self.slots.len() as u32 - 1
        });
        let mut id = RoomId { slot, generation: 0 };
        if let Some(room) = self.slots.get_mut(slot as usize) {
            room.is_open = true;
            id.generation = room.generation;
        }
        id
    }

    /// `false` where there is no such room any more.
    pub(crate) fn close(&mut self, id: RoomId) -> bool {
        let Some(room) = self.get_mut(id) else { return false };
        room.users.clear();
        room.count = 0;
        room.is_open = false;
        room.generation = room.generation.wrapping_add(1);
        self.free.push(id.slot);
        true
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = RoomId> {
        let open = (0..).zip(&self.slots).filter(|(_, room)| room.is_open);
        open.map(|(slot, room)| RoomId { slot, generation: room.generation })
    }

    pub(crate) fn contains(&self, id: RoomId, user: UserId) -> bool {
        self.get(id).and_then(|room| room.users.get(user.slot())) == Some(&Some(user))
    }

    pub(crate) fn users(&self, id: RoomId) -> impl Iterator<Item = UserId> {
        self.get(id).into_iter().flat_map(|room| room.users.iter().flatten().copied())
    }

    pub(crate) fn len(&self, id: RoomId) -> usize {
        self.get(id).map_or(0, |room| room.count)
    }

    /// The user has to be connected: one that is gone leaves its rooms once.
    pub(crate) fn add(&mut self, id: RoomId, user: UserId) -> bool {
        let Some(room) = self.get_mut(id) else { return false };
        if room.users.len() <= user.slot() {
            room.users.resize(user.slot() + 1, None);
        }
        let Some(place) = room.users.get_mut(user.slot()).filter(|place| **place != Some(user)) else {
            return false;
        };
        *place = Some(user);
        room.count += 1;
        true
    }

    pub(crate) fn remove(&mut self, id: RoomId, user: UserId) -> bool {
        self.get_mut(id).is_some_and(|room| room.remove(user))
    }

    /// A user is gone, and so it is from every room.
    pub(crate) fn forget(&mut self, user: UserId) {
        for room in &mut self.slots {
            room.remove(user);
        }
    }

    pub(crate) fn is_open(&self, id: RoomId) -> bool {
        self.get(id).is_some()
    }

    fn get(&self, id: RoomId) -> Option<&Slot> {
        self.slots.get(id.slot as usize).filter(|room| room.is_open && room.generation == id.generation)
    }

    fn get_mut(&mut self, id: RoomId) -> Option<&mut Slot> {
        self.slots.get_mut(id.slot as usize).filter(|room| room.is_open && room.generation == id.generation)
    }
}

impl Slot {
    fn remove(&mut self, user: UserId) -> bool {
        let place = self.users.get_mut(user.slot()).filter(|place| **place == Some(user));
        let was_in = place.map(|place| *place = None).is_some();
        self.count -= usize::from(was_in);
        was_in
    }
}

/// A room, to change who is in it: what [`Server::room_mut`](crate::Server::room_mut) gives. On a room that is closed nothing
/// changes, and every answer is `false`.
pub struct RoomMut<'a, P: Protocol, A> {
    pub(crate) rooms: &'a mut Rooms,
    pub(crate) users: &'a Users<A, P::Auth>,
    pub(crate) replication: &'a mut ServerSide<P>,
    pub(crate) id: RoomId,
}

impl<P: Protocol, A: Address> RoomMut<'_, P, A> {
    /// Lets a user in: it sees the entities in the room. `false` where it is in already, or gone, or where the room is.
    pub fn add_user(&mut self, user: UserId) -> bool {
        let is_news = self.users.get(user).is_some() && self.rooms.add(self.id, user);
        if is_news {
            self.replication.user_enters_room(user.slot(), self.id.slot());
        }
        is_news
    }

    /// Has a user leave. `false` where it was not in.
    pub fn remove_user(&mut self, user: UserId) -> bool {
        let was_in = self.rooms.remove(self.id, user);
        if was_in {
            self.replication.user_leaves_room(user.slot(), self.id.slot());
        }
        was_in
    }

    /// Puts an entity in: the users in the room come to see it. `false` where it is in already, or gone, or where the room
    /// is.
    pub fn add_entity(&mut self, entity: NetEntity) -> bool {
        self.rooms.is_open(self.id) && self.replication.enter_room(self.id.slot(), entity)
    }

    /// Takes an entity out. `false` where it was not in.
    pub fn remove_entity(&mut self, entity: NetEntity) -> bool {
        self.rooms.is_open(self.id) && self.replication.leave_room(self.id.slot(), entity)
    }

    /// The entities in it, in the order of their slots; none where it is closed.
    pub fn entities(&self) -> impl Iterator<Item = NetEntity> {
        let room = self.rooms.is_open(self.id).then_some(self.id.slot());
        room.into_iter().flat_map(|room| self.replication.entities_in(room))
    }

    /// Whether an entity is in.
    #[must_use]
    pub fn has_entity(&self, entity: NetEntity) -> bool {
        self.rooms.is_open(self.id) && self.replication.is_in_room(self.id.slot(), entity)
    }
}

impl<P: Protocol, A> fmt::Debug for RoomMut<'_, P, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoomMut").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Who hears a [`broadcast`](crate::Server::broadcast).
///
/// ```
/// use bowline_server::{Audience, RoomId, UserId};
///
/// fn all_others_in(room: RoomId, speaker: &UserId) -> Audience<'_> {
///     Audience::room(room).except(std::slice::from_ref(speaker))
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Audience<'a> {
    of: Of<'a>,
    except: &'a [UserId],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of<'a> {
    All,
    Room(RoomId),
    Users(&'a [UserId]),
}

impl<'a> Audience<'a> {
    /// Every user.
    #[must_use]
    pub const fn all() -> Self {
        Self { of: Of::All, except: &[] }
    }

    /// Those in a room; nobody, where it is closed.
    #[must_use]
    pub const fn room(room: RoomId) -> Self {
        Self { of: Of::Room(room), except: &[] }
    }

    /// These. Those of them who are gone hear nothing.
    #[must_use]
    pub const fn users(users: &'a [UserId]) -> Self {
        Self { of: Of::Users(users), except: &[] }
    }

    /// Without these. A second call takes the place of the first.
    #[must_use]
    pub const fn except(mut self, users: &'a [UserId]) -> Self {
        self.except = users;
        self
    }

    /// Hands every listener to `tell`, in the order of users, or that of the list.
    pub(crate) fn each<A: Address, C>(
        &self,
        rooms: &Rooms,
        users: &mut Users<A, C>,
        mut tell: impl FnMut(&mut User<A, C>),
    ) {
        let mut tell = |user: &mut User<A, C>| {
            if !self.except.contains(&user.id) {
                tell(user);
            }
        };
        match self.of {
            Of::All => users.iter_mut().for_each(tell),
            Of::Room(room) => {
                rooms.users(room).for_each(|id| users.get_mut(id).into_iter().for_each(&mut tell));
            }
            Of::Users(ids) => {
                ids.iter().for_each(|id| users.get_mut(*id).into_iter().for_each(&mut tell));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_that_was_closed_is_never_another() {
        let mut rooms = Rooms::default();
        let first = rooms.open();
        assert!(rooms.close(first) && !rooms.close(first));
        let second = rooms.open();
        assert_ne!(first, second);
        assert_eq!(rooms.ids().collect::<Vec<_>>(), [second]);
        assert_eq!((first.to_string(), second.to_string()), ("room 0".into(), "room 0.1".into()));
    }
}
