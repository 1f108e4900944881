//! Set-ups that take too long, with a shorter deadline than players have.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bowline_core::SocketConfig;

use self::support::Echo;
use super::connection;
use super::set_up::Plan;
use crate::{Answer, Destination, Error, Offer, Signaling, SignalingError};

#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "../../../tests/client_support/mod.rs"]
mod support;

const DEADLINE: Duration = Duration::from_millis(1_500);

/// The failure of a set-up, which comes at the deadline.
fn failure(destination: Destination) -> Error {
    let plan = Plan::new(destination, SocketConfig::default()).unwrap().with_deadline(DEADLINE);
    let started = Instant::now();
    let session = connection::begin(&Arc::new(plan));
    loop {
        if let Some(failure) = session.failure() {
            let took = started.elapsed();
            assert!(took >= DEADLINE && took < DEADLINE * 3, "{failure} after {took:?}");
            return failure.clone();
        }
        assert!(!session.is_open(), "it opened");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_server_that_is_not_found_is_told_with_its_addresses_and_a_hint() {
    let echo = Echo::on("127.0.0.1".parse().unwrap(), |answer| {
        // After the one that is there, for the list.
        format!("{answer}a=candidate:9 1 udp 1 192.0.2.1 14192 typ host\r\n")
    });
    echo.world.silent.store(true, Ordering::Relaxed);
    let error = failure(Destination::new(echo.http.url()));
    let Error::IceFailed { tried, hint } = &error else { panic!("{error}") };
    assert!(tried.starts_with("127.0.0.1:") && tried.ends_with(", 192.0.2.1:14192"), "{tried}");
    assert!(hint.contains("firewall"), "{hint}");
    assert!(error.may_pass());
}

#[test]
fn a_handshake_without_an_answer_is_told() {
    let echo = Echo::new();
    echo.world.no_dtls.store(true, Ordering::Relaxed);
    let error = failure(Destination::new(echo.http.url()));
    assert!(matches!(error, Error::DtlsFailed { .. }), "{error}");
}

/// Whoever sits between may not pass for the server.
#[test]
fn a_certificate_that_is_another_is_not_accepted() {
    let echo = Echo::on("127.0.0.1".parse().unwrap(), |answer| {
        let at = answer.find("a=fingerprint:sha-256 ").unwrap() + 22;
        let digit = if &answer[at..=at] == "0" { "1" } else { "0" };
        format!("{}{digit}{}", &answer[..at], &answer[at + 1..])
    });
    let error = failure(Destination::new(echo.http.url()));
    assert!(matches!(error, Error::DtlsFailed { .. }), "{error}");
    assert!(error.to_string().contains("certificate"), "{error}");
}

/// Nobody says goodbye when a cable is pulled.
#[test]
fn a_server_that_falls_silent_has_gone() {
    let echo = Echo::new();
    let plan = Plan::new(Destination::new(echo.http.url()), SocketConfig::default()).unwrap();
    let session = connection::begin(&Arc::new(plan.with_silence(Duration::from_secs(3))));
    let started = Instant::now();
    while !session.is_open() {
        assert!(started.elapsed() < Duration::from_secs(15), "{:?}", session.failure());
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(Duration::from_secs(4));
    assert!(session.is_open(), "an idle connection has ended");
    echo.world.silent.store(true, Ordering::Relaxed);
    let started = Instant::now();
    while session.failure().is_none() {
        assert!(started.elapsed() < Duration::from_secs(9), "nobody has noticed");
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(matches!(session.failure(), Some(Error::ChannelClosed)), "{:?}", session.failure());
}

struct Never;

#[async_trait]
impl Signaling for Never {
    async fn exchange(&self, _: Offer) -> Result<Answer, SignalingError> {
        std::future::pending().await
    }
}

#[test]
fn signaling_that_does_not_end_is_given_up() {
    let error = failure(Destination::new("a friend").with_signaling(Never));
    let Error::SetupTimedOut { stage, .. } = &error else { panic!("{error}") };
    assert_eq!(*stage, "waiting for the server's answer");
}

struct Panics;

#[async_trait]
impl Signaling for Panics {
    async fn exchange(&self, _: Offer) -> Result<Answer, SignalingError> {
        panic!("a fault of the application's")
    }
}

/// It takes down neither the engine nor others.
#[test]
fn a_panic_in_signaling_is_a_failure_like_others() {
    let echo = Echo::new();
    let plan = |destination| Arc::new(Plan::new(destination, SocketConfig::default()).unwrap());
    let good = connection::begin(&plan(Destination::new(echo.http.url())));
    let bad = connection::begin(&plan(Destination::new("a friend").with_signaling(Panics)));
    let started = Instant::now();
    while bad.failure().is_none() || !good.is_open() {
        assert!(started.elapsed() < Duration::from_secs(15), "{:?}, {:?}", bad.failure(), good.failure());
        std::thread::sleep(Duration::from_millis(1));
    }
    good.end();
}
