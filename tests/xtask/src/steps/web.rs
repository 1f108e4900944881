//! The pages of the example, without Bevy and with it: built, and the first built again to the same bytes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::process::Failure;
use crate::runner::{Notes, Step};
use crate::wasm::{ARENA, BEVY_ARENA, Page, Toolchain};
use crate::workspace::Workspace;

/// What `cargo xtask web` does.
pub(crate) const PAGE: Step = Step {
    name: "page",
    about: "the pages on which the arena is played, without Bevy and with it",
    run: |workspace, notes| {
        let toolchain = build(workspace, &ARENA, notes)?;
        build_with(workspace, &BEVY_ARENA, &toolchain, notes)
    },
};

/// What `cargo xtask test` does.
pub(crate) const WEB: Step = Step {
    name: "web",
    about: "the page on which the arena is played, built twice to the same bytes",
    run: |workspace, notes| {
        let toolchain = build(workspace, &ARENA, notes)?;
        // Elsewhere, so that nothing is left over from the first, and the place itself would show.
        let again = workspace.target.join("wasm-again");
        let folder = again.join("page");
        ARENA.build_into(workspace, &toolchain, &again, &folder)?;
        let (first, second) = (contents(&workspace.target.join(ARENA.folder))?, contents(&folder)?);
        let differing: Vec<_> =
            first.iter().filter(|(name, bytes)| second.get(*name) != Some(bytes)).collect();
        if first.len() == second.len() && differing.is_empty() {
            return Ok(());
        }
        let names = differing.into_iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
        Err(Failure::new(format!("built twice, the page is not the same: {names}")))
    },
};

fn build(workspace: &Workspace, page: &Page, notes: &mut Notes) -> Result<Toolchain, Failure> {
    let toolchain = Toolchain::find(workspace)?;
    build_with(workspace, page, &toolchain, notes)?;
    Ok(toolchain)
}

fn build_with(
    workspace: &Workspace,
    page: &Page,
    toolchain: &Toolchain,
    notes: &mut Notes,
) -> Result<(), Failure> {
    let folder = page.build(workspace, toolchain)?;
    let bytes: usize = contents(&folder)?.values().map(Vec::len).sum();
    println!("   the page: {}", folder.display());
    notes.remarks.push(format!("{} {} KB", page.folder, bytes / 1_000));
    Ok(())
}

/// The files of a folder.
fn contents(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
    let unreadable = |error| Failure::new(format!("cannot read {}: {error}", folder.display()));
    let files = fs::read_dir(folder).map_err(unreadable)?;
    let files = files.map(|file| {
        let file = file?;
        Ok((file.file_name().to_string_lossy().into_owned(), fs::read(file.path())?))
    });
    files.collect::<Result<_, _>>().map_err(unreadable)
}
