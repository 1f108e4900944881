//! Clients in a real browser against a real server.
//!
//! * [`protocol`]: what both sides speak.
//! * `page`: the client in the browser; it writes down what happens to it, and does what it is told.
//! * `chromium`: a browser that the tests start, and its pages, by the Chrome DevTools Protocol.
//! * `files`: a web server for the page.
//! * `host`: a server of the protocol, which writes down what happens to it, too.

#[cfg(not(target_family = "wasm"))]
pub mod chromium;
#[cfg(not(target_family = "wasm"))]
pub mod files;
#[cfg(not(target_family = "wasm"))]
pub mod host;
#[cfg(any(target_family = "wasm", feature = "_lint_browser"))]
pub mod page;
pub mod protocol;
