//! The HTTP of a server, as a client of no particular kind sees it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bowline_core::transport::Applicant;
use bowline_core::{Admission, RejectReason, SocketConfig};
use bowline_webrtc::{ListenError, ServerAddrs, ServerSetup, ServerSocket, Socket};
use str0m::{Candidate, Rtc};

fn addrs() -> ServerAddrs {
    ServerAddrs::new("127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0")
}

fn listen(setup: ServerSetup) -> ServerSocket {
    Socket::new(setup, SocketConfig::default()).unwrap()
}

fn server() -> ServerSocket {
    listen(ServerSetup::new(&addrs()))
}

/// What a client's offer looks like.
fn offer() -> String {
    let mut rtc = Rtc::builder().build(Instant::now());
    rtc.add_local_candidate(Candidate::host("127.0.0.1:50000".parse().unwrap(), "udp").unwrap());
    let mut api = rtc.sdp_api();
    api.add_channel("bowline".to_owned());
    let sdp = api.apply().unwrap().0.to_sdp_string();
    serde_json::json!({ "type": "offer", "sdp": sdp }).to_string()
}

/// The status of a reply, its headers in lower case, and its body.
struct Reply {
    status: u16,
    headers: String,
    body: String,
}

impl Reply {
    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    fn problem(&self) -> (u16, String) {
        let json = self.json();
        assert!(json["reason"].as_str().is_some_and(|reason| reason.len() > 10), "{}", self.body);
        (self.status, json["error"].as_str().unwrap().to_owned())
    }
}

fn connect(to: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(8))).unwrap();
    stream
}

