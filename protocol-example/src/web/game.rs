use std::time::Duration;

use bowline::prelude::*;
use bowline::transport::webrtc;
use web_sys::UrlSearchParams;

use super::helm::Helm;
use super::page::{Page, State, window};
use super::sea::Sea;
use crate::game::{ClientNews, ClientSide};
use crate::protocol::{Login, TOKEN};

/// The client of this page, and what its news does to it.
#[derive(Debug)]
pub(super) struct Game<C> {
    page: Page,
    client: C,
    pub(super) helm: Helm,
    sea: Sea,
    /// When the figures are to be written next, in milliseconds of the page.
    figures_at: f64,
}

impl<C: super::Client> Game<C> {
    pub(super) fn new(page: Page) -> Self {
        page.show_state(&State::Ashore, "");
        Self { sea: Sea::default(), client: client(), helm: Helm::default(), page, figures_at: 0.0 }
    }

    pub(super) const fn page(&self) -> &Page {
        &self.page
    }

    /// Where the address of the page has a name in it (`?name=Ann`), that one plays at once.
    pub(super) fn join_by_address(&mut self) {
        if let Some(name) = parameter("name") {
            self.page.name.set_value(&name);
            self.join();
        }
    }

    // ANCHOR: join
    pub(super) fn join(&mut self) {
        let name = self.page.name.value().trim().to_owned();
        // The server that this page came from, unless the address of the page names another (`?server=https://..`).
        let server = parameter("server").unwrap_or_else(|| window().location().origin().unwrap_or_default());
        self.client = client();
        let socket = match webrtc::Socket::new(server, self.client.socket_config()) {
            Ok(socket) => socket,
            Err(error) => return self.page.show_state(&State::Refused, &error.to_string()),
        };
        match self.client.connect(socket, Login { name, token: TOKEN.to_owned() }) {
            Ok(()) => self.page.show_state(&State::Connecting, ""),
            Err(error) => self.page.show_state(&State::Refused, &error.to_string()),
        }
    }
    // ANCHOR_END: join

    pub(super) fn say(&mut self) {
        let text = self.page.line.value();
        match self.client.say(&text) {
            Ok(()) => {
                self.page.log(&format!("you: {text}"));
                self.page.line.set_value("");
            }
            Err(error) => self.page.log(&format!("not sent: {error}")),
        }
    }

    pub(super) fn leave(&mut self) {
        self.client.leave();
        self.turn();
    }

    /// One turn of the client.
    pub(super) fn turn(&mut self) {
        self.client.steer_by_hand(self.helm.steer());
        for news in self.client.frame() {
            self.show(news);
        }
    }

    pub(super) fn draw(&mut self, millis: f64) {
        self.turn();
        self.sea.draw(&self.page.canvas, self.client.sights(), self.client.ship(), self.helm.stick(), millis);
        if millis >= self.figures_at {
            self.figures_at = millis + 500.0;
            self.page.show_figures(&format!("{}\n{}", self.whereabouts(), figures(&self.client.stats())));
        }
    }

    /// Where our ship is.
    fn whereabouts(&self) -> String {
        match self.client.place() {
            Some(at) => format!("ship        {:.1} m east, {:.1} m north in the {}", at.x, at.y, at.room),
            None => "ship        none".to_owned(),
        }
    }

    fn show(&self, news: ClientNews) {
        match news {
            ClientNews::Connected => self.page.show_state(&State::Connected, ""),
            ClientNews::Rejected(reason) => self.page.show_state(&State::Refused, &reason.to_string()),
            ClientNews::Disconnected { reason, .. } => {
                // The transport's own error says more than that it has closed.
                let why = self.client.transport_failure().unwrap_or_else(|| reason.to_string());
                self.page.show_state(&State::Ended, &why);
            }
            ClientNews::Reconnecting { attempt, after } => {
                let why = self.client.transport_failure().unwrap_or_default();
                let seconds = after.as_secs_f64();
                self.page.show_state(&State::Reconnecting { attempt, seconds }, &why);
            }
            ClientNews::Scores(scores) => self.page.show_scores(&scores),
            ClientNews::Said { name, text } => self.page.log(&format!("{name}: {text}")),
            ClientNews::Emoted { name, kind } => self.page.log(&format!("{name}: {kind:?}")),
            // These are seen on the canvas; nobody asks for a chart here.
            ClientNews::Spawned(_)
            | ClientNews::Despawned(_)
            | ClientNews::Chart(_)
            | ClientNews::NoChart(_) => {}
        }
    }
}

/// What the session has measured, for people.
fn figures(stats: &ConnectionStats) -> String {
    let millis = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1e3);
    let round_trip = stats.round_trip_time.map_or_else(|| "-".to_owned(), millis);
    format!(
        "round trip  {round_trip} ± {}\nlost        {:.1} % up, {:.1} % down\nbytes/s     {} up, {} down\npackets/s   {} up, {} down",
        millis(stats.jitter),
        stats.recent_loss_sent * 100.0,
        stats.recent_loss_received * 100.0,
        stats.bytes_sent_per_second,
        stats.bytes_received_per_second,
        stats.packets_sent_per_second,
        stats.packets_received_per_second,
    )
}

fn client<C: ClientSide>() -> C {
    let mut config = ClientConfig::default();
    config.reconnect = Some(ReconnectPolicy::default());
    C::new(config)
}

fn parameter(name: &str) -> Option<String> {
    let search = window().location().search().ok()?;
    UrlSearchParams::new_with_str(&search).ok()?.get(name)
}
