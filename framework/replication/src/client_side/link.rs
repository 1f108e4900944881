use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::marker::PhantomData;

use bowline_core::{BitWriter, NetEntity, Protocol};

use super::sink::Guarded;
use crate::authority::{Ask, Authority, ClientInput};
use crate::bits::BitSet;
use crate::changes::{Changes, Unencodable};
use crate::control::{BulkyState, FromClient, Standing};
use crate::entities::Entities;
use crate::inbox::{Inbox, Origin};
use crate::limits::{MAX_ENTITIES, REBASE_AT};
use crate::peer::{Bulky, Fate, Load, Override, Peer, Plan};
use crate::sink::{WorldSink, WorldSource};

/// What one session knows of the server's entities, and what is said to the server.
#[derive(Debug)]
pub(super) struct Link<P> {
    inbox: Inbox<P>,
    /// What this client writes to, and what the server has of that.
    pub(super) writing: Entities,
    server: Peer,
    plan: Plan,
    bulky: Vec<Bulky>,
    pub(super) control: VecDeque<Vec<u8>>,
    pub(super) failures: VecDeque<Unencodable>,
    pub(super) authority: BTreeMap<NetEntity, Authority>,
    /// Where authority stands otherwise than before.
    pub(super) told: VecDeque<(NetEntity, Option<Authority>)>,
    /// What the server has said of entities that have not come yet.
    early: BTreeMap<NetEntity, Standing>,
    /// Of those, the ones that have come.
    come: Vec<NetEntity>,
    /// Spawned here.
    pub(super) own: BTreeSet<NetEntity>,
    /// Ids to spawn with.
    pub(super) reserved: Vec<NetEntity>,
    /// To be written to as soon as they have come.
    returning: Vec<NetEntity>,
}

impl<P: Protocol> Link<P> {
    pub(super) fn new() -> Self {
        Self {
            inbox: Inbox::of_server(),
            writing: Entities::new::<P>(),
            server: Peer::new(),
            plan: Plan::default(),
            bulky: Vec::new(),
            control: VecDeque::new(),
            failures: VecDeque::new(),
            authority: BTreeMap::new(),
            told: VecDeque::new(),
            early: BTreeMap::new(),
            come: Vec::new(),
            own: BTreeSet::new(),
            reserved: Vec::new(),
            returning: Vec::new(),
        }
    }

    /// Puts records of the server into a world: those of a packet, or one that came by itself. `false` where they make no sense.
    pub(super) fn take_in(
        &mut self,
        bytes: &[u8],
        origin: Origin,
        bulky: Option<(u32, u32)>,
        world: &mut impl WorldSink<P>,
    ) -> bool {
        let Self { inbox, writing, authority, early, come, .. } = self;
        let mut sink = Guarded { world, writing, authority, early, come };
        let made_sense = match bulky {
            None => inbox.take_in(bytes, origin, &mut sink).is_ok(),
            Some((slot, _)) => inbox.take_in_bulky(slot, bytes, origin, &mut sink).is_ok(),
        };
        if let Some((slot, id)) = bulky {
            self.say(&FromClient::StateTaken { slot, id });
        }
        while let Some(entity) = self.come.pop() {
            if let Some(standing) = self.early.remove(&entity) {
                self.heard(entity, standing);
            }
        }
        made_sense
    }

    pub(super) fn state_was_taken(&mut self, slot: u32, id: u32) {
        self.server.bulky_arrived(&mut self.writing, slot as usize, id);
    }

    pub(super) fn may_spawn(&mut self, entity: NetEntity) {
        if self.reserved.len() < MAX_ENTITIES && !self.own.contains(&entity) {
            self.reserved.push(entity);
        }
    }

    /// The server has made an end of an entity of this client's own.
    pub(super) fn lose(&mut self, entity: NetEntity, world: &mut impl WorldSink<P>) {
        let was_former = self.authority.remove(&entity).is_some();
        if self.own.remove(&entity) || was_former || !self.inbox.has(entity) {
            self.writing.despawn(entity);
            world.despawn(entity);
        }
    }

    /// The server has said how authority over an entity stands.
    pub(super) fn heard(&mut self, entity: NetEntity, standing: Standing) {
        if self.own.contains(&entity) {
            if standing == Standing::None {
                // The server has taken it over.
                self.own.remove(&entity);
                self.stop_writing(entity);
                self.told.push_back((entity, None));
            }
            return;
        }
        if !self.inbox.has(entity) {
            if self.early.len() < MAX_ENTITIES {
                self.early.insert(entity, standing);
            }
            return;
        }
        let before = self.authority.get(&entity).copied();
        let after = before.unwrap_or(Authority::Denied).after(ClientInput::Heard(standing)).0;
        self.set(entity, before, after);
    }

