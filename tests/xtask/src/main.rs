//! The workspace's own commands: `cargo xtask help`.
//!
//! A command is a list of [`Step`]s. `steps/` holds one file per concern; `runner` runs a list and sums it
//! up.

mod process;
mod runner;
mod steps;
mod tools;
mod wasm;
mod workspace;

use std::process::ExitCode;

use clap::Parser;
use clap::builder::PossibleValuesParser;

use crate::runner::Step;
use crate::workspace::Workspace;

/// The workspace's own commands.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Command {
    /// Everything that must pass before a change goes in. Installs the tools it needs under `target/tools`.
    Test {
        /// Runs this step alone; may be given several times.
        #[arg(long, value_name = "STEP", value_parser = PossibleValuesParser::new(names(steps::TEST)))]
        only: Vec<String>,
    },
    /// The everyday loop: formatting, clippy, and the tests without the long ones.
    Quick,
    /// The simulator's promises on 10,000 seeds each: for a night, or before a release.
    Soak,
    /// Looks for inputs that break what reads bytes. What leads somewhere new is added to `tests/fuzz/corpus`.
    Fuzz {
        /// These alone.
        targets: Vec<String>,
        /// For how long each.
        #[arg(long, value_name = "N", default_value_t = 60)]
        seconds: u32,
    },
    /// Builds the guide and says where it is.
    Book,
    /// Builds the page on which the example is played, and says where it is.
    Web,
}

fn main() -> ExitCode {
    let command = Command::parse();
    let workspace = match Workspace::find() {
        Ok(workspace) => workspace,
        Err(failure) => {
            eprintln!("cannot read the workspace: {failure}");
            return ExitCode::FAILURE;
        }
    };
    let chosen: Vec<&Step> = match &command {
        Command::Test { only } if only.is_empty() => steps::TEST.iter().collect(),
        Command::Test { only } => {
            steps::TEST.iter().filter(|step| only.iter().any(|name| name == step.name)).collect()
        }
        Command::Quick => steps::QUICK.iter().collect(),
        Command::Soak => vec![&steps::testing::SOAK],
        Command::Fuzz { targets, seconds } => return fuzz(&workspace, targets, *seconds),
        Command::Book => vec![&steps::book::BOOK],
        Command::Web => vec![&steps::web::PAGE],
    };
    if runner::run(&workspace, &chosen) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn fuzz(workspace: &Workspace, targets: &[String], seconds: u32) -> ExitCode {
    match steps::fuzz::fuzz(workspace, targets, seconds) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn names(steps: &'static [Step]) -> impl Iterator<Item = &'static str> {
    steps.iter().map(|step| step.name)
}
