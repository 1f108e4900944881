//! The page of the browser tests.

fn main() {
    #[cfg(target_family = "wasm")]
    bowline_browser_tests::page::start();
    #[cfg(not(target_family = "wasm"))]
    eprintln!(
        "this program is for a browser: `cargo xtask test --only browser` builds it and lets it run there"
    );
}
