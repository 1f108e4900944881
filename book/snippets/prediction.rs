//! Prediction, interpolation and lag compensation.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bowline::prelude::*;
use bowline::{Interpolate, Past, Predicted, Reconciled, Snapshots, TickTime};
use bowline_sim::{Cluster, ClusterConfig, Conditions, Seen, SimHost, SimSocket};

// ANCHOR: simulation
#[derive(Replicate, Clone, Copy, Debug, PartialEq)]
pub struct Ship {
    #[wire(range = -500.0..=500.0, step = 0.01)]
    pub x: f32,
    #[wire(range = -500.0..=500.0, step = 0.01)]
    pub y: f32,
}

#[derive(Message, Clone, Copy, Debug, PartialEq)]
pub struct Steer {
    #[wire(range = -1.0..=1.0, step = 0.01)]
    pub x: f32,
    #[wire(range = -1.0..=1.0, step = 0.01)]
    pub y: f32,
}

/// One tick of a ship: the same on the server and on the client, and of nothing but the ship and its helm.
fn sail(ship: &mut Ship, helm: &Steer) {
    ship.x += helm.x;
    ship.y += helm.y;
}
// ANCHOR_END: simulation

/// A shot, at what was seen when it was fired.
// ANCHOR: shot
#[derive(Message, Clone, Copy, Debug, PartialEq)]
pub struct Shot {
    pub at: NetEntity,
    /// The moment that the client has shown.
    pub tick: u32,
    #[wire(range = 0.0..=1.0, step = 0.01)]
    pub fraction: f32,
}
// ANCHOR_END: shot

#[derive(Channel)]
#[channel(tick_buffered, to_server)]
pub struct Helm;

#[derive(Channel)]
#[channel(unordered_reliable, to_server)]
pub struct Guns;

#[derive(Protocol)]
#[protocol(tick_rate = 20, channels(Helm, Guns), messages(Steer, Shot), components(Ship))]
pub struct Battle;

type BattleClient = bowline::Client<Battle, SimSocket, SimHost>;
type BattleServer = bowline::Server<Battle, SimSocket, SimHost>;

// ANCHOR: predict
pub struct OwnShip {
    entity: NetEntity,
    predicted: Predicted<Ship, Steer>,
}

impl OwnShip {
    pub fn on_event(&mut self, client: &mut BattleClient, event: &ClientEvent<Battle>, helm: Steer) {
        match event {
            ClientEvent::Tick(tick) => {
                if let Some(mut connected) = client.connected() {
                    connected.send::<Helm>(helm).expect("a full queue of inputs drops its oldest");
                }
                // At once here; a round trip later on the server.
                self.predicted.step(*tick, helm, sail);
            }
            ClientEvent::Entity(EntityEvent::UpdateComponent { entity, tick, .. })
                if *entity == self.entity =>
            {
                let Some(truth) = client.world().component::<Ship>(*entity) else { return };
                let is_right = |predicted: &Ship, truth: &Ship| {
                    (predicted.x - truth.x).abs() < 0.05 && (predicted.y - truth.y).abs() < 0.05
                };
                self.predicted.reconcile(*tick, *truth, is_right, sail);
            }
            _ => {}
        }
    }

    /// What to draw.
    pub const fn shown(&self) -> &Ship {
        self.predicted.state()
    }
}
// ANCHOR_END: predict

// ANCHOR: interpolate
impl Interpolate for Ship {
    fn interpolate(&self, to: &Self, part: f32) -> Self {
        Self { x: self.x.interpolate(&to.x, part), y: self.y.interpolate(&to.y, part) }
    }
}

pub struct OtherShip {
    entity: NetEntity,
    known: Snapshots<Ship>,
}

impl OtherShip {
    pub fn on_event(&mut self, client: &BattleClient, event: &ClientEvent<Battle>) {
        if let ClientEvent::Entity(EntityEvent::UpdateComponent { entity, tick, .. }) = event
            && *entity == self.entity
            && let Some(ship) = client.world().component::<Ship>(*entity)
        {
            self.known.insert(*tick, *ship);
        }
    }

    /// What to draw.
    pub fn shown(&self, client: &mut BattleClient) -> Option<Ship> {
        self.known.at(client.connected()?.shown_time()?)
    }
}
// ANCHOR_END: interpolate

// ANCHOR: shoot
fn shoot(client: &mut BattleClient, at: NetEntity) -> Result<(), SendError> {
    let Some(mut connected) = client.connected() else { return Ok(()) };
    let Some(shown) = connected.shown_time() else { return Ok(()) };
    connected.send::<Guns>(Shot { at, tick: shown.tick(), fraction: shown.fraction() })?;
    Ok(())
}
// ANCHOR_END: shoot

// ANCHOR: judge
pub struct Gunnery {
    past: Past<NetEntity, Ship>,
}

impl Gunnery {
    /// After each tick of the server.
    pub fn remember(&mut self, server: &BattleServer, tick: u32) {
        let ships = server.world().query::<&Ship>();
        self.past.record(tick, ships.map(|(entity, ship)| (entity, *ship)));
    }

