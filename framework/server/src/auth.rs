use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use bowline_core::handshake::Caller;
use bowline_core::protocol::decode_exactly;
use bowline_core::transport::Applicant;
use bowline_core::{Admission, Protocol, RejectReason};

/// A client that waits to be let in.
///
/// The ticket is the decision: [`accept`](Self::accept) or [`reject`](Self::reject) it, now or some ticks later, here or on another
/// thread. One that is dropped is refused as [`RejectReason::Undecided`], and so is one that is kept longer than
/// `doorway.decision_timeout`.
#[must_use = "a ticket that is dropped is refused"]
pub struct AuthTicket<P: Protocol, A> {
    /// None once it has been decided.
    auth: Option<P::Auth>,
    address: A,
    verdict: Verdict<P::Auth>,
}

/// Where the ticket leaves the decision, and the server finds it.
struct Verdict<C>(Arc<Mutex<Option<Decision<C>>>>);

/// The credentials of one who may come in, or why it may not.
pub(crate) type Decision<C> = Result<C, RejectReason>;

impl<C> Verdict<C> {
    fn take(&self) -> Option<Decision<C>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The first decision stands.
    fn put(&self, decision: Decision<C>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(decision);
    }
}

impl<P: Protocol, A: Copy> AuthTicket<P, A> {
    /// What the client shows.
    pub fn auth(&self) -> &P::Auth {
        match &self.auth {
            Some(auth) => auth,
            None => unreachable!("`accept` takes the ticket with the credentials"),
        }
    }

    /// Where it calls from.
    pub const fn address(&self) -> A {
        self.address
    }

    /// Lets it in. `Connected` follows with the server's next `send` or `receive`; from then on the credentials are at
    /// [`Server::auth`](crate::Server::auth).
    pub fn accept(mut self) {
        if let Some(auth) = self.auth.take() {
            self.verdict.put(Ok(auth));
        }
    }

    /// Does not; the client is told why.
    pub fn reject(self, reason: RejectReason) {
        self.verdict.put(Err(reason));
    }
}

impl<P: Protocol, A> Drop for AuthTicket<P, A> {
    fn drop(&mut self) {
        // After `accept` or `reject` this comes too late to change anything.
        self.verdict.put(Err(RejectReason::Undecided));
    }
}

impl<P: Protocol, A: fmt::Debug> fmt::Debug for AuthTicket<P, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthTicket").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Who may come in, where finding out takes time: a database, a web service.
///
/// Give one to [`Server::authenticate_with`](crate::Server::authenticate_with) and no `AuthRequested` events come any
/// more. The futures are polled by the server's `receive` and `send`, so that they run wherever the server does;
/// those that need a runtime need the server to be driven within it.
///
/// ```
/// use bowline_core::{Protocol, RejectReason};
/// use bowline_server::{AuthRequest, Authenticate, async_trait};
///
/// struct Open;
///
/// #[async_trait]
/// impl<P: Protocol> Authenticate<P> for Open {
///     async fn authenticate(&self, request: &AuthRequest<P>) -> Result<(), RejectReason> {
///         Ok(())
///     }
/// }
/// ```
#[async_trait]
pub trait Authenticate<P: Protocol>: Send + Sync {
    /// Decides about a client. The server forgets the question after `doorway.decision_timeout`.
    ///
    /// # Errors
    /// The reason that the client is told.
    async fn authenticate(&self, request: &AuthRequest<P>) -> Result<(), RejectReason>;
}

/// A client that wants to be let in.
pub struct AuthRequest<P: Protocol> {
    /// What it shows.
    pub auth: P::Auth,
    /// Where it calls from.
    pub address: String,
    /// By which transport.
    pub transport: &'static str,
}

impl<P: Protocol> fmt::Debug for AuthRequest<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthRequest").field("address", &self.address).finish_non_exhaustive()
    }
}

