//! One peer: its `str0m` instance, and what comes out of it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use str0m::change::SdpOffer;
use str0m::channel::{ChannelConfig, ChannelId, Reliability};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, IceConnectionState, IceCreds, Input, Output, Rtc, RtcConfig};

use super::OfferError;
use super::alarms::Alarm;
use super::demux::{Kind, Path};
use super::flow::{Flow, UNDER_WAY};
use crate::PeerAddress;
use crate::data_channel::{LABEL, MAX_RETRANSMITS, STREAM};

/// What a peer's engine wants done.
pub(crate) trait Sink {
    /// A datagram for the network.
    fn transmit(&mut self, to: SocketAddr, datagram: &[u8]);
    /// A message of the peer.
    fn message(&mut self, from: PeerAddress, message: &[u8]);
    /// Its channel is open.
    fn opened(&mut self, peer: PeerAddress);
}

/// A peer, from its offer to its end.
pub(crate) struct Peer {
    rtc: Rtc,
    number: u64,
    /// Its one channel, from the start; and its address, from when that is open.
    channel: ChannelId,
    address: Option<PeerAddress>,
    /// Where it sends from, as the demultiplexer knows it.
    pub(crate) paths: Vec<Path>,
    /// Datagrams that its engine was given and was not asked about yet.
    fed: u32,
    pub(crate) alarm: Alarm,
    /// If it is not open by then, it is gone; if nothing was heard of it by then, too.
    pub(crate) expires: Instant,
    flow: Flow,
    /// What the channel has no room for, and since when: the newest, in order.
    waiting: VecDeque<(Instant, Vec<u8>)>,
    has_ended: bool,
    /// What of it the game has not taken yet, and since when that is counted.
    pub(crate) unread: (u64, usize),
}

/// Datagrams that wait for room in a channel: as many as a connection sends at one moment. One more, and the oldest goes.
pub(crate) const MAX_WAITING: usize = 64;

/// What has waited for longer is out of date: it is lost, and the connection makes something newer of it.
const MAX_WAIT: Duration = Duration::from_millis(200);

/// The engine of a peer holds some 30 datagrams that it was not asked about.
const MAX_FED: u32 = 8;

/// A path by which nothing came for so long is given up for one by which something did. What is alive says something once a
/// second.
const STALE: Duration = Duration::from_secs(3);

/// What an engine allows for SCTP in a datagram: 1,100 bytes of ours, 28 of SCTP and 37 of DTLS, and room for an
/// acknowledgement beside them.
const MTU: std::ops::RangeInclusive<usize> = 1_190..=1_280;

/// What the engines of all peers have in common.
pub(crate) fn config() -> Result<RtcConfig, String> {
    let provider = str0m::crypto::from_feature_flags();
    let certificate = provider.dtls_provider.generate_certificate();
    let certificate = certificate.ok_or("no certificate could be made")?;
    Ok(RtcConfig::new()
        .set_crypto_provider(provider.into())
        .set_dtls_cert(certificate)
        .set_ice_lite(true)
        .clear_codecs()
        .set_mtu(MTU)
        .set_sctp_max_buffered_amount(*UNDER_WAY.end())
        // Nobody sends more than a datagram at once.
        .set_sctp_max_message_size(2_048))
}

