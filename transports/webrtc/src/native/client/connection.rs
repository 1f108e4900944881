//! The life of a session on the engine's thread: set up, carry datagrams, close.

use std::sync::Arc;

use webrtc::data_channel::{DataChannel, DataChannelEvent};

use super::engine::Engine;
use super::session::Session;
use super::set_up::{MAX_BUFFERED, Peer, Plan, Stage};
use crate::Error;

/// Begins a session in the background. If there is no engine for it, it has failed already.
pub(super) fn begin(plan: &Arc<Plan>) -> Arc<Session> {
    let session = Arc::new(Session::default());
    match Engine::get() {
        Ok(engine) => {
            let end = FailsAtLast(session.clone());
            engine.spawn(live(engine.clone(), plan.clone(), end));
        }
        Err(error) => session.fail(Error::Broken { why: error.to_string() }),
    }
    session
}

/// A session whose task has ended has failed, however it ended: a socket must not wait for ever.
struct FailsAtLast(Arc<Session>);

impl Drop for FailsAtLast {
    fn drop(&mut self) {
        if self.0.failure().is_none() {
            self.0.fail(Error::ChannelClosed);
        }
    }
}

async fn live(engine: Arc<Engine>, plan: Arc<Plan>, session: FailsAtLast) {
    let session = &session.0;
    // What making and setting up a connection needs is some 40 KB, and behind a pointer it is given back afterwards.
    let mut peer = match Box::pin(Peer::new(&plan, engine)).await {
        Ok(peer) => peer,
        Err(error) => return session.fail(error),
    };
    let stage = Stage::default();
    let set_up = Box::pin(peer.set_up(&plan, &stage));
    let channel = tokio::select! {
        result = set_up => result,
        () = tokio::time::sleep(plan.deadline()) => Err(stage.timed_out(plan.deadline())),
        () = session.until_end() => return,
    };
    let channel = match channel {
        Ok(channel) => channel,
        Err(error) => return session.fail(error),
    };
    session.opened();
    tokio::select! {
        error = carry(session, &channel) => {
            if let Some(error) = error {
                session.fail(error);
            }
        }
        () = peer.until_failed() => session.fail(Error::ChannelClosed),
    }
}

/// Carries datagrams both ways until the socket ends the session (`None`) or the channel closes.
async fn carry(session: &Session, channel: &Arc<dyn DataChannel>) -> Option<Error> {
    let mut full = false;
    loop {
        if !full {
            full = match send_waiting(session, channel).await {
                Ok(all) => !all,
                Err(_) => return Some(Error::ChannelClosed),
            };
        }
        if session.has_ended() {
            return None;
        }
        tokio::select! {
            event = channel.poll() => match event {
                Some(DataChannelEvent::OnMessage(message)) => session.arrived(message),
                Some(DataChannelEvent::OnClose) | None => return Some(Error::ChannelClosed),
                Some(_) => {}
            },
            () = session.work() => {}
            writable = channel.writable(), if full => match writable {
                Ok(()) => full = false,
                Err(_) => return Some(Error::ChannelClosed),
            },
        }
    }
}

/// Hands what waits to the channel, as long as that holds little; whether that was all.
async fn send_waiting(session: &Session, channel: &Arc<dyn DataChannel>) -> webrtc::error::Result<bool> {
    while let Some(datagram) = session.next_outgoing() {
        // The same rule as `writable`'s. `try_send` has another, which can say no where `writable` says yes.
        if channel.outstanding_bytes().await? >= MAX_BUFFERED {
            session.put_back(datagram);
            return Ok(false);
        }
        channel.send(datagram.as_slice().into()).await?;
        session.sent(datagram);
    }
    Ok(true)
}
