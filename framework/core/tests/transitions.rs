//! The transition table: as it is declared, and as the states obey it.

use std::time::Duration;

use bowline_core::connection::{Input, Step, Transition, transition};
use bowline_core::handshake::{Doorway, DoorwayConfig, Knock};
use bowline_core::protocol::{ChannelSpec, Direction, MessageVisitor, Mode, ProtocolSchema, RequestVisitor};
use bowline_core::{
    Connected, Connection, ConnectionConfig, DisconnectReason, Disconnected, Family, Instant, ItemVisitor,
    PendingAuth, Phase, Protocol, ProtocolSpec, RejectReason, Schema, Security, SeededEntropy,
};

const INPUTS: [Input; 13] = [
    Input::Connect,
    Input::Disconnect,
    Input::Challenge,
    Input::Accepted,
    Input::Refused,
    Input::Data,
    Input::PathChallenge,
    Input::Goodbye,
    Input::Noise,
    Input::Violation,
    Input::ConnectTimeout,
    Input::SilenceTimeout,
    Input::TransportClosed,
];

const PHASES: [Phase; 3] = [Phase::Disconnected, Phase::PendingAuth, Phase::Connected];

/// The whole machine. Change it here when it is meant to change.
const TABLE: &str = "\
Input           Disconnected     PendingAuth      Connected
Connect         -> PendingAuth   impossible       impossible
Disconnect      impossible       -> Disconnected  -> Disconnected
Challenge       ignore           stay             ignore
Accepted        ignore           -> Connected     ignore
Refused         ignore           -> Disconnected  ignore
Data            ignore           ignore           stay
PathChallenge   ignore           ignore           stay
Goodbye         ignore           ignore           -> Disconnected
Noise           ignore           ignore           ignore
Violation       impossible       impossible       -> Disconnected
ConnectTimeout  impossible       -> Disconnected  impossible
SilenceTimeout  impossible       impossible       -> Disconnected
TransportClosed ignore           -> Disconnected  -> Disconnected
";

#[test]
fn the_table_is_as_declared() {
    let cell = |phase, input| match transition(phase, input) {
        Transition::Become(phase) => format!("-> {phase}"),
        Transition::Stay => "stay".into(),
        Transition::Ignore => "ignore".into(),
        Transition::Impossible => "impossible".into(),
        other => format!("{other:?}"),
    };
    let row = |name: &str, cells: &[String]| format!("{name:16}{:17}{:17}{}\n", cells[0], cells[1], cells[2]);
    let mut table = row("Input", &PHASES.map(|phase| phase.to_string()));
    for input in INPUTS {
        let cells: Vec<String> = PHASES.iter().map(|phase| cell(*phase, input)).collect();
        table += &row(&format!("{input:?}"), &cells);
    }
    assert_eq!(table, TABLE, "the table is now\n{table}");
}

struct Game;

impl Protocol for Game {
    const NAME: &'static str = "Game";
    const SCHEMA: ProtocolSchema = ProtocolSchema {
        tick_rate: 20,
        auth: Schema::Unit,
        channels: &[ChannelSpec {
            name: "Talk",
            mode: Mode::OrderedReliable,
            direction: Direction::Bidirectional,
            weight: 1,
        }],
        messages: &[],
        requests: &[],
        components: &[],
        resources: &[],
    };
    type Auth = ();
    type Message = ();
    type Request = ();
    type Component = ();
    type Resource = ();
    type Requested = ();
    type ComponentKind = ();
    type ResourceKind = ();
    type Components<F: Family> = ();
    type Resources<F: Family> = ();
    type ComponentTypes = ();
    type ResourceTypes = ();

    fn with_item<V: ItemVisitor<Self>>(_: usize, _: V) -> Option<V::Output> {
        None
    }

    fn with_message<V: MessageVisitor<Self>>(_: (), _: V) {}

    fn each_message<V: MessageVisitor<Self>>(_: &mut V) {}

