//! Games with a world of their own: where state comes from, and where it lands.

use std::collections::BTreeMap;

use bowline::prelude::*;
use bowline::{Changes, ComponentOf, ResourceOf, WorldSink, WorldSource};
use bowline_sim::{Cluster, ClusterConfig, Conditions};
use bowline_tests::arena::{Field, Health, MS, Position, Score, Target, position};

/// A world of maps, as small as one can be: positions and health, and words for all else.
#[derive(Default)]
struct Maps {
    positions: BTreeMap<NetEntity, Position>,
    health: BTreeMap<NetEntity, Health>,
    log: Vec<String>,
}

impl Maps {
    /// The map of a component, if it is one of those.
    fn of<C: 'static>(&mut self) -> Option<&mut BTreeMap<NetEntity, C>> {
        let positions: &mut dyn std::any::Any = &mut self.positions;
        if positions.is::<BTreeMap<NetEntity, C>>() {
            return positions.downcast_mut();
        }
        let health: &mut dyn std::any::Any = &mut self.health;
        health.downcast_mut()
    }
}

impl WorldSink<Field> for Maps {
    fn spawn(&mut self, entity: NetEntity) {
        self.log.push(format!("spawn {entity}"));
    }

    fn spawned(&mut self, entity: NetEntity) {
        self.log.push(format!("spawned {entity}"));
    }

    fn insert<C: ComponentOf<Field>>(&mut self, entity: NetEntity, value: C, _: u32) {
        self.log.push(format!("insert {} of {entity}", C::NAME));
        if let Some(map) = self.of::<C>() {
            map.insert(entity, value);
        }
    }

    fn component_mut<C: ComponentOf<Field>>(&mut self, entity: NetEntity) -> Option<&mut C> {
        self.of::<C>()?.get_mut(&entity)
    }

    fn updated<C: ComponentOf<Field>>(&mut self, entity: NetEntity, _: u32) {
        self.log.push(format!("update {} of {entity}", C::NAME));
    }

    fn remove<C: ComponentOf<Field>>(&mut self, entity: NetEntity) {
        self.log.push(format!("remove {} of {entity}", C::NAME));
        if let Some(map) = self.of::<C>() {
            map.remove(&entity);
        }
    }

    fn despawn(&mut self, entity: NetEntity) {
        self.log.push(format!("despawn {entity}"));
        self.positions.remove(&entity);
        self.health.remove(&entity);
    }

    fn insert_resource<R: ResourceOf<Field>>(&mut self, _: R, _: u32) {
        self.log.push(format!("insert {}", R::NAME));
    }

    fn resource_mut<R: ResourceOf<Field>>(&mut self) -> Option<&mut R> {
        None
    }

    fn updated_resource<R: ResourceOf<Field>>(&mut self, _: u32) {}

    fn remove_resource<R: ResourceOf<Field>>(&mut self) {
        self.log.push(format!("remove {}", R::NAME));
    }
}

impl WorldSource<Field> for Maps {
    fn collect(&mut self, changes: &mut Changes<'_, Field>) {
        // All of it, changed or not: what did not change is not sent.
        self.positions.iter().for_each(|(entity, position)| changes.component(*entity, position));
        self.health.iter().for_each(|(entity, health)| changes.component(*entity, health));
    }
}

fn apply(cluster: &mut Cluster<Field>, world: &mut Maps) {
    cluster.run_for(MS * 200);
    assert!(cluster.client_mut(0).entities_mut().apply_to(world), "it makes sense");
}

#[test]
fn state_comes_from_one_own_world_and_lands_in_another() {
    let mut config = ClusterConfig::new(2, 1);
    config.conditions = Conditions::new(20, 0, 0.0);
    config.server.client_entities = 1;
    let mut cluster = Cluster::<Field>::new(config, |_| ());
    cluster.client_mut(0).entities_mut().use_own_world();
    cluster.connect_all();
    cluster.run_for(MS * 1_000);
    let room = cluster.server_mut().create_room();
    let user = cluster.server().users().next().unwrap();
    cluster.server_mut().room_mut(room).add_user(user);

    let (mut here, mut there) = (Maps::default(), Maps::default());
    let server = cluster.server_mut();
    let entity = server.replication_mut().spawn_elsewhere().unwrap();
    server.room_mut(room).add_entity(entity);
    here.positions.insert(entity, position(1));
    here.health.insert(entity, Health(9));
    server.collect_from(&mut here);
    apply(&mut cluster, &mut there);
    assert_eq!(
        (there.positions.get(&entity), there.health.get(&entity)),
        (Some(&position(1)), Some(&Health(9)))
    );
    assert_eq!(
        there.log,
        ["spawn entity 1", "insert Position of entity 1", "insert Health of entity 1", "spawned entity 1"]
    );
    assert!(cluster.client(0).entities().world().is_empty(), "not in the embedded one");

    here.positions.get_mut(&entity).unwrap().x = 5.0;
    cluster.server_mut().collect_from(&mut here);
    apply(&mut cluster, &mut there);
    assert_eq!(there.positions[&entity].x, 5.0);
    assert_eq!(there.log[4..], ["update Position of entity 1"]);

    // Authority, and what the client writes from its own world.
    cluster.server_mut().entity_mut(entity).unwrap().delegate(Approval::Automatic);
    apply(&mut cluster, &mut there);
    assert!(cluster.client_mut(0).entities_mut().request_authority(entity));
    apply(&mut cluster, &mut there);
    let entities = cluster.client_mut(0).entities_mut();
    assert_eq!(entities.authority(entity), Some(Authority::Granted));
    let mine = entities.spawn_elsewhere().unwrap();
    there.health.get_mut(&entity).unwrap().0 = 3;
    let mut written = Maps { health: there.health.clone(), ..Maps::default() };
    written.positions.insert(mine, position(7));
    entities.collect_from(&mut written);
    cluster.run_for(MS * 300);
    let world = cluster.server().world();
    assert_eq!(world.component::<Position>(mine), Some(&position(7)));

    cluster.server_mut().despawn(entity);
    apply(&mut cluster, &mut there);
    assert!(there.positions.is_empty() && there.log.last().unwrap() == "despawn entity 1", "{:?}", there.log);
}

