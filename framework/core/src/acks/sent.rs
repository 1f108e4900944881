use std::collections::VecDeque;
use std::time::Duration;

use crate::Instant;
use crate::acks::{AckField, expand};
use crate::pacing::{DeliveryRate, RateSample, Snapshot};

/// How many packets may be in flight: as many as the other side remembers. A packet that would be one more waits.
pub(crate) const SEND_WINDOW: u64 = super::received::RECEIVE_WINDOW;

/// The packets that were sent and not yet decided on, each with what it carried.
///
/// `C` names one thing that a packet carried and that somebody wants to know the fate of. All memory is in two
/// rings that are reused, so a steady flow allocates nothing.
#[derive(Debug)]
pub(crate) struct SentPackets<C> {
    packets: VecDeque<SentPacket>,
    /// What they carried, in the same order.
    cargo: VecDeque<C>,
    /// The number of the next packet: the first is 1.
    next: u64,
    newest_acked: u64,
    delivery: DeliveryRate,
}

#[derive(Clone, Copy, Debug)]
struct SentPacket {
    sent_at: Instant,
    carried: u32,
    fate: Fate,
    snapshot: Snapshot,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Open,
    Decided,
}

/// What became of something a packet carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Acked,
    Lost,
}

/// What a header's acknowledgements amounted to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct AckSummary {
    /// How many packets were acknowledged for the first time.
    pub(crate) acked: u32,
    /// How many were given up.
    pub(crate) lost: u32,
    /// The time from sending the newest packet to hearing of it, if that is news.
    pub(crate) round_trip: Option<Duration>,
    /// How fast the path has delivered.
    pub(crate) rate: Option<RateSample>,
}

impl<C: Copy> SentPackets<C> {
    pub(crate) fn new(now: Instant) -> Self {
        let delivery = DeliveryRate::new(now);
        Self { packets: VecDeque::new(), cargo: VecDeque::new(), next: 1, newest_acked: 0, delivery }
    }

    /// The number for the next packet, or `None` while too many are undecided.
    pub(crate) fn next_number(&self) -> Option<u64> {
        ((self.packets.len() as u64) < SEND_WINDOW).then_some(self.next)
    }

    /// How many packets are undecided.
    pub(crate) fn in_flight(&self) -> usize {
        self.packets.iter().filter(|packet| packet.fate == Fate::Open).count()
    }

    /// Records that the packet with [`next_number`](Self::next_number) goes out, with what it carries.
    pub(crate) fn record(&mut self, now: Instant, bytes: usize, carried: impl IntoIterator<Item = C>) {
        let before = self.cargo.len();
        self.cargo.extend(carried);
        let carried = u32::try_from(self.cargo.len() - before).unwrap_or(u32::MAX);
        let snapshot = self.delivery.sent(now, bytes);
        self.packets.push_back(SentPacket { sent_at: now, carried, fate: Fate::Open, snapshot });
        self.next += 1;
    }

    /// Whether `acks` speaks of a packet that was sent: an honest header does.
    pub(crate) fn knows(&self, acks: &AckField) -> bool {
        expand(acks.newest, self.next).is_some_and(|newest| newest < self.next)
    }

    /// Takes in the acknowledgements of a header. Those for packets that were never sent, or decided long ago, change
    /// nothing. `fate` hears what became of each thing carried.
    pub(crate) fn acknowledge(
        &mut self,
        now: Instant,
        acks: &AckField,
        loss_delay: Duration,
        least_round_trip: Duration,
        mut fate: impl FnMut(C, Outcome),
    ) -> AckSummary {
        let mut summary = AckSummary::default();
        let Some(newest) = expand(acks.newest, self.next).filter(|newest| *newest < self.next) else {
            return summary;
        };
        if newest > self.newest_acked {
            self.newest_acked = newest;
            let packet = self.packet(newest).filter(|packet| packet.fate == Fate::Open);
            summary.round_trip = packet.map(|packet| now - packet.sent_at);
        }
        let first = self.first();
        let mut cargo_at = 0_usize;
        let mut last_sent = None;
        for (index, packet) in self.packets.iter_mut().enumerate() {
            let number = first + index as u64;
            let carried = packet.carried as usize;
            if number > newest {
                break;
            }
            let arrived = number == newest || acks.before_newest(newest - number) == Some(true);
            if packet.fate == Fate::Open && arrived {
                packet.fate = Fate::Decided;
                summary.acked += 1;
                self.delivery.acked(now, &packet.snapshot, &mut last_sent);
                self.cargo.range(cargo_at..cargo_at + carried).for_each(|c| fate(*c, Outcome::Acked));
            }
            cargo_at += carried;
        }
        summary.rate = last_sent.and_then(|last| self.delivery.sample(&last, least_round_trip));
        summary.lost = self.give_up(now, loss_delay, &mut fate);
        self.retire();
        summary
    }

    /// How the path delivers.
    pub(crate) const fn delivery(&self) -> &DeliveryRate {
        &self.delivery
    }

    /// There is no more to send though there may be.
    pub(crate) fn application_is_idle(&mut self) {
        self.delivery.application_is_idle();
    }

    /// Gives up packets that a later one has overtaken for longer than `loss_delay`.
    pub(crate) fn detect_losses(
        &mut self,
        now: Instant,
        loss_delay: Duration,
        mut fate: impl FnMut(C, Outcome),
    ) -> u32 {
        let lost = self.give_up(now, loss_delay, &mut fate);
        self.retire();
        lost
    }

