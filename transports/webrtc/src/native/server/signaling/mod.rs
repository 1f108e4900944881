//! The signalling of a server: offers by HTTP, or by whatever else the application has.

mod http;
mod rates;
mod reply;
mod website;

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};

use super::driver::Question;
use super::engine::OfferError;
use crate::{Answer, Offer, Signaling, SignalingError};

pub(crate) use http::{HttpServer, tls_acceptor};
pub(crate) use website::{File, Website};

/// Answers offers for a [`ServerSocket`](crate::ServerSocket), however they come: the same that its HTTP does, for an HTTP
/// server of your own, a lobby, or a test. It is a [`Signaling`], so that a client in the same program can use it.
///
/// Credentials are not looked at here; that is for whoever takes the offers.
#[derive(Clone, Debug)]
pub struct Signaler {
    questions: mpsc::Sender<Question>,
}

impl Signaler {
    pub(crate) const fn new(questions: mpsc::Sender<Question>) -> Self {
        Self { questions }
    }

    pub(crate) async fn answer(&self, sdp: String) -> Result<String, OfferError> {
        let (reply, answer) = oneshot::channel();
        let gone = |_| OfferError::Engine("its socket has ended".to_owned());
        // Where so many wait already, one more would wait in vain.
        self.questions.try_send((sdp, reply)).map_err(|_| OfferError::Full)?;
        answer.await.map_err(gone)?
    }
}

#[async_trait]
impl Signaling for Signaler {
    async fn exchange(&self, offer: Offer) -> Result<Answer, SignalingError> {
        let refused = |error: OfferError| SignalingError::Refused {
            status: reply::status(&error).as_u16(),
            reason: error.to_string(),
        };
        self.answer(offer.sdp).await.map(Answer::new).map_err(refused)
    }
}
