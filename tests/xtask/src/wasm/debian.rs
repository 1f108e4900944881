//! Debian's compiler for browsers, with a standard library for `wasm32-unknown-unknown` that is built here.
//!
//! Debian keeps a current compiler, `rustc-web`, for building browsers, and the source of its standard library beside
//! it. Its packages are unpacked, the library is built once, and put where the compiler looks for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{TARGET, has_target};
use crate::process::{self, Failure};
use crate::workspace::Workspace;

const HOST: &str = "x86_64-unknown-linux-gnu";

/// To be raised when something here changes what is made.
const EDITION: &str = "1";

/// The compiler, ready for use.
pub(super) struct Compiler {
    pub(super) rustc: PathBuf,
    /// What it calls itself.
    pub(super) version: String,
}

/// Where everything lies. `prefix` appears in one move when all is done, so it is whole or not there.
struct Places {
    prefix: PathBuf,
    /// What is being made.
    unfinished: PathBuf,
    scratch: PathBuf,
}

impl Compiler {
    /// The one that an earlier run has made, if that was by the same recipe.
    pub(super) fn made_before(workspace: &Workspace) -> Option<Self> {
        let places = Places::of(workspace);
        let recipe = fs::read_to_string(places.prefix.join("recipe")).ok()?;
        if recipe != EDITION { None } else { Self::at(&places.prefix) }
    }

    /// Makes it, which takes some 40 seconds.
    pub(super) fn make(workspace: &Workspace) -> Result<Self, Failure> {
        if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
            return Err(Failure::new("it is for Linux on x86-64"));
        }
        let places = Places::of(workspace);
        for place in [&places.unfinished, &places.scratch] {
            let _ = fs::remove_dir_all(place);
            fs::create_dir_all(place).map_err(file_trouble)?;
        }
        unpack(&places)?;
        let usr = places.unfinished.join("usr");
        make_whole(&usr)?;
        build_library(workspace, &places, &usr)?;
        fs::write(places.unfinished.join("recipe"), EDITION).map_err(file_trouble)?;
        let _ = fs::remove_dir_all(&places.prefix);
        fs::rename(&places.unfinished, &places.prefix).map_err(file_trouble)?;
        let _ = fs::remove_dir_all(&places.scratch);
        Self::at(&places.prefix).ok_or_else(|| Failure::new("what was made has no library for the target"))
    }

    fn at(prefix: &Path) -> Option<Self> {
        let rustc = prefix.join("usr/bin/rustc.sh");
        if !has_target(&mut Command::new(&rustc)) {
            return None;
        }
        let version = Command::new(&rustc).arg("--version").output().ok()?.stdout;
        let version = String::from_utf8_lossy(&version);
        let version = version.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        Some(Self { rustc, version })
    }
}

impl Places {
    fn of(workspace: &Workspace) -> Self {
        let tools = workspace.target.join("tools");
        Self {
            prefix: tools.join("rust-wasm"),
            unfinished: tools.join("rust-wasm.unfinished"),
            scratch: tools.join("rust-wasm.scratch"),
        }
    }
}

/// Fetches the packages and unpacks what is needed of them.
fn unpack(places: &Places) -> Result<(), Failure> {
    let mut version = candidate("rustc-web")?;
    if version.is_none() || !download(places, version.as_deref())? {
        // The lists of packages are not there, or they name a version that has been superseded.
        process::run(as_root("apt-get").args(["-qq", "update"]))?;
        version = candidate("rustc-web")?;
        if !download(places, version.as_deref())? {
            return Err(Failure::new(
                "apt cannot download `rustc-web`: the security suite of Debian 12 has it",
            ));
        }
    }
    for package in fs::read_dir(&places.scratch).map_err(file_trouble)? {
        let package = package.map_err(file_trouble)?.path();
        let name = package.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with("rust-web-src") {
            unpack_library_source(&package, &places.unfinished)?;
        } else {
            process::run(Command::new("dpkg-deb").arg("-x").arg(&package).arg(&places.unfinished))?;
        }
    }
    Ok(())
}

