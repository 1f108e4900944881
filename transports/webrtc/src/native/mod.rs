//! Off the browser: the server on `str0m`, the client on `webrtc`.

pub(crate) mod client;
pub(crate) mod server;