    fn with_requested<V: RequestVisitor<Self>>(_: (), _: V) {}

    fn each_request<V: RequestVisitor<Self>>(_: &mut V) {}

    fn requested(_: (), _: bowline_core::AnyResponder) {}
}

const NOW: Instant = Instant::from_nanos(1_000_000_000);
const CLIENT: u8 = 7;

/// Datagrams of a server, and what each is to a client.
type Datagrams = Vec<(Input, Vec<u8>)>;

/// A client and a server's doorway on plain paths, with nothing between them but the test.
struct Table {
    entropy: SeededEntropy,
    doorway: Doorway<u8>,
}

impl Table {
    fn new() -> Self {
        let mut entropy = SeededEntropy::new(1);
        let doorway = Doorway::new(DoorwayConfig::default(), ProtocolSpec::of::<Game>(), &mut entropy);
        Self { entropy, doorway }
    }

    fn pending(&mut self) -> Connection<PendingAuth> {
        let disconnected = Connection::<Disconnected>::new(ConnectionConfig::default());
        let protocol = ProtocolSpec::of::<Game>();
        disconnected
            .connect(NOW, protocol, Security::NONE, Vec::new(), &mut self.entropy)
            .expect("short credentials")
    }

    /// What the doorway answers to what the client has to say.
    fn answer(&mut self, client: &mut Connection<PendingAuth>, accept: Option<bool>) -> Vec<u8> {
        let mut datagram = Vec::new();
        assert!(client.poll_transmit(NOW, &mut datagram));
        self.doorway.handle_datagram(NOW, CLIENT, Security::NONE, &datagram);
        if let Some(Knock::Credentials { caller, .. }) = self.doorway.next_knock() {
            match accept {
                Some(true) => drop(self.doorway.accept(NOW, caller, 99, 0, ConnectionConfig::default())),
                Some(false) => self.doorway.refuse(NOW, caller, RejectReason::Unauthorized),
                None => {}
            }
        }
        let mut reply = Vec::new();
        self.doorway.poll_transmit(&mut reply);
        reply
    }

    /// A connected client and the server's end of it, and the server's answers on the way.
    fn connected(&mut self) -> (Connection<Connected>, Connection<Connected>, Datagrams) {
        let mut client = self.pending();
        let challenge = self.answer(&mut client, None);
        client.handle_datagram(NOW, &challenge);
        let mut datagram = Vec::new();
        assert!(client.poll_transmit(NOW, &mut datagram));
        self.doorway.handle_datagram(NOW, CLIENT, Security::NONE, &datagram);
        let Some(Knock::Credentials { caller, .. }) = self.doorway.next_knock() else { panic!("no knock") };
        let server = self.doorway.accept(NOW, caller, 99, 0, ConnectionConfig::default()).expect("it waits");
        let mut accepted = Vec::new();
        self.doorway.poll_transmit(&mut accepted);
        client.handle_datagram(NOW, &accepted);
        let Step::Connected(client) = client.poll(NOW) else { panic!("not connected") };
        (client, server, vec![(Input::Challenge, challenge), (Input::Accepted, accepted)])
    }

    /// A datagram of each kind that a server sends, for the session of `server` where it belongs to one.
    fn datagrams(&mut self) -> (Connection<Connected>, Datagrams) {
        let (client, mut server, mut datagrams) = self.connected();
        let mut refused_table = Table::new();
        let mut other = refused_table.pending();
        let challenge = refused_table.answer(&mut other, None);
        other.handle_datagram(NOW, &challenge);
        datagrams.push((Input::Refused, refused_table.answer(&mut other, Some(false))));

        let mut datagram = Vec::new();
        server.send(0, b"hello").expect("the queue is empty");
        assert!(server.poll_transmit(NOW, &mut datagram));
        datagrams.push((Input::Data, datagram.clone()));
        let mut path = bowline_core::connection::Path::new(CLIENT);
        path.heard_from(NOW, 8, 100, &mut self.entropy);
        assert_eq!(server.poll_path(&mut path, NOW, &mut datagram), Some(8));
        datagrams.push((Input::PathChallenge, datagram.clone()));
        assert!(
            server.disconnect(NOW, DisconnectReason::Kicked("out".into())).poll_transmit(NOW, &mut datagram)
        );
        datagrams.push((Input::Goodbye, datagram));
        datagrams.push((Input::Noise, vec![0xff; 40]));
        (client, datagrams)
    }
}

