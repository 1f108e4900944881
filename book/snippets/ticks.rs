//! Ticks and time.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bowline::prelude::*;
use bowline_sim::{Cluster, ClusterConfig, Conditions, Seen, SimHost, SimSocket};

// ANCHOR: protocol
#[derive(Message, Clone, Debug, PartialEq)]
pub struct Steer {
    #[wire(range = -1.0..=1.0, step = 0.01)]
    pub turn: f32,
}

#[derive(Channel)]
#[channel(tick_buffered, to_server)]
pub struct Input;

#[derive(Protocol)]
#[protocol(tick_rate = 20, channels(Input), messages(Steer))]
pub struct Race;
// ANCHOR_END: protocol

type RaceClient = bowline::Client<Race, SimSocket, SimHost>;

// ANCHOR: client
fn on_client_event(client: &mut RaceClient, event: &ClientEvent<Race>) {
    if let (ClientEvent::Tick(_), Some(mut connected)) = (event, client.connected()) {
        // Predict the tick here, and tell the server what it was made of.
        connected.send::<Input>(Steer { turn: 0.5 }).expect("a full queue of inputs drops its oldest");
    }
}
// ANCHOR_END: client

// ANCHOR: server
#[derive(Debug, Default)]
pub struct Boat {
    turn: f32,
    heading: f32,
}

impl Boat {
    pub fn on_server_event<A>(&mut self, event: &ServerEvent<Race, A>) {
        match event {
            ServerEvent::Input { message: RaceMessage::Steer(steer), .. } => self.turn = steer.turn,
            // All inputs for this tick have come.
            ServerEvent::Tick(_) => self.heading += self.turn * 0.1,
            _ => {}
        }
    }
}
// ANCHOR_END: server

#[test]
fn inputs_steer_a_boat() {
    let mut boat = Boat::default();
    let input = ServerEvent::<Race, ()>::Tick(1);
    boat.on_server_event(&input);
    assert_eq!(boat.heading, 0.0);

    let mut config = ClusterConfig::new(1, 1);
    config.conditions = Conditions::new(60, 10, 0.02);
    let mut cluster = Cluster::<Race>::new(config, |_| ());
    cluster.set_client_app(|_, client, event| on_client_event(client, event));
    let steered = Rc::new(RefCell::new(0));
    let count = Rc::clone(&steered);
    cluster.set_app(move |_, seen| {
        if matches!(seen, Seen::Input(..)) {
            *count.borrow_mut() += 1;
        }
    });
    cluster.connect_all();
    cluster.run_for(Duration::from_secs(5));
    assert!(*steered.borrow() > 80, "{steered:?} inputs");

    let connected = cluster.client_mut(0).connected().unwrap();
    // ANCHOR: stats
    let stats = connected.tick_stats();
    println!("{:?} ahead, {:?} behind", stats.lead, stats.lag);
    println!("{:.1} % of the inputs came in time", stats.inputs.share_on_time() * 100.0);
    // ANCHOR_END: stats
    assert!(stats.inputs.share_on_time() > 0.9 && stats.lead > stats.lag / 4);
}
