//! The life of a connection, played as a script of scenes.
//!
//! Each scene does something and waits until the story has gone on as expected. It is real time over a link with latency,
//! jitter and loss, so the numbers differ from run to run; what happens, and in which order, does not, whatever the
//! transport. A scene that goes differently ends the demo with an error.

use std::time::{Duration, Instant};

use bowline::{ConnectError, SendError};

use crate::game::{ClientSide as _, ServerSide as _};
use crate::programs::Engine;
use crate::protocol::{EmoteKind, Login, Position, TOKEN};
use crate::timeline::{Audience, Event, State};
use crate::transport::{Network, NetworkError, Program};

mod sights;
mod stage;
mod story;

pub use story::STORY;

use stage::{ALICE, BOB, MALLORY, OLGA, SERVER, Stage};

/// [`play`], on whichever network it is.
pub struct Demo<'a, E> {
    /// What the two halves of the game run on.
    pub engine: E,
    /// Who sees what happens.
    pub audience: &'a mut dyn Audience,
}

impl<E: Engine> Program for Demo<'_, E> {
    type Output = Result<(), DemoError>;
    const PAGE: &'static str = E::PAGE;

    fn run<N: Network>(self, network: N) -> Self::Output {
        play(network, self.engine, self.audience)
    }
}

impl<E> std::fmt::Debug for Demo<'_, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Demo").finish_non_exhaustive()
    }
}

/// Plays the demo on a network, with the two halves of the game on an engine.
///
/// # Errors
/// Where a scene does not go as it should, within its time.
pub fn play<N: Network, E: Engine>(
    network: N,
    engine: E,
    audience: &mut dyn Audience,
) -> Result<(), DemoError> {
    let mut stage = Stage::new(network, engine, audience);
    the_arena_opens(&mut stage)?;
    two_players_come_in(&mut stage)?;
    they_talk(&mut stage)?;
    a_pearl(&mut stage)?;
    a_gesture(&mut stage)?;
    through_the_gate(&mut stage)?;
    out_of_sight(&mut stage)?;
    back_again(&mut stage)?;
    a_wrong_token(&mut stage)?;
    another_protocol(&mut stage)?;
    a_pulled_cable(&mut stage)?;
    the_cable_is_back(&mut stage)?;
    a_kick(&mut stage)?;
    a_goodbye(&mut stage)?;
    what_it_came_to(&mut stage)
}

