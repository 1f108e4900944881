//! The program, started as a user does.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::UdpSocket;
use std::process::{Child, Command, Output, Stdio};

use clap::ValueEnum;
use protocol_example::demo::STORY;
use protocol_example::transport::TransportKind;
use serde_json::Value;

fn program(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_protocol-example"));
    command.args(args).env_remove("RUST_LOG").stdin(Stdio::null());
    command
}

fn run(args: &[&str]) -> (Output, String) {
    let output = program(args).output().unwrap();
    let errors = String::from_utf8(output.stderr.clone()).unwrap();
    (output, errors)
}

fn parsed(stdout: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect()
}

/// The names of the transports that are built in, as `--transport` takes them.
fn transports() -> impl Iterator<Item = String> {
    let kinds = TransportKind::value_variants().iter();
    kinds.map(|kind| kind.to_possible_value().unwrap().get_name().to_owned())
}

#[test]
fn json_is_the_timeline_and_nothing_else() {
    for transport in transports() {
        let (output, errors) = run(&["--json", "--transport", &transport]);
        assert!(output.status.success() && errors.is_empty(), "{transport}: {errors}");
        let lines = parsed(&output.stdout);
        for line in &lines {
            assert!(line["at_ms"].is_u64() && line["scene"].is_string(), "{line}");
        }
        let field = |line: &Value, name: &str| line[name].as_str().unwrap().to_owned();
        let story: Vec<_> =
            lines.iter().map(|line| ["who", "state", "event"].map(|name| field(line, name))).collect();
        let expected: Vec<_> = STORY.iter().map(|(who, state, event)| [*who, *state, *event]).collect();
        assert_eq!(story, expected, "{transport}");
        let rejected = lines.iter().filter(|line| line["event"] == "rejected").collect::<Vec<_>>();
        assert_eq!(rejected.len(), 4);
        assert!(rejected.iter().all(|line| line["reason"].is_string()), "{rejected:?}");
    }
}

