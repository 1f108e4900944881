//! From a program of the workspace to a folder that a web server can show.

use std::fs;
use std::path::{Path, PathBuf};

use super::{TARGET, Toolchain};
use crate::process::{self, Failure};
use crate::workspace::Workspace;

/// A program for the browser.
pub(crate) struct Page {
    pub(crate) package: &'static str,
    /// The binary of it.
    pub(crate) bin: &'static str,
    /// What its HTML calls it: the name of its script and its module.
    pub(crate) name: &'static str,
    /// Its features, beside none by default.
    pub(crate) features: &'static str,
    /// The folder with its HTML, in the root.
    pub(crate) assets: &'static str,
    /// Its folder under `target`.
    pub(crate) folder: &'static str,
}

/// The arena of the example.
pub(crate) const ARENA: Page = Page {
    package: "protocol-example",
    bin: "web",
    name: "web",
    features: "transport_webrtc",
    assets: "protocol-example/web",
    folder: "web",
};

/// The same as a Bevy app.
pub(crate) const BEVY_ARENA: Page =
    Page { package: "protocol-example-bevy", bin: "web-bevy", folder: "web-bevy", ..ARENA };

impl Page {
    /// Builds it, and says where it is. The folder appears when all of it is there.
    pub(crate) fn build(&self, workspace: &Workspace, toolchain: &Toolchain) -> Result<PathBuf, Failure> {
        let folder = workspace.target.join(self.folder);
        self.build_into(workspace, toolchain, &toolchain.target, &folder)?;
        Ok(folder)
    }

    /// As [`build`](Self::build), compiled in one place and put into another.
    pub(crate) fn build_into(
        &self,
        workspace: &Workspace,
        toolchain: &Toolchain,
        target: &Path,
        folder: &Path,
    ) -> Result<(), Failure> {
        let mut build = toolchain.cargo_into(workspace, target, ["build", "--profile", PROFILE, "--locked"]);
        build.args(["--package", self.package, "--bin", self.bin, "--no-default-features"]);
        if !self.features.is_empty() {
            build.args(["--features", self.features]);
        }
        build.env("RUSTFLAGS", anywhere(workspace));
        process::run(&mut build)?;

        let unfinished = folder.with_extension("unfinished");
        let _ = fs::remove_dir_all(&unfinished);
        fs::create_dir_all(&unfinished).map_err(file_trouble)?;
        let program = target.join(TARGET).join(PROFILE).join(self.bin).with_extension("wasm");
        let mut bindgen = workspace.cargo(["run", "--quiet", "--package", "bowline-bindgen", "--"]);
        process::run(bindgen.arg(&program).arg(&unfinished).arg(self.name))?;
        for file in fs::read_dir(workspace.root.join(self.assets)).map_err(file_trouble)? {
            let file = file.map_err(file_trouble)?;
            fs::copy(file.path(), unfinished.join(file.file_name())).map_err(file_trouble)?;
        }
        let _ = fs::remove_dir_all(folder);
        fs::rename(&unfinished, folder).map_err(file_trouble)
    }
}

/// In the root's `Cargo.toml`: small, and the same wherever it is built.
const PROFILE: &str = "web";

/// Flags that keep the paths of this machine out of what is built: where a panic was is part of a program.
fn anywhere(workspace: &Workspace) -> String {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let places = home.iter().map(|home| (home, "/cargo")).chain([(&workspace.root, "/bowline")]);
    let flags = places.map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display()));
    flags.collect::<Vec<_>>().join(" ")
}

fn file_trouble(error: std::io::Error) -> Failure {
    Failure::new(format!("cannot put the page together: {error}"))
}
