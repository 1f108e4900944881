//! What a player does is seen at once, what others do is shown a moment later, and a shot hits what was aimed at.

#![allow(
    missing_docs,
    missing_debug_implementations,
    reason = "a protocol's items are public, as a game's are"
)]

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bowline::prelude::*;
use bowline::{Past, Predicted, Reconciled, Snapshots, TickTime};
use bowline_sim::{Cluster, ClusterConfig, Conditions, Seen};
use bowline_tests::lossy;

/// How a ship is steered.
#[derive(Message, Clone, Copy, Debug, PartialEq)]
pub struct Steer {
    pub x: i32,
}

/// A shot, with the moment that was shown when it was fired, and what was there.
#[derive(Message, Clone, Copy, Debug, PartialEq)]
pub struct Shot {
    pub tick: u32,
    pub fraction: f32,
    pub seen: f32,
}

/// Where a ship is.
#[derive(Replicate, Clone, Copy, Debug, PartialEq)]
pub struct Ship {
    pub x: i32,
}

/// Where a target is, which goes its way by itself.
#[derive(Replicate, Clone, Copy, Debug, PartialEq)]
pub struct Target {
    pub x: f32,
}

#[derive(Channel)]
#[channel(tick_buffered, to_server)]
pub struct Helm;

#[derive(Channel)]
#[channel(unordered_reliable, to_server)]
pub struct Guns;

#[derive(Protocol, Clone, Copy, Debug)]
#[protocol(
    tick_rate = 20,
    channels(Helm, Guns),
    messages(Steer, Shot),
    components(Ship, Target),
    derive(Clone, Debug, PartialEq)
)]
pub struct Range;

const MS: Duration = Duration::from_millis(1);
const TICK: Duration = Duration::from_millis(50);
/// Of the target, in metres a tick.
const SPEED: f32 = 0.5;
/// The target turns here, so that it is never far.
const TURN: u32 = 40;

/// Where the target is at a tick, and between: to and fro.
fn target_at(ticks: f64) -> f32 {
    let way = (ticks % f64::from(2 * TURN)) as f32;
    let turn = TURN as f32;
    SPEED * if way < turn { way } else { 2.0 * turn - way }
}

/// What the player does in a tick: full ahead, then about, then nothing.
fn helm(tick: u32) -> i32 {
    [3, 3, 1, -2, -5, 0, 0][tick as usize / 7 % 7]
}

fn sail(ship: &mut i32, helm: &i32) {
    *ship += helm;
}

/// What the two sides have counted.
#[derive(Default)]
struct Counted {
    right: usize,
    corrections: Vec<i32>,
    shots: Vec<(f32, Option<f32>, f32)>,
}

/// A server with a ship that its one client steers, and a target.
struct Stage {
    cluster: Cluster<Range>,
    ship: Rc<RefCell<Predicted<i32, i32>>>,
    target: Rc<RefCell<Snapshots<f32>>>,
    counted: Rc<RefCell<Counted>>,
    shove: Rc<RefCell<i32>>,
}

impl Stage {
    fn new(seed: u64, conditions: Conditions) -> Self {
        let mut cluster =
            Cluster::<Range>::new(ClusterConfig { conditions, ..ClusterConfig::new(seed, 1) }, |_| ());
        let counted = Rc::<RefCell<Counted>>::default();
        let shove = Rc::<RefCell<i32>>::default();
        serve(&mut cluster, &counted, &shove);
        let ship = Rc::new(RefCell::new(Predicted::new(0, 64)));
        let target = Rc::new(RefCell::new(Snapshots::new(6)));
        play(&mut cluster, &counted, &ship, &target);
        cluster.connect(0);
        assert!(cluster.run_until(MS * 20_000, |cluster| cluster.client(0).phase() == Phase::Connected));
        // The client's time is right two seconds later.
        cluster.run_for(MS * 3_000);
        *counted.borrow_mut() = Counted::default();
        Self { cluster, ship, target, counted, shove }
    }

