use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::time::Duration;

use super::{LaneStatistics, LinkProfile};
use crate::{Entropy, Instant, SeededEntropy};

/// One direction of a conditioned link: datagrams go in, and come out when they are due. What a link conditioner
/// and a simulated network are made of.
pub struct Lane<A> {
    profile: LinkProfile,
    entropy: SeededEntropy,
    in_burst: bool,
    /// When the last of the datagrams that wait for the bandwidth has gone out.
    free_at: Instant,
    held: BinaryHeap<Reverse<Held<A>>>,
    held_bytes: usize,
    /// Buffers to use again, so that nothing is allocated for a datagram once the lane has seen its usual
    /// load.
    spare: Vec<Vec<u8>>,
    /// Buffers of more than twice this are not kept: a flood of giants must not leave its memory behind.
    usual_size: usize,
    sequence: u64,
    statistics: LaneStatistics,
}

/// The most datagrams that a lane holds. At 60 Hz and [`very_poor_condition`], 1,000 players have 22,500 on
/// the way.
///
/// [`very_poor_condition`]: super::LinkConditionerConfig::very_poor_condition
pub(super) const MAX_HELD: usize = 32_768;

/// The most bytes that a lane holds: [`MAX_HELD`] datagrams of the usual size are 39 MB, most are smaller,
/// and a flood of large ones stops here.
pub(super) const MAX_HELD_BYTES: usize = 32 << 20;

/// The most buffers kept to be used again: what falls due within one tick of a busy server.
const MAX_SPARE: usize = 4_096;

/// What comes out of a lane.
#[derive(Debug)]
pub struct Held<A> {
    due: Instant,
    /// What went in first comes out first, among those due at the same time.
    sequence: u64,
    /// Where it came from or goes to: what was given with it.
    pub address: A,
    /// What it is.
    pub load: Load,
}

/// What is on its way.
#[derive(Debug)]
pub enum Load {
    /// These bytes.
    Datagram(Vec<u8>),
    /// The address was closed after all that was sent to it.
    Close,
}

impl<A> std::fmt::Debug for Lane<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lane").field("profile", &self.profile).finish_non_exhaustive()
    }
}

impl<A: Copy + Eq> Lane<A> {
    /// A link with this profile. Its buffers are kept up to twice `usual_size`.
    pub fn new(profile: LinkProfile, entropy: SeededEntropy, usual_size: usize) -> Self {
        Self {
            profile,
            entropy,
            in_burst: false,
            free_at: Instant::ZERO,
            held: BinaryHeap::new(),
            held_bytes: 0,
            spare: Vec::new(),
            usual_size,
            sequence: 0,
            statistics: LaneStatistics::default(),
        }
    }

    /// From now on. What is on the way already arrives as it would have.
    pub fn set_profile(&mut self, profile: LinkProfile) {
        self.profile = profile;
        if profile.burst_loss.is_none() {
            self.in_burst = false;
        }
    }

    /// Puts a datagram on the way, or loses it.
    pub fn admit(&mut self, now: Instant, address: A, datagram: &[u8]) {
        self.statistics.offered += 1;
        let Some(departure) = self.departure(now, datagram.len()) else {
            self.statistics.lost_to_bandwidth += 1;
            return;
        };
        // Both are asked, so that a burst goes on while single datagrams are lost.
        let (in_burst, alone) = (self.lost_in_burst(), self.chance(self.profile.loss));
        if in_burst || alone {
            self.statistics.lost += 1;
            return;
        }
        self.hold(departure, address, datagram);
        if self.chance(self.profile.duplication) {
            self.statistics.duplicated += 1;
            self.hold(departure, address, datagram);
        }
    }

    /// Puts the end of an address behind everything that is on the way to it; `false` if nothing is.
    pub fn admit_close(&mut self, address: A) -> bool {
        let last = self.held.iter().filter(|held| held.0.address == address).map(|held| held.0.due).max();
        let Some(due) = last else { return false };
        if self.held.len() >= MAX_HELD {
            return false;
        }
        let sequence = self.next_sequence();
        self.held.push(Reverse(Held { due, sequence, address, load: Load::Close }));
        true
    }

