use std::collections::BTreeMap;
use std::fmt;

use bowline_core::connection::Path;
use bowline_core::handshake::Caller;
use bowline_core::{Address, Connected, Connection, ConnectionStats, Instant, SessionKey};

/// A connected user. The id of one that is gone never means another: it counts generations.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId {
    slot: u32,
    generation: u32,
}

impl UserId {
    /// The place of the user in arrays of the caller's own: small, and used again after the user is gone.
    #[must_use]
    pub const fn slot(self) -> usize {
        self.slot as usize
    }

    /// As one number, for what knows connections and no users.
    pub(crate) const fn to_bits(self) -> u64 {
        (self.generation as u64) << 32 | self.slot as u64
    }

    pub(crate) const fn from_bits(bits: u64) -> Self {
        Self { slot: bits as u32, generation: (bits >> 32) as u32 }
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "user {}", self.slot)?;
        if self.generation > 0 { write!(f, ".{}", self.generation) } else { Ok(()) }
    }
}

impl fmt::Debug for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserId({}.{})", self.slot, self.generation)
    }
}

/// What is known of a connected user.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct UserInfo<A> {
    /// Where it is.
    pub address: A,
    /// By which transport it came.
    pub transport: &'static str,
    /// What its connection has done.
    pub stats: ConnectionStats,
}

/// A user and all that belongs to it.
#[derive(Debug)]
pub(crate) struct User<A, C> {
    pub(crate) id: UserId,
    pub(crate) connection: Connection<Connected>,
    pub(crate) path: Path<A>,
    pub(crate) caller: Caller<A>,
    pub(crate) key: SessionKey<A>,
    /// The credentials that it showed.
    pub(crate) auth: C,
    /// Nothing is due before then, unless somebody touches it.
    sleeps_until: Option<Instant>,
}

impl<A: Address, C> User<A, C> {
    /// Whether nothing is to be done for it. An idle server looks at one field of each user.
    pub(crate) fn sleeps(&self, now: Instant) -> bool {
        self.sleeps_until.is_some_and(|until| now < until)
    }

    /// All that was to be done is done.
    pub(crate) fn fall_asleep(&mut self) {
        if !self.path.is_asking() {
            self.sleeps_until = Some(self.connection.next_deadline());
        }
    }
}

/// The users, found by id and by what their packets carry. Walked in the order of their slots.
#[derive(Debug)]
pub(crate) struct Users<A, C> {
    slots: Vec<Slot<A, C>>,
    free: Vec<u32>,
    by_key: BTreeMap<SessionKey<A>, u32>,
}

#[derive(Debug)]
struct Slot<A, C> {
    generation: u32,
    user: Option<User<A, C>>,
}

impl<A: Address, C> Users<A, C> {
    pub(crate) const fn new() -> Self {
        Self { slots: Vec::new(), free: Vec::new(), by_key: BTreeMap::new() }
    }

    pub(crate) fn insert(
        &mut self,
        connection: Connection<Connected>,
        caller: Caller<A>,
        key: SessionKey<A>,
        auth: C,
    ) -> UserId {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot { generation: 0, user: None });
            self.slots.len() as u32 - 1
        });
        let generation = self.slots.get(slot as usize).map_or(0, |slot| slot.generation);
        let id = UserId { slot, generation };
        self.by_key.insert(key, slot);
        if let Some(slot) = self.slots.get_mut(slot as usize) {
            let path = Path::new(caller.address());
            slot.user = Some(User { id, connection, path, caller, key, auth, sleeps_until: None });
        }
        id
    }

    pub(crate) fn remove(&mut self, id: UserId) -> Option<User<A, C>> {
        let slot = self.slots.get_mut(id.slot()).filter(|slot| slot.generation == id.generation)?;
        let user = slot.user.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(id.slot);
        self.by_key.remove(&user.key);
        Some(user)
    }

    pub(crate) fn get(&self, id: UserId) -> Option<&User<A, C>> {
        self.slots.get(id.slot()).filter(|slot| slot.generation == id.generation)?.user.as_ref()
    }

    /// A user to do something with: it is awake from then on.
    pub(crate) fn get_mut(&mut self, id: UserId) -> Option<&mut User<A, C>> {
        let slot = self.slots.get_mut(id.slot()).filter(|slot| slot.generation == id.generation)?;
        awake(slot.user.as_mut()?)
    }

    pub(crate) fn by_key(&mut self, key: SessionKey<A>) -> Option<&mut User<A, C>> {
        let slot = *self.by_key.get(&key)?;
        awake(self.slots.get_mut(slot as usize)?.user.as_mut()?)
    }

    pub(crate) fn knows_key(&self, key: SessionKey<A>) -> bool {
        self.by_key.contains_key(&key)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &User<A, C>> {
        self.slots.iter().filter_map(|slot| slot.user.as_ref())
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut User<A, C>> {
        self.iter_as_they_are().filter_map(awake)
    }

    /// Those that sleep too, and sleep on.
    pub(crate) fn iter_as_they_are(&mut self) -> impl Iterator<Item = &mut User<A, C>> {
        self.slots.iter_mut().filter_map(|slot| slot.user.as_mut())
    }

    /// The users in the order of their slots, where each may be removed on the way; without those that sleep.
    pub(crate) fn awake_at(&self, slot: usize, now: Instant) -> Option<UserId> {
        self.slots.get(slot)?.user.as_ref().filter(|user| !user.sleeps(now)).map(|user| user.id)
    }

    /// The user in a slot.
    pub(crate) fn id_at(&self, slot: usize) -> Option<UserId> {
        self.slots.get(slot)?.user.as_ref().map(|user| user.id)
    }

    pub(crate) const fn slots(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn len(&self) -> usize {
        self.by_key.len()
    }
}

fn awake<A, C>(user: &mut User<A, C>) -> Option<&mut User<A, C>> {
    user.sleeps_until = None;
    Some(user)
}
