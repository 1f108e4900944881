//! What the script asks of a client's eyes.

use std::time::Instant;

use super::stage::Stage;
use super::{DEADLINE, DemoError};
use crate::game::{ClientSide as _, Thing};
use crate::programs::Engine;
use crate::timeline::{Event, State, named};
use crate::transport::Network;

/// What a client has seen come and go, and the script has not asked for yet.
///
/// One packet may bring all of it, or two with another client's between them: the script says who is to be told of first.
#[derive(Debug, Default)]
pub(super) struct Sights {
    pub(super) went: Vec<Thing>,
    pub(super) came: Vec<Thing>,
}

impl<N: Network, E: Engine> Stage<'_, N, E> {
    /// Lets time pass until a client has seen these go, those come, and nothing else.
    pub(super) fn sees(&mut self, who: &'static str, went: &[&str], came: &[&str]) -> Result<(), DemoError> {
        let wanted = || format!("that {who} sees {went:?} go and {came:?} come");
        let deadline = Instant::now() + DEADLINE;
        loop {
            let seen = self.sights.entry(who).or_default();
            if seen.went.len() >= went.len() && seen.came.len() >= came.len() {
                break;
            }
            if Instant::now() >= deadline {
                return Err(DemoError::Missing { scene: self.scene(), expected: wanted() });
            }
            self.frame()?;
        }
        let seen = self.sights.remove(who).unwrap_or_default();
        let (has_gone, has_come) = (named(&seen.went), named(&seen.came));
        if !is_the_same(&has_gone, went) || !is_the_same(&has_come, came) {
            let happened = format!("{has_gone:?} went, {has_come:?} came, and that");
            return Err(DemoError::Unexpected { scene: self.scene(), expected: wanted(), happened });
        }
        if !went.is_empty() {
            self.note(who, State::Connected, Event::Despawned { things: has_gone })?;
        }
        if !came.is_empty() {
            self.note(who, State::Connected, Event::Spawned { things: has_come })?;
        }
        Ok(())
    }

    /// Lets time pass until bob's scoreboard says this.
    pub(super) fn bob_reads(&mut self, points: &[(&str, u16)]) -> Result<(), DemoError> {
        let points: Vec<_> = points.iter().map(|&(name, points)| (name.to_owned(), points)).collect();
        let what = format!("the scoreboard that says {points:?}");
        self.until(&what, |stage| Ok((stage.bob.scores() == points).then_some(())))?;
        self.note(super::stage::BOB, State::Connected, Event::ReadScores { points })
    }
}

fn is_the_same(seen: &[String], expected: &[&str]) -> bool {
    let mut seen: Vec<_> = seen.iter().map(String::as_str).collect();
    let mut expected = expected.to_vec();
    seen.sort_unstable();
    expected.sort_unstable();
    seen == expected
}
