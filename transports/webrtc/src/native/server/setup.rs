use std::fmt;
use std::sync::Arc;

use bowline_core::Admission;

use super::ServerAddrs;
use super::engine::Limits;
use super::signaling::{File, Website};
use crate::Destination;

/// Where a server listens, and what else it may be told: made of [`ServerAddrs`], given to [`Socket::new`](crate::Socket::new).
///
/// ```
/// use bowline_core::SocketConfig;
/// use bowline_webrtc::{ServerAddrs, ServerSetup, Socket};
///
/// # fn main() -> Result<(), bowline_webrtc::ListenError> {
/// # let addrs = ServerAddrs::new("127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0");
/// let setup = ServerSetup::new(&addrs)
///     .with_path("offers")
///     .with_file("/", "text/html; charset=utf-8", "<h1>the game</h1>");
/// let socket = Socket::new(setup, SocketConfig::default())?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ServerSetup {
    pub(crate) addrs: ServerAddrs,
    pub(crate) website: Website,
    pub(crate) tls: Option<(Vec<u8>, Vec<u8>)>,
    pub(crate) limits: Limits,
}

impl ServerSetup {
    /// Listens at these addresses, and is otherwise as the defaults say.
    #[must_use]
    pub fn new(addrs: &ServerAddrs) -> Self {
        Self {
            addrs: addrs.clone(),
            website: Website::new(Destination::DEFAULT_PATH),
            tls: None,
            limits: Limits { peers: 4_096, unfinished: 1_024 },
        }
    }

    /// Takes offers at another path than [`Destination::DEFAULT_PATH`].
    #[must_use]
    pub fn with_path(mut self, path: &str) -> Self {
        self.website.set_path(path);
        self
    }

    /// Serves HTTPS with this certificate, or chain of them, and its key, both as PEM. Browsers ask for it where the page
    /// came over https. A reverse proxy in front can do it as well.
    #[must_use]
    pub fn with_tls(mut self, certificates: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.tls = Some((certificates.into(), key.into()));
        self
    }

    /// Asks `admission` about the credentials that come with an offer, before anything is kept of the client. An offer without
    /// credentials is asked about with none.
    #[must_use]
    pub fn with_admission(mut self, admission: Arc<dyn Admission>) -> Self {
        self.website.admission = Some(admission);
        self
    }

    /// Takes offers of pages from these origins alone, `https://game.example.com`, and of programs that are no browser. All
    /// pages, unless it is called.
    #[must_use]
    pub fn with_origins(mut self, origins: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.website.origins = Some(origins.into_iter().map(Into::into).collect());
        self
    }

    /// Also serves a file, beside the offers: the page of a game, its program and its pictures.
    #[must_use]
    pub fn with_file(mut self, path: &str, content_type: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.website.files.insert(path.to_owned(), File::new(content_type, bytes.into()));
        self
    }

    /// Takes the address of a client from the last entry of `X-Forwarded-For`, which a reverse proxy writes. Only where all
    /// offers come by way of one: anybody can write that header.
    #[must_use]
    pub const fn behind_proxy(mut self) -> Self {
        self.website.is_behind_proxy = true;
        self
    }

    /// How many offers one address may make at once, and in a second from then on. 64 and 16, of an IPv6 address its /64.
    #[must_use]
    pub const fn with_offer_rate(mut self, at_once: u32, per_second: u32) -> Self {
        self.website.offer_rate = (at_once, per_second);
        self
    }

    /// How many peers there may be, 4,096, and how many of them on their way, 1,024. Further offers are told that the server is
    /// full.
    #[must_use]
    pub const fn with_max_peers(mut self, all: usize, on_their_way: usize) -> Self {
        self.limits = Limits { peers: all, unfinished: on_their_way };
        self
    }

    /// Lets clients in on the same UDP port that speak plain UDP: the socket is two then, for
    /// `server.listen((webrtc, udp))`.
    #[must_use]
    pub fn with_plain_udp(self) -> WithPlainUdp {
        WithPlainUdp(self)
    }
}

/// A setup with plain UDP on the same port: see [`ServerSetup::with_plain_udp`].
#[derive(Clone, Debug)]
pub struct WithPlainUdp(pub(crate) ServerSetup);

/// Without the key, and without the files.
impl fmt::Debug for ServerSetup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerSetup").field("addrs", &self.addrs).finish_non_exhaustive()
    }
}
