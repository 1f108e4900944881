//! What HTTP answers.

use bowline_core::RejectReason;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{self, HeaderValue};
use hyper::{Response, StatusCode};
use serde::{Deserialize, Serialize};

use crate::native::server::engine::OfferError;

pub(crate) type Reply = Response<Full<Bytes>>;

/// A session description as it travels.
#[derive(Deserialize, Serialize)]
pub(crate) struct Description {
    #[serde(rename = "type")]
    pub(crate) kind: Kind,
    pub(crate) sdp: String,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Offer,
    Answer,
}

#[derive(Serialize)]
struct Problem<'a> {
    error: &'a str,
    reason: &'a str,
}

/// An answer.
pub(crate) fn answer(sdp: String) -> Reply {
    json(StatusCode::OK, &Description { kind: Kind::Answer, sdp })
}

/// No: with a name for programs and a reason for people.
pub(crate) fn problem(status: StatusCode, error: &str, reason: &str) -> Reply {
    json(status, &Problem { error, reason })
}

/// The server does not let this client in.
pub(crate) fn rejected(reason: &RejectReason) -> Reply {
    let status = match reason {
        RejectReason::ServerFull | RejectReason::ShuttingDown | RejectReason::Undecided => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        _ => StatusCode::UNAUTHORIZED,
    };
    let mut reply = problem(status, reason.name(), &reason.to_string());
    if status == StatusCode::UNAUTHORIZED {
        // RFC 9110 section 11.6.1 asks for it.
        reply.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    reply
}

/// An offer that was not answered.
pub(crate) fn unanswered(error: &OfferError) -> Reply {
    let name = match error {
        OfferError::Malformed(_) => "malformed",
        OfferError::Full => "full",
        OfferError::Engine(_) => "engine",
    };
    problem(status(error), name, &error.to_string())
}

pub(crate) const fn status(error: &OfferError) -> StatusCode {
    match error {
        OfferError::Malformed(_) => StatusCode::BAD_REQUEST,
        OfferError::Full => StatusCode::SERVICE_UNAVAILABLE,
        OfferError::Engine(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// A file, or nothing.
pub(crate) fn bytes(status: StatusCode, content_type: Option<&str>, bytes: Bytes) -> Reply {
    let mut reply = Response::new(Full::new(bytes));
    *reply.status_mut() = status;
    if let Some(content_type) = content_type.and_then(|text| HeaderValue::from_str(text).ok()) {
        reply.headers_mut().insert(header::CONTENT_TYPE, content_type);
    }
    // A page that is built anew is seen at once, and an answer is for one offer.
    reply.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}

fn json(status: StatusCode, value: &impl Serialize) -> Reply {
    let text = serde_json::to_vec(value).unwrap_or_default();
    bytes(status, Some("application/json"), text.into())
}
