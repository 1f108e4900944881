//! The page for players in browsers, as the server of the arena shows it.

use std::path::{Path, PathBuf};

/// A file of the page.
#[derive(Clone, Debug)]
pub struct File {
    /// Where it is on the server, from the slash on.
    pub path: String,
    /// What it is.
    pub content_type: &'static str,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// The page of that name as `cargo xtask web` has built it; where it has not, a page that says so.
#[must_use]
pub fn files(page: &str) -> Vec<File> {
    built(page).and_then(|folder| files_of(&folder)).unwrap_or_else(|| vec![not_built()])
}

/// Where the build puts it: beside the programs of this workspace, wherever those go.
fn built(page: &str) -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    // `target/debug/protocol-example`, or a test in `target/debug/deps`.
    program.ancestors().skip(2).take(2).map(|target| target.join(page)).find(|folder| folder.is_dir())
}

/// All of it, or nothing: a page that is cut short does not work.
fn files_of(folder: &Path) -> Option<Vec<File>> {
    let file = |(name, content_type): (&str, &'static str)| {
        let bytes = std::fs::read(folder.join(name)).ok()?;
        let path = if name == "index.html" { "/".to_owned() } else { format!("/{name}") };
        Some(File { path, content_type, bytes })
    };
    PAGE.into_iter().map(file).collect()
}

/// What it consists of.
const PAGE: [(&str, &str); 4] = [
    ("index.html", "text/html; charset=utf-8"),
    ("style.css", "text/css"),
    ("web.js", "text/javascript"),
    ("web_bg.wasm", "application/wasm"),
];

fn not_built() -> File {
    let text = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Arena on Bowline</title>\
                <h1>The page has not been built</h1>\
                <p>The server is up, and players can join it from a terminal. For players in browsers run</p>\
                <pre>cargo xtask web</pre><p>and start the server again.</p>";
    File { path: "/".to_owned(), content_type: "text/html; charset=utf-8", bytes: text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_is_not_whole_is_none_and_the_one_in_its_place_says_what_to_do() {
        let folder = std::env::temp_dir().join(format!("bowline-site-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        for (name, _) in PAGE {
            assert!(files_of(&folder).is_none(), "without {name}");
            std::fs::write(folder.join(name), name).unwrap();
        }
        let whole = files_of(&folder).unwrap();
        let paths: Vec<_> = whole.iter().map(|file| &*file.path).collect();
        assert_eq!(paths, ["/", "/style.css", "/web.js", "/web_bg.wasm"]);
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(String::from_utf8(not_built().bytes).unwrap().contains("cargo xtask web"));
    }
}
