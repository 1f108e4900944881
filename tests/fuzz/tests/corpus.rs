//! The targets on what honest peers say, on what a fuzzer has found, and on both with something changed.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use bowline::{Entropy, SeededEntropy};
use bowline_tests_fuzz::{TARGETS, Target};

fn target(name: &str) -> Target {
    *TARGETS.iter().find(|target| target.name == name).expect("a target of that name")
}

/// What is in the folder of a target, in the order of names.
fn corpus(target: Target) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name);
    let mut files: Vec<_> =
        fs::read_dir(&folder).into_iter().flatten().map(|file| file.expect("a file").path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).expect("it can be read")).collect()
}

/// Runs one input, and says which it was where it fails.
fn run(target: Target, bytes: &[u8], what: &str) {
    let ended = catch_unwind(AssertUnwindSafe(|| (target.run)(bytes)));
    assert!(ended.is_ok(), "{} fails on {what}: {bytes:?}", target.name);
}

/// As a fuzzer would, without looking where it leads.
fn changed(bytes: &[u8], other: &[u8], random: &mut SeededEntropy) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let mut draw = |below: usize| random.next_u64() as usize % below.max(1);
    for _ in 0..=draw(4) {
        let at = draw(bytes.len());
        match draw(6) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << draw(8),
            1 if !bytes.is_empty() => bytes[at] = draw(256) as u8,
            2 => bytes.truncate(at),
            3 => bytes.insert(at, draw(256) as u8),
            4 => drop(bytes.splice(at..at, other[draw(other.len())..].to_vec())),
            _ => drop(bytes.drain(at..(at + draw(8)).min(bytes.len()))),
        }
    }
    bytes.truncate(4_000);
    bytes
}

fn replay(name: &str, changes: usize) {
    let target = target(name);
    let inputs: Vec<_> = (target.seeds)().into_iter().chain(corpus(target)).collect();
    assert!(!inputs.is_empty());
    for (number, input) in inputs.iter().enumerate() {
        run(target, input, &format!("input {number}"));
    }
    let mut random = SeededEntropy::new(1);
    for change in 0..changes {
        let draw = |random: &mut SeededEntropy| random.next_u64() as usize % inputs.len();
        let (one, other) = (draw(&mut random), draw(&mut random));
        run(
            target,
            &changed(&inputs[one], &inputs[other], &mut random),
            &format!("change {change} of input {one}"),
        );
    }
    println!("{name}: {} inputs, {changes} changes", inputs.len());
}

#[test]
fn b3_messages() {
    replay("messages", 100_000);
}

#[test]
fn b3_components() {
    replay("components", 100_000);
}

#[test]
fn b3_state_at_a_server() {
    replay("server_state", 20_000);
}

#[test]
fn b3_state_at_a_client() {
    replay("client_state", 20_000);
}

#[test]
fn b3_strangers() {
    replay("strangers", 4_000);
}

#[test]
fn b3_peers() {
    replay("peers", 4_000);
}

#[test]
fn every_target_is_one_for_the_fuzzer() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("harness/fuzz_targets");
    let files = fs::read_dir(folder).expect("the harness").map(|file| file.expect("a file").path());
    let mut harness: Vec<_> =
        files.map(|file| file.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    harness.sort();
    let mut ours = TARGETS.map(|target| target.name);
    ours.sort_unstable();
    assert_eq!(harness, ours);
}
