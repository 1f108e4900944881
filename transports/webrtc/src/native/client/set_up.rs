//! From an offer to an open channel.

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bowline_core::SocketConfig;
use rtc::ice::mdns::MulticastDnsMode;
use rtc::peer_connection::configuration::setting_engine::SctpMaxMessageSize;
use tokio::sync::watch;
use webrtc::data_channel::{DataChannel, DataChannelEvent, RTCDataChannelInit};
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCConfigurationBuilder,
    RTCIceConnectionState, RTCIceServer, RTCPeerConnectionState, RTCSessionDescription, SettingEngineBuilder,
};

use super::HttpSignaling;
use super::engine::Engine;
use super::hint;
use super::network::{self, Network};
use crate::data_channel::{LABEL, MAX_RETRANSMITS, STREAM};
use crate::{Destination, Error, MAX_DATAGRAM, Offer, Signaling, SignalingError};

/// How long the whole of it may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// How much the data channel holds at most of what the network has not taken or lost yet, in bytes: 15 full datagrams, so
/// that a player with 100 ms of round trip can send 150 a second.
pub(super) const MAX_BUFFERED: usize = 16 << 10;

/// How often each address of the server is asked whether it is there. Two answers make a path.
const CHECK_INTERVAL: Duration = Duration::from_millis(10);

/// How often at most: for all of [`DEADLINE`]. Left to itself, `webrtc` stops asking after seven, and a server that lets
/// nothing through for a moment would not be found.
const MAX_CHECKS: u16 = 1_000;

/// How long nothing may be heard of a server before it has gone (RFC 7675 section 5.1). Sessions have a shorter time of
/// their own; this is for what has none.
const SILENCE: Duration = Duration::from_secs(30);

/// How often an idle connection is shown to be there, to the server and to whatever translates addresses between.
const KEEP_ALIVE: Duration = Duration::from_secs(2);

/// Where to go and how: what all sessions of a socket have in common.
pub(super) struct Plan {
    destination: Destination,
    http: Option<HttpSignaling>,
    config: SocketConfig,
    deadline: Duration,
    silence: Duration,
}

impl Plan {
    /// # Errors
    /// Where the offer is to go by HTTP, and the address is no URL.
    pub(super) fn new(destination: Destination, config: SocketConfig) -> Result<Self, SignalingError> {
        let http = match destination.signaling {
            Some(_) => None,
            None => Some(HttpSignaling::new(&destination.url, &destination.endpoint())?),
        };
        Ok(Self { destination, http, config, deadline: DEADLINE, silence: SILENCE })
    }

    #[cfg(test)]
    pub(super) fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    #[cfg(test)]
    pub(super) fn with_silence(mut self, silence: Duration) -> Self {
        self.silence = silence;
        self
    }

    pub(super) fn destination(&self) -> &Destination {
        &self.destination
    }

    pub(super) fn deadline(&self) -> Duration {
        self.deadline
    }

    async fn exchange(&self, sdp: String) -> Result<String, SignalingError> {
        let mut offer = Offer::new(sdp);
        offer.authorization.clone_from(&self.destination.authorization);
        let answer = match (&self.destination.signaling, &self.http) {
            (Some(signaling), _) => signaling.exchange(offer).await?,
            (None, Some(http)) => http.exchange(offer).await?,
            (None, None) => return Err(SignalingError::Other("there is no signalling".to_owned())),
        };
        Ok(answer.sdp)
    }

    fn ice_servers(&self) -> Vec<RTCIceServer> {
        let servers = self.destination.ice_servers.iter();
        servers
            .map(|server| RTCIceServer {
                urls: vec![server.url.clone()],
                username: server.username.clone(),
                credential: server.credential.clone(),
            })
            .collect()
    }
}

/// A connection of `webrtc`'s and its one channel. Dropped, it is closed: `webrtc` itself would keep its task and its
/// sockets for ever.
pub(super) struct Peer {
    connection: Arc<dyn PeerConnection>,
    progress: watch::Receiver<Milestone>,
    engine: Arc<Engine>,
    /// Whether the sockets hurry `webrtc`.
    eager: Arc<AtomicBool>,
}

