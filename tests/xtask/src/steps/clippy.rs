//! Lints, by `[workspace.lints]`.

use crate::process;
use crate::runner::Step;

pub(crate) const CLIPPY: Step = Step {
    name: "clippy",
    about: "every target with every feature, warnings denied",
    run: |workspace, _| {
        let flags = ["clippy", "--workspace", "--all-targets", "--all-features", "--", "--deny", "warnings"];
        process::run(&mut workspace.cargo(flags))
    },
};
