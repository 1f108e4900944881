//! A client in Chromium against the real server. `cargo xtask test --only browser` runs these; each leaves a picture and a
//! log under `target/browser` when it fails.

mod arena;

use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use bowline::transport::webrtc::ServerSetup;
use bowline_browser_tests::chromium::{Chromium, Page, folder};
use bowline_browser_tests::files::Files;
use bowline_browser_tests::host::Host;
use bowline_browser_tests::protocol::MODES;

/// A browser, and a web server with the page of these tests. Two origins: the page calls the game's server across them.
struct Stage {
    browser: Chromium,
    files: Files,
}

impl Stage {
    fn new() -> Self {
        Self { files: Files::of(&folder("BOWLINE_BROWSER_PAGE")), browser: Chromium::start() }
    }

    fn address(&self, server: &str, rest: &str) -> String {
        format!("{}/?server={server}&{rest}", self.files.url())
    }

    /// A page that tries to get in.
    fn page(&self, test: &str, server: &str, rest: &str) -> Page {
        let page = self.browser.page(test);
        page.go(&self.address(server, rest));
        page
    }

    /// A page that is in, as `name`.
    fn player(&self, test: &str, host: &Host, name: &str) -> Page {
        let page = self.page(test, &host.url(), &format!("name={name}"));
        page.until_told("connected after");
        host.teller.until_told(&format!("{name} is in, by webrtc"));
        page
    }
}

/// Nothing went wrong that the page itself did not expect.
fn assert_quiet(page: &Page) {
    let noise = page.console();
    assert!(noise.is_empty(), "the console said: {noise:#?}");
}

const THREE_BUOYS: [&str; 3] = ["buoy 0", "buoy 1", "buoy 2"];

/// Waits until the page sees the buoys, these boats, and nothing twice.
fn until_sees(page: &Page, boats: &[&str]) {
    let mut names: Vec<String> = boats.iter().map(|name| format!("boat of {name}")).collect();
    names.extend(THREE_BUOYS.map(str::to_owned));
    names.push(format!("{} users", boats.len()));
    names.sort();
    let seen = "JSON.stringify((window.world ?? []).map(line => line.replace(/ at .*/, '')).sort())";
    page.until(&format!("{seen} === JSON.stringify({})", serde_json::json!(names)));
}

#[test]
fn e1_a_page_joins_speaks_in_every_mode_sees_entities_and_leaves() {
    let (stage, host) = (Stage::new(), Host::start());
    let page = stage.player("e1_life", &host, "ann");
    assert!(page.story().contains(&"ticker in a worker: true".to_owned()), "{:?}", page.story());

    for (number, mode) in MODES.iter().enumerate() {
        if *mode == "tick_buffered" {
            // It is for the tick that it was made in, so it is sent until one is on time.
            let told = || host.teller.story().contains(&"ann steered: port".to_owned());
            let until = Instant::now() + Duration::from_secs(10);
            while !told() && Instant::now() < until {
                page.command("say tick_buffered port");
                sleep(Duration::from_millis(50));
            }
            assert!(told(), "{:?}", host.teller.story());
            continue;
        }
        page.command(&format!("say {mode} ahoy"));
        host.teller.until_told(&format!("ann on {number}: 4 bytes"));
        page.until_told(&format!("{mode}: ann said ahoy"));
    }
    // Of many packets, both ways.
    page.command("say-long ordered_reliable 50000");
    host.teller.until_told("ann on 4: 50000 bytes");
    page.until_told("ordered_reliable: 50009 bytes");
    page.command("ask 21");
    page.until_told("answer 42");
    host.teller.until_told("ann asked 21");

    until_sees(&page, &["ann"]);
    // What changes is seen to change.
    let buoy = "window.world.find(line => line.startsWith('buoy 0'))";
    let before = page.value(buoy);
    page.until(&format!("{buoy} !== {before}"));

    page.command("leave");
    page.until_told("disconnected (requested)");
    host.teller.until_told("ann is gone: peer_left");
    assert_quiet(&page);
}

#[test]
fn e1_connecting_takes_at_most_half_a_second() {
    let (stage, host) = (Stage::new(), Host::start());
    let mut taken = Vec::new();
    for round in 0..9 {
        let page = stage.player("e1_time", &host, &format!("ann{round}"));
        let line = page.until_told("connected after");
        taken.push(line.split(' ').nth(2).and_then(|millis| millis.parse::<u32>().ok()).expect("a number"));
        page.close();
    }
    taken.sort_unstable();
    println!("from the socket to `Connected`, in ms: {taken:?}");
    // Of nine the one in the middle: the first finds a browser that has used none of it yet.
    assert!(taken[4] <= 500, "{taken:?}");
}

