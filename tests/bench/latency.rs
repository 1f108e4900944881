//! How late messages are and how much of a link is used, in virtual time: the same figures on every machine, in a few seconds.
//! `cargo bench -p bowline-tests --bench latency`.

use std::time::Duration;

use bowline_tests::measure::{Times, bulk_transfer, link, message_times, pair, urgent_delays};

const MS: Duration = Duration::from_millis(1);

fn main() {
    messages_of_100_bytes();
    transfers();
    a_link_that_clogs();
}

fn messages_of_100_bytes() {
    println!(
        "Ordered reliable messages of 100 bytes over 100 ms and 25 ms of jitter, at 20 ticks a second\n"
    );
    println!("  lost  a second   median      p99  longest  wire bytes for a useful one");
    for loss in [0.0, 0.05, 0.2] {
        for per_tick in [1, 10] {
            let Times { median, p99, most, wire_per_useful } = message_times(1, loss, per_tick);
            let [median, p99, most] = [median, p99, most].map(|time| time.as_millis());
            println!(
                "{:>4} % {:>9} {median:>5} ms {p99:>5} ms {most:>5} ms {wire_per_useful:>6.2}",
                loss * 100.0,
                per_tick * 20
            );
        }
    }
}

fn transfers() {
    println!("\nA transfer without end, 50 ms and 5 ms of jitter\n");
    println!("    bytes/s  lost   of what the link carries  wire bytes for a useful one");
    for (bandwidth, loss) in
        [(16_000, 0.0), (64_000, 0.0), (250_000, 0.0), (1_000_000, 0.0), (250_000, 0.05), (250_000, 0.2)]
    {
        let mut pair = pair(link(bandwidth, 50, 5, loss), None);
        bulk_transfer(&mut pair, MS * 5_000);
        let (goodput, wire) = bulk_transfer(&mut pair, MS * 20_000);
        let share = goodput / (bandwidth as f64 * (1.0 - loss)) * 100.0;
        println!("{bandwidth:>11} {:>4} % {share:>24.0} % {wire:>17.3}", loss * 100.0);
    }
}

fn a_link_that_clogs() {
    println!(
        "\nA transfer without end beside an urgent message each tick; 2 Mbit/s fall to 64 kbit/s and come back\n"
    );
    let mut pair = pair(link(250_000, 50, 0, 0.0), None);
    bulk_transfer(&mut pair, MS * 3_000);
    pair.network().set_conditions(link(8_000, 50, 0, 0.0));
    bulk_transfer(&mut pair, MS * 3_000);
    let rate = pair.server().user(pair.user()).map_or(0, |user| user.stats.send_rate);
    println!("  after three seconds the rate is {rate} of 8000 bytes/s");
    pair.forget_seen();
    let delays = urgent_delays(&mut pair, 20);
    let at = |share: usize| delays[(delays.len() - 1) * share / 100].as_millis();
    println!("  urgent messages take {} ms, 99 of 100 at most {} ms", at(50), at(99));
    pair.network().set_conditions(link(250_000, 50, 0, 0.0));
    pair.run_for(MS * 5_000);
    let (goodput, _) = bulk_transfer(&mut pair, MS * 5_000);
    println!("  five seconds after it has come back: {:.0} % of it are useful bytes", goodput / 2_500.0);
}
