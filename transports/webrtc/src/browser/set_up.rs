//! Offer, signalling, answer. After that the browser and the server find each other by themselves.

use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{RtcPeerConnection, RtcSdpType, RtcSessionDescriptionInit};

use super::fetch::Fetch;
use super::link::{Link, Step};
use super::peer::broken;
use super::{candidates, fetch};
use crate::{Answer, Destination, Error, Offer};

/// Begins a set-up, which goes on by itself. The link tells how it goes; when that ends, the set-up is dropped wherever it
/// is.
pub(super) fn begin(connection: RtcPeerConnection, destination: Rc<Destination>, link: Rc<Link>) {
    spawn_local(async move {
        let mut set_up = pin!(set_up(&connection, &destination, &link));
        let mut given_up = pin!(link.ended());
        let failed = poll_fn(|cx| {
            if given_up.as_mut().poll(cx).is_ready() {
                return Poll::Ready(None);
            }
            set_up.as_mut().poll(cx).map(Result::err)
        });
        if let Some(why) = failed.await {
            link.end(why);
        }
    });
}

async fn set_up(connection: &RtcPeerConnection, destination: &Destination, link: &Link) -> Result<(), Error> {
    let offer = offer(connection).await.map_err(|why| broken(&why))?;
    let url = destination.endpoint();
    link.advance(Step::Signaling { url: url.clone() });
    let Answer { sdp } = exchange(destination, &url, offer).await?;

    let candidates = candidates::of_answer(&sdp);
    let hint = candidates::hint(&candidates, &fetch::host_of(&url), &browser());
    link.advance(Step::Connecting { tried: candidates::shown(&candidates), hint });
    let answer = RtcSessionDescriptionInit::new(RtcSdpType::Answer);
    answer.set_sdp(&sdp);
    JsFuture::from(connection.set_remote_description(&answer)).await.map_err(|why| broken(&why))?;
    Ok(())
}

/// An offer without a candidate: the server finds out where we are when our first packet comes, and waits for nothing
/// else. To wait for candidates would be to wait for every network interface.
async fn offer(connection: &RtcPeerConnection) -> Result<String, JsValue> {
    let offer = JsFuture::from(connection.create_offer()).await?;
    let offer: RtcSessionDescriptionInit = offer.unchecked_into();
    JsFuture::from(connection.set_local_description(&offer)).await?;
    let sdp = Reflect::get(&offer, &JsValue::from_str("sdp"))?;
    sdp.as_string().ok_or_else(|| JsValue::from_str("the browser made an offer without a description"))
}

async fn exchange(destination: &Destination, url: &str, sdp: String) -> Result<Answer, Error> {
    let offer = Offer { sdp, authorization: destination.authorization.clone() };
    let answer = match &destination.signaling {
        Some(signaling) => signaling.exchange(offer).await,
        None => Fetch { url: url.to_owned() }.exchange(offer).await,
    };
    Ok(answer?)
}

/// What the browser calls itself.
fn browser() -> String {
    web_sys::window().and_then(|window| window.navigator().user_agent().ok()).unwrap_or_default()
}
