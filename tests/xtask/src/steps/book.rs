//! The guide: its pages hold together, and mdBook builds it.
//!
//! The code on its pages is included from files that the workspace compiles. An anchor that is not there is an
//! empty block to mdBook, so that is looked at here first.

use std::fs;
use std::path::{Path, PathBuf};

use crate::process::{self, Failure};
use crate::runner::{Notes, Step};
use crate::tools::MDBOOK;
use crate::workspace::Workspace;

pub(crate) const BOOK: Step =
    Step { name: "book", about: "the guide: its snippets, its links, its pages", run };

fn run(workspace: &Workspace, notes: &mut Notes) -> Result<(), Failure> {
    let book = workspace.root.join("book");
    if !book.join("book.toml").exists() {
        notes.unchecked.push("the guide: there is no book/book.toml".to_owned());
        return Ok(());
    }
    let pages = pages(&book.join("src"))?;
    let summary = read(&book.join("src/SUMMARY.md"))?;
    let mut faults = Vec::new();
    for page in &pages {
        let name = page.strip_prefix(&book).unwrap_or(page).display().to_string();
        faults.extend(faults_of(page, &read(page)?).into_iter().map(|fault| format!("{name}:{fault}")));
        let listed = page.strip_prefix(book.join("src")).unwrap_or(page).to_string_lossy().replace('\\', "/");
        if listed != "SUMMARY.md"
            && !summary.contains(&format!("({listed})"))
            && !summary.contains(&format!("(./{listed})"))
        {
            faults.push(format!("{name}: not in SUMMARY.md"));
        }
    }
    for fault in &faults {
        println!("   {fault}");
    }
    if !faults.is_empty() {
        return Err(Failure::new(format!("{} faults in the pages of the guide", faults.len())));
    }

    let output = workspace.target.join("book");
    let mut build = workspace.program(&MDBOOK.path(workspace)?);
    let (status, text) = process::capture(build.arg("build").arg(&book).arg("--dest-dir").arg(&output))?;
    print!("{text}");
    if !status.success() || text.lines().any(|line| line.contains("ERROR") || line.contains("WARN")) {
        return Err(Failure::new("mdBook is not content"));
    }
    println!("   the guide: {}", output.join("index.html").display());
    notes.remarks.push(format!("{} pages", pages.len()));
    Ok(())
}

fn pages(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let unreadable = |error| Failure::new(format!("cannot read {}: {error}", folder.display()));
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            found.extend(pages(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| Failure::new(format!("cannot read {}: {error}", path.display())))
}

/// What is wrong with a page: `LINE: WHY`, a line each.
fn faults_of(page: &Path, text: &str) -> Vec<String> {
    let folder = page.parent().unwrap_or(Path::new(""));
    let mut faults = Vec::new();
    // The language of the code block that the line is in.
    let mut block: Option<&str> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let mut fault = |why: String| faults.push(format!("{number}: {why}"));
        let includes = line.match_indices("{{#").filter_map(|(at, _)| include(&line[at..]));
        let mut included = false;
        for (path, anchor) in includes {
            included = true;
            if let Err(why) = included_text(&folder.join(path), anchor) {
                fault(format!("`{path}`: {why}"));
            }
        }
        match (line.trim_start().strip_prefix("```"), block) {
            (Some(language), None) => block = Some(language),
            (Some(_), Some(_)) => block = None,
            (None, Some(language)) => {
                if language.starts_with("rust") && !included && !line.trim().is_empty() {
                    fault("Rust typed into the page: include it from a compiled file".to_owned());
                }
            }
            (None, None) => links(line).filter(|link| !folder.join(link).exists()).for_each(|link| {
                fault(format!("the link `{link}` leads nowhere"));
            }),
        }
    }
    faults
}

/// The path and the anchor of `{{#include path:anchor}}`.
fn include(text: &str) -> Option<(&str, Option<&str>)> {
    let (inside, _) = text.split_once("}}")?;
    let (directive, argument) = inside.strip_prefix("{{#")?.split_once(' ')?;
    if !matches!(directive, "include" | "rustdoc_include" | "playground") {
        return None;
    }
    let argument = argument.split_whitespace().next()?;
    Some(argument.split_once(':').map_or((argument, None), |(path, anchor)| (path, Some(anchor))))
}

fn included_text(path: &Path, anchor: Option<&str>) -> Result<(), String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let Some(anchor) = anchor else { return Ok(()) };
    if anchor.chars().all(|character| character.is_ascii_digit() || character == ':') {
        return Err("lines by number move: name an anchor".to_owned());
    }
    let mark = |line: &str, kind: &str| {
        line.split_once(kind).is_some_and(|(before, name)| name.trim() == anchor && !before.ends_with('_'))
    };
    let start = text.lines().position(|line| mark(line, "ANCHOR:"));
    let end = text.lines().position(|line| mark(line, "ANCHOR_END:"));
    match (start, end) {
        (Some(start), Some(end)) if start + 1 < end => Ok(()),
        (Some(_), Some(_)) => Err(format!("nothing between the marks of the anchor `{anchor}`")),
        (None, _) => Err(format!("no `ANCHOR: {anchor}`")),
        (Some(_), None) => Err(format!("no `ANCHOR_END: {anchor}`")),
    }
}

/// The targets of the Markdown links to files of the guide, without what follows a `#`.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let targets = line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
    let paths = targets.map(|target| target.split('#').next().unwrap_or(target));
    paths.filter(|path| !path.is_empty() && !path.contains("://") && !path.starts_with("mailto:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page beside this file, which therefore can include it.
    fn faults(text: &str) -> Vec<String> {
        faults_of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/steps/page.md"), text)
    }

    // ANCHOR: a_snippet
    const SNIPPET: &str = "some code";
    // ANCHOR_END: a_snippet

    #[test]
    fn an_include_of_an_anchor_that_exists_is_fine() {
        assert_eq!(SNIPPET, "some code");
        assert_eq!(faults("```rust\n{{#include book.rs:a_snippet}}\n```\n"), [""; 0]);
    }

    #[test]
    fn an_include_that_leads_nowhere_is_a_fault() {
        assert_eq!(faults("text\n{{#include book.rs:no_such}}"), ["2: `book.rs`: no `ANCHOR: no_such`"]);
        assert_eq!(faults("{{#include no_such.rs}}").len(), 1);
        assert_eq!(
            faults("{{#include book.rs:3:4}}"),
            ["1: `book.rs`: lines by number move: name an anchor"]
        );
    }

    #[test]
    fn rust_typed_into_a_page_is_a_fault() {
        let typed = "3: Rust typed into the page: include it from a compiled file";
        assert_eq!(faults("\n```rust\nlet x = 1;\n```\n```sh\ncargo run\n```\n"), [typed]);
    }

    #[test]
    fn a_link_to_a_missing_page_is_a_fault() {
        assert_eq!(faults("[a](book.rs#x) [b](https://example.org) [c](#d)"), [""; 0]);
        assert_eq!(faults("[a](no_such.md)"), ["1: the link `no_such.md` leads nowhere"]);
    }
}