#[test]
fn what_is_elsewhere_can_be_brought_into_the_embedded_world_to_be_lent() {
    let config = ClusterConfig { conditions: Conditions::new(20, 0, 0.0), ..ClusterConfig::new(2, 1) };
    let mut cluster = Cluster::<Field>::new(config, |_| ());
    cluster.connect_all();
    cluster.run_for(MS * 1_000);
    let room = cluster.server_mut().create_room();
    let user = cluster.server().users().next().unwrap();
    cluster.server_mut().room_mut(room).add_user(user);
    let server = cluster.server_mut();
    let entity = server.replication_mut().spawn_elsewhere().unwrap();
    server.room_mut(room).add_entity(entity);
    let mut here = Maps::default();
    here.health.insert(entity, Health(9));
    server.collect_from(&mut here);
    server.entity_mut(entity).unwrap().delegate(Approval::Automatic);
    assert!(server.replication_mut().embed(entity) && !server.replication_mut().embed(entity));
    server.entity_mut(entity).unwrap().insert(Health(9));
    cluster.run_for(MS * 300);
    let client = cluster.client_mut(0);
    assert!(client.entities_mut().request_authority(entity));
    cluster.run_for(MS * 300);
    cluster.client_mut(0).entities_mut().world_mut().component_mut::<Health>(entity).unwrap().0 = 4;
    cluster.run_for(MS * 300);
    assert_eq!(cluster.server().world().component(entity), Some(&Health(4)));
}

/// A world with a resource.
struct Tower(Score);

impl WorldSource<Field> for Tower {
    fn collect(&mut self, changes: &mut Changes<'_, Field>) {
        changes.resource(&self.0);
    }
}

#[test]
fn a_resource_comes_from_one_own_world() {
    let config = ClusterConfig { conditions: Conditions::new(20, 0, 0.0), ..ClusterConfig::new(2, 1) };
    let mut cluster = Cluster::<Field>::new(config, |_| ());
    cluster.connect_all();
    cluster.run_for(MS * 1_000);
    let mut tower = Tower(Score { left: 1, right: 2 });
    cluster.server_mut().collect_from(&mut tower);
    cluster.run_for(MS * 300);
    assert_eq!(cluster.client(0).resource::<Score>(), None, "nobody has said that there is one");
    cluster.server_mut().replication_mut().insert_resource_elsewhere::<Score>().unwrap();
    cluster.server_mut().collect_from(&mut tower);
    cluster.run_for(MS * 300);
    assert_eq!(cluster.client(0).resource(), Some(&Score { left: 1, right: 2 }));
    tower.0.left = 7;
    cluster.server_mut().collect_from(&mut tower);
    cluster.run_for(MS * 300);
    assert_eq!(cluster.client(0).resource(), Some(&Score { left: 7, right: 2 }));
    cluster.server_mut().remove_resource::<Score>();
    cluster.run_for(MS * 300);
    assert_eq!(cluster.client(0).resource::<Score>(), None);
}

#[test]
fn what_waits_for_an_own_world_is_bounded_and_loses_nothing() {
    let config = ClusterConfig { conditions: Conditions::new(20, 0, 0.0), ..ClusterConfig::new(2, 1) };
    let mut cluster = Cluster::<Field>::new(config, |_| ());
    cluster.client_mut(0).entities_mut().use_own_world();
    cluster.connect_all();
    cluster.run_for(MS * 1_000);
    let room = cluster.server_mut().create_room();
    let user = cluster.server().users().next().unwrap();
    cluster.server_mut().room_mut(room).add_user(user);
    let server = cluster.server_mut();
    let entities: Vec<_> =
        (0..2_000).map(|number| server.spawn((position(number), Health(0))).unwrap()).collect();
    for entity in &entities {
        server.room_mut(room).add_entity(*entity);
    }
    for _ in 0..400 {
        cluster.server_mut().world_mut().for_each_mut::<Position>(|_, mut at| at.x += 1.0);
        cluster.run_for(MS * 50);
    }
    assert!(cluster.client(0).entities().is_full());
    let mut there = Maps::default();
    for _ in 0..20 {
        apply(&mut cluster, &mut there);
    }
    assert!(!cluster.client(0).entities().is_full());
    for entity in &entities {
        assert_eq!(there.positions.get(entity), cluster.server().world().component::<Position>(*entity));
    }
}

#[test]
fn references_can_be_mapped_to_the_ids_of_another_world() {
    use bowline::Replicate as _;
    let mut target = Target { at: NetEntity::new(7, 1) };
    target.map_references(&mut |entity| NetEntity::new(entity.slot() as u32 + 100, 0));
    assert_eq!(target.at, NetEntity::new(107, 0));
}
