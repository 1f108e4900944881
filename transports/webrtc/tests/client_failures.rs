//! Every way a set-up can end without a channel, and what is said then.

#[allow(dead_code, reason = "each test file uses a part of it")]
mod client_support;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant as Clock};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bowline_core::{ClientTransport, Instant, SocketConfig, Transport, TransportError, TransportErrorKind};
use bowline_webrtc::{
    Answer, ClientSocket, Destination, Error, Offer, ServerAddrs, ServerSetup, Signaling, SignalingError,
    Socket,
};

use client_support::{Echo, Http, Request, response};

/// The failure of a socket, which stays, and after which every look gives the error.
fn failure(destination: Destination) -> (Error, ClientSocket) {
    let mut socket = Socket::new(destination, SocketConfig::default()).unwrap();
    let started = Clock::now();
    while socket.failure().is_none() {
        assert!(started.elapsed() < Duration::from_secs(15), "no failure");
        assert!(!socket.is_open(), "it opened");
        std::thread::sleep(Duration::from_millis(1));
    }
    for _ in 0..2 {
        let error = socket.receive(Instant::ZERO).unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Closed);
        assert_eq!(error.to_string(), socket.failure().unwrap().to_string());
    }
    (socket.failure().unwrap().clone(), socket)
}

/// The failure of a socket whose offer is answered so by HTTP.
fn failure_of_http(
    answer: impl Fn(Request) -> Option<String> + Send + Sync + 'static,
) -> (Error, ClientSocket) {
    let http = Http::new(answer);
    failure(Destination::new(http.url()))
}

#[test]
fn what_is_no_url_is_refused_at_once() {
    for (url, why) in [
        ("", "relative URL without a base"),
        ("127.0.0.1:14191", "relative URL without a base"),
        ("localhost:14191", "`localhost` is neither http nor https"),
        ("ftp://127.0.0.1", "`ftp` is neither http nor https"),
        ("http://", "empty host"),
        ("http://127.0.0.1:99999", "invalid port number"),
    ] {
        let error = Socket::new(url, SocketConfig::default()).unwrap_err();
        let expected = SignalingError::InvalidUrl { url: url.to_owned(), why: why.to_owned() };
        let SignalingError::InvalidUrl { why, .. } = &error else { panic!("{error}") };
        assert_eq!(error, expected, "{url}: {why}");
    }
}

#[test]
fn a_server_that_is_down_is_unreachable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let (error, socket) = failure(Destination::new(&url));
    let text = error.to_string();
    assert!(matches!(error, Error::Signaling(SignalingError::Unreachable { .. })), "{text}");
    assert!(text.contains("refused") && text.contains(&url), "{text}");
    assert!(socket.can_reopen());
}

#[test]
fn a_name_that_nobody_has_is_unreachable() {
    let (error, socket) = failure(Destination::new("http://no-such-host.invalid"));
    assert!(matches!(error, Error::Signaling(SignalingError::Unreachable { .. })), "{error}");
    assert!(socket.can_reopen());
}