impl Peer {
    /// Binds sockets, and asks nobody for anything. It is not to be cancelled, so that there is no moment at which a
    /// connection has begun and nobody closes it.
    ///
    /// # Errors
    /// [`Error::Broken`], where there are no sockets.
    pub(super) async fn new(plan: &Plan, engine: Arc<Engine>) -> Result<Self, Error> {
        let (reached, progress) = watch::channel(Milestone::None);
        let eager = Arc::new(AtomicBool::new(true));
        let settings = SettingEngineBuilder::new()
            // It would cost a socket, and no server of ours hides its address behind a name.
            .with_multicast_dns_mode(MulticastDnsMode::Disabled)
            .with_ice_connection_attempts(Some(CHECK_INTERVAL), Some(MAX_CHECKS))
            .with_ice_timeouts(Some(plan.silence / 6), Some(plan.silence * 5 / 6), Some(KEEP_ALIVE))
            // A buffer of that size is held; left to itself, 64 KiB.
            .with_sctp_max_message_size(SctpMaxMessageSize::Bounded(MAX_DATAGRAM as u32))
            .build();
        let configuration = RTCConfigurationBuilder::default().with_ice_servers(plan.ice_servers()).build();
        let connection = PeerConnectionBuilder::new()
            .with_configuration(configuration)
            .with_setting_engine(settings)
            .with_runtime(Arc::new(Network::new(&plan.config, eager.clone())))
            .with_handler(Arc::new(Watcher { reached }))
            .with_udp_addrs(network::nominal_addresses())
            .with_data_channel_send_buffer_limit(MAX_BUFFERED)
            .build()
            .await
            .map_err(broken)?;
        Ok(Self { connection: Arc::new(connection), progress, engine, eager })
    }

    /// Makes the offer, brings it to the server, and waits until the channel is open.
    ///
    /// # Errors
    /// Whatever keeps it from opening, except that it takes too long: see [`Stage::timed_out`].
    pub(super) async fn set_up(&mut self, plan: &Plan, stage: &Stage) -> Result<Arc<dyn DataChannel>, Error> {
        let init = RTCDataChannelInit {
            ordered: false,
            max_retransmits: Some(MAX_RETRANSMITS),
            negotiated: Some(STREAM),
            ..RTCDataChannelInit::default()
        };
        let channel = self.connection.create_data_channel(LABEL, Some(init)).await.map_err(broken)?;
        let offer = self.connection.create_offer(None).await.map_err(broken)?;
        let sdp = offer.sdp.clone();
        self.connection.set_local_description(offer).await.map_err(broken)?;

        // Without candidates, and therefore without waiting for them: the server is found and never looks for anybody
        // (ICE-lite, RFC 8445 section 2.5).
        stage.enter(Stage::SIGNALING);
        let answer = plan.exchange(sdp).await?;

        stage.enter(Stage::ICE);
        let (candidates, answer) = hint::candidates(&answer);
        stage.candidates(&candidates);
        if candidates.is_empty() {
            return Err(stage.no_path());
        }
        let not_ours = |error: webrtc::error::Error| SignalingError::NotOurs {
            url: plan.destination.endpoint(),
            why: format!("its answer is no session description: {error}"),
        };
        let answer = RTCSessionDescription::answer(answer).map_err(not_ours)?;
        self.connection.set_remote_description(answer).await.map_err(not_ours)?;
        self.until_open(&channel, stage).await?;
        self.eager.store(false, Ordering::Relaxed);
        Ok(channel)
    }