    /// Where the target was for whoever shot at it.
    pub fn target(&self, shot: &Shot) -> Option<Ship> {
        let interval = Duration::from_secs(1) / u32::from(Battle::TICK_RATE);
        let seen = TickTime::new(shot.tick, interval) + interval.mul_f32(shot.fraction);
        self.past.at(seen).get(&shot.at)
    }
}
// ANCHOR_END: judge

/// A corrected state that is shown as a movement.
// ANCHOR: smooth
#[derive(Default)]
pub struct Smooth {
    /// What is still to be seen of the last correction.
    rest: (f32, f32),
}

impl Smooth {
    pub fn corrected(&mut self, said: Reconciled<Ship>, now: &Ship) {
        if let Reconciled::Corrected { before, .. } = said {
            self.rest = (self.rest.0 + before.x - now.x, self.rest.1 + before.y - now.y);
        }
    }

    /// What to draw of a predicted ship, so many seconds after the last time: half of the rest goes in each twentieth of a second.
    pub fn shown(&mut self, ship: &Ship, seconds: f32) -> Ship {
        let part = 0.5_f32.powf(seconds / 0.05);
        self.rest = (self.rest.0 * part, self.rest.1 * part);
        Ship { x: ship.x + self.rest.0, y: ship.y + self.rest.1 }
    }
}
// ANCHOR_END: smooth

#[test]
fn a_battle() {
    let config = ClusterConfig { conditions: Conditions::new(60, 10, 0.02), ..ClusterConfig::new(1, 1) };
    let mut cluster = Cluster::<Battle>::new(config, |_| ());
    let room = cluster.server_mut().create_room();
    let [own, other] = [0.0, 100.0].map(|x| cluster.server_mut().spawn((Ship { x, y: 0.0 },)).unwrap());
    for ship in [own, other] {
        cluster.server_mut().room_mut(room).add_entity(ship);
    }
    let mut helm = Steer { x: 0.0, y: 0.0 };
    let mut gunnery = Gunnery { past: Past::new(8) };
    let hits = Rc::<RefCell<Vec<(Ship, Ship)>>>::default();
    let judged = Rc::clone(&hits);
    cluster.set_app(move |server, seen| match seen {
        Seen::Connected(user) => drop(server.room_mut(room).add_user(*user)),
        Seen::Input(_, _, BattleMessage::Steer(steer)) => helm = *steer,
        Seen::Tick(tick) => {
            sail(&mut server.world_mut().component_mut::<Ship>(own).unwrap(), &helm);
            server.world_mut().component_mut::<Ship>(other).unwrap().y = (*tick % 200) as f32;
            gunnery.remember(server, *tick);
        }
        Seen::Message(_, BattleMessage::Shot(shot)) => {
            let now = *server.world().component::<Ship>(shot.at).unwrap();
            judged.borrow_mut().push((gunnery.target(shot).unwrap(), now));
        }
        _ => {}
    });
    let own_ship = OwnShip { entity: own, predicted: Predicted::new(Ship { x: 0.0, y: 0.0 }, 64) };
    let other_ship = OtherShip { entity: other, known: Snapshots::new(6) };
    let ships = Rc::new(RefCell::new((own_ship, other_ship)));
    let followed = Rc::clone(&ships);
    cluster.set_client_app(move |_, client, event| {
        let (own, other) = &mut *followed.borrow_mut();
        own.on_event(client, event, Steer { x: 0.5, y: -0.25 });
        other.on_event(client, event);
    });
    cluster.connect_all();
    cluster.run_for(Duration::from_secs(6));

    let truth = *cluster.server().world().component::<Ship>(own).unwrap();
    let shown = *ships.borrow().0.shown();
    assert!(
        (0.5..8.0).contains(&(shown.x - truth.x)),
        "ahead of the server by some ticks: {shown:?} {truth:?}"
    );
    let seen = ships.borrow().1.shown(cluster.client_mut(0)).unwrap();
    shoot(cluster.client_mut(0), other).unwrap();
    cluster.run_for(Duration::from_millis(300));
    let (target, now) = hits.borrow()[0];
    assert!((target.y - seen.y).abs() < 0.1, "{target:?} {seen:?}");
    assert!((now.y - seen.y).abs() > 1.0, "it has sailed on: {now:?} {seen:?}");
}

#[test]
fn a_correction_is_a_movement() {
    let mut smooth = Smooth::default();
    let (before, now) = (Ship { x: 4.0, y: 0.0 }, Ship { x: 0.0, y: 0.0 });
    smooth.corrected(Reconciled::Corrected { before, ticks: 3 }, &now);
    assert_eq!(smooth.shown(&now, 0.0).x, 4.0);
    assert!((smooth.shown(&now, 0.05).x - 2.0).abs() < 1e-4);
    assert!(smooth.shown(&now, 1.0).x < 0.01);
}
