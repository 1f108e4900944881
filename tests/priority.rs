//! What goes out first where not all fits.

use std::collections::BTreeMap;

use bowline::SendRate;
use bowline::prelude::*;
use bowline_sim::{Cluster, ClusterConfig, Conditions};
use bowline_tests::arena::{Field, Frozen, Health, MS, Position, described, field, position, user_of};

/// A client that is told no more than so many bytes a second, and so many entities, all in its sight.
fn narrow(bytes_per_second: u32, entities: u32) -> (Cluster<Field>, Vec<NetEntity>) {
    let mut config = ClusterConfig::new(11, 1);
    config.conditions = Conditions::new(20, 0, 0.0);
    config.server.connection.send_rate = SendRate::Fixed(bytes_per_second);
    let (mut cluster, room) = field(config);
    let server = cluster.server_mut();
    let spawned = (0..entities).map(|number| {
        let entity = server.spawn((position(number), Health(0))).unwrap();
        server.room_mut(room).add_entity(entity);
        entity
    });
    let spawned = spawned.collect();
    cluster.run_for(MS * 60_000);
    assert_eq!(cluster.client(0).entities().world().len(), entities as usize, "all are seen in the end");
    cluster.forget_seen();
    (cluster, spawned)
}

/// Everything moves in each of so many ticks; gives how often each entity was seen to, and how long it took at most.
fn moved(cluster: &mut Cluster<Field>, ticks: u32) -> BTreeMap<NetEntity, (usize, u32)> {
    let mut seen: BTreeMap<NetEntity, (usize, u32)> = BTreeMap::new();
    let mut last: BTreeMap<NetEntity, u32> = BTreeMap::new();
    for tick in 0..ticks {
        cluster.server_mut().world_mut().for_each_mut::<Position>(|_, mut at| {
            at.x += 1.0;
            at.y += 1.0;
            at.z += 1.0;
        });
        cluster.run_for(MS * 50);
        for (_, event) in cluster.client_seen(0) {
            if let ClientEvent::Entity(EntityEvent::UpdateComponent { entity, .. }) = event {
                let (count, longest) = seen.entry(*entity).or_default();
                *count += 1;
                *longest = (*longest).max(tick - last.insert(*entity, tick).unwrap_or(0));
            }
        }
        cluster.forget_seen();
    }
    seen
}

#[test]
fn nothing_starves() {
    // A sixth of what would be needed for all.
    let (mut cluster, entities) = narrow(20_000, 500);
    let seen = moved(&mut cluster, 400);
    assert_eq!(seen.len(), entities.len(), "every one is seen to move");
    let counts: Vec<usize> = seen.values().map(|(count, _)| *count).collect();
    let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
    let longest = seen.values().map(|(_, longest)| *longest).max().unwrap();
    println!(
        "each of 500 is seen to move {least} to {most} times in 400 ticks, at most {longest} ticks apart"
    );
    assert!(*most <= least + least / 2, "{least} to {most}");
    assert!(longest <= 20, "{longest}");
}

#[test]
fn who_has_more_gain_goes_out_more_often() {
    let (mut cluster, entities) = narrow(20_000, 500);
    let user = user_of(&cluster, 0);
    let server = cluster.server_mut();
    for entity in &entities[..10] {
        server.entity_mut(*entity).unwrap().set_gain(8.0);
    }
    for entity in &entities[10..20] {
        server.scope_mut(user).unwrap().set_gain(*entity, Some(4.0));
    }
    server.entity_mut(entities[20]).unwrap().set_gain(0.0);
    server.scope_mut(user).unwrap().set_gain(entities[21], Some(0.0));
    let seen = moved(&mut cluster, 400);
    let average = |range: std::ops::Range<usize>| {
        let counts =
            entities[range.clone()].iter().map(|entity| seen.get(entity).map_or(0, |(count, _)| *count));
        counts.sum::<usize>() as f64 / range.len() as f64
    };
    let (eight, four, one) = (average(0..10), average(10..20), average(30..500));
    println!("gain 8: {eight}, gain 4: {four}, gain 1: {one:.1} times in 400 ticks");
    assert!((5.0..=11.0).contains(&(eight / one)), "{eight} to {one}");
    assert!((2.5..=5.5).contains(&(four / one)), "{four} to {one}");
    assert!(!seen.contains_key(&entities[20]) && !seen.contains_key(&entities[21]), "a gain of 0 is none");
    // It is told as soon as it has one again.
    let server = cluster.server_mut();
    server.entity_mut(entities[20]).unwrap().set_gain(1.0);
    server.scope_mut(user).unwrap().set_gain(entities[21], None);
    cluster.run_for(MS * 3_000);
    for entity in [entities[20], entities[21]] {
        assert_eq!(
            cluster.client(0).entities().world().component::<Position>(entity),
            cluster.server().world().component::<Position>(entity)
        );
    }
}

#[test]
fn a_boost_counts_once() {
    let (mut cluster, entities) = narrow(20_000, 500);
    moved(&mut cluster, 40);
    // All move once more; one of them is to be seen at once.
    let user = user_of(&cluster, 0);
    let mut first = 0;
    for entity in &entities[100..120] {
        cluster.server_mut().scope_mut(user).unwrap().boost_once(*entity, 1_000.0);
        cluster.server_mut().entity_mut(*entity).unwrap().component_mut::<Health>().unwrap().0 += 1;
        moved(&mut cluster, 2);
        let health = cluster.client(0).entities().world().component::<Health>(*entity).unwrap().0;
        first += usize::from(health == 1);
    }
    assert!(first >= 19, "{first} of 20 at once");
}