#[test]
fn e1_credentials_are_looked_at_before_anything_else() {
    use bowline::RejectReason;
    use bowline::transport::{Admission, Applicant};

    struct Door;

    #[bowline::async_trait]
    impl Admission for Door {
        async fn admit(&self, applicant: Applicant) -> Result<(), RejectReason> {
            if applicant.credentials == b"ahoy" { Ok(()) } else { Err(RejectReason::Unauthorized) }
        }
    }

    let door = |setup: ServerSetup| setup.with_admission(Arc::new(Door));
    let (stage, host) = (Stage::new(), Host::start_with(door));
    let page = stage.page("e1_door", &host.url(), "name=ann&authorization=ahoy");
    page.until_told("connected after");
    // With other credentials, and with none: the server's words, and no second attempt.
    for rest in ["name=eve&authorization=open", "name=eve"] {
        let page = stage.page("e1_no_entry", &host.url(), rest);
        let told = page.until_told("disconnected (transport_closed)");
        assert!(told.contains("the server did not accept your credentials"), "{told}");
        sleep(Duration::from_millis(500));
        assert!(!page.story().iter().any(|line| line.starts_with("reconnecting")), "{:?}", page.story());
    }
    assert!(!host.teller.story().iter().any(|line| line.contains("eve")), "{:?}", host.teller.story());
}

/// Notes each peer connection and each channel that the page makes.
const WATCH: &str = "window.peers = []; window.channels = [];
    const Real = RTCPeerConnection;
    window.RTCPeerConnection = class extends Real {
        constructor(...all) { super(...all); window.peers.push(this); }
        createDataChannel(label, options) {
            const channel = super.createDataChannel(label, options);
            window.channels.push(channel);
            return channel;
        }
    };";

#[test]
fn e1_the_channel_is_unreliable_and_what_is_over_is_closed() {
    let (stage, host) = (Stage::new(), Host::start());
    let page = stage.browser.page("e1_channel");
    page.before_loading(WATCH);
    page.go(&stage.address(&host.url(), "name=ann"));
    page.until_told("connected after");
    let made = page.value(
        "window.channels.map(c => [c.label, c.id, c.negotiated, c.ordered, c.maxRetransmits, c.maxPacketLifeTime, c.binaryType])",
    );
    assert_eq!(made, serde_json::json!([["bowline", 0, true, false, 0, null, "arraybuffer"]]));

    // A session that is made anew has a peer connection of its own, and the one before is closed.
    page.set_frozen(true);
    host.teller.until_told("ann is gone: timed_out");
    page.set_frozen(false);
    page.until_told("reconnecting 1");
    page.until("window.story.filter(line => line.startsWith('connected after')).length === 2");
    let states = page.value("window.peers.map(peer => peer.signalingState)");
    assert_eq!(states, serde_json::json!(["closed", "stable"]));
    assert_quiet(&page);
}

#[test]
fn e3_a_page_that_nobody_sees_stays_in() {
    let (stage, host) = (Stage::new(), Host::start());
    let page = stage.player("e3_hidden", &host, "ann");
    let other = stage.browser.page("e3_in_front");
    other.to_front();
    page.until("document.visibilityState === 'hidden'");
    // Its turns go on as they were, which a timer of the page would not do: that is slowed to one a second.
    let turns = || page.value("window.turns").as_u64().expect("a number");
    let before = turns();
    sleep(Duration::from_secs(3));
    let in_three_seconds = turns() - before;
    assert!(in_three_seconds > 30, "{in_three_seconds} turns in 3 s");
    // Longer than the time-out.
    sleep(Duration::from_secs(9));
    page.command("ask 21");
    page.until_told("answer 42");
    assert_eq!(page.story().iter().filter(|line| line.contains("connect")).count(), 1, "{:?}", page.story());
    assert_quiet(&page);
}

#[test]
fn e2_native_and_browser_clients_share_a_room() {
    let (stage, host) = (Stage::new(), Host::start());
    let udp = host.native_over_udp("uwe");
    let native = host.native_over_webrtc("nat");
    udp.until_told("connected");
    native.until_told("connected");
    let page = stage.player("e2_room", &host, "ann");

    until_sees(&page, &["ann", "nat", "uwe"]);
    let all = "sees boat of ann, boat of nat, boat of uwe, buoy 0, buoy 1, buoy 2";
    udp.until_told(all);
    native.until_told(all);

    page.command("say ordered_reliable ahoy");
    for other in [&udp, &native] {
        other.until_told("heard: ann said ahoy");
    }
    native.order("say hello");
    page.until_told("ordered_reliable: nat said hello");
    udp.until_told("heard: nat said hello");

    udp.order("leave");
    native.order("leave");
    until_sees(&page, &["ann"]);
    host.teller.until_told("nat is gone: peer_left");
    assert_quiet(&page);
}

