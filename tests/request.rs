//! Requests and responses, both ways.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bowline::SendErrorKind;
use bowline::prelude::*;
use bowline_sim::{Cluster, ClusterConfig, Conditions, Fault, Plan, Seen, check_seeds};

const MS: Duration = Duration::from_millis(1);
const S: Duration = Duration::from_secs(1);

/// Asks for `len` bytes that depend on `number`.
#[derive(Request, Clone, Debug, PartialEq)]
#[request(response = Cargo)]
struct Fetch {
    number: u32,
    len: u32,
}

#[derive(Wire, Clone, Debug, PartialEq)]
struct Cargo {
    number: u32,
    bytes: Vec<u8>,
}

impl Fetch {
    fn answer(&self) -> Cargo {
        let bytes = (0..self.len).map(|place| (place + self.number) as u8).collect();
        Cargo { number: self.number, bytes }
    }
}

/// A request that carries much and is answered with nothing.
#[derive(Request, Clone, Debug, PartialEq)]
#[request(response = ())]
struct Store {
    bytes: Vec<u8>,
}

#[derive(Message, Clone, Debug, PartialEq)]
struct Count(u32);

#[derive(Channel)]
#[channel(ordered_reliable, bidirectional)]
struct Talk;

#[derive(Channel)]
#[channel(unordered_reliable, bidirectional)]
struct Errands;

#[derive(Protocol)]
#[protocol(
    tick_rate = 20,
    channels(Talk, Errands),
    messages(Count),
    requests(Fetch, Store),
    derive(Clone, Debug, PartialEq)
)]
struct Port;

fn connected(config: ClusterConfig) -> Cluster<Port> {
    let mut cluster = Cluster::new(config, |_| ());
    cluster.connect_all();
    let count = cluster.client_count();
    assert!(cluster.run_until(S * 5, |cluster| cluster.server().user_count() == count));
    cluster.run_for(MS * 200);
    cluster
}

fn over(conditions: Conditions) -> ClusterConfig {
    let mut config = ClusterConfig::new(1, 1);
    config.conditions = conditions;
    config
}

/// Answers whatever is asked, at once.
fn answering(cluster: &mut Cluster<Port>) {
    cluster.set_answers(|server, _, requested| match requested {
        PortRequested::Fetch(asked) => {
            let response = asked.request.answer();
            server.respond(asked.responder, response).unwrap();
        }
        PortRequested::Store(asked) => server.respond(asked.responder, ()).unwrap(),
    });
    cluster.set_client_answers(|_, client, requested| {
        let Some(mut connected) = client.connected() else { return };
        match requested {
            PortRequested::Fetch(asked) => {
                let response = asked.request.answer();
                connected.respond(asked.responder, response).unwrap();
            }
            PortRequested::Store(asked) => connected.respond(asked.responder, ()).unwrap(),
        }
    });
}

fn fetch<C: ChannelOf<Port> + CarriesRequests>(
    cluster: &mut Cluster<Port>,
    request: Fetch,
) -> PendingResponse<Fetch> {
    cluster.client_mut(0).connected().unwrap().request::<C, _>(request).unwrap()
}

/// Lets time pass until there is an answer.
fn wait<R: Request>(
    cluster: &mut Cluster<Port>,
    pending: &mut PendingResponse<R>,
    limit: Duration,
) -> Result<R::Response, RequestError> {
    let end = cluster.now() + limit;
    loop {
        if let Some(answer) = pending.try_take() {
            return answer;
        }
        assert!(cluster.now() < end, "no answer within {limit:?}");
        cluster.run_for(MS);
    }
}

fn user(cluster: &Cluster<Port>) -> UserId {
    cluster.server().users().next().unwrap()
}