#[test]
fn the_timeline_has_no_colours_in_a_pipe() {
    let (output, errors) = run(&["demo"]);
    assert!(output.status.success() && errors.is_empty(), "{errors}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains('\u{1b}'), "{text}");
    for words in
        ["A client that missed an update", "message `Steer`", "no shouting in the harbour", "round trip"]
    {
        assert!(text.contains(words), "{words} is not in:\n{text}");
    }
}

#[test]
fn a_closed_pipe_is_no_error() {
    let mut demo = program(&["--json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(demo.stdout.take());
    let mut errors = String::new();
    demo.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert!(demo.wait().unwrap().success() && errors.is_empty(), "{errors}");
}

#[test]
fn bad_arguments_are_explained() {
    for (args, words) in [
        (&["bots", "--count", "0"][..], "0 is not in 1..=64"),
        (&["bots", "--for", "-1"], "from 0 to"),
        (&["bots", "--for", "soon"], "invalid float"),
        (&["serve", "--bind", "harbour"], "invalid socket address"),
        (&["serve", "--max-users", "65"], "65 is not in 1..=64"),
        (&["join", "--condition", "awful"], "very-poor"),
        (&["--transport", "pigeon"], "possible values"),
        (&["sail"], "unrecognized subcommand"),
    ] {
        let (output, errors) = run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {errors}");
        assert!(errors.contains(words), "{args:?}: {errors}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn one_process_cannot_be_two() {
    if TransportKind::first().crosses_processes() {
        return;
    }
    for args in [&["serve"][..], &["join"], &["bots", "--server", "127.0.0.1:1"]] {
        let (output, errors) = run(&[args, &["--transport", "local"]].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}: {errors}");
        assert!(errors.contains("--features transport_udp"), "{args:?}: {errors}");
    }
    let (output, errors) = run(&["bots", "--transport", "local", "--count", "3", "--for", "0.5", "--json"]);
    assert!(output.status.success() && errors.is_empty(), "{errors}");
    let lines = parsed(&output.stdout);
    assert_eq!(lines.iter().filter(|line| line["event"] == "measured").count(), 3, "{lines:?}");
}

/// A server in a process of its own, and what it says.
struct Served {
    process: Child,
    lines: BufReader<std::process::ChildStdout>,
    address: String,
}

/// `None` where no transport is built in that leads from one process to another.
fn served(seconds: &str) -> Option<Served> {
    TransportKind::between_processes()?;
    let args = ["serve", "--bind", "127.0.0.1:0", "--for", seconds, "--json"];
    let mut process = program(&args).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap());
    let mut first = String::new();
    lines.read_line(&mut first).unwrap();
    let first: Value = serde_json::from_str(&first).unwrap();
    assert_eq!(first["event"], "listening");
    let address = first["address"].as_str().unwrap().to_owned();
    Some(Served { process, lines, address })
}

#[test]
fn what_is_typed_is_heard_in_another_process() {
    let Some(mut served) = served("3") else { return };
    let mut join = program(&["join", "--server", &served.address, "--name", "carol", "--json"]);
    let mut join = join.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    // The end of the input is a goodbye, but not before the server has heard what was said.
    join.stdin.take().unwrap().write_all("ahoy\nand goodbye\n".as_bytes()).unwrap();
    let joined = join.wait_with_output().unwrap();
    assert!(joined.status.success());
    let joined = parsed(&joined.stdout);
    let (seen, told): (Vec<_>, Vec<_>) = joined
        .iter()
        .map(|line| &line["event"])
        .partition(|event| *event == "spawned" || *event == "read_scores");
    assert_eq!(told, ["connecting", "connected", "said", "said", "disconnected", "measured"]);
    assert!(seen.len() >= 2, "it sees the bay and the scoreboard: {joined:?}");

    let mut heard = String::new();
    served.lines.read_to_string(&mut heard).unwrap();
    assert!(served.process.wait().unwrap().success());
    let heard = parsed(heard.as_bytes());
    let events: Vec<_> = heard.iter().map(|line| line["event"].clone()).collect();
    assert_eq!(events, ["auth_requested", "connected", "relayed", "relayed", "disconnected"]);
    assert!(heard.iter().all(|line| line["user"] == "carol"), "{heard:?}");
    assert_eq!(heard[3]["text"], "and goodbye");
}

#[test]
fn who_is_told_to_sails() {
    let Some(mut served) = served("60") else { return };
    let mut join = program(&["join", "--server", &served.address, "--json"]);
    let mut join = join.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut typed = join.stdin.take().unwrap();
    let mut lines = BufReader::new(join.stdout.take().unwrap()).lines().map(|line| line.unwrap());
    let mut seen =
        |words: &str| lines.find(|line| line.contains(words)).unwrap_or_else(|| panic!("no {words}"));
    seen("gate to the grotto");
    typed.write_all(b"/chart\n/gate\n").unwrap();
    seen("told_chart");
    seen("gate to the bay");
    drop(typed);
    seen("measured");
    assert!(join.wait().unwrap().success());
    served.process.kill().unwrap();
    served.process.wait().unwrap();
    let mut told = String::new();
    served.lines.read_to_string(&mut told).unwrap();
    assert!(parsed(told.as_bytes()).iter().any(|line| line["event"] == "moved" && line["room"] == "grotto"));
}

#[test]
fn bots_come_to_another_process() {
    let Some(mut served) = served("3") else { return };
    let (output, errors) =
        run(&["bots", "--server", &served.address, "--count", "4", "--for", "1", "--json"]);
    assert!(output.status.success() && errors.is_empty(), "{errors}");
    assert_eq!(parsed(&output.stdout).iter().filter(|line| line["event"] == "measured").count(), 4);
    assert!(served.process.wait().unwrap().success());
}

#[test]
fn what_goes_wrong_later_is_1_and_says_what_to_do() {
    if TransportKind::between_processes().is_none() {
        return;
    }
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for (args, words) in [
        (&["serve", "--bind", &taken][..], "is the port taken"),
        (&["serve", "--bind", "0.0.0.0:0"], "--allow-plaintext"),
        (&["join", "--server", "no port"], "leads nowhere"),
        (&["join", "--server", &taken, "--name", "a name that is much longer than 24 bytes"], "24"),
        (&["bots", "--server", &taken, "--for", "0.2"], "did not come in"),
    ] {
        let (output, errors) = run(args);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {errors}");
        assert!(errors.contains(words), "{args:?}: {errors}");
    }
}
