//! Mistakes that do not compile, and what the compiler says about them. Write the texts anew with
//! `TRYBUILD=overwrite cargo test -p bowline-tests --test compile_fail`, and read them before they are committed.

#[test]
fn mistakes_do_not_compile_and_are_explained() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("ui/fail_*.rs");
    cases.pass("ui/pass_*.rs");
}
