//! Diagnostics.

use std::time::Duration;

use bowline_sim::{Conditions, Pair};

use crate::channels::{Game, Number, Talk};

// ANCHOR: hud
fn network_line<T, H>(client: &mut bowline::Client<Game, T, H>) -> Option<String>
where
    T: bowline::transport::ClientTransport,
    H: bowline::Host,
{
    let connected = client.connected()?;
    let stats = connected.stats();
    let talk = connected.channel_stats::<Talk>();
    Some(format!(
        "{:.0} ms (99 of 100: {:.0} ms), {:.1} % lost, {} B/s in, {} B of talk waiting",
        stats.round_trip_time?.as_secs_f64() * 1_000.0,
        stats.round_trip_p99?.as_secs_f64() * 1_000.0,
        stats.recent_loss_received * 100.0,
        stats.bytes_received_per_second,
        talk.queued_bytes,
    ))
}
// ANCHOR_END: hud

#[test]
fn the_line_shows_the_link() {
    let mut pair = Pair::<Game>::connected(1, Conditions::new(50, 0, 0.0), ());
    let user = pair.user();
    for number in 0..60 {
        pair.server_mut().send_to::<Talk>(user, Number(number)).unwrap();
        pair.run_for(Duration::from_millis(50));
    }
    let line = network_line(pair.client_mut()).unwrap();
    assert!(line.starts_with("100 ms ("), "{line}");
    assert!(line.ends_with("0 B of talk waiting"), "{line}");
}
