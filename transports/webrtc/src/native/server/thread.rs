//! The thread of a socket: started, and ended with it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use bowline_core::{Entropy, SeededEntropy, SocketConfig};
use tokio::sync::{mpsc, oneshot};

use super::addrs::{candidates, is_public, resolve};
use super::driver::{Driver, Plain, Question, Shared, questions};
use super::signaling::{HttpServer, tls_acceptor};
use super::{ListenError, ServerSetup, Signaler, port};

/// The thread, and what leads to it. Ends when dropped.
pub(crate) struct Thread {
    shared: Arc<Shared>,
    questions: mpsc::Sender<Question>,
    signaling: SocketAddr,
    data: SocketAddr,
    /// Dropped to stop it.
    stop: Option<oneshot::Sender<()>>,
    handle: Option<JoinHandle<()>>,
}

impl Thread {
    /// Binds both ports and starts the thread.
    pub(crate) fn start(
        setup: &ServerSetup,
        config: &SocketConfig,
        plain: Option<Arc<Plain>>,
    ) -> Result<Self, ListenError> {
        let socket = bind_first("data", &setup.addrs.data, |address| port::bind(address, config))?;
        let listener = bind_first("signalling", &setup.addrs.signaling, port::listen)?;
        let local = |what, address: std::io::Result<SocketAddr>| {
            address.map_err(|source| ListenError::Engine(format!("{what} has no address: {source}")))
        };
        let data = local("the data port", socket.local_addr())?;
        let signaling = local("the signalling port", listener.local_addr())?;
        if plain.is_some() && is_public(data) && !config.allow_plaintext_on_public_address {
            return Err(ListenError::PlaintextOnPublicAddress { address: data });
        }
        let candidates = candidates(&setup.addrs.public, data)?;
        let tls = setup.tls.as_ref().map(|(chain, key)| tls_acceptor(chain, key)).transpose()?;
        let entropy = os_entropy().map_err(ListenError::Engine)?;
        tracing::info!(%signaling, %data, ?candidates, https = tls.is_some(), "WebRTC server listens");

        let shared = Arc::new(Shared::new(config, plain));
        let (ask, asked) = questions();
        let (stop, stopped) = oneshot::channel::<()>();
        let (ready, has_started) = std::sync::mpsc::channel();
        let limits = setup.limits;
        let website = setup.website.clone();
        let signaler = Signaler::new(ask.clone());
        let theirs = Arc::clone(&shared);
        let work = move || {
            // Whatever ends the thread, the game is told.
            let _told = Told(Arc::clone(&theirs));
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = match runtime {
                Ok(runtime) => runtime,
                Err(error) => return drop(ready.send(Err(error.to_string()))),
            };
            runtime.block_on(async move {
                let made = HttpServer::new(listener, website, tls, signaler).and_then(|http| {
                    Ok((http, Driver::new(socket, candidates, limits, entropy, asked, theirs)?))
                });
                let (http, driver) = match made {
                    Ok(made) => made,
                    Err(why) => return drop(ready.send(Err(why))),
                };
                let _ = ready.send(Ok(()));
                let http = tokio::spawn(http.run());
                driver.run(async { drop(stopped.await) }).await;
                http.abort();
            });
        };
        let handle = std::thread::Builder::new().name("bowline-webrtc".to_owned()).spawn(work);
        let handle = handle.map_err(|error| ListenError::Engine(error.to_string()))?;
        let thread = Self { shared, questions: ask, signaling, data, stop: Some(stop), handle: Some(handle) };
        match has_started.recv() {
            Ok(Ok(())) => Ok(thread),
            Ok(Err(why)) => Err(ListenError::Engine(why)),
            Err(_) => Err(ListenError::Engine("its thread has panicked".to_owned())),
        }
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(crate) const fn signaling_address(&self) -> SocketAddr {
        self.signaling
    }

    pub(crate) const fn data_address(&self) -> SocketAddr {
        self.data
    }

    pub(crate) fn signaler(&self) -> Signaler {
        Signaler::new(self.questions.clone())
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(handle) = self.handle.take() {
            // It ends at once: it waits for nothing but its next turn. Afterwards the ports are free.
            let _ = handle.join();
        }
    }
}

struct Told(Arc<Shared>);

impl Drop for Told {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!("the thread of a WebRTC server has panicked: the socket has ended");
        }
        self.0.end();
    }
}

/// The socket at the first of the addresses that can be bound.
fn bind_first<S>(
    what: &'static str,
    text: &str,
    bind: impl Fn(SocketAddr) -> std::io::Result<S>,
) -> Result<S, ListenError> {
    let mut failure = None;
    for address in resolve(what, text)? {
        match bind(address) {
            Ok(socket) => return Ok(socket),
            Err(source) => failure = Some(ListenError::System { what, address, source }),
        }
    }
    Err(failure.unwrap_or_else(|| ListenError::Engine(format!("no address for {what}"))))
}

/// Randomness that nobody can predict, for the names and passwords of ICE.
fn os_entropy() -> Result<impl Entropy + Send + 'static, String> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| error.to_string())?;
    Ok(SeededEntropy::from_seed(seed))
}
