//! The engine in simulated time, with `str0m` at the other end too: every datagram passes through here.

use std::collections::VecDeque;

use bowline_core::SeededEntropy;
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::channel::{ChannelConfig, ChannelId, Reliability};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, Input, Rtc};

use super::*;

const LIMITS: Limits = Limits { peers: 8, unfinished: 4 };
const LATENCY: Duration = Duration::from_millis(10);

/// What came out of the engine.
#[derive(Default)]
struct Outcome {
    datagrams: Vec<(SocketAddr, Vec<u8>)>,
    messages: Vec<(PeerAddress, Vec<u8>)>,
}

impl Output for Outcome {
    fn transmit(&mut self, to: SocketAddr, datagram: &[u8]) {
        self.datagrams.push((to, datagram.to_vec()));
    }

    fn message(&mut self, from: PeerAddress, message: &[u8]) {
        self.messages.push((from, message.to_vec()));
    }
}

/// A client on a network of its own.
struct Client {
    rtc: Rtc,
    channel: ChannelId,
    pending: Option<SdpPendingOffer>,
    address: SocketAddr,
    deadline: Instant,
    is_open: bool,
    is_silent: bool,
    messages: Vec<Vec<u8>>,
}

/// A datagram on its way.
struct Flight {
    at: Instant,
    from: SocketAddr,
    to: SocketAddr,
    bytes: Vec<u8>,
}

struct Stage {
    start: Instant,
    now: Instant,
    engine: Engine<SeededEntropy>,
    outcome: Outcome,
    clients: Vec<Client>,
    flights: VecDeque<Flight>,
    /// Has the game take what there is.
    reads: bool,
    turn: u64,
    /// How much of what is on its way gets lost, and how long the rest takes.
    loss: f64,
    latency: Duration,
    dice: SeededEntropy,
}

fn server() -> SocketAddr {
    "203.0.113.1:14192".parse().unwrap()
}

fn home(client: usize) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, client as u8 + 1], 50_000))
}

impl Stage {
    fn new() -> Self {
        let start = Instant::now();
        Self {
            start,
            now: start,
            engine: Engine::new(vec![server()], LIMITS, SeededEntropy::new(7)).unwrap(),
            outcome: Outcome::default(),
            clients: Vec::new(),
            flights: VecDeque::new(),
            reads: true,
            turn: 0,
            loss: 0.0,
            latency: LATENCY,
            dice: SeededEntropy::new(11),
        }
    }

    /// A client that has made an offer, which is not answered yet.
    fn offer(&mut self) -> String {
        let address = home(self.clients.len());
        let mut rtc = Rtc::builder().build(self.now);
        rtc.add_local_candidate(Candidate::host(address, Protocol::Udp).unwrap());
        let mut api = rtc.sdp_api();
        let channel = api.add_channel_with_config(ChannelConfig {
            label: "bowline".into(),
            ordered: false,
            reliability: Reliability::MaxRetransmits { retransmits: 0 },
            negotiated: Some(0),
            protocol: String::new(),
        });
        let (offer, pending) = api.apply().unwrap();
        self.clients.push(Client {
            rtc,
            channel,
            pending: Some(pending),
            address,
            deadline: self.now,
            is_open: false,
            is_silent: false,
            messages: Vec::new(),
        });
        offer.to_sdp_string()
    }

    /// A client whose offer was answered.
    fn client(&mut self) -> usize {
        let offer = self.offer();
        let answer = self.engine.handle_offer(self.now, &offer, &mut self.outcome).unwrap();
        let client = self.clients.last_mut().unwrap();
        let answer = SdpAnswer::from_sdp_string(&answer).unwrap();
        client.rtc.sdp_api().accept_answer(client.pending.take().unwrap(), answer).unwrap();
        self.clients.len() - 1
    }

    fn open_client(&mut self) -> usize {
        let client = self.client();
        self.play(Duration::from_secs(2));
        assert!(self.clients[client].is_open, "it did not open");
        client
    }