#[test]
fn state_and_messages_share_by_weight() {
    use bowline_tests::arena::{Look, Talk};
    let (mut cluster, entities) = narrow(40_000, 500);
    let user = user_of(&cluster, 0);
    let mut sent = 0_u64;
    let before = cluster.server().user(user).unwrap().stats.bytes_sent;
    for _ in 0..100 {
        while sent < 1_000_000 && cluster.server_mut().send_to::<Talk>(user, Look { at: entities[0] }).is_ok()
        {
            sent += 1;
        }
        moved(&mut cluster, 1);
    }
    let bytes = cluster.server().user(user).unwrap().stats.bytes_sent - before;
    let messages = cluster.server().channel_stats::<Talk>(user).unwrap().bytes_sent;
    let share = messages as f64 / bytes as f64;
    println!("messages have {:.0} % of {bytes} bytes", share * 100.0);
    // A weight of one against four, and heads of messages that are larger than the messages.
    assert!((0.04..0.3).contains(&share), "{share}");
}

#[test]
fn what_was_not_chosen_goes_out_later_and_as_what_it_is() {
    let (mut cluster, entities) = narrow(20_000, 500);
    moved(&mut cluster, 20);
    let same = |cluster: &Cluster<Field>| {
        let (here, there) = (cluster.server().world(), cluster.client(0).entities().world());
        entities.iter().filter(|entity| described(here, **entity) == described(there, **entity)).count()
    };
    // Less of each than lately: more fit than were chosen.
    cluster.run_for(MS * 10_000);
    cluster.server_mut().world_mut().for_each_mut::<Health>(|_, mut health| health.0 += 1);
    cluster.run_for(MS * 4_000);
    assert_eq!(same(&cluster), entities.len());
    // Other components, and values of those that stay.
    for entity in &entities {
        let mut at = cluster.server_mut().entity_mut(*entity).unwrap();
        at.insert(Frozen);
        at.remove::<Health>();
        at.component_mut::<Position>().unwrap().y = -1.0;
    }
    cluster.run_for(MS * 6_000);
    assert_eq!((same(&cluster), cluster.client(0).phase()), (entities.len(), Phase::Connected));
}

#[test]
fn what_was_boosted_or_held_back_is_as_all_others_after_it() {
    let (mut cluster, entities) = narrow(20_000, 500);
    let user = user_of(&cluster, 0);
    for entity in &entities[..10] {
        cluster.server_mut().scope_mut(user).unwrap().boost_once(*entity, 1_000.0);
    }
    let seen = moved(&mut cluster, 200);
    let most = entities[10..].iter().map(|entity| seen[entity].0).max().unwrap();
    for entity in &entities[..10] {
        assert!(seen[entity].0 <= most + 2, "{} of {most}", seen[entity].0);
    }
    // A gain is that of an entity, not of the next in its slot.
    cluster.server_mut().scope_mut(user).unwrap().set_gain(entities[3], Some(0.0));
    let room = cluster.server().rooms().next().unwrap();
    assert!(cluster.server_mut().despawn(entities[3]));
    cluster.run_for(MS * 5_000);
    let next = cluster.server_mut().spawn((Health(7),)).unwrap();
    assert_eq!(next.slot(), entities[3].slot());
    cluster.server_mut().room_mut(room).add_entity(next);
    cluster.run_for(MS * 1_000);
    assert!(cluster.client(0).entities().world().contains(next));
}

#[test]
fn state_flows_soon_after_an_outage_though_much_of_it_was_under_way() {
    for count in [5, 50, 500] {
        let after = (0..12).map(|seed| {
            let mut config = ClusterConfig::new(seed, 1);
            config.conditions = Conditions::new(60, 0, 0.0);
            let (mut cluster, room) = field(config);
            for number in 0..count {
                let entity = cluster.server_mut().spawn((position(number),)).unwrap();
                cluster.server_mut().room_mut(room).add_entity(entity);
            }
            moved(&mut cluster, 300);
            cluster.network().set_conditions(Conditions::new(60, 0, 1.0));
            moved(&mut cluster, 60 + seed as u32 * 3);
            cluster.network().set_conditions(Conditions::new(60, 0, 0.0));
            let healed = cluster.now();
            let seen = |c: &Cluster<Field>| {
                c.client_seen(0).iter().any(|(_, event)| matches!(event, ClientEvent::Entity(_)))
            };
            assert!(cluster.run_until(MS * 9_000, seen));
            cluster.now() - healed
        });
        let after: Vec<_> = after.collect();
        let (mean, most) = (after.iter().sum::<std::time::Duration>() / 12, *after.iter().max().unwrap());
        println!("{count} entities are seen again {mean:?} after an outage, at most {most:?}");
        // Where heartbeats alone tell that the path is back it takes up to a second and a round trip.
        assert!(mean < MS * 400 && most < MS * 800, "{mean:?}, {most:?}");
    }
}
