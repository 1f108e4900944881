//! The reference: every page builds and every link leads somewhere.

use crate::process;
use crate::runner::Step;

pub(crate) const DOCS: Step = Step {
    name: "docs",
    about: "the reference with every feature, warnings and broken links denied",
    run: |workspace, _| {
        // With the examples, so that dependencies have the features that they have in the other steps, and are not built anew.
        let mut doc = workspace.cargo(["doc", "--workspace", "--no-deps", "--all-features"]);
        doc.args(["--lib", "--examples"]);
        process::run(doc.env("RUSTDOCFLAGS", "--deny warnings"))
    },
};
