//! A packet's way out: entries are chosen until it is full, then written.

use bowline_wire::BitWriter;

use super::{Cargo, EntryHead, Flush, Freight, Link, SendErrorKind, channel_bits, fate};
use crate::Instant;
use crate::channels::{Chosen, Payload, Rides, Sender};
use crate::packet::{DataHeader, Numbering, Previous, seal};
use crate::requests::Requests;

/// The most packets that one connection sends at one moment. A transfer of a megabyte then takes some fifteen ticks,
/// and neither a kernel's socket buffer (some 90 such packets) nor a home router sees more at once.
const MAX_BURST: u32 = 64;

impl Link {
    pub(super) fn poll_transmit(
        &mut self,
        now: Instant,
        datagram: &mut Vec<u8>,
        freight: &mut impl Freight,
    ) -> bool {
        if self.ended.is_some() {
            return false;
        }
        self.send_refusals();
        if self.flush.at != now {
            self.flush = Flush { at: now, packets: 0 };
        }
        let is_heartbeat = now - self.last_sent >= self.heartbeat_interval();
        self.freight_waits = freight.is_waiting();
        let has_entries = self.freight_waits || self.senders.iter().any(|sender| sender.peek(0).is_some());
        if !has_entries {
            self.sent.application_is_idle();
            // Most looks at most connections end here.
            if !self.owes_ack && !is_heartbeat && self.rides().is_none() {
                return false;
            }
        }
        self.allowance.refill(now, self.rate.bytes_per_second(), self.max_datagram);
        let has_window = self.has_window();
        let has_room = self.allowance.is_open() && (has_window || self.probes > 0);
        let rides_along = !has_entries && has_room && self.has_riders(now);
        let may_send_entries = has_entries && has_room || rides_along;
        if !(may_send_entries || self.owes_ack || is_heartbeat) || self.flush.packets >= MAX_BURST {
            return false;
        }
        let lost = self.sent.make_room(fate(&mut self.senders, &mut self.pool));
        self.stats.packets_lost += u64::from(lost);
        let Some(sequence) = self.sent.next_number() else { return false };

        // The first packet of a send tells of all that arrived; those after it need no long list again.
        let acks =
            if self.flush.packets == 0 { self.received.report(now) } else { self.received.short_report(now) };
        let (tick, quarter) = (self.ticking.tick() as u16, self.ticking.quarter(now, self.tick_interval));
        let header = DataHeader { sequence: sequence as u16, acks, tick, quarter };
        datagram.clear();
        let mut writer = BitWriter::append_to(std::mem::take(datagram));
        header.encode(self.side, self.security, &mut writer);

        let mut chosen = std::mem::take(&mut self.chosen);
        if may_send_entries {
            let room_bits = self.max_datagram * 8 - writer.bit_len();
            let left = self.choose(now, sequence, room_bits, freight, &mut chosen);
            self.choose_riders(now, left, &mut chosen);
        }
        self.write(&chosen, &mut writer);
        *datagram = writer.into_bytes();
        #[cfg(feature = "zstd")]
        self.shrink(datagram);
        seal(datagram, self.peer_token, self.security);

        self.sent.record(now, datagram.len(), chosen.iter().filter_map(cargo));
        self.allowance.spend(datagram.len());
        self.probes -= u32::from(may_send_entries && !has_window);
        self.flow.packets_sent.add(now, 1);
        self.flow.bytes_sent.add(now, datagram.len() as u64);
        for entry in chosen.drain(..) {
            if let Some(counters) = self.counters.get_mut(usize::from(entry.head.channel)) {
                counters.sent(now, entry.head.len);
            }
            if let Payload::Once(payload) | Payload::State(payload, _) = entry.payload {
                self.pool.give(payload);
            }
        }
        self.chosen = chosen;
        self.owes_ack = false;
        self.last_sent = now;
        self.flush.packets += 1;
        self.stats.packets_sent += 1;
        self.stats.bytes_sent += datagram.len() as u64;
        true
    }

