//! Requests.

use std::time::Duration;

use bowline::prelude::*;
use bowline_sim::{Cluster, ClusterConfig, Conditions, SimHost, SimSocket};

// ANCHOR: protocol
#[derive(Request, Clone, Debug, PartialEq)]
#[request(response = Seat)]
pub struct TakeSeat {
    #[wire(max_len = 32)]
    pub name: String,
}

#[derive(Wire, Clone, Debug, PartialEq)]
pub struct Seat {
    pub number: u8,
}

#[derive(Channel)]
#[channel(ordered_reliable, bidirectional)]
pub struct Talk;

#[derive(Protocol)]
#[protocol(tick_rate = 20, channels(Talk), requests(TakeSeat))]
pub struct Lobby;
// ANCHOR_END: protocol

type LobbyServer = bowline::Server<Lobby, SimSocket, SimHost>;
type LobbyClient = bowline::Client<Lobby, SimSocket, SimHost>;

// ANCHOR: server
fn on_server_event<A>(server: &mut LobbyServer, taken: &mut u8, event: ServerEvent<Lobby, A>) {
    let ServerEvent::Request(user, LobbyRequested::TakeSeat(asked)) = event else { return };
    if *taken == 4 {
        return asked.responder.refuse("all seats are taken");
    }
    println!("{user}, called {}, sits down", asked.request.name);
    *taken += 1;
    if let Err(unanswered) = server.respond(asked.responder, Seat { number: *taken }) {
        println!("{unanswered}");
    }
}
// ANCHOR_END: server

// ANCHOR: polled
#[derive(Debug, Default)]
pub struct Entrance {
    pending: Option<PendingResponse<TakeSeat>>,
    pub seat: Option<Seat>,
    pub shown: String,
}

impl Entrance {
    pub fn ask(&mut self, client: &mut LobbyClient) -> Result<(), SendError> {
        let Some(mut connected) = client.connected() else { return Ok(()) };
        self.pending = Some(connected.request::<Talk, _>(TakeSeat { name: "ada".into() })?);
        Ok(())
    }

    pub fn each_frame(&mut self) {
        let Some(answer) = self.pending.as_mut().and_then(PendingResponse::try_take) else { return };
        self.pending = None;
        match answer {
            Ok(seat) => self.seat = Some(seat),
            Err(error) => self.shown = error.to_string(), // fit to be shown to a player
        }
    }
}
// ANCHOR_END: polled

// ANCHOR: awaited
async fn sit_down(pending: PendingResponse<TakeSeat>) -> Result<u8, RequestError> {
    let seat = pending.with_timeout(Duration::from_secs(3)).await?;
    Ok(seat.number)
}
// ANCHOR_END: awaited

#[test]
fn four_sit_down_and_the_fifth_reads_why_not() {
    let mut config = ClusterConfig::new(1, 5);
    config.conditions = Conditions::new(30, 5, 0.02);
    let mut cluster = Cluster::<Lobby>::new(config, |_| ());
    let mut taken = 0;
    cluster.set_answers(move |server, user, requested| {
        on_server_event(server, &mut taken, ServerEvent::<Lobby, ()>::Request(user, requested));
    });
    cluster.connect_all();
    cluster.run_for(Duration::from_secs(1));
    let mut entrances: Vec<_> = (0..5).map(|_| Entrance::default()).collect();
    for (client, entrance) in entrances.iter_mut().enumerate() {
        entrance.ask(cluster.client_mut(client)).unwrap();
    }
    cluster.run_for(Duration::from_secs(1));
    entrances.iter_mut().for_each(Entrance::each_frame);
    let mut seats: Vec<_> = entrances.iter().filter_map(|entrance| entrance.seat.as_ref()).collect();
    seats.sort_by_key(|seat| seat.number);
    assert!(seats.iter().map(|seat| seat.number).eq(1..=4));
    let shown: String = entrances.iter().map(|entrance| entrance.shown.as_str()).collect();
    assert_eq!(shown, "the other side refused: all seats are taken");
}

#[tokio::test]
async fn an_answer_can_be_awaited() {
    let mut cluster = Cluster::<Lobby>::new(ClusterConfig::new(1, 1), |_| ());
    cluster.set_answers(|server, _, LobbyRequested::TakeSeat(asked)| {
        server.respond(asked.responder, Seat { number: 9 }).unwrap();
    });
    cluster.connect_all();
    cluster.run_for(Duration::from_secs(1));
    let mut connected = cluster.client_mut(0).connected().unwrap();
    let pending = connected.request::<Talk, _>(TakeSeat { name: "bob".into() }).unwrap();
    let seat = tokio::spawn(sit_down(pending));
    cluster.run_for(Duration::from_secs(1));
    assert_eq!(seat.await.unwrap(), Ok(9));
}
