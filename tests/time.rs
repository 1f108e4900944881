//! Clocks that jump and processes that stall.

use std::time::Duration;

use bowline::Phase;
use bowline_sim::{Cluster, ClusterConfig, Conditions, Fault, Pair};
use bowline_tests::{Game, Ordered, client_story, login, numbered, server_story};

const MS: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_secs(3_600);

#[test]
fn d1_a_clock_that_steps_back_harms_nobody() {
    for fault in [
        Fault::StepServerClock { by: MS * 5_000, back: true },
        Fault::StepClientClock { client: 0, by: MS * 5_000, back: true },
        Fault::StepServerClock { by: MS * 3_000, back: false },
        Fault::StepClientClock { client: 0, by: MS * 3_000, back: false },
    ] {
        let mut pair = Pair::<Game>::connected(1, Conditions::new(30, 5, 0.02), login(0));
        pair.run_for(MS * 10_000);
        let user = pair.user();
        pair.apply(&fault);
        for number in 0..20 {
            pair.server_mut().send_to::<Ordered>(user, numbered(number, 50)).unwrap();
            pair.client_mut().connected().unwrap().send::<Ordered>(numbered(number, 50)).unwrap();
            pair.run_for(MS * 50);
        }
        pair.run_for(MS * 20_000);
        assert_eq!(pair.client_messages().len(), 20, "{fault:?}");
        assert_eq!(pair.server_messages().len(), 20, "{fault:?}");
        assert_eq!(client_story(&pair, 0).len(), 21, "{fault:?}: connected, and never anything but messages");
    }
}

#[test]
fn d1_a_laptop_that_slept_an_hour_ends_cleanly_and_comes_back() {
    for server_sleeps in [false, true] {
        let mut config = ClusterConfig::new(1, 1);
        config.client.reconnect = Some(bowline::ReconnectPolicy::default());
        let mut cluster = Cluster::<Game>::new(config, login);
        cluster.connect_all();
        cluster.run_for(MS * 1_000);
        cluster.apply(&if server_sleeps {
            Fault::StepServerClock { by: HOUR, back: false }
        } else {
            Fault::StepClientClock { client: 0, by: HOUR, back: false }
        });
        cluster.run_for(MS * 30_000);
        assert_eq!(cluster.client(0).phase(), Phase::Connected, "{:?}", client_story(&cluster, 0));
        assert_eq!(cluster.server().user_count(), 1, "{:?}", server_story(&cluster));
        let sessions = client_story(&cluster, 0).iter().filter(|word| *word == "connected").count();
        assert!((1..=2).contains(&sessions), "it went on, or ended once and began again");
    }
}

#[test]
fn d2_a_server_that_stalls_throws_nobody_out_who_was_answering() {
    for stall in [5_000, 15_000] {
        let mut config = ClusterConfig::new(1, 10);
        config.client.connection.disconnection_timeout_duration = MS * 30_000;
        let mut cluster = Cluster::<Game>::new(config, login);
        cluster.connect_all();
        cluster.run_for(MS * 1_000);
        cluster.apply(&Fault::FreezeServer);
        for number in 0..stall / 500 {
            for client in 0..10 {
                cluster
                    .client_mut(client)
                    .connected()
                    .unwrap()
                    .send::<Ordered>(numbered(number, 10))
                    .unwrap();
            }
            cluster.run_for(MS * 500);
        }
        let tick = cluster.server().tick();
        cluster.apply(&Fault::ThawServer);
        cluster.run_for(MS * 10);
        assert!(cluster.server().tick() - tick <= 11, "bounded catch-up");
        cluster.run_for(MS * 5_000);
        assert_eq!(cluster.server().user_count(), 10, "after a stall of {stall} ms");
        assert_eq!(
            server_story(&cluster).iter().filter(|word| word.starts_with("Numbered")).count() as u32,
            stall / 500 * 10
        );
    }
}