/// Why the demo did not go to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DemoError {
    /// What should have happened did not.
    #[error("scene \"{scene}\": expected {expected} within {} s, and nothing happened", DEADLINE.as_secs())]
    Missing {
        /// Where in the script.
        scene: &'static str,
        /// What should have happened.
        expected: String,
    },
    /// Something else happened.
    #[error("scene \"{scene}\": expected {expected}, but {happened} happened")]
    Unexpected {
        /// Where in the script.
        scene: &'static str,
        /// What should have happened.
        expected: String,
        /// What did.
        happened: String,
    },
    /// There is no socket.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// An attempt to connect could not begin.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// A message could not be sent.
    #[error(transparent)]
    Send(#[from] SendError),
    /// Nobody can see the timeline.
    #[error("could not write the timeline")]
    Output(#[from] std::io::Error),
}

/// What is in the bay, besides ships.
const BAY: [&str; 4] = ["gate to the grotto", "pearl worth 1", "pearl worth 1", "pearl worth 1"];
/// What is in the grotto, besides ships.
const GROTTO: [&str; 4] = ["gate to the bay", "pearl worth 3", "pearl worth 3", "pearl worth 3"];
const ALICES_SHIP: &str = "alice's ship";
const BOBS_SHIP: &str = "bob's ship";

/// For how long a scene waits for the next thing to happen.
const DEADLINE: Duration = Duration::from_secs(5);

fn the_arena_opens(stage: &mut Stage<'_, impl Network, impl Engine>) -> Result<(), DemoError> {
    stage.begin_scene("The arena opens");
    stage.open()
}

fn two_players_come_in(stage: &mut Stage<'_, impl Network, impl Engine>) -> Result<(), DemoError> {
    stage.begin_scene("Two players come in");
    stage.call(ALICE, |stage, link| stage.alice.connect(link, login(ALICE, TOKEN)))?;
    stage.expect([(SERVER, "auth_requested"), (SERVER, "connected"), (ALICE, "connected")])?;
    stage.sees(ALICE, &[], &bay_with(&[ALICES_SHIP]))?;
    stage.call(BOB, |stage, link| stage.bob.connect(link, login(BOB, TOKEN)))?;
    stage.expect([(SERVER, "auth_requested"), (SERVER, "connected"), (BOB, "connected")])?;
    stage.sees(BOB, &[], &bay_with(&[ALICES_SHIP, BOBS_SHIP]))?;
    stage.bob_reads(&[(ALICE, 0), (BOB, 0)])?;
    stage.sees(ALICE, &[], &[BOBS_SHIP])
}

fn they_talk(stage: &mut Stage<'_, impl Network, impl Engine>) -> Result<(), DemoError> {
    stage.begin_scene("They talk: an ordered reliable channel");
    let text = "Is there room at the quay?";
    stage.alice.say(text)?;
    stage.note(ALICE, State::Connected, Event::Said { text: text.to_owned() })?;
    stage.expect([(SERVER, "relayed"), (BOB, "heard")])?;
    let text = "Right beside me. Mind the rope!";
    stage.bob.say(text)?;
    stage.note(BOB, State::Connected, Event::Said { text: text.to_owned() })?;
    stage.expect([(SERVER, "relayed"), (ALICE, "heard")])
}

fn a_pearl(stage: &mut Stage<'_, impl Network, impl Engine>) -> Result<(), DemoError> {
    stage.begin_scene("Alice collects a pearl: entities change, go and come");
    alice_collects(stage, "pearl worth 1")?;
    stage.sees(BOB, &["pearl worth 1"], &["pearl worth 1"])?;
    stage.bob_reads(&[(ALICE, 1), (BOB, 0)])
}

fn a_gesture(stage: &mut Stage<'_, impl Network, impl Engine>) -> Result<(), DemoError> {
    stage.begin_scene("Bob waves: an unordered unreliable channel");
    // A gesture may get lost, so bob waves until alice has seen it.
    let emote = EmoteKind::Wave;
    stage.note(BOB, State::Connected, Event::Emoted { emote: format!("{emote:?}") })?;
    let mut wave_at = Instant::now();
    let seen = stage.until("alice sees bob wave", |stage| {
        if Instant::now() >= wave_at {
            wave_at = Instant::now() + Duration::from_millis(100);
            stage.bob.emote(emote)?;
        }
        Ok(stage.gesture_that_alice_saw.take())
    })?;
    stage.note(ALICE, State::Connected, Event::SawEmote { user: BOB.to_owned(), emote: format!("{seen:?}") })
}

fn through_the_gate(stage: &mut Stage<'_, impl Network, impl Engine>) -> Result<(), DemoError> {
    stage.begin_scene("Alice goes through the gate: what she sees is another room");
    stage.alice.sail_to(stage.alice.gate());
    stage.note(ALICE, State::Connected, Event::Sailed { towards: "gate to the grotto".to_owned() })?;
    bob_sees_alice_move(stage)?;
    stage.expect([(SERVER, "moved")])?;
    stage.sees(ALICE, &bay_with(&[BOBS_SHIP]), &GROTTO)?;
    stage.sees(BOB, &[ALICES_SHIP], &[])
}

fn out_of_sight(stage: &mut Stage<'_, impl Network, impl Engine>) -> Result<(), DemoError> {
    stage.begin_scene("What bob does not see: a resource and a request");
    alice_collects(stage, "pearl worth 3")?;
    stage.bob_reads(&[(ALICE, 4), (BOB, 0)])?;
    stage.bob.ask_chart()?;
    stage.note(BOB, State::Connected, Event::AskedChart)?;
    stage.expect([(BOB, "told_chart")])
}

fn back_again(stage: &mut Stage<'_, impl Network, impl Engine>) -> Result<(), DemoError> {
    stage.begin_scene("Alice comes back");
    stage.alice.sail_to(stage.alice.gate());
    stage.note(ALICE, State::Connected, Event::Sailed { towards: "gate to the bay".to_owned() })?;
    stage.expect([(SERVER, "moved")])?;
    stage.sees(ALICE, &GROTTO, &bay_with(&[BOBS_SHIP]))?;
    stage.sees(BOB, &[], &[ALICES_SHIP])
}

fn a_wrong_token(stage: &mut Stage<'_, impl Network, impl Engine>) -> Result<(), DemoError> {
    stage.begin_scene("A client with a wrong token");
    stage.call(MALLORY, |stage, link| stage.mallory.connect(link, login(MALLORY, "open sesame")))?;
    stage.expect([(SERVER, "auth_requested"), (SERVER, "rejected"), (MALLORY, "rejected")])
}

fn another_protocol(stage: &mut Stage<'_, impl Network, impl Engine>) -> Result<(), DemoError> {
    stage.begin_scene("A client that missed an update");
    stage.call(OLGA, |stage, link| stage.olga.connect(link, login(OLGA, TOKEN)))?;
    // The client learns what differs and tells the server: it is said on both sides.
    stage.expect([(OLGA, "rejected"), (SERVER, "rejected")])
}

fn a_pulled_cable(stage: &mut Stage<'_, impl Network, impl Engine>) -> Result<(), DemoError> {
    stage.begin_scene("Somebody trips over bob's cable");
    stage.pull_the_cable_of_bob()?;
    stage.expect([(SERVER, "disconnected"), (BOB, "disconnected"), (BOB, "reconnecting")])?;
    stage.sees(ALICE, &[BOBS_SHIP], &[])
}

fn the_cable_is_back(stage: &mut Stage<'_, impl Network, impl Engine>) -> Result<(), DemoError> {
    stage.begin_scene("The cable is plugged in again: a new session sees everything anew");
    stage.plug_in_the_cable_of_bob()?;
    stage.expect([(SERVER, "auth_requested"), (SERVER, "connected"), (BOB, "connected")])?;
    let everything = bay_with(&[ALICES_SHIP, BOBS_SHIP]);
    stage.sees(BOB, &everything, &everything)?;
    stage.bob_reads(&[(ALICE, 4), (BOB, 0)])?;
    stage.sees(ALICE, &[], &[BOBS_SHIP])?;
    stage.play_on(Duration::from_millis(400))
}

fn a_kick(stage: &mut Stage<'_, impl Network, impl Engine>) -> Result<(), DemoError> {
    stage.begin_scene("The server ends a connection");
    stage.server.kick(BOB, "no shouting in the harbour");
    stage.expect([(SERVER, "disconnected"), (BOB, "disconnected")])?;
    stage.sees(ALICE, &[BOBS_SHIP], &[])
}

fn a_goodbye(stage: &mut Stage<'_, impl Network, impl Engine>) -> Result<(), DemoError> {
    stage.begin_scene("A client says goodbye");
    stage.alice.leave();
    stage.expect([(ALICE, "disconnected"), (SERVER, "disconnected")])
}

fn what_it_came_to(stage: &mut Stage<'_, impl Network, impl Engine>) -> Result<(), DemoError> {
    stage.begin_scene("What each session came to");
    for (who, measured) in stage.sessions() {
        stage.note(who, State::Disconnected, Event::Measured(measured))?;
    }
    Ok(())
}

/// Alice sails to the pearl that is nearest to her, and sees it go and another one come.
fn alice_collects(
    stage: &mut Stage<'_, impl Network, impl Engine>,
    pearl: &'static str,
) -> Result<(), DemoError> {
    stage.alice.sail_to(stage.alice.nearest_pearl());
    stage.note(ALICE, State::Connected, Event::Sailed { towards: pearl.to_owned() })?;
    stage.expect([(SERVER, "collected")])?;
    stage.sees(ALICE, &[pearl], &[pearl])
}

/// Waits until alice's ship is somewhere else on bob's screen.
fn bob_sees_alice_move(stage: &mut Stage<'_, impl Network, impl Engine>) -> Result<(), DemoError> {
    let mut start = None;
    let Position { x, y, .. } = stage.until("bob sees alice move by two metres", |stage| {
        let Some(ship) = stage.bob.ship_of(ALICE) else { return Ok(None) };
        let start = *start.get_or_insert(ship);
        Ok((ship.distance_to(&start) >= 2.0).then_some(ship))
    })?;
    stage.note(BOB, State::Connected, Event::SawMove { user: ALICE.to_owned(), x, y })
}

fn bay_with(ships: &[&'static str]) -> Vec<&'static str> {
    [ships, &BAY].concat()
}

fn login(name: &str, token: &str) -> Login {
    Login { name: name.to_owned(), token: token.to_owned() }
}
