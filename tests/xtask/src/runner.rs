//! Runs a list of steps, all of them even when one fails, and sums up.

use std::time::{Duration, Instant};

use crate::process::Failure;
use crate::workspace::Workspace;

/// One thing that is checked, as a value.
pub(crate) struct Step {
    /// What `--only` calls it.
    pub(crate) name: &'static str,
    /// What it checks, for people.
    pub(crate) about: &'static str,
    /// Checks it.
    pub(crate) run: fn(&Workspace, &mut Notes) -> Result<(), Failure>,
}

/// What a step wants said in the summary.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// Facts about a step that ran: shown beside its result.
    pub(crate) remarks: Vec<String>,
    /// Parts that could not be checked, with the reason: the summary says so loudly.
    pub(crate) unchecked: Vec<String>,
    /// How many tests ran, for the steps that run tests.
    pub(crate) tests: Tally,
}

/// Tests that passed and tests that failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
}

struct Finished<'a> {
    step: &'a Step,
    notes: Notes,
    failure: Option<Failure>,
    took: Duration,
}

/// Runs every step, prints the summary, and says whether all of them passed.
pub(crate) fn run(workspace: &Workspace, steps: &[&Step]) -> bool {
    let mut finished = Vec::new();
    for step in steps {
        println!("\n== {}: {}", step.name, step.about);
        let started = Instant::now();
        let mut notes = Notes::default();
        let failure = (step.run)(workspace, &mut notes).err();
        let took = started.elapsed();
        match &failure {
            None => println!("   {} passed in {}", step.name, seconds(took)),
            Some(why) => println!("   {} FAILED after {}: {why}", step.name, seconds(took)),
        }
        finished.push(Finished { step, notes, failure, took });
    }
    summarise(&finished);
    finished.iter().all(|step| step.failure.is_none())
}

fn summarise(finished: &[Finished<'_>]) {
    println!("\n== summary");
    for Finished { step, notes, failure, took } in finished {
        let verdict = if failure.is_some() { "FAILED" } else { "passed" };
        println!("   {:<10} {verdict} {:>9}  {}", step.name, seconds(*took), notes.remarks.join("; "));
        for unchecked in &notes.unchecked {
            println!("   {:<10} ! NOT CHECKED: {unchecked}", "");
        }
        if let Some(why) = failure {
            println!("   {:<10} {why}", "");
            println!("   {:<10} to repeat it alone: cargo xtask test --only {}", "", step.name);
        }
    }
    println!("   {:<10} {:>16}", "in all", seconds(finished.iter().map(|step| step.took).sum()));
    let Tally { passed, failed } = closing(finished);
    println!("\n{passed} passed, {failed} failed");
}

/// The closing count: tests where tests ran, else steps; a step that failed without a failing test counts as
/// one.
fn closing(finished: &[Finished<'_>]) -> Tally {
    let tests_passed: usize = finished.iter().map(|step| step.notes.tests.passed).sum();
    let tests_failed: usize = finished.iter().map(|step| step.notes.tests.failed).sum();
    let failed_otherwise =
        finished.iter().filter(|step| step.failure.is_some() && step.notes.tests.failed == 0).count();
    let steps_passed = finished.iter().filter(|step| step.failure.is_none()).count();
    let passed = if tests_passed + tests_failed > 0 { tests_passed } else { steps_passed };
    Tally { passed, failed: tests_failed + failed_otherwise }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Step = Step { name: "step", about: "a step", run: |_, _| Ok(()) };

    fn finished(passed: usize, failed: usize, failure: Option<&str>) -> Finished<'static> {
        let notes = Notes { tests: Tally { passed, failed }, ..Notes::default() };
        Finished { step: &STEP, notes, failure: failure.map(Failure::new), took: Duration::ZERO }
    }

    #[test]
    fn the_closing_count_is_of_tests_where_tests_ran() {
        let steps = [finished(0, 0, None), finished(41, 2, Some("tests failed"))];
        assert_eq!(closing(&steps), Tally { passed: 41, failed: 2 });
    }

    #[test]
    fn a_failing_step_shows_in_the_closing_count_though_every_test_passed() {
        let steps = [finished(0, 0, Some("clippy")), finished(41, 0, None)];
        assert_eq!(closing(&steps), Tally { passed: 41, failed: 1 });
    }

    #[test]
    fn without_tests_the_closing_count_is_of_steps() {
        let steps = [finished(0, 0, Some("clippy")), finished(0, 0, None), finished(0, 0, None)];
        assert_eq!(closing(&steps), Tally { passed: 2, failed: 1 });
    }
}
