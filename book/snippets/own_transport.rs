//! A transport of your own.

// ANCHOR: types
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bowline::Instant;
use bowline::transport::{
    ClientTransport, Datagram, Security, Transport, TransportError, TransportErrorKind,
};

/// A letter, and who wrote it.
type Letter = (u32, Vec<u8>);

/// Where letters wait. Box 0 is the server's.
#[derive(Clone, Default)]
pub struct PostOffice(Arc<Mutex<BTreeMap<u32, VecDeque<Letter>>>>);

/// A box of the post office: the transport of a server, or of a client.
pub struct Letterbox {
    office: PostOffice,
    number: u32,
    /// The letter that was read last: what `receive` gives points into it.
    current: Vec<u8>,
}

#[derive(Debug, thiserror::Error)]
pub enum PostError {
    #[error("a letter of {0} bytes is too large")]
    TooLarge(usize),
    #[error("the box is full")]
    Full,
}

impl TransportError for PostError {
    fn kind(&self) -> TransportErrorKind {
        match self {
            Self::TooLarge(_) => TransportErrorKind::TooLarge,
            Self::Full => TransportErrorKind::Busy,
        }
    }
}
// ANCHOR_END: types

/// A box that nobody empties must not grow for ever.
const MOST_LETTERS: usize = 4_096;
const LARGEST_LETTER: usize = 1_200;

impl PostOffice {
    pub fn open(&self, number: u32) -> Letterbox {
        self.boxes().insert(number, VecDeque::new());
        Letterbox { office: self.clone(), number, current: Vec::new() }
    }

    fn boxes(&self) -> MutexGuard<'_, BTreeMap<u32, VecDeque<Letter>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Letterbox {
    fn drop(&mut self) {
        self.office.boxes().remove(&self.number);
    }
}

// ANCHOR: transport
impl Transport for Letterbox {
    type Address = u32;
    type Error = PostError;

    fn receive(&mut self, _now: Instant) -> Result<Option<Datagram<'_, u32>>, PostError> {
        let letter = self.office.boxes().get_mut(&self.number).and_then(VecDeque::pop_front);
        let Some((from, bytes)) = letter else { return Ok(None) };
        self.current = bytes;
        Ok(Some(Datagram { from, bytes: &self.current }))
    }

    fn send(&mut self, _now: Instant, to: u32, datagram: &[u8]) -> Result<(), PostError> {
        if datagram.len() > LARGEST_LETTER {
            return Err(PostError::TooLarge(datagram.len()));
        }
        match self.office.boxes().get_mut(&to) {
            Some(letters) if letters.len() >= MOST_LETTERS => Err(PostError::Full),
            Some(letters) => {
                letters.push_back((self.number, datagram.to_vec()));
                Ok(())
            }
            None => Ok(()), // nobody is there: lost, as on a network
        }
    }

    fn flush(&mut self, _now: Instant) -> Result<(), PostError> {
        Ok(())
    }

    fn max_datagram_size(&self) -> usize {
        LARGEST_LETTER
    }

    fn security(&self, _address: u32) -> Security {
        Security::FULL // one process: nobody reads along, and the sender's number cannot be forged
    }

    fn name(&self, _address: u32) -> &'static str {
        "post"
    }

    fn close(&mut self, _address: u32) {}
}

impl ClientTransport for Letterbox {
    fn server_address(&self) -> u32 {
        0
    }
}
// ANCHOR_END: transport

// ANCHOR: conformance
mod conformance {
    use std::time::Duration;

    use bowline::transport::conformance::Bench;
    use bowline::{Clock, Instant, ManualClock, transport_conformance};

    use super::{Letterbox, PostOffice};

    #[derive(Default)]
    struct Post {
        office: PostOffice,
        clients: u32,
        clock: ManualClock,
    }

    impl Bench for Post {
        type Server = Letterbox;
        type Client = Letterbox;

        fn server(&mut self) -> Letterbox {
            self.office.open(0)
        }

        fn client(&mut self) -> Letterbox {
            self.clients += 1;
            self.office.open(self.clients)
        }

        fn now(&self) -> Instant {
            self.clock.now()
        }

        fn wait(&mut self) {
            self.clock.advance(Duration::from_millis(1));
        }
    }

    transport_conformance!(letterbox, Post::default());
}
// ANCHOR_END: conformance

#[test]
fn a_game_runs_over_it() {
    use bowline::prelude::*;

    use crate::readme::Arena;

    let office = PostOffice::default();
    let mut server = Server::<Arena, _>::new(ServerConfig::default());
    server.listen(office.open(0));
    let mut client = Client::<Arena, _>::new(ClientConfig::default());
    client.connect(office.open(1), ()).unwrap();
    while client.phase() != Phase::Connected {
        server.receive();
        while let Some(event) = server.next_event() {
            if let ServerEvent::AuthRequested(ticket) = event {
                ticket.accept();
            }
        }
        server.send();
        client.receive();
        client.send();
    }
}