fn read_reply(mut stream: TcpStream) -> Reply {
    let mut bytes = Vec::new();
    // A server that has seen enough may reset the connection after its answer.
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no reply: {text:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Reply { status, headers: head.to_lowercase(), body: body.to_owned() }
}

fn request(to: SocketAddr, method: &str, path: &str, headers: &[&str], body: &[u8]) -> Reply {
    let mut stream = connect(to);
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {to}\r\nconnection: close\r\n");
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    stream.write_all(head.as_bytes()).unwrap();
    let _ = stream.write_all(body);
    read_reply(stream)
}

fn post(server: &ServerSocket, headers: &[&str], body: &str) -> Reply {
    request(server.signaling_address(), "POST", "/rtc_session", headers, body.as_bytes())
}

#[test]
fn an_offer_is_answered_with_the_public_address() {
    let public = ServerAddrs::new("127.0.0.1:0", "0.0.0.0:0", "https://203.0.113.7:4242");
    let server = Socket::new(&public, SocketConfig::default()).unwrap();
    let reply = post(&server, &[], &offer());
    assert_eq!(reply.status, 200, "{}", reply.body);
    let json = reply.json();
    assert_eq!(json["type"], "answer");
    let sdp = json["sdp"].as_str().unwrap();
    assert!(sdp.contains("203.0.113.7 4242"), "{sdp}");
    assert!(!sdp.contains("0.0.0.0 4242"), "{sdp}");
    assert!(sdp.contains("a=ice-lite") && sdp.contains("a=setup:passive"), "{sdp}");
    let statistics = server.statistics();
    assert_eq!((statistics.offers, statistics.on_their_way), (1, 1));
}

#[test]
fn several_servers_live_in_one_process_and_their_ports_are_free_afterwards() {
    let (first, second) = (server(), server());
    assert_ne!(first.data_address(), second.data_address());
    assert_eq!(post(&first, &[], &offer()).status, 200);
    assert_eq!(post(&second, &[], &offer()).status, 200);
    let taken = ServerAddrs::new(first.signaling_address().to_string(), "127.0.0.1:0", "127.0.0.1:0");
    let refused = Socket::new(&taken, SocketConfig::default()).unwrap_err();
    assert!(matches!(refused, ListenError::System { what: "signalling", .. }), "{refused}");
    drop(first);
    let again = Socket::new(&taken, SocketConfig::default()).unwrap();
    assert_eq!(post(&again, &[], &offer()).status, 200);
}

#[test]
fn addresses_that_are_none_are_refused_in_words() {
    let wrong = [
        ("nonsense", "127.0.0.1:0", "127.0.0.1:0", "`nonsense` is no signalling"),
        ("127.0.0.1:0", "127.0.0.1", "127.0.0.1:0", "`127.0.0.1` is no data"),
        ("127.0.0.1:0", "127.0.0.1:0", "0.0.0.0:1", "where a server listens, not where clients find it"),
    ];
    for (signaling, data, public, words) in wrong {
        let addrs = ServerAddrs::new(signaling, data, public);
        let refused = Socket::new(&addrs, SocketConfig::default()).unwrap_err().to_string();
        assert!(refused.contains(words), "{refused}");
    }
}

#[test]
fn b8_what_is_no_offer_gets_an_error_with_a_reason() {
    let server = server();
    let to = server.signaling_address();
    let bad_sdp = |sdp: &str| serde_json::json!({ "type": "offer", "sdp": sdp }).to_string();
    let answer = offer().replace("\"offer\"", "\"answer\"");
    let bodies: [&[u8]; 8] = [
        b"",
        b"{",
        b"\xff\xfe\x00",
        br#"{"type": "offer"}"#,
        b"v=0\r\n",
        &bad_sdp("no sdp").into_bytes(),
        &bad_sdp(&"v=0\r\n".repeat(2_000)).into_bytes(),
        answer.as_bytes(),
    ];
    for body in bodies {
        let reply = request(to, "POST", "/rtc_session", &[], body);
        assert_eq!(reply.problem(), (400, "malformed".to_owned()), "{}", String::from_utf8_lossy(body));
    }
    assert_eq!(request(to, "GET", "/rtc_session", &[], b"").problem(), (405, "method".to_owned()));
    assert_eq!(request(to, "POST", "/elsewhere", &[], b"").problem(), (404, "not_found".to_owned()));
    assert_eq!(server.statistics().offers, 0);
    assert_eq!(post(&server, &[], &offer()).status, 200);
}

#[test]
fn b8_a_body_without_end_is_refused_when_it_is_too_long() {
    let server = server();
    let mut stream = connect(server.signaling_address());
    let head =
        "POST /rtc_session HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 1073741824\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let started = Instant::now();
    let mut sent = 0;
    // A gigabyte, if it were let.
    while sent < 1 << 30 && stream.write_all(&[b' '; 4_096]).is_ok() {
        sent += 4_096;
    }
    assert!(sent < 64 << 20, "{sent} bytes were taken");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    let body = " ".repeat(17 << 10);
    assert_eq!(post(&server, &[], &body).problem(), (413, "too_large".to_owned()));
}

#[test]
fn b8_who_is_slow_is_shown_the_door_and_delays_nobody() {
    let server = server();
    let to = server.signaling_address();
    let idle: Vec<_> = (0..1_000).map(|_| connect(to)).collect();
    let mut slow_head = connect(to);
    let mut slow_body = connect(to);
    slow_head.write_all(b"POST /rtc_ses").unwrap();
    let head = "POST /rtc_session HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 500\r\n\r\n{";
    slow_body.write_all(head.as_bytes()).unwrap();
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(3) {
        std::thread::sleep(Duration::from_millis(500));
        let _ = slow_head.write_all(b"s");
        let _ = slow_body.write_all(b" ");
        let asked = Instant::now();
        assert_eq!(post(&server, &[], &offer()).status, 200);
        assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    }
    assert_eq!(read_reply(slow_body).problem(), (408, "timeout".to_owned()));
    let mut rest = Vec::new();
    let _ = slow_head.read_to_end(&mut rest);
    for mut stream in idle {
        let _ = stream.read_to_end(&mut rest);
    }
    assert!(started.elapsed() < Duration::from_secs(7), "{:?}", started.elapsed());
}

#[test]
fn a_page_of_another_origin_may_read_the_answer_unless_there_is_a_list() {
    let open = server();
    let reply = post(&open, &["origin: https://game.example.com"], &offer());
    assert!(
        reply.headers.contains("access-control-allow-origin: https://game.example.com"),
        "{}",
        reply.headers
    );
    let to = open.signaling_address();
    let asked = ["origin: https://game.example.com", "access-control-request-method: POST"];
    let preflight = request(to, "OPTIONS", "/rtc_session", &asked, b"");
    assert_eq!(preflight.status, 204);
    assert!(preflight.headers.contains("access-control-allow-headers: authorization, content-type"));

    let closed = listen(ServerSetup::new(&addrs()).with_origins(["https://game.example.com"]));
    assert_eq!(post(&closed, &["origin: https://game.example.com"], &offer()).status, 200);
    assert_eq!(post(&closed, &[], &offer()).status, 200, "a program is no page");
    let refused = post(&closed, &["origin: https://evil.example.com"], &offer());
    assert_eq!(refused.problem(), (403, "origin".to_owned()));
    assert!(!refused.headers.contains("access-control-allow-origin"));
}

/// Lets one in.
struct Only(&'static [u8]);

#[async_trait]
impl Admission for Only {
    async fn admit(&self, applicant: Applicant) -> Result<(), RejectReason> {
        assert_eq!((applicant.transport, applicant.address.as_str()), ("webrtc", "127.0.0.1"));
        if applicant.credentials == self.0 { Ok(()) } else { Err(RejectReason::custom("members only")) }
    }
}

#[test]
fn who_may_not_come_in_is_told_why_before_anything_is_kept() {
    let server = listen(ServerSetup::new(&addrs()).with_admission(Arc::new(Only(b"sesame?"))));
    for header in
        [&[][..], &["authorization: Bearer d3Jvbmc"], &["authorization: Bearer ///"], &["authorization: x"]]
    {
        let reply = post(&server, header, &offer());
        assert_eq!(reply.status, 401, "{}", reply.body);
        assert!(reply.headers.contains("www-authenticate: bearer"), "{}", reply.headers);
    }
    let reply = post(&server, &["authorization: Bearer d3Jvbmc"], &offer());
    assert_eq!(reply.json()["reason"], "members only");
    let reply = post(&server, &["authorization: Bearer"], &offer());
    assert_eq!(reply.json()["reason"], "members only", "empty credentials are credentials");
    assert_eq!(server.statistics().offers, 0, "nothing was kept");
    let reply = post(&server, &["authorization: Bearer c2VzYW1lPw"], &offer());
    assert_eq!(reply.status, 200, "{}", reply.body);
}

#[test]
fn b6_an_address_that_posts_without_end_is_slowed() {
    let server = listen(ServerSetup::new(&addrs()).with_offer_rate(5, 1));
    let statuses: Vec<_> = (0..8).map(|_| post(&server, &[], &offer()).status).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 200, 429, 429, 429]);
    assert_eq!(post(&server, &[], &offer()).problem().1, "rate");
}

