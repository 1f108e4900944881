//! HTTP: one path for offers, a few files, and patience with nobody.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bowline_core::RejectReason;
use bowline_core::transport::Applicant;
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Bytes};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

use super::Signaler;
use super::rates::Rates;
use super::reply::{self, Description, Kind, Reply};
use super::website::Website;
use crate::ListenError;

/// An offer is some 500 bytes; one with many candidates some thousand.
const MAX_BODY: usize = 16 << 10;

/// The whole of a request: TLS, its headers, its body, and our answer. Who is slower is shown the door.
const PATIENCE: Duration = Duration::from_secs(5);

/// What of that is for its body, and then for whoever decides about credentials.
const BODY_PATIENCE: Duration = Duration::from_secs(3);

/// A connection ends after so long, whatever it is doing.
const MAX_AGE: Duration = Duration::from_secs(60);

/// Connections at one time. One more is closed at once.
const MAX_CONNECTIONS: usize = 1_024;

/// Credentials are no longer than a connection takes.
const MAX_CREDENTIALS: usize = 8 << 10;

/// HTTP on its listener.
pub(crate) struct HttpServer {
    listener: tokio::net::TcpListener,
    tls: Option<TlsAcceptor>,
    desk: Arc<Desk>,
}

/// What all connections share.
struct Desk {
    website: Website,
    signaler: Signaler,
    rates: Mutex<Rates>,
}

/// HTTPS with this chain and this key.
pub(crate) fn tls_acceptor(chain: &[u8], key: &[u8]) -> Result<TlsAcceptor, ListenError> {
    let wrong = |error: &dyn std::fmt::Display| ListenError::Tls(error.to_string());
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain).collect();
    let chain = chain.map_err(|error| wrong(&error))?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| wrong(&error))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(&error))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| wrong(&error))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

impl HttpServer {
    /// Must be called on the runtime that is to drive it.
    pub(crate) fn new(
        listener: std::net::TcpListener,
        website: Website,
        tls: Option<TlsAcceptor>,
        signaler: Signaler,
    ) -> Result<Self, String> {
        let listener = tokio::net::TcpListener::from_std(listener).map_err(|error| error.to_string())?;
        let rates = Mutex::new(Rates::new(website.offer_rate));
        Ok(Self { listener, tls, desk: Arc::new(Desk { website, signaler, rates }) })
    }

    /// Takes connections for as long as it is polled.
    pub(crate) async fn run(self) {
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        loop {
            let (stream, from) = match self.listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors, most likely: others will close.
                    tracing::warn!(%error, "a connection for signalling could not be taken");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
            let (desk, tls) = (Arc::clone(&self.desk), self.tls.clone());
            tokio::spawn(async move {
                let served = timeout(MAX_AGE, serve(stream, from, tls, desk)).await;
                if let Ok(Err(error)) = served {
                    tracing::debug!(%from, error, "a connection for signalling has ended");
                }
                drop(place);
            });
        }
    }
}

async fn serve(
    stream: TcpStream,
    from: SocketAddr,
    tls: Option<TlsAcceptor>,
    desk: Arc<Desk>,
) -> Result<(), String> {
    // An offer and its answer are one segment each: there is nothing to wait for.
    let _ = stream.set_nodelay(true);
    match tls {
        None => serve_http(stream, from, desk).await,
        Some(tls) => {
            let stream = timeout(PATIENCE, tls.accept(stream)).await;
            let stream =
                stream.map_err(|_| "TLS took too long".to_owned())?.map_err(|error| error.to_string())?;
            serve_http(stream, from, desk).await
        }
    }
}

async fn serve_http(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    from: SocketAddr,
    desk: Arc<Desk>,
) -> Result<(), String> {
    let service = service_fn(move |request| {
        let desk = Arc::clone(&desk);
        async move { Ok::<_, Infallible>(desk.reply(from, request).await) }
    });
    hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(32 << 10)
        .serve_connection(TokioIo::new(stream), service)
        .await
        .map_err(|error| error.to_string())
}

impl Desk {
    async fn reply<B>(&self, from: SocketAddr, request: Request<B>) -> Reply
    where
        B: Body<Data = Bytes> + Send,
        B::Error: std::error::Error + Send + Sync + 'static,
    {
        let origin = request.headers().get(header::ORIGIN).cloned();
        let is_for_offers = request.uri().path() == self.website.path;
        if !is_for_offers {
            let mut reply = self.file(request.method(), request.uri().path());
            // A page that posts to the wrong path may read where offers go; without this its browser tells it nothing.
            if reply.status() == StatusCode::NOT_FOUND {
                allow_origin(reply.headers_mut(), origin);
            }
            return reply;
        }
        let is_allowed = origin
            .as_ref()
            .is_none_or(|origin| origin.to_str().is_ok_and(|origin| self.website.allows(origin)));
        if !is_allowed {
            let reason = "pages from this origin may not make offers here; see `ServerSetup::with_origins`";
            return reply::problem(StatusCode::FORBIDDEN, "origin", reason);
        }
        let mut reply = match *request.method() {
            Method::POST => self.offer(from, request).await,
            Method::OPTIONS => reply::bytes(StatusCode::NO_CONTENT, None, Bytes::new()),
            _ => not_allowed("POST, OPTIONS", "offers are posted"),
        };
        allow_origin(reply.headers_mut(), origin);
        reply
    }

