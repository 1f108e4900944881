//! What `metrics` is told: every name that the guide lists, and no other.

use std::collections::BTreeSet;

use bowline_sim::Cluster;
use bowline_tests::Game;
use bowline_tests::story::a_day;
use metrics_util::MetricKind;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};

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
