//! What the pages say in prose is looked at too: the README's code, the compiler's words, the reasons, the limits.

use std::fs;
use std::path::{Path, PathBuf};

use bowline::prelude::*;
use bowline::transport::DEFAULT_MAX_DATAGRAM;
use bowline::{AppText, ConnectionConfig, DoorwayConfig};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A page of the guide.
pub fn page(name: &str) -> String {
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(name))
}

/// The code blocks of a page in a language.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    text.split(fence.as_str()).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

/// Every anchored region of every file here, without the marks within.
fn regions() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("snippets");
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let text = read(&entry.unwrap().path());
        for (at, line) in text.lines().enumerate() {
            let Some(name) = line.trim().strip_prefix("// ANCHOR: ") else { continue };
            let end = format!("// ANCHOR_END: {name}");
            let inside = text.lines().skip(at + 1).take_while(|line| line.trim() != end);
            let code = inside.filter(|line| !line.trim().starts_with("// ANCHOR"));
            found.push(code.map(|line| format!("{line}\n")).collect());
        }
    }
    found
}

#[test]
fn the_code_of_the_readme_is_compiled() {
    let readme = read(&root().join("README.md"));
    let (blocks, regions) = (blocks(&readme, "rust"), regions());
    assert!(!blocks.is_empty());
    for block in blocks {
        assert!(regions.iter().any(|region| region == block), "not a region of a snippet:\n{block}");
    }
}

#[test]
fn the_errors_on_the_pages_are_the_compilers() {
    let page = page("first-protocol.md");
    let mut errors = String::new();
    for entry in fs::read_dir(root().join("tests/ui")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "stderr") {
            errors += &read(&path);
        }
    }
    let shown: Vec<_> = blocks(&page, "text").into_iter().filter(|block| block.contains("error")).collect();
    assert!(shown.len() >= 5);
    for line in shown.iter().flat_map(|block| block.lines()).filter(|line| !line.is_empty()) {
        assert!(errors.contains(line.trim()), "no compile-fail test says: {line}");
    }
}

#[test]
fn the_reasons_are_the_librarys_words() {
    let page = page("lifecycle.md");
    let reasons = [
        DisconnectReason::Requested,
        DisconnectReason::PeerLeft,
        DisconnectReason::Kicked(AppText::default()),
        DisconnectReason::ServerShutdown,
        DisconnectReason::TimedOut,
        DisconnectReason::NoAnswer,
        DisconnectReason::ProtocolViolation,
        DisconnectReason::TransportClosed,
        DisconnectReason::Rejected(RejectReason::Unauthorized),
        DisconnectReason::Rejected(RejectReason::InvalidCredentials),
        DisconnectReason::Rejected(RejectReason::ServerFull),
        DisconnectReason::Rejected(RejectReason::ShuttingDown),
        DisconnectReason::Rejected(RejectReason::Undecided),
    ];
    for reason in reasons {
        assert!(page.contains(&format!("| {reason} |")), "the page has no row for: {reason}");
    }
}

#[test]
fn the_limits_of_the_readme_are_the_defaults() {
    let readme = read(&root().join("README.md"));
    let (connection, doorway) = (ConnectionConfig::default(), DoorwayConfig::default());
    let seconds = |duration: std::time::Duration| format!("{} s", duration.as_secs());
    let kib = |bytes: usize| format!("{} KiB", bytes >> 10);
    let rows = [
        ("connection.disconnection_timeout_duration", seconds(connection.disconnection_timeout_duration)),
        ("connection.heartbeat_interval", seconds(connection.heartbeat_interval)),
        ("connection.connect_timeout", seconds(connection.connect_timeout)),
        ("connection.max_message_size", kib(connection.max_message_size)),
        ("connection.send_queue_size", kib(connection.send_queue_size)),
        ("connection.receive_memory", kib(connection.receive_memory)),
        ("doorway.max_pending", doorway.max_pending.to_string()),
        ("doorway.decision_timeout", seconds(doorway.decision_timeout)),
        ("client_entities", ServerConfig::default().client_entities.to_string()),
        ("max_users", ServerConfig::default().max_users.to_string()),
        ("socket.max_datagram_size", format!("{DEFAULT_MAX_DATAGRAM} bytes")),
    ];
    for (name, value) in rows {
        assert!(readme.contains(&format!("| `{name}` | {value} |")), "no row for {name} = {value}");
    }
    assert_eq!(ConnectionConfig::MAX_MESSAGE_SIZE >> 20, 16);
    assert_eq!(AppText::MAX_BYTES, 256);
    assert!(readme.contains("1,048,576 entities") && bowline::MAX_ENTITIES == 1_048_576);
}

#[test]
fn the_states_of_authority_are_the_librarys_words() {
    let page = page("authority.md");
    for state in [
        Authority::Available,
        Authority::Requested,
        Authority::Granted,
        Authority::Releasing,
        Authority::Denied,
    ] {
        assert!(page.contains(&format!("| `{state:?}` |")), "the page has no row for: {state:?}");
    }
}
