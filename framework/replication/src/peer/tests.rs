use bowline_core::BitWriter;
use bowline_core::connection::Freight;
use proptest::prelude::*;

use super::*;
use crate::entities::tests::{Two, entities};

/// One side, and a peer of it that is to see some entities.
struct Side {
    peer: Peer,
    entities: Entities,
    visible: BitSet,
    plan: Plan,
    bulky: Vec<Bulky>,
}

impl Side {
    /// With so many entities, in slots from 0 on, that the peer is to see.
    fn new(count: usize) -> (Self, Vec<NetEntity>) {
        let mut side = Self {
            peer: Peer::new(),
            entities: entities(&[2, 0]),
            visible: BitSet::new(),
            plan: Plan::default(),
            bulky: Vec::new(),
        };
        let spawned: Vec<_> = (0..count).map(|_| side.entities.spawn(&[0]).unwrap()).collect();
        for entity in &spawned {
            side.write(*entity, 1);
            side.visible.insert(entity.slot());
        }
        side.peer.scope.look_again();
        side.collect();
        (side, spawned)
    }

    fn write(&mut self, entity: NetEntity, value: u8) {
        self.entities.write(entity, 0, &Two(200, value)).unwrap();
    }

    fn show(&mut self, slot: usize, is_in: bool) {
        self.visible.set(slot, is_in);
        self.peer.scope.look_again();
        self.collect();
    }

    fn collect(&mut self) {
        let Self { peer, entities, visible, .. } = self;
        if peer.scope.is_stale() {
            entities.mark_dirty();
        }
        if entities.close_epoch() {
            let departed = entities.take_departed();
            departed.iter().for_each(|slot| peer.depart(entities, *slot as usize));
            peer.follow_scope(entities, &[], visible);
            entities.changes_for(0).for_each(|changes| peer.owe(changes));
            entities.forget_changes();
            entities.departed_are_known(departed);
        }
    }

    /// Makes a packet; whether there was anything to say.
    fn send(&mut self, packet: u64) -> bool {
        let mut writer = BitWriter::new();
        let Self { peer, entities, plan, bulky, .. } = self;
        Load::new(peer, entities, plan, 1_200, 9_000, bulky).load(packet, 9_000, &mut writer)
    }

    fn arrives(&mut self, packet: u64) {
        self.peer.decided(&mut self.entities, packet, Fate::Arrived);
    }
}

#[test]
fn what_arrives_late_takes_nothing_back() {
    let (mut side, entities) = Side::new(2);
    assert!(side.send(1));
    side.arrives(1);
    for packet in [2, 3] {
        entities.iter().for_each(|entity| side.write(*entity, packet));
        side.collect();
        assert!(side.send(packet.into()));
    }
    side.arrives(3);
    side.arrives(2);
    for entity in entities {
        assert!(side.peer.is_settled(&side.entities, entity.slot()), "{entity}");
    }
}

#[test]
fn what_was_sent_before_it_left_says_nothing_of_it_since_it_is_back() {
    // With another next to it and without.
    for count in [1, 2] {
        let (mut side, _) = Side::new(count);
        assert!(side.send(1));
        side.show(0, false);
        assert!(side.send(2));
        side.arrives(2);
        side.show(0, true);
        assert!(side.send(3));
        side.arrives(1);
        assert!(side.peer.may_have(0) && !side.peer.has(0));
        side.arrives(3);
        assert!(side.peer.has(0));
    }
}

#[test]
fn a_farewell_from_before_it_came_back_is_none() {
    let (mut side, entities) = Side::new(2);
    assert!(side.send(1));
    side.arrives(1);
    side.show(0, false);
    assert!(side.send(2));
    // It comes into sight and changes before it has left: that it leaves is said again.
    side.show(0, true);
    side.write(entities[0], 9);
    side.collect();
    assert!(side.send(3));
    side.arrives(2);
    side.collect();
    assert!(side.send(4));
    side.arrives(4);
    assert!(side.peer.has(0));
    side.show(0, false);
    side.arrives(3);
    assert!(side.peer.knows(0), "it has not been told yet");
}