    async fn offer<B>(&self, from: SocketAddr, request: Request<B>) -> Reply
    where
        B: Body<Data = Bytes> + Send,
        B::Error: std::error::Error + Send + Sync + 'static,
    {
        let Some(address) = self.address(from, request.headers()) else {
            let reason =
                "the proxy in front has not written `X-Forwarded-For`; see `ServerSetup::behind_proxy`";
            return reply::problem(StatusCode::BAD_REQUEST, "proxy", reason);
        };
        let may = self.rates.lock().unwrap_or_else(PoisonError::into_inner).take(address, Instant::now());
        if !may {
            let reason = "too many offers from this address; wait a second and try again";
            return reply::problem(StatusCode::TOO_MANY_REQUESTS, "rate", reason);
        }
        if let Some(admission) = &self.website.admission {
            let Ok(credentials) = credentials(request.headers()) else {
                return reply::rejected(&RejectReason::InvalidCredentials);
            };
            let applicant = Applicant::new(credentials, address.to_string(), "webrtc");
            let admitted = timeout(BODY_PATIENCE, admission.admit(applicant)).await;
            if let Err(reason) = admitted.unwrap_or(Err(RejectReason::Undecided)) {
                return reply::rejected(&reason);
            }
        }
        let offer = match read(request.into_body()).await {
            Ok(offer) => offer,
            Err(refusal) => return refusal,
        };
        match self.signaler.answer(offer.sdp).await {
            Ok(sdp) => reply::answer(sdp),
            Err(error) => reply::unanswered(&error),
        }
    }

    fn file(&self, method: &Method, path: &str) -> Reply {
        let Some(file) = self.website.files.get(path) else {
            let reason = format!("there is nothing here; offers are posted to {}", self.website.path);
            return reply::problem(StatusCode::NOT_FOUND, "not_found", &reason);
        };
        match *method {
            // hyper leaves the body of an answer to HEAD out.
            Method::GET | Method::HEAD => {
                reply::bytes(StatusCode::OK, Some(&file.content_type), file.bytes.clone())
            }
            _ => not_allowed("GET, HEAD", "files are fetched"),
        }
    }

    /// Where a client calls from; `None` where the proxy does not say.
    fn address(&self, from: SocketAddr, headers: &HeaderMap) -> Option<IpAddr> {
        if !self.website.is_behind_proxy {
            return Some(from.ip().to_canonical());
        }
        // What stands before the last entry the client itself may have written.
        let written = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
        let last = written.rsplit(',').next()?.trim();
        last.parse().ok().or_else(|| Some(last.parse::<SocketAddr>().ok()?.ip()))
    }
}

/// The offer in a body.
async fn read<B>(body: B) -> Result<Description, Reply>
where
    B: Body<Data = Bytes> + Send,
    B::Error: std::error::Error + Send + Sync + 'static,
{
    let Ok(body) = timeout(BODY_PATIENCE, Limited::new(body, MAX_BODY).collect()).await else {
        let reason = "the offer came too slowly";
        return Err(reply::problem(StatusCode::REQUEST_TIMEOUT, "timeout", reason));
    };
    let body = body.map_err(|error| {
        if error.is::<http_body_util::LengthLimitError>() {
            let reason = format!("an offer has at most {MAX_BODY} bytes");
            reply::problem(StatusCode::PAYLOAD_TOO_LARGE, "too_large", &reason)
        } else {
            reply::problem(StatusCode::BAD_REQUEST, "body", "the offer broke off")
        }
    })?;
    let malformed = |reason: &str| reply::problem(StatusCode::BAD_REQUEST, "malformed", reason);
    let offer: Description = serde_json::from_slice(&body.to_bytes()).map_err(|error| {
        malformed(&format!("an offer is `{{\"type\": \"offer\", \"sdp\": \"..\"}}`: {error}"))
    })?;
    if offer.kind == Kind::Offer {
        Ok(offer)
    } else {
        Err(malformed("this is an answer, and an offer is asked for"))
    }
}

/// What `Authorization: Bearer` carries; nothing where there is no such header.
fn credentials(headers: &HeaderMap) -> Result<Vec<u8>, ()> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(Vec::new()) };
    let text = value.to_str().map_err(drop)?;
    // Empty credentials leave nothing behind the scheme.
    let (scheme, encoded) = text.split_once(' ').unwrap_or((text, ""));
    let is_ours = scheme.eq_ignore_ascii_case("bearer") && encoded.len() <= MAX_CREDENTIALS * 4 / 3 + 4;
    if !is_ours {
        return Err(());
    }
    URL_SAFE_NO_PAD.decode(encoded.trim()).map_err(drop)
}

/// What lets a page of another origin read the answer (the Fetch standard, CORS protocol).
fn allow_origin(headers: &mut HeaderMap, origin: Option<HeaderValue>) {
    let Some(origin) = origin else { return };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::VARY, HeaderValue::from_static("origin"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
    let allowed = HeaderValue::from_static("authorization, content-type");
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    // A page of the public Internet that joins a server in the living room.
    headers.insert("access-control-allow-private-network", HeaderValue::from_static("true"));
}

fn not_allowed(methods: &'static str, reason: &str) -> Reply {
    let mut reply = reply::problem(StatusCode::METHOD_NOT_ALLOWED, "method", reason);
    reply.headers_mut().insert(header::ALLOW, HeaderValue::from_static(methods));
    reply
}
