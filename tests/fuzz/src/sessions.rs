//! A server with entities and two clients in virtual time: one whose path the fuzzer has, and a bystander.

use std::time::Duration;

use allocation_counter::measure;
use bowline::compression::Compression;
use bowline::prelude::*;
use bowline::transport::Security;
use bowline_sim::{Cluster, ClusterConfig, Conditions, Seen, SimAddress};

use crate::datagrams::{Forged, Sender};
use crate::protocol::{
    Count, Diary, Everything, EverythingMessage, EverythingRequested, Facts, Frozen, Helm, Looks, Name,
    Noise, Ordered, Place, Settings, Steer, Target, Weather, Words, login, orders, sundry,
};

const MS: Duration = Duration::from_millis(1);
/// More than this one path must not make a server and a client hold.
const MOST_BYTES: u64 = 8 << 20;
/// Nobody lives there.
const STRANGER: SimAddress = SimAddress::new(60_000);

/// The whole.
pub(crate) struct Sessions {
    pub(crate) cluster: Cluster<Everything>,
}

impl Sessions {
    /// A server and two clients, not connected. They are the same in every run, to the bytes.
    pub(crate) fn new(security: Security, is_compressed: bool) -> Self {
        let conditions = Conditions::new(5, 0, 0.0);
        let mut config = ClusterConfig { conditions, security, ..ClusterConfig::new(1, 2) };
        config.server.client_entities = 4;
        if is_compressed {
            config.server.connection.compression = Some(Compression::new(1));
            config.client.connection.compression = Some(Compression::new(1));
        }
        let mut cluster = Cluster::<Everything>::new(config, login);
        cluster.set_answers(|server, _, EverythingRequested::Count(asked)| {
            let up_to = asked.request.0.min(100);
            // Who asks too much gets no answer, and is told so.
            let _ = server.respond(asked.responder, (0..up_to).collect::<Vec<_>>());
        });
        Self { cluster }
    }

    /// Both clients come in, and see what is there.
    pub(crate) fn connect(&mut self) {
        self.cluster.connect_all();
        assert!(
            self.cluster.run_until(MS * 5_000, |cluster| cluster.server().user_count() == 2),
            "both come in"
        );
        self.cluster.run_for(MS * 50);
        let server = self.cluster.server_mut();
        let room = server.create_room();
        for number in 0..6 {
            let place = Place { x: number as f32, y: 1.0, facing: Some(1) };
            let entity = server.spawn((place, Frozen)).expect("there is room");
            let mut entity = server.entity_mut(entity).expect("it is there");
            entity.enter_room(room);
            match number {
                1 => drop(entity.delegate(Approval::Automatic)),
                2 => drop(entity.delegate(Approval::Ask)),
                _ => {}
            }
        }
        let writer = server
            .spawn((Diary { text: "dear diary".repeat(300), orders: orders().all }, Name("Ann".into())));
        let writer = writer.expect("there is room");
        server.entity_mut(writer).expect("it is there").enter_room(room);
        let follower = server.spawn((Target { at: writer, beside: None },)).expect("there is room");
        server.entity_mut(follower).expect("it is there").enter_room(room);
        server.insert_resource(Weather { rain: 1, where_: vec![writer] }).expect("there is room");
        for user in server.users().collect::<Vec<_>>() {
            server.room_mut(room).add_user(user);
        }
        self.cluster.run_for(MS * 100);
    }

