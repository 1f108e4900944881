//! A packet's way in: looked at whole, then taken in whole or not at all.

use bowline_wire::{BitReader, BitWriter, DecodeError};

use super::{EntryHead, Intake, Link, Received, fate};
use crate::Instant;
use crate::acks::{Arrival, expand};
use crate::channels::{ENTRY_OVERHEAD, Surroundings};
use crate::connection::transition::reason_for;
use crate::connection::{Input, Phase, Transition, transition};
use crate::packet::{DataHeader, FromClient, FromServer, Numbering, PathProbe, Previous, Side, sealed_token};
use crate::protocol::Direction;
use crate::requests::Delivery;
use crate::ticks::TickTime;

/// An entry of a packet, and where its payload begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    head: EntryHead,
    at_bit: usize,
}

impl Link {
    /// A client's datagram of any kind, from the server's address.
    pub(super) fn take_in_from_server(&mut self, now: Instant, bytes: &[u8], reply: &mut Vec<u8>) {
        let packet = FromServer::decode(bytes, self.security);
        let sealed =
            || sealed_token(bytes, self.security).is_some_and(|t| self.local_token.matches(t, self.security));
        let input = match &packet {
            Ok(FromServer::Data) if sealed() => Input::Data,
            Ok(FromServer::Goodbye(_)) if sealed() => Input::Goodbye,
            Ok(FromServer::PathChallenge(probe)) if probe.token == self.local_token => Input::PathChallenge,
            Ok(FromServer::Challenge(_)) => Input::Challenge,
            Ok(FromServer::Accepted(_)) => Input::Accepted,
            Ok(FromServer::Refused(_)) => Input::Refused,
            Ok(_) | Err(_) => Input::Noise,
        };
        if transition(Phase::Connected, input) == Transition::Ignore {
            self.stats.malformed += u64::from(input == Input::Noise);
            self.stats.packets_duplicate += u64::from(input != Input::Noise);
            return;
        }
        match packet {
            Ok(FromServer::Data) => {
                self.take_in(now, bytes);
            }
            Ok(FromServer::Goodbye(goodbye)) => self.happened(Input::Goodbye, goodbye.farewell.heard()),
            Ok(FromServer::PathChallenge(probe)) => {
                let mut writer = BitWriter::append_to(std::mem::take(reply));
                let answer = PathProbe { token: self.peer_token, data: probe.data };
                FromClient::PathResponse(answer).encode(self.security, &mut writer);
                *reply = writer.into_bytes();
            }
            _ => {}
        }
    }

    /// A data packet whose token is this session's.
    pub(super) fn take_in(&mut self, now: Instant, bytes: &[u8]) -> Intake {
        #[cfg(feature = "zstd")]
        if bytes.first().is_some_and(|first| crate::packet::is_compressed(*first)) {
            return self.take_in_compressed(now, bytes);
        }
        self.take_in_plain(now, bytes, bytes.len())
    }

    /// A data packet that is not compressed, or is no longer: it came in so many bytes.
    pub(super) fn take_in_plain(&mut self, now: Instant, bytes: &[u8], came_in: usize) -> Intake {
        let mut reader = BitReader::new(bytes);
        let Ok(header) = DataHeader::decode(self.side, self.security, &mut reader) else {
            self.stats.malformed += 1;
            return Intake::Dropped;
        };
        let Arrival::New(number) = self.received.classify(header.sequence) else {
            self.stats.packets_duplicate += 1;
            return Intake::Dropped;
        };
        let is_newest = number > self.received.newest();
        let mut entries = std::mem::take(&mut self.entries);
        entries.clear();
        let intake = if self.read_entries(bytes.len() * 8, &mut reader, &mut entries).is_err() {
            self.stats.malformed += 1;
            Intake::Dropped
        } else if !self.has_memory_for(&entries) {
            // It comes again, and until then it tells that the peer is there.
            self.last_heard = now;
            self.stats.packets_refused += 1;
            Intake::Dropped
        } else {
            #[cfg(feature = "zstd")]
            self.record(bytes);
            self.flow.bytes_received.add(now, came_in as u64);
            self.stats.bytes_received += came_in as u64;
            self.commit(now, number, &header, bytes, &entries);
            if is_newest { Intake::Newest } else { Intake::Late }
        };
        self.entries = entries;
        intake
    }

    fn read_entries(
        &self,
        total_bits: usize,
        reader: &mut BitReader<'_>,
        entries: &mut Vec<Entry>,
    ) -> Result<(), DecodeError> {
        let channels = self.protocol.channels();
        let mut previous = Previous::default();
        if reader.remaining_bits() == 0 {
            return Ok(());
        }
        loop {
            let (is_last, head) = EntryHead::decode(&mut previous, channels, reader)?;
            let direction = channels.get(usize::from(head.channel)).map(|channel| channel.direction);
            let allowed = match self.side {
                Side::Server => direction != Some(Direction::ToClient) && head.numbering != Numbering::Report,
                Side::Client => direction != Some(Direction::ToServer) || head.numbering == Numbering::Report,
            };
            if !allowed {
                return Err(DecodeError::UnknownVariant);
            }
            entries.push(Entry { head, at_bit: total_bits - reader.remaining_bits() });
            reader.skip_bits(head.len * 8)?;
            if is_last {
                return reader.clone().finish();
            }
        }
    }

    /// Whether there is room for what has to be kept. What can be delivered or joined at once always has some, so
    /// that a full memory cannot keep out the very entry that would empty it.
    fn has_memory_for(&self, entries: &[Entry]) -> bool {
        let kept = |entry: &&Entry| {
            let receiver = self.receivers.get(usize::from(entry.head.channel));
            receiver.is_some_and(|receiver| receiver.must_hold(entry.head.numbering))
        };
        let cost = |entry: &Entry| entry.head.len + ENTRY_OVERHEAD;
        let kept: usize = entries.iter().filter(kept).map(cost).sum();
        let all: usize = entries.iter().map(cost).sum();
        let limit = self.config.receive_memory;
        (kept == 0 || self.held_bytes() + kept <= limit) && (all == 0 || self.unread_bytes + all <= limit)
    }