impl Peer {
    /// A peer of this offer, and the answer.
    pub(crate) fn answer(
        config: RtcConfig,
        number: u64,
        credentials: IceCreds,
        candidates: &[SocketAddr],
        offer: &str,
        now: Instant,
        expires: Instant,
    ) -> Result<(Self, String), OfferError> {
        let offer =
            SdpOffer::from_sdp_string(offer).map_err(|error| OfferError::Malformed(error.to_string()))?;
        let made = catch_unwind(AssertUnwindSafe(|| {
            let mut rtc = config.set_local_ice_credentials(credentials).build(now);
            for candidate in candidates {
                let candidate = Candidate::host(*candidate, Protocol::Udp)
                    .map_err(|error| OfferError::Engine(error.to_string()))?;
                rtc.add_local_candidate(candidate);
            }
            let answer = rtc.sdp_api().accept_offer(offer);
            let answer = answer.map_err(|error| OfferError::Malformed(error.to_string()))?;
            let channel = rtc.direct_api().create_data_channel(ChannelConfig {
                label: LABEL.to_owned(),
                ordered: false,
                reliability: Reliability::MaxRetransmits { retransmits: MAX_RETRANSMITS },
                negotiated: Some(STREAM),
                protocol: String::new(),
            });
            Ok((rtc, channel, answer.to_sdp_string()))
        }));
        let (rtc, channel, answer) =
            made.unwrap_or_else(|_| Err(OfferError::Engine("it panicked at this offer".to_owned())))?;
        let peer = Self {
            rtc,
            number,
            channel,
            address: None,
            paths: Vec::new(),
            fed: 0,
            alarm: Alarm::default(),
            expires,
            flow: Flow::new(now),
            waiting: VecDeque::new(),
            has_ended: false,
            unread: (0, 0),
        };
        Ok((peer, answer))
    }

    pub(crate) const fn number(&self) -> u64 {
        self.number
    }

    pub(crate) const fn address(&self) -> Option<PeerAddress> {
        self.address
    }

    pub(crate) const fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Takes in a datagram that may be this peer's. `false` if it is not, and nothing has changed.
    pub(crate) fn handle_datagram(
        &mut self,
        now: Instant,
        from: SocketAddr,
        to: SocketAddr,
        datagram: &[u8],
    ) -> bool {
        let Ok(received) = Receive::new(Protocol::Udp, from, to, datagram) else { return false };
        let input = Input::Receive(now, received);
        self.guarded(|rtc| rtc.accepts(&input) && rtc.handle_input(input).is_ok()).unwrap_or(false)
    }

    /// A datagram that its engine took came from here.
    pub(crate) fn was_heard_at(&mut self, now: Instant, from: SocketAddr) {
        self.fed += 1;
        if let Some(path) = self.paths.iter_mut().find(|path| path.address == from) {
            path.heard = Some(now);
        }
    }

    /// Whether its engine should be asked before it is given more: it holds a few datagrams and refuses the rest.
    pub(crate) const fn is_full(&self) -> bool {
        self.fed >= MAX_FED
    }

    /// Where to send what the engine wants sent to `chosen`. A client whose NAT gives it another address goes on with its
    /// checks from there and, to its own mind, has not moved: it does not nominate the path again. So what was chosen
    /// counts for as long as something comes from there.
    fn destination(&self, now: Instant, chosen: SocketAddr) -> SocketAddr {
        let is_fresh =
            |path: &&Path| path.heard.is_some_and(|heard| now.saturating_duration_since(heard) < STALE);
        let is_known = self.paths.iter().any(|path| path.address == chosen);
        if !is_known || self.paths.iter().filter(is_fresh).any(|path| path.address == chosen) {
            return chosen;
        }
        let freshest = self.paths.iter().filter(is_fresh).max_by_key(|path| path.heard);
        freshest.map_or(chosen, |path| path.address)
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        let handled = self.guarded(|rtc| rtc.handle_input(Input::Timeout(now)).is_ok());
        self.has_ended |= handled != Some(true);
    }

    /// Sends a datagram, or has it wait until there is room. How many older ones went for it.
    pub(crate) fn send(&mut self, now: Instant, datagram: &[u8], spare: &mut Vec<Vec<u8>>) -> u64 {
        if self.address.is_none() {
            return 1;
        }
        if self.waiting.is_empty() && self.write(now, datagram) {
            return 0;
        }
        let mut dropped = 0;
        while self.waiting.len() >= MAX_WAITING {
            spare.extend(self.waiting.pop_front().map(|(_, oldest)| oldest));
            dropped += 1;
        }
        let mut buffer = spare.pop().unwrap_or_default();
        buffer.clear();
        buffer.extend_from_slice(datagram);
        self.waiting.push_back((now, buffer));
        dropped
    }

