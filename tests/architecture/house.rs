//! Files, manifests and documents.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Package, PackageId};
use toml::{Table, Value};

use crate::tokens::Code;
use crate::workspace::{assert_holds, files, members, metadata, read};

/// A longer source file usually holds two things.
const MOST_LINES: usize = 700;

/// The source files that are longer for a reason: the file, and the reason.
const LONG_FILES: &[(&str, &str)] = &[];

/// What each of our packages takes from the workspace.
const INHERITED: [&str; 4] = ["version", "edition", "rust-version", "license"];

/// The packages that say something of their own: the package, the key, the reason.
const OWN_SETTINGS: &[(&str, &str, &str)] = &[
    (
        "framework/bevy",
        "rust-version",
        "it is Bevy's, which wants a newer Rust than we do; no other crate of a game needs it",
    ),
    ("protocol-example/bevy", "rust-version", "it is that of `bowline-bevy`"),
];

/// Where the invariants are tested: every test in these files is named in `ARCHITECTURE.md`.
const INVARIANTS: [&str; 3] = ["arrows.rs", "sources.rs", "house.rs"];

#[test]
fn source_files_stay_short() {
    let mut violations = Vec::new();
    for file in files().iter().filter(|file| file.ends_with(".rs")) {
        let lines = read(file).lines().count();
        let listed = LONG_FILES.iter().any(|(long, _)| long == file);
        match (lines > MOST_LINES, listed) {
            (true, false) => {
                violations.push(format!("{file}: {lines} lines, more than {MOST_LINES}: find the seam"));
            }
            (false, true) => violations.push(format!("{file}: listed as long, and no longer is")),
            _ => {}
        }
    }
    assert_holds("a source file holds one thing", &violations);
}

#[test]
fn our_crates_share_their_settings() {
    let mut violations = Vec::new();
    for folder in members().keys() {
        let manifest = format!("{folder}/Cargo.toml");
        let table = parse(&manifest);
        let is_own =
            |key: &str| OWN_SETTINGS.iter().any(|(package, own, _)| package == folder && *own == key);
        for key in INHERITED.into_iter().filter(|key| !inherits(&table, &["package", key]) && !is_own(key)) {
            violations.push(format!("{manifest}: wants `{key}.workspace = true`"));
        }
        if !inherits(&table, &["lints"]) && !is_own("lints") {
            violations.push(format!("{manifest}: wants `[lints] workspace = true`"));
        }
    }
    assert_holds(
        "our crates take version, edition, Rust version, licence and lints from the workspace",
        &violations,
    );
}

fn is_path_alone(dependency: &Value) -> bool {
    dependency.get("path").is_some() && dependency.get("version").is_none()
}

#[test]
fn versions_are_written_once() {
    let mut violations = Vec::new();
    for folder in members().keys() {
        let manifest = format!("{folder}/Cargo.toml");
        let table = parse(&manifest);
        let platforms = table.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
        for place in platforms.filter_map(Value::as_table).chain([&table]) {
            for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
                let dependencies = place.get(kind).and_then(Value::as_table).into_iter().flatten();
                // A path without a version says no version.
                let own = dependencies.filter(|(_, value)| !is_workspace(value) && !is_path_alone(value));
                violations
                    .extend(own.map(|(name, _)| format!("{manifest}: wants `{name}.workspace = true`")));
            }
        }
    }
    assert_holds("the version of a dependency stands in `[workspace.dependencies]` alone", &violations);
}

#[test]
fn dependencies_build_with_the_rust_we_promise() {
    let mut violations = Vec::new();
    for ours in published() {
        let promised = ours.rust_version.as_ref().map(|version| (version.major, version.minor));
        let promised = promised.expect("each of our crates promises a Rust version");
        let needed = needed_by_users_of(&ours.id);
        for package in metadata().packages.iter().filter(|package| needed.contains(&package.id)) {
            if let Some(wants) =
                package.rust_version.as_ref().filter(|wants| (wants.major, wants.minor) > promised)
            {
                let (name, version) = (&package.name, &package.version);
                violations.push(format!("{}: {name} {version} wants Rust {wants}", ours.name));
            }
        }
    }
    assert_holds("what our published crates depend on builds with our `rust-version`", &violations);
}

#[test]
fn the_code_map_names_every_crate() {
    let map = read("ARCHITECTURE.md");
    let mut violations = Vec::new();
    for (folder, package) in members() {
        let is_row = |line: &str| {
            line.contains(&format!("`{folder}`")) && line.contains(&format!("`{}`", package.name))
        };
        if !map.lines().any(is_row) {
            violations.push(format!(
                "ARCHITECTURE.md: the code map has no line with `{folder}` and `{}`",
                package.name
            ));
        }
    }
    assert_holds("the code map names every crate", &violations);
}

