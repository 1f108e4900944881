//! Which crate may depend on which.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Package};

use crate::workspace::{assert_holds, members};

/// A dependency of one of our crates.
#[derive(Clone, Debug)]
pub(crate) struct Arrow {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) only_in_tests: bool,
    pub(crate) ours: bool,
    pub(crate) optional: bool,
}

/// For each crate of ours, those of ours that it may depend on. A crate that is not here has no place in the house
/// yet.
pub(crate) const DRAWN: &[(&str, &[&str])] = &[
    ("bowline-wire", &[]),
    ("bowline-core", &["bowline-wire"]),
    ("bowline-replication", &["bowline-core", "bowline-wire"]),
    ("bowline-server", &["bowline-core", "bowline-replication", "bowline-wire"]),
    ("bowline-client", &["bowline-core", "bowline-replication", "bowline-wire"]),
    ("bowline-platform", &["bowline-client", "bowline-core", "bowline-server"]),
    (
        "bowline-sim",
        &["bowline-client", "bowline-core", "bowline-replication", "bowline-server", "bowline-wire"],
    ),
    ("bowline-macros", &[]),
    ("bowline-local", &["bowline-core"]),
    ("bowline-udp", &["bowline-core"]),
    ("bowline-webrtc", &["bowline-core"]),
    (
        "bowline",
        &[
            "bowline-client",
            "bowline-core",
            "bowline-local",
            "bowline-macros",
            "bowline-platform",
            "bowline-replication",
            "bowline-server",
            "bowline-udp",
            "bowline-webrtc",
            "bowline-wire",
        ],
    ),
    ("bowline-bevy", &["bowline"]),
    // Users: the facade, the transports, the simulator.
    ("protocol-example", &["bowline", "bowline-local", "bowline-udp", "bowline-webrtc"]),
    ("protocol-example-bevy", &["bowline", "bowline-bevy", "protocol-example"]),
    ("bowline-book", &["bowline", "bowline-local", "bowline-sim", "bowline-udp", "bowline-webrtc"]),
    (
        "bowline-tests",
        &["bowline", "bowline-local", "bowline-sim", "bowline-tests-items", "bowline-udp", "bowline-webrtc"],
    ),
    ("bowline-tests-items", &["bowline"]),
    ("bowline-tests-fuzz", &["bowline", "bowline-sim"]),
    ("bowline-tests-sockets", &["bowline", "bowline-tests"]),
    ("bowline-browser-tests", &["bowline"]),
    ("bowline-bindgen", &[]),
    ("xtask", &[]),
];

/// What a crate's own tests may use beyond that, with the reason.
pub(crate) const DRAWN_IN_TESTS: &[(&str, &str, &str)] = &[
    ("bowline-macros", "bowline", "the examples in its documentation derive as users do"),
    ("bowline-sim", "bowline", "the examples in its documentation derive as users do"),
    (
        "bowline-bevy",
        "bowline-sim",
        "its behaviour tests name bevy, which `tests` may not, and run in virtual time",
    ),
];

/// The folders of the users: nothing in the house may depend on a crate in one of them.
const USERS: [&str; 3] = ["protocol-example", "book", "tests"];

#[test]
fn wire_core_and_replication_depend_downwards_alone() {
    let heart = ["bowline-wire", "bowline-core", "bowline-replication"];
    let arrows: Vec<_> = arrows().into_iter().filter(|arrow| heart.contains(&&*arrow.from)).collect();
    let mut violations = wrong(&arrows, DRAWN);
    let foreign = |arrow: &&Arrow| !arrow.ours && !arrow.only_in_tests && !arrow.optional;
    for arrow in arrows.iter().filter(|arrow| arrow.from == "bowline-wire").filter(foreign) {
        violations
            .push(format!("bowline-wire depends on {}: it may have optional dependencies alone", arrow.to));
    }
    let invariant = "`wire` depends on no crate of ours, `core` on `wire` alone, `replication` on both";
    assert_holds(invariant, &violations);
}

#[test]
fn a_transport_depends_on_core_alone() {
    let transports: BTreeSet<_> = members()
        .into_iter()
        .filter(|(folder, _)| folder.starts_with("transports/"))
        .map(|(_, package)| name(package))
        .collect();
    let arrows: Vec<_> = arrows().into_iter().filter(|arrow| transports.contains(&arrow.from)).collect();
    let core_alone: Vec<_> =
        transports.iter().map(|transport| (transport.as_str(), &["bowline-core"] as &[_])).collect();
    let invariant = "a transport depends on `core` alone, never on another transport, never on `replication`";
    assert_holds(invariant, &wrong(&arrows, &core_alone));
}

#[test]
fn client_and_server_never_meet() {
    let arrows = arrows();
    let mut violations = Vec::new();
    for (one, other) in [("bowline-client", "bowline-server"), ("bowline-server", "bowline-client")] {
        if let Some(way) = way(&arrows, one, other) {
            violations.push(format!("{one} reaches {other}: {}", way.join(" -> ")));
        }
    }
    let invariant =
        "`client` never imports `server`, nor the reverse: what both need is in `core` or `replication`";
    assert_holds(invariant, &violations);
}