    /// The moment that the client shows.
    fn shown(&mut self) -> TickTime {
        let connected = self.cluster.client_mut(0).connected().expect("it is connected");
        connected.shown_time().expect("something has come")
    }

    /// Where the server has the ship.
    fn truth(&self) -> i32 {
        let world = self.cluster.server().world();
        world.query::<&Ship>().next().expect("a ship").1.x
    }
}

fn serve(cluster: &mut Cluster<Range>, counted: &Rc<RefCell<Counted>>, shove: &Rc<RefCell<i32>>) {
    let room = cluster.server_mut().create_room();
    let ship = cluster.server_mut().spawn((Ship { x: 0 },)).expect("there is room");
    let target = cluster.server_mut().spawn((Target { x: 0.0 },)).expect("there is room");
    for entity in [ship, target] {
        cluster.server_mut().room_mut(room).add_entity(entity);
    }
    let (mut helm, mut past) = (0, Past::new(20));
    let (counted, shove) = (Rc::clone(counted), Rc::clone(shove));
    cluster.set_app(move |server, seen| match seen {
        Seen::Connected(user) => {
            server.room_mut(room).add_user(*user);
        }
        Seen::Input(_, _, RangeMessage::Steer(steer)) => helm = steer.x,
        Seen::Tick(tick) => {
            if let Some(mut ship) = server.world_mut().component_mut::<Ship>(ship) {
                sail(&mut ship.x, &helm);
                ship.x += std::mem::take(&mut *shove.borrow_mut());
            }
            let x = target_at(f64::from(*tick));
            if let Some(mut target) = server.world_mut().component_mut::<Target>(target) {
                target.x = x;
            }
            past.record(*tick, [(target, x)]);
        }
        Seen::Message(_, RangeMessage::Shot(shot)) => {
            let moment = TickTime::new(shot.tick, TICK) + TICK.mul_f32(shot.fraction);
            let now = server.world().component::<Target>(target).expect("it is there").x;
            counted.borrow_mut().shots.push((shot.seen, past.at(moment).get(&target), now));
        }
        _ => {}
    });
}

fn play(
    cluster: &mut Cluster<Range>,
    counted: &Rc<RefCell<Counted>>,
    ship: &Rc<RefCell<Predicted<i32, i32>>>,
    target: &Rc<RefCell<Snapshots<f32>>>,
) {
    let (counted, ship, target) = (Rc::clone(counted), Rc::clone(ship), Rc::clone(target));
    cluster.set_client_app(move |_, client, event| match event {
        ClientEvent::Tick(tick) => {
            let x = helm(*tick);
            if let Some(mut connected) = client.connected() {
                connected.send::<Helm>(Steer { x }).expect("it drops the oldest");
            }
            ship.borrow_mut().step(*tick, x, sail);
        }
        ClientEvent::Entity(EntityEvent::UpdateComponent { entity, kind, tick }) => match kind {
            RangeComponentKind::Ship => {
                let truth = client.world().component::<Ship>(*entity).expect("it was updated").x;
                let said = ship.borrow_mut().reconcile(*tick, truth, PartialEq::eq, sail);
                match said {
                    Reconciled::AsPredicted => counted.borrow_mut().right += 1,
                    Reconciled::Corrected { before, .. } => {
                        counted.borrow_mut().corrections.push(*ship.borrow().state() - before);
                    }
                    Reconciled::Outdated => {}
                }
            }
            RangeComponentKind::Target => {
                let x = client.world().component::<Target>(*entity).expect("it was updated").x;
                target.borrow_mut().insert(*tick, x);
            }
        },
        _ => {}
    });
}

