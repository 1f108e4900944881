use std::fmt;
use std::time::Duration;

use bowline::{ConnectionStats, RejectReason};
use serde::Serialize;

/// What can happen. `Display` says it in words, `Serialize` with its name in `event`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are the words of the `Display` text")]
pub enum Event {
    /// A server is there.
    Listening { transport: String, address: String },
    /// A client asks to come in.
    Connecting { address: String },
    /// A server is asked, and decides.
    AuthRequested { user: String, address: String },
    /// A session is there, with whom if a server says it.
    Connected {
        #[serde(skip_serializing_if = "Option::is_none")]
        user: Option<String>,
    },
    /// There will be none, and why.
    Rejected(Refusal),
    /// A client said something.
    Said { text: String },
    /// A server passed it on.
    Relayed { user: String, text: String },
    /// Another client heard it.
    Heard { user: String, text: String },
    /// Entities have come into a client's sight.
    Spawned { things: Vec<String> },
    /// Entities are out of a client's sight.
    Despawned { things: Vec<String> },
    /// A client sees a change of the scoreboard.
    ReadScores { points: Vec<(String, u16)> },
    /// A client set a course.
    Sailed { towards: String },
    /// Another client saw where that led.
    SawMove { user: String, x: f32, y: f32 },
    /// A server sees a pearl collected.
    Collected { user: String, worth: u8 },
    /// A server sees a player go through a gate.
    Moved { user: String, room: String },
    /// A client made a gesture.
    Emoted { emote: String },
    /// Another client saw it.
    SawEmote { user: String, emote: String },
    /// A client asked what is where.
    AskedChart,
    /// It was told.
    ToldChart { rooms: [RoomCount; 2] },
    /// It was not told.
    NotTold { reason: String },
    /// No datagram comes through any more.
    CablePulled,
    /// They do again.
    CablePlugged,
    /// A session, or the attempt to make one, is over.
    Disconnected {
        #[serde(skip_serializing_if = "Option::is_none")]
        user: Option<String>,
        reason: String,
    },
    /// A client will try again.
    Reconnecting { attempt: u32, after_ms: u64 },
    /// What a session came to.
    Measured(Measured),
}

/// How much there is in a room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RoomCount {
    /// Which room.
    pub room: String,
    /// Ships in it.
    pub ships: u8,
    /// Pearls in it.
    pub pearls: u8,
}

/// Why somebody did not come in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// Who, if a server says it: its name, or where it called from if it did not get as far as giving one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Why, in words that a player could be shown.
    pub reason: String,
    /// What differs, where client and server speak different protocols.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<String>,
}

impl Refusal {
    pub(super) fn new(user: Option<String>, reason: &RejectReason) -> Self {
        match reason {
            // The differences have lines of their own, so they are left out of the sentence.
            RejectReason::ProtocolMismatch(mismatch) if !mismatch.differences.is_empty() => Self {
                user,
                reason: "client and server are different versions".to_owned(),
                differences: mismatch.differences.iter().map(ToString::to_string).collect(),
            },
            other => Self { user, reason: other.to_string(), differences: Vec::new() },
        }
    }
}

/// What a session came to, seen from one side.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measured {
    /// Which session of this client, counted from 1.
    pub session: u32,
    /// The smoothed round-trip time, in milliseconds; `None` if it was never measured.
    pub round_trip_ms: Option<f64>,
    /// How much it varied, in milliseconds.
    pub jitter_ms: f64,
    /// The share of packets lost on the way out, from 0 to 1.
    pub loss_out: f64,
    /// The share of packets lost on the way in, from 0 to 1.
    pub loss_in: f64,
    /// Packets sent.
    pub packets_out: u64,
    /// Packets that arrived.
    pub packets_in: u64,
    /// Bytes sent, without the headers of the transport.
    pub bytes_out: u64,
    /// Bytes that arrived, without the headers of the transport.
    pub bytes_in: u64,
}

impl Measured {
    /// The figures that people look at first.
    #[must_use]
    pub fn of(session: u32, stats: &ConnectionStats) -> Self {
        Self {
            session,
            round_trip_ms: stats.round_trip_time.map(milliseconds),
            jitter_ms: milliseconds(stats.jitter),
            loss_out: stats.loss_sent(),
            loss_in: stats.loss_received(),
            packets_out: stats.packets_sent,
            packets_in: stats.packets_received,
            bytes_out: stats.bytes_sent,
            bytes_in: stats.bytes_received,
        }
    }
}

/// To a tenth.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10_000.0).round() / 10.0
}