    /// When something is due next.
    pub fn next_due(&self) -> Option<Instant> {
        self.held.peek().map(|held| held.0.due)
    }

    /// The next that is due. Give its buffer back with [`recycle`](Self::recycle).
    pub fn take_due(&mut self, now: Instant) -> Option<Held<A>> {
        if self.next_due()? > now {
            return None;
        }
        let Reverse(held) = self.held.pop()?;
        if let Load::Datagram(bytes) = &held.load {
            self.held_bytes -= bytes.len();
            self.statistics.delivered += 1;
        }
        Some(held)
    }

    /// Takes a buffer back.
    pub fn recycle(&mut self, buffer: Vec<u8>) {
        if self.spare.len() < MAX_SPARE && buffer.capacity() <= 2 * self.usual_size {
            self.spare.push(buffer);
        }
    }

    /// What has happened so far.
    pub fn statistics(&self) -> LaneStatistics {
        LaneStatistics { held: self.held.len(), ..self.statistics }
    }

    /// Counts a datagram that came out and was not taken further.
    pub(super) fn count_failed(&mut self) {
        self.statistics.failed += 1;
    }

    /// When the last byte of a datagram has gone out; `None` if too many wait before it.
    fn departure(&mut self, now: Instant, size: usize) -> Option<Instant> {
        let Some(limit) = self.profile.bandwidth else { return Some(now) };
        let start = self.free_at.max(now);
        if start - now > limit.backlog {
            return None;
        }
        let nanos = (size as u64).saturating_mul(1_000_000_000) / limit.bytes_per_second.max(1);
        self.free_at = start + Duration::from_nanos(nanos);
        Some(self.free_at)
    }

    fn lost_in_burst(&mut self) -> bool {
        let Some(bursts) = self.profile.burst_loss else { return false };
        let change = if self.in_burst { bursts.leave } else { bursts.enter };
        if self.chance(change) {
            self.in_burst = !self.in_burst;
        }
        self.in_burst && self.chance(bursts.loss)
    }

    /// Holds a datagram that left at `departure` until it arrives.
    fn hold(&mut self, departure: Instant, address: A, datagram: &[u8]) {
        let full =
            self.held.len() >= MAX_HELD || self.held_bytes.saturating_add(datagram.len()) > MAX_HELD_BYTES;
        if full {
            self.statistics.lost_to_limit += 1;
            return;
        }
        let mut bytes = self.spare.pop().unwrap_or_else(|| Vec::with_capacity(self.usual_size));
        bytes.clear();
        bytes.extend_from_slice(datagram);
        if self.chance(self.profile.corruption) {
            self.flip_a_bit(&mut bytes);
        }
        let mut due = departure + self.latency();
        if self.chance(self.profile.reordering) {
            due += self.profile.reordering_delay;
            self.statistics.held_back += 1;
        }
        self.held_bytes += bytes.len();
        let sequence = self.next_sequence();
        self.held.push(Reverse(Held { due, sequence, address, load: Load::Datagram(bytes) }));
    }

    fn latency(&mut self) -> Duration {
        let LinkProfile { latency, jitter, .. } = self.profile;
        if jitter.is_zero() {
            return latency;
        }
        let spread = jitter.saturating_mul(2).as_nanos() as f64 * self.entropy.next_unit();
        // A float becomes the nearest integer that there is, so this cannot wrap.
        latency.saturating_add(Duration::from_nanos(spread as u64)).saturating_sub(jitter)
    }

    fn flip_a_bit(&mut self, bytes: &mut [u8]) {
        let bits = bytes.len() as u64 * 8;
        if bits == 0 {
            return;
        }
        let bit = self.entropy.next_u64() % bits;
        if let Some(byte) = bytes.get_mut((bit / 8) as usize) {
            *byte ^= 1 << (bit % 8);
            self.statistics.corrupted += 1;
        }
    }

    /// Whether it happens. Nothing is drawn for what never does: most effects of most links.
    fn chance(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.entropy.next_unit() < probability
    }

