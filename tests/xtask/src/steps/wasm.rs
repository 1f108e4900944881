//! The browser's build: every crate that a browser client needs compiles for `wasm32-unknown-unknown`.

use crate::process;
use crate::runner::Step;
use crate::wasm::Toolchain;

pub(crate) const WASM: Step = Step {
    name: "wasm",
    about: "what runs in a browser compiles for it; a toolchain that can is made if need be",
    run: |workspace, notes| {
        let toolchain = Toolchain::find(workspace)?;
        notes.remarks.push(toolchain.origin.clone());
        let mut check = toolchain.cargo(workspace, ["check", "--package", "bowline", "--features", FEATURES]);
        process::run(check.env("RUSTFLAGS", "--deny warnings"))
    },
};

/// What a game for the browser may switch on. UDP has nothing to offer there, and does no harm.
const FEATURES: &str = "transport_local,transport_udp,transport_webrtc,glam,tracing,metrics";
