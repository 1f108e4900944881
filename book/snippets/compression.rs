//! Compression.

use std::time::Duration;

use bowline::compression::{Compression, Recorder, TrainError, train_dictionary};
use bowline::prelude::*;
use bowline::{CompressionState, ConnectionStats};
use bowline_sim::{ClusterConfig, Pair};

use crate::channels::{Game, Number, Talk};

// ANCHOR: on
fn smaller_packets(server: &mut ServerConfig, client: &mut ClientConfig) {
    server.connection.compression = Some(Compression::new(Compression::DEFAULT_LEVEL));
    client.connection.compression = Some(Compression::new(Compression::DEFAULT_LEVEL));
}
// ANCHOR_END: on

// ANCHOR: record
fn record(server: &mut ServerConfig) -> Recorder {
    // The first 10 MB that the server sends and receives, as they are before they are compressed.
    let recorder = Recorder::new(10 << 20);
    server.connection.recorder = Some(recorder.clone());
    recorder
}

fn train(recorder: &Recorder) -> Result<Vec<u8>, TrainError> {
    train_dictionary(recorder.payloads(), 16 << 10)
}
// ANCHOR_END: record

// ANCHOR: dictionary
fn with_dictionary(dictionary: &[u8]) -> Result<ServerConfig, bowline::compression::DictionaryError> {
    let mut config = ServerConfig::default();
    config.connection.compression =
        Some(Compression::with_dictionary(dictionary, Compression::DEFAULT_LEVEL)?);
    Ok(config)
}
// ANCHOR_END: dictionary

// ANCHOR: stats
fn compression_line(stats: &ConnectionStats) -> String {
    match stats.compression {
        CompressionState::On => format!(
            "sent packets have {:.0} % of their size, received ones {:.0} %",
            stats.compression_ratio_sent() * 100.0,
            stats.compression_ratio_received() * 100.0
        ),
        why => format!("not compressed: {why:?}"),
    }
}
// ANCHOR_END: stats

fn played(config: ClusterConfig) -> Pair<Game> {
    let mut pair = Pair::<Game>::new(config, ());
    pair.connect();
    pair.run_for(Duration::from_secs(1));
    let user = pair.user();
    for number in 0..2_000 {
        pair.server_mut().send_to::<Talk>(user, Number(number % 10)).unwrap();
        pair.server_mut().send_to::<Talk>(user, Number(number % 7)).unwrap();
        pair.run_for(Duration::from_millis(if number % 5 == 0 { 50 } else { 0 }));
    }
    pair
}

#[test]
fn recorded_trained_and_used() {
    let mut config = ClusterConfig::new(1, 1);
    smaller_packets(&mut config.server, &mut config.client);
    let recorder = record(&mut config.server);
    let pair = played(config);
    assert_eq!(pair.client(0).stats().compression, CompressionState::On);

    let dictionary = train(&recorder).unwrap();
    let mut config = ClusterConfig::new(2, 1);
    config.server = with_dictionary(&dictionary).unwrap();
    config.client.connection.compression = config.server.connection.compression.clone();
    let line = compression_line(&played(config).client(0).stats());
    assert!(line.starts_with("sent packets have "), "{line}");
    assert_eq!(compression_line(&ConnectionStats::default()), "not compressed: Off");
}