#[test]
fn nothing_is_owed_of_what_has_left() {
    let (mut side, entities) = Side::new(2);
    assert!(side.send(1));
    side.arrives(1);
    side.show(0, false);
    assert!(side.send(2));
    side.show(0, true);
    side.write(entities[0], 9);
    side.collect();
    side.show(0, false);
    side.arrives(2);
    side.collect();
    assert!(!side.peer.knows(0) && !side.send(3));
}

#[test]
fn what_stays_out_of_sight_is_told_nothing_more_whatever_was_owed_and_lost() {
    let (mut side, entities) = Side::new(1);
    assert!(side.send(1));
    side.arrives(1);
    side.entities.get_mut(entities[0]).unwrap().persists = true;
    side.write(entities[0], 2);
    side.collect();
    assert!(side.send(2));
    // Owed, and not sent.
    side.write(entities[0], 3);
    side.collect();
    side.show(0, false);
    side.write(entities[0], 4);
    side.collect();
    assert!(!side.send(3));
    side.peer.decided(&mut side.entities, 2, Fate::Lost);
    assert!(!side.send(4));
    side.show(0, true);
    assert!(side.send(5), "what it has missed");
}

#[test]
fn who_is_told_all_has_it_when_a_packet_from_then_on_has_arrived() {
    let (mut side, _) = Side::new(1);
    assert!(side.send(1));
    side.arrives(1);
    side.peer.owed.insert(0);
    side.entities.reshape(NetEntity::new(0, 0), 1, true);
    side.collect();
    assert!(side.send(2));
    // What is under way it may pass over.
    side.peer.tell_all_of(&mut side.entities, 0);
    side.arrives(2);
    assert!(!side.peer.has(0));
    side.collect();
    assert!(side.send(3));
    side.arrives(3);
    assert!(side.peer.has(0));
}

#[test]
fn what_went_by_itself_has_arrived_when_that_very_state_has() {
    let (mut side, _) = Side::new(1);
    let epoch = side.entities.epoch();
    side.peer.bulky.insert(0, (7, epoch));
    side.peer.bulky_arrived(&mut side.entities, 0, 6);
    assert!(!side.peer.has(0) && !side.send(1), "it is still under way");
    side.peer.bulky_arrived(&mut side.entities, 0, 7);
    assert!(side.peer.has(0));
    // What is under way is not waited for when it has left meanwhile.
    side.peer.bulky.insert(0, (8, epoch));
    side.show(0, false);
    assert!(side.send(2));
    side.arrives(2);
    side.show(0, true);
    assert!(side.send(3));
}

#[test]
fn what_has_arrived_or_is_on_its_way_is_not_sent_again() {
    let (mut side, entities) = Side::new(2);
    assert!(side.send(1));
    side.arrives(1);
    side.peer.owed.insert(0);
    side.peer.look_for_debts();
    assert!(!side.send(2), "it has it");
    side.write(entities[0], 2);
    side.collect();
    assert!(side.send(3));
    // Another goes out of sight meanwhile.
    side.show(1, false);
    assert!(!side.peer.owed.contains(0) && side.peer.owed.contains(1));
}

proptest! {
    #[test]
    fn a_packet_has_no_more_bits_than_there_is_room_for(count in 1_usize..60, room in 0_usize..900, shapes: bool) {
        let (mut side, entities) = Side::new(count);
        if !shapes {
            side.send(1);
            side.arrives(1);
            entities.iter().for_each(|entity| side.write(*entity, 9));
            side.entities.reshape(entities[0], 1, true);
            side.collect();
        }
        let mut writer = BitWriter::new();
        let Side { peer, entities, plan, bulky, .. } = &mut side;
        Load::new(peer, entities, plan, 1_200, 9_000, bulky).load(2, room, &mut writer);
        prop_assert!(writer.bit_len() <= room.max(3), "{} bits", writer.bit_len());
    }
}