    fn play(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.now += Duration::from_millis(1);
            self.step();
        }
    }

    /// The same in long strides, for times when nothing happens.
    fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.now += Duration::from_millis(100);
            self.step();
        }
    }

    fn step(&mut self) {
        while self.flights.front().is_some_and(|flight| flight.at <= self.now) {
            let flight = self.flights.pop_front().unwrap();
            if self.dice.next_unit() < self.loss {
                continue;
            }
            if flight.to == server() {
                self.engine.handle_datagram(self.now, flight.from, &flight.bytes, &mut self.outcome);
            } else if let Some(client) = self.clients.iter_mut().find(|client| client.address == flight.to) {
                client.receive(self.now, &flight);
                // Its engine holds a few datagrams and refuses the rest.
                client.drive(self.now, self.now + self.latency, &mut self.flights);
            }
        }
        if self.reads {
            self.turn += 1;
        }
        self.engine.handle_timeout(self.now, self.turn, &mut self.outcome);
        let at = self.now + self.latency;
        for (to, bytes) in self.outcome.datagrams.drain(..) {
            assert!(bytes.len() <= 1_232, "{} bytes do not pass every path", bytes.len());
            self.flights.push_back(Flight { at, from: server(), to, bytes });
        }
        for client in &mut self.clients {
            client.drive(self.now, at, &mut self.flights);
        }
    }

    fn client_sends(&mut self, client: usize, message: &[u8]) -> bool {
        let client = &mut self.clients[client];
        client.rtc.channel(client.channel).unwrap().write(true, message).unwrap()
    }

    /// The peer that said this.
    fn peer_of(&mut self, client: usize) -> PeerAddress {
        assert!(self.client_sends(client, b"it is me"));
        self.play(self.latency * 4);
        self.outcome.messages.pop().unwrap().0
    }

    fn statistics(&self) -> Statistics {
        self.engine.statistics()
    }
}

impl Client {
    fn receive(&mut self, now: Instant, flight: &Flight) {
        // It believes to be where it was at first: a NAT stands in between.
        let Ok(received) = Receive::new(Protocol::Udp, flight.from, self.inner_address(), &flight.bytes)
        else {
            return;
        };
        self.rtc.handle_input(Input::Receive(now, received)).unwrap();
    }

    fn inner_address(&self) -> SocketAddr {
        SocketAddr::new(self.address.ip(), 50_000)
    }

    fn drive(&mut self, now: Instant, at: Instant, flights: &mut VecDeque<Flight>) {
        if self.deadline <= now {
            self.rtc.handle_input(Input::Timeout(now)).unwrap();
        }
        loop {
            match self.rtc.poll_output().unwrap() {
                str0m::Output::Timeout(deadline) => {
                    self.deadline = deadline;
                    return;
                }
                str0m::Output::Transmit(transmit) if !self.is_silent => flights.push_back(Flight {
                    at,
                    from: self.address,
                    to: transmit.destination,
                    bytes: transmit.contents.to_vec(),
                }),
                str0m::Output::Event(Event::ChannelOpen(..)) => self.is_open = true,
                str0m::Output::Event(Event::ChannelData(data)) => self.messages.push(data.data),
                _ => {}
            }
        }
    }
}

#[test]
fn a_channel_opens_and_messages_go_both_ways() {
    let mut stage = Stage::new();
    let (anna, ben) = (stage.client(), stage.client());
    stage.play(Duration::from_secs(2));
    assert!(stage.clients.iter().all(|client| client.is_open));
    stage.client_sends(anna, b"of anna");
    stage.client_sends(ben, b"of ben");
    stage.play(Duration::from_millis(50));
    let mut messages = std::mem::take(&mut stage.outcome.messages);
    messages.sort();
    let said: Vec<_> = messages.iter().map(|(_, message)| message.as_slice()).collect();
    assert_eq!(said, [b"of anna".as_slice(), b"of ben"]);
    assert_eq!(messages[0].0.remote(), Some(home(anna)));
    stage.engine.send(stage.now, messages[0].0, b"to anna");
    stage.engine.send(stage.now, messages[1].0, b"to ben");
    stage.play(Duration::from_millis(50));
    assert_eq!(stage.clients[anna].messages, [b"to anna"]);
    assert_eq!(stage.clients[ben].messages, [b"to ben"]);
    let statistics = stage.statistics();
    assert_eq!((statistics.offers, statistics.opened, statistics.open), (2, 2, 2));
    assert_eq!((statistics.sent, statistics.received), (2, 2));
}

