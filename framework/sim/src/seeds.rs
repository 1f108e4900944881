use std::any::Any;
use std::fmt;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;

use crate::Plan;

/// A run that failed.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The seed to repeat it with.
    pub seed: u64,
    /// What the assertion said.
    pub message: String,
    /// The smallest plan that still fails, where the test has one.
    pub plan: Option<Plan>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {} failed: {}", self.seed, self.message)?;
        match &self.plan {
            Some(plan) => write!(f, "\nit still fails with no more than {:#?}", plan.faults()),
            None => Ok(()),
        }
    }
}

/// Runs `test` with each of `seeds`, and first with those that failed before.
///
/// A failure stops the run with its seed, shrinks the plan that `plan_of` makes of the seed (give `|_| Plan::new()` where
/// there is none), and keeps the seed in `regressions/NAME` of the package, if that folder exists; such files belong
/// into version control. `BOWLINE_SEED=17` runs that seed alone, `BOWLINE_SEEDS=100000` that many.
///
/// # Panics
/// With the [`Failure`], where a run panics.
///
/// ```
/// use bowline_sim::{Plan, check_seeds};
///
/// check_seeds("sums", 0..100, |_| Plan::new(), |seed, _plan| {
///     assert_eq!(seed + seed, 2 * seed);
/// });
/// ```
pub fn check_seeds(name: &str, seeds: Range<u64>, plan_of: impl Fn(u64) -> Plan, test: impl Fn(u64, &Plan)) {
    let run = |seed, plan: &Plan| catch_unwind(AssertUnwindSafe(|| test(seed, plan)));
    let chosen: Vec<u64> = match (number("BOWLINE_SEED"), number("BOWLINE_SEEDS")) {
        (Some(seed), _) => vec![seed],
        (None, Some(count)) => (seeds.start..seeds.start + count).collect(),
        (None, None) => kept(name).into_iter().chain(seeds).collect(),
    };
    for seed in chosen {
        let plan = plan_of(seed);
        let Err(panic) = run(seed, &plan) else { continue };
        keep(name, seed);
        let smallest = (!plan.faults().is_empty()).then(|| plan.shrink(|plan| run(seed, plan).is_err()));
        let failure = Failure { seed, message: message(&*panic), plan: smallest };
        eprintln!("{name}: {failure}\nrepeat it with BOWLINE_SEED={seed}");
        resume_unwind(Box::new(failure.to_string()));
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default()
}

/// Where the seeds that failed are kept, if the package that runs the test has such a folder.
fn file(name: &str) -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR")?).join("regressions");
    folder.is_dir().then(|| folder.join(name))
}

fn kept(name: &str) -> Vec<u64> {
    let text = file(name).and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
    text.lines().filter_map(|line| line.trim().parse().ok()).collect()
}

fn keep(name: &str, seed: u64) {
    let Some(file) = file(name) else { return };
    let mut seeds = kept(name);
    if !seeds.contains(&seed) {
        seeds.push(seed);
        let text: String = seeds.iter().map(|seed| format!("{seed}\n")).collect();
        if let Err(error) = std::fs::write(&file, text) {
            eprintln!("{}: {error}", file.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::Fault;

    #[test]
    fn a_failure_names_its_seed_and_the_smallest_plan() {
        let plan_of = |seed| (0..seed as usize).fold(Plan::new(), |p, n| p.at(Duration::ZERO, Fault::Cut(n)));
        let outcome = catch_unwind(|| {
            check_seeds("never_kept", 0..10, plan_of, |seed, plan| {
                assert!(plan.faults().len() < 4 || seed < 4, "too many cables");
            });
        });
        let text = message(&*outcome.unwrap_err());
        assert!(text.starts_with("seed 4 failed: too many cables"), "{text}");
    }
}
