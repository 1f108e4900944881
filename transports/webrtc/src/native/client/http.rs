//! The signalling that ships: one HTTP request.

use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, LOCATION};
use reqwest::{Client, Response, StatusCode, Url, redirect};
use serde::{Deserialize, Serialize};

use super::engine::Engine;
use crate::{Answer, Offer, Signaling, SignalingError};

/// How long the whole exchange may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// How long an answer may be, in bytes. Ours have about 500.
const MAX_ANSWER: usize = 64 << 10;

/// How much of the server's words an error repeats, in bytes.
const MAX_REASON: usize = 256;

/// How long credentials may be, in bytes: with base64 and the other headers they stay below what servers take.
const MAX_AUTHORIZATION: usize = 8 << 10;

/// Posts the offer to a URL.
///
/// No redirect is followed: the credentials are for one server. Whoever uses another address is told it.
#[derive(Debug)]
pub(super) struct HttpSignaling {
    url: Url,
    /// The server is on this machine, and no proxy is asked for the way.
    loopback: bool,
    timeout: Duration,
}

impl HttpSignaling {
    /// Posts to `endpoint`, which was made of the `url` that somebody has written.
    ///
    /// # Errors
    /// [`SignalingError::InvalidUrl`].
    pub(super) fn new(url: &str, endpoint: &str) -> Result<Self, SignalingError> {
        let invalid = |why: String| SignalingError::InvalidUrl { url: url.to_owned(), why };
        let parsed =
            Url::parse(url).and_then(|_| Url::parse(endpoint)).map_err(|error| invalid(error.to_string()))?;
        if !matches!(parsed.scheme(), "http" | "https") {
            return Err(invalid(format!("`{}` is neither http nor https", parsed.scheme())));
        }
        let host = parsed.host_str().ok_or_else(|| invalid("it names no host".to_owned()))?;
        let loopback = is_loopback(host);
        Ok(Self { url: parsed, loopback, timeout: TIMEOUT })
    }

    fn client(&self) -> Result<Client, SignalingError> {
        let make = || {
            // A connection is used once, and not kept for a second offer that will hardly come.
            let mut builder = Client::builder()
                .redirect(redirect::Policy::none())
                .pool_max_idle_per_host(0)
                .user_agent(concat!("bowline/", env!("CARGO_PKG_VERSION")));
            if self.loopback {
                builder = builder.no_proxy();
            }
            builder.build()
        };
        let engine = Engine::get().map_err(|error| SignalingError::Other(error.to_string()))?;
        engine.http(self.loopback, make).map_err(|error| self.unreachable(&error))
    }

    async fn post(&self, offer: &Offer) -> Result<Answer, SignalingError> {
        let body = serde_json::to_vec(&Description { kind: "offer", sdp: &offer.sdp })
            .map_err(|error| SignalingError::Other(error.to_string()))?;
        let mut request =
            self.client()?.post(self.url.clone()).header(CONTENT_TYPE, "application/json").body(body);
        if let Some(credentials) = &offer.authorization {
            request = request.header(AUTHORIZATION, bearer(credentials)?);
        }
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        let moved = response.headers().get(LOCATION).map(|to| clean(&String::from_utf8_lossy(to.as_bytes())));
        let body = self.read(response).await?;
        if status == StatusCode::OK {
            return self.answer(&body);
        }
        let reason = reason(&body);
        Err(match (status, moved) {
            (StatusCode::UNAUTHORIZED, _) => SignalingError::Unauthorized { reason },
            (status, Some(to)) if status.is_redirection() => {
                SignalingError::Refused { status: status.as_u16(), reason: format!("it has moved, use {to}") }
            }
            (status, _) => SignalingError::Refused { status: status.as_u16(), reason },
        })
    }

    /// The body, as far as it is allowed to be long.
    async fn read(&self, mut response: Response) -> Result<Vec<u8>, SignalingError> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.unreachable(&error))? {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(self.not_ours(format!("its answer is longer than {MAX_ANSWER} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn answer(&self, body: &[u8]) -> Result<Answer, SignalingError> {
        let answer: Reply = serde_json::from_slice(body)
            .map_err(|_| self.not_ours(format!("its answer is not the JSON of one: `{}`", reason(body))))?;
        match (answer.kind.as_deref(), answer.sdp) {
            (Some("answer"), Some(sdp)) => Ok(Answer::new(sdp)),
            _ => Err(self.not_ours("its answer has no session description".to_owned())),
        }
    }

    fn unreachable(&self, error: &reqwest::Error) -> SignalingError {
        if error.is_timeout() {
            return self.timed_out();
        }
        // The innermost error has the words of the system; those around it say "error sending request" and the like.
        let mut innermost: &dyn std::error::Error = error;
        while let Some(source) = innermost.source() {
            innermost = source;
        }
        let mut why = clean(&innermost.to_string());
        if why.contains("certificate") || why.contains("Certificate") {
            why = format!("its certificate is not accepted: {why}");
        }
        SignalingError::Unreachable { url: self.url.to_string(), why }
    }

    fn not_ours(&self, why: String) -> SignalingError {
        SignalingError::NotOurs { url: self.url.to_string(), why }
    }

    fn timed_out(&self) -> SignalingError {
        SignalingError::TimedOut { url: self.url.to_string(), seconds: self.timeout.as_secs() }
    }
}

#[async_trait]
impl Signaling for HttpSignaling {
    async fn exchange(&self, offer: Offer) -> Result<Answer, SignalingError> {
        match tokio::time::timeout(self.timeout, self.post(&offer)).await {
            Ok(result) => result,
            Err(_) => Err(self.timed_out()),
        }
    }
}

#[derive(Serialize)]
struct Description<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    sdp: &'a str,
}

/// What a server of ours says, and some others.
#[derive(Default, Deserialize)]
struct Reply {
    #[serde(rename = "type")]
    kind: Option<String>,
    sdp: Option<String>,
    reason: Option<String>,
}

fn bearer(credentials: &[u8]) -> Result<HeaderValue, SignalingError> {
    if credentials.len() > MAX_AUTHORIZATION {
        let reason = format!("the credentials are longer than {MAX_AUTHORIZATION} bytes");
        return Err(SignalingError::Unauthorized { reason });
    }
    let text = format!("Bearer {}", URL_SAFE_NO_PAD.encode(credentials));
    let mut value = HeaderValue::try_from(text).map_err(|error| SignalingError::Other(error.to_string()))?;
    value.set_sensitive(true);
    Ok(value)
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_name = host == "localhost" || host.ends_with(".localhost");
    is_name || bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// The reason in the JSON of a refusal, or the start of whatever it is.
fn reason(body: &[u8]) -> String {
    let said = serde_json::from_slice::<Reply>(body).ok().and_then(|reply| reply.reason);
    let reason = clean(&said.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned()));
    if reason.is_empty() { "it does not say why".to_owned() } else { reason }
}

/// Fit for a terminal and a log: no control characters, and not long.
fn clean(text: &str) -> String {
    let mut cleaned = String::new();
    for char in text.trim().chars() {
        let char = if char.is_whitespace() { ' ' } else { char };
        if char.is_control() {
            continue;
        }
        if cleaned.len() + char.len_utf8() > MAX_REASON {
            break;
        }
        cleaned.push(char);
    }
    cleaned
}
