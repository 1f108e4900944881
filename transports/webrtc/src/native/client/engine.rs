//! One thread for all client sockets of a process, with a runtime of its own: what the caller runs on is no matter.

use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::sync::Notify;

/// The running engine, while somebody holds it.
static ENGINE: Mutex<Weak<Engine>> = Mutex::new(Weak::new());

/// How many threads look up names at a time; each ends a second after its last.
const MAX_LOOKUPS: usize = 4;

/// The thread and its runtime. It is held by every task on it, and ends when the last of them has.
#[derive(Debug)]
pub(super) struct Engine {
    runtime: Handle,
    stop: Arc<Notify>,
    /// Plain HTTP clients, one for servers on this machine and one for all others: making one is costly.
    clients: [OnceLock<reqwest::Client>; 2],
}

impl Engine {
    /// The engine of this process; starts it if none is running.
    ///
    /// # Errors
    /// Where the system has no thread, or no more files, for it.
    pub(super) fn get() -> io::Result<Arc<Self>> {
        let mut running = ENGINE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(engine) = running.upgrade() {
            return Ok(engine);
        }
        let runtime = Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(MAX_LOOKUPS)
            .thread_keep_alive(Duration::from_secs(1))
            .build()?;
        let stop = Arc::new(Notify::new());
        let engine = Arc::new(Self {
            runtime: runtime.handle().clone(),
            stop: stop.clone(),
            clients: Default::default(),
        });
        std::thread::Builder::new().name("bowline-webrtc".to_owned()).spawn(move || {
            runtime.block_on(stop.notified());
            // A name that is being looked up is not waited for.
            runtime.shutdown_background();
        })?;
        *running = Arc::downgrade(&engine);
        Ok(engine)
    }

    /// Runs a task on the engine's thread. The engine lives at least as long.
    pub(super) fn spawn(self: &Arc<Self>, task: impl Future<Output = ()> + Send + 'static) {
        let engine = self.clone();
        self.runtime.spawn(async move {
            task.await;
            drop(engine);
        });
    }

    /// The HTTP client for servers on this machine, or for others; made by `make` if it is the first time.
    pub(super) fn http(
        &self,
        loopback: bool,
        make: impl FnOnce() -> reqwest::Result<reqwest::Client>,
    ) -> reqwest::Result<reqwest::Client> {
        let [local, remote] = &self.clients;
        let slot = if loopback { local } else { remote };
        if let Some(client) = slot.get() {
            return Ok(client.clone());
        }
        let client = make()?;
        Ok(slot.get_or_init(|| client).clone())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop.notify_one();
    }
}