impl Event {
    /// The name of the event: what `event` is in JSON.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Listening { .. } => "listening",
            Self::Connecting { .. } => "connecting",
            Self::AuthRequested { .. } => "auth_requested",
            Self::Connected { .. } => "connected",
            Self::Rejected(_) => "rejected",
            Self::Said { .. } => "said",
            Self::Relayed { .. } => "relayed",
            Self::Heard { .. } => "heard",
            Self::Spawned { .. } => "spawned",
            Self::Despawned { .. } => "despawned",
            Self::ReadScores { .. } => "read_scores",
            Self::Sailed { .. } => "sailed",
            Self::SawMove { .. } => "saw_move",
            Self::Collected { .. } => "collected",
            Self::Moved { .. } => "moved",
            Self::Emoted { .. } => "emoted",
            Self::SawEmote { .. } => "saw_emote",
            Self::AskedChart => "asked_chart",
            Self::ToldChart { .. } => "told_chart",
            Self::NotTold { .. } => "not_told",
            Self::CablePulled => "cable_pulled",
            Self::CablePlugged => "cable_plugged",
            Self::Disconnected { .. } => "disconnected",
            Self::Reconnecting { .. } => "reconnecting",
            Self::Measured(_) => "measured",
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listening { transport, address } => write!(f, "listens at {address}, over {transport}"),
            Self::Connecting { address } => write!(f, "asks {address} to be let in"),
            Self::AuthRequested { user, address } => write!(f, "is asked by {user} at {address}"),
            Self::Connected { user: Some(user) } => write!(f, "lets {user} in"),
            Self::Connected { user: None } => f.write_str("is in"),
            Self::Rejected(refusal) => match &refusal.user {
                Some(user) => write!(f, "refuses {user}: {}", refusal.reason),
                None => write!(f, "is refused: {}", refusal.reason),
            },
            Self::Said { text } => write!(f, "says \"{text}\""),
            Self::Relayed { user, text } => write!(f, "passes on what {user} says: \"{text}\""),
            Self::Heard { user, text } => write!(f, "hears {user}: \"{text}\""),
            Self::Spawned { things } => write!(f, "sees {} appear", list(things)),
            Self::Despawned { things } => write!(f, "sees {} vanish", list(things)),
            Self::ReadScores { points } if points.is_empty() => f.write_str("reads an empty scoreboard"),
            Self::ReadScores { points } => {
                let points: Vec<_> = points.iter().map(|(name, points)| format!("{name} {points}")).collect();
                write!(f, "reads on the scoreboard: {}", points.join(", "))
            }
            Self::Sailed { towards } => write!(f, "sets sail for the {towards}"),
            Self::SawMove { user, x, y } => write!(f, "sees {user}'s ship at ({x:.2}, {y:.2})"),
            Self::Collected { user, worth } => write!(f, "gives {user} a pearl worth {worth}"),
            Self::Moved { user, room } => write!(f, "sees {user} go through the gate, into the {room}"),
            Self::Emoted { emote } => write!(f, "makes a gesture: {emote}"),
            Self::SawEmote { user, emote } => write!(f, "sees a gesture of {user}: {emote}"),
            Self::AskedChart => f.write_str("asks the server what is where"),
            Self::ToldChart { rooms } => {
                let told = rooms.each_ref().map(|RoomCount { room, ships, pearls }| {
                    format!("{} and {} in the {room}", counted(*ships, "ship"), counted(*pearls, "pearl"))
                });
                write!(f, "is told: {}", told.join(", "))
            }
            Self::NotTold { reason } => write!(f, "is not told: {reason}"),
            Self::CablePulled => f.write_str("loses every datagram from here on"),
            Self::CablePlugged => f.write_str("has its network back"),
            Self::Disconnected { user: Some(user), reason } => write!(f, "forgets {user}: {reason}"),
            Self::Disconnected { user: None, reason } => write!(f, "is out: {reason}"),
            Self::Reconnecting { attempt, after_ms } => {
                write!(f, "tries again in {after_ms} ms (attempt {attempt})")
            }
            Self::Measured(measured) => measured.fmt(f),
        }
    }
}

fn counted(number: u8, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// Equal neighbours are counted.
fn list(things: &[String]) -> String {
    let counted = things.chunk_by(PartialEq::eq).map(|same| match same {
        [one] => one.clone(),
        many => format!("{} × {}", many.len(), many[0]),
    });
    counted.collect::<Vec<_>>().join(", ")
}

/// One row of a table; [`Measured::HEADER`] is its first.
impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let round_trip = self.round_trip_ms.map_or_else(|| "-".to_owned(), |ms| format!("{ms:.1} ms"));
        write!(
            f,
            "{:>7} {:>11} {:>9} {:>8} {:>8} {:>8} {:>8} {:>9} {:>9}",
            self.session,
            round_trip,
            format!("{:.1} ms", self.jitter_ms),
            format!("{:.1} %", self.loss_out * 100.0),
            format!("{:.1} %", self.loss_in * 100.0),
            self.packets_out,
            self.packets_in,
            self.bytes_out,
            self.bytes_in,
        )
    }
}

impl Measured {
    /// What stands above the rows.
    pub const HEADER: [&str; 2] = [
        "                              lost     lost  packets  packets     bytes     bytes",
        "session  round trip    jitter      out       in      out       in       out        in",
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_event_is_its_name_in_json() {
        let text = String::new;
        let events = [
            Event::Listening { transport: text(), address: text() },
            Event::Connecting { address: text() },
            Event::AuthRequested { user: text(), address: text() },
            Event::Connected { user: None },
            Event::Rejected(Refusal::new(None, &RejectReason::ServerFull)),
            Event::Said { text: text() },
            Event::Relayed { user: text(), text: text() },
            Event::Heard { user: text(), text: text() },
            Event::Spawned { things: vec![text()] },
            Event::Despawned { things: vec![text()] },
            Event::ReadScores { points: vec![(text(), 1)] },
            Event::Sailed { towards: text() },
            Event::SawMove { user: text(), x: 0.0, y: 0.0 },
            Event::Collected { user: text(), worth: 1 },
            Event::Moved { user: text(), room: text() },
            Event::Emoted { emote: text() },
            Event::SawEmote { user: text(), emote: text() },
            Event::AskedChart,
            Event::ToldChart { rooms: Default::default() },
            Event::NotTold { reason: text() },
            Event::CablePulled,
            Event::CablePlugged,
            Event::Disconnected { user: None, reason: text() },
            Event::Reconnecting { attempt: 1, after_ms: 2 },
            Event::Measured(Measured::of(1, &ConnectionStats::default())),
        ];
        for event in events {
            assert_eq!(serde_json::to_value(&event).unwrap()["event"], event.name());
        }
    }
}