#[test]
fn c5_answered_in_both_directions_and_any_size() {
    let mut cluster = connected(over(Conditions::new(30, 5, 0.02)));
    answering(&mut cluster);
    for len in [0, 1, 1_100, 1_200, 200_000] {
        let request = Fetch { number: 7, len };
        let mut of_client = fetch::<Talk>(&mut cluster, request.clone());
        let unordered = fetch::<Errands>(&mut cluster, request.clone());
        let user = user(&cluster);
        let mut of_server = cluster.server_mut().request_from::<Talk, _>(user, request.clone()).unwrap();
        assert_eq!(wait(&mut cluster, &mut of_client, S * 10), Ok(request.answer()));
        assert_eq!(wait(&mut cluster, &mut of_server, S * 10), Ok(request.answer()));
        let mut unordered = unordered;
        assert_eq!(wait(&mut cluster, &mut unordered, S * 10), Ok(request.answer()));
        assert_eq!(unordered.try_take(), None, "an answer is taken once");
    }
    let store = Store { bytes: vec![1; 200_000] };
    let mut stored = cluster.client_mut(0).connected().unwrap().request::<Talk, _>(store).unwrap();
    assert_eq!(wait(&mut cluster, &mut stored, S * 10), Ok(()));
    let stats = cluster.client_mut(0).stats();
    assert_eq!((stats.requests_in_flight, stats.responses_unclaimed, stats.malformed), (0, 0, 0));
}

#[test]
fn c5_a_request_keeps_its_place_among_the_messages_of_an_ordered_channel() {
    let mut cluster = connected(over(Conditions::new(30, 20, 0.2)));
    let order = Rc::new(RefCell::new(Vec::new()));
    let (of_messages, of_requests) = (Rc::clone(&order), Rc::clone(&order));
    cluster.set_app(move |_, seen| {
        if let Seen::Message(_, PortMessage::Count(count)) = seen {
            of_messages.borrow_mut().push(count.0);
        }
    });
    cluster.set_answers(move |_, _, requested| {
        if let PortRequested::Fetch(asked) = requested {
            of_requests.borrow_mut().push(asked.request.number);
        }
    });
    let mut pending = Vec::new();
    for number in 0..60 {
        if number % 3 == 1 {
            pending.push(fetch::<Talk>(&mut cluster, Fetch { number, len: 0 }));
        } else {
            cluster.client_mut(0).connected().unwrap().send::<Talk>(Count(number)).unwrap();
        }
    }
    cluster.run_for(S * 5);
    assert_eq!(*order.borrow(), (0..60).collect::<Vec<_>>());
}

#[test]
fn c5_refused_with_words_or_for_want_of_somebody_to_answer() {
    let mut cluster = connected(over(Conditions::new(30, 5, 0.0)));
    let mut dropped = fetch::<Talk>(&mut cluster, Fetch { number: 1, len: 1 });
    assert_eq!(wait(&mut cluster, &mut dropped, S), Err(RequestError::Unhandled));
    cluster.set_answers(|_, _, requested| {
        if let PortRequested::Fetch(asked) = requested {
            asked.responder.refuse("the hold is locked");
        }
    });
    let mut refused = fetch::<Errands>(&mut cluster, Fetch { number: 1, len: 1 });
    let error = wait(&mut cluster, &mut refused, S).unwrap_err();
    assert_eq!(error.to_string(), "the other side refused: the hold is locked");
    assert_eq!(cluster.client_mut(0).stats().requests_in_flight, 0);
}

#[test]
fn c5_answered_many_ticks_later() {
    let mut cluster = connected(over(Conditions::new(30, 5, 0.0)));
    let kept = Rc::new(RefCell::new(Vec::new()));
    let keep = Rc::clone(&kept);
    cluster.set_answers(move |_, _, requested| keep.borrow_mut().push(requested));
    let mut pending = fetch::<Talk>(&mut cluster, Fetch { number: 5, len: 9 });
    cluster.run_for(S * 5);
    assert_eq!(pending.try_take(), None);
    let Some(PortRequested::Fetch(asked)) = kept.borrow_mut().pop() else { panic!("it was asked") };
    let response = asked.request.answer();
    cluster.server_mut().respond(asked.responder, response.clone()).unwrap();
    assert_eq!(wait(&mut cluster, &mut pending, S), Ok(response));
}

