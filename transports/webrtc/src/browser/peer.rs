use std::rc::Rc;

use js_sys::{Array, ArrayBuffer, Uint8Array};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    Event, MessageEvent, RtcConfiguration, RtcDataChannel, RtcDataChannelInit, RtcDataChannelState,
    RtcDataChannelType, RtcIceConnectionState, RtcIceServer, RtcPeerConnection, RtcPeerConnectionState,
};

use super::link::{Failing, Link, Step};
use crate::data_channel::{LABEL, MAX_DATAGRAM, MAX_RETRANSMITS, STREAM};
use crate::{Error, IceServer};

/// A peer connection of the browser, its one channel, and what they call back. Closed when it is dropped.
pub(super) struct Peer {
    connection: RtcPeerConnection,
    channel: RtcDataChannel,
    link: Rc<Link>,
    /// Kept for as long as the browser may call them.
    _callbacks: Vec<Closure<dyn FnMut(Event)>>,
}

impl Peer {
    pub(super) fn new(ice_servers: &[IceServer], link: &Rc<Link>) -> Result<Self, Error> {
        let configuration = RtcConfiguration::new();
        configuration.set_ice_servers(&servers(ice_servers));
        let connection =
            RtcPeerConnection::new_with_configuration(&configuration).map_err(|why| broken(&why))?;

        let init = RtcDataChannelInit::new();
        init.set_ordered(false);
        init.set_max_retransmits(MAX_RETRANSMITS);
        init.set_negotiated(true);
        init.set_id(STREAM);
        let channel = connection.create_data_channel_with_data_channel_dict(LABEL, &init);
        channel.set_binary_type(RtcDataChannelType::Arraybuffer);
        channel.set_buffered_amount_low_threshold(MAX_BUFFERED / 2);

        let mut peer = Self { connection, channel, link: Rc::clone(link), _callbacks: Vec::new() };
        peer.listen();
        Ok(peer)
    }

    /// The browser's object, for the set-up. It may outlive the peer, and is closed then.
    pub(super) fn connection(&self) -> RtcPeerConnection {
        self.connection.clone()
    }

    /// Sends a datagram, or has it wait for room.
    pub(super) fn send(&self, datagram: &[u8]) {
        if self.link.next_to_send_len().is_none() && has_room(&self.channel, datagram.len()) {
            self.link.count_sent(self.channel.send_with_u8_array(datagram).is_ok());
        } else {
            self.link.wait_to_be_sent(datagram);
        }
    }

    /// Sends what waits, as far as there is room.
    pub(super) fn pump(&self) {
        pump(&self.channel, &self.link);
    }

    fn listen(&mut self) {
        let (link, channel) = (Rc::clone(&self.link), self.channel.clone());
        let on_open = callback(move |_| {
            link.open();
            pump(&channel, &link);
        });
        self.channel.set_onopen(Some(on_open.as_ref().unchecked_ref()));

        let link = Rc::clone(&self.link);
        let on_message = callback(move |event| match datagram(&event) {
            Some(datagram) => link.arrived(datagram),
            None => link.arrived_unfit(),
        });
        self.channel.set_onmessage(Some(on_message.as_ref().unchecked_ref()));

        let (link, channel) = (Rc::clone(&self.link), self.channel.clone());
        let on_room = callback(move |_| pump(&channel, &link));
        self.channel.set_onbufferedamountlow(Some(on_room.as_ref().unchecked_ref()));

        let link = Rc::clone(&self.link);
        let on_close = callback(move |_| link.fail(Failing::GivenUp));
        self.channel.set_onclose(Some(on_close.as_ref().unchecked_ref()));

        let (link, connection) = (Rc::clone(&self.link), self.connection.clone());
        let on_ice = callback(move |_| match connection.ice_connection_state() {
            RtcIceConnectionState::Connected | RtcIceConnectionState::Completed => {
                link.advance(Step::Encrypting);
            }
            RtcIceConnectionState::Failed => link.fail(Failing::GivenUp),
            // A path that is lost may come back; the session knows how long to wait for it.
            _ => {}
        });
        self.connection.set_oniceconnectionstatechange(Some(on_ice.as_ref().unchecked_ref()));

        let (link, connection) = (Rc::clone(&self.link), self.connection.clone());
        let on_state = callback(move |_| match connection.connection_state() {
            RtcPeerConnectionState::Connected => link.advance(Step::Opening),
            RtcPeerConnectionState::Failed | RtcPeerConnectionState::Closed => link.fail(Failing::GivenUp),
            _ => {}
        });
        self.connection.set_onconnectionstatechange(Some(on_state.as_ref().unchecked_ref()));

        self._callbacks = vec![on_open, on_message, on_room, on_close, on_ice, on_state];
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // First of all nobody is called back any more: an event for a callback that is gone is an error of the page.
        self.channel.set_onopen(None);
        self.channel.set_onmessage(None);
        self.channel.set_onbufferedamountlow(None);
        self.channel.set_onclose(None);
        self.connection.set_oniceconnectionstatechange(None);
        self.connection.set_onconnectionstatechange(None);
        self.channel.close();
        // Without this a browser keeps the connection, and its port, until it collects its garbage.
        self.connection.close();
    }
}

impl std::fmt::Debug for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Peer").field("link", &self.link).finish_non_exhaustive()
    }
}

/// So much may wait in the browser, in bytes: what is in there can be neither replaced nor taken back, so it is little; and
/// more than a browser sends before it says so.
const MAX_BUFFERED: u32 = 16 << 10;

/// A server of ours sends no more. Larger messages are not copied at all.
const MAX_MESSAGE: u32 = MAX_DATAGRAM as u32;

fn has_room(channel: &RtcDataChannel, bytes: usize) -> bool {
    let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
    channel.ready_state() == RtcDataChannelState::Open
        && channel.buffered_amount().saturating_add(bytes) <= MAX_BUFFERED
}

fn pump(channel: &RtcDataChannel, link: &Link) {
    while link.next_to_send_len().is_some_and(|bytes| has_room(channel, bytes)) {
        let Some(datagram) = link.next_to_send() else { break };
        link.count_sent(channel.send_with_u8_array(&datagram).is_ok());
    }
}

/// The bytes of a message, if that is a datagram of ours.
fn datagram(event: &Event) -> Option<Vec<u8>> {
    let buffer: ArrayBuffer = event.dyn_ref::<MessageEvent>()?.data().dyn_into().ok()?;
    (buffer.byte_length() <= MAX_MESSAGE).then(|| Uint8Array::new(&buffer).to_vec())
}

fn callback(call: impl FnMut(Event) + 'static) -> Closure<dyn FnMut(Event)> {
    Closure::new(call)
}

fn servers(ice_servers: &[IceServer]) -> Array {
    let servers = ice_servers.iter().map(|server| {
        let init = RtcIceServer::new();
        init.set_urls(&JsValue::from_str(&server.url));
        if !server.username.is_empty() {
            init.set_username(&server.username);
            init.set_credential(&server.credential);
        }
        init
    });
    servers.collect()
}

/// What the browser says, as an error.
pub(super) fn broken(why: &JsValue) -> Error {
    Error::Broken { why: said(why) }
}

/// What the browser says.
pub(super) fn said(why: &JsValue) -> String {
    match why.dyn_ref::<js_sys::Error>() {
        Some(error) => error.message().into(),
        None => format!("{why:?}"),
    }
}
