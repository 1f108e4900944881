//! Violations planted on purpose: a check that notices nothing would pass for ever.

use crate::arrows::{Arrow, DRAWN, way, wrong};
use crate::house::{machine_path, tests_named};
use crate::sources::{bevy_paths, hash_ordered_paths, machine_paths, paths_beside_the_facade};
use crate::tokens::Code;

fn code(source: &str) -> Code {
    Code::parse(source).expect("the planted source parses")
}

fn arrow(from: &str, to: &str) -> Arrow {
    Arrow { from: from.into(), to: to.into(), only_in_tests: false, ours: true, optional: false }
}

#[track_caller]
fn finds(found: &[(usize, String)], expected: &[(usize, &str)]) {
    let found: Vec<_> = found.iter().map(|(line, path)| (*line, path.as_str())).collect();
    assert_eq!(found, expected);
}

#[test]
fn an_arrow_that_is_not_drawn_is_wrong() {
    let arrows = [arrow("bowline-core", "bowline-wire"), arrow("bowline-core", "bowline-udp")];
    assert_eq!(
        wrong(&arrows, DRAWN),
        ["bowline-core depends on bowline-udp; it may depend on [bowline-wire]"]
    );
}

#[test]
fn an_arrow_in_tests_alone_is_wrong_too() {
    let arrows = [Arrow { only_in_tests: true, ..arrow("bowline-wire", "bowline-core") }];
    assert_eq!(
        wrong(&arrows, DRAWN),
        ["bowline-wire depends on bowline-core in its tests; it may depend on []"]
    );
}

#[test]
fn client_reaches_server_through_others() {
    let arrows = [arrow("bowline-client", "bowline-core"), arrow("bowline-core", "bowline-server")];
    let expected = ["bowline-client", "bowline-core", "bowline-server"].map(String::from);
    assert_eq!(way(&arrows, "bowline-client", "bowline-server"), Some(expected.to_vec()));
    assert_eq!(way(&arrows, "bowline-server", "bowline-client"), None);
}

#[test]
fn a_machine_path_is_found_however_it_is_written() {
    finds(&machine_paths(&code("use std::net::UdpSocket;")), &[(1, "std::net::UdpSocket")]);
    finds(&machine_paths(&code("use std::{fmt,\n net as n};")), &[(2, "std::net")]);
    finds(&machine_paths(&code("use std::time::{self, Duration};")), &[(1, "std::time")]);
    finds(&machine_paths(&code("use std::time::*;")), &[(1, "std::time::*")]);
    finds(&machine_paths(&code("use std::*;")), &[(1, "std::*")]);
    finds(
        &machine_paths(&code("fn f() {\n let _ = ::std::time::Instant::now();\n}")),
        &[(2, "::std::time::Instant::now")],
    );
    finds(&machine_paths(&code("fn f(r: u8) { let s = [rand::rng(); 2]; }")), &[(1, "rand::rng")]);
    finds(
        &machine_paths(&code("macro_rules! m { () => { tokio::spawn(async {}) } }")),
        &[(1, "tokio::spawn")],
    );
}

#[test]
fn what_only_looks_like_the_machine_is_let_be() {
    let innocent = "
        //! Not a std::net::UdpSocket.
        /// Nor a `std::thread`.
        use core::net::SocketAddr;
        use std::time::Duration;
        extern crate std;
        const WORDS: &str = \"std::time::Instant::now()\";
        fn tokio(now: crate::Instant) -> std::io::Result<()> { Ok(()) }
        #[cfg(test)] mod tests { use std::net::UdpSocket; }
        #[cfg(all(test, unix))] fn helper() { std::thread::yield_now(); }
    ";
    finds(&machine_paths(&code(innocent)), &[]);
}

#[test]
fn code_after_a_test_module_is_looked_at() {
    let source = "#[cfg(test)]\nmod tests;\nfn f() { std::thread::yield_now() }";
    assert_eq!(code(source).test_modules, ["tests"]);
    finds(&machine_paths(&code(source)), &[(3, "std::thread::yield_now")]);
}

#[test]
fn hash_order_is_found() {
    let source =
        "use std::collections::{BTreeMap,\n HashMap};\nstruct S(ahash::AHashSet<u8>, hash_map::Entry);";
    let expected = [(2, "std::collections::HashMap"), (3, "ahash::AHashSet"), (3, "hash_map::Entry")];
    finds(&hash_ordered_paths(&code(source)), &expected);
}

#[test]
fn bevy_is_found() {
    let source = "use bevy_ecs::world::World;\nfn bevy() { bevy::prelude::App::new() }";
    finds(&bevy_paths(&code(source)), &[(1, "bevy_ecs::world::World"), (2, "bevy::prelude::App::new")]);
}

#[test]
fn generated_code_beside_the_facade_is_found() {
    let right = "fn f() { quote! { impl ::bowline::__private::Wire for #name { fn f() -> ::core::option::Option<#ty> \
                 { #krate::__private::f(#field::X, Self::Y, u8::MAX) } } } }";
    finds(&paths_beside_the_facade(&code(right)), &[]);
    let wrong = "fn f() { quote_spanned! { span =>\n ::bowline_core::Wire,\n ::bowline::Wire,\n std::vec::Vec,\n #krate::Wire } }";
    let expected =
        [(2, "::bowline_core::Wire"), (3, "::bowline::Wire"), (4, "std::vec::Vec"), (5, "#krate::Wire")];
    finds(&paths_beside_the_facade(&code(wrong)), &expected);
    finds(&paths_beside_the_facade(&code("use std::vec::Vec; fn f() { println!(\"{}\", a::b) }")), &[]);
}

#[test]
fn what_a_feature_takes_away_is_found() {
    let source = "#[cfg(feature = \"a\")] fn f() {}\n#[cfg(not(feature = \"a\"))] fn f() {}\n\
                  #[cfg(not(test))] fn g() { if cfg!(all(unix, not(any(windows, feature = \"b\")))) {} }";
    assert_eq!(code(source).lines_without_a_feature(), [2, 3]);
}

#[test]
fn a_place_on_a_machine_is_found() {
    let home = concat!("/", "home/");
    assert_eq!(machine_path(&format!("see {home}ada/notes")), Some(home));
    assert_eq!(machine_path(&format!("\"{home}ada\"")), Some(home));
    assert_eq!(machine_path(&format!("https://example.org{home}page")), None);
}

#[test]
fn the_tests_that_a_document_names_are_read() {
    let text = "**Architecture invariant:** never `x`.\nTest: `one`.\n\nMore `y`. Tests: `two`,\n`three`.\n\nTesting `z`.";
    assert_eq!(tests_named(text).into_iter().collect::<Vec<_>>(), ["one", "three", "two"]);
}