    fn next_sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }
}

impl<A> Held<A> {
    fn key(&self) -> (Instant, u64) {
        (self.due, self.sequence)
    }
}

impl<A> PartialEq for Held<A> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<A> Eq for Held<A> {}

impl<A> PartialOrd for Held<A> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<A> Ord for Held<A> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

#[cfg(test)]
mod tests {
    use super::super::BurstLoss;
    use super::*;

    const MILLISECOND: Duration = Duration::from_millis(1);

    fn lane(profile: LinkProfile, seed: u64) -> Lane<u8> {
        Lane::new(profile, SeededEntropy::new(seed), 64)
    }

    /// Sends `count` numbered datagrams, one each `gap`; gives the number and delay of those that came out,
    /// in order.
    fn run(lane: &mut Lane<u8>, count: u32, gap: Duration) -> Vec<(u32, Duration)> {
        let sent_at = |number: u32| Instant::ZERO + gap * number;
        let mut arrived = Vec::new();
        for number in 0..count {
            let until = sent_at(number);
            while let Some(due) = lane.next_due().filter(|due| *due < until) {
                arrived.push(arrival(lane, due));
            }
            lane.admit(until, 0, &number.to_le_bytes());
        }
        arrived.extend(drain(lane));
        arrived
            .into_iter()
            .map(|(at, bytes)| {
                let number = u32::from_le_bytes(bytes.try_into().unwrap());
                (number, at - sent_at(number))
            })
            .collect()
    }

    fn arrival(lane: &mut Lane<u8>, now: Instant) -> (Instant, Vec<u8>) {
        let Load::Datagram(bytes) = lane.take_due(now).unwrap().load else { panic!("nothing was closed") };
        let copy = bytes.clone();
        lane.recycle(bytes);
        (now, copy)
    }

    fn drain(lane: &mut Lane<u8>) -> Vec<(Instant, Vec<u8>)> {
        let mut all = Vec::new();
        while let Some(due) = lane.next_due() {
            all.push(arrival(lane, due));
        }
        all
    }

    #[test]
    fn as_many_are_lost_as_asked_for() {
        for seed in 0..20 {
            let mut lane = lane(LinkProfile::new(0, 0, 0.04), seed);
            let arrived = run(&mut lane, 20_000, MILLISECOND).len();
            // Five standard deviations of a binomial distribution: 5 * sqrt(20,000 * 0.04 * 0.96) = 139.
            assert!((19_200_i64 - arrived as i64).abs() < 139, "{arrived} at seed {seed}");
            assert_eq!(lane.statistics().lost as usize, 20_000 - arrived);
        }
    }

    #[test]
    fn everything_or_nothing_is_exact() {
        assert_eq!(run(&mut lane(LinkProfile::new(5, 0, 0.0), 1), 1_000, MILLISECOND).len(), 1_000);
        assert_eq!(run(&mut lane(LinkProfile::new(5, 0, 1.0), 1), 1_000, MILLISECOND).len(), 0);
    }

    #[test]
    fn latency_stays_within_the_jitter_and_fills_it() {
        for seed in 0..5 {
            let delays = run(&mut lane(LinkProfile::new(100, 25, 0.0), seed), 10_000, MILLISECOND);
            let millis: Vec<f64> = delays.iter().map(|(_, delay)| delay.as_secs_f64() * 1e3).collect();
            assert!(millis.iter().all(|delay| (75.0..=125.0).contains(delay)), "seed {seed}");
            let mean = millis.iter().sum::<f64>() / millis.len() as f64;
            // A standard deviation of the mean is 50 / sqrt(12) / sqrt(10,000) = 0.14.
            assert!((mean - 100.0).abs() < 0.7, "mean {mean} at seed {seed}");
            let quarters = millis.iter().fold([0; 4], |mut count, delay| {
                count[(((delay - 75.0) / 12.5) as usize).min(3)] += 1;
                count
            });
            assert!(
                quarters.iter().all(|count| (2_250..2_750).contains(count)),
                "{quarters:?} at seed {seed}"
            );
        }
    }

