use std::future::poll_fn;

use bowline_core::{Clock, Instant, Readiness};

use crate::SystemClock;

/// Sleeps until the transport can probably receive, or until a moment: the earlier of `deadline` and the
/// transport's own [`next_deadline`](bowline_core::Transport::next_deadline). Without either it waits for a
/// datagram alone.
///
/// Afterwards receive, look at the clock, and do what is due. Waking for no reason is allowed, so it does not
/// say which of the two it was. Tokio's timer counts in milliseconds: expect to wake up to two late. Dropping
/// the future half-way loses nothing.
///
/// Needs a Tokio runtime with its timer, and whatever the transport needs to wake a task.
///
/// ```
/// # async fn of<T: bowline_core::Readiness>(mut socket: T) {
/// use std::time::Duration;
/// use bowline_core::Clock;
/// use bowline_platform::{SystemClock, readable_or_deadline};
///
/// let clock = SystemClock::new();
/// let next_tick = clock.now() + Duration::from_millis(50);
/// readable_or_deadline(&mut socket, &clock, Some(next_tick)).await;
/// # }
/// ```
pub async fn readable_or_deadline<T: Readiness>(
    transport: &mut T,
    clock: &SystemClock,
    deadline: Option<Instant>,
) {
    let deadline = deadline.into_iter().chain(transport.next_deadline()).min();
    let readable = poll_fn(|cx| transport.poll_readable(cx));
    match deadline {
        None => readable.await,
        Some(deadline) => {
            // Either outcome is a reason to look again.
            let _ = tokio::time::timeout(deadline - clock.now(), readable).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::convert::Infallible;
    use std::sync::{Arc, Mutex};
    use std::task::{Context, Poll, Waker};
    use std::time::Duration;

    use bowline_core::{Datagram, Security, Transport};

    use super::*;

    type Letters = (VecDeque<Vec<u8>>, Option<Waker>);

    /// A mailbox that another task drops datagrams into.
    #[derive(Clone, Default)]
    struct Mailbox {
        state: Arc<Mutex<Letters>>,
        current: Vec<u8>,
        deadline: Option<Instant>,
    }

    impl Mailbox {
        fn post(&self, letter: &[u8]) {
            let mut state = self.state.lock().unwrap();
            state.0.push_back(letter.to_vec());
            if let Some(waker) = state.1.take() {
                waker.wake();
            }
        }
    }

    impl Transport for Mailbox {
        type Address = u8;
        type Error = Infallible;

        fn receive(&mut self, _: Instant) -> Result<Option<Datagram<'_, u8>>, Infallible> {
            let Some(letter) = self.state.lock().unwrap().0.pop_front() else { return Ok(None) };
            self.current = letter;
            Ok(Some(Datagram { from: 0, bytes: &self.current }))
        }

        fn send(&mut self, _: Instant, _: u8, _: &[u8]) -> Result<(), Infallible> {
            Ok(())
        }

        fn flush(&mut self, _: Instant) -> Result<(), Infallible> {
            Ok(())
        }

        fn max_datagram_size(&self) -> usize {
            1_200
        }

        fn security(&self, _: u8) -> Security {
            Security::FULL
        }

        fn name(&self, _: u8) -> &'static str {
            "mailbox"
        }

        fn close(&mut self, _: u8) {}

        fn next_deadline(&self) -> Option<Instant> {
            self.deadline
        }
    }

    impl Readiness for Mailbox {
        fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
            let mut state = self.state.lock().unwrap();
            if !state.0.is_empty() {
                return Poll::Ready(());
            }
            state.1 = Some(cx.waker().clone());
            Poll::Pending
        }
    }

    const SHORT: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(10);

    /// How long the wait took.
    async fn wait(mailbox: &mut Mailbox, deadline: Option<Duration>) -> Duration {
        let clock = SystemClock::new();
        let start = clock.now();
        let waiting = readable_or_deadline(mailbox, &clock, deadline.map(|deadline| start + deadline));
        tokio::time::timeout(LONG, waiting).await.expect("nothing woke it");
        clock.now() - start
    }

    #[tokio::test]
    async fn the_deadline_wakes() {
        let waited = wait(&mut Mailbox::default(), Some(SHORT)).await;
        assert!(waited >= SHORT && waited < LONG, "{waited:?}");
    }

    #[tokio::test]
    async fn a_deadline_that_has_passed_does_not_wait() {
        assert!(wait(&mut Mailbox::default(), Some(Duration::ZERO)).await < LONG);
    }

    #[tokio::test]
    async fn the_deadline_of_the_transport_wakes() {
        let mut mailbox = Mailbox { deadline: Some(Instant::ZERO + SHORT), ..Mailbox::default() };
        for deadline in [None, Some(LONG)] {
            let waited = wait(&mut mailbox, deadline).await;
            assert!(waited < LONG / 2, "{waited:?}");
        }
    }

    #[tokio::test]
    async fn a_datagram_wakes() {
        for deadline in [None, Some(LONG)] {
            let mut mailbox = Mailbox::default();
            let post = mailbox.clone();
            let postman = tokio::spawn(async move {
                tokio::time::sleep(SHORT).await;
                post.post(b"ahoy");
            });
            let waited = wait(&mut mailbox, deadline).await;
            assert!(waited >= SHORT / 2 && waited < LONG / 2, "{waited:?}");
            assert_eq!(mailbox.receive(Instant::ZERO).unwrap().unwrap().bytes, b"ahoy");
            postman.await.unwrap();
        }
    }

    #[test]
    fn the_future_may_move_between_threads() {
        fn needs_send<F: Send>(_: F) {}
        needs_send(readable_or_deadline(&mut Mailbox::default(), &SystemClock::new(), None));
    }
}