/// A server's [`Authenticate`] at the door of a transport too: who would be refused later costs nothing then.
///
/// ```
/// # use std::sync::Arc;
/// # use bowline_core::{Admission, Protocol};
/// # use bowline_server::{Authenticate, Server};
/// # fn of<P: Protocol, T: bowline_core::Transport, H: bowline_core::Host>(
/// #     server: &mut Server<P, T, H>, authenticate: Arc<dyn Authenticate<P>>) {
/// let at_the_door: Arc<dyn Admission> = bowline_server::admission(Arc::clone(&authenticate));
/// server.authenticate_with(authenticate);
/// # }
/// ```
#[must_use]
pub fn admission<P: Protocol>(authenticate: Arc<dyn Authenticate<P>>) -> Arc<dyn Admission> {
    Arc::new(AtTheDoor(authenticate))
}

struct AtTheDoor<P: Protocol>(Arc<dyn Authenticate<P>>);

#[async_trait]
impl<P: Protocol> Admission for AtTheDoor<P> {
    async fn admit(&self, applicant: Applicant) -> Result<(), RejectReason> {
        let Ok(auth) = decode_exactly::<P::Auth>(&applicant.credentials) else {
            return Err(RejectReason::InvalidCredentials);
        };
        let request = AuthRequest { auth, address: applicant.address, transport: applicant.transport };
        self.0.authenticate(&request).await
    }
}

/// The decisions that are being made, in the order in which they were asked for.
pub(crate) struct Decisions<P: Protocol, A> {
    waiting: Vec<(Caller<A>, Source<P::Auth>)>,
}

enum Source<C> {
    Ticket(Verdict<C>),
    /// Behind a lock that nobody holds, so that a server can be looked at from several threads though a future cannot.
    Lookup(Mutex<Pin<Box<dyn Future<Output = Decision<C>> + Send>>>),
}

impl<P: Protocol, A: bowline_core::Address> Decisions<P, A> {
    pub(crate) const fn new() -> Self {
        Self { waiting: Vec::new() }
    }

    pub(crate) fn ticket(&mut self, caller: Caller<A>, auth: P::Auth) -> AuthTicket<P, A> {
        let shared = Arc::default();
        self.waiting.push((caller, Source::Ticket(Verdict(Arc::clone(&shared)))));
        AuthTicket { auth: Some(auth), address: caller.address(), verdict: Verdict(shared) }
    }

    pub(crate) fn look_up(
        &mut self,
        caller: Caller<A>,
        authenticate: Arc<dyn Authenticate<P>>,
        request: AuthRequest<P>,
    ) {
        let lookup =
            Box::pin(async move { authenticate.authenticate(&request).await.map(|()| request.auth) });
        self.waiting.push((caller, Source::Lookup(Mutex::new(lookup))));
    }

    /// The decisions that have been made since the last call, in the order in which they were asked for.
    pub(crate) fn take_made(&mut self) -> Vec<(Caller<A>, Decision<P::Auth>)> {
        let mut cx = Context::from_waker(Waker::noop());
        let mut made = Vec::new();
        self.waiting.retain_mut(|(caller, source)| {
            let decision = match source {
                Source::Ticket(verdict) => verdict.take(),
                Source::Lookup(lookup) => match poll(lookup, &mut cx) {
                    Poll::Ready(decision) => Some(decision),
                    Poll::Pending => None,
                },
            };
            let waits = decision.is_none();
            made.extend(decision.map(|decision| (*caller, decision)));
            waits
        });
        made
    }

    /// Nobody waits for this decision any more.
    pub(crate) fn forget(&mut self, caller: Caller<A>) {
        self.waiting.retain(|(waiting, _)| *waiting != caller);
    }

    /// Whether a look-up has to be asked again whether it is done.
    pub(crate) fn has_lookups(&self) -> bool {
        self.waiting.iter().any(|(_, source)| matches!(source, Source::Lookup(_)))
    }
}

fn poll<C>(
    lookup: &mut Mutex<Pin<Box<dyn Future<Output = Decision<C>> + Send>>>,
    cx: &mut Context<'_>,
) -> Poll<Decision<C>> {
    lookup.get_mut().unwrap_or_else(PoisonError::into_inner).as_mut().poll(cx)
}
