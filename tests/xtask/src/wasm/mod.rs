//! What builds for the browser: a toolchain with `wasm32-unknown-unknown`, found or made.
//!
//! The target is a component that rustup downloads, and where rustup can, that is all. Some build machines reach a
//! package mirror alone: there Debian's own compiler, which is kept for browsers, stands in ([`debian`]). It is never
//! installed and rustup does not hear of it: it lies under `target/tools`, and cargo is told to use it.

mod debian;
mod page;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::process::{self, Failure};
use crate::workspace::Workspace;

pub(crate) use debian::as_root;
pub(crate) use page::{ARENA, BEVY_ARENA, Page};

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// The component is some 30 MB: what has not come by then is not going to.
const DOWNLOAD_LIMIT: Duration = Duration::from_secs(300);

/// A compiler that builds for the browser.
pub(crate) struct Toolchain {
    /// The compiler, where it is not the one that cargo finds by itself.
    rustc: Option<PathBuf>,
    /// Where it came from, for the summary.
    pub(crate) origin: String,
    /// Builds for the browser have a directory of their own: a build for this machine shares nothing with them.
    pub(crate) target: PathBuf,
}

impl Toolchain {
    /// The first that works: the toolchain at hand, the same with the target that rustup adds, Debian's compiler.
    pub(crate) fn find(workspace: &Workspace) -> Result<Self, Failure> {
        let target = workspace.target.join("wasm");
        let with = |origin: &str| Self { rustc: None, origin: origin.to_owned(), target: target.clone() };
        if has_target(&mut Command::new("rustc")) {
            return Ok(with("the toolchain at hand has the target"));
        }
        // Asked before rustup, which would try the network each time.
        if let Some(compiler) = debian::Compiler::made_before(workspace) {
            let origin = format!("Debian's {}, made before", compiler.version);
            return Ok(Self { rustc: Some(compiler.rustc), ..with(&origin) });
        }
        let by_rustup = added_by_rustup(workspace).err();
        let Some(no_rustup) = by_rustup else { return Ok(with("rustup added the target")) };
        println!("   {no_rustup}; Debian's compiler for browsers stands in");
        match debian::Compiler::make(workspace) {
            Ok(compiler) => {
                let origin = format!("Debian's {}, made now", compiler.version);
                Ok(Self { rustc: Some(compiler.rustc), ..with(&origin) })
            }
            Err(no_debian) => Err(Failure::new(format!(
                "nothing here builds for {TARGET}: {no_rustup}, and Debian's compiler cannot stand in: {no_debian}. \
                 On a machine with network access `rustup target add {TARGET}` is all it takes"
            ))),
        }
    }

    /// A cargo command that builds for the browser, to be run in the root.
    pub(crate) fn cargo<const N: usize>(&self, workspace: &Workspace, arguments: [&str; N]) -> Command {
        self.cargo_into(workspace, &self.target, arguments)
    }

    /// As [`cargo`](Self::cargo), into another target directory.
    pub(crate) fn cargo_into<const N: usize>(
        &self,
        workspace: &Workspace,
        target: &Path,
        arguments: [&str; N],
    ) -> Command {
        let mut cargo = workspace.cargo(arguments);
        cargo.args(["--target", TARGET]).env("CARGO_TARGET_DIR", target);
        cargo
            .env_remove("CARGO_BUILD_TARGET")
            .env_remove("RUSTC_WRAPPER")
            .env_remove("CARGO_ENCODED_RUSTFLAGS");
        if let Some(rustc) = &self.rustc {
            cargo.env("RUSTC", rustc);
        }
        cargo
    }
}

/// Whether a compiler has the standard library of the target.
fn has_target(rustc: &mut Command) -> bool {
    let Ok(output) = rustc.args(["--print", "target-libdir", "--target", TARGET]).output() else {
        return false;
    };
    let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let Ok(mut files) = std::fs::read_dir(folder) else { return false };
    files.any(|file| file.is_ok_and(|file| file.file_name().to_string_lossy().starts_with("libstd-")))
}

fn added_by_rustup(workspace: &Workspace) -> Result<(), Failure> {
    let mut add = workspace.program(Path::new("rustup"));
    add.args(["target", "add", TARGET]).env("RUST_BACKTRACE", "0");
    match process::succeeds_within(&mut add, DOWNLOAD_LIMIT) {
        Ok(true) if has_target(&mut Command::new("rustc")) => Ok(()),
        Ok(_) => Err(Failure::new("rustup cannot download the target")),
        Err(_) => Err(Failure::new("the toolchain has no such target, and there is no rustup to add it")),
    }
}
