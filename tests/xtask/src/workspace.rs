//! Where things are: the root, the target directory, the packages and their features.

use std::path::PathBuf;
use std::process::Command;

use cargo_metadata::{MetadataCommand, Package};

use crate::process::Failure;

/// The workspace as `cargo metadata` describes it.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
    packages: Vec<Package>,
}

impl Workspace {
    /// Reads the workspace that this program was built from.
    pub(crate) fn find() -> Result<Self, Failure> {
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let metadata = MetadataCommand::new()
            .manifest_path(manifest)
            .no_deps()
            .exec()
            .map_err(|error| Failure::new(error.to_string()))?;
        Ok(Self {
            root: metadata.workspace_root.into(),
            target: metadata.target_directory.into(),
            packages: metadata.packages,
        })
    }

    /// The member of that name, if there is one.
    pub(crate) fn package(&self, name: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.name.as_str() == name)
    }

    /// A cargo command, to be run in the root.
    pub(crate) fn cargo<const N: usize>(&self, arguments: [&str; N]) -> Command {
        // The cargo that runs us: the toolchain that the user chose, on every step.
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(arguments).current_dir(&self.root);
        // Cargo says in these which package it runs: this one. `ring` asks to be built anew when they change, and all of
        // WebRTC with it, so that a build by us and a build by hand would each undo the other.
        let ours = std::env::vars_os().map(|(name, _)| name).filter(|name| {
            let name = name.to_string_lossy();
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        });
        ours.for_each(|name| {
            command.env_remove(name);
        });
        command
    }

    /// Any other program, to be run in the root.
    pub(crate) fn program(&self, program: &std::path::Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        command
    }
}
