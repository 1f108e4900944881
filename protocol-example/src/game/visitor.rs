use bowline::ConnectError;
use bowline::prelude::*;

use super::ClientNews;
use crate::protocol::Login;

/// A client that asks to come in and does no more, whatever protocol it speaks.
#[derive(Debug)]
pub struct Visitor<P: Protocol, T: ClientTransport> {
    client: Client<P, T>,
}

impl<P: Protocol<Auth = Login>, T: ClientTransport> Visitor<P, T> {
    /// A client that is not connected.
    #[must_use]
    pub fn new(config: ClientConfig) -> Self {
        Self { client: Client::new(config) }
    }

    /// Asks to come in.
    ///
    /// # Errors
    /// Where the credentials are over a limit, or there is a session already.
    pub fn connect(&mut self, socket: T, login: Login) -> Result<(), ConnectError> {
        self.client.connect(socket, login)
    }

    /// One turn of the loop. To be called for a while after the end too: a client with another protocol tells the
    /// server how it differs.
    pub fn frame(&mut self) -> Vec<ClientNews> {
        let mut news = Vec::new();
        self.client.receive();
        while let Some(event) = self.client.next_event() {
            match event {
                ClientEvent::Connected => news.push(ClientNews::Connected),
                ClientEvent::Rejected(reason) => news.push(ClientNews::Rejected(reason)),
                ClientEvent::Disconnected(reason) => {
                    news.push(ClientNews::Disconnected { reason, stats: Box::new(self.client.stats()) });
                }
                _ => {}
            }
        }
        self.client.send();
        news
    }
}
