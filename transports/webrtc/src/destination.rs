use std::fmt;

use crate::signaling::Signaling;

/// Where a client goes, and how: more than an address as text says.
///
/// ```
/// use bowline_webrtc::{Destination, IceServer};
///
/// let destination = Destination::new("https://game.example.com")
///     .with_ice_server(IceServer::new("stun:stun.example.com:3478"));
/// ```
pub struct Destination {
    pub(crate) url: String,
    pub(crate) path: String,
    pub(crate) authorization: Option<Vec<u8>>,
    pub(crate) ice_servers: Vec<IceServer>,
    #[cfg(not(target_family = "wasm"))]
    pub(crate) signaling: Option<Box<dyn Signaling + Send + Sync>>,
    #[cfg(target_family = "wasm")]
    pub(crate) signaling: Option<Box<dyn Signaling>>,
}

impl Destination {
    /// The path that a server listens on for offers, unless it is told otherwise.
    pub const DEFAULT_PATH: &str = "rtc_session";

    /// The server whose signalling is at `url`: `http://127.0.0.1:14191`, `https://game.example.com`. A URL with a path of its
    /// own is taken as it is, any other is followed by [`DEFAULT_PATH`](Self::DEFAULT_PATH).
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            path: Self::DEFAULT_PATH.to_owned(),
            authorization: None,
            ice_servers: Vec::new(),
            signaling: None,
        }
    }

    /// Another path than [`DEFAULT_PATH`](Self::DEFAULT_PATH).
    #[must_use]
    pub fn with_path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// Shows these credentials with the offer, for a server that looks at them before it keeps anything of a client:
    /// `bowline::credentials::<Arena>(&login)`. At most 8 KiB.
    #[must_use]
    pub fn with_authorization(mut self, credentials: impl Into<Vec<u8>>) -> Self {
        self.authorization = Some(credentials.into());
        self
    }

    /// Uses a STUN or TURN server; may be called several times. Not needed to reach a server with a public address.
    #[must_use]
    pub fn with_ice_server(mut self, server: IceServer) -> Self {
        self.ice_servers.push(server);
        self
    }

    /// Brings the offer to the server by other means than HTTP. The URL is for people then.
    #[cfg(not(target_family = "wasm"))]
    #[must_use]
    pub fn with_signaling(mut self, signaling: impl Signaling + Send + Sync + 'static) -> Self {
        self.signaling = Some(Box::new(signaling));
        self
    }

    /// Brings the offer to the server by other means than HTTP. The URL is for people then.
    #[cfg(target_family = "wasm")]
    #[must_use]
    pub fn with_signaling(mut self, signaling: impl Signaling + 'static) -> Self {
        self.signaling = Some(Box::new(signaling));
        self
    }

    /// Where the offer is posted.
    pub(crate) fn endpoint(&self) -> String {
        let url = self.url.trim_end_matches('/');
        let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
        if after_scheme.contains('/') {
            return url.to_owned();
        }
        format!("{url}/{}", self.path.trim_start_matches('/'))
    }
}

/// Without the credentials: they do not belong into a log.
impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Destination")
            .field("url", &self.url)
            .field("ice_servers", &self.ice_servers)
            .finish_non_exhaustive()
    }
}

/// A STUN or TURN server (RFC 8489, RFC 8656).
#[derive(Clone, PartialEq, Eq)]
pub struct IceServer {
    pub(crate) url: String,
    pub(crate) username: String,
    pub(crate) credential: String,
}

impl IceServer {
    /// `stun:stun.example.com:3478`.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), username: String::new(), credential: String::new() }
    }

    /// Who one has to be to use it; TURN servers ask.
    #[must_use]
    pub fn with_credentials(mut self, username: impl Into<String>, credential: impl Into<String>) -> Self {
        self.username = username.into();
        self.credential = credential.into();
        self
    }
}

impl fmt::Debug for IceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceServer").field("url", &self.url).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::Destination;

    #[test]
    fn an_address_is_followed_by_the_path_and_a_path_is_kept() {
        let endpoint = |url: &str| Destination::new(url).endpoint();
        assert_eq!(endpoint("http://127.0.0.1:14191"), "http://127.0.0.1:14191/rtc_session");
        assert_eq!(endpoint("http://127.0.0.1:14191/"), "http://127.0.0.1:14191/rtc_session");
        assert_eq!(endpoint("https://example.com/game/offer"), "https://example.com/game/offer");
        let other = Destination::new("https://example.com").with_path("/offers");
        assert_eq!(other.endpoint(), "https://example.com/offers");
    }
}