#[test]
fn a_pending_attempt_obeys_the_table() {
    for input in INPUTS {
        let mut table = Table::new();
        let mut client = table.pending();
        match input {
            Input::Challenge => {
                let challenge = table.answer(&mut client, None);
                client.handle_datagram(NOW, &challenge);
            }
            Input::Accepted | Input::Refused => {
                let challenge = table.answer(&mut client, None);
                client.handle_datagram(NOW, &challenge);
                let answer = table.answer(&mut client, Some(input == Input::Accepted));
                client.handle_datagram(NOW, &answer);
            }
            Input::Data | Input::PathChallenge | Input::Goodbye | Input::Noise => {
                let (_, datagrams) = Table::new().datagrams();
                let (_, bytes) = datagrams.iter().find(|(of, _)| *of == input).expect("one of each");
                client.handle_datagram(NOW, bytes);
            }
            Input::ConnectTimeout => client.handle_timeout(NOW + Duration::from_secs(10)),
            Input::TransportClosed => client.handle_transport_closed(),
            Input::Disconnect => {
                assert_eq!(transition(Phase::PendingAuth, input), Transition::Become(Phase::Disconnected));
                assert_eq!(client.disconnect(NOW).phase(), Phase::Disconnected);
                continue;
            }
            // No method and no timer of this state does these.
            _ => {
                assert_eq!(transition(Phase::PendingAuth, input), Transition::Impossible, "{input:?}");
                continue;
            }
        }
        let phase = match client.poll(NOW) {
            Step::Waiting(client) => client.phase(),
            Step::Connected(client) => client.phase(),
            Step::Ended(client, _) => client.phase(),
        };
        match transition(Phase::PendingAuth, input) {
            Transition::Become(expected) => assert_eq!(phase, expected, "{input:?}"),
            _ => assert_eq!(phase, Phase::PendingAuth, "{input:?}"),
        }
    }
}

/// A packet of the session of `data` whose only entry is the last piece of a message that never began.
fn an_end_without_a_beginning(data: &[u8]) -> Vec<u8> {
    let hash = |packet: &[u8]| xxhash_rust::xxh3::xxh3_64_with_seed(&packet[9..], u64::from(packet[0]));
    let token = u64::from_le_bytes(data[1..9].try_into().expect("eight bytes")) ^ hash(data);
    let mut forged = data.to_vec();
    // Behind the header of 16 bytes: the last entry, not a first piece, a last piece, number 0.
    forged.truncate(16);
    forged.extend([0b0000_0101, 0, 0]);
    let sealed = token ^ hash(&forged);
    forged[1..9].copy_from_slice(&sealed.to_le_bytes());
    forged
}

