//! What `tracing` is told. It has a program of its own: a callsite that another test passes first, without a subscriber, may
//! stay silent for this one.

use std::io::Write;
use std::sync::{Arc, Mutex};

use bowline_tests::story::a_day;

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

#[test]
fn tracing_tells_the_story_of_every_connection() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .without_time()
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, a_day);
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
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
