//! The arena in a window: steer with the arrow keys or WASD, and collect pearls.
//!
//! `cargo run -p protocol-example-bevy --features window --bin window -- --name Ann`, with a server beside it:
//! `cargo run -p protocol-example-bevy --features transport_udp -- serve`.
//!
//! What is Bevy's here is the app. Its renderer would be some two hundred crates more for everybody who builds this workspace;
//! a game has it anyway, adds `DefaultPlugins`, and draws with them what [`Sights`] says.

use std::fmt;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use bevy_app::{App, AppExit, PreUpdate, ScheduleRunnerPlugin, Update};
use bevy_ecs::prelude::*;
use bevy_ecs::system::SystemState;
use bowline::ConnectError;
use bowline::prelude::{ClientConfig, Phase, ReconnectPolicy, SocketConfig};
use bowline_bevy::client::{Client, ClientSystems};
use clap::Parser;
use minifb::{Key, Scale, ScaleMode, Window, WindowOptions};
use protocol_example::game::{ClientNews, FAREWELL, Glide};
use protocol_example::protocol::{Arena, Login, Scoreboard, Steer, TOKEN};
use protocol_example::transport::{Network, NetworkError, Program, TransportKind};
use protocol_example_bevy::Told;
use protocol_example_bevy::client::{ArenaClientPlugin, Course, Sights};

mod picture;

use picture::{Board, Picture};

/// The arena in a window. A server: `cargo run -p protocol-example-bevy --features transport_udp -- serve`
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Where the server is [default: where it listens by default]
    #[arg(long, value_name = "ADDRESS")]
    server: Option<String>,

    /// How you want to be called: at most 24 bytes
    #[arg(long, default_value = "guest")]
    name: String,

    /// Which of the transports that are built in
    #[arg(long, value_enum, default_value = "udp")]
    transport: TransportKind,
}

/// Why there is nothing to be seen.
#[derive(Debug)]
enum Failure {
    OneProcess,
    Window(minifb::Error),
    Socket(NetworkError),
    Connect(ConnectError),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneProcess => {
                f.write_str("the local transport is for one process: choose `--transport udp` or `webrtc`")
            }
            Self::Window(error) => {
                write!(
                    f,
                    "there is no window: {error}; on a machine without a screen, `join` plays in a terminal"
                )
            }
            Self::Socket(error) => error.fmt(f),
            Self::Connect(error) => error.fmt(f),
        }
    }
}

fn main() -> ExitCode {
    let Arguments { server, name, transport } = Arguments::parse();
    let login = Login { name, token: TOKEN.to_owned() };
    let server = server.unwrap_or_else(|| transport.default_address().to_owned());
    let played = match transport.crosses_processes() {
        true => transport.run(&server, Windowed { login }),
        false => Err(Failure::OneProcess),
    };
    match played {
        Ok(AppExit::Success) => ExitCode::SUCCESS,
        Ok(AppExit::Error(_)) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// A player in a window, on whichever network it is.
struct Windowed {
    login: Login,
}

/// Between two pictures.
const FRAME: Duration = Duration::from_millis(16);
/// Of the window when it opens, in pixels.
const SIZE: (usize, usize) = (900, 640);

impl Program for Windowed {
    type Output = Result<AppExit, Failure>;

    fn run<N: Network>(self, network: N) -> Self::Output {
        let socket = network.dial(SocketConfig::default()).map_err(Failure::Socket)?;
        let options = WindowOptions {
            resize: true,
            scale: Scale::X1,
            scale_mode: ScaleMode::UpperLeft,
            ..WindowOptions::default()
        };
        let mut config = ClientConfig::default();
        config.reconnect = Some(ReconnectPolicy::default());
        let mut app = App::new();
        app.add_plugins((ScheduleRunnerPlugin::run_loop(FRAME), ArenaClientPlugin { config }))
            .init_resource::<Board>()
            .add_systems(PreUpdate, look_at_keys.before(ClientSystems::Receive))
            .add_systems(Update, (take_note, paint, leave).chain().after(ClientSystems::Update));
        let mut client = SystemState::<Client<'_, '_, Arena>>::new(app.world_mut());
        let mut client = client.get_mut(app.world_mut()).expect("the plugin is in the app");
        // What is wrong with the name is said here, not in the middle of the game.
        client.connect(socket, self.login).map_err(Failure::Connect)?;
        let window = Window::new("Arena on Bowline", SIZE.0, SIZE.1, options).map_err(Failure::Window)?;
        Ok(app.insert_non_send(window).run())
    }
}

/// Whoever lets go of the keys lets go of the helm.
fn look_at_keys(window: NonSend<'_, Window>, mut course: ResMut<'_, Course>) {
    let held = |keys: [Key; 2]| f32::from(u8::from(keys.iter().any(|key| window.is_key_down(*key))));
    let east = held([Key::Right, Key::D]) - held([Key::Left, Key::A]);
    let north = held([Key::Up, Key::W]) - held([Key::Down, Key::S]);
    course.by_hand = (east != 0.0 || north != 0.0).then_some(Steer { east, north });
}

/// What is said stays in sight for a while.
fn take_note(
    mut news: MessageReader<'_, '_, Told<ClientNews>>,
    client: Client<'_, '_, Arena>,
    mut board: ResMut<'_, Board>,
) {
    for Told(news) in news.read() {
        match news {
            ClientNews::Said { name, text } => board.say(format!("{name}: {text}")),
            ClientNews::Emoted { name, kind } => board.say(format!("{name}: {kind:?}")),
            ClientNews::Connected => board.why.clear(),
            ClientNews::Rejected(reason) => board.why = reason.to_string(),
            ClientNews::Disconnected { reason, .. } => {
                // The transport's own error says more than that it has closed.
                let failure = client.transport_failure().map(ToString::to_string);
                board.why = failure.unwrap_or_else(|| reason.to_string());
            }
            _ => {}
        }
    }
    board.state = match client.phase() {
        Phase::Disconnected => "not connected",
        Phase::PendingAuth => "connecting",
        Phase::Connected => "connected",
    };
}

fn paint(
    mut window: NonSendMut<'_, Window>,
    sights: Sights<'_, '_>,
    course: Res<'_, Course>,
    scoreboard: Option<Res<'_, Scoreboard>>,
    board: Res<'_, Board>,
    mut glide: Local<'_, Glide>,
    mut picture: Local<'_, Picture>,
) {
    let shown = glide.step(sights.all(), FRAME.as_secs_f32());
    let scores = scoreboard.map(|scoreboard| scoreboard.shown()).unwrap_or_default();
    let (width, height) = window.get_size();
    picture.paint((width, height), &shown, course.ship, &scores, &board);
    // A window that cannot show it is one that has closed.
    let _ = window.update_with_buffer(picture.pixels(), width, height);
}

/// A window that is closed is a goodbye, which is said several times.
fn leave(
    window: NonSend<'_, Window>,
    mut client: Client<'_, '_, Arena>,
    mut until: Local<'_, Option<Instant>>,
    mut exit: MessageWriter<'_, AppExit>,
) {
    if window.is_open() && !window.is_key_down(Key::Escape) && until.is_none() {
        return;
    }
    if until.is_none() {
        client.disconnect();
    }
    if Instant::now() >= *until.get_or_insert_with(|| Instant::now() + FAREWELL) {
        exit.write(AppExit::Success);
    }
}
