//! One job on both libraries.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::bowline::BowlineStage;
use crate::naia::{Cap, NaiaStage};
use crate::scenario::{Figure, Job};
use crate::stage::Stage;

/// A metric, and what each library reaches.
pub(crate) struct Row {
    pub(crate) job: Job,
    pub(crate) metric: &'static str,
    pub(crate) bowline: Outcome,
    /// With its defaults.
    pub(crate) naia: Outcome,
    /// With its cap of 64 kB/s and connection lifted.
    pub(crate) naia_uncapped: Outcome,
}

/// What came of a metric on one library.
#[derive(Clone, Copy)]
pub(crate) enum Outcome {
    Figure(Figure),
    /// It cannot do this yet.
    Missing,
    /// It did not live to the end.
    Panicked,
}

impl Outcome {
    pub(crate) const fn value(self) -> Option<f64> {
        match self {
            Self::Figure(figure) => Some(figure.value),
            Self::Missing | Self::Panicked => None,
        }
    }

    /// How many times better this is than `theirs`.
    pub(crate) fn ratio(self, theirs: Self) -> Option<f64> {
        match (self, theirs) {
            (Self::Figure(ours), Self::Figure(theirs)) => ours.ratio(theirs.value),
            _ => None,
        }
    }
}

/// Runs a job on Bowline, and unless that is to be alone, on naia, and on naia without its cap.
pub(crate) fn side_by_side(job: Job, alone: bool) -> Vec<Row> {
    let bowline = figures::<BowlineStage>(job, ());
    let theirs = |cap| if alone { Some(Vec::new()) } else { figures::<NaiaStage>(job, cap) };
    let (naia, uncapped) = (theirs(Cap::Default), theirs(Cap::Lifted));
    let mut metrics: Vec<&'static str> = Vec::new();
    for figure in [&bowline, &naia, &uncapped].into_iter().flatten().flatten() {
        if !metrics.contains(&figure.metric) {
            metrics.push(figure.metric);
        }
    }
    let row = |metric| Row {
        job,
        metric,
        bowline: outcome(&bowline, metric),
        naia: outcome(&naia, metric),
        naia_uncapped: outcome(&uncapped, metric),
    };
    metrics.into_iter().map(row).collect()
}

/// `None` where the library panicked, which it does by itself in some scenarios. The others go on.
fn figures<S: Stage>(job: Job, setup: S::Setup) -> Option<Vec<Figure>> {
    let run = || catch_unwind(AssertUnwindSafe(|| job.run::<S>(setup))).ok();
    if job.scenario.counts_the_heap() {
        return run();
    }
    // Counting costs a little at each allocation, and one side makes many more.
    let mut figures = None;
    allocation_counter::opt_out(|| figures = run());
    figures
}

fn outcome(figures: &Option<Vec<Figure>>, metric: &str) -> Outcome {
    match figures {
        None => Outcome::Panicked,
        Some(figures) => {
            let found = figures.iter().find(|figure| figure.metric == metric);
            found.map_or(Outcome::Missing, |figure| Outcome::Figure(*figure))
        }
    }
}

/// One line for a panic, on standard error; the table says the rest.
pub(crate) fn silence_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or(String::new(), |at| {
            // Without the folders, which say where somebody's packages are.
            let file = at.file().rsplit(['/', '\\']).next().unwrap_or_default();
            format!(" at {file}:{}", at.line())
        });
        let payload = panic.payload();
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let words = text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no words");
        eprintln!("panicked{place}: {words}");
    }));
}
