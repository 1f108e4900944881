//! How long reliable messages take on links that lose packets, in virtual time.

use std::time::Duration;

use bowline_tests::measure::message_times;

/// The time on the way, and the tick that a message waits for at most.
const UNDISTURBED: Duration = Duration::from_millis(150);

/// Over some seeds, each of its figures within so many times the undisturbed.
fn check(loss: f64, per_tick: u32, median: f64, p99: f64) {
    for seed in 0..16 {
        let times = message_times(seed, loss, per_tick);
        assert!(times.median <= UNDISTURBED.mul_f64(median), "seed {seed}: {:?}", times.median);
        assert!(times.p99 <= UNDISTURBED.mul_f64(p99), "seed {seed}: {:?}", times.p99);
        assert!(loss > 0.0 || times.wire_per_useful <= 1.1, "seed {seed}: {}", times.wire_per_useful);
    }
}

#[test]
fn without_loss_nothing_is_sent_twice() {
    check(0.0, 10, 1.1, 1.1);
}

#[test]
fn with_5_percent_lost_a_message_is_a_tick_or_two_late() {
    check(0.05, 10, 1.1, 2.5);
    check(0.05, 1, 1.1, 2.5);
}

#[test]
fn with_20_percent_lost_the_slowest_take_five_times_as_long_at_most() {
    check(0.2, 10, 2.0, 5.0);
    check(0.2, 1, 2.0, 5.0);
}
