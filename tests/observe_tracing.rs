//! What `tracing` is told. It has a program of its own: a callsite that another test passes first, without a subscriber, may
//! stay silent for this one.

use std::io::Write;
use std::sync::{Arc, Mutex};

use bowline::compression::Compression;
use bowline_sim::{ClusterConfig, Pair};
use bowline_tests::story::a_day;
use bowline_tests::{Game, login};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What is said while `run` runs.
fn said(run: impl FnOnce()) -> String {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .without_time()
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, run);
    String::from_utf8(lines.0.lock().unwrap().clone()).unwrap()
}

#[test]
fn tracing_tells_the_story_of_every_connection() {
    let text = said(|| drop(a_day()));
    for (target, event, fields) in [
        ("server", "connected", "user=user 0 address=sim:1"),
        ("server", "disconnected", "reason=the server ended the connection: no shouting"),
        ("server", "disconnected", "reason=the connection was lost"),
        ("server", "rejected", "reason=the server did not accept your credentials"),
        ("client", "connecting", ""),
        ("client", "connected", ""),
        ("client", "disconnected", "reason=the server ended the connection: no shouting"),
        ("client", "reconnecting", "attempt=1"),
        ("client", "rejected", "reason=the server did not accept your credentials"),
    ] {
        let said =
            |line: &str| line.contains(&format!(" bowline::{target}: {event}")) && line.contains(fields);
        assert!(text.lines().any(said), "{target}: {event} {fields}\n{text}");
    }
}

#[test]
fn tracing_tells_why_nothing_is_compressed() {
    let (plain, trained) =
        (Compression::new(3), Compression::with_dictionary(&b"ahoy ".repeat(20), 3).unwrap());
    for (server, client, expected) in [
        (Some(&plain), None, Some(" INFO bowline::compression: none: the other side has none")),
        (None, Some(&plain), Some(" INFO bowline::compression: none: the other side has none")),
        (
            Some(&plain),
            Some(&trained),
            Some(" WARN bowline::compression: none: the other side has another dictionary"),
        ),
        (Some(&plain), Some(&plain), None),
        (None, None, None),
    ] {
        let text = said(|| {
            let mut config = ClusterConfig::new(1, 1);
            config.server.connection.compression = server.cloned();
            config.client.connection.compression = client.cloned();
            let mut pair = Pair::<Game>::new(config, login(0));
            pair.connect();
            pair.run_for(std::time::Duration::from_secs(1));
            assert_eq!(pair.server().user_count(), 1);
        });
        match expected {
            Some(line) => assert!(text.lines().any(|said| said.starts_with(line)), "{text}"),
            None => assert!(!text.contains("bowline::compression"), "{text}"),
        }
    }
}