    /// Drives the machine of an entity; gives where it stands now.
    pub(super) fn drive(&mut self, entity: NetEntity, input: ClientInput) -> Option<Authority> {
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
            Some(authority) => self.authority.insert(entity, authority),
            None => self.authority.remove(&entity),
        };
        self.told.push_back((entity, after));
        let writes = |authority| matches!(authority, Some(Authority::Granted | Authority::Releasing));
        if after == Some(Authority::Granted) && !self.writing.is_alive(entity) {
            self.returning.push(entity);
            self.try_returning();
        } else if writes(before) && !writes(after) {
            self.stop_writing(entity);
        }
    }

    /// Begins to write to an entity. With no components what is written to first goes first, and the rest stays the server's.
    pub(super) fn begin_writing(&mut self, entity: NetEntity, kinds: &[u16]) -> bool {
        let has_begun = self.writing.adopt(entity, kinds);
        if has_begun {
            self.server.scope_mut().set_override(entity.slot(), Some(Override::Include));
        }
        has_begun
    }

    /// Begins to write to what this client has authority over.
    fn try_returning(&mut self) {
        let mut returning = std::mem::take(&mut self.returning);
        returning.retain(|entity| match self.authority.get(entity).copied() {
            Some(Authority::Granted) => !(self.inbox.has(*entity) && self.begin_writing(*entity, &[])),
            // The server is still to be told that nothing is written to it.
            authority => authority == Some(Authority::Releasing),
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

    /// An own entity is gone, by this client's will.
    pub(super) fn end_own(&mut self, entity: NetEntity) {
        self.writing.despawn(entity);
        if !self.server.knows(entity.slot()) {
            // The server has heard nothing of it, so its id is as good as new.
            self.reserved.push(entity);
        }
    }

    /// Takes in the changes of worlds, and sees what they mean for the server.
    pub(super) fn collect(&mut self, collect: impl FnOnce(&mut Changes<'_, P>)) {
        self.try_returning();
        let Self { writing, failures, .. } = self;
        collect(&mut Changes { entities: writing, resources: &[], failures, protocol: PhantomData });
        self.distribute();
        self.give_back_what_is_drained();
    }

    pub(super) fn collect_from(&mut self, source: &mut impl WorldSource<P>) {
        self.collect(|changes| source.collect(changes));
    }

    /// What has changed in the epoch that was closed, to the server.
    fn distribute(&mut self) {
        let Self { server, writing, .. } = self;
        if server.scope().is_stale() {
            writing.mark_dirty();
        }
        if !writing.close_epoch() {
            return;
        }
        if writing.epoch() >= REBASE_AT {
            writing.rebase(REBASE_AT / 2);
            server.rebase(REBASE_AT / 2);
        }
        let departed = writing.take_departed();
        departed.iter().for_each(|slot| server.depart(writing, *slot as usize));
        server.follow_scope(writing, &[], &BitSet::new());
        writing.changes_for(usize::MAX).for_each(|changes| server.owe(changes));
        server.take_entered();
        writing.forget_changes();
        writing.departed_are_known(departed);
    }

    pub(super) fn load(&mut self, budget: usize, packet_bits: usize) -> Option<Load<'_>> {
        let Self { server, writing, plan, bulky, .. } = self;
        server.has_debts().then(|| Load::new(server, writing, plan, budget, packet_bits, bulky))
    }

    pub(super) fn finish(&mut self, tick: u32, max_message_size: usize) {
        for Bulky { slot, id, packet, bytes } in std::mem::take(&mut self.bulky) {
            let state = encode(&FromClient::State(BulkyState { slot, id, packet, tick, bytes }));
            if state.len() <= max_message_size {
                self.control.push_back(state);
            } else if let Some(entity) = self.writing.at(slot as usize) {
                self.server.bulky_failed(slot);
                self.failures.push_back(Unencodable::too_large(entity, state.len(), max_message_size));
            }
        }
    }

    pub(super) fn decided(&mut self, packet: u64, has_arrived: bool) {
        let fate = if has_arrived { Fate::Arrived } else { Fate::Lost };
        self.server.decided(&mut self.writing, packet, fate);
    }

    pub(super) const fn start_at_epoch(&mut self, epoch: u32) {
        self.writing.start_at(epoch);
    }

    fn say(&mut self, message: &FromClient) {
        self.control.push_back(encode(message));
    }
}

fn encode(message: &FromClient) -> Vec<u8> {
    let mut writer = BitWriter::new();
    message.encode(&mut writer);
    writer.into_bytes()
}
