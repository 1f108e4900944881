//! The reference: every page builds and every link leads somewhere.

use crate::process;
use crate::runner::Step;

pub(crate) const DOCS: Step = Step {
    name: "docs",
    about: "the reference with every feature, warnings and broken links denied",
    run: |workspace, _| {
        let mut doc = workspace.cargo(["doc", "--workspace", "--no-deps", "--all-features"]);
        process::run(doc.env("RUSTDOCFLAGS", "--deny warnings"))
    },
};
