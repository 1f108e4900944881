//! Formatting, by `rustfmt.toml`.

use crate::process;
use crate::runner::Step;

pub(crate) const FORMAT: Step = Step {
    name: "format",
    about: "every file as rustfmt writes it (`cargo fmt --all` mends it)",
    run: |workspace, _| process::run(&mut workspace.cargo(["fmt", "--all", "--check"])),
};