/// The compiler, its libraries, the source of the standard library; and LLVM, which is a library of the system.
fn download(places: &Places, version: Option<&str>) -> Result<bool, Failure> {
    let Some(version) = version else { return Ok(false) };
    let of_version = |package: &str| format!("{package}={version}");
    let Some(library) = dependency(&of_version("libstd-rust-web-dev"), "libstd-rust-web-")? else {
        return Ok(false);
    };
    let Some(llvm) = dependency(&of_version(&library), "libllvm")? else { return Ok(false) };
    let mut fetch = Command::new("apt-get");
    fetch.args(["-qq", "download"]).current_dir(&places.scratch);
    fetch.args(["rustc-web", "libstd-rust-web-dev", &library, "rust-web-src"].map(of_version));
    let (status, _) = process::capture(&mut fetch)?;
    if !status.success() {
        return Ok(false);
    }
    for (package, is_there) in [(llvm.as_str(), is_installed(&llvm)), ("gcc", has_program("cc"))] {
        if !is_there {
            let mut install = as_root("apt-get");
            install.args(["-qq", "install", "-y", "--no-install-recommends", package]);
            process::run(install.env("DEBIAN_FRONTEND", "noninteractive"))?;
        }
    }
    Ok(true)
}

/// Of 340 MB of source only the standard library is needed, and the compiler's link to it.
fn unpack_library_source(package: &Path, into: &Path) -> Result<(), Failure> {
    let archive = package.with_extension("tar");
    let file = fs::File::create(&archive).map_err(file_trouble)?;
    process::run(Command::new("dpkg-deb").arg("--fsys-tarfile").arg(package).stdout(file))?;
    let mut tar = Command::new("tar");
    tar.arg("-xf").arg(&archive).arg("-C").arg(into);
    process::run(tar.args(["--wildcards", "./usr/src/rustc-*/library", "./usr/lib/rustlib/src"]))
}

/// What lies elsewhere in an installed system, and what only rustup's toolchain has.
fn make_whole(usr: &Path) -> Result<(), Failure> {
    let sysroot = Command::new("rustc").args(["--print", "sysroot"]).output();
    let sysroot = sysroot.map_err(|error| Failure::new(format!("`rustc` cannot start: {error}")))?;
    let ours = PathBuf::from(String::from_utf8_lossy(&sysroot.stdout).trim());
    // The linker for this target: Debian has it in another package, with another LLVM.
    let programs = usr.join("lib/rustlib").join(HOST).join("bin");
    fs::create_dir_all(&programs).map_err(file_trouble)?;
    let linker = ours.join("lib/rustlib").join(HOST).join("bin/rust-lld");
    process::run(Command::new("ln").arg("-s").arg(linker).arg(programs.join("rust-lld")))?;
    // The compiler finds its own libraries where it was unpacked, and not in the system.
    let program = usr.join("bin/rustc.sh");
    let script = "#!/bin/sh\n\
                  here=$(dirname \"$(dirname \"$0\")\")\n\
                  export LD_LIBRARY_PATH=\"$here/lib/x86_64-linux-gnu:$here/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}\"\n\
                  exec \"$here/bin/rustc\" \"$@\"\n";
    fs::write(&program, script).map_err(file_trouble)?;
    process::run(Command::new("chmod").arg("+x").arg(&program))
}