    #[test]
    fn jitter_above_the_latency_is_cut_at_no_time() {
        let delays = run(&mut lane(LinkProfile::new(5, 50, 0.0), 3), 1_000, Duration::from_secs(1));
        assert!(delays.iter().any(|(_, delay)| delay.is_zero()));
        assert!(delays.iter().all(|(_, delay)| *delay <= Duration::from_millis(55)));
    }

    #[test]
    fn without_jitter_order_is_kept_and_with_it_not() {
        let in_order = |arrived: Vec<(u32, Duration)>| arrived.windows(2).all(|pair| pair[0].0 < pair[1].0);
        assert!(in_order(run(&mut lane(LinkProfile::new(50, 0, 0.1), 1), 1_000, Duration::ZERO)));
        assert!(!in_order(run(&mut lane(LinkProfile::new(50, 5, 0.0), 1), 1_000, MILLISECOND)));
        // Further apart than twice the jitter, nothing overtakes.
        assert!(in_order(run(&mut lane(LinkProfile::new(50, 5, 0.0), 1), 1_000, 11 * MILLISECOND)));
    }

    #[test]
    fn reordering_holds_back_the_share_asked_for() {
        let profile = LinkProfile::new(10, 0, 0.0).with_reordering(0.1, Duration::from_millis(30));
        let mut lane = lane(profile, 4);
        let arrived = run(&mut lane, 10_000, MILLISECOND);
        let late = arrived.iter().filter(|(_, delay)| *delay == Duration::from_millis(40)).count();
        let in_time = arrived.iter().filter(|(_, delay)| *delay == Duration::from_millis(10)).count();
        assert_eq!(late + in_time, 10_000);
        assert!((850..1_150).contains(&late), "{late}");
        assert_eq!(lane.statistics().held_back as usize, late);
        assert!(arrived.windows(2).any(|pair| pair[0].0 > pair[1].0));
    }

    #[test]
    fn copies_arrive_as_often_as_asked_for() {
        let mut lane = lane(LinkProfile::new(10, 5, 0.0).with_duplication(0.2), 5);
        let arrived = run(&mut lane, 10_000, MILLISECOND);
        let copies = arrived.len() - 10_000;
        assert!((1_800..2_200).contains(&copies), "{copies}");
        assert_eq!(lane.statistics().duplicated as usize, copies);
        let mut numbers: Vec<u32> = arrived.iter().map(|(number, _)| *number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 10_000);
    }

    #[test]
    fn bursts_are_as_long_and_as_many_as_the_model_says() {
        let mut lane = lane(LinkProfile::new(0, 0, 0.0).with_burst_loss(BurstLoss::new(0.01, 0.1)), 6);
        let arrived = run(&mut lane, 200_000, MILLISECOND);
        let numbers = arrived.iter().map(|(number, _)| *number);
        let gaps: Vec<u32> =
            numbers.clone().zip(numbers.skip(1)).map(|(a, b)| b - a - 1).filter(|gap| *gap > 0).collect();
        let lost: u32 = gaps.iter().sum();
        // 0.01 / (0.01 + 0.1) of 200,000 is 18,182, in bursts of 1 / 0.1 = 10.
        let mean = f64::from(lost) / gaps.len() as f64;
        assert!((17_000..19_500).contains(&lost), "{lost}");
        assert!((9.4..10.6).contains(&mean), "{mean}");
    }

    #[test]
    fn a_burst_may_let_some_through() {
        let bursts = BurstLoss::new(1.0, 0.0).with_loss(0.5);
        let arrived =
            run(&mut lane(LinkProfile::new(0, 0, 0.0).with_burst_loss(bursts), 7), 10_000, MILLISECOND);
        assert!((4_750..5_250).contains(&arrived.len()), "{}", arrived.len());
    }

