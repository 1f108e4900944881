//! The table, and the same as JSON.

use serde::Serialize;

use crate::run::{Outcome, Row};

/// One line of `--json`.
#[derive(Serialize)]
struct Line<'a> {
    scenario: &'a str,
    clients: usize,
    entities: usize,
    metric: String,
    bowline: Option<f64>,
    naia: Option<f64>,
    ratio: Option<f64>,
}

/// Two lines for each metric: against naia with its defaults, and, with a suffix, without its cap.
pub(crate) fn json(rows: &[Row]) {
    for row in rows {
        for (suffix, naia) in [("", row.naia), ("/naia-uncapped", row.naia_uncapped)] {
            let line = Line {
                scenario: row.job.scenario.name(),
                clients: row.job.clients,
                entities: row.job.entities,
                metric: format!("{}{suffix}", row.metric),
                bowline: row.bowline.value(),
                naia: naia.value(),
                ratio: row.bowline.ratio(naia),
            };
            match serde_json::to_string(&line) {
                Ok(line) => println!("{line}"),
                Err(error) => eprintln!("a line cannot be written: {error}"),
            }
        }
    }
}

pub(crate) fn heading() {
    println!("A ratio above 1 says how many times better Bowline is.\n");
    println!(
        "{:<13} {:>7} {:>8}  {:<39} {:>11} {:>11} {:>8} {:>11} {:>8}",
        "scenario", "clients", "entities", "metric", "bowline", "naia", "ratio", "naia uncap.", "ratio"
    );
}

pub(crate) fn table(rows: &[Row]) {
    for row in rows {
        println!(
            "{:<13} {:>7} {:>8}  {:<39} {:>11} {:>11} {:>8} {:>11} {:>8}",
            row.job.scenario.name(),
            row.job.clients,
            row.job.entities,
            row.metric,
            value(row.bowline),
            value(row.naia),
            ratio(row.bowline.ratio(row.naia)),
            value(row.naia_uncapped),
            ratio(row.bowline.ratio(row.naia_uncapped)),
        );
    }
}

fn value(outcome: Outcome) -> String {
    match outcome {
        Outcome::Figure(figure) => number(figure.value),
        Outcome::Missing => "-".into(),
        Outcome::Panicked => "panicked".into(),
    }
}

fn ratio(ratio: Option<f64>) -> String {
    ratio.map_or("-".into(), number)
}

/// Three or four digits that matter.
fn number(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.digits$}")
}
