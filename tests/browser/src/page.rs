//! The client in the browser. What happens to it goes into `window.story`; what is in `window.commands` it does.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bowline::prelude::*;
use bowline::transport::webrtc::browser::Ticker;
use bowline::transport::webrtc::{ClientSocket, Destination, IceServer, Socket};
use bowline::{RequestOf, SendError};
use js_sys::{Array, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{UrlSearchParams, Window};

use crate::protocol::old::OldHarbour;
use crate::protocol::{
    Crowd, Harbour, HarbourMessage, Login, MODES, Name, Note, OrderedReliable, Place, Question,
    SequencedReliable, SequencedUnreliable, TickBuffered, UnorderedReliable, UnorderedUnreliable,
};

/// Connects as the address of the page says: `?server=..&name=..`, and does what it is told.
pub fn start() {
    std::panic::set_hook(Box::new(|why| {
        tell(&format!("panic: {why}"));
        web_sys::console::error_1(&JsValue::from(why.to_string()));
    }));
    match parameter("protocol").as_deref() {
        Some("old") => play::<OldHarbour>(),
        _ => play::<Harbour>(),
    }
}

/// What the two protocols of these tests do differently.
trait Spoken: Protocol<Auth = Login> + 'static {
    /// Does what it is told.
    fn obey(player: &mut Player<Self>, command: &str) -> Result<(), String>;
    /// A message, in words.
    fn words(message: Self::Message) -> String;
    /// What is in sight, a line each.
    fn sights(client: &Client<Self, ClientSocket>) -> Vec<String>;
}

struct Player<P: Spoken> {
    client: Client<P, ClientSocket>,
    pending: Option<PendingResponse<Question>>,
    started: f64,
    turns: u32,
}

fn play<P: Spoken>() {
    let player = Rc::new(RefCell::new(Player::<P>::new()));
    if let Err(why) = player.borrow_mut().connect() {
        tell(&format!("no socket: {why}"));
        show(&why);
    }
    let ticker = Ticker::start(Duration::from_millis(5), move || player.borrow_mut().turn());
    tell(&format!("ticker in a worker: {}", ticker.runs_in_background()));
    // For as long as the page is there.
    std::mem::forget(ticker);
}

impl<P: Spoken> Player<P> {
    fn new() -> Self {
        let mut config = ClientConfig::default();
        config.reconnect = Some(ReconnectPolicy {
            base_delay: Duration::from_millis(200),
            max_attempts: parameter("attempts").and_then(|attempts| attempts.parse().ok()),
            ..ReconnectPolicy::default()
        });
        Self { client: Client::new(config), pending: None, started: 0.0, turns: 0 }
    }

    fn connect(&mut self) -> Result<(), String> {
        let mut destination = Destination::new(parameter("server").unwrap_or_default());
        if let Some(credentials) = parameter("authorization") {
            destination = destination.with_authorization(credentials);
        }
        if let Some(server) = parameter("ice") {
            destination = destination.with_ice_server(IceServer::new(server));
        }
        self.started = now();
        let socket = Socket::new(destination, self.client.socket_config()).map_err(|why| why.to_string())?;
        let name = parameter("name").unwrap_or_default();
        self.client.connect(socket, Login { name }).map_err(|why| why.to_string())
    }

    fn turn(&mut self) {
        self.turns += 1;
        set("turns", &self.turns.into());
        self.client.receive();
        while let Some(event) = self.client.next_event() {
            self.hear(event);
        }
        if let Some(answer) = self.pending.as_mut().and_then(PendingResponse::try_take) {
            self.pending = None;
            tell(&match answer {
                Ok(answer) => format!("answer {}", answer.number),
                Err(why) => format!("no answer: {why}"),
            });
        }
        while let Some(command) = next_command() {
            if let Err(why) = P::obey(self, &command) {
                tell(&format!("cannot {command}: {why}"));
            }
        }
        self.client.send();
        let sights: Array = P::sights(&self.client).iter().map(|line| JsValue::from_str(line)).collect();
        set("world", &sights);
    }

    fn hear(&mut self, event: ClientEvent<P>) {
        match event {
            ClientEvent::Connected => tell(&format!("connected after {:.0} ms", now() - self.started)),
            ClientEvent::Message(message) => tell(&P::words(message)),
            ClientEvent::Rejected(reason) => {
                tell(&format!("rejected: {reason}"));
                show(&reason.to_string());
            }
            ClientEvent::Disconnected(reason) => {
                let why =
                    self.client.transport_failure().map_or_else(|| reason.to_string(), ToString::to_string);
                tell(&format!("disconnected ({}): {why}", reason.name()));
                show(&why);
            }
            ClientEvent::Reconnecting { attempt, .. } => {
                self.started = now();
                tell(&format!("reconnecting {attempt}"));
            }
            _ => {}
        }
    }