    /// How many bytes of packets could go out now.
    pub(super) fn sendable_bytes(&mut self, now: Instant) -> usize {
        self.allowance.refill(now, self.rate.bytes_per_second(), self.max_datagram);
        let in_flight = self.sent.delivery().in_flight();
        // A probe goes out though the window is closed, and is to have something to carry.
        let probes = u64::from(self.probes) * self.max_datagram as u64;
        let window =
            self.rate.window(self.max_datagram).map_or(u64::MAX, |window| window.saturating_sub(in_flight));
        let window = window.max(probes);
        let packets = if self.flush.at == now { MAX_BURST - self.flush.packets } else { MAX_BURST };
        let burst = packets as usize * self.max_datagram;
        let window = usize::try_from(window).unwrap_or(usize::MAX / 2);
        // The last packet may overdraw: it goes out whole, or not at all.
        self.allowance.bytes().min(window).min(burst).next_multiple_of(self.max_datagram)
    }

    /// Queues the refusals of requests that were dropped or refused since the last time. What finds no room waits.
    fn send_refusals(&mut self) {
        while let Some((channel, refusal)) = self.requests.as_ref().and_then(Requests::next_refusal) {
            match self.send(channel, &refusal).map_err(|error| error.kind) {
                Err(SendErrorKind::QueueFull { .. }) => return,
                // Nothing but the queue stands against so few bytes, unless hardly any message may be sent at all.
                Ok(()) | Err(_) => self.requests.iter().for_each(Requests::refusal_is_sent),
            }
        }
    }

    /// Whether the path is not filled with what is under way already.
    fn has_window(&self) -> bool {
        self.rate.window(self.max_datagram).is_none_or(|window| self.sent.delivery().in_flight() < window)
    }

    /// Chooses entries for one packet until none fits, from the channel whose turn it is by weight: start-time fair
    /// queueing (Goyal, Vin, Cheng, *Start-time Fair Queueing*, SIGCOMM 1996). A channel that was silent begins at the
    /// present, so a small urgent message does not wait for a large transfer, and nobody saves turns up.
    fn choose(
        &mut self,
        now: Instant,
        packet: u64,
        mut room_bits: usize,
        freight: &mut impl Freight,
        chosen: &mut Vec<Chosen>,
    ) -> usize {
        let channels = self.protocol.channels();
        let channel_bits = channel_bits(channels);
        let mut previous = Previous::default();
        // At most 64 channels: the macro refuses more.
        let mut passed_over = 0_u64;
        while room_bits > EntryHead::LEAST_BITS {
            let freight_waits = freight.is_waiting();
            let has_more = |sender: &Sender| match sender {
                Sender::State(_) => freight_waits,
                sender => sender.peek(0).is_some(),
            };
            let waiting = self
                .senders
                .iter()
                .enumerate()
                .filter(|(channel, sender)| passed_over >> channel & 1 == 0 && has_more(sender));
            let start = |channel: usize| self.turns.start(channel);
            let Some((channel, start)) =
                waiting.map(|(channel, _)| (channel, start(channel))).min_by(|a, b| a.1.total_cmp(&b.1))
            else {
                break;
            };
            let (Some(sender), Some(spec)) = (self.senders.get_mut(channel), channels.get(channel)) else {
                break;
            };
            if let Sender::State(state) = sender {
                // Once in a packet: it fills what is left, or all that it has to say is said.
                passed_over |= 1 << channel;
                let head = EntryHead { channel: channel as u8, numbering: Numbering::None, len: 0 };
                // A byte for a length that turns out to be long, and one that the payload may fill in part.
                let Some(room) = room_bits.checked_sub(head.bits(previous, channel_bits) + 16) else {
                    continue;
                };
                let mut writer = BitWriter::append_to(self.pool.take());
                let is_loaded = freight.load(packet, room, &mut writer);
                let payload = writer.into_bytes();
                if !is_loaded {
                    self.pool.give(payload);
                    continue;
                }
                state.sent(packet, now);
                let head = EntryHead { len: payload.len(), ..head };
                let bits = head.bits(previous, channel_bits);
                self.turns.served(channel, start, bits as f64 / f64::from(spec.weight.max(1)));
                room_bits = room_bits.saturating_sub(bits);
                previous = head.as_previous();
                let place = chosen.partition_point(|entry| entry.head.channel <= head.channel);
                chosen.insert(place, Chosen { head, payload: Payload::State(payload, packet) });
                continue;
            }
            let Some(head) = sender.peek(channel as u8) else { break };
            let bits = head.bits(previous, channel_bits);
            if bits > room_bits {
                passed_over |= 1 << channel;
                continue;
            }
            let Some(payload) = sender.take(now) else { break };
            self.turns.served(channel, start, bits as f64 / f64::from(spec.weight.max(1)));
            room_bits -= bits;
            previous = head.as_previous();
            // Entries of one channel next to each other name it once, so in this order they take no more bits.
            let place = chosen.partition_point(|entry| entry.head.channel <= head.channel);
            chosen.insert(place, Chosen { head, payload });
        }
        room_bits
    }

