//! How an offer reaches the server and its answer comes back: the trait, and the form that both have over HTTP.
//!
//! `POST /rtc_session` with a body of at most 16 KiB, JSON whatever its content type says (a browser asks nobody before it
//! posts `text/plain` to another origin):
//!
//! ```json
//! {"type": "offer", "sdp": "v=0..."}
//! ```
//!
//! gives 200 and `{"type": "answer", "sdp": "v=0..."}`, or another status and `{"error": "unauthorized", "reason": "in
//! words"}`. Credentials travel as `Authorization: Bearer <base64url without padding>`.

use async_trait::async_trait;

/// What a client brings to the server first.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Offer {
    /// The session description (RFC 8866, RFC 9429).
    pub sdp: String,
    /// Credentials for a server that looks at them now, before it keeps anything of the client.
    pub authorization: Option<Vec<u8>>,
}

impl Offer {
    /// An offer without credentials.
    #[must_use]
    pub const fn new(sdp: String) -> Self {
        Self { sdp, authorization: None }
    }
}

/// What the server says to an offer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// The session description, with the server's candidates.
    pub sdp: String,
}

impl Answer {
    /// An answer.
    #[must_use]
    pub const fn new(sdp: String) -> Self {
        Self { sdp }
    }
}

/// Brings an offer to a server and its answer back. HTTP is what ships; a lobby service or a chat could do as well.
///
/// **Callers** drop the future when the client gives up.
///
/// **Implementors** MUST end within a few seconds, with an error that says why.
#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
pub trait Signaling {
    /// One offer, one answer.
    ///
    /// # Errors
    /// Why there is no answer.
    async fn exchange(&self, offer: Offer) -> Result<Answer, SignalingError>;
}

/// Why an offer got no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignalingError {
    /// What should be the server's address is none.
    #[error(
        "`{url}` is no address of a server: {why}; write it as `http://127.0.0.1:14191` or `https://game.example.com`"
    )]
    InvalidUrl {
        /// The address.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// Nobody answers there.
    #[error("the server at {url} cannot be reached: {why}; is it running, and is the address right?")]
    Unreachable {
        /// The address.
        url: String,
        /// What the system, or the browser, says.
        why: String,
    },
    /// A page that came over https may not call a server over http.
    #[error(
        "this page came over https, and the server at {url} is not: serve it over https too, or the page over http"
    )]
    MixedContent {
        /// The address.
        url: String,
    },
    /// The server does not let this client in.
    #[error("the server does not let this client in: {reason}")]
    Unauthorized {
        /// The server's words.
        reason: String,
    },
    /// The server said no for another reason.
    #[error("the server refused the offer ({status}): {reason}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The server's words.
        reason: String,
    },
    /// What answers there is no server of ours.
    #[error("what answers at {url} is no Bowline server: {why}; is the path right?")]
    NotOurs {
        /// The address.
        url: String,
        /// What is wrong with the answer.
        why: String,
    },
    /// No answer in time.
    #[error("the server at {url} gave no answer within {seconds} s")]
    TimedOut {
        /// The address.
        url: String,
        /// How long was waited.
        seconds: u64,
    },
    /// Of a [`Signaling`] of the application's own.
    #[error("{0}")]
    Other(String),
}
