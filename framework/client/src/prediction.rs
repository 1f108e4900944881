//! What the player does is seen at once, and put right where the server says otherwise.

use bowline_core::TickHistory;

/// A state that a client simulates ahead of the server: the player's own ship, say, which answers the helm at once instead of a
/// round trip later.
///
/// In each tick the command of the player goes to the server, and to [`step`](Self::step), which simulates it here. What the
/// server says of a tick goes to [`reconcile`](Self::reconcile). Where it is what was predicted, nothing happens; where it is
/// not, the state is set to what the server says, and all commands since are simulated again. So the simulation has to be a
/// function of the state and the command alone, and the same on both sides.
///
/// The method is that of Y. Bernier, *Latency Compensating Methods in Client/Server In-game Protocol Design and Optimization*
/// (Game Developers Conference, 2001).
///
/// ```
/// use bowline_client::{Predicted, Reconciled};
///
/// /// Where a ship is after a tick, steered so.
/// fn sail(x: &mut i32, helm: &i32) {
///     *x += helm;
/// }
///
/// let mut ship = Predicted::new(0, 64);
/// for tick in 10..15 {
///     ship.step(tick, 2, sail);
/// }
/// assert_eq!(*ship.state(), 10);
///
/// // The server says where it was after tick 11: as predicted.
/// assert_eq!(ship.reconcile(11, 4, PartialEq::eq, sail), Reconciled::AsPredicted);
/// // It has run into something in tick 12: what the player has done since is done again from there.
/// assert_eq!(ship.reconcile(12, 3, PartialEq::eq, sail), Reconciled::Corrected { before: 10, ticks: 2 });
/// assert_eq!(*ship.state(), 7);
/// ```
///
/// A server sends what has changed and nothing else. Reconcile with each update, at its tick; and where none has come for some
/// ticks, with the state as it is known at `server_tick()`: a ship that lies still there while it sails here is put right so.
#[derive(Clone, Debug)]
pub struct Predicted<S, C> {
    /// After the last tick.
    state: S,
    /// After each tick that the server has not spoken of.
    states: TickHistory<S>,
    commands: TickHistory<C>,
    /// The newest tick that the server has spoken of.
    heard: Option<u32>,
}

/// What the server's word did to a [`Predicted`] state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reconciled<S> {
    /// Nothing: it was right.
    AsPredicted,
    /// It was wrong, and is right now.
    Corrected {
        /// The state as it was shown until now. To have a correction look like a movement and not like a jump, show the state and
        /// a part of the difference, a smaller one in each frame.
        before: S,
        /// How many ticks were simulated again.
        ticks: usize,
    },
    /// Nothing: the server has spoken of a later tick already.
    Outdated,
}

impl<S: Clone, C> Predicted<S, C> {
    /// Begins with a state. `capacity` ticks are remembered at most: more than a round trip has, and the ticks by which the
    /// client leads; 64 are three seconds at 20 ticks a second. What the server says of an older one counts as new.
    #[must_use]
    pub const fn new(state: S, capacity: usize) -> Self {
        Self { state, states: TickHistory::new(capacity), commands: TickHistory::new(capacity), heard: None }
    }

    /// The state after the last tick.
    #[must_use]
    pub const fn state(&self) -> &S {
        &self.state
    }

    /// A tick of the client: this is what the player does in it. A tick that comes again, after the client's time has stepped
    /// back, takes the place of the earlier.
    pub fn step(&mut self, tick: u32, command: C, simulate: impl FnOnce(&mut S, &C)) {
        simulate(&mut self.state, &command);
        // Both are newer than all others, or in place of one.
        let _ = self.commands.insert(tick, command);
        let _ = self.states.insert(tick, self.state.clone());
    }

    /// The server says what the state was after a tick. `is_right` compares that with what was predicted: within what
    /// quantization leaves, say.
    pub fn reconcile(
        &mut self,
        tick: u32,
        truth: S,
        is_right: impl FnOnce(&S, &S) -> bool,
        mut simulate: impl FnMut(&mut S, &C),
    ) -> Reconciled<S> {
        if self.heard.is_some_and(|heard| (tick.wrapping_sub(heard) as i32) < 0) {
            return Reconciled::Outdated;
        }
        self.heard = Some(tick);
        let was_right = self.states.get(tick).is_some_and(|predicted| is_right(predicted, &truth));
        self.states.forget_before(tick);
        self.commands.forget_before(tick);
        if was_right {
            return Reconciled::AsPredicted;
        }
        let mut state = truth.clone();
        let _ = self.states.insert(tick, truth);
        let mut ticks = 0;
        for (later, command) in self.commands.after(tick) {
            simulate(&mut state, command);
            let _ = self.states.insert(later, state.clone());
            ticks += 1;
        }
        Reconciled::Corrected { before: std::mem::replace(&mut self.state, state), ticks }
    }