#[test]
fn an_offer_that_is_never_finished_is_gone_after_its_time() {
    let mut stage = Stage::new();
    let offer = stage.offer();
    stage.clients.clear();
    stage.engine.handle_offer(stage.now, &offer, &mut stage.outcome).unwrap();
    stage.wait(SET_UP_TIME - Duration::from_millis(200));
    assert_eq!(stage.statistics().on_their_way, 1);
    stage.wait(Duration::from_millis(400));
    let statistics = stage.statistics();
    assert_eq!((statistics.on_their_way, statistics.unfinished, statistics.opened), (0, 1, 0));
    assert_eq!(stage.engine.alarms.next(), None, "nothing is kept of it");
}

#[test]
fn those_on_their_way_are_limited_and_leave_room_for_others_again() {
    let mut stage = Stage::new();
    let offer = stage.offer();
    stage.clients.clear();
    for _ in 0..LIMITS.unfinished {
        stage.engine.handle_offer(stage.now, &offer, &mut stage.outcome).unwrap();
    }
    let refused = stage.engine.handle_offer(stage.now, &offer, &mut stage.outcome);
    assert_eq!(refused, Err(OfferError::Full));
    stage.wait(SET_UP_TIME + Duration::from_millis(200));
    assert!(stage.engine.handle_offer(stage.now, &offer, &mut stage.outcome).is_ok());
    assert_eq!(stage.engine.slots.len(), LIMITS.unfinished, "slots are used again");
}

#[test]
fn b8_an_offer_that_makes_no_sense_is_an_error_and_keeps_nothing() {
    let mut stage = Stage::new();
    let good = stage.offer();
    let without = |word: &str| {
        good.lines().filter(|line| !line.contains(word)).map(|line| format!("{line}\r\n")).collect::<String>()
    };
    let bad = [
        String::new(),
        "v=0".to_owned(),
        "\u{0}".repeat(1_000),
        good[..good.len() / 2].to_owned(),
        without("fingerprint"),
        without("ice-ufrag"),
        without("m=application"),
        good.replace("setup:actpass", "setup:passive"),
    ];
    for offer in &bad {
        let _ = stage.engine.handle_offer(stage.now, offer, &mut stage.outcome);
    }
    for offer in &bad[..3] {
        let refused = stage.engine.handle_offer(stage.now, offer, &mut stage.outcome);
        assert!(matches!(refused, Err(OfferError::Malformed(_))), "{refused:?}");
    }
    stage.wait(SET_UP_TIME + Duration::from_secs(1));
    assert_eq!((stage.statistics().on_their_way, stage.statistics().opened), (0, 0));
}

#[test]
fn b3_what_is_nobodys_is_dropped_and_counted() {
    let mut stage = Stage::new();
    let client = stage.open_client();
    let before = stage.statistics().strangers;
    let mut noise = SeededEntropy::new(1);
    for round in 0..2_000_u32 {
        let mut bytes = vec![0; (round % 200) as usize];
        noise.fill(&mut bytes);
        // Half of it from where the client is.
        let from = if round % 2 == 0 { home(client) } else { home(99) };
        stage.engine.handle_datagram(stage.now, from, &bytes, &mut stage.outcome);
    }
    assert!(stage.statistics().strangers >= before + 1_000);
    let peer = stage.peer_of(client);
    assert_eq!(peer.remote(), Some(home(client)), "and the client plays on");
}

