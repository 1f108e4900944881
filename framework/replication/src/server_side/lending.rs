//! Who owns and who may write: entities of clients, and entities of the server that are lent.

use std::collections::BTreeSet;

use bowline_core::{NetEntity, Protocol};

use super::ServerSide;
use crate::authority::{Holder, Outcome, ServerInput};
use crate::control::{FromServer, Standing};

/// How a request for authority over an entity is decided.
///
/// ```
/// use bowline_core::{NetEntity, Protocol};
/// use bowline_replication::{Approval, ServerSide};
///
/// /// Whoever asks first has the ball; a throne is for the game to give.
/// fn lend<P: Protocol>(server: &mut ServerSide<P>, ball: NetEntity, throne: NetEntity) {
///     server.delegate(ball, Approval::Automatic);
///     server.delegate(throne, Approval::Ask);
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Approval {
    /// Who asks first has it; others are denied until it is given back.
    Automatic,
    /// The game is asked by an event, and answers now or later. Whoever waits is denied when somebody else gets it.
    Ask,
}

/// To whom an entity belongs, where that is not simply the server.
#[derive(Clone, Debug)]
pub(super) enum Ownership {
    /// A client has spawned it; nobody else writes to it.
    Client(usize),
    /// The server's, and lent to who asks.
    Delegated(Lent),
}

#[derive(Clone, Debug)]
pub(super) struct Lent {
    pub(super) holder: Holder,
    approval: Approval,
    /// Who has asked and has no answer.
    asking: BTreeSet<usize>,
}

impl<P: Protocol> ServerSide<P> {
    /// Has clients that see an entity ask for authority over it; again, it changes how they are answered. `false` where it is gone
    /// or a client's own.
    pub fn delegate(&mut self, entity: NetEntity, approval: Approval) -> bool {
        let slot = entity.slot() as u32;
        if !self.entities.is_alive(entity) || matches!(self.ownership.get(&slot), Some(Ownership::Client(_)))
        {
            return false;
        }
        match self.ownership.get_mut(&slot) {
            Some(Ownership::Delegated(lent)) => lent.approval = approval,
            _ => {
                let lent = Lent { holder: Holder::Nobody, approval, asking: BTreeSet::new() };
                self.ownership.insert(slot, Ownership::Delegated(lent));
                self.set_lent(entity, true);
                self.tell_all(entity, Holder::Nobody);
            }
        }
        true
    }

    /// Lends an entity no more: nobody can ask for it, and who has it loses it.
    pub fn undelegate(&mut self, entity: NetEntity) {
        self.authority_input(entity, ServerInput::Revoke);
        if self.entities.is_alive(entity)
            && let Some(Ownership::Delegated(_)) = self.ownership.get(&(entity.slot() as u32))
        {
            self.ownership.remove(&(entity.slot() as u32));
            self.set_lent(entity, false);
            for user in self.users_who_have(entity) {
                self.say(user, &FromServer::Authority(entity, Standing::None));
            }
        }
    }

    /// Lets a user have authority that it asked for; `false` where somebody else has it, the entity is not delegated, or the user
    /// does not see it.
    pub fn grant_authority(&mut self, user: usize, entity: NetEntity) -> bool {
        self.lend(user, entity, ServerInput::Grant(user))
    }

    /// Gives a user authority, whether it asked or not, whoever has it now. `false` where the entity is not delegated, or the
    /// user does not see it: what it sees is worked out by [`collect`](Self::collect).
    pub fn give_authority(&mut self, user: usize, entity: NetEntity) -> bool {
        self.lend(user, entity, ServerInput::Give(user))
    }

