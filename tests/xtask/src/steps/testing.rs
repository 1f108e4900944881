//! The tests: unit, behaviour, compile-fail, architecture and doc tests.

use std::process::Command;

use crate::process::{self, Failure};
use crate::runner::{Notes, Step, Tally};

pub(crate) const TESTS: Step = Step {
    name: "tests",
    about: "unit, behaviour, compile-fail, architecture and doc tests, with every feature",
    run: |workspace, notes| {
        run(&mut workspace.cargo(["test", "--workspace", "--all-features", "--no-fail-fast"]), notes)
    },
};

/// A test that takes longer than a few seconds lives in a module named `long`, and is left out here.
pub(crate) const SHORT_TESTS: Step = Step {
    name: "tests",
    about: "unit, behaviour and architecture tests; without doc tests and those in a module named `long`",
    run: |workspace, notes| {
        let mut test = workspace.cargo(["test", "--workspace", "--all-features", "--no-fail-fast"]);
        run(test.args(["--lib", "--bins", "--tests", "--", "--skip", "long::"]), notes)
    },
};

/// Where a seed is all that differs, more of them find more. Optional: it takes some ten minutes.
pub(crate) const SOAK: Step = Step {
    name: "soak",
    about: "the promises of channels, inputs, requests and entities, each on 10,000 seeds, in an optimised build",
    run: |workspace, notes| {
        let mut test = workspace.cargo(["test", "--release", "--package", "bowline-tests", "--no-fail-fast"]);
        // Only these are built: optimised, the others take longer than they tell.
        test.args(["deliver", "request", "ticks", "worlds"].iter().flat_map(|name| ["--test", name]));
        test.args(["--", "c1_", "c5_on_any_network", "c6_", "c7_"]);
        run(test.env("BOWLINE_SEEDS", "10000"), notes)
    },
};

/// The trace hash is a constant of the test; that it holds in another build too is worth one more.
pub(crate) const RELEASE: Step = Step {
    name: "release",
    about: "the simulator's trace in an optimised build: the same as in the other",
    run: |workspace, notes| {
        let test = ["test", "--release", "--package", "bowline-tests", "--test", "deliver", "d4_"];
        let mut test = workspace.cargo(test);
        // Optimised it has to be; that it is linked as for a release changes no byte, and takes as long again.
        test.env("CARGO_PROFILE_RELEASE_LTO", "off").env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
        run(&mut test, notes)
    },
};

pub(super) fn run(command: &mut Command, notes: &mut Notes) -> Result<(), Failure> {
    let mut ignored = 0;
    let mut tests = Tally::default();
    let outcome = process::run_and_read(command, |line| {
        if let Some(result) = line.strip_prefix("test result: ") {
            tests.passed += count(result, "passed");
            tests.failed += count(result, "failed");
            ignored += count(result, "ignored");
        }
    });
    notes.tests = tests;
    notes.remarks.push(format!("{} tests passed, {} failed, {ignored} ignored", tests.passed, tests.failed));
    outcome?;
    if tests.passed == 0 { Err(Failure::new("no test ran")) } else { Ok(()) }
}

/// The number before `word` in `ok. 3 passed; 0 failed; 1 ignored; ...`.
fn count(result: &str, word: &str) -> usize {
    let mut words = result.split([' ', ';', '.']).filter(|word| !word.is_empty());
    let mut before = None;
    words
        .find_map(|current| {
            let found = (current == word).then_some(before).flatten();
            before = current.parse().ok();
            found
        })
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn the_result_line_of_the_test_harness_is_read() {
        let line = "FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 7 filtered out; finished in 0.05s";
        assert_eq!((count(line, "passed"), count(line, "failed"), count(line, "ignored")), (12, 3, 1));
        assert_eq!(count("something else", "passed"), 0);
    }
}