#[test]
fn a_wrong_path_is_refused_with_the_words_of_the_server() {
    let (error, socket) = failure_of_http(|request| {
        assert_eq!(request.line, "POST /rtc_session HTTP/1.1\r\n");
        Some(response("404 Not Found", r#"{"error": "not_found", "reason": "nobody listens here"}"#))
    });
    let Error::Signaling(SignalingError::Refused { status: 404, reason }) = &error else { panic!("{error}") };
    assert_eq!(reason, "nobody listens here");
    assert!(socket.can_reopen());
}

#[test]
fn credentials_are_shown_and_a_refusal_is_final() {
    let (seen, shown) = std::sync::mpsc::channel();
    let seen = Mutex::new(seen);
    let http = Http::new(move |request| {
        seen.lock().unwrap().send(request.headers).unwrap();
        Some(response("401 Unauthorized", r#"{"error": "unauthorized", "reason": "wrong password"}"#))
    });
    let credentials: Vec<u8> = (0..=255).collect();
    let (error, socket) = failure(Destination::new(http.url()).with_authorization(credentials.clone()));
    let Error::Signaling(SignalingError::Unauthorized { reason }) = &error else { panic!("{error}") };
    assert_eq!(reason, "wrong password");
    assert!(!socket.can_reopen());
    let headers = shown.recv().unwrap();
    let expected =
        format!("authorization: bearer {}\r\n", URL_SAFE_NO_PAD.encode(credentials).to_lowercase());
    assert!(headers.contains(&expected), "{headers}");

    let large = Destination::new(http.url()).with_authorization(vec![0; 9_000]);
    let (error, _) = failure(large);
    assert!(error.to_string().contains("longer than 8192 bytes"), "{error}");
    assert!(shown.try_recv().is_err(), "credentials that are too large were sent");
}

#[test]
fn without_credentials_there_is_no_header() {
    let (error, _) = failure_of_http(|request| {
        let shows = request.headers.contains("authorization");
        Some(response(if shows { "500 It shows" } else { "401 It does not" }, ""))
    });
    let Error::Signaling(SignalingError::Unauthorized { reason }) = &error else { panic!("{error}") };
    assert_eq!(reason, "it does not say why");
}

#[test]
fn a_reason_is_made_fit_for_a_terminal() {
    let (error, _) = failure_of_http(|_| {
        let long = "ä".repeat(1_000);
        Some(response("500 Trouble", &format!("\x1b[31mred\x07\r\nand\u{9b}{long}")))
    });
    let Error::Signaling(SignalingError::Refused { status: 500, reason }) = &error else { panic!("{error}") };
    assert!(reason.starts_with("[31mred  andää"), "{reason}");
    assert!(reason.len() <= 256 && reason.len() > 250 && !reason.contains(char::is_control), "{reason:?}");
}

#[test]
fn no_redirect_is_followed() {
    let other = Http::new(|_| panic!("the redirect was followed"));
    let to = other.url();
    let (error, _) = failure_of_http(move |_| {
        let head = format!("HTTP/1.1 307 Moved\r\nlocation: {to}/rtc_session\r\ncontent-length: 0\r\n\r\n");
        Some(head)
    });
    let text = error.to_string();
    assert!(matches!(error, Error::Signaling(SignalingError::Refused { status: 307, .. })), "{text}");
    assert!(text.contains(&other.url()), "{text}");
}

#[test]
fn what_is_no_answer_is_not_ours() {
    for (body, why) in [
        ("<html>welcome</html>", "not the JSON"),
        ("", "not the JSON"),
        ("[]", "not the JSON"),
        ("{}", "no session description"),
        (r#"{"type": "offer", "sdp": "v=0"}"#, "no session description"),
        (r#"{"type": "answer"}"#, "no session description"),
        (r#"{"type": "answer", "sdp": 7}"#, "not the JSON"),
    ] {
        let (error, socket) = failure_of_http(move |_| Some(response("200 OK", body)));
        let text = error.to_string();
        assert!(matches!(error, Error::Signaling(SignalingError::NotOurs { .. })), "{body}: {text}");
        assert!(text.contains(why) && text.contains("is the path right?"), "{body}: {text}");
        assert!(socket.can_reopen());
    }
}

#[test]
fn an_answer_that_does_not_end_is_cut_off() {
    let (error, _) = failure_of_http(|_| Some(response("200 OK", &"x".repeat(70_000))));
    let text = error.to_string();
    assert!(matches!(error, Error::Signaling(SignalingError::NotOurs { .. })), "{text}");
    assert!(text.contains("longer than 65536 bytes"), "{text}");
}

#[test]
fn what_is_no_http_is_unreachable() {
    let (error, _) = failure_of_http(|_| Some("SSH-2.0-OpenSSH_9.9\r\n".to_owned()));
    assert!(matches!(error, Error::Signaling(SignalingError::Unreachable { .. })), "{error}");
}

/// Nobody has signed the server's certificate, so that anybody could have made it.
#[test]
fn a_certificate_of_nobody_is_not_accepted() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let addrs = ServerAddrs::new("127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0");
    let setup = ServerSetup::new(&addrs).with_tls(made.cert.pem(), made.signing_key.serialize_pem());
    let server = Socket::new(setup, SocketConfig::default()).unwrap();
    let (error, _) =
        failure(Destination::new(format!("https://localhost:{}", server.signaling_address().port())));
    let text = error.to_string();
    assert!(matches!(error, Error::Signaling(SignalingError::Unreachable { .. })), "{text}");
    assert!(text.contains("its certificate is not accepted"), "{text}");
}

/// The server speaks HTTP, and https was asked for.
#[test]
fn tls_trouble_is_unreachable() {
    let http = Http::new(|_| None);
    let (error, _) = failure(Destination::new(http.url().replace("http:", "https:")));
    assert!(matches!(error, Error::Signaling(SignalingError::Unreachable { .. })), "{error}");
}

#[test]
fn a_server_that_says_nothing_is_waited_for_no_longer_than_5_seconds() {
    let started = Clock::now();
    let (error, socket) = failure_of_http(|_| None);
    let text = error.to_string();
    assert!(matches!(error, Error::Signaling(SignalingError::TimedOut { seconds: 5, .. })), "{text}");
    assert!((4..8).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
    assert!(socket.can_reopen());
}

/// A session description that makes no sense, with and without a candidate in it.
#[test]
fn a_description_that_is_none_is_told() {
    let answer = |sdp: &'static str| {
        move |_| Some(response("200 OK", &serde_json::json!({"type": "answer", "sdp": sdp}).to_string()))
    };
    let (error, _) = failure_of_http(answer("hello"));
    let Error::IceFailed { tried, hint } = &error else { panic!("{error}") };
    assert_eq!(tried, "no address");
    assert!(hint.contains("public address"), "{hint}");
    let (error, _) = failure_of_http(answer("a=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\n"));
    assert!(matches!(error, Error::Signaling(SignalingError::NotOurs { .. })), "{error}");
}

/// Brings the offer to a server in the same program.
struct Direct {
    server: Option<std::net::SocketAddr>,
    seen: Arc<Mutex<Vec<Offer>>>,
}

#[async_trait]
impl Signaling for Direct {
    async fn exchange(&self, offer: Offer) -> Result<Answer, SignalingError> {
        self.seen.lock().unwrap().push(offer.clone());
        let Some(server) = self.server else {
            return Err(SignalingError::Other("the lobby is full".to_owned()));
        };
        let body = serde_json::json!({"type": "offer", "sdp": offer.sdp}).to_string();
        let request = Request { line: String::new(), headers: String::new(), body };
        let response = client_support::forward(server, &request);
        let (_, body) = response.split_once("\r\n\r\n").unwrap();
        let answer: serde_json::Value = serde_json::from_str(body).unwrap();
        Ok(Answer::new(answer["sdp"].as_str().unwrap().to_owned()))
    }
}

#[test]
fn signaling_of_ones_own_is_used_and_its_errors_are_told() {
    let echo = Echo::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let direct = Direct { server: Some(echo.http.address), seen: seen.clone() };
    let destination = Destination::new("the lobby").with_signaling(direct).with_authorization("me");
    let socket = Socket::new(destination, SocketConfig::default()).unwrap();
    let started = Clock::now();
    while !socket.is_open() {
        assert!(started.elapsed() < Duration::from_secs(15), "{:?}", socket.failure());
        std::thread::sleep(Duration::from_millis(1));
    }
    {
        let offers = seen.lock().unwrap();
        assert_eq!(offers[0].authorization.as_deref(), Some(&b"me"[..]));
        assert!(!offers[0].sdp.contains("a=candidate"), "the offer tells the client's addresses");
    }

    let direct = Direct { server: None, seen };
    let (error, _) = failure(Destination::new("the lobby").with_signaling(direct));
    assert_eq!(error.to_string(), "the lobby is full");
}
