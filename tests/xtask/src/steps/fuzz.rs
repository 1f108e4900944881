//! The targets of `tests/fuzz` under libFuzzer, which looks where each input leads: for a night, or after a change of what reads
//! bytes. What it finds to lead somewhere new is added to the corpus, which the normal tests replay.

use std::fs;
use std::path::PathBuf;

use crate::process::{self, Failure};
use crate::tools::CARGO_FUZZ;
use crate::workspace::Workspace;

/// Where they are, a file each.
const TARGETS: &str = "tests/fuzz/harness/fuzz_targets";

/// Runs some targets, each for so many seconds: all of them where none is named.
pub(crate) fn fuzz(workspace: &Workspace, named: &[String], seconds: u32) -> Result<(), Failure> {
    let all = targets(workspace)?;
    if let Some(unknown) = named.iter().find(|name| !all.contains(name)) {
        return Err(Failure::new(format!("there is no target `{unknown}`; there are {}", all.join(", "))));
    }
    let targets = if named.is_empty() { &all } else { named };
    let program = CARGO_FUZZ.path(workspace)?;
    let place = workspace.target.join("fuzz");
    let mut seeds =
        workspace.cargo(["run", "--quiet", "--package", "bowline-tests-fuzz", "--example", "seeds", "--"]);
    process::run(seeds.arg(place.join("seeds")))?;

    let mut failed = Vec::new();
    for target in targets {
        let found = place.join("found").join(target);
        let corpus = workspace.root.join("tests/fuzz/corpus").join(target);
        for folder in [&found, &corpus] {
            fs::create_dir_all(folder)
                .map_err(|error| Failure::new(format!("{}: {error}", folder.display())))?;
        }
        let seeds = place.join("seeds").join(target);
        let run = |folders: &[&PathBuf], flags: &[&str]| {
            let mut fuzz = workspace.program(&program);
            // Without a sanitizer, which would need a nightly compiler and find little: there is no unsafe code.
            fuzz.args(["run", "--fuzz-dir", "tests/fuzz/harness", "--sanitizer", "none", "--target-dir"]);
            fuzz.arg(&place).arg(target).args(folders).arg("--").args(flags);
            process::run(&mut fuzz)
        };
        let time = format!("-max_total_time={seconds}");
        let fuzzed = run(&[&found, &corpus, &seeds], &[&time, "-max_len=4000", "-timeout=10"]);
        // As few as lead everywhere, however often each leads there.
        if let Err(why) =
            fuzzed.and_then(|()| run(&[&corpus, &found], &["-set_cover_merge=1", "-use_counters=0"]))
        {
            println!("   {target}: {why}");
            failed.push(target.as_str());
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    let failed = failed.join(", ");
    Err(Failure::new(format!(
        "{failed}: the input is in tests/fuzz/harness/artifacts; put it into tests/fuzz/corpus once it is mended"
    )))
}

fn targets(workspace: &Workspace) -> Result<Vec<String>, Failure> {
    let unreadable = |error| Failure::new(format!("cannot read {TARGETS}: {error}"));
    let files = fs::read_dir(workspace.root.join(TARGETS)).map_err(unreadable)?;
    let names =
        files.map(|file| Ok(file?.path().file_stem().unwrap_or_default().to_string_lossy().into_owned()));
    let mut names: Vec<_> = names.collect::<Result<_, _>>().map_err(unreadable)?;
    names.sort();
    Ok(names)
}