    fn commit(&mut self, now: Instant, number: u64, header: &DataHeader, bytes: &[u8], entries: &[Entry]) {
        self.last_heard = now;
        let numbered = number.saturating_sub(self.received.newest());
        self.received.insert(number, now);
        self.flow.packets_numbered.add(now, numbered);
        self.flow.packets_received.add(now, 1);
        self.stats.packets_received += 1;
        // A heartbeat is answered by the one that would be due soon: then the path is measured while nobody speaks.
        let own_is_near = now - self.last_sent >= self.heartbeat_interval() * 3 / 4;
        self.owes_ack |= !entries.is_empty() || own_is_near;
        let sent_in = self.hear_tick(now, header);
        self.hear_acks(now, header);

        let around = Surroundings {
            now,
            max_message_size: self.config.max_message_size,
            sent_in,
            ticking: self.ticking,
            tick_interval: self.tick_interval,
        };
        for entry in entries {
            let channel = usize::from(entry.head.channel);
            let payload = self.read_payload(bytes, entry);
            let Some(receiver) = self.receivers.get_mut(channel) else { continue };
            let (delivered, stats, unread) = (&mut self.delivered, &mut self.stats, &mut self.unread_bytes);
            let mut counters = self.counters.get_mut(channel);
            let spec = self.protocol.channels().get(channel).filter(|spec| spec.carries_requests());
            let mut requests = self.requests.as_mut().zip(spec);
            let mut deliver = |bytes: Vec<u8>| {
                stats.messages_received += 1;
                if let Some(counters) = &mut counters {
                    counters.received(now, bytes.len());
                }
                let (bytes, responder) = match &mut requests {
                    None => (bytes, None),
                    Some((requests, spec)) => match requests.take_in((channel, spec.name), bytes) {
                        Delivery::Message(bytes) => (bytes, None),
                        Delivery::Request(bytes, responder) => (bytes, Some(responder)),
                        Delivery::Nothing => return,
                    },
                };
                *unread += bytes.len() + ENTRY_OVERHEAD;
                delivered.push_back(Received { channel, bytes, packet: number, sent_in, responder });
            };
            let outcome =
                receiver.accept(entry.head.numbering, payload, &around, &mut self.pool, &mut deliver);
            if outcome.is_err() {
                self.stats.malformed += 1;
                self.happened(Input::Violation, reason_for(Input::Violation));
                return;
            }
        }
    }

    fn read_payload(&mut self, bytes: &[u8], entry: &Entry) -> Vec<u8> {
        let mut payload = self.pool.take();
        payload.resize(entry.head.len, 0);
        let mut reader = BitReader::new(bytes);
        let read = reader.skip_bits(entry.at_bit).and_then(|()| reader.read_bytes(&mut payload));
        debug_assert!(read.is_ok(), "the entry was read before");
        payload
    }

    /// The tick that a packet is stamped with. A client learns the server's time from it.
    fn hear_tick(&mut self, now: Instant, header: &DataHeader) -> u64 {
        // Ticks travel with 16 bits: the nearest to the newest known is meant, or to our own, where that is the server's.
        let near = match self.side {
            Side::Server => self.ticking.tick(),
            Side::Client => self.peer_tick,
        };
        let tick = expand(header.tick, near).unwrap_or(near);
        self.peer_tick = self.peer_tick.max(tick);
        if self.side == Side::Client {
            let into = self.tick_interval * u32::from(header.quarter) / 4;
            self.peer_clock.heard(now, TickTime::unwrapped(tick, self.tick_interval) + into);
        }
        tick
    }

    /// Keeps the share of the last hundred packets or so that was lost.
    pub(super) fn see_losses(&mut self, acked: u32, lost: u32) {
        const WEIGHT: f64 = 1.0 / 64.0;
        for _ in 0..acked {
            self.recent_loss -= self.recent_loss * WEIGHT;
        }
        for _ in 0..lost {
            self.recent_loss += (1.0 - self.recent_loss) * WEIGHT;
        }
    }

    fn hear_acks(&mut self, now: Instant, header: &DataHeader) {
        if !self.sent.knows(&header.acks) {
            return;
        }
        let loss_delay = self.round_trip.loss_delay();
        let least = self.round_trip.least().unwrap_or_default();
        let fate = fate(&mut self.senders, &mut self.pool);
        let summary = self.sent.acknowledge(now, &header.acks, loss_delay, least, fate);
        self.stats.packets_acked += u64::from(summary.acked);
        self.stats.packets_lost += u64::from(summary.lost);
        self.see_losses(summary.acked, summary.lost);
        if summary.acked > 0 {
            self.silent_timeouts = 0;
            self.probes = 0;
        }
        // An acknowledgement held back for longer than the header can say measures nothing.
        let sayable = header.acks.held_back.as_millis() < 255;
        if let Some(round_trip) = summary.round_trip.filter(|_| sayable) {
            self.round_trip.sample(round_trip, header.acks.held_back);
            let latest = self.round_trip.latest().unwrap_or_default();
            self.peer_clock.measured(now, latest);
            self.round_trips.record(latest);
        }
        if let Some(sample) = summary.rate {
            let (delivered, in_flight) = (self.sent.delivery().delivered(), self.sent.delivery().in_flight());
            self.rate.acknowledged(now, sample, self.round_trip.latest(), delivered, in_flight);
        }
    }
}
