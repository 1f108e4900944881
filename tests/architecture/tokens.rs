//! The tokens of a source file. Comments, doc comments and strings are none, so a rule over tokens is about code
//! alone.

use std::iter::Peekable;

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};

/// A source file without the parts that only tests see.
#[derive(Debug)]
pub(crate) struct Code {
    tokens: TokenStream,
    /// The `mod x;` under `#[cfg(test)]`: their files are tests too.
    pub(crate) test_modules: Vec<String>,
}

/// A path that code names, `use` trees spread out: `use std::{net, time::*}` names `std::net` and
/// `std::time::*`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) lead: Lead,
    pub(crate) segments: Vec<String>,
    pub(crate) line: usize,
}

/// What stands before a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lead {
    Nothing,
    /// `::path`
    Colons,
    /// `#path`, as `quote!` interpolates a variable.
    Hash,
}

impl Code {
    /// Reads a file.
    pub(crate) fn parse(source: &str) -> Result<Self, String> {
        let tokens: TokenStream = source.parse().map_err(|error| format!("does not parse: {error}"))?;
        let mut test_modules = Vec::new();
        Ok(Self { tokens: without_tests(tokens, &mut test_modules), test_modules })
    }

    /// Every path in the file.
    pub(crate) fn paths(&self) -> Vec<Named> {
        let mut found = Vec::new();
        find_paths(self.tokens.clone(), &mut found);
        found
    }

    /// Every path inside a call of one of these macros.
    pub(crate) fn paths_in_macros(&self, macros: &[&str]) -> Vec<Named> {
        let mut found = Vec::new();
        each_call(self.tokens.clone(), macros, &mut |group| find_paths(group.stream(), &mut found));
        found
    }

    /// The lines of every `not(.. feature ..)`.
    pub(crate) fn lines_without_a_feature(&self) -> Vec<usize> {
        let mut lines = Vec::new();
        each_group(self.tokens.clone(), &mut |before, group| {
            let Some(TokenTree::Ident(ident)) = before.last() else { return };
            let mut names = Vec::new();
            find_paths(group.stream(), &mut names);
            if ident == "not" && names.iter().any(|name| name.segments == ["feature"]) {
                lines.push(line(ident));
            }
        });
        lines
    }

    /// The functions under `#[test]`, by name.
    pub(crate) fn tests(&self) -> Vec<String> {
        let tokens: Vec<_> = self.tokens.clone().into_iter().collect();
        let is_test = |tokens: &[TokenTree]| {
            matches!(tokens, [TokenTree::Punct(hash), TokenTree::Group(group), ..]
            if hash.as_char() == '#' && group.stream().to_string() == "test")
        };
        let name = |tokens: &[TokenTree]| {
            tokens.windows(2).find(|pair| pair[0].to_string() == "fn").map(|pair| pair[1].to_string())
        };
        (0..tokens.len()).filter(|at| is_test(&tokens[*at..])).filter_map(|at| name(&tokens[at..])).collect()
    }
}

impl Named {
    /// Whether this path is `forbidden`, lies under it, or brings in a module from which it can be reached.
    pub(crate) fn reaches(&self, forbidden: &str) -> bool {
        let forbidden: Vec<_> = forbidden.split("::").collect();
        let own: Vec<_> =
            self.segments.iter().map(String::as_str).filter(|segment| *segment != "*").collect();
        if self.lead == Lead::Hash || self.segments.len() < 2 {
            return false;
        }
        own.starts_with(&forbidden) || forbidden.starts_with(&own)
    }

    pub(crate) fn shown(&self) -> String {
        let lead = match self.lead {
            Lead::Nothing => "",
            Lead::Colons => "::",
            Lead::Hash => "#",
        };
        format!("{lead}{}", self.segments.join("::"))
    }
}

/// Leaves out every item under `#[cfg(test)]` or `#[cfg(all(test, ..))]`.
fn without_tests(tokens: TokenStream, test_modules: &mut Vec<String>) -> TokenStream {
    let mut kept = Vec::new();
    let mut rest = tokens.into_iter().peekable();
    while let Some(token) = rest.next() {
        let is_hash = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '#');
        match rest.peek() {
            Some(TokenTree::Group(attribute)) if is_hash && is_cfg_test(attribute) => {
                rest.next();
                if let Some(module) = skip_item(&mut rest) {
                    test_modules.push(module);
                }
            }
            _ => kept.push(match token {
                TokenTree::Group(group) => {
                    let inner = without_tests(group.stream(), test_modules);
                    let mut cleaned = Group::new(group.delimiter(), inner);
                    cleaned.set_span(group.span());
                    TokenTree::Group(cleaned)
                }
                other => other,
            }),
        }
    }
    kept.into_iter().collect()
}

