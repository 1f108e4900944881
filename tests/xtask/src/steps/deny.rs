//! The dependencies, by `deny.toml`: licences, sources, duplicates, advisories.

use std::time::Duration;

use crate::process::{self, Failure};
use crate::runner::{Notes, Step};
use crate::tools::CARGO_DENY;
use crate::workspace::Workspace;

/// The advisory database is some megabytes: what has not come by then is not going to.
const ADVISORIES_FETCH_LIMIT: Duration = Duration::from_secs(120);

pub(crate) const DENY: Step =
    Step { name: "deny", about: "licences, sources, duplicates and advisories of the dependencies", run };

fn run(workspace: &Workspace, notes: &mut Notes) -> Result<(), Failure> {
    let cargo_deny = CARGO_DENY.path(workspace)?;
    let deny = || {
        let mut command = workspace.program(&cargo_deny);
        command.args(["--workspace", "--all-features"]);
        command
    };
    process::run(deny().args(["check", "bans", "licenses", "sources"]))?;

    // The database of advisories lies on another server than the crates, and a closed network may know the
    // crates alone.
    if process::succeeds_within(deny().args(["fetch", "db"]), ADVISORIES_FETCH_LIMIT)? {
        process::run(deny().args(["check", "--disable-fetch", "advisories"]))
    } else {
        let unchecked = "security advisories: their database cannot be fetched from here";
        println!("   ! NOT CHECKED: {unchecked}");
        notes.unchecked.push(unchecked.to_owned());
        Ok(())
    }
}