#[test]
fn a_check_with_another_signature_takes_nobodys_place() {
    let mut stage = Stage::new();
    let client = stage.client();
    // What the client sends next is copied by somebody on another address, one bit flipped.
    let mut copied = None;
    for _ in 0..200 {
        stage.play(Duration::from_millis(1));
        copied = stage.flights.iter().find(|flight| flight.to == server()).map(|flight| flight.bytes.clone());
        if copied.is_some() {
            break;
        }
    }
    let mut forged = copied.unwrap();
    assert_eq!(Kind::of(&forged), Kind::Stun);
    let last = forged.len() - 12;
    forged[last] ^= 1;
    let before = stage.statistics().strangers;
    stage.engine.handle_datagram(stage.now, home(99), &forged, &mut stage.outcome);
    assert_eq!(stage.statistics().strangers, before + 1);
    assert_eq!(stage.engine.paths.slot(home(99)), None);
    stage.play(Duration::from_secs(2));
    assert!(stage.clients[client].is_open);
}

#[test]
fn a_client_that_moves_to_another_address_is_followed() {
    let mut stage = Stage::new();
    let client = stage.open_client();
    let peer = stage.peer_of(client);
    // Its NAT gives it another port.
    stage.clients[client].address.set_port(60_000);
    stage.play(Duration::from_secs(8));
    stage.client_sends(client, b"moved");
    stage.play(Duration::from_millis(100));
    assert_eq!(stage.outcome.messages.pop(), Some((peer, b"moved".to_vec())));
    stage.engine.send(stage.now, peer, b"found");
    stage.play(Duration::from_millis(100));
    assert_eq!(stage.clients[client].messages, [b"found"]);
}

#[test]
fn a_peer_that_is_closed_leaves_nothing() {
    let mut stage = Stage::new();
    let client = stage.open_client();
    let peer = stage.peer_of(client);
    stage.engine.close(stage.now, peer, &mut stage.outcome);
    assert_eq!(stage.statistics().open, 0);
    assert_eq!((stage.engine.paths.len(), stage.engine.open.len()), (0, 0));
    stage.engine.send(stage.now, peer, b"nobody");
    assert_eq!(stage.statistics().dropped_outgoing, 1);
    stage.play(Duration::from_secs(1));
    let again = stage.open_client();
    assert_ne!(stage.peer_of(again), peer, "another peer in the same slot has another address");
    assert_eq!(stage.engine.slots.len(), 1);
}

#[test]
fn a_peer_that_falls_silent_is_forgotten() {
    let mut stage = Stage::new();
    let client = stage.open_client();
    stage.clients[client].is_silent = true;
    stage.wait(SILENCE + Duration::from_secs(1));
    assert_eq!((stage.statistics().open, stage.engine.paths.len()), (0, 0));
}

#[test]
fn an_idle_peer_that_answers_stays() {
    let mut stage = Stage::new();
    let client = stage.open_client();
    stage.wait(3 * SILENCE);
    assert_eq!(stage.statistics().open, 1);
    stage.peer_of(client);
}

#[test]
fn b6_a_peer_that_floods_is_the_only_one_to_lose() {
    let mut stage = Stage::new();
    let (flood, calm) = (stage.open_client(), stage.open_client());
    stage.reads = false;
    stage.outcome.messages.clear();
    let mut written = 0_usize;
    for _ in 0..4_000 {
        while written < 2 * MAX_UNREAD && stage.client_sends(flood, &[7; 1_000]) {
            written += 1_000;
        }
        stage.play(Duration::from_millis(1));
        if written >= 2 * MAX_UNREAD {
            break;
        }
    }
    stage.play(Duration::from_millis(200));
    stage.client_sends(calm, b"and I?");
    stage.play(Duration::from_millis(50));
    let held: usize = stage.outcome.messages.iter().map(|(_, message)| message.len()).sum();
    assert!(held <= MAX_UNREAD + 10, "{held}");
    assert!(stage.statistics().dropped_incoming > 0);
    assert_eq!(stage.outcome.messages.last().unwrap().1, b"and I?");
    // When the game reads again, it is heard again.
    stage.reads = true;
    stage.play(Duration::from_millis(10));
    stage.outcome.messages.clear();
    stage.client_sends(flood, b"back");
    stage.play(Duration::from_millis(100));
    assert!(stage.outcome.messages.iter().any(|(_, message)| message == b"back"));
}

