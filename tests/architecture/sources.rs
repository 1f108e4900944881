//! What a crate's code may name.

use std::collections::BTreeSet;

use crate::tokens::{Code, Lead};
use crate::workspace::{assert_holds, files, read};

/// A place where a rule of this file does not hold, and why that is right.
pub(crate) struct Exception {
    pub(crate) file: &'static str,
    /// The path, as the violation shows it.
    pub(crate) path: &'static str,
    pub(crate) reason: &'static str,
}

/// The exceptions to [`MACHINE`] and to hash order. One that no longer applies is a failure too.
const EXCEPTIONS: &[Exception] = &[];

/// The crates that take time, bytes and randomness as values.
const SANS_IO: [&str; 5] =
    ["framework/wire", "framework/core", "framework/replication", "framework/server", "framework/client"];

/// The crates that behave the same on every machine, given the same seed.
const DETERMINISTIC: [&str; 6] = [
    "framework/wire",
    "framework/core",
    "framework/replication",
    "framework/server",
    "framework/client",
    "framework/sim",
];

/// What touches the machine. Addresses as plain values are in `core::net`, which holds no socket.
pub(crate) const MACHINE: &[&str] = &[
    "std::env",
    "std::fs",
    "std::hash::RandomState",
    "std::net",
    "std::os",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "async_io",
    "async_std",
    "fastrand",
    "getrandom",
    "mio",
    "quinn_udp",
    "rand::random",
    "rand::rng",
    "rand::rngs::OsRng",
    "rand::rngs::SysRng",
    "rand::rngs::ThreadRng",
    "rand::thread_rng",
    "rand_core::OsRng",
    "smol",
    "socket2",
    "tokio",
    "web_time",
];

/// The macros whose contents become generated code.
const QUOTES: [&str; 4] = ["quote", "quote_spanned", "parse_quote", "parse_quote_spanned"];

#[test]
fn the_sans_io_crates_never_touch_the_machine() {
    let violations = violations_in(&SANS_IO, machine_paths);
    let invariant = "`wire`, `core`, `replication`, `client` and `server` never open a socket, read a clock, spawn a \
                     thread, name tokio or a global random source";
    assert_holds(invariant, &violations);
}

#[test]
fn nothing_depends_on_hash_order() {
    let violations = violations_in(&DETERMINISTIC, hash_ordered_paths);
    let invariant =
        "no hash map or hash set where the same seed must give the same bytes: use a `BTreeMap`, or an index";
    assert_holds(invariant, &violations);
}

#[test]
fn every_exception_is_still_needed() {
    let mut unused: Vec<_> = EXCEPTIONS.iter().collect();
    for file in files().iter().filter(|file| is_source(file)) {
        let code = parsed(file);
        let named: BTreeSet<_> = machine_paths(&code).into_iter().chain(hash_ordered_paths(&code)).collect();
        unused.retain(|exception| {
            exception.file != file || !named.iter().any(|(_, path)| path == exception.path)
        });
    }
    let shown =
        |exception: &&Exception| format!("{}: {} ({})", exception.file, exception.path, exception.reason);
    assert_holds("an exception goes when its reason has gone", &unused.iter().map(shown).collect::<Vec<_>>());
}

#[test]
fn only_the_bevy_crate_and_a_game_on_it_name_bevy() {
    let may = |file: &str| {
        ["framework/bevy/", "protocol-example/bevy/", "protocol-example/src/protocol/"]
            .iter()
            .any(|folder| file.starts_with(folder))
    };
    let mut violations = Vec::new();
    for file in files().iter().filter(|file| file.ends_with(".rs") && !may(file)) {
        violations.extend(
            bevy_paths(&parsed(file)).iter().map(|(line, path)| format!("{file}:{line}: names {path}")),
        );
    }
    assert_holds("in the framework only `bowline-bevy` names bevy, beside it a game on Bevy", &violations);
}

#[test]
fn generated_code_names_the_facade_alone() {
    let violations = violations_in(&["macros"], |code| {
        let mut found = paths_beside_the_facade(code);
        found.extend(our_crates_by_name(code));
        found
    });
    let invariant =
        "generated code names `::bowline::__private` and the standard library alone, by absolute paths";
    assert_holds(invariant, &violations);
}

