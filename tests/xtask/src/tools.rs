//! The programs beyond Rust itself that the steps need: found, or built from their released sources.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{self, Failure};
use crate::workspace::Workspace;

/// A program, at the one version the workspace uses.
pub(crate) struct Tool {
    /// The package, which is also the program's name.
    package: &'static str,
    version: &'static str,
    /// What `cargo install` needs beyond the package and the version.
    install_flags: &'static [&'static str],
}

/// Checks licences, sources, duplicates and advisories of the dependencies.
pub(crate) const CARGO_DENY: Tool = Tool { package: "cargo-deny", version: "0.20.2", install_flags: &[] };

/// Drives libFuzzer.
pub(crate) const CARGO_FUZZ: Tool = Tool { package: "cargo-fuzz", version: "0.13.2", install_flags: &[] };

/// Builds the guide. Without its default features (a web server, a file watcher, search) it builds in half the
/// time.
pub(crate) const MDBOOK: Tool =
    Tool { package: "mdbook", version: "0.5.4", install_flags: &["--no-default-features"] };

impl Tool {
    /// The program's path; builds it into `target/tools` when the right version is neither there nor on
    /// `PATH`.
    pub(crate) fn path(&self, workspace: &Workspace) -> Result<PathBuf, Failure> {
        let tools = workspace.target.join("tools");
        let ours = tools.join("bin").join(format!("{}{}", self.package, std::env::consts::EXE_SUFFIX));
        for candidate in [ours.as_path(), Path::new(self.package)] {
            if self.is_right_version(candidate) {
                return Ok(candidate.to_owned());
            }
        }
        println!(
            "   {} {} is not here: building it, which takes some minutes once",
            self.package, self.version
        );
        let build = tools.join("build");
        let mut install = workspace.cargo(["install", "--locked"]);
        install
            .args(self.install_flags)
            .args([self.package, "--version", self.version, "--root"])
            .arg(&tools)
            // A directory of its own, so that a build which was cut short goes on where it stopped.
            .env("CARGO_TARGET_DIR", &build)
            // It runs for seconds, and would be optimised for minutes.
            .arg("--debug")
            .env("CARGO_PROFILE_DEV_DEBUG", "false");
        process::run(&mut install)?;
        // A gigabyte that nobody needs again; failing to remove it harms nothing.
        let _ = fs::remove_dir_all(&build);
        Ok(ours)
    }

    fn is_right_version(&self, program: &Path) -> bool {
        let Ok(output) = Command::new(program).arg("--version").output() else { return false };
        let text = String::from_utf8_lossy(&output.stdout);
        text.split_whitespace().any(|word| word.trim_start_matches('v') == self.version)
    }
}
