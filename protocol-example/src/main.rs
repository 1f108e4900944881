//! The program that the README starts: see the crate `protocol_example` for what it plays.

use std::process::ExitCode;

fn main() -> ExitCode {
    protocol_example::command_line::main(protocol_example::programs::OnCore)
}
