//! The command line.

use std::net::SocketAddr;
use std::num::ParseFloatError;
use std::time::Duration;

use crate::protocol::MAX_PLAYERS;
use crate::transport::TransportKind;
use bowline::prelude::*;
use clap::{Args, Parser, Subcommand, ValueEnum};

/// A small arena game on Bowline. Without a command it plays the life of a connection in a few seconds.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Cli {
    /// Tell what happens as one JSON object a line.
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Which of the transports that are built in [default: local for the demo, else one that leads to other processes]
    #[arg(long, global = true, value_enum)]
    pub(crate) transport: Option<TransportKind>,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Play the life of a connection: one server, two clients, and all that can happen to them
    Demo,
    /// Run a server that others can join
    Serve(ServeArgs),
    /// Join a server: what you type is said to all, `/pearl` and `/gate` set sail, the end of the input is a goodbye
    Join(JoinArgs),
    /// Send a crowd that chats and collects pearls, and show what its connections came to
    Bots(BotsArgs),
}

#[derive(Args, Debug)]
pub(crate) struct ServeArgs {
    /// Where to listen [default: 127.0.0.1:14193 for UDP; 127.0.0.1:14191 for WebRTC, whose data goes to the next port]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) bind: Option<SocketAddr>,

    /// For how long [default: until it is stopped]
    #[arg(long = "for", value_name = "SECONDS", allow_negative_numbers = true, value_parser = seconds)]
    pub(crate) duration: Option<Duration>,

    /// How many may be in at once
    #[arg(long, value_name = "N", default_value_t = MOST_USERS, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) max_users: u8,

    /// Listen where others can read along: UDP is not encrypted
    #[arg(long)]
    pub(crate) allow_plaintext: bool,
}

#[derive(Args, Debug)]
pub(crate) struct JoinArgs {
    /// Where the server is [default: where it listens by default]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) server: Option<String>,

    /// How you want to be called: at most 24 bytes
    #[arg(long, default_value = "guest")]
    pub(crate) name: String,

    /// Make the link as bad as players' links are
    #[arg(long, value_enum)]
    pub(crate) condition: Option<Condition>,
}

#[derive(Args, Debug)]
pub(crate) struct BotsArgs {
    /// How many
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) count: u8,

    /// Where the server is [default: where it listens by default, or a server of their own within this process]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) server: Option<String>,

    /// For how long
    #[arg(long = "for", value_name = "SECONDS", default_value = "5", allow_negative_numbers = true, value_parser = seconds)]
    pub(crate) duration: Duration,
}

/// The presets of the link conditioner. Latency is one way.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Condition {
    /// 1 ms: a local network
    Perfect,
    /// 12 ms ± 3, 0.1 % lost: fibre, a server in the same city
    VeryGood,
    /// 40 ms ± 10, 0.2 % lost: cable, a server in the same country
    Good,
    /// 100 ms ± 25, 2 % lost: Wi-Fi, a server on the same continent
    Average,
    /// 200 ms ± 50, 4 % lost: mobile, or a server across an ocean
    Poor,
    /// 300 ms ± 75, 6 % lost: a train, or a satellite
    VeryPoor,
}

impl From<Condition> for LinkConditionerConfig {
    fn from(condition: Condition) -> Self {
        match condition {
            Condition::Perfect => Self::perfect_condition(),
            Condition::VeryGood => Self::very_good_condition(),
            Condition::Good => Self::good_condition(),
            Condition::Average => Self::average_condition(),
            Condition::Poor => Self::poor_condition(),
            Condition::VeryPoor => Self::very_poor_condition(),
        }
    }
}

/// For servers that only this process has to find.
pub(crate) const ANY_PORT: &str = "127.0.0.1:0";

const MOST_USERS: u8 = MAX_PLAYERS as u8;

/// Longer than a week is a typing error.
const MOST_SECONDS: f64 = 604_800.0;

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|error: ParseFloatError| error.to_string())?;
    if (0.0..=MOST_SECONDS).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err(format!("give a number of seconds from 0 to {MOST_SECONDS}"))
    }
}
