//! The feature matrix: every combination of features that a user can choose builds, without a warning. Of a package with many,
//! as few as have every three features in each combination of on and off: whatever three features do to each other shows,
//! and what it takes four for is rare (Kuhn, Wallace and Gallo, *Software Fault Interactions and Implications for Software
//! Testing*, 2004).
//!
//! A package whose combinations are not all valid says so in its manifest, and then the compiler must refuse the
//! invalid ones:
//!
//! ```toml
//! [package.metadata.feature-matrix]
//! needs-one-of = ["transport_local", "transport_udp"]
//! ```

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::Package;

use crate::process::{self, Failure};
use crate::runner::{Notes, Step};
use crate::workspace::Workspace;

/// The packages whose features users choose.
const PACKAGES: [&str; 2] = ["bowline", "protocol-example"];

/// Beyond this many, all combinations of one package take longer than they tell.
const MOST_FEATURES: usize = 5;

pub(crate) const FEATURES: Step =
    Step { name: "features", about: "the combinations of features that a user can choose", run };

type Combination = BTreeSet<String>;

fn run(workspace: &Workspace, notes: &mut Notes) -> Result<(), Failure> {
    let mut broken = Vec::new();
    for name in PACKAGES {
        let Some(package) = workspace.package(name) else {
            notes.unchecked.push(format!("{name}: there is no such package in the workspace"));
            continue;
        };
        let chosen = choosable(&package.features);
        let candidates = if chosen.len() > MOST_FEATURES { by_threes(&chosen) } else { powerset(&chosen) };
        let combinations = distinct(candidates, &package.features);
        notes.remarks.push(format!("{name}: {} combinations", combinations.len()));
        for combination in &combinations {
            if let Err(why) = check(workspace, package, combination) {
                println!("   {why}");
                broken.push(why.to_string());
            }
        }
    }
    if broken.is_empty() { Ok(()) } else { Err(Failure::new(broken.join("; "))) }
}

fn check(workspace: &Workspace, package: &Package, combination: &Combination) -> Result<(), Failure> {
    let features: Vec<_> = combination.iter().map(String::as_str).collect();
    let features = features.join(",");
    // Clippy checks all that `cargo check` does, and denies warnings without building the dependencies anew.
    let mut clippy = workspace.cargo(["clippy", "--quiet", "--package", package.name.as_str()]);
    clippy.arg("--no-default-features");
    if !features.is_empty() {
        clippy.args(["--features", &features]);
    }
    clippy.args(["--", "--deny", "warnings"]);

    let needed = needs_one_of(package)?;
    if needed.is_empty() || needed.iter().any(|feature| combination.contains(feature)) {
        return process::run(&mut clippy);
    }
    let (status, text) = process::capture(&mut clippy)?;
    if status.success() {
        let why =
            format!("{} builds without any of {}, against its manifest", package.name, needed.join(", "));
        return Err(Failure::new(why));
    }
    let error = text.lines().find(|line| line.starts_with("error")).unwrap_or("without an error");
    println!("   refused, as its manifest says: {error}");
    Ok(())
}

/// The features to choose from: `default` is a choice of others, and a leading underscore means "not for
/// users".
fn choosable(features: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    features.keys().filter(|name| *name != "default" && !name.starts_with('_')).cloned().collect()
}

/// Every combination.
fn powerset(choosable: &[String]) -> Vec<Combination> {
    let mut all = vec![Combination::new()];
    for feature in choosable {
        let with: Vec<_> = all.iter().map(|rest| rest.iter().chain([feature]).cloned().collect()).collect();
        all.extend(with);
    }
    all
}

/// None, each alone, all but each one, and all. Of any three features there are then all eight combinations.
fn by_threes(choosable: &[String]) -> Vec<Combination> {
    let all: Combination = choosable.iter().cloned().collect();
    let alone = choosable.iter().map(|feature| Combination::from([feature.clone()]));
    let but_one =
        choosable.iter().map(|feature| all.iter().filter(|other| *other != feature).cloned().collect());
    alone.chain(but_one).chain([Combination::new(), all.clone()]).collect()
}

/// Less those that switch on the same features as another. The smallest first.
fn distinct(combinations: Vec<Combination>, features: &BTreeMap<String, Vec<String>>) -> Vec<Combination> {
    let closed: BTreeSet<_> = combinations.iter().map(|combination| closure(combination, features)).collect();
    let mut closed: Vec<_> = closed.into_iter().collect();
    closed.sort_by_key(BTreeSet::len);
    closed
}

/// The features that are on when these are chosen: a feature may imply others of its package.
fn closure(combination: &Combination, features: &BTreeMap<String, Vec<String>>) -> Combination {
    let mut on = Combination::new();
    let mut next: Vec<&String> = combination.iter().collect();
    while let Some(feature) = next.pop() {
        if on.insert(feature.clone()) {
            let implied = features.get(feature).into_iter().flatten();
            next.extend(implied.filter(|name| features.contains_key(*name)));
        }
    }
    on
}

fn needs_one_of(package: &Package) -> Result<Vec<String>, Failure> {
    let Some(list) = package.metadata.pointer("/feature-matrix/needs-one-of") else { return Ok(Vec::new()) };
    let names = list.as_array().map(|names| names.iter().map(|name| name.as_str().map(str::to_owned)));
    let names: Option<Vec<_>> = names.and_then(Iterator::collect);
    let names = names.ok_or_else(|| Failure::new("`needs-one-of` is not a list of feature names"))?;
    match names.iter().find(|name| !package.features.contains_key(*name)) {
        Some(unknown) => Err(Failure::new(format!("`needs-one-of` names the unknown feature {unknown}"))),
        None => Ok(names),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(list: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        list.iter().map(|(name, implied)| ((*name).to_owned(), owned(implied))).collect()
    }

    fn shown(features: &BTreeMap<String, Vec<String>>) -> Vec<String> {
        let combinations = distinct(powerset(&choosable(features)), features);
        combinations.into_iter().map(|features| features.into_iter().collect::<Vec<_>>().join("+")).collect()
    }

    #[test]
    fn independent_features_give_every_combination() {
        let three =
            features(&[("default", &["a"]), ("a", &[]), ("b", &["dep:b"]), ("c", &[]), ("_test", &[])]);
        assert_eq!(shown(&three), ["", "a", "b", "c", "a+b", "a+c", "b+c", "a+b+c"]);
    }

    #[test]
    fn of_many_features_any_three_are_there_in_every_combination() {
        let names: Vec<_> = ["a", "b", "c", "d", "e", "f", "g"].map(str::to_owned).into();
        let combinations: BTreeSet<_> = by_threes(&names).into_iter().collect();
        assert_eq!(combinations.len(), 7 + 7 + 2);
        for (first, second, third) in [(0, 1, 2), (0, 3, 6), (4, 5, 6)] {
            let three = [first, second, third].map(|at| &names[at]);
            let seen: BTreeSet<_> =
                combinations.iter().map(|all| three.map(|feature| all.contains(feature))).collect();
            assert_eq!(seen.len(), 8, "{three:?}");
        }
    }

    #[test]
    fn a_feature_that_implies_others_adds_no_combination_twice() {
        let implying = features(&[("a", &[]), ("b", &[]), ("full", &["a", "b"])]);
        assert_eq!(shown(&implying), ["", "a", "b", "a+b", "a+b+full"]);
    }
}
