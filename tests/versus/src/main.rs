//! Bowline and naia 0.25 side by side: the same scenarios on one thread, over queues in memory and in virtual time, so that
//! only the libraries' own work is measured.
//!
//! ```text
//! cargo run --release --manifest-path tests/versus/Cargo.toml -- [--json] [--only NAME] [--quick] [--alone]
//! ```

mod bowline;
mod naia;
mod print;
mod run;
mod scenario;
mod scenarios;
mod stage;

use clap::Parser;

use crate::scenario::Job;

/// Runs the same scenarios on Bowline and on naia, and prints both figures and the ratio: above 1, Bowline is better.
#[derive(Parser)]
struct Arguments {
    /// One object a line instead of a table.
    #[arg(long)]
    json: bool,
    /// Only the scenarios whose name contains this.
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// Smaller and shorter: to see that everything runs, not to quote.
    #[arg(long)]
    quick: bool,
    /// Bowline without naia: for a profiler.
    #[arg(long)]
    alone: bool,
}

fn main() {
    let arguments = Arguments::parse();
    let wanted = |job: &Job| arguments.only.as_ref().is_none_or(|only| job.scenario.name().contains(only));
    let jobs: Vec<Job> = Job::all(arguments.quick).into_iter().filter(wanted).collect();
    if jobs.is_empty() {
        let mut names: Vec<_> = Job::all(true).iter().map(|job| job.scenario.name()).collect();
        names.dedup();
        eprintln!("no scenario is called that; there are: {}", names.join(", "));
        std::process::exit(2);
    }
    run::silence_panics();
    if !arguments.json {
        print::heading();
    }
    for job in jobs {
        let rows = run::side_by_side(job, arguments.alone);
        if arguments.json { print::json(&rows) } else { print::table(&rows) }
    }
}