#[test]
fn c5_timed_out_by_the_default_or_by_a_time_of_its_own() {
    let mut cluster = connected(over(Conditions::new(30, 5, 0.0)));
    let kept = Rc::new(RefCell::new(Vec::new()));
    let keep = Rc::clone(&kept);
    cluster.set_answers(move |_, _, requested| keep.borrow_mut().push(requested));
    let asked_at = cluster.now();
    let mut patient = fetch::<Talk>(&mut cluster, Fetch { number: 1, len: 1 });
    let mut hasty = fetch::<Talk>(&mut cluster, Fetch { number: 2, len: 1 }).with_timeout(MS * 300);
    assert_eq!(wait(&mut cluster, &mut hasty, S), Err(RequestError::TimedOut { after: MS * 300 }));
    assert_eq!(cluster.now() - asked_at, MS * 300);
    assert_eq!(wait(&mut cluster, &mut patient, S * 11), Err(RequestError::TimedOut { after: S * 10 }));
    assert_eq!(cluster.now() - asked_at, S * 10);

    // What comes too late reaches nobody, and is counted.
    for requested in kept.borrow_mut().drain(..) {
        if let PortRequested::Fetch(asked) = requested {
            let response = asked.request.answer();
            cluster.server_mut().respond(asked.responder, response).unwrap();
        }
    }
    cluster.run_for(S);
    assert_eq!((patient.try_take(), hasty.try_take()), (None, None));
    assert_eq!(cluster.client_mut(0).stats().responses_unclaimed, 2);
}

#[test]
fn c5_asked_again_after_a_reconnect() {
    let mut config = over(Conditions::new(30, 5, 0.0));
    for connection in [&mut config.server.connection, &mut config.client.connection] {
        connection.disconnection_timeout_duration = S * 2;
    }
    let mut cluster = connected(config);
    let kept = Rc::new(RefCell::new(Vec::new()));
    let keep = Rc::clone(&kept);
    cluster.set_answers(move |_, _, requested| keep.borrow_mut().push(requested));
    let user = user(&cluster);
    let mut of_client = fetch::<Talk>(&mut cluster, Fetch { number: 1, len: 1 });
    let mut of_server =
        cluster.server_mut().request_from::<Talk, _>(user, Fetch { number: 2, len: 1 }).unwrap();
    cluster.apply(&Fault::Cut(0));
    cluster.run_for(S * 4);
    for pending in [&mut of_client, &mut of_server] {
        let Some(Err(RequestError::Disconnected(_))) = pending.try_take() else {
            // The server may have heard the question, and the client may have dropped the other's.
            panic!("a request outlived its connection");
        };
    }
    cluster.apply(&Fault::Join(0));
    cluster.connect(0);
    cluster.run_for(S);
    let mut again = fetch::<Talk>(&mut cluster, Fetch { number: 1, len: 1 });
    cluster.run_for(S);
    let asked: Vec<_> = kept.borrow_mut().drain(..).collect();
    let mut answered = 0;
    for requested in asked {
        let PortRequested::Fetch(asked) = requested else { continue };
        let response = asked.request.answer();
        match cluster.server_mut().respond(asked.responder, response.clone()) {
            Ok(()) => answered += 1,
            // What was asked in the old session is nobody's any more; the response comes back.
            Err(unanswered) => {
                assert_eq!(unanswered.error.kind, SendErrorKind::NotConnected);
                assert_eq!(unanswered.response, response);
            }
        }
    }
    assert_eq!(answered, 1, "that of the new session");
    assert_eq!(wait(&mut cluster, &mut again, S), Ok(Fetch { number: 1, len: 1 }.answer()));
}

#[test]
fn c5_ten_thousand_in_flight_and_a_named_error_over_the_limit() {
    let mut cluster = connected(over(Conditions::new(30, 5, 0.01)));
    answering(&mut cluster);
    let mut pending: Vec<_> = (0..10_000)
        .map(|number| (number, fetch::<Errands>(&mut cluster, Fetch { number, len: 4 })))
        .collect();
    assert_eq!(cluster.client_mut(0).stats().requests_in_flight, 10_000);
    for (number, pending) in &mut pending {
        let answer = wait(&mut cluster, pending, S * 10);
        assert_eq!(answer, Ok(Fetch { number: *number, len: 4 }.answer()));
    }
    let mut config = over(Conditions::perfect());
    config.client.connection.max_requests_in_flight = 3;
    let mut cluster = connected(config);
    let asked: Vec<_> = (0..3).map(|number| fetch::<Talk>(&mut cluster, Fetch { number, len: 4 })).collect();
    let one_more = Fetch { number: 3, len: 4 };
    let mut client = cluster.client_mut(0).connected().unwrap();
    let unsent = client.request::<Talk, _>(one_more.clone()).unwrap_err();
    assert_eq!(unsent.kind(), SendErrorKind::TooManyRequests { max: 3 });
    assert_eq!(unsent.message, one_more, "nothing is lost");
    drop(asked);
    let again = client.request::<Talk, _>(one_more);
    assert!(again.is_ok(), "those that are dropped are not waited for");
}

