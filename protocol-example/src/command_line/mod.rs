//! The program for a terminal, on whichever engine.

use std::error::Error;
use std::io::{self, IsTerminal};
use std::process::ExitCode;

use crate::demo::{Demo, DemoError};
use crate::programs::{Bots, Engine, Join, ProgramError, Serve};
use crate::protocol::{Login, TOKEN};
use crate::timeline::{Audience, JsonLines, Terminal};
use crate::transport::TransportKind;
use clap::Parser;
use tracing_subscriber::EnvFilter;

mod arguments;

use arguments::{ANY_PORT, Cli, Command};

/// Does what the command line of this process says, and returns the code that the process is to end with: 2 for a command
/// line that makes no sense, as clap has it, and 1 for what went wrong afterwards.
pub fn main(engine: impl Engine) -> ExitCode {
    let cli = Cli::parse();
    log_to_stderr(&cli);
    match run(cli, engine) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read our output has seen enough.
        Err(Failure::Demo(DemoError::Output(error)) | Failure::Program(ProgramError::Output(error)))
            if error.kind() == io::ErrorKind::BrokenPipe =>
        {
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("error: {failure}");
            let mut source = failure.source();
            while let Some(cause) = source {
                eprintln!("  because: {cause}");
                source = cause.source();
            }
            if let Failure::Program(ProgramError::Network(error)) = &failure
                && let Some(hint) = error.hint()
            {
                eprintln!("  hint: {hint}");
            }
            failure.exit_code()
        }
    }
}

fn run(cli: Cli, engine: impl Engine) -> Result<(), Failure> {
    let mut terminal = Terminal::default();
    let audience: &mut dyn Audience = if cli.json { &mut JsonLines } else { &mut terminal };
    match cli.command.unwrap_or(Command::Demo) {
        Command::Demo => {
            let kind = cli.transport.unwrap_or_else(TransportKind::first);
            kind.run(ANY_PORT, Demo { engine, audience })?;
        }
        Command::Serve(args) => {
            let serve = Serve {
                engine,
                duration: args.duration,
                max_users: args.max_users.into(),
                allow_plaintext: args.allow_plaintext,
                audience,
            };
            let kind = between_processes(cli.transport, "serve")?;
            let address =
                args.bind.map_or_else(|| kind.default_address().to_owned(), |bind| bind.to_string());
            kind.run(&address, serve)?;
        }
        Command::Join(args) => {
            let login = Login { name: args.name, token: TOKEN.to_owned() };
            let join = Join { engine, login, condition: args.condition.map(Into::into), audience };
            let kind = between_processes(cli.transport, "join")?;
            kind.run(args.server.as_deref().unwrap_or_else(|| kind.default_address()), join)?;
        }
        Command::Bots(args) => {
            let kind = cli.transport.or_else(TransportKind::between_processes);
            let kind = kind.unwrap_or_else(TransportKind::first);
            if args.server.is_some() && !kind.crosses_processes() {
                return Err(Failure::OneProcess { command: "bots --server" });
            }
            // Within one process nobody else can have started a server for them.
            let with_server = !kind.crosses_processes();
            let bots = Bots { engine, count: args.count, duration: args.duration, with_server, audience };
            kind.run(args.server.as_deref().unwrap_or_else(|| kind.default_address()), bots)?;
        }
    }
    Ok(())
}

/// The transport for a program whose other end is another process.
fn between_processes(chosen: Option<TransportKind>, command: &'static str) -> Result<TransportKind, Failure> {
    let kind = chosen.or_else(TransportKind::between_processes);
    kind.filter(|kind| kind.crosses_processes()).ok_or(Failure::OneProcess { command })
}

/// Why the program ends with something else than 0.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(
        "the local transport is for one process, and `{command}` is one of two: \
         build with `--features transport_udp` or `transport_webrtc`, and leave `--transport local` out"
    )]
    OneProcess { command: &'static str },
    #[error(transparent)]
    Demo(#[from] DemoError),
    #[error(transparent)]
    Program(#[from] ProgramError),
}

impl Failure {
    /// 2 for a command line that makes no sense, as clap has it; 1 for what went wrong afterwards.
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::OneProcess { .. } => ExitCode::from(2),
            Self::Demo(_) | Self::Program(_) => ExitCode::FAILURE,
        }
    }
}

/// Standard output belongs to the timeline. The demo is quiet unless `RUST_LOG` says otherwise: its link conditioner
/// and its plaintext are no oversight.
fn log_to_stderr(cli: &Cli) {
    let default = match cli.command {
        None | Some(Command::Demo | Command::Bots(_)) => "error",
        Some(Command::Serve(_) | Command::Join(_)) => "warn",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let is_coloured = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(is_coloured).init();
}
