use proptest::prelude::*;

use super::desk::{Opened, Shared};
use super::wire::encode_refusal;
use super::*;

const NOW: Instant = Instant::from_nanos(1_000_000_000);
const TALK: (usize, &str) = (0, "Talk");

fn requests(limit: usize) -> Requests {
    Requests::new(&ConnectionConfig { max_requests_in_flight: limit, ..ConnectionConfig::default() })
}

fn request(id: u32) -> Vec<u8> {
    let mut writer = bowline_wire::BitWriter::new();
    begin_request(id, &mut writer);
    writer.into_bytes()
}

fn answer(id: u32) -> Vec<u8> {
    let mut writer = bowline_wire::BitWriter::new();
    begin_answer(id, &mut writer);
    writer.into_bytes()
}

#[test]
fn answers_that_nobody_waits_for_are_counted_and_dropped() {
    let mut requests = requests(10);
    assert!(matches!(requests.take_in(TALK, answer(77)), Delivery::Nothing));
    let id = requests.next_id().unwrap();
    let pending = requests.asked::<()>(NOW, id);
    assert!(matches!(requests.take_in(TALK, answer(id)), Delivery::Nothing));
    assert_eq!((requests.counts().unclaimed, requests.counts().in_flight), (1, 0));
    // A second answer to the same request.
    assert!(matches!(requests.take_in(TALK, answer(id)), Delivery::Nothing));
    assert_eq!(requests.counts().unclaimed, 2);
    drop(pending);
    requests.take_in(TALK, answer(id));
    assert_eq!(requests.counts().unclaimed, 3);
}

#[test]
fn an_id_that_is_asked_twice_is_answered_once() {
    let mut requests = requests(10);
    let Delivery::Request(_, responder) = requests.take_in(TALK, request(1)) else { panic!("it is one") };
    assert!(matches!(requests.take_in(TALK, request(1)), Delivery::Nothing));
    assert_eq!(requests.counts().malformed, 1);
    drop(responder);
    assert!(requests.next_refusal().is_some());
    requests.refusal_is_sent();
    assert!(requests.next_refusal().is_none());
    assert!(matches!(requests.take_in(TALK, request(1)), Delivery::Request(..)), "it is closed");
}

#[test]
fn one_that_only_asks_costs_bounded_memory() {
    let mut requests = requests(5);
    let mut responders = Vec::new();
    for id in 0..100_000 {
        if let Delivery::Request(_, responder) = requests.take_in(TALK, request(id)) {
            responders.push(responder);
        }
    }
    assert_eq!((responders.len(), requests.counts().turned_away), (5, 99_995));
    drop(responders);
    let mut refusals = 0;
    while requests.next_refusal().is_some() {
        requests.refusal_is_sent();
        refusals += 1;
    }
    assert!(refusals <= 4_096 + 5, "{refusals}");
}

#[test]
fn ids_in_use_are_not_given_again() {
    let shared = Shared::default();
    shared.with(|desk| {
        let first = desk.next_id(10).unwrap();
        desk.wait(NOW, first, Duration::from_secs(1));
        for _ in 0..5 {
            let id = desk.next_id(10).unwrap();
            assert_ne!(id, first);
        }
        assert_eq!(desk.open(3, 0, 1), Opened::Yes);
        assert_eq!(desk.open(3, 0, 1), Opened::Twice);
        assert_eq!(desk.open(4, 0, 1), Opened::Full);
    });
}

#[test]
fn the_earliest_deadline_is_known_and_a_timeout_of_its_own_moves_it() {
    let requests = requests(10);
    let ids: Vec<_> = (0..2)
        .map(|_| {
            let id = requests.next_id().unwrap();
            requests.asked::<()>(NOW, id)
        })
        .collect();
    let mut ids = ids.into_iter();
    let (_patient, hasty) = (ids.next(), ids.next().map(|p| p.with_timeout(Duration::from_millis(5))));
    assert_eq!(requests.look().0, Some(NOW + Duration::from_millis(5)));
    drop(hasty);
    assert_eq!(requests.look().0, Some(NOW + Duration::from_secs(10)));
}

#[test]
fn a_refusal_comes_back_as_it_was() {
    let words = Refusal::Refused("not now".into());
    for refusal in [words, Refusal::Unhandled, Refusal::Busy] {
        let bytes = encode_refusal(9, &refusal);
        assert_eq!(read_head(&bytes), Ok(Head::Refusal { id: 9, refusal }));
    }
}

proptest! {
    #[test]
    fn any_bytes_are_taken_or_dropped(bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..12), 0..40)) {
        let mut requests = requests(3);
        let id = requests.next_id().unwrap();
        let _pending = requests.asked::<()>(NOW, id);
        let mut kept = Vec::new();
        for body in bodies {
            if let Delivery::Request(_, responder) = requests.take_in(TALK, body) {
                kept.push(responder);
            }
        }
        prop_assert!(kept.len() <= 3);
    }
}
