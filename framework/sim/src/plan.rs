use std::time::Duration;

use bowline_core::{Entropy, SeededEntropy};

use crate::Conditions;

/// Something that goes wrong, or right again. Clients are named by their number.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// The links change.
    Conditions(Conditions),
    /// A client's cable is pulled.
    Cut(usize),
    /// It is plugged in again.
    Join(usize),
    /// A client appears under another address: its router forgot it, or it changed networks.
    Rebind(usize),
    /// A client's process stands still: a tab in the background, a laptop that sleeps.
    FreezeClient(usize),
    /// It goes on.
    ThawClient(usize),
    /// The server's process stands still.
    FreezeServer,
    /// It goes on.
    ThawServer,
    /// A client's clock jumps.
    StepClientClock {
        /// Whose.
        client: usize,
        /// By how much.
        by: Duration,
        /// Whether into the past.
        back: bool,
    },
    /// The server's clock jumps.
    StepServerClock {
        /// By how much.
        by: Duration,
        /// Whether into the past.
        back: bool,
    },
    /// The server's process ends without a word.
    CrashServer,
    /// A server starts that knows nothing of the one before.
    StartServer,
}

/// A fault and when it happens, counted from the plan's beginning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlannedFault {
    /// When.
    pub at: Duration,
    /// What.
    pub fault: Fault,
    /// Faults that belong together, one mending the other, have the same number.
    group: usize,
}

/// What goes wrong in a run, in order.
///
/// ```
/// use std::time::Duration;
/// use bowline_sim::{Fault, Plan};
///
/// let plan = Plan::new()
///     .during(Duration::from_secs(2), Duration::from_secs(9), Fault::Cut(0), Fault::Join(0))
///     .at(Duration::from_secs(5), Fault::Rebind(1));
/// assert_eq!(plan.faults().len(), 3);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    faults: Vec<PlannedFault>,
}

impl Plan {
    /// Nothing goes wrong.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more fault.
    #[must_use]
    pub fn at(self, at: Duration, fault: Fault) -> Self {
        let group = self.next_group();
        self.with(PlannedFault { at, fault, group })
    }

    /// With a fault, and what mends it: shrinking leaves out both or none.
    #[must_use]
    pub fn during(self, from: Duration, to: Duration, fault: Fault, mend: Fault) -> Self {
        let group = self.next_group();
        self.with(PlannedFault { at: from, fault, group }).with(PlannedFault { at: to, fault: mend, group })
    }

    /// A plan that follows from a seed: up to eight faults within `duration`, in a cluster of so many clients, each of
    /// which is over before the end: what was cut is joined, what was frozen thaws, what crashed starts, and the links
    /// are perfect again.
    #[must_use]
    pub fn random(seed: u64, duration: Duration, clients: usize) -> Self {
        let mut draw = Draw(SeededEntropy::new(seed));
        let mut plan = Self::new();
        for _ in 0..draw.up_to(8) {
            let begin = duration.mul_f64(draw.0.next_unit() * 0.7);
            let end = begin + duration.mul_f64(draw.0.next_unit() * 0.2);
            let client = draw.up_to(clients.max(1) as u64) as usize;
            let by = Duration::from_millis(draw.up_to(5_000));
            plan = match draw.up_to(7) {
                0 => plan.during(begin, end, Fault::Cut(client), Fault::Join(client)),
                1 => plan.during(begin, end, Fault::FreezeClient(client), Fault::ThawClient(client)),
                2 => plan.during(begin, end, Fault::FreezeServer, Fault::ThawServer),
                3 => plan.during(begin, end, Fault::CrashServer, Fault::StartServer),
                4 => plan.at(begin, Fault::Rebind(client)),
                5 => plan.at(begin, Fault::StepClientClock { client, by, back: draw.up_to(2) == 0 }),
                _ => plan.at(begin, Fault::Conditions(draw.conditions())),
            };
        }
        plan.at(duration.mul_f64(0.9), Fault::Conditions(Conditions::perfect()))
    }

    /// The faults in order.
    #[must_use]
    pub fn faults(&self) -> &[PlannedFault] {
        &self.faults
    }

    /// The smallest plan, found by leaving out one fault after the other (with what mends it), with which `fails` still
    /// says so.
    #[must_use]
    pub fn shrink(&self, mut fails: impl FnMut(&Self) -> bool) -> Self {
        let mut smallest = self.clone();
        for group in 0..self.next_group() {
            let mut candidate = smallest.clone();
            candidate.faults.retain(|planned| planned.group != group);
            if candidate != smallest && fails(&candidate) {
                smallest = candidate;
            }
        }
        smallest
    }

    fn next_group(&self) -> usize {
        self.faults.iter().map(|planned| planned.group + 1).max().unwrap_or(0)
    }

    fn with(mut self, planned: PlannedFault) -> Self {
        let place = self.faults.partition_point(|other| other.at <= planned.at);
        self.faults.insert(place, planned);
        self
    }
}

struct Draw(SeededEntropy);

impl Draw {
    fn up_to(&mut self, limit: u64) -> u64 {
        self.0.next_u64() % limit
    }

    fn conditions(&mut self) -> Conditions {
        let (latency, jitter) = (self.up_to(300) as u32, self.up_to(80) as u32);
        let mut conditions = Conditions::new(latency, jitter, self.0.next_unit() * 0.3);
        conditions.profile = conditions
            .profile
            .with_duplication(self.0.next_unit() * 0.5)
            .with_reordering(self.0.next_unit() * 0.3, Duration::from_millis(50))
            .with_corruption(self.0.next_unit() * 0.05);
        conditions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_follows_from_its_seed() {
        let plan = |seed| Plan::random(seed, Duration::from_secs(60), 3);
        assert_eq!(plan(5), plan(5));
        assert!((0..100).any(|seed| plan(seed) != plan(seed + 1)));
        assert!((0..100).all(|seed| plan(seed).faults().is_sorted_by_key(|planned| planned.at)));
    }

    #[test]
    fn shrinking_leaves_what_matters() {
        let plan =
            (0..10).fold(Plan::new(), |plan, n| plan.at(Duration::from_secs(n), Fault::Cut(n as usize)));
        let fails = |plan: &Plan| {
            let cuts = |n| plan.faults().iter().any(|planned| planned.fault == Fault::Cut(n));
            cuts(3) && cuts(7)
        };
        let cuts: Vec<Fault> = plan.shrink(fails).faults().iter().map(|planned| planned.fault).collect();
        assert_eq!(cuts, [Fault::Cut(3), Fault::Cut(7)]);
    }
}