#[test]
fn a_feature_only_adds() {
    let violations = violations_in(&["framework", "macros", "transports"], |code| {
        let lines = code.lines_without_a_feature().into_iter();
        lines.map(|line| (line, "not(feature = ..)".to_owned())).collect()
    });
    let invariant = "a feature adds; nothing exists only where a feature is off";
    assert_holds(invariant, &violations);
}

/// What a rule finds: the line, and the path as it is written.
type Findings = Vec<(usize, String)>;

pub(crate) fn machine_paths(code: &Code) -> Findings {
    let named = code.paths().into_iter();
    let forbidden = named.filter(|path| MACHINE.iter().any(|machine| path.reaches(machine)));
    forbidden.map(|path| (path.line, path.shown())).collect()
}

pub(crate) fn hash_ordered_paths(code: &Code) -> Findings {
    let hashed = |segment: &String| {
        segment.ends_with("HashMap")
            || segment.ends_with("HashSet")
            || segment == "hash_map"
            || segment == "hash_set"
    };
    let named = code.paths().into_iter().filter(|path| path.segments.iter().any(hashed));
    named.map(|path| (path.line, path.shown())).collect()
}

pub(crate) fn bevy_paths(code: &Code) -> Findings {
    let is_bevy = |first: &String| first == "bevy" || first.starts_with("bevy_");
    let named = code.paths().into_iter().filter(|path| path.segments.len() > 1);
    let bevy = named.filter(|path| path.lead != Lead::Hash && path.segments.first().is_some_and(is_bevy));
    bevy.map(|path| (path.line, path.shown())).collect()
}

/// The paths in quoted code that depend on what the user has imported or on which crates the user depends.
pub(crate) fn paths_beside_the_facade(code: &Code) -> Findings {
    let named = code.paths_in_macros(&QUOTES).into_iter().filter(|path| path.segments.len() > 1);
    let beside = named.filter(|path| {
        let private = path.segments[1] == "__private";
        match (path.lead, path.segments[0].as_str()) {
            (Lead::Colons, "core" | "std") => false,
            (Lead::Colons, "bowline") => !private,
            (Lead::Colons, _) => true,
            // The variables that hold the facade's path.
            (Lead::Hash, "bowline" | "facade" | "krate") => !private,
            (Lead::Hash, _) => false,
            (Lead::Nothing, first) => {
                matches!(first, "alloc" | "core" | "std") || first.starts_with("bowline")
            }
        }
    });
    beside.map(|path| (path.line, path.shown())).collect()
}

fn our_crates_by_name(code: &Code) -> Findings {
    let named = code.paths().into_iter();
    let ours = named.filter(|path| path.segments.iter().any(|segment| segment.starts_with("bowline_")));
    ours.map(|path| (path.line, path.shown())).collect()
}

/// What `rule` finds in the sources under these folders, less the exceptions.
fn violations_in(folders: &[&str], rule: impl Fn(&Code) -> Findings) -> Vec<String> {
    let files = files();
    let sources: Vec<_> = files
        .iter()
        .filter(|file| {
            is_source(file) && folders.iter().any(|folder| file.starts_with(&format!("{folder}/")))
        })
        .map(|file| (file, parsed(file)))
        .collect();
    let test_files: BTreeSet<_> =
        sources.iter().flat_map(|(file, code)| files_of_test_modules(file, code)).collect();
    let is_test = |file: &str| test_files.iter().any(|test| file.starts_with(test));
    let mut violations = Vec::new();
    for (file, code) in sources.iter().filter(|(file, _)| !is_test(file)) {
        for (line, path) in rule(code) {
            if !EXCEPTIONS.iter().any(|exception| exception.file == *file && exception.path == path) {
                violations.push(format!("{file}:{line}: names {path}"));
            }
        }
    }
    violations.dedup();
    violations
}

fn is_source(file: &str) -> bool {
    file.ends_with(".rs") && file.contains("/src/")
}

fn parsed(file: &str) -> Code {
    Code::parse(&read(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// How the names of the files begin that hold the `mod x;` under `#[cfg(test)]` of this file.
fn files_of_test_modules(file: &str, code: &Code) -> Vec<String> {
    let (folder, name) = file.rsplit_once('/').expect("a source lies in a folder");
    let folder = match name {
        "lib.rs" | "main.rs" | "mod.rs" => folder.to_owned(),
        _ => file.trim_end_matches(".rs").to_owned(),
    };
    let begins = |module: &String| [format!("{folder}/{module}.rs"), format!("{folder}/{module}/")];
    code.test_modules.iter().flat_map(begins).collect()
}