#[test]
fn every_invariant_has_its_test_and_every_test_its_invariant() {
    let document = read("ARCHITECTURE.md");
    let named: BTreeSet<_> = tests_named(&document);
    let tests =
        |file| Code::parse(&read(&format!("tests/architecture/{file}"))).expect("it compiles").tests();
    let written: BTreeSet<_> = INVARIANTS.into_iter().flat_map(tests).collect();
    assert!(written.len() > 10, "the tests are found: {written:?}");

    let mut violations = Vec::new();
    violations.extend(
        written.difference(&named).map(|test| format!("ARCHITECTURE.md names no invariant for `{test}`")),
    );
    violations.extend(
        named.difference(&written).map(|test| format!("ARCHITECTURE.md names `{test}`, which is no test")),
    );
    for paragraph in document.split("\n\n").filter(|paragraph| paragraph.contains("**Architecture invariant"))
    {
        if tests_named(paragraph).is_empty() {
            violations.push(format!("ARCHITECTURE.md: no `Test:` in the paragraph \"{}\"", paragraph.trim()));
        }
    }
    assert_holds("every invariant has its test, and every test its invariant", &violations);
}

#[test]
fn no_file_names_a_machine() {
    let mut violations = Vec::new();
    for file in files() {
        for (number, line) in (1..).zip(read(&file).lines()) {
            if let Some(place) = machine_path(line) {
                violations.push(format!("{file}:{number}: names a place under {place}"));
            }
        }
    }
    assert_holds("no file names a place on somebody's machine", &violations);
}

/// The folder of a machine that a line names, if it names one.
pub(crate) fn machine_path(line: &str) -> Option<&'static str> {
    // Written in two halves, or this file would be its own first violation.
    const PLACES: [&str; 5] = [
        concat!("/", "home/"),
        concat!("/", "root/"),
        concat!("/", "work/"),
        concat!("/", "Users/"),
        concat!("C:", "\\Users\\"),
    ];
    let starts_a_path = |before: &str| {
        let inside =
            |last: char| last.is_alphanumeric() || matches!(last, '.' | '_' | '-' | '/' | '}' | ')' | '*');
        !before.ends_with(inside)
    };
    PLACES.into_iter().find(|place| line.match_indices(place).any(|(at, _)| starts_a_path(&line[..at])))
}

/// The names after `Test:` or `Tests:`, as `ARCHITECTURE.md` writes them.
pub(crate) fn tests_named(text: &str) -> BTreeSet<String> {
    let sentences =
        text.split("Test").skip(1).filter_map(|rest| rest.strip_prefix(':').or(rest.strip_prefix("s:")));
    let lists = sentences.map(|rest| rest.split_once("\n\n").map_or(rest, |(list, _)| list));
    lists.flat_map(|list| list.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

/// Our crates that others can depend on.
fn published() -> impl Iterator<Item = &'static Package> {
    metadata().workspace_packages().into_iter().filter(|package| package.publish.is_none())
}

/// The packages that come into a program which uses this one.
fn needed_by_users_of(package: &PackageId) -> BTreeSet<PackageId> {
    let resolve = metadata().resolve.as_ref().expect("the dependencies are resolved");
    let nodes: BTreeMap<_, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let mut next = vec![package];
    let mut needed = BTreeSet::new();
    while let Some(id) = next.pop() {
        if needed.insert(id.clone()) {
            let dependencies = nodes.get(id).into_iter().flat_map(|node| &node.deps);
            let in_programs = dependencies.filter(|dependency| {
                dependency.dep_kinds.iter().any(|kind| kind.kind != DependencyKind::Development)
            });
            next.extend(in_programs.map(|dependency| &dependency.pkg));
        }
    }
    needed
}

fn parse(manifest: &str) -> Table {
    read(manifest).parse().unwrap_or_else(|error| panic!("{manifest}: {error}"))
}

fn inherits(table: &Table, path: &[&str]) -> bool {
    let (first, rest) = path.split_first().expect("a path has a first part");
    rest.iter()
        .try_fold(table.get(*first), |value, key| Some(value?.get(key)))
        .flatten()
        .is_some_and(is_workspace)
}

fn is_workspace(value: &Value) -> bool {
    value.get("workspace").and_then(Value::as_bool) == Some(true)
}