    /// Tells a user that it does not get what it asked for; nothing where it did not ask. It is told `Denied`, and where nobody
    /// has the entity `Available` right after: it may ask again.
    pub fn deny_authority(&mut self, user: usize, entity: NetEntity) {
        let Some(lent) = self.lent_mut(entity) else { return };
        if lent.asking.remove(&user) {
            let standing = lent.holder.standing(user);
            self.say(user, &FromServer::Authority(entity, Standing::Denied));
            if standing != Standing::Denied {
                self.say(user, &FromServer::Authority(entity, standing));
            }
        }
    }

    /// Takes authority back from whoever has it; it can be asked for.
    pub fn revoke_authority(&mut self, entity: NetEntity) {
        self.authority_input(entity, ServerInput::Revoke);
    }

    /// Takes authority for the server itself, until it is revoked or given.
    pub fn take_authority(&mut self, entity: NetEntity) {
        self.authority_input(entity, ServerInput::Take);
    }

    /// The user that has authority over an entity, or owns it.
    #[must_use]
    pub fn authority(&self, entity: NetEntity) -> Option<usize> {
        if !self.entities.is_alive(entity) {
            return None;
        }
        match self.ownership.get(&(entity.slot() as u32))? {
            Ownership::Client(user) => Some(*user),
            Ownership::Delegated(lent) => match lent.holder {
                Holder::User(user) => Some(user),
                Holder::Nobody | Holder::Server => None,
            },
        }
    }

    /// The user that has spawned an entity and owns it.
    #[must_use]
    pub fn owner(&self, entity: NetEntity) -> Option<usize> {
        match self.ownership.get(&(entity.slot() as u32)).filter(|_| self.entities.is_alive(entity))? {
            Ownership::Client(user) => Some(*user),
            Ownership::Delegated(_) => None,
        }
    }

    /// A client's own entity becomes the server's; its client sees it as any other from now on, where it is in scope, and may
    /// spawn another. `false` where it is no client's own.
    pub fn disown(&mut self, entity: NetEntity) -> bool {
        let slot = entity.slot();
        let Some(owner) = self.owner(entity) else { return false };
        self.ownership.remove(&(slot as u32));
        if let Some(user) = self.user_mut(owner) {
            user.former.insert(entity);
        }
        self.say(owner, &FromServer::Authority(entity, Standing::None));
        self.reserve(owner);
        true
    }

    fn set_lent(&mut self, entity: NetEntity, is_lent: bool) {
        if let Some(record) = self.entities.get_mut(entity) {
            record.is_lent = is_lent;
        }
    }

    pub(super) fn requested(&mut self, user: usize, entity: NetEntity) {
        let Some(lent) = self.lent_mut(entity) else {
            // It is gone, or not to be lent: its client learns of that in time, or asks for what it cannot see.
            if let Some(user) = self.user_mut(user) {
                user.refused += 1;
            }
            return;
        };
        let is_automatic = lent.approval == Approval::Automatic;
        if !self.can_see(user, entity) {
            if let Some(user) = self.user_mut(user) {
                user.refused += 1;
            }
            return;
        }
        self.authority_input(entity, ServerInput::Request { user, is_automatic });
    }

    pub(super) fn released(&mut self, user: usize, entity: NetEntity) {
        if !self.entities.is_alive(entity) || self.owner(entity) == Some(user) {
            return;
        }
        if let Some(lent) = self.lent_mut(entity) {
            lent.asking.remove(&user);
        }
        let slot = entity.slot();
        let Self { users, entities, .. } = self;
        if let Some(state) = users.get_mut(user).and_then(Option::as_mut)
            && state.former.remove(&entity)
        {
            // It was its own, and is now one that it sees like any other, or does not.
            state.peer.scope_mut().set_override(slot, None);
            state.peer.takes_over(entities, slot);
            return;
        }
        if !self.can_see(user, entity) || self.lent_mut(entity).is_none() {
            return;
        }
        self.authority_input(entity, ServerInput::Release(user));
        // What others wrote meanwhile it has passed over.
        let Self { users, entities, .. } = self;
        if let Some(state) = users.get_mut(user).and_then(Option::as_mut) {
            state.peer.tell_all_of(entities, slot);
        }
    }