#[test]
fn e3_a_page_that_is_loaded_anew_is_in_again_and_the_old_one_times_out() {
    let (stage, host) = (Stage::new(), Host::start());
    let page = stage.player("e3_reload", &host, "ann");
    until_sees(&page, &["ann"]);
    page.reload();
    page.until_told("connected after");
    // Until the server has given up the old session there are two of her.
    until_sees(&page, &["ann", "ann"]);
    host.teller.until_told("ann is gone: timed_out");
    until_sees(&page, &["ann"]);
    assert_quiet(&page);
}

#[test]
fn e3_a_tab_that_is_closed_times_out() {
    let (stage, host) = (Stage::new(), Host::start());
    let page = stage.player("e3_close", &host, "ann");
    let other = stage.player("e3_close_other", &host, "bob");
    until_sees(&other, &["ann", "bob"]);
    page.close();
    host.teller.until_told("ann is gone: timed_out");
    until_sees(&other, &["bob"]);
    assert_quiet(&other);
}

#[test]
fn e3_a_page_that_was_frozen_for_long_reconnects_to_a_clean_world() {
    let (stage, host) = (Stage::new(), Host::start());
    let page = stage.player("e3_freeze", &host, "ann");
    until_sees(&page, &["ann"]);
    page.set_frozen(true);
    let frozen = Instant::now();
    host.teller.until_told("ann is gone: timed_out");
    assert!(frozen.elapsed() >= Duration::from_secs(8), "it was frozen for {:?}", frozen.elapsed());
    sleep(Duration::from_secs(15).saturating_sub(frozen.elapsed()));

    let before = page.story().len();
    page.set_frozen(false);
    let told = page.until_told_after(before, "disconnected");
    page.until_told_after(before, "reconnecting 1");
    page.until_told_after(before, "connected after");
    until_sees(&page, &["ann"]);
    // Its own silence, or the server's word about it that has waited: whichever it finds first.
    let reasons = ["(timed_out)", "(peer_left)", "(transport_closed)"];
    assert!(reasons.iter().any(|reason| told.contains(reason)), "{told}");
    assert_quiet(&page);
}

#[test]
fn e3_a_page_that_was_frozen_for_a_moment_catches_up() {
    let (stage, host) = (Stage::new(), Host::start());
    let page = stage.player("e3_short_freeze", &host, "ann");
    until_sees(&page, &["ann"]);
    let bob = host.native_over_udp("bob");
    bob.until_told("connected");
    page.set_frozen(true);
    sleep(Duration::from_secs(4));
    bob.order("say ahoy");
    bob.until_told("heard: bob said ahoy");
    sleep(Duration::from_secs(1));
    page.set_frozen(false);
    // It is in the same session, and what was said meanwhile is there.
    page.until_told("ordered_reliable: bob said ahoy");
    until_sees(&page, &["ann", "bob"]);
    page.command("ask 4");
    page.until_told("answer 8");
    let connections = page.story().iter().filter(|line| line.contains("connect")).count();
    assert_eq!(connections, 1, "{:?}", page.story());
    assert_quiet(&page);
}

#[test]
fn e3_a_page_that_is_busy_for_seconds_goes_on_in_its_session() {
    let (stage, host) = (Stage::new(), Host::start());
    let page = stage.player("e3_busy", &host, "ann");
    host.teller.order("flood");
    page.until_told("unordered_unreliable: yyy");
    page.command("stall");
    sleep(Duration::from_secs(4));
    host.teller.order("calm");
    page.command("ask 5");
    page.until_told("answer 10");
    page.command("statistics");
    let statistics = page.until_told("Some(ClientStatistics");
    println!("{statistics}");
    assert_eq!(page.story().iter().filter(|line| line.contains("connect")).count(), 1, "{statistics}");
    assert_quiet(&page);
}