    /// Hands what comes out of the engine to `sink`, until there is nothing more; when it wants to be called again, and how many
    /// datagrams had waited for too long.
    pub(crate) fn drain(
        &mut self,
        now: Instant,
        sink: &mut impl Sink,
        spare: &mut Vec<Vec<u8>>,
    ) -> (Option<Instant>, u64) {
        self.fed = 0;
        let mut dropped = self.forget_old(now, spare);
        loop {
            let output = match self.guarded(|rtc| rtc.poll_output().ok()).flatten() {
                Some(output) => output,
                None => {
                    self.has_ended = true;
                    return (None, dropped);
                }
            };
            match output {
                Output::Timeout(at) => {
                    if self.write_waiting(now, spare) {
                        continue;
                    }
                    self.has_ended |= !self.rtc.is_alive();
                    if self.has_ended {
                        dropped += self.waiting.len() as u64;
                        self.waiting.clear();
                    }
                    // So that what waits is written, or forgotten, in time.
                    let due = self.waiting.front().map(|(since, _)| *since + MAX_WAIT);
                    return (Some(due.map_or(at, |due| due.min(at))), dropped);
                }
                Output::Transmit(transmit) => {
                    let is_check = Kind::of(&transmit.contents) == Kind::Stun;
                    let to = transmit.destination;
                    let to = if is_check { to } else { self.destination(now, to) };
                    sink.transmit(to, &transmit.contents);
                }
                Output::Event(event) => self.happened(event, sink),
            }
        }
    }

    /// Says goodbye to it: the datagrams that are to be sent come out of [`drain`](Self::drain).
    pub(crate) fn close(&mut self) {
        self.waiting.clear();
        let _ = self.guarded(|rtc| rtc.close().is_ok());
    }

    fn happened(&mut self, event: Event, sink: &mut impl Sink) {
        match event {
            Event::ChannelOpen(channel, _) if channel == self.channel => {
                let Some(path) = self.paths.iter().max_by_key(|path| path.heard) else { return };
                let address = PeerAddress::of_peer(self.number, path.address);
                self.address = Some(address);
                sink.opened(address);
            }
            Event::ChannelData(data) if data.id == self.channel => {
                if let Some(address) = self.address {
                    sink.message(address, &data.data);
                }
            }
            Event::ChannelClose(channel) => self.has_ended |= channel == self.channel,
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) => self.has_ended = true,
            _ => {}
        }
    }

    /// Drops what has waited for too long; how many that were.
    fn forget_old(&mut self, now: Instant, spare: &mut Vec<Vec<u8>>) -> u64 {
        let mut dropped = 0;
        while self.waiting.front().is_some_and(|(since, _)| now.saturating_duration_since(*since) >= MAX_WAIT)
        {
            spare.extend(self.waiting.pop_front().map(|(_, oldest)| oldest));
            dropped += 1;
        }
        dropped
    }

    /// Writes what waits, as far as there is room; whether anything was written.
    fn write_waiting(&mut self, now: Instant, spare: &mut Vec<Vec<u8>>) -> bool {
        let mut has_written = false;
        while let Some((since, datagram)) = self.waiting.pop_front() {
            if !self.write(now, &datagram) {
                self.waiting.push_front((since, datagram));
                break;
            }
            spare.push(datagram);
            has_written = true;
        }
        has_written
    }

    fn write(&mut self, now: Instant, datagram: &[u8]) -> bool {
        let (channel, mut flow) = (self.channel, self.flow);
        let written = self.guarded(|rtc| {
            let Some(mut channel) = rtc.channel(channel) else { return false };
            let under_way = channel.buffered_amount();
            under_way + datagram.len() <= flow.allows(now, under_way)
                && matches!(channel.write(true, datagram), Ok(true))
        });
        let written = written.unwrap_or(false);
        if written {
            flow.wrote(now, datagram.len());
        }
        self.flow = flow;
        written
    }

    /// A fault in the engine is the end of one peer, not of all.
    fn guarded<R>(&mut self, call: impl FnOnce(&mut Rtc) -> R) -> Option<R> {
        if self.has_ended {
            return None;
        }
        let result = catch_unwind(AssertUnwindSafe(|| call(&mut self.rtc))).ok();
        if result.is_none() {
            tracing::error!(
                peer = self.number,
                "the engine of a WebRTC peer has panicked; the peer is dropped"
            );
            self.has_ended = true;
        }
        result
    }
}
