//! The programs of the arena, with Bevy apps as server and clients: `demo`, `serve`, `join` and `bots`.

use std::process::ExitCode;

fn main() -> ExitCode {
    protocol_example::command_line::main(protocol_example_bevy::OnBevy)
}