    fn can_see(&self, user: usize, entity: NetEntity) -> bool {
        let user = self.users.get(user).and_then(Option::as_ref);
        self.entities.is_alive(entity) && user.is_some_and(|user| user.peer.may_have(entity.slot()))
    }

    fn lend(&mut self, user: usize, entity: NetEntity, input: ServerInput) -> bool {
        if !self.can_see(user, entity) {
            return false;
        }
        self.authority_input(entity, input);
        self.authority(entity) == Some(user)
    }

    fn lent_mut(&mut self, entity: NetEntity) -> Option<&mut Lent> {
        if !self.entities.is_alive(entity) {
            return None;
        }
        match self.ownership.get_mut(&(entity.slot() as u32))? {
            Ownership::Delegated(lent) => Some(lent),
            Ownership::Client(_) => None,
        }
    }

    /// Drives the machine of an entity, and tells who has to know.
    fn authority_input(&mut self, entity: NetEntity, input: ServerInput) {
        let Some(lent) = self.lent_mut(entity) else { return };
        let (after, outcome) = lent.holder.after(input);
        lent.holder = after;
        match outcome {
            Outcome::Nothing => {}
            Outcome::Ask => {
                if let ServerInput::Request { user, .. } = input
                    && lent.asking.insert(user)
                {
                    self.asked.push_back((user, entity));
                }
            }
            Outcome::Answer => {
                if let ServerInput::Request { user, .. }
                | ServerInput::Release(user)
                | ServerInput::Grant(user)
                | ServerInput::Give(user) = input
                {
                    self.say(user, &FromServer::Authority(entity, after.standing(user)));
                }
            }
            Outcome::Changed => {
                lent.asking.clear();
                self.tell_all(entity, after);
            }
        }
    }

    fn tell_all(&mut self, entity: NetEntity, holder: Holder) {
        for user in self.users_who_have(entity) {
            self.say(user, &FromServer::Authority(entity, holder.standing(user)));
        }
    }

    fn users_who_have(&self, entity: NetEntity) -> Vec<usize> {
        let users = self.users.iter().enumerate();
        let having = users.filter_map(|(index, user)| {
            user.as_ref().filter(|user| user.peer.may_have(entity.slot())).map(|_| index)
        });
        having.collect()
    }

    /// Who does not see an entity any more has no authority over it.
    pub(super) fn lend_no_more_to_who_left(&mut self) {
        let mut left = Vec::new();
        for (slot, ownership) in &self.ownership {
            if let Ownership::Delegated(Lent { holder: Holder::User(user), .. }) = ownership
                && let Some(entity) = self.entities.at(*slot as usize)
                && !self.can_see(*user, entity)
            {
                left.push((*user, entity));
            }
        }
        for (user, entity) in left {
            self.authority_input(entity, ServerInput::Left(user));
        }
    }

    /// A user is gone: what it had is free, what it owned is gone with it.
    pub(super) fn left_all(&mut self, user: usize) {
        let slots: Vec<u32> = self.ownership.keys().copied().collect();
        for slot in slots {
            let Some(entity) = self.entities.at(slot as usize) else { continue };
            match self.ownership.get_mut(&slot) {
                Some(Ownership::Client(owner)) if *owner == user => {
                    self.despawn(entity);
                }
                Some(Ownership::Delegated(lent)) => {
                    lent.asking.remove(&user);
                    self.authority_input(entity, ServerInput::Left(user));
                }
                _ => {}
            }
        }
    }

    /// Gives a user one more id to spawn an entity with.
    pub(super) fn reserve(&mut self, user: usize) {
        let Some(entity) = self.entities.reserve() else { return };
        let Some(state) = self.user_mut(user) else { return };
        state.reserved.push(entity);
        self.say(user, &FromServer::Reserved(entity));
    }
}