    /// Lets the fuzzer speak.
    pub(crate) fn hear(&mut self, forged: &[Forged<'_>]) {
        let (client, server) = (self.cluster.client_address(0), self.cluster.server_address());
        let seen = measure(|| {
            for forged in forged {
                let (from, to) = match forged.from {
                    Sender::Client => (client, server),
                    Sender::Server => (server, client),
                    Sender::Stranger => (STRANGER, server),
                };
                self.cluster.network().inject(from, to, forged.bytes);
                self.cluster.run_for(forged.pause);
            }
            self.cluster.run_for(MS * 50);
        });
        assert!(seen.bytes_max < MOST_BYTES, "{seen:?}");
    }

    /// The bystander is heard as if nothing had happened; and whoever was disturbed comes in again.
    pub(crate) fn life_goes_on(&mut self) {
        assert_eq!(self.cluster.client(1).phase(), Phase::Connected, "the bystander");
        let words = Words("what was that?".to_owned());
        let mut bystander = self.cluster.client_mut(1).connected().expect("it is connected");
        bystander.send::<Ordered>(words.clone()).expect("its queue is empty");
        let is_heard = |cluster: &Cluster<Everything>| {
            let seen = cluster.server_seen().iter();
            seen.rev().any(|(_, seen)| matches!(seen, Seen::Message(_, EverythingMessage::Words(said)) if *said == words))
        };
        assert!(self.cluster.run_until(MS * 2_000, is_heard), "the bystander is heard");
        self.cluster.client_mut(0).disconnect();
        self.cluster.run_for(MS * 100);
        self.cluster.connect(0);
        let is_in = |cluster: &Cluster<Everything>| cluster.client(0).phase() == Phase::Connected;
        assert!(self.cluster.run_until(MS * 15_000, is_in), "whoever was disturbed comes in again");
    }

    /// What client 0 and the server say to each other in a life with something of everything, datagram by datagram.
    pub(crate) fn recorded(&mut self, from_the_hello_on: bool) -> Vec<(Sender, Vec<u8>)> {
        let mut said = Vec::new();
        if from_the_hello_on {
            self.cluster.connect(0);
        } else {
            self.connect();
        }
        for step in 0..120 {
            if !from_the_hello_on {
                self.say(step);
            }
            self.cluster.run_for(MS);
            let nodes = [
                (Sender::Client, self.cluster.client_address(0)),
                (Sender::Server, self.cluster.server_address()),
            ];
            for (from, node) in nodes {
                if let Some(datagram) = self.cluster.network().last_sent_by(node) {
                    let one = (from, datagram);
                    if !said.contains(&one) {
                        said.push(one);
                    }
                }
            }
        }
        said
    }

    fn say(&mut self, step: u32) {
        let user = self.cluster.server().users().next().expect("it is connected");
        let server = self.cluster.server_mut();
        let words = || Words(format!("step {step}"));
        let said = match step {
            5 => server.send_to::<Noise>(user, sundry()).map_err(drop),
            10 => server.send_to::<Facts>(user, orders()).map_err(drop),
            15 => server.send_to::<Settings>(user, words()).map_err(drop),
            20 => server.send_to::<Looks>(user, words()).map_err(drop),
            25 => server.send_to::<Ordered>(user, Words("long ".repeat(600))).map_err(drop),
            _ => Ok(()),
        };
        said.expect("there is room");
        let Some(mut client) = self.cluster.client_mut(0).connected() else { return };
        let said = match step {
            6 => client.send::<Noise>(sundry()).map_err(drop),
            11 => client.send::<Facts>(orders()).map_err(drop),
            16 => client.send::<Settings>(words()).map_err(drop),
            21 => client.send::<Helm>(Steer { turn: 0.5 }).map_err(drop),
            26 => client.send::<Ordered>(Words("long ".repeat(600))).map_err(drop),
            31 => client.request::<Ordered, _>(Count(9)).map(drop).map_err(drop),
            _ => Ok(()),
        };
        said.expect("there is room");
        let entities = self.cluster.client_mut(0).entities_mut();
        let lent = entities.world().entities().find(|entity| entities.authority(*entity).is_some());
        match (step, lent) {
            (40, Some(entity)) => drop(entities.request_authority(entity)),
            (60, Some(entity)) => {
                if let Some(mut place) = entities.world_mut().component_mut::<Place>(entity) {
                    place.x = -3.5;
                }
            }
            (70, _) => {
                let mine = (Place { x: 9.0, y: 9.0, facing: None }, Name("mine".to_owned()));
                entities.spawn(mine).expect("the server has given ids");
            }
            (90, Some(entity)) => drop(entities.release_authority(entity)),
            _ => {}
        }
    }
}