/// Numbers from the server, with the moment at which each was sent.
fn numbered(number: u32, size: usize) -> Vec<u8> {
    let mut message = vec![0; size];
    message[..4].copy_from_slice(&number.to_le_bytes());
    message
}

fn number(message: &[u8]) -> u32 {
    u32::from_le_bytes(message[..4].try_into().unwrap())
}

#[test]
fn what_has_no_room_is_replaced_by_what_is_newer() {
    let mut stage = Stage::new();
    let client = stage.open_client();
    let peer = stage.peer_of(client);
    stage.clients[client].messages.clear();
    let count = 2_000;
    for number in 0..count {
        stage.engine.send(stage.now, peer, &numbered(number, 1_000));
    }
    let dropped = stage.statistics().dropped_outgoing;
    assert!(dropped > 0);
    stage.play(Duration::from_secs(20));
    let arrived: Vec<_> = stage.clients[client].messages.iter().map(|message| number(message)).collect();
    assert_eq!(arrived.len() as u64, u64::from(count) - stage.statistics().dropped_outgoing);
    assert_eq!(arrived.last(), Some(&(count - 1)), "the newest was not the one to go");
    let tail: Vec<_> = arrived.iter().rev().take(peer::MAX_WAITING).rev().copied().collect();
    let newest: Vec<_> = (count - peer::MAX_WAITING as u32..count).collect();
    assert_eq!(tail, newest);
}

/// The ages of messages of a size, sent so many times a second over 100 ms there and back and a loss, sorted; and how many
/// of a hundred arrived.
fn ages(size: usize, per_second: u32, loss: f64) -> (Vec<Duration>, usize) {
    let mut stage = Stage::new();
    stage.latency = Duration::from_millis(50);
    let client = stage.open_client();
    let peer = stage.peer_of(client);
    stage.loss = loss;
    let interval = Duration::from_secs(1) / per_second;
    let count = per_second * 60;
    let (mut sent_at, mut ages) = (Vec::new(), Vec::new());
    stage.clients[client].messages.clear();
    let start = stage.now;
    while sent_at.len() < count as usize {
        while (stage.now - start) >= interval * sent_at.len() as u32 {
            stage.engine.send(stage.now, peer, &numbered(sent_at.len() as u32, size));
            sent_at.push(stage.now);
        }
        stage.play(Duration::from_millis(1));
        let now = stage.now;
        let arrived = stage.clients[client].messages.drain(..);
        ages.extend(arrived.map(|message| now - sent_at[number(&message) as usize]));
    }
    ages.sort();
    let share = ages.len() * 100 / sent_at.len();
    (ages, share)
}

#[test]
fn state_stays_fresh_over_a_bad_link() {
    for (size, per_second, loss, p99) in
        [(200, 20, 0.02, 70), (1_000, 20, 0.02, 200), (1_100, 60, 0.02, 450), (200, 20, 0.1, 200)]
    {
        let (ages, arrived) = ages(size, per_second, loss);
        let at = |share: usize| ages[(ages.len() - 1) * share / 100].as_millis();
        let figures = format!(
            "{size} bytes {per_second} times a second, {} % lost: {arrived} % arrive, median {} ms, p99 {} ms, longest {} ms",
            loss * 100.0,
            at(50),
            at(99),
            at(100)
        );
        println!("{figures}");
        assert!(at(99) <= p99, "{figures}");
    }
}

#[test]
fn everybody_is_told_when_the_socket_closes() {
    let mut stage = Stage::new();
    let client = stage.open_client();
    let at = stage.start + Duration::from_secs(60);
    stage.engine.close_all(stage.now, &mut stage.outcome);
    assert!(!stage.outcome.datagrams.is_empty());
    assert_eq!(stage.statistics().open, 0);
    stage.play(at - stage.now);
    assert!(!stage.clients[client].rtc.is_alive(), "it has heard");
}