#[test]
fn a_predicted_ship_is_where_the_server_has_it_later() {
    let conditions = [Conditions::new(100, 0, 0.0), lossy(0.0), lossy(0.02), lossy(0.1)];
    for (seed, conditions) in (1..).zip(conditions) {
        let mut stage = Stage::new(seed, conditions);
        stage.cluster.run_for(MS * 20_000);
        let counted = stage.counted.borrow();
        println!("seed {seed}: {} right, corrected by {:?}", counted.right, counted.corrections);
        assert!(counted.right > 200, "seed {seed}: {}", counted.right);
        // An input whose three copies were lost, say.
        assert!(counted.corrections.len() <= 2, "seed {seed}: {:?}", counted.corrections);
    }
}

#[test]
fn where_inputs_are_lost_the_server_is_right_and_the_client_finds_out() {
    let mut stage = Stage::new(8, lossy(0.5));
    stage.cluster.run_for(MS * 60_000);
    {
        let counted = stage.counted.borrow();
        println!("{} right, corrected by {:?}", counted.right, counted.corrections);
        assert!(counted.right > 300 && counted.corrections.len() > 5, "{}", counted.right);
    }
    // Once nothing is lost any more, nothing is wrong any more.
    stage.cluster.network().set_conditions(Conditions::new(100, 25, 0.0));
    stage.cluster.run_for(MS * 5_000);
    stage.counted.borrow_mut().corrections.clear();
    stage.cluster.run_for(MS * 20_000);
    assert_eq!(stage.counted.borrow().corrections, [0; 0]);
}

#[test]
fn what_nobody_could_predict_is_put_right_once() {
    let mut stage = Stage::new(5, Conditions::new(60, 0, 0.0));
    *stage.shove.borrow_mut() = 100;
    stage.cluster.run_for(MS * 500);
    assert_eq!(stage.counted.borrow().corrections, [100]);
    stage.cluster.run_for(MS * 5_000);
    assert_eq!(stage.counted.borrow().corrections, [100], "and not again");
    assert!(stage.truth().abs_diff(*stage.ship.borrow().state()) <= 20, "a few ticks ahead of the server");
}

#[test]
fn a_target_is_shown_where_it_was_at_the_time_that_is_shown() {
    let mut stage = Stage::new(6, lossy(0.02));
    let mut off = Vec::new();
    for _ in 0..2_000 {
        stage.cluster.run_for(MS * 7);
        let shown = stage.shown();
        let truth = target_at(f64::from(shown.tick()) + f64::from(shown.fraction()));
        let seen = stage.target.borrow().at(shown).expect("it is in sight");
        off.push((seen - truth).abs());
    }
    off.sort_by(f32::total_cmp);
    let (median, p99) = (off[off.len() / 2], off[off.len() * 99 / 100]);
    println!("off by {median} m in the median, {p99} m in the 99th of a hundred; {SPEED} m are a tick");
    assert!(median < 0.01 && p99 < SPEED, "{median} {p99}");
}

#[test]
fn a_shot_hits_what_was_aimed_at() {
    let mut stage = Stage::new(7, lossy(0.02));
    for _ in 0..200 {
        stage.cluster.run_for(MS * 53);
        let shown = stage.shown();
        let seen = stage.target.borrow().at(shown).expect("it is in sight");
        let shot = Shot { tick: shown.tick(), fraction: shown.fraction(), seen };
        stage.cluster.client_mut(0).connected().expect("it is").send::<Guns>(shot).expect("there is room");
    }
    stage.cluster.run_for(MS * 2_000);
    let shots = &stage.counted.borrow().shots;
    assert_eq!(shots.len(), 200);
    let is_near = |seen: f32, there: f32| (seen - there).abs() < 0.1;
    let hits = shots.iter().filter(|(seen, past, _)| past.is_some_and(|past| is_near(*seen, past))).count();
    let without = shots.iter().filter(|(seen, _, now)| is_near(*seen, *now)).count();
    println!("{hits} of 200 shots hit, {without} would have without the past");
    assert!(hits >= 196 && without < 50, "{hits} {without}");
}