#[test]
fn b6_who_asks_and_asks_is_told_to_wait() {
    let mut config = over(Conditions::new(10, 0, 0.0));
    config.server.connection.max_requests_in_flight = 10;
    let mut cluster = connected(config);
    let kept = Rc::new(RefCell::new(Vec::new()));
    let keep = Rc::clone(&kept);
    cluster.set_answers(move |_, _, requested| keep.borrow_mut().push(requested));
    let mut pending: Vec<_> =
        (0..100).map(|number| fetch::<Talk>(&mut cluster, Fetch { number, len: 1 })).collect();
    cluster.run_for(S);
    assert_eq!(kept.borrow().len(), 10);
    let busy = pending.iter_mut().filter_map(PendingResponse::try_take);
    assert_eq!(busy.filter(|answer| *answer == Err(RequestError::Busy)).count(), 90);
    let user = user(&cluster);
    assert_eq!(cluster.server().user(user).unwrap().stats.requests_turned_away, 90);
    kept.borrow_mut().clear();
    cluster.run_for(S);
    let mut later = fetch::<Talk>(&mut cluster, Fetch { number: 0, len: 1 });
    cluster.run_for(S);
    assert_eq!((kept.borrow().len(), later.try_take()), (1, None), "there is room again");
}

#[test]
fn c5_on_any_network_each_request_gets_its_own_answer_or_a_reason() {
    let plan = |seed| Plan::random(seed, S * 5, 1);
    check_seeds("requests", 0..200, plan, |seed, plan| {
        let mut config = ClusterConfig::new(seed, 1);
        config.conditions = Conditions::new(20 + seed as u32 % 80, seed as u32 % 30, (seed % 4) as f64 * 0.1);
        let mut cluster = Cluster::new(config, |_| ());
        answering(&mut cluster);
        cluster.connect(0);
        cluster.run_for(S * 2);
        let mut pending = Vec::new();
        if let Some(mut connected) = cluster.client_mut(0).connected() {
            for number in 0..40 {
                let request = Fetch { number, len: number * 97 };
                let asked = if number % 2 == 0 {
                    connected.request::<Talk, _>(request.clone())
                } else {
                    connected.request::<Errands, _>(request.clone())
                };
                pending.push((request, asked.unwrap()));
            }
        }
        cluster.run_plan(plan, S * 5);
        // A clock may have been set back by some seconds meanwhile.
        cluster.run_for(S * 30);
        for (request, mut pending) in pending {
            let end = pending.try_take().expect("every request comes to an end");
            match end {
                Ok(response) => assert_eq!(response, request.answer()),
                Err(RequestError::TimedOut { .. } | RequestError::Disconnected(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
    });
}

#[test]
fn a_response_can_be_awaited() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut cluster = connected(over(Conditions::new(30, 5, 0.0)));
        answering(&mut cluster);
        let request = Fetch { number: 3, len: 50 };
        let awaited = tokio::spawn(fetch::<Talk>(&mut cluster, request.clone()));
        tokio::task::yield_now().await;
        assert!(!awaited.is_finished());
        cluster.run_for(S);
        assert_eq!(awaited.await.unwrap(), Ok(request.answer()));

        let lost = tokio::spawn(fetch::<Talk>(&mut cluster, request));
        tokio::task::yield_now().await;
        drop(cluster);
        assert!(matches!(lost.await.unwrap(), Err(RequestError::Disconnected(_))));
    });
}
