//! What `metrics` and `tracing` are told: every name that the guide lists, and no other.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bowline::prelude::*;
use bowline_sim::{Cluster, ClusterConfig, Conditions, Door, Fault};
use bowline_tests::{Game, Ordered, login, numbered};
use metrics_util::MetricKind;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};

const S: Duration = Duration::from_secs(1);

/// Three clients come in and talk; one is kicked, one is cut off and comes back, and a fourth is turned away.
fn a_day() -> Cluster<Game> {
    let mut config = ClusterConfig::new(3, 4);
    config.conditions = Conditions::new(30, 5, 0.05);
    config.client.reconnect = Some(ReconnectPolicy::default());
    for connection in [&mut config.server.connection, &mut config.client.connection] {
        connection.disconnection_timeout_duration = S * 2;
    }
    let mut cluster = Cluster::<Game>::new(config, login);
    (0..3).for_each(|client| cluster.connect(client));
    cluster.run_for(S * 2);
    for number in 0..100 {
        let _ = cluster.server_mut().broadcast::<Ordered>(Audience::all(), numbered(number, 100), |_, _| ());
        cluster.run_for(S / 20);
    }
    let address = cluster.client_address(0);
    let server = cluster.server_mut();
    let shouting = server.users().find(|user| server.user(*user).unwrap().address == address).unwrap();
    server.disconnect(shouting, "no shouting");
    cluster.apply(&Fault::Cut(1));
    cluster.run_for(S * 4);
    cluster.apply(&Fault::Join(1));
    cluster.run_for(S * 5);
    cluster.set_door(Door::Closed(RejectReason::Unauthorized));
    cluster.connect(3);
    cluster.run_for(S * 2);
    cluster
}

fn watched() -> (Cluster<Game>, Snapshotter) {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let cluster = metrics::with_local_recorder(&recorder, a_day);
    (cluster, snapshotter)
}

/// The names between backticks in the first column of the guide's tables that begin with a word.
fn in_the_guide(prefix: &str) -> BTreeSet<String> {
    let guide = include_str!("../book/src/diagnostics.md");
    let first_column = guide.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    first_column.filter(|name| name.starts_with(prefix)).map(str::to_owned).collect()
}

#[test]
fn metrics_have_the_names_of_the_guide() {
    let (_cluster, snapshotter) = watched();
    let told: BTreeSet<String> =
        snapshotter.snapshot().into_vec().into_iter().map(|(key, ..)| key.key().name().to_owned()).collect();
    assert_eq!(told, in_the_guide("bowline_"));
}

#[test]
fn metrics_have_the_figures_of_the_statistics() {
    let (cluster, snapshotter) = watched();
    let snapshot = snapshotter.snapshot().into_vec();
    let count = |name: &str, reason: Option<&str>| -> u64 {
        let wanted = snapshot.iter().filter(|(key, ..)| {
            let label = key.key().labels().find(|label| label.key() == "reason");
            key.key().name() == name && label.map(metrics::Label::value) == reason
        });
        wanted
            .map(|(key, _, _, value)| match value {
                DebugValue::Counter(count) if key.kind() == MetricKind::Counter => *count,
                other => panic!("{other:?}"),
            })
            .sum()
    };
    assert_eq!(count("bowline_server_connected_total", None), 4, "one of them twice");
    assert_eq!(count("bowline_server_disconnected_total", Some("kicked")), 1);
    assert_eq!(count("bowline_server_disconnected_total", Some("timed_out")), 1);
    assert_eq!(count("bowline_server_rejected_total", Some("unauthorized")), 1);
    assert_eq!(count("bowline_client_disconnected_total", Some("kicked")), 1);
    assert_eq!(count("bowline_client_rejected_total", Some("unauthorized")), 1);
    assert_eq!(count("bowline_server_messages_sent_total", None), 300);
    assert_eq!(count("bowline_client_messages_received_total", None), 300);
    let now: u64 =
        cluster.server().users().map(|user| cluster.server().user(user).unwrap().stats.packets_sent).sum();
    let told = count("bowline_server_packets_sent_total", None);
    assert!(told > now && told < now + 1_000, "with those of who has left: {told}, {now}");
    let users = snapshot.iter().find(|(key, ..)| key.key().name() == "bowline_server_users");
    assert!(matches!(users, Some((_, _, _, DebugValue::Gauge(count))) if count.0 == 2.0), "{users:?}");
}

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
