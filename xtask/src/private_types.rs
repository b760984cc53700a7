//! `cargo xtask private-types`: checks that the documentation shows no private type. For example,
//! an impl such as `From<TrackWire> for Track` must not appear on any page.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
};

use crate::{console::say, spec::Error};

/// Checks the pages that `cargo doc` has already written.
pub(crate) fn run(root: &Path) -> Result<(), Error> {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let pages: Vec<PathBuf> = files(&target.join("doc"), "html")
        .into_iter()
        .filter(|page| crate_of(page, &target.join("doc")).starts_with("spot"))
        .collect();
    if pages.is_empty() {
        return Err("there is no documentation; run `cargo doc --workspace --no-deps` first".into());
    }
    let documented: BTreeSet<String> = pages.iter().filter_map(|page| item(page)).collect();
    let mut private = BTreeSet::new();
    for source in files(&root.join("crates"), "rs") {
        private.extend(declared(&fs::read_to_string(&source).unwrap_or_default()));
    }
    private.retain(|name| !documented.contains(name));
    let mut shown = BTreeSet::new();
    for page in &pages {
        let html =
            fs::read_to_string(page).map_err(|error| format!("{}: {error}", page.display()))?;
        let found = impls(&html).filter_map(|header| {
            let name = words(&header).find(|word| private.contains(*word))?;
            Some(format!("{}: shows the private type {name}", page.display()))
        });
        shown.extend(found);
    }
    if shown.is_empty() {
        say(&format!(
            "checked {} pages: no page shows any of the {} private types",
            pages.len(),
            private.len()
        ));
        return Ok(());
    }
    Err(shown.into_iter().collect::<Vec<_>>().join("\n       "))
}

fn files(directory: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && entry.file_name() != "target" {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|known| known == extension) {
            found.push(path);
        }
    }
    found
}

/// The name of the crate that a page documents.
fn crate_of(page: &Path, docs: &Path) -> String {
    let below = page.strip_prefix(docs).ok().and_then(|path| path.components().next());
    below.map_or_else(String::new, |name| name.as_os_str().to_string_lossy().into_owned())
}

/// The item that a page documents: `Track` for `struct.Track.html`.
fn item(page: &Path) -> Option<String> {
    let name = page.file_stem()?.to_str()?;
    Some(name.split_once('.')?.1.to_owned())
}

/// The types that a source file declares.
fn declared(source: &str) -> impl Iterator<Item = String> {
    let words: Vec<&str> = words(source).collect();
    let named = |pair: &[&str]| match pair {
        ["struct" | "enum", name] if name.starts_with(char::is_uppercase) => {
            Some((*name).to_owned())
        }
        _ => None,
    };
    words.windows(2).filter_map(named).collect::<Vec<_>>().into_iter()
}

/// The headers of the impls on a page, without the names that are links. A private type has no
/// page, so its name is never a link. Blanket impls of other crates (`for T`) are skipped.
fn impls(html: &str) -> impl Iterator<Item = String> {
    let headers = html.split("<h3 class=\"code-header\">impl").skip(1);
    let headers = headers.map(|rest| rest.split("</h3>").next().unwrap_or_default());
    headers.filter(|header| header.contains(" for <a ")).map(|header| {
        let mut parts = header.split("<a ");
        let mut text = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            text.push_str(part.split_once("</a>").map_or("", |(_, after)| after));
        }
        // In `Stream<Item = T>`, `Item` is an associated type. Names of associated types are also
        // removed.
        let is_name = |char: char| char.is_alphanumeric() || char == '_';
        let parts = text.split(" = ").map(|part| part.trim_end_matches(is_name));
        parts.collect::<Vec<_>>().join(" = ")
    })
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_part = |char: char| char.is_alphanumeric() || char == '_';
    text.split(move |char| !is_part(char)).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_without_a_link_in_an_impl_is_found() {
        let html = r#"<h3 class="code-header">impl <a class="trait">From</a>&lt;TrackWire&gt; for <a class="struct" href="Track.html">Track</a></h3><p>Album</p>"#;
        let header = impls(html).collect::<Vec<_>>().join(" ");
        let found: Vec<&str> = words(&header).collect();
        assert!(found.contains(&"TrackWire"), "{found:?}");
        assert!(!found.contains(&"Track") && !found.contains(&"Album"), "{found:?}");
        let blanket = r#"<h3 class="code-header">impl&lt;T&gt; Read&lt;Exclusive&gt; for T</h3>"#;
        assert_eq!(impls(blanket).count(), 0);
        let bound = r#"<h3 class="code-header">impl&lt;S: Iterator&lt;Item = S&gt;&gt; X for <a>Y</a></h3>"#;
        assert!(impls(bound).all(|header| words(&header).all(|word| word != "Item")));
    }

    #[test]
    fn struct_and_enum_declarations_are_found() {
        let found: Vec<String> = declared("pub(crate) struct Wire<'a> {\n} enum Kind {").collect();
        assert_eq!(found, ["Wire", "Kind"]);
    }
}
