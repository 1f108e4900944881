//! Whatever bytes come in: no panic, no more memory than they are worth, and nothing changes but that they are dropped.
//!
//! A [`Target`] is a function of bytes. It panics where it finds a fault. Three kinds of bytes go in:
//!
//! * [`Target::seeds`]: what honest peers say, recorded here;
//! * `corpus/`: what a fuzzer has found to lead somewhere new;
//! * what a fuzzer makes of both: `cargo xtask fuzz`.
//!
//! The tests of this crate replay the first two, and change them at random a few thousand times.

mod datagrams;
mod decoders;
mod peers;
mod protocol;
mod sessions;
mod state;
mod strangers;

/// Something that takes bytes from strangers.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// As the fuzzer and the folder of the corpus are called.
    pub name: &'static str,
    /// Takes bytes in.
    pub run: fn(&[u8]),
    /// What honest peers would say.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// One for each decoder that can be reached from outside, and for the endpoints.
pub const TARGETS: [Target; 6] = [
    Target { name: "messages", run: decoders::messages, seeds: decoders::message_seeds },
    Target { name: "components", run: decoders::components, seeds: decoders::component_seeds },
    Target { name: "server_state", run: state::server, seeds: state::server_seeds },
    Target { name: "client_state", run: state::client, seeds: state::client_seeds },
    Target { name: "strangers", run: strangers::run, seeds: strangers::seeds },
    Target { name: "peers", run: peers::run, seeds: peers::seeds },
];

/// Runs the target of that name: what a fuzzer calls.
///
/// # Panics
/// Where the bytes show a fault, or there is no such target.
pub fn run(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target of that name");
    (target.run)(bytes);
}