#[test]
fn e4_a_server_that_is_down_is_told_and_found_when_it_is_up() {
    let stage = Stage::new();
    let host = Host::start();
    let url = host.url();
    drop(host);
    let page = stage.page("e4_down", &url, "name=ann&attempts=2");
    let told = page.until_told("disconnected (transport_closed)");
    assert!(told.contains(&format!("the server at {url}/rtc_session cannot be reached")), "{told}");
    assert!(told.contains("CORS"), "{told}");
    // It is on the page as it is in the events.
    page.until("document.getElementById('reason').textContent.includes('cannot be reached')");
    page.until_told("reconnecting 2");
}

#[test]
fn e4_a_server_that_goes_is_told_and_one_that_comes_back_is_joined() {
    let stage = Stage::new();
    let host = Host::start();
    let page = stage.player("e4_restart", &host, "ann");
    host.teller.order("shut-down");
    page.until_told("disconnected (server_shutdown)");
    page.until_told("reconnecting 1");
    let host = host.restart();
    host.teller.until_told("ann is in, by webrtc");
}

#[test]
fn e4_a_refusal_and_a_kick_are_told_in_the_servers_words() {
    let (stage, host) = (Stage::new(), Host::start());
    let page = stage.page("e4_refused", &host.url(), "name=mallory");
    page.until_told("rejected: mallory may not come in");
    page.until("document.getElementById('reason').textContent === 'mallory may not come in'");

    let page = stage.player("e4_kicked", &host, "ann");
    host.teller.order("kick ann");
    let told = page.until_told("disconnected (kicked)");
    assert!(told.contains("the harbour closes"), "{told}");
    assert_quiet(&page);
}

#[test]
fn e4_another_protocol_is_told_with_the_difference_on_both_sides() {
    let (stage, host) = (Stage::new(), Host::start());
    let page = stage.page("e4_protocol", &host.url(), "name=ann&protocol=old");
    let told = page.until_told("rejected: client and server are different versions");
    assert!(told.contains("Place") || told.contains("Note"), "{told}");
    host.teller.until_told("rejected: client and server are different versions");
    page.until("document.getElementById('reason').textContent.includes('different versions')");
    assert_quiet(&page);
}

#[test]
fn e4_what_is_no_server_of_ours_is_told() {
    let (stage, host) = (Stage::new(), Host::start());
    // The web server of the page itself, which knows no such path; a path that the game's server does not have; and no
    // address at all.
    let page = stage.page("e4_not_ours", &stage.files.url(), "name=ann&attempts=1");
    let told = page.until_told("disconnected (transport_closed)");
    assert!(told.contains("is no Bowline server: it says 404"), "{told}");
    let page = stage.page("e4_path", &format!("{}/nowhere/else", host.url()), "name=ann&attempts=1");
    let told = page.until_told("disconnected (transport_closed)");
    assert!(told.contains("404") && told.contains("offers are posted to /rtc_session"), "{told}");
    for nothing in ["game.example.com", "ws://127.0.0.1:1", ""] {
        let page = stage.page("e4_no_address", nothing, "name=ann");
        let told = page.until_told("no socket:");
        assert!(told.contains("is no address of a server"), "{told}");
    }
}

#[test]
fn e4_a_page_from_https_is_told_that_it_may_not_call_a_server_over_http() {
    let stage = Stage::new();
    let page = stage.browser.page("e4_mixed");
    page.make_up("https://game.example.com", &folder("BOWLINE_BROWSER_PAGE"));
    page.go("https://game.example.com/?server=http://game.example.com:14191&name=ann");
    let told = page.until_told("no socket:");
    assert!(
        told.contains("this page came over https, and the server at http://game.example.com:14191"),
        "{told}"
    );
    // Its own machine it may call, and it tries to.
    page.go("https://game.example.com/?server=http://127.0.0.1:1&name=ann&attempts=1");
    page.until_told("ticker in a worker");
    assert!(!page.story().iter().any(|line| line.starts_with("no socket")), "{:?}", page.story());
}

#[test]
fn e4_a_server_that_no_packet_reaches_is_told_with_what_was_tried() {
    // Its signalling answers, and says that its data goes to a port where nobody is.
    let nobody = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
    let port = nobody.local_addr().expect("its number").port();
    let host = Host::start_at(&format!("127.0.0.1:{port}"));
    let stage = Stage::new();
    let page = stage.page("e4_ice", &host.url(), "name=ann&attempts=1");
    let started = Instant::now();
    let told = page.until_told("disconnected (transport_closed)");
    assert!(
        told.contains("no path to the server was found") && told.contains(&format!("127.0.0.1:{port}")),
        "{told}"
    );
    assert!(told.contains("firewall"), "{told}");
    assert!(started.elapsed() < Duration::from_secs(20), "it took {:?}", started.elapsed());
}