    /// What every protocol can.
    fn obey_in_any(&mut self, command: &str) -> Result<(), String> {
        match command {
            "leave" => self.client.disconnect(),
            // As a page that is busy: the browser's events wait.
            "stall" => {
                let until = now() + 3_000.0;
                while now() < until {}
            }
            "statistics" => {
                let statistics = self.client.transport_mut().map(|socket| socket.statistics());
                tell(&format!("{statistics:?}"));
            }
            _ => return Err("this is no command".to_owned()),
        }
        Ok(())
    }
}

impl Spoken for Harbour {
    fn obey(player: &mut Player<Self>, command: &str) -> Result<(), String> {
        let mut words = command.splitn(3, ' ');
        match (words.next(), words.next(), words.next()) {
            (Some("say"), Some(mode), Some(text)) => say(&mut player.client, mode, text.to_owned()),
            (Some("say-long"), Some(mode), Some(bytes)) => {
                say(&mut player.client, mode, "x".repeat(bytes.parse().unwrap_or(0)))
            }
            (Some("ask"), Some(number), None) => {
                let question = Question { number: number.parse().unwrap_or(0) };
                player.pending = Some(ask(&mut player.client, question)?);
                Ok(())
            }
            _ => player.obey_in_any(command),
        }
    }

    fn words(message: HarbourMessage) -> String {
        let HarbourMessage::Note(note) = message;
        let mode = MODES.get(usize::from(note.mode)).unwrap_or(&"?");
        // A long text is told by its length.
        if note.text.len() > 100 {
            format!("{mode}: {} bytes", note.text.len())
        } else {
            format!("{mode}: {}", note.text)
        }
    }

    fn sights(client: &Client<Self, ClientSocket>) -> Vec<String> {
        let things = client.world().query::<(&Place, &Name)>();
        let mut lines: Vec<_> =
            things.map(|(_, (place, name))| format!("{} at {:.0}", name.name, place.x)).collect();
        lines.extend(client.resource::<Crowd>().map(|crowd| format!("{} users", crowd.users)));
        lines.sort();
        lines
    }
}

impl Spoken for OldHarbour {
    fn obey(player: &mut Player<Self>, command: &str) -> Result<(), String> {
        player.obey_in_any(command)
    }

    fn words(message: Self::Message) -> String {
        format!("{message:?}")
    }

    fn sights(_: &Client<Self, ClientSocket>) -> Vec<String> {
        Vec::new()
    }
}

fn say(client: &mut Client<Harbour, ClientSocket>, mode: &str, text: String) -> Result<(), String> {
    let mut connected = client.connected().ok_or("there is no session")?;
    let index = MODES.iter().position(|name| *name == mode).ok_or("there is no such mode")?;
    let note = Note { mode: index as u8, text };
    let said = match index {
        0 => connected.send::<UnorderedUnreliable>(note),
        1 => connected.send::<SequencedUnreliable>(note),
        2 => connected.send::<UnorderedReliable>(note),
        3 => connected.send::<SequencedReliable>(note),
        4 => connected.send::<OrderedReliable>(note),
        _ => connected.send::<TickBuffered>(note),
    };
    said.map_err(|unsent| SendError::from(unsent).to_string())
}

fn ask<R: RequestOf<Harbour>>(
    client: &mut Client<Harbour, ClientSocket>,
    request: R,
) -> Result<PendingResponse<R>, String> {
    let mut connected = client.connected().ok_or("there is no session")?;
    connected.request::<OrderedReliable, R>(request).map_err(|unsent| SendError::from(unsent).to_string())
}

fn window() -> Window {
    web_sys::window().expect("a page has a window")
}

fn now() -> f64 {
    js_sys::Date::now()
}

fn parameter(name: &str) -> Option<String> {
    let search = window().location().search().ok()?;
    UrlSearchParams::new_with_str(&search).ok()?.get(name)
}

fn array(name: &str) -> Array {
    Reflect::get(&window(), &name.into()).expect("`index.html` has it").unchecked_into()
}

fn set(name: &str, value: &JsValue) {
    Reflect::set(&window(), &name.into(), value).expect("a window can have anything");
}

fn tell(line: &str) {
    array("story").push(&line.into());
}

fn next_command() -> Option<String> {
    array("commands").shift().as_string()
}

/// Why there is no session, for people.
fn show(why: &str) {
    let reason = window().document().and_then(|document| document.get_element_by_id("reason"));
    reason.expect("`index.html` has it").set_text_content(Some(why));
}