/// Builds the standard library for the target, and puts it where the compiler looks for it.
fn build_library(workspace: &Workspace, places: &Places, usr: &Path) -> Result<(), Failure> {
    let project = places.scratch.join("library");
    fs::create_dir_all(project.join("src")).map_err(file_trouble)?;
    fs::write(project.join("src/lib.rs"), "#![no_std]\n").map_err(file_trouble)?;
    let manifest = "[package]\nname = \"library\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
                    [profile.release]\npanic = \"abort\"\ncodegen-units = 1\n\n[workspace]\n";
    fs::write(project.join("Cargo.toml"), manifest).map_err(file_trouble)?;

    let target = project.join("target");
    let mut build = workspace.cargo(["build", "--quiet", "--release", "-Zbuild-std=std,panic_abort,test"]);
    build.args(["--target", TARGET]).current_dir(&project);
    // The compiler is a stable one, and the source is its own: what is unstable is the flag alone.
    build.env("RUSTC_BOOTSTRAP", "1").env("RUSTC", usr.join("bin/rustc.sh")).env("CARGO_TARGET_DIR", &target);
    build.env_remove("RUSTC_WRAPPER").env_remove("CARGO_BUILD_TARGET").env_remove("CARGO_ENCODED_RUSTFLAGS");
    // Without bitcode nothing that depends on it could be optimised at link time; the same paths on every machine make
    // the same bytes.
    let from = places.unfinished.display();
    build.env("RUSTFLAGS", format!("-Cembed-bitcode=yes --remap-path-prefix={from}/usr/src=/rustc"));
    process::run(&mut build)?;

    let built = target.join(TARGET).join("release/deps");
    let folder = usr.join("lib/rustlib").join(TARGET).join("lib");
    fs::create_dir_all(&folder).map_err(file_trouble)?;
    for file in fs::read_dir(built).map_err(file_trouble)? {
        let file = file.map_err(file_trouble)?.path();
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(".rlib") && !name.starts_with("liblibrary-") {
            fs::copy(&file, folder.join(name)).map_err(file_trouble)?;
        }
    }
    Ok(())
}

/// The version of a package that apt would install.
fn candidate(package: &str) -> Result<Option<String>, Failure> {
    let text = apt_cache(&["policy", package])?;
    let line = text.lines().find_map(|line| line.trim().strip_prefix("Candidate: ").map(str::to_owned));
    Ok(line.filter(|version| version != "(none)"))
}

/// The first package with such a name that `package` depends on.
fn dependency(package: &str, beginning: &str) -> Result<Option<String>, Failure> {
    Ok(dependency_in(&apt_cache(&["show", package])?, beginning))
}

fn dependency_in(described: &str, beginning: &str) -> Option<String> {
    let depends = described.lines().find_map(|line| line.strip_prefix("Depends: "))?;
    let mut names = depends.split(',').filter_map(|one| one.split_whitespace().next());
    // Versions of the library are numbered; the package for developers is not.
    let is_numbered = |name: &str| {
        name.strip_prefix(beginning)?.starts_with(|first: char| first.is_ascii_digit()).then_some(())
    };
    names.find(|name| is_numbered(name).is_some()).map(str::to_owned)
}

fn apt_cache(arguments: &[&str]) -> Result<String, Failure> {
    let output = Command::new("apt-cache").args(arguments).env("LC_ALL", "C").output();
    let output = output.map_err(|_| Failure::new("this is not a Debian system: it has no apt"))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn is_installed(package: &str) -> bool {
    let status = Command::new("dpkg-query").args(["-W", "-f=${db:Status-Status}", package]).output();
    status.is_ok_and(|output| output.stdout == b"installed")
}

fn has_program(name: &str) -> bool {
    Command::new(name).arg("--version").output().is_ok()
}

/// A command that needs the rights of root.
pub(crate) fn as_root(program: &str) -> Command {
    let is_root =
        Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    if is_root {
        return Command::new(program);
    }
    let mut sudo = Command::new("sudo");
    // Without a terminal nobody can type a password.
    sudo.args(["-n", program]);
    sudo
}

fn file_trouble(error: std::io::Error) -> Failure {
    Failure::new(format!("cannot unpack it: {error}"))
}

#[cfg(test)]
mod tests {
    use super::dependency_in;

    #[test]
    fn the_numbered_library_is_found_among_dependencies() {
        let described = "Package: libstd-rust-web-dev\nDepends: libc6 (>= 2.29), libstd-rust-web-1.96 (= 1.96.0+x)\n\
                         Description: a library\n\nPackage: libstd-rust-web-dev\nDepends: libstd-rust-web-1.85\n";
        assert_eq!(dependency_in(described, "libstd-rust-web-").as_deref(), Some("libstd-rust-web-1.96"));
        assert_eq!(
            dependency_in("Depends: libstd-rust-web-dev, libllvm19 (>= 1)", "libllvm").as_deref(),
            Some("libllvm19")
        );
        assert_eq!(dependency_in("Depends: libstd-rust-web-dev", "libstd-rust-web-"), None);
        assert_eq!(dependency_in("Package: none", "lib"), None);
    }
}