    /// Begins anew: after a reconnect, or where the player has another ship.
    pub fn restart(&mut self, state: S) {
        self.state = state;
        self.states.clear();
        self.commands.clear();
        self.heard = None;
    }

    /// What the player has done since a tick, the oldest first: to draw the way ahead, say.
    pub fn commands_after(&self, tick: u32) -> impl Iterator<Item = (u32, &C)> {
        self.commands.after(tick)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sail(x: &mut i64, helm: &i64) {
        *x += helm;
    }

    fn ship(ticks: std::ops::Range<u32>) -> Predicted<i64, i64> {
        let mut ship = Predicted::new(0, 8);
        ticks.for_each(|tick| ship.step(tick, 1, sail));
        ship
    }

    #[test]
    fn what_is_right_stays_and_what_is_wrong_is_simulated_again() {
        let mut ship = ship(0..5);
        assert_eq!(ship.reconcile(0, 1, PartialEq::eq, sail), Reconciled::AsPredicted);
        assert_eq!(ship.reconcile(2, 10, PartialEq::eq, sail), Reconciled::Corrected { before: 5, ticks: 2 });
        assert_eq!(*ship.state(), 12);
        // What follows from the correction is predicted too, and not corrected once more.
        assert_eq!(ship.reconcile(3, 11, PartialEq::eq, sail), Reconciled::AsPredicted);
        ship.step(5, 1, sail);
        assert_eq!(ship.reconcile(5, 13, PartialEq::eq, sail), Reconciled::AsPredicted);
    }

    #[test]
    fn an_older_word_changes_nothing_and_the_same_tick_may_be_spoken_of_again() {
        let mut ship = ship(0..5);
        let _ = ship.reconcile(3, 4, PartialEq::eq, sail);
        assert_eq!(ship.reconcile(2, 99, PartialEq::eq, sail), Reconciled::Outdated);
        assert_eq!(ship.reconcile(3, 9, PartialEq::eq, sail), Reconciled::Corrected { before: 5, ticks: 1 });
        assert_eq!(*ship.state(), 10);
    }

    #[test]
    fn a_tick_that_was_never_predicted_is_taken_from_the_server() {
        // Ahead of the client, after its time has stepped.
        let mut early = ship(0..3);
        assert_eq!(
            early.reconcile(40, 7, PartialEq::eq, sail),
            Reconciled::Corrected { before: 3, ticks: 0 }
        );
        assert_eq!(*early.state(), 7);
        // So long ago that it is forgotten: with what is remembered since.
        let mut late = ship(0..20);
        assert_eq!(late.reconcile(5, 0, PartialEq::eq, sail), Reconciled::Corrected { before: 20, ticks: 8 });
        assert_eq!(*late.state(), 8);
    }

    #[test]
    fn a_session_that_begins_anew_knows_nothing_of_the_old_one() {
        let mut ship = ship(1_000..1_005);
        let _ = ship.reconcile(1_004, 5, PartialEq::eq, sail);
        ship.restart(100);
        ship.step(3, 1, sail);
        assert_eq!(ship.commands_after(0).count(), 1);
        assert_eq!(ship.reconcile(3, 101, PartialEq::eq, sail), Reconciled::AsPredicted);
    }

    #[test]
    fn ticks_wrap() {
        let mut ship = Predicted::new(0, 8);
        let ticks = [u32::MAX - 1, u32::MAX, 0, 1];
        ticks.into_iter().for_each(|tick| ship.step(tick, 1, sail));
        assert_eq!(
            ship.reconcile(u32::MAX, 5, PartialEq::eq, sail),
            Reconciled::Corrected { before: 4, ticks: 2 }
        );
        assert_eq!(ship.reconcile(0, 6, PartialEq::eq, sail), Reconciled::AsPredicted);
    }
}
