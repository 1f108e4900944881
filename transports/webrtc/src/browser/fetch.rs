//! Signalling by `fetch`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use js_sys::{JSON, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, Headers, Request, RequestCredentials, RequestInit, Response, Url, Window};

use super::peer::said;
use crate::{Answer, Offer, SignalingError};

/// Posts offers to a server over HTTP.
#[derive(Clone, Debug)]
pub(super) struct Fetch {
    pub(super) url: String,
}

/// Whether an offer could be posted to `url` at all, as far as this can be known beforehand.
pub(super) fn check(url: &str) -> Result<(), SignalingError> {
    let invalid = |why: &str| SignalingError::InvalidUrl { url: url.to_owned(), why: why.to_owned() };
    let parsed = Url::new(url).map_err(|why| invalid(&said(&why)))?;
    match parsed.protocol().as_str() {
        "https:" => Ok(()),
        "http:" if page_is_secure() && !is_loopback(&parsed.hostname()) => {
            Err(SignalingError::MixedContent { url: url.to_owned() })
        }
        "http:" => Ok(()),
        _ => Err(invalid("it begins with neither http:// nor https://")),
    }
}

/// The host of a URL; nothing where there is none.
pub(super) fn host_of(url: &str) -> String {
    Url::new(url).map(|url| url.hostname()).unwrap_or_default()
}

impl Fetch {
    /// One offer, one answer. Dropping the future ends the request.
    pub(super) async fn exchange(&self, offer: Offer) -> Result<Answer, SignalingError> {
        check(&self.url)?;
        let window =
            web_sys::window().ok_or_else(|| self.unreachable("this is no page: there is no window"))?;
        let abort = AbortOnDrop::new().map_err(|why| self.unreachable(&said(&why)))?;
        let request = self.request(&offer, &abort).map_err(|why| self.unreachable(&said(&why)))?;
        let (status, text) = self.response(&window, &request).await?;
        let fields = JSON::parse(&text).ok();
        let field = |name: &str| text_field(fields.as_ref()?, name);
        match (status, field("sdp"), field("reason")) {
            (200, Some(sdp), _) => Ok(Answer::new(sdp)),
            (401, _, Some(reason)) => Err(SignalingError::Unauthorized { reason }),
            (200, None, _) => Err(self.not_ours("its answer has no session description")),
            (status, _, Some(reason)) => Err(SignalingError::Refused { status, reason }),
            (status, ..) => Err(self.not_ours(&format!("it says {status}, and not why"))),
        }
    }

    fn request(&self, offer: &Offer, abort: &AbortOnDrop) -> Result<Request, JsValue> {
        let body = Object::new();
        Reflect::set(&body, &"type".into(), &"offer".into())?;
        Reflect::set(&body, &"sdp".into(), &offer.sdp.as_str().into())?;
        let headers = Headers::new()?;
        // With this type, and no header beside it, a browser asks nobody before it posts to another origin.
        headers.set("Content-Type", "text/plain")?;
        if let Some(credentials) = &offer.authorization {
            headers.set("Authorization", &format!("Bearer {}", URL_SAFE_NO_PAD.encode(credentials)))?;
        }
        let init = RequestInit::new();
        init.set_method("POST");
        init.set_headers(&headers);
        init.set_body(&JSON::stringify(&body)?.into());
        // Cookies are none of our business.
        init.set_credentials(RequestCredentials::Omit);
        init.set_signal(Some(&abort.controller.signal()));
        Request::new_with_str_and_init(&self.url, &init)
    }

    async fn response(&self, window: &Window, request: &Request) -> Result<(u16, String), SignalingError> {
        let response = JsFuture::from(window.fetch_with_request(request)).await.map_err(|why| {
            self.unreachable(&format!(
                "the browser says `{}`, which is all it tells of a server that is down, and of one that does not let \
                 pages of {} call it (CORS)",
                said(&why),
                window.location().origin().unwrap_or_default(),
            ))
        })?;
        let response: Response = response.unchecked_into();
        let cut_short = |why: JsValue| self.unreachable(&said(&why));
        let text = JsFuture::from(response.text().map_err(cut_short)?).await.map_err(cut_short)?;
        let text = text.as_string().unwrap_or_default();
        if text.len() > MAX_ANSWER {
            return Err(self.not_ours("its answer is far too long"));
        }
        Ok((response.status(), text))
    }

    fn unreachable(&self, why: &str) -> SignalingError {
        SignalingError::Unreachable { url: self.url.clone(), why: why.to_owned() }
    }

    fn not_ours(&self, why: &str) -> SignalingError {
        SignalingError::NotOurs { url: self.url.clone(), why: why.to_owned() }
    }
}

/// An answer is some 600 bytes.
const MAX_ANSWER: usize = 16 << 10;

/// Ends a request that nobody waits for any more.
struct AbortOnDrop {
    controller: AbortController,
}

impl AbortOnDrop {
    fn new() -> Result<Self, JsValue> {
        Ok(Self { controller: AbortController::new()? })
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        // Of a request that has ended this changes nothing.
        self.controller.abort();
    }
}

fn text_field(object: &JsValue, name: &str) -> Option<String> {
    Reflect::get(object, &name.into()).ok()?.as_string()
}

fn page_is_secure() -> bool {
    let protocol = web_sys::window().and_then(|window| window.location().protocol().ok());
    protocol.is_some_and(|protocol| protocol == "https:")
}

/// A secure page may call its own machine: W3C *Secure Contexts* section 3.1.
fn is_loopback(host: &str) -> bool {
    let ip = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    host == "localhost" || host.ends_with(".localhost") || ip.is_ok_and(|ip| ip.is_loopback())
}