    #[test]
    fn bandwidth_makes_a_queue_that_ends() {
        // 1,000 bytes per second: four bytes take 4 ms, and 100 ms of waiting hold 25 of them and the one on
        // its way.
        let backlog = Duration::from_millis(100);
        let mut lane = lane(LinkProfile::new(10, 0, 0.0).with_bandwidth(1_000, backlog), 8);
        let arrived = run(&mut lane, 100, Duration::ZERO);
        let expected: Vec<_> =
            (0..26).map(|n| (n, Duration::from_millis(10 + 4 * (u64::from(n) + 1)))).collect();
        assert_eq!(arrived, expected);
        assert_eq!(lane.statistics().lost_to_bandwidth, 74);
        // A sender that keeps to it loses nothing and does not wait.
        let paced = run(&mut super::tests::lane(lane.profile, 8), 1_000, 4 * MILLISECOND);
        assert_eq!(paced.len(), 1_000);
        assert!(paced.iter().all(|(_, delay)| *delay == Duration::from_millis(14)));
    }

    #[test]
    fn corruption_flips_one_bit() {
        let mut lane = lane(LinkProfile::new(0, 0, 0.0).with_corruption(0.5), 9);
        for _ in 0..1_000 {
            lane.admit(Instant::ZERO, 0, &[0; 32]);
        }
        lane.admit(Instant::ZERO, 0, &[]);
        let flipped: Vec<u32> = drain(&mut lane)
            .iter()
            .map(|(_, bytes)| bytes.iter().map(|byte| byte.count_ones()).sum())
            .collect();
        assert!(flipped.iter().all(|bits| *bits <= 1));
        let corrupted = flipped.iter().filter(|bits| **bits == 1).count();
        assert!((430..570).contains(&corrupted), "{corrupted}");
        assert_eq!(lane.statistics().corrupted as usize, corrupted);
    }

    #[test]
    fn the_same_seed_gives_the_same_link() {
        let profile = LinkProfile::new(100, 25, 0.02)
            .with_duplication(0.1)
            .with_reordering(0.1, Duration::from_millis(60))
            .with_burst_loss(BurstLoss::new(0.01, 0.2));
        let of_seed = |seed| run(&mut lane(profile, seed), 2_000, MILLISECOND);
        assert_eq!(of_seed(1), of_seed(1));
        assert_ne!(of_seed(1), of_seed(2));
    }

    #[test]
    fn what_is_held_is_bounded() {
        let mut lane = lane(LinkProfile::new(1_000, 0, 0.0), 1);
        for _ in 0..MAX_HELD + 10 {
            lane.admit(Instant::ZERO, 0, &[1]);
        }
        assert_eq!((lane.statistics().held, lane.statistics().lost_to_limit), (MAX_HELD, 10));
        drain(&mut lane);
        let giant = vec![0; 65_000];
        for _ in 0..1_000 {
            lane.admit(Instant::ZERO, 0, &giant);
        }
        assert_eq!(lane.statistics().held, MAX_HELD_BYTES / 65_000);
        drain(&mut lane);
        assert_eq!(lane.held_bytes, 0);
        let kept: usize = lane.spare.iter().map(Vec::capacity).sum();
        assert!(kept <= 2 * MAX_SPARE * 64, "{kept}");
    }

    #[test]
    fn buffers_are_used_again() {
        let mut lane = lane(LinkProfile::new(100, 25, 0.02).with_duplication(0.1), 1);
        let mut buffers = 0;
        for warm in [false, true] {
            run(&mut lane, 5_000, MILLISECOND);
            assert!(!warm || lane.spare.len() == buffers, "{} became {}", buffers, lane.spare.len());
            buffers = lane.spare.len();
        }
        assert!(buffers < 150, "{buffers}");
    }

    #[test]
    fn a_changed_profile_leaves_what_is_on_the_way() {
        let mut lane = lane(LinkProfile::new(100, 0, 0.0), 1);
        lane.admit(Instant::ZERO, 0, b"before");
        lane.set_profile(LinkProfile::new(0, 0, 1.0));
        lane.admit(Instant::ZERO, 0, b"after");
        assert_eq!(drain(&mut lane), [(Instant::from_nanos(100_000_000), b"before".to_vec())]);
    }
}
