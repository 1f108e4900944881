//! What the checks look at, and how they report.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use cargo_metadata::{Metadata, MetadataCommand, Package};

/// The workspace and everything it depends on.
pub(crate) fn metadata() -> &'static Metadata {
    static METADATA: OnceLock<Metadata> = OnceLock::new();
    METADATA.get_or_init(|| {
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        MetadataCommand::new()
            .manifest_path(manifest)
            .exec()
            .expect("`cargo metadata` describes the workspace")
    })
}

/// Our own packages, each with its folder relative to the root.
pub(crate) fn members() -> BTreeMap<String, &'static Package> {
    metadata().workspace_packages().into_iter().map(|package| (folder(package), package)).collect()
}

/// The folder of one of our packages, relative to the root.
pub(crate) fn folder(package: &Package) -> String {
    let folder = package.manifest_path.parent().expect("a manifest lies in a folder");
    folder.strip_prefix(root()).expect("our packages lie under the root").as_str().replace('\\', "/")
}

/// The files that are part of the project: tracked ones, and new ones that are not ignored. Relative to the
/// root.
pub(crate) fn files() -> Vec<String> {
    let arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let output = Command::new("git").args(arguments).current_dir(root()).output().expect("git runs");
    assert!(output.status.success(), "`git ls-files` fails: {}", String::from_utf8_lossy(&output.stderr));
    let names = String::from_utf8(output.stdout).expect("our file names are UTF-8");
    let mut names: Vec<_> =
        names.split('\0').filter(|name| root().join(name).is_file()).map(str::to_owned).collect();
    names.sort();
    names.dedup();
    names
}

/// A file's text. What is not UTF-8 becomes replacement characters.
pub(crate) fn read(file: &str) -> String {
    let bytes = fs::read(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Fails with every violation, and with the name of the invariant that they break.
#[track_caller]
pub(crate) fn assert_holds(invariant: &str, violations: &[String]) {
    assert!(
        violations.is_empty(),
        "\nArchitecture invariant broken: {invariant}\n  {}\n(ARCHITECTURE.md says why it is one.)\n",
        violations.join("\n  ")
    );
}

fn root() -> &'static Path {
    metadata().workspace_root.as_std_path()
}