    /// Whether the path loses packets, and something is under way that had better go out again now.
    fn has_riders(&self, now: Instant) -> bool {
        let Some(rides) = self.rides() else { return false };
        self.senders.iter().any(|sender| sender.peek_ride(0, now, rides).is_some())
    }

    /// Fills what room is left with small reliable messages that are under way, where the path loses packets: then a lost
    /// one arrives a tick later, and not a round trip. Nothing new waits for that, for it goes first.
    fn choose_riders(&mut self, now: Instant, mut room_bits: usize, chosen: &mut Vec<Chosen>) {
        let Some(rides) = self.rides() else { return };
        let channel_bits = channel_bits(self.protocol.channels());
        for (channel, sender) in self.senders.iter_mut().enumerate() {
            while let Some((number, head)) = sender.peek_ride(channel as u8, now, rides) {
                // The most that it takes, whatever the entry before it: another channel's, or one of a far number.
                let bits = head.bits(Previous::default(), channel_bits) + 2;
                if bits > room_bits {
                    break;
                }
                room_bits -= bits;
                let payload = sender.ride(number, now);
                let place = chosen.partition_point(|entry| entry.head.channel <= head.channel);
                chosen.insert(place, Chosen { head, payload });
            }
        }
    }

    /// How messages ride along: not at all where less than one packet in a hundred is lost, once where less than one in
    /// ten is, and otherwise twice.
    fn rides(&self) -> Option<Rides> {
        // Copies that go out together are lost together: a tick apart, and a little less for clocks that differ.
        let spacing = self.tick_interval * 9 / 10;
        match self.recent_loss {
            loss if loss < 0.01 => None,
            loss if loss < 0.1 => Some(Rides { most: 1, spacing }),
            _ => Some(Rides { most: 2, spacing }),
        }
    }

    fn write(&self, chosen: &[Chosen], writer: &mut BitWriter) {
        let channel_bits = channel_bits(self.protocol.channels());
        let mut previous = Previous::default();
        for (index, entry) in chosen.iter().enumerate() {
            entry.head.encode(&mut previous, channel_bits, index + 1 == chosen.len(), writer);
            match &entry.payload {
                Payload::Once(payload) | Payload::State(payload, _) => writer.write_bytes(payload),
                Payload::Kept(number) => {
                    let sender = self.senders.get(usize::from(entry.head.channel));
                    writer.write_bytes(sender.map_or(&[], |sender| sender.payload(*number)));
                }
            }
        }
    }
}

fn cargo(entry: &Chosen) -> Option<Cargo> {
    match entry.payload {
        Payload::Kept(number) | Payload::State(_, number) => {
            Some(Cargo { channel: entry.head.channel, number })
        }
        Payload::Once(_) => None,
    }
}
