use std::sync::{Arc, Mutex, PoisonError};

use super::engine::{MAX_BODY, MIN_BODY};

/// Keeps what connections put into packets and read from them, as it is before it is compressed: what a dictionary is
/// trained from.
///
/// Clones share what is kept. Hand one to the configuration of a server, play for a while, and train:
///
/// ```
/// use bowline_core::ConnectionConfig;
/// use bowline_core::compression::{Recorder, train_dictionary};
///
/// let recorder = Recorder::new(10 << 20);
/// let mut config = ConnectionConfig::default();
/// config.recorder = Some(recorder.clone());
/// // .. a session is played ..
/// match train_dictionary(recorder.payloads(), 16 << 10) {
///     Ok(dictionary) => println!("{} bytes, to be shipped with the game", dictionary.len()),
///     Err(error) => println!("{error}"),
/// }
/// ```
///
/// What is recorded is what players have written and done: treat it as such.
#[derive(Clone)]
pub struct Recorder(Arc<Tape>);

struct Tape {
    max_bytes: usize,
    reel: Mutex<Reel>,
}

#[derive(Default)]
struct Reel {
    bytes: Vec<u8>,
    lengths: Vec<usize>,
}

impl Recorder {
    /// Keeps as many payloads as fit into so many bytes; those that come later are left out.
    #[must_use]
    pub fn new(max_bytes: usize) -> Self {
        Self(Arc::new(Tape { max_bytes, reel: Mutex::default() }))
    }

    /// What has been kept, a copy.
    #[must_use]
    pub fn payloads(&self) -> Vec<Vec<u8>> {
        let reel = self.reel();
        let mut rest = &reel.bytes[..];
        let payload = |len: &usize| {
            let (payload, after) = rest.split_at_checked(*len)?;
            rest = after;
            Some(payload.to_vec())
        };
        reel.lengths.iter().map_while(payload).collect()
    }

    /// How many bytes have been kept.
    #[must_use]
    pub fn recorded_bytes(&self) -> usize {
        self.reel().bytes.len()
    }

    /// Whether no more is kept.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.recorded_bytes() + MAX_BODY > self.0.max_bytes
    }

    pub(crate) fn record(&self, body: &[u8]) {
        let mut reel = self.reel();
        let fits = reel.bytes.len() + body.len() <= self.0.max_bytes;
        if fits && (MIN_BODY..=MAX_BODY).contains(&body.len()) {
            reel.bytes.extend_from_slice(body);
            reel.lengths.push(body.len());
        }
    }

    fn reel(&self) -> std::sync::MutexGuard<'_, Reel> {
        self.0.reel.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The same tape.
impl PartialEq for Recorder {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Recorder {}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (payloads, bytes) = (self.reel().lengths.len(), self.recorded_bytes());
        f.debug_struct("Recorder")
            .field("payloads", &payloads)
            .field("bytes", &bytes)
            .field("max_bytes", &self.0.max_bytes)
            .finish()
    }
}

/// Why there is no dictionary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// There is too little to learn from, or it has nothing in common.
    #[error(
        "nothing can be learnt from {payloads} payloads of {bytes} bytes; record more, a hundred times the dictionary"
    )]
    TooLittle {
        /// How many payloads were given.
        payloads: usize,
        /// How many bytes they have.
        bytes: usize,
    },
}

/// Makes a dictionary of at most `max_bytes` from recorded payloads. 16 KiB are a good size for packets; a hundred times
/// as much should have been recorded.
///
/// The same payloads give the same dictionary. This takes seconds: it is for a tool, not for a game.
///
/// # Errors
/// Where the payloads are too few.
pub fn train_dictionary<S: AsRef<[u8]>>(
    payloads: impl IntoIterator<Item = S>,
    max_bytes: usize,
) -> Result<Vec<u8>, TrainError> {
    let (mut bytes, mut lengths) = (Vec::new(), Vec::new());
    for payload in payloads {
        bytes.extend_from_slice(payload.as_ref());
        lengths.push(payload.as_ref().len());
    }
    let mut dictionary = vec![0; max_bytes.max(MIN_DICTIONARY)];
    match zstd_safe::train_from_buffer(&mut dictionary[..], &bytes, &lengths) {
        Ok(len) => {
            dictionary.truncate(len);
            Ok(dictionary)
        }
        Err(_) => Err(TrainError::TooLittle { payloads: lengths.len(), bytes: bytes.len() }),
    }
}

/// `zstd` makes none that is smaller.
const MIN_DICTIONARY: usize = 256;