#[test]
fn a_connection_obeys_the_table() {
    for input in INPUTS {
        let (mut client, datagrams) = Table::new().datagrams();
        let before = client.stats();
        let mut reply = Vec::new();
        match input {
            Input::SilenceTimeout => client.handle_timeout(NOW + Duration::from_secs(10)),
            Input::TransportClosed => client.handle_transport_closed(),
            Input::Disconnect => {
                let ended = client.disconnect(NOW, DisconnectReason::Requested);
                assert_eq!(ended.reason(), Some(&DisconnectReason::Requested));
                continue;
            }
            Input::Violation => {
                let (_, data) = datagrams.iter().find(|(of, _)| *of == Input::Data).expect("one of each");
                client.handle_from_server(NOW, &an_end_without_a_beginning(data), &mut reply);
                assert_eq!(client.end_reason(), Some(&DisconnectReason::ProtocolViolation));
            }
            Input::Connect | Input::ConnectTimeout => {
                assert_eq!(transition(Phase::Connected, input), Transition::Impossible, "{input:?}");
                continue;
            }
            packet => {
                let (_, bytes) = datagrams.iter().find(|(of, _)| *of == packet).expect("one of each");
                client.handle_from_server(NOW, bytes, &mut reply);
            }
        }
        let ignored = client.stats().malformed + client.stats().packets_duplicate;
        let expected = transition(Phase::Connected, input);
        // A violation is counted too; it is not ignored.
        let is_ignored = ignored > before.malformed + before.packets_duplicate && input != Input::Violation;
        assert_eq!(is_ignored, expected == Transition::Ignore, "{input:?}");
        assert_eq!(!reply.is_empty(), input == Input::PathChallenge);
        let phase = client.poll(NOW).map_or_else(|ended| ended.phase(), |same| same.phase());
        match expected {
            Transition::Become(next) => assert_eq!(phase, next, "{input:?}"),
            _ => assert_eq!(phase, Phase::Connected, "{input:?}"),
        }
    }
}

#[test]
fn doubled_and_outdated_packets_change_nothing() {
    let (mut client, datagrams) = Table::new().datagrams();
    let mut reply = Vec::new();
    for (input, bytes) in datagrams.iter().filter(|(input, _)| *input != Input::Goodbye) {
        for _ in 0..3 {
            client.handle_from_server(NOW, bytes, &mut reply);
            assert_eq!(client.end_reason(), None, "{input:?}");
        }
    }
    assert_eq!(client.stats().messages_received, 1, "the one message, once");
}

#[test]
fn b5_messages_of_nothing_fill_the_memory_too() {
    let (mut client, mut server, _) = Table::new().connected();
    let (mut datagram, mut reply, mut now) = (Vec::new(), Vec::new(), NOW);
    let limit = ConnectionConfig::default().receive_memory;
    for _ in 0..2_000 {
        // Nobody reads what arrives.
        while server.stats().queued_bytes < 100_000 && server.send(0, &[]).is_ok() {}
        now += Duration::from_millis(20);
        server.handle_timeout(now);
        while server.poll_transmit(now, &mut datagram) {
            client.handle_from_server(now, &datagram, &mut reply);
        }
        while client.poll_transmit(now, &mut datagram) {
            server.handle_datagram(now, &datagram);
        }
        assert!(client.receive_memory() <= limit, "{} bytes", client.receive_memory());
    }
    let stats = client.stats();
    assert!(stats.packets_refused > 0, "it was full: {stats:?}");
    assert!(stats.messages_received <= limit as u64 / 64);
    assert_eq!(client.end_reason(), None, "a slow reader is no violation");
}

#[test]
fn b1_a_flood_of_hellos_delays_no_answer_to_a_proved_address() {
    let mut table = Table::new();
    let mut client = table.pending();
    let challenge = table.answer(&mut client, None);
    client.handle_datagram(NOW, &challenge);
    let mut datagram = Vec::new();
    let mut flooder = table.pending();
    assert!(flooder.poll_transmit(NOW, &mut datagram));
    for turn in 0..100_000_u32 {
        table.doorway.handle_datagram(NOW, turn as u8 | 0x80, Security::NONE, &datagram);
    }
    let accepted = table.answer(&mut client, Some(true));
    client.handle_datagram(NOW, &accepted);
    assert!(matches!(client.poll(NOW), Step::Connected(_)), "the acceptance goes before all challenges");
    let waiting = std::iter::from_fn(|| table.doorway.poll_transmit(&mut datagram)).count();
    assert!(waiting <= 16_384, "{waiting} challenges wait");
}
