//! How fast: a rate that follows the path, shared by weight.

use std::time::Duration;

use bowline::SendRate;
use bowline_sim::{Conditions, Pair};
use bowline_tests::measure::{
    Bulk, Freight, URGENT, Urgent, bulk_transfer, delays, link, pair, urgent_delays,
};
use bowline_tests::numbered;

const MS: Duration = Duration::from_millis(1);

#[test]
fn a_fixed_rate_is_kept() {
    let mut pair = pair(Conditions::new(20, 0, 0.0), Some(SendRate::Fixed(50_000)));
    let (goodput, overhead) = bulk_transfer(&mut pair, MS * 10_000);
    let wire = goodput * overhead;
    assert!((47_500.0..=51_500.0).contains(&wire), "{wire} bytes a second of 50,000");
}

#[test]
fn the_rate_finds_the_path_and_wastes_nothing() {
    for bandwidth in [16_000, 64_000, 250_000, 1_000_000] {
        let mut pair = pair(link(bandwidth, 50, 5, 0.0), None);
        bulk_transfer(&mut pair, MS * 5_000);
        let (goodput, overhead) = bulk_transfer(&mut pair, MS * 20_000);
        let share = goodput / bandwidth as f64;
        println!("{bandwidth} B/s: {:.0} % of it useful, {overhead:.3} bytes sent for each", share * 100.0);
        assert!(share >= 0.8, "{share}");
        assert!(overhead <= 1.1, "{overhead}");
    }
}

#[test]
fn random_loss_does_not_slow_it_down() {
    for loss in [0.05, 0.2] {
        let bandwidth = 250_000;
        let mut pair = pair(link(bandwidth, 50, 5, loss), None);
        bulk_transfer(&mut pair, MS * 5_000);
        let (goodput, overhead) = bulk_transfer(&mut pair, MS * 20_000);
        let share = goodput / (bandwidth as f64 * (1.0 - loss));
        println!(
            "{:.0} % loss: {:.0} % of what the link carries, {overhead:.3} bytes sent for each",
            loss * 100.0,
            share * 100.0
        );
        assert!(share >= 0.7, "{share}");
    }
}

#[test]
fn c4_a_large_transfer_does_not_delay_a_small_urgent_message() {
    for bandwidth in [500_000, 1_000_000, 4_000_000] {
        let mut pair = pair(link(bandwidth, 30, 0, 0.0), None);
        let user = pair.user();
        let mut sent = Vec::new();
        pair.server_mut().send_to::<Bulk>(user, numbered(0, 256 * 1_024 - 100)).unwrap();
        for turn in 0..60 {
            pair.server_mut().send_to::<Urgent>(user, numbered(URGENT + turn, 20)).unwrap();
            sent.push(pair.now());
            pair.run_for(MS * 50);
        }
        let delays = delays(&pair, &sent);
        let longest = delays.last().unwrap();
        println!("{bandwidth} B/s: beside 256 KiB an urgent message takes {longest:?} at most");
        assert_eq!(pair.client_messages().len(), sent.len() + 1, "and the transfer is complete");
        assert!(*longest <= MS * 30 + MS * 100, "two ticks of 50 ms: {longest:?}");
    }
}

#[test]
fn beside_an_endless_transfer_urgent_messages_hardly_wait() {
    let mut pair = pair(link(250_000, 30, 0, 0.0), None);
    bulk_transfer(&mut pair, MS * 3_000);
    let delays = urgent_delays(&mut pair, 10);
    let (median, p99) = (delays[delays.len() / 2], delays[delays.len() * 99 / 100]);
    println!("urgent beside bulk: median {median:?}, p99 {p99:?}");
    assert!(median <= MS * 50 && p99 <= MS * 130);
}

#[test]
fn on_a_clogged_link_queues_stay_short_and_it_recovers() {
    let clogged = link(8_000, 50, 0, 0.0);
    let mut pair = pair(link(250_000, 50, 0, 0.0), None);
    bulk_transfer(&mut pair, MS * 3_000);
    pair.network().set_conditions(clogged);
    bulk_transfer(&mut pair, MS * 3_000);
    let stats = |pair: &Pair<Freight>| pair.server().user(pair.user()).unwrap().stats;
    let rate = stats(&pair).send_rate;
    println!("three seconds after the link has become slow: {rate} B/s of 8,000");
    assert!(rate <= 16_000, "it follows the path down: {rate}");
    pair.forget_seen();
    let delays = urgent_delays(&mut pair, 20);
    let p99 = delays[delays.len() * 99 / 100];
    println!("64 kbit/s: urgent messages take {:?}, p99 {p99:?}", delays[delays.len() / 2]);
    // A packet of 1,200 bytes alone takes 150 ms through this link, so a round trip with one is 250 ms.
    assert!(p99 <= MS * 250 * 3, "{p99:?}");
    assert!(stats(&pair).queued_bytes <= 1 << 21, "{}", stats(&pair).queued_bytes);
    pair.network().set_conditions(link(250_000, 50, 0, 0.0));
    pair.run_for(MS * 5_000);
    let (goodput, _) = bulk_transfer(&mut pair, MS * 5_000);
    println!("five seconds after the link has healed: {goodput:.0} B/s of 250,000");
    assert!(goodput >= 150_000.0);
    assert_eq!(pair.server().user_count(), 1);
}