#[test]
fn only_the_bevy_crate_and_a_game_on_it_depend_on_bevy() {
    let may = |arrow: &Arrow| match &*arrow.from {
        "bowline-bevy" | "protocol-example-bevy" => true,
        // Components derive Bevy's trait where they are, for those who ask for it.
        "protocol-example" => arrow.optional,
        _ => false,
    };
    let wrong = arrows().into_iter().filter(|arrow| arrow.to.starts_with("bevy") && !may(arrow));
    let violations: Vec<_> = wrong.map(|arrow| format!("{} depends on {}", arrow.from, arrow.to)).collect();
    let invariant = "in the framework only `bowline-bevy` names bevy; beside it a game on Bevy, and the protocol of one \
                     behind a feature";
    assert_holds(invariant, &violations);
}

#[test]
fn users_see_the_facade_and_nothing_depends_on_them() {
    let is_user =
        |folder: &str| USERS.iter().any(|user| folder == *user || folder.starts_with(&format!("{user}/")));
    let members = members();
    let users: BTreeSet<_> =
        members.iter().filter(|(folder, _)| is_user(folder)).map(|(_, package)| name(package)).collect();
    let arrows = arrows();
    let (outward, rest): (Vec<_>, Vec<_>) = arrows.into_iter().partition(|arrow| users.contains(&arrow.from));
    let mut violations = wrong(&outward, DRAWN);
    // The tests are several crates: items to derive a protocol over have to be in another, and what is over real sockets is
    // apart, with the protocol of the others. So is the example: who wants it without Bevy builds no Bevy.
    let within_one_user = |arrow: &&Arrow| {
        ["bowline-tests", "protocol-example"]
            .iter()
            .any(|user| arrow.from.starts_with(user) && arrow.to.starts_with(user))
    };
    let inward = rest.iter().chain(&outward).filter(|arrow| users.contains(&arrow.to));
    let inward = inward.filter(|arrow| !within_one_user(arrow));
    violations.extend(inward.map(|arrow| format!("{} depends on the user {}", arrow.from, arrow.to)));
    let invariant = "`protocol-example`, `book` and `tests` see the facade, the transports and the simulator; \
                     nothing outside their own folders depends on them";
    assert_holds(invariant, &violations);
}

#[test]
fn every_arrow_between_our_crates_is_drawn() {
    let unplaced =
        members().into_values().map(name).filter(|name| !DRAWN.iter().any(|(crate_, _)| crate_ == name));
    let mut violations: Vec<_> = unplaced.map(|name| format!("{name} has no line in `DRAWN`")).collect();
    violations.extend(wrong(&arrows(), DRAWN));
    assert_holds("every arrow between our crates is drawn in `tests/architecture/arrows.rs`", &violations);
}

/// Every dependency of every crate of ours, the optional and the platform-specific ones too.
fn arrows() -> Vec<Arrow> {
    let members = members();
    let names: BTreeSet<_> = members.values().copied().map(name).collect();
    let of_package = |package: &&Package| {
        let from = name(package);
        let dependencies = package.dependencies.clone().into_iter();
        let names = &names;
        dependencies
            .map(move |dependency| Arrow {
                from: from.clone(),
                ours: names.contains(&dependency.name),
                only_in_tests: dependency.kind == DependencyKind::Development,
                optional: dependency.optional,
                to: dependency.name,
            })
            .collect::<Vec<_>>()
    };
    members.values().flat_map(of_package).collect()
}

/// The arrows between our crates that are not drawn.
pub(crate) fn wrong(arrows: &[Arrow], drawn: &[(&str, &[&str])]) -> Vec<String> {
    let drawn: BTreeMap<_, _> = drawn.iter().copied().collect();
    let is_drawn = |arrow: &Arrow| {
        let among = drawn.get(arrow.from.as_str()).copied().unwrap_or_default();
        let tests = || DRAWN_IN_TESTS.iter().any(|(from, to, _)| *from == arrow.from && *to == arrow.to);
        among.contains(&arrow.to.as_str()) || (arrow.only_in_tests && tests())
    };
    let undrawn = arrows.iter().filter(|arrow| arrow.ours && !is_drawn(arrow));
    let shown = undrawn.map(|arrow| {
        let may = drawn.get(arrow.from.as_str()).copied().unwrap_or_default().join(", ");
        let kind = if arrow.only_in_tests { " in its tests" } else { "" };
        format!("{} depends on {}{kind}; it may depend on [{may}]", arrow.from, arrow.to)
    });
    shown.collect()
}

/// A way along the arrows from one crate to another, if there is one.
pub(crate) fn way(arrows: &[Arrow], from: &str, to: &str) -> Option<Vec<String>> {
    let mut seen = BTreeSet::new();
    let mut ways = vec![vec![from.to_owned()]];
    while let Some(way) = ways.pop() {
        let last = way.last().expect("a way starts somewhere");
        if last == to {
            return Some(way);
        }
        if seen.insert(last.clone()) {
            let next = arrows.iter().filter(|arrow| arrow.ours && arrow.from == *last);
            let longer = next.map(|arrow| way.iter().chain([&arrow.to]).cloned().collect());
            ways.extend(longer.collect::<Vec<_>>());
        }
    }
    None
}

fn name(package: &Package) -> String {
    package.name.to_string()
}
