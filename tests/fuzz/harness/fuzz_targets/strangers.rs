#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bowline_tests_fuzz::run("strangers", bytes));
