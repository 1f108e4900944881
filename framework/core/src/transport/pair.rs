use std::fmt;
use std::task::{Context, Poll};

use crate::Instant;
use crate::transport::{Datagram, Readiness, Security, Transport, TransportError, TransportErrorKind};

/// An address of one of two transports. Nest them for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Either<A, B> {
    /// Of the first.
    First(A),
    /// Of the second.
    Second(B),
}

impl<A: fmt::Display, B: fmt::Display> fmt::Display for Either<A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::First(address) => address.fmt(f),
            Self::Second(address) => address.fmt(f),
        }
    }
}

/// An error of one of two transports.
///
/// One of them having ended is not the end of both: the kind is then
/// [`TransportErrorKind::Refused`], and the other goes on.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum EitherError<A, B> {
    /// Of the first.
    #[error(transparent)]
    First(A),
    /// Of the second.
    #[error(transparent)]
    Second(B),
}

impl<A: TransportError, B: TransportError> TransportError for EitherError<A, B> {
    fn kind(&self) -> TransportErrorKind {
        let kind = match self {
            Self::First(error) => error.kind(),
            Self::Second(error) => error.kind(),
        };
        if kind == TransportErrorKind::Closed { TransportErrorKind::Refused } else { kind }
    }
}

/// Two transports on one server are a transport: `server.listen((webrtc, udp))`.
///
/// The first is drained before the second; both are drained by whoever calls `receive` until it gives `None`.
impl<A: Transport, B: Transport> Transport for (A, B) {
    type Address = Either<A::Address, B::Address>;
    type Error = EitherError<A::Error, B::Error>;

    fn receive(&mut self, now: Instant) -> Result<Option<Datagram<'_, Self::Address>>, Self::Error> {
        if let Some(datagram) = unless_closed(self.0.receive(now)).map_err(EitherError::First)? {
            return Ok(Some(Datagram { from: Either::First(datagram.from), bytes: datagram.bytes }));
        }
        let datagram = unless_closed(self.1.receive(now)).map_err(EitherError::Second)?;
        Ok(datagram.map(|d| Datagram { from: Either::Second(d.from), bytes: d.bytes }))
    }

    fn send(&mut self, now: Instant, to: Self::Address, datagram: &[u8]) -> Result<(), Self::Error> {
        match to {
            Either::First(to) => self.0.send(now, to, datagram).map_err(EitherError::First),
            Either::Second(to) => self.1.send(now, to, datagram).map_err(EitherError::Second),
        }
    }

    fn flush(&mut self, now: Instant) -> Result<(), Self::Error> {
        let first = self.0.flush(now).map_err(EitherError::First);
        let second = self.1.flush(now).map_err(EitherError::Second);
        first.and(second)
    }

    fn max_datagram_size(&self) -> usize {
        self.0.max_datagram_size().min(self.1.max_datagram_size())
    }

    fn security(&self, address: Self::Address) -> Security {
        match address {
            Either::First(address) => self.0.security(address),
            Either::Second(address) => self.1.security(address),
        }
    }

    fn name(&self, address: Self::Address) -> &'static str {
        match address {
            Either::First(address) => self.0.name(address),
            Either::Second(address) => self.1.name(address),
        }
    }

    fn close(&mut self, address: Self::Address) {
        match address {
            Either::First(address) => self.0.close(address),
            Either::Second(address) => self.1.close(address),
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.0.next_deadline().into_iter().chain(self.1.next_deadline()).min()
    }
}

/// From a transport that has ended nothing comes any more. Its error, call after call, would keep the other from
/// being heard.
fn unless_closed<T, E: TransportError>(received: Result<Option<T>, E>) -> Result<Option<T>, E> {
    received.or_else(|error| if error.kind() == TransportErrorKind::Closed { Ok(None) } else { Err(error) })
}

impl<A: Readiness, B: Readiness> Readiness for (A, B) {
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // Both are asked, so that either can wake the task.
        let (first, second) = (self.0.poll_readable(cx), self.1.poll_readable(cx));
        if first.is_ready() || second.is_ready() { Poll::Ready(()) } else { Poll::Pending }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("it has ended")]
    struct Ended;

    impl TransportError for Ended {
        fn kind(&self) -> TransportErrorKind {
            TransportErrorKind::Closed
        }
    }

    /// A transport that gives what it holds, or has ended.
    struct Fixed(Option<Vec<u8>>);

    impl Transport for Fixed {
        type Address = u8;
        type Error = Ended;

        fn receive(&mut self, _: Instant) -> Result<Option<Datagram<'_, u8>>, Ended> {
            self.0.as_deref().map(|bytes| Some(Datagram { from: 0, bytes })).ok_or(Ended)
        }

        fn send(&mut self, _: Instant, _: u8, _: &[u8]) -> Result<(), Ended> {
            Ok(())
        }

        fn flush(&mut self, _: Instant) -> Result<(), Ended> {
            Ok(())
        }

        fn max_datagram_size(&self) -> usize {
            1_200
        }

        fn security(&self, _: u8) -> Security {
            Security::FULL
        }

        fn name(&self, _: u8) -> &'static str {
            "fixed"
        }

        fn close(&mut self, _: u8) {}
    }

    #[test]
    fn one_that_has_ended_does_not_silence_the_other() {
        let mut pair = (Fixed(None), Fixed(Some(b"ahoy".to_vec())));
        let datagram = pair.receive(Instant::ZERO).unwrap().unwrap();
        assert_eq!((datagram.from, datagram.bytes), (Either::Second(0), &b"ahoy"[..]));
        let mut neither = (Fixed(None), Fixed(None));
        assert!(neither.receive(Instant::ZERO).unwrap().is_none());
    }
}