fn is_cfg_test(attribute: &Group) -> bool {
    let text: String = attribute.stream().to_string().split_whitespace().collect();
    attribute.delimiter() == Delimiter::Bracket && (text == "cfg(test)" || text.starts_with("cfg(all(test,"))
}

/// Passes over the item that follows; the name, if it is a `mod x;`.
fn skip_item(rest: &mut Peekable<impl Iterator<Item = TokenTree>>) -> Option<String> {
    let mut passed = Vec::new();
    for token in rest {
        match &token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => return None,
            TokenTree::Punct(punct) if punct.as_char() == ';' => break,
            _ => passed.push(token.to_string()),
        }
    }
    let at = passed.iter().position(|word| word == "mod")?;
    passed.get(at + 1).cloned()
}

fn find_paths(tokens: TokenStream, found: &mut Vec<Named>) {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token {
            TokenTree::Ident(_) => {
                let lead = match &tokens[..at] {
                    [.., first, second] if is_colons(first, second) => Lead::Colons,
                    [.., TokenTree::Punct(hash)] if hash.as_char() == '#' => Lead::Hash,
                    _ => Lead::Nothing,
                };
                at = find_path(&tokens, at, lead, &[], found);
            }
            TokenTree::Group(group) => {
                find_paths(group.stream(), found);
                at += 1;
            }
            _ => at += 1,
        }
    }
}

/// Reads the path that starts at `at` and stands under `prefix`; returns where it ends.
fn find_path(
    tokens: &[TokenTree],
    mut at: usize,
    lead: Lead,
    prefix: &[String],
    found: &mut Vec<Named>,
) -> usize {
    let mut segments = prefix.to_vec();
    let mut start = 0;
    loop {
        match tokens.get(at) {
            Some(TokenTree::Ident(ident)) => {
                start = line(ident);
                // `use a::{self}` names `a`.
                if ident != "self" || prefix.is_empty() {
                    segments.push(ident.to_string().trim_start_matches("r#").to_owned());
                }
                at += 1;
            }
            Some(TokenTree::Punct(star)) if star.as_char() == '*' => {
                start = star.span().start().line;
                segments.push("*".to_owned());
                at += 1;
                break;
            }
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                let inside: Vec<_> = group.stream().into_iter().collect();
                let is_comma =
                    |token: &TokenTree| matches!(token, TokenTree::Punct(comma) if comma.as_char() == ',');
                for element in inside.split(is_comma).filter(|element| !element.is_empty()) {
                    find_path(element, 0, lead, &segments, found);
                }
                return at + 1;
            }
            // `::<`, or the end.
            _ => break,
        }
        match tokens.get(at..at + 2) {
            Some([first, second]) if is_colons(first, second) => at += 2,
            _ => break,
        }
    }
    found.push(Named { lead, segments, line: start });
    at
}

fn each_call(tokens: TokenStream, macros: &[&str], see: &mut dyn FnMut(&Group)) {
    each_group(tokens, &mut |before, group| {
        if let [.., TokenTree::Ident(name), TokenTree::Punct(bang)] = before
            && bang.as_char() == '!'
            && macros.iter().any(|known| name == known)
        {
            see(group);
        }
    });
}

/// Shows every group, the nested ones too, with the tokens before it.
fn each_group(tokens: TokenStream, see: &mut dyn FnMut(&[TokenTree], &Group)) {
    let tokens: Vec<_> = tokens.into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        if let TokenTree::Group(group) = token {
            see(&tokens[..at], group);
            each_group(group.stream(), see);
        }
    }
}

fn is_colons(first: &TokenTree, second: &TokenTree) -> bool {
    let is_colon = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ':');
    is_colon(first) && is_colon(second)
}

fn line(ident: &Ident) -> usize {
    ident.span().start().line
}
