//! The demo, played by a call of the library on every transport that is built in.

use bowline::prelude::*;
use clap::ValueEnum;
use protocol_example::demo::{self, Demo, DemoError, STORY};
use protocol_example::programs::OnCore;
use protocol_example::timeline::{Event, Line};
use protocol_example::transport::{Network, NetworkError, Program, TransportKind};

#[test]
fn the_story_is_the_same_on_every_transport() {
    for kind in TransportKind::value_variants() {
        let mut lines = Vec::new();
        let result = kind.run("127.0.0.1:0", Demo { engine: OnCore, audience: &mut lines });
        result.unwrap_or_else(|error| panic!("{kind:?}: {error}"));
        let story: Vec<_> =
            lines.iter().map(|line| (&*line.who, format!("{:?}", line.state), line.event.name())).collect();
        let story: Vec<_> = story.iter().map(|(who, state, event)| (*who, &**state, *event)).collect();
        assert_eq!(story, STORY, "{kind:?}");
        assert!(lines.is_sorted_by_key(|line| line.at_ms), "{kind:?}: time goes on");
        all_that_went_with_a_session_comes_again_with_the_next(&lines);
        both_sides_name_the_item_that_differs(&lines);
        the_link_can_be_seen_in_the_figures(&lines);
    }
}

/// What else is seen, the script of the demo asks for itself, to the last pearl.
fn all_that_went_with_a_session_comes_again_with_the_next(lines: &[Line]) {
    let seen = lines.iter().filter(|line| line.who == "bob").rev();
    let mut seen = seen.filter_map(|line| match &line.event {
        Event::Spawned { things } | Event::Despawned { things } => Some(things.join(", ")),
        _ => None,
    });
    let all = "alice's ship, bob's ship, gate to the grotto, pearl worth 1, pearl worth 1, pearl worth 1";
    assert_eq!([seen.next().as_deref(), seen.next().as_deref()], [Some(all), Some(all)]);
}

fn both_sides_name_the_item_that_differs(lines: &[Line]) {
    let differences: Vec<_> = lines
        .iter()
        .filter_map(|line| match &line.event {
            Event::Rejected(refusal) if !refusal.differences.is_empty() => {
                Some((&*line.who, &refusal.differences))
            }
            _ => None,
        })
        .collect();
    let [("olga", on_client), ("server", on_server)] = &differences[..] else { panic!("{differences:?}") };
    assert_eq!(on_client, on_server);
    assert!(on_client.len() == 1 && on_client[0].starts_with("message `Steer` is "), "{on_client:?}");
}

fn the_link_can_be_seen_in_the_figures(lines: &[Line]) {
    for line in lines {
        if let Event::Measured(measured) = &line.event {
            // Twice 20 ms, and what a busy machine adds.
            let round_trip = measured.round_trip_ms.expect("it was measured");
            assert!((35.0..1_000.0).contains(&round_trip), "{line:?}");
            assert!(measured.jitter_ms > 0.0 && measured.packets_in > 0, "{line:?}");
            assert!(measured.bytes_out > measured.packets_out, "{line:?}");
        }
    }
}

/// The demo waits in real time for what does not come.
mod long {
    use super::*;

    /// A network whose clients reach nobody.
    struct Dead<N>(N);

    impl<N: Network> Network for Dead<N> {
        type Server = N::Server;
        type Client = Conditioned<N::Client>;

        fn name(&self) -> &'static str {
            "a cut cable"
        }

        fn place(&self) -> String {
            self.0.place()
        }

        fn listen(&mut self, config: SocketConfig) -> Result<Self::Server, NetworkError> {
            self.0.listen(config)
        }

        fn dial(&self, config: SocketConfig) -> Result<Self::Client, NetworkError> {
            Ok(Conditioned::new(self.0.dial(config)?, LinkConditionerConfig::new(0, 0, 1.0), 1))
        }
    }

    struct DeadDemo<'a>(&'a mut Vec<Line>);

    impl Program for DeadDemo<'_> {
        type Output = Result<(), DemoError>;

        fn run<N: Network>(self, network: N) -> Self::Output {
            demo::play(Dead(network), OnCore, self.0)
        }
    }

    #[test]
    fn a_scene_that_does_not_happen_is_an_error_that_says_so() {
        let mut lines = Vec::new();
        let result = TransportKind::first().run("127.0.0.1:0", DeadDemo(&mut lines));
        let error = result.expect_err("nobody can come in");
        assert_eq!(
            error.to_string(),
            "scene \"Two players come in\": expected `auth_requested` of server within 5 s, and nothing happened"
        );
        assert_eq!(lines.len(), 2, "{lines:?}");
    }
}