    async fn until_open(&mut self, channel: &Arc<dyn DataChannel>, stage: &Stage) -> Result<(), Error> {
        loop {
            tokio::select! {
                event = channel.poll() => match event {
                    Some(DataChannelEvent::OnOpen) => return Ok(()),
                    Some(DataChannelEvent::OnClose) | None => return Err(stage.failed()),
                    Some(_) => {}
                },
                changed = self.progress.changed() => match *self.progress.borrow_and_update() {
                    _ if changed.is_err() => return Err(stage.failed()),
                    Milestone::None => {}
                    Milestone::Path => stage.enter(Stage::DTLS),
                    Milestone::Encrypted => stage.enter(Stage::CHANNEL),
                    Milestone::Failed => return Err(stage.failed()),
                },
            }
        }
    }

    /// Until the connection has failed beneath an open channel.
    pub(super) async fn until_failed(&mut self) {
        // An error means that the connection has gone.
        let _ = self.progress.wait_for(|milestone| *milestone == Milestone::Failed).await;
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let connection = self.connection.clone();
        self.engine.spawn(async move {
            if let Err(error) = connection.close().await {
                tracing::debug!(%error, "a connection could not be closed");
            }
        });
    }
}

/// How far the set-up has come, for whoever has to say where it ended.
#[derive(Debug, Default)]
pub(super) struct Stage {
    at: AtomicU8,
    tried: OnceLock<(String, &'static str)>,
}

impl Stage {
    const SIGNALING: u8 = 1;
    const ICE: u8 = 2;
    const DTLS: u8 = 3;
    const CHANNEL: u8 = 4;

    fn enter(&self, stage: u8) {
        self.at.fetch_max(stage, Ordering::Relaxed);
    }

    fn candidates(&self, candidates: &[SocketAddr]) {
        let _ = self.tried.set((hint::list(candidates), hint::hint(candidates)));
    }

    fn no_path(&self) -> Error {
        let (tried, hint) = self.tried.get().cloned().unwrap_or_default();
        Error::IceFailed { tried, hint }
    }

    /// The engine has given up.
    fn failed(&self) -> Error {
        match self.at.load(Ordering::Relaxed) {
            Self::DTLS => Error::DtlsFailed { why: "the handshake was broken off".to_owned() },
            Self::CHANNEL => Error::ChannelClosed,
            _ => self.no_path(),
        }
    }

    /// The deadline has come.
    pub(super) fn timed_out(&self, deadline: Duration) -> Error {
        let stage = match self.at.load(Ordering::Relaxed) {
            Self::SIGNALING => "waiting for the server's answer",
            Self::ICE => return self.no_path(),
            // `webrtc` tells nobody that a handshake has failed.
            Self::DTLS => {
                let why = "the server does not finish the handshake, or its certificate is another than it has named";
                return Error::DtlsFailed { why: why.to_owned() };
            }
            Self::CHANNEL => "opening the data channel",
            _ => "making the offer",
        };
        Error::SetupTimedOut { seconds: deadline.as_secs(), stage }
    }
}

/// What the engine has reached, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Milestone {
    None,
    Path,
    Encrypted,
    Failed,
}

/// Hears the engine's events, on the engine's own task: it must not wait.
struct Watcher {
    reached: watch::Sender<Milestone>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Watcher {
    async fn on_ice_connection_state_change(&self, state: RTCIceConnectionState) {
        match state {
            RTCIceConnectionState::Connected | RTCIceConnectionState::Completed => {
                self.reached.send_if_modified(|milestone| {
                    let first = *milestone == Milestone::None;
                    if first {
                        *milestone = Milestone::Path;
                    }
                    first
                });
            }
            RTCIceConnectionState::Failed => {
                self.reached.send_replace(Milestone::Failed);
            }
            _ => {}
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        match state {
            RTCPeerConnectionState::Connected => {
                self.reached.send_replace(Milestone::Encrypted);
            }
            RTCPeerConnectionState::Failed | RTCPeerConnectionState::Closed => {
                self.reached.send_replace(Milestone::Failed);
            }
            _ => {}
        }
    }
}

/// What `webrtc` refuses before anything has left the machine.
fn broken(error: webrtc::error::Error) -> Error {
    Error::Broken { why: error.to_string() }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan").field("destination", &self.destination).finish_non_exhaustive()
    }
}
