//! Resources.

use bowline::prelude::*;
use bowline_sim::ClusterConfig;

use crate::entities::{HarbourResourceKind, Wind, entity_events, harbour, ms};

#[test]
fn the_wind_blows_for_all() {
    let (mut cluster, _) = harbour(ClusterConfig::new(1, 2));
    let server = cluster.server_mut();
    // ANCHOR: server
    server.insert_resource(Wind { from: 270, force: 4 }).unwrap();
    if let Some(mut wind) = server.resource_mut::<Wind>() {
        wind.force += 1; // of what clients know already, this field alone is sent
    }
    // ANCHOR_END: server
    cluster.run_for(ms(200));
    let client = cluster.client(1);
    // ANCHOR: client
    if let Some(wind) = client.entities().world().resource::<Wind>() {
        println!("force {} from {} degrees", wind.force, wind.from);
    }
    // ANCHOR_END: client
    assert_eq!(client.entities().world().resource::<Wind>(), Some(&Wind { from: 270, force: 5 }));
    let told = cluster.client_seen(1).iter().any(|(_, event)| {
        matches!(event, ClientEvent::Entity(EntityEvent::InsertResource(HarbourResourceKind::Wind)))
    });
    assert!(told);
    cluster.forget_seen();
    cluster.server_mut().resource_mut::<Wind>().unwrap().from = 180;
    cluster.run_for(ms(200));
    assert!(entity_events(&cluster, 0)[0].starts_with("UpdateResource(Wind, "));
    assert_eq!(cluster.server_mut().remove_resource::<Wind>(), Some(Wind { from: 180, force: 5 }));
    cluster.run_for(ms(200));
    assert_eq!(cluster.client(0).entities().world().resource::<Wind>(), None);
}
