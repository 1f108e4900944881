//! The async driver: a server or a client as a task that sleeps until it has something to do.

use std::future::{Future, pending, poll_fn};
use std::ops::ControlFlow;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use bowline_client::{Client, ClientEvent};
use bowline_core::{ClientTransport, Clock, Instant, Protocol, Readiness};
use bowline_server::{Server, ServerEvent};

use crate::{SystemClock, readable_or_deadline};
use sealed::Machine;

/// Runs a [`Server`] or a [`Client`] on a Tokio runtime: sleeps until a datagram arrives or something is due, then
/// `receive`, the handler for every event, `send`. An idle server wakes for its ticks and for the heartbeats of its
/// users, and for nothing else.
///
/// The handler is given the server or the client, so that it can answer at once, and the event. What it returns says
/// whether to go on ([`Flow`]). [`ServerEvent::Tick`] is where a game simulates.
///
/// ```
/// # async fn of<P: bowline_core::Protocol, T: bowline_core::Readiness>(
/// #     mut server: bowline_server::Server<P, T, bowline_platform::SystemClock>) {
/// use bowline_platform::Drive;
/// use bowline_server::ServerEvent;
///
/// server.run(|server, event| match event {
///     ServerEvent::AuthRequested(ticket) => ticket.accept(),
///     ServerEvent::Message(user, _) => server.disconnect(user, "no talking"),
///     _ => {}
/// }).await;
/// # }
/// ```
///
/// Needs a runtime with its timer, and with IO where the transport has it (UDP). Dropping the future half-way loses
/// nothing: run it again, or go on by hand.
///
/// Implemented for servers and clients on the [`SystemClock`]; nobody else can.
pub trait Drive: Machine + Sized {
    /// Runs until the handler ends it, or until nothing can happen any more: a server that does not listen, a client
    /// that is disconnected, has said so, and will not reconnect by its policy. Gives what the handler ended it
    /// with, or [`Flow::go_on`].
    ///
    /// When the handler ends it, what it has sent goes out; events after that one wait for the next run.
    fn run<F, R>(&mut self, handler: F) -> impl Future<Output = R>
    where
        F: FnMut(&mut Self, Self::Event) -> R,
        R: Flow,
    {
        self.run_until(pending(), handler)
    }

    /// As [`run`](Self::run), and until `stop` is ready. Then it says goodbye and ends when that has been heard, as far as
    /// one can know: half a second for a server, which lets nobody in from then on
    /// ([`Server::shut_down`]). The handler sees the last events too.
    ///
    /// ```no_run
    /// # async fn of<P: bowline_core::Protocol, T: bowline_core::Readiness>(
    /// #     mut server: bowline_server::Server<P, T, bowline_platform::SystemClock>,
    /// #     ctrl_c: impl Future<Output = ()>) {
    /// # use bowline_platform::Drive;
    /// server.run_until(ctrl_c, |server, event| { /* .. */ }).await;
    /// # }
    /// ```
    fn run_until<F, R>(&mut self, stop: impl Future<Output = ()>, mut handler: F) -> impl Future<Output = R>
    where
        F: FnMut(&mut Self, Self::Event) -> R,
        R: Flow,
    {
        async move {
            let mut stop = pin!(stop);
            let mut hurried = 0;
            loop {
                if let Some(end) = turn(self, &mut handler) {
                    return end;
                }
                let Some(deadline) = self.next_deadline() else { return R::go_on() };
                match sleep(self, deadline, stop.as_mut(), &mut hurried).await {
                    Woken::ByWork => {}
                    Woken::ByStop => break,
                }
            }
            self.say_goodbye();
            let until = self.clock().map_or(Instant::ZERO, |clock| clock.now() + FAREWELL);
            loop {
                if let Some(end) = turn(self, &mut handler) {
                    return end;
                }
                let is_over = self.clock().is_none_or(|clock| clock.now() >= until);
                let Some(deadline) = self.next_deadline().filter(|_| !is_over) else { return R::go_on() };
                sleep(self, deadline.min(until), pin!(pending()), &mut hurried).await;
            }
        }
    }
}

impl<M: Machine> Drive for M {}

/// What a handler returns: whether to go on, and what to end with.
///
/// * `()`: it always goes on; [`Drive::run_until`] stops it from outside.
/// * [`ControlFlow<B>`]: it goes on with `Continue`, and ends with `Break`.
/// * `Result<(), E>`: it goes on with `Ok`, and ends with `Err`, so that `?` works in it.
pub trait Flow {
    /// The value that goes on.
    fn go_on() -> Self;
    /// Whether this one ends it.
    fn is_end(&self) -> bool;
}

