//! `bowline-bindgen PROGRAM.wasm FOLDER NAME`: makes of a wasm program the module and the script that a page loads, `NAME_bg.wasm` and `NAME.js`.
//!
//! It is what `wasm-bindgen --target web` does, by the library behind that. It is a member of this workspace because both
//! halves of `wasm-bindgen` have to be of one version, and one lock file sees to that; and a program of its own because it
//! takes longer to build than all other commands of the workspace together.

use std::process::ExitCode;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [program, folder, name] = &arguments[..] else {
        eprintln!("bowline-bindgen PROGRAM.wasm FOLDER NAME");
        return ExitCode::from(2);
    };
    let mut bindgen = Bindgen::new();
    let made = bindgen.input_path(program).out_name(name).web(true).and_then(|bindgen| {
        // The script finds the module beside itself.
        bindgen.omit_default_module_path(false);
        // The names of functions are for a debugger, and a third of the size.
        bindgen.typescript(false).remove_name_section(true).remove_producers_section(true).generate(folder)
    });
    match made {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{program}: {why:#}");
            ExitCode::FAILURE
        }
    }
}
