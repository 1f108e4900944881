use std::sync::{Mutex, PoisonError};

/// Something that one reader of a message takes for itself.
#[derive(Debug)]
pub(crate) struct Once<V>(Mutex<Option<V>>);

impl<V> Once<V> {
    pub(crate) const fn new(value: V) -> Self {
        Self(Mutex::new(Some(value)))
    }

    pub(crate) fn take(&self) -> Option<V> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