impl Flow for () {
    fn go_on() -> Self {}

    fn is_end(&self) -> bool {
        false
    }
}

impl<B> Flow for ControlFlow<B> {
    fn go_on() -> Self {
        Self::Continue(())
    }

    fn is_end(&self) -> bool {
        self.is_break()
    }
}

impl<E> Flow for Result<(), E> {
    fn go_on() -> Self {
        Ok(())
    }

    fn is_end(&self) -> bool {
        self.is_err()
    }
}

/// For how long goodbyes are repeated: their copies take 300 ms.
const FAREWELL: Duration = Duration::from_millis(500);

/// After so many turns without a pause, a pause: under a flood, and on a socket that is broken, the other tasks of the
/// thread run too.
const MAX_HURRIED: u32 = 64;
const PAUSE: Duration = Duration::from_millis(1);

mod sealed {
    use bowline_core::{Instant, Readiness};

    use crate::SystemClock;

    /// What servers and clients have in common to be driven.
    pub trait Machine {
        /// What happens to it.
        type Event;
        type Transport: Readiness;

        fn receive(&mut self);
        fn next_event(&mut self) -> Option<Self::Event>;
        fn send(&mut self);
        /// `None` where nothing can happen any more.
        fn next_deadline(&self) -> Option<Instant>;
        fn clock(&mut self) -> Option<SystemClock>;
        fn transport_mut(&mut self) -> Option<&mut Self::Transport>;
        /// Ends what is connected, and lets nobody in.
        fn say_goodbye(&mut self);
    }
}

impl<P: Protocol, T: Readiness> Machine for Server<P, T, SystemClock> {
    type Event = ServerEvent<P, T::Address>;
    type Transport = T;

    fn receive(&mut self) {
        self.receive();
    }

    fn next_event(&mut self) -> Option<Self::Event> {
        self.next_event()
    }

    fn send(&mut self) {
        self.send();
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.next_deadline()
    }

    fn clock(&mut self) -> Option<SystemClock> {
        Some(self.host_mut().clone())
    }

    fn transport_mut(&mut self) -> Option<&mut T> {
        self.transport_mut()
    }

    fn say_goodbye(&mut self) {
        self.shut_down();
    }
}

impl<P: Protocol, T: ClientTransport + Readiness> Machine for Client<P, T, SystemClock> {
    type Event = ClientEvent<P>;
    type Transport = T;

    fn receive(&mut self) {
        self.receive();
    }

    fn next_event(&mut self) -> Option<Self::Event> {
        self.next_event()
    }

    fn send(&mut self) {
        self.send();
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.next_deadline()
    }

    fn clock(&mut self) -> Option<SystemClock> {
        self.host_mut().map(|clock| clock.clone())
    }

    fn transport_mut(&mut self) -> Option<&mut T> {
        self.transport_mut()
    }

    fn say_goodbye(&mut self) {
        self.disconnect();
    }
}

/// One turn of the loop; what the handler ended it with, if it did.
fn turn<M: Machine, R: Flow>(machine: &mut M, mut handler: impl FnMut(&mut M, M::Event) -> R) -> Option<R> {
    machine.receive();
    let mut end = None;
    while let Some(event) = machine.next_event() {
        let flow = handler(machine, event);
        if flow.is_end() {
            end = Some(flow);
            break;
        }
    }
    machine.send();
    end
}

/// Why a sleep ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Woken {
    /// Probably there is something to do.
    ByWork,
    ByStop,
}

/// Sleeps until there is probably something to do, or until `stop`.
async fn sleep<M: Machine>(
    machine: &mut M,
    deadline: Instant,
    mut stop: Pin<&mut impl Future<Output = ()>>,
    hurried: &mut u32,
) -> Woken {
    let Some(clock) = machine.clock() else { return Woken::ByWork };
    let Some(transport) = machine.transport_mut() else {
        // Nothing can arrive.
        tokio::time::sleep(deadline - clock.now()).await;
        return Woken::ByWork;
    };
    if *hurried >= MAX_HURRIED {
        *hurried = 0;
        tokio::time::sleep(PAUSE).await;
    }
    let mut slept = false;
    let mut work = pin!(readable_or_deadline(transport, &clock, Some(deadline)));
    let woken = poll_fn(|cx| {
        if stop.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Woken::ByStop);
        }
        let work = work.as_mut().poll(cx);
        slept |= work.is_pending();
        work.map(|()| Woken::ByWork)
    })
    .await;
    *hurried = if slept { 0 } else { *hurried + 1 };
    woken
}
