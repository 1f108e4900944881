//! Whatever becomes of a connection, nothing of it stays. Alone in its process, because it counts what that has.
#![cfg(target_os = "linux")]

#[allow(dead_code, reason = "each test file uses a part of it")]
mod client_support;

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant as Clock};

use bowline_core::{ClientTransport, Instant, SocketConfig, Transport};
use bowline_webrtc::{ClientSocket, PeerAddress, Socket};

use client_support::{Echo, Http};

/// Open files and threads.
fn held() -> (usize, usize) {
    let count = |directory: &str| std::fs::read_dir(directory).unwrap().count();
    (count("/proc/self/fd"), count("/proc/self/task"))
}

/// Resident memory, in KiB.
fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Less than the 5 seconds after which a request ends by itself, and the 10 seconds of a set-up.
const PATIENCE: Duration = Duration::from_secs(4);

fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let started = Clock::now();
    while !done() {
        assert!(started.elapsed() < PATIENCE, "{what} did not happen: {:?} are held", held());
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn connect(url: &str) -> ClientSocket {
    Socket::new(url, SocketConfig::default()).unwrap()
}

fn talk(socket: &mut ClientSocket) {
    wait_for("opening", || socket.is_open());
    socket.send(Instant::ZERO, PeerAddress::SERVER, b"hello").unwrap();
    socket.flush(Instant::ZERO).unwrap();
    wait_for("the echo", || socket.receive(Instant::ZERO).unwrap().is_some());
}

#[test]
fn nothing_stays_behind() {
    let before = held();
    let nothing = |what: &str| wait_for(&format!("the end of all of {what}"), || held() == before);

    // Twenty sessions one after the other, each after one that went well.
    {
        let echo = Echo::new();
        let mut socket = connect(&echo.http.url());
        talk(&mut socket);
        let one = held();
        for _ in 0..20 {
            socket.reopen();
            talk(&mut socket);
        }
        wait_for("the end of the sessions before", || held() == one);
        // Another client costs a socket for IPv4, one for IPv6, and no thread; its peer at the server has one of each.
        let mut another = connect(&echo.http.url());
        talk(&mut another);
        wait_for("the end of the request", || held().1 == one.1 + 1);
        assert!(held().0 <= one.0 + 3, "{one:?}, then {:?}", held());
        drop(another);
        wait_for("the end of another", || held() == one);
        let some = memory();
        for _ in 0..100 {
            socket.reopen();
            talk(&mut socket);
        }
        let grown = memory().saturating_sub(some);
        println!("100 sessions: {grown} KiB");
        assert!(grown < 4 << 10, "100 sessions left {grown} KiB");
        wait_for("the end of the sessions before", || held() == one);
        // Anew while the last set-up goes on.
        for _ in 0..20 {
            socket.reopen();
            std::thread::sleep(Duration::from_millis(3));
        }
        talk(&mut socket);
        wait_for("the end of the sessions before", || held() == one);
    }
    nothing("what went well");

    // Each after one that failed.
    {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let mut socket = connect(&url);
        for _ in 0..20 {
            wait_for("a failure", || socket.failure().is_some());
            socket.reopen();
            assert!(socket.failure().is_none());
        }
        wait_for("a failure", || socket.failure().is_some());
        // Nothing is kept for a socket that has failed, not even the thread.
        nothing("what failed");
    }

    // Dropped at each stage: waiting for the answer, looking for a path, encrypting, open, and at any moment.
    {
        let http = Http::new(|_| None);
        let echo = Echo::new();
        let idle = held();
        let sockets: Vec<_> = (0..5).map(|_| connect(&http.url())).collect();
        std::thread::sleep(Duration::from_millis(100));
        drop(sockets);
        wait_for("the end of what waited for an answer", || held() == idle);
        for (silent, no_dtls) in [(true, false), (false, true)] {
            echo.world.silent.store(silent, Ordering::Relaxed);
            echo.world.no_dtls.store(no_dtls, Ordering::Relaxed);
            let sockets: Vec<_> = (0..5).map(|_| connect(&echo.http.url())).collect();
            std::thread::sleep(Duration::from_millis(200));
            assert!(sockets.iter().all(|socket| !socket.is_open() && socket.failure().is_none()));
            drop(sockets);
            wait_for("the end of what was being set up", || held() == idle);
        }
        echo.world.no_dtls.store(false, Ordering::Relaxed);
        let sockets: Vec<_> = (0..5).map(|_| connect(&echo.http.url())).collect();
        wait_for("opening", || sockets.iter().all(ClientTransport::is_open));
        drop(sockets);
        // With as much to send as there can be, and nobody who takes it.
        let mut sockets: Vec<_> = (0..5).map(|_| connect(&echo.http.url())).collect();
        sockets.iter_mut().for_each(talk);
        echo.world.silent.store(true, Ordering::Relaxed);
        for socket in &mut sockets {
            for _ in 0..200 {
                socket.send(Instant::ZERO, PeerAddress::SERVER, &[7; 1_100]).unwrap();
                socket.flush(Instant::ZERO).unwrap();
            }
        }
        std::thread::sleep(Duration::from_millis(100));
        assert!(sockets.iter().all(|socket| socket.statistics().sent < 30), "{sockets:?}");
        drop(sockets);
        echo.world.silent.store(false, Ordering::Relaxed);
        for moment in 0..40 {
            let socket = connect(&echo.http.url());
            std::thread::sleep(Duration::from_millis(moment));
            drop(socket);
        }
    }
    nothing("what was dropped");
}