    /// Whether a later packet has overtaken one that is undecided; otherwise none can be lost yet.
    pub(crate) fn has_overtaken(&self) -> bool {
        self.newest_acked > self.first()
    }

    /// When the oldest packet that a later one has overtaken will count as lost.
    pub(crate) fn next_loss(&self, loss_delay: Duration) -> Option<Instant> {
        let overtaken = self.newest_acked.checked_sub(self.first())? as usize;
        let open = self.packets.iter().take(overtaken).find(|packet| packet.fate == Fate::Open)?;
        Some(open.sent_at + loss_delay)
    }

    fn give_up(&mut self, now: Instant, loss_delay: Duration, fate: &mut impl FnMut(C, Outcome)) -> u32 {
        let first = self.first();
        // Beyond the other side's memory nothing will ever be acknowledged.
        let forgotten = self.newest_acked.saturating_sub(SEND_WINDOW);
        let mut lost = 0;
        let mut cargo_at = 0_usize;
        for (index, packet) in self.packets.iter_mut().enumerate() {
            let number = first + index as u64;
            let carried = packet.carried as usize;
            if number >= self.newest_acked {
                break;
            }
            let overdue = now - packet.sent_at >= loss_delay || number <= forgotten;
            if packet.fate == Fate::Open && overdue {
                packet.fate = Fate::Decided;
                lost += 1;
                self.delivery.lost(&packet.snapshot);
                self.cargo.range(cargo_at..cargo_at + carried).for_each(|c| fate(*c, Outcome::Lost));
            }
            cargo_at += carried;
        }
        lost
    }

    /// Gives up the oldest packets when nothing was acknowledged for so long that they stand in the way of new ones.
    pub(crate) fn make_room(&mut self, mut fate: impl FnMut(C, Outcome)) -> u32 {
        let mut lost = 0;
        while self.packets.len() as u64 >= SEND_WINDOW {
            let Some(packet) = self.packets.pop_front() else { break };
            if packet.fate == Fate::Open {
                self.delivery.lost(&packet.snapshot);
            }
            for carried in self.cargo.drain(..packet.carried as usize) {
                if packet.fate == Fate::Open {
                    fate(carried, Outcome::Lost);
                }
            }
            lost += u32::from(packet.fate == Fate::Open);
        }
        lost
    }

    /// Drops decided packets from the front.
    fn retire(&mut self) {
        while let Some(packet) = self.packets.front().filter(|packet| packet.fate == Fate::Decided) {
            self.cargo.drain(..packet.carried as usize);
            self.packets.pop_front();
        }
    }

    fn first(&self) -> u64 {
        self.next - self.packets.len() as u64
    }

    fn packet(&self, number: u64) -> Option<&SentPacket> {
        self.packets.get(usize::try_from(number.checked_sub(self.first())?).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acks::ReceivedPackets;

    const MS: Duration = Duration::from_millis(1);

    fn at(ms: u64) -> Instant {
        Instant::ZERO + MS * ms as u32
    }

    fn acks(numbers: &[u64]) -> AckField {
        let mut received = ReceivedPackets::new();
        numbers.iter().for_each(|n| received.insert(*n, Instant::ZERO));
        received.report(Instant::ZERO)
    }

    #[test]
    fn acknowledged_once_and_lost_once() {
        let mut sent = SentPackets::new(at(0));
        for packet in 1..=5_u64 {
            sent.record(at(packet), 100, [packet * 10, packet * 10 + 1]);
        }
        let mut fates = Vec::new();
        let summary = sent.acknowledge(at(100), &acks(&[1, 2, 5]), MS * 1_000, MS, |c, f| fates.push((c, f)));
        assert_eq!((summary.acked, summary.lost, summary.round_trip), (3, 0, Some(MS * 95)));
        assert_eq!(fates.iter().map(|f| f.0).collect::<Vec<_>>(), [10, 11, 20, 21, 50, 51]);
        fates.clear();
        let again = sent.acknowledge(at(101), &acks(&[1, 2, 5]), MS * 1_000, MS, |c, f| fates.push((c, f)));
        assert_eq!((again, fates.len()), (AckSummary::default(), 0));
        assert_eq!(sent.next_loss(MS * 200), Some(at(203)));
        let lost = sent.detect_losses(at(203), MS * 200, |c, f| fates.push((c, f)));
        assert_eq!((lost, &fates[..]), (1, &[(30, Outcome::Lost), (31, Outcome::Lost)][..]));
    }

    #[test]
    fn b7_acks_for_packets_never_sent_are_ignored() {
        let mut sent = SentPackets::new(at(0));
        sent.record(at(0), 100, [1]);
        let mut summary = sent.acknowledge(at(1), &acks(&[7]), MS, MS, |_, _| panic!("nothing was carried"));
        assert_eq!(summary, AckSummary::default());
        summary = sent.acknowledge(at(1), &AckField::NONE, MS, MS, |_, _| panic!("nothing was carried"));
        assert_eq!(summary, AckSummary::default());
        assert!(!sent.knows(&acks(&[2])) && sent.knows(&acks(&[1])) && sent.knows(&AckField::NONE));
    }

    #[test]
    fn the_window_is_bounded_and_makes_room() {
        let mut sent = SentPackets::new(at(0));
        while sent.next_number().is_some() {
            sent.record(at(0), 100, [0_u8]);
        }
        assert_eq!(sent.packets.len() as u64, SEND_WINDOW);
        let mut lost = 0;
        assert_eq!(sent.make_room(|_, _| lost += 1), 1);
        assert_eq!((lost, sent.next_number()), (1, Some(SEND_WINDOW + 1)));
    }
}
