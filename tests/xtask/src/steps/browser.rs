//! A client in a real browser, against the real server.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::testing;
use crate::process::{self, Failure};
use crate::runner::{Notes, Step};
use crate::wasm::{ARENA, BEVY_ARENA, Page, Toolchain, as_root};
use crate::workspace::Workspace;

pub(crate) const BROWSER: Step =
    Step { name: "browser", about: "clients in a real Chromium, which is installed if need be", run };

/// The page of the tests, which writes down what happens to it.
const TESTED: Page = Page {
    package: "bowline-browser-tests",
    bin: "page",
    name: "page",
    features: "",
    assets: "tests/browser/page",
    folder: "browser/page",
};

fn run(workspace: &Workspace, notes: &mut Notes) -> Result<(), Failure> {
    let toolchain = Toolchain::find(workspace)?;
    let page = TESTED.build(workspace, &toolchain)?;
    ARENA.build(workspace, &toolchain)?;
    BEVY_ARENA.build(workspace, &toolchain)?;
    let browser = chromium()?;
    notes.remarks.push(version(&browser));

    // As the other tests have them, whose programs they are too: `cargo build` has other features, and would compile all of it anew.
    let games = ["test", "--workspace", "--all-features", "--no-run", "--test", "cli", "--test", "arena"];
    process::run(&mut workspace.cargo(games))?;
    let mut tests = workspace.cargo(["test", "--workspace", "--all-features", "--test", "browser"]);
    // A browser of its own for each, and more than two at once would wait for each other.
    tests.args(["--", "--test-threads", "2", "--show-output"]);
    tests.env("BOWLINE_BROWSER", &browser).env("BOWLINE_BROWSER_PAGE", page);
    tests.env("BOWLINE_BROWSER_GAME", workspace.target.join("debug/protocol-example"));
    tests.env("BOWLINE_BROWSER_BEVY_GAME", workspace.target.join("debug/protocol-example-bevy"));
    tests.env("BOWLINE_BROWSER_RESULTS", workspace.target.join("browser"));
    testing::run(&mut tests, notes)
}

/// The browser that is there, or the one that apt has.
fn chromium() -> Result<PathBuf, Failure> {
    if let Some(browser) = found() {
        return Ok(browser);
    }
    println!("   there is no Chromium on `PATH`: installing it");
    let install = || {
        let mut install = as_root("apt-get");
        install.args(["-qq", "install", "-y", "--no-install-recommends", "chromium"]);
        process::run(install.env("DEBIAN_FRONTEND", "noninteractive"))
    };
    let installed = install().or_else(|_| {
        process::run(as_root("apt-get").args(["-qq", "update"]))?;
        install()
    });
    let nothing = |why: String| {
        Failure::new(format!(
            "{why}; install Chromium or Chrome, or name it: `BOWLINE_BROWSER=/path/to/chrome`"
        ))
    };
    installed
        .map_err(|why| nothing(format!("there is no Chromium here, and apt cannot install it ({why})")))?;
    found().ok_or_else(|| nothing("there is no Chromium here, and none came with apt's package".to_owned()))
}

fn found() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("BOWLINE_BROWSER") {
        return Some(named.into());
    }
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&on_path).flat_map(|folder| names.map(|name| folder.join(name)));
    let elsewhere = Path::new("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome").to_owned();
    on_path.chain([elsewhere]).find(|program| program.is_file())
}

fn version(browser: &Path) -> String {
    let output = Command::new(browser).arg("--version").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}