#[test]
fn behind_a_proxy_the_last_address_of_the_header_counts() {
    let server = listen(ServerSetup::new(&addrs()).with_offer_rate(1, 1).behind_proxy());
    let from = |list: &str| post(&server, &[&format!("x-forwarded-for: {list}")], &offer()).status;
    assert_eq!(from("203.0.113.1"), 200);
    assert_eq!(from("198.51.100.9, 203.0.113.1"), 429, "what the client wrote itself does not count");
    assert_eq!(from("203.0.113.1, 203.0.113.2"), 200);
    assert_eq!(post(&server, &[], &offer()).problem(), (400, "proxy".to_owned()));
}

#[test]
fn files_are_served_beside_the_offers() {
    let setup = ServerSetup::new(&addrs())
        .with_path("/offers/")
        .with_file("/", "text/html; charset=utf-8", "<p>ahoy</p>")
        .with_file("/game.wasm", "application/wasm", vec![0, b'a', b's', b'm']);
    let server = listen(setup);
    let to = server.signaling_address();
    let page = request(to, "GET", "/", &[], b"");
    assert_eq!((page.status, page.body.as_str()), (200, "<p>ahoy</p>"));
    assert!(page.headers.contains("content-type: text/html; charset=utf-8"));
    assert!(request(to, "GET", "/game.wasm", &[], b"").headers.contains("application/wasm"));
    assert_eq!(request(to, "HEAD", "/", &[], b"").body, "");
    assert_eq!(request(to, "GET", "/../secret", &[], b"").status, 404);
    assert_eq!(request(to, "POST", "/offers", &[], offer().as_bytes()).status, 200);
    assert_eq!(request(to, "POST", "/rtc_session", &[], offer().as_bytes()).status, 404);
}

#[test]
fn with_a_certificate_it_is_https() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (chain, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let server = listen(ServerSetup::new(&addrs()).with_tls(chain.clone(), key));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let root = reqwest::Certificate::from_pem(chain.as_bytes()).unwrap();
    let to = server.signaling_address();
    let answer = runtime.block_on(async {
        let client =
            reqwest::Client::builder().tls_certs_only([root]).resolve("localhost", to).build().unwrap();
        let url = format!("https://localhost:{}/rtc_session", to.port());
        client.post(url).body(offer()).send().await.unwrap().text().await.unwrap()
    });
    assert!(answer.contains("\"answer\""), "{answer}");

    let nonsense = ServerSetup::new(&addrs()).with_tls("no pem", "no pem");
    let refused = Socket::new(nonsense, SocketConfig::default()).unwrap_err();
    assert!(matches!(refused, ListenError::Tls(_)), "{refused}");
}

#[test]
fn plain_udp_on_a_public_address_has_to_be_allowed() {
    let public = ServerAddrs::new("127.0.0.1:0", "0.0.0.0:0", "127.0.0.1:0");
    let refused = Socket::new(ServerSetup::new(&public).with_plain_udp(), SocketConfig::default());
    assert!(matches!(refused, Err(ListenError::PlaintextOnPublicAddress { .. })));
    let mut allowed = SocketConfig::default();
    allowed.allow_plaintext_on_public_address = true;
    assert!(Socket::new(ServerSetup::new(&public).with_plain_udp(), allowed).is_ok());
}
