//! Bandwidth: how entities share it.

use bowline::SendRate;
use bowline::prelude::*;
use bowline_sim::ClusterConfig;

use crate::entities::{HarbourServer, Position, entity_events, harbour, ms, user_of};

// ANCHOR: gain
fn tune(server: &mut HarbourServer, user: UserId, flagship: NetEntity, own: NetEntity, buoy: NetEntity) {
    // For everybody: next to others, four times as often; and a quarter as often.
    server.entity_mut(flagship).expect("it floats").set_gain(4.0);
    server.entity_mut(buoy).expect("it floats").set_gain(0.25);
    // For one user, in the place of the entity's own.
    let mut scope = server.scope_mut(user).expect("the user is here");
    scope.set_gain(own, Some(8.0));
    // Once: it has just fired, and whoever is near should know.
    scope.boost_once(flagship, 100.0);
}
// ANCHOR_END: gain

// ANCHOR: weight
#[derive(Replicate, Clone, Debug, PartialEq)]
pub struct Depth(pub u16);

#[derive(Channel)]
#[channel(ordered_reliable, to_client, weight = 2)]
pub struct Charts;

#[derive(Message, Clone, Debug, PartialEq)]
pub struct Chart(Vec<u8>);

/// While both have something to send, entities get four fifths of it, and charts one.
#[derive(Protocol)]
#[protocol(tick_rate = 20, channels(Charts), messages(Chart), components(Depth), entity_weight = 8)]
pub struct Survey;
// ANCHOR_END: weight

#[test]
fn entities_have_a_weight() {
    assert_eq!(Charts::SPEC.weight, 2);
    assert_eq!((Depth(3), Chart(vec![1])), (Depth(3), Chart(vec![1])));
    assert_eq!(Survey::SCHEMA.components.len(), 1);
}

#[test]
fn a_narrow_link_is_shared_by_gain_and_nobody_starves() {
    let mut config = ClusterConfig::new(1, 1);
    config.server.connection.send_rate = SendRate::Fixed(10_000);
    let (mut cluster, room) = harbour(config);
    let user = user_of(&cluster, 0);
    let server = cluster.server_mut();
    let ships: Vec<_> = (0..600).map(|_| server.spawn((Position { x: 0.0, y: 0.0 },)).unwrap()).collect();
    for ship in &ships {
        server.room_mut(room).add_entity(*ship);
    }
    tune(server, user, ships[0], ships[1], ships[2]);
    cluster.run_for(ms(2_000));
    cluster.forget_seen();
    let before = cluster.server().user(user).unwrap().stats.bytes_sent;
    for turn in 0..400_u16 {
        let place = Position { x: f32::from(turn), y: f32::from(turn) };
        let world = cluster.server_mut().world_mut();
        world.for_each_mut::<Position>(|_, mut at| *at = place);
        cluster.run_for(ms(50));
    }
    let events = entity_events(&cluster, 0);
    let updates = |ship: NetEntity| {
        let start = format!("UpdateComponent({ship:?}, ");
        events.iter().filter(|event| event.starts_with(&start)).count()
    };
    let [flagship, own, buoy] = [ships[0], ships[1], ships[2]].map(updates);
    let usual: Vec<_> = ships[3..].iter().map(|ship| updates(*ship)).collect();
    let rate = (cluster.server().user(user).unwrap().stats.bytes_sent - before) / 20;
    println!(
        "{rate} bytes a second: {flagship} {own} {buoy} {:?} {:?}",
        usual.iter().min(),
        usual.iter().max()
    );
    assert!(usual.iter().all(|count| *count > 10), "nobody starves");
    let usual = usual.iter().sum::<usize>() as f64 / usual.len() as f64;
    assert!(usual < 300.0, "not all fits: {usual}");
    assert!(flagship as f64 > usual * 2.0 && own >= flagship && (buoy as f64) < usual / 2.0 && buoy > 5);
}
