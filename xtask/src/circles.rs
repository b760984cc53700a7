//! Finds import cycles: files of one crate that use each other.
//!
//! A file uses another file if it contains a path to an item of that file, in a `use` or in an
//! expression. Re-exports are followed to the file that defines the item. Tests and the root of the
//! crate are ignored.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// A module path below the crate's root: `["error", "refusal"]`.
type Module = Vec<String>;

/// The modules of a crate. Each module is a file.
#[derive(Default)]
struct Modules {
    text: BTreeMap<Module, String>,
    /// Re-exports of each module: the exported name and the path of the item.
    exports: BTreeMap<Module, Vec<(String, Module)>>,
}

/// Finds the import cycles below `src`. Returns the sorted modules of each cycle.
pub(crate) fn circles(src: &Path) -> Vec<Vec<String>> {
    let mut modules = Modules::default();
    read(src, src, &mut modules);
    for (module, text) in &modules.text {
        let exports = uses(text).into_iter().filter(|found| found.is_export);
        let exports = exports.map(|found| {
            (found.name.clone(), absolute(&found.path, module, &modules.text).unwrap_or(found.path))
        });
        modules.exports.insert(module.clone(), exports.collect());
    }
    let mut edges: BTreeMap<&Module, BTreeSet<&Module>> = BTreeMap::new();
    for (module, text) in modules.text.iter().filter(|(module, _)| !module.is_empty()) {
        let private = uses(text).into_iter().filter(|found| !found.is_export);
        let paths = private.map(|found| found.path).chain(inline_paths(text));
        let targets = paths.filter_map(|path| {
            let path = absolute(&path, module, &modules.text)?;
            modules.defines(&path, 0)
        });
        edges.insert(module, targets.filter(|target| *target != module).collect());
    }
    connected(&edges)
}

/// Reads every module below `dir`.
fn read(src: &Path, dir: &Path, modules: &mut Modules) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            read(src, &path, modules);
        } else if path.extension().is_some_and(|ending| ending == "rs")
            && let Ok(text) = fs::read_to_string(&path)
        {
            modules.text.insert(module_of(src, &path), code(&text));
        }
    }
}

fn module_of(src: &Path, file: &Path) -> Module {
    let relative: PathBuf = file.strip_prefix(src).unwrap_or(file).with_extension("");
    let mut module: Module =
        relative.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if module.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
        module.pop();
    }
    module
}

/// The text without comments and without the tests at the end of the file.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    text.lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

/// A name that a `use` imports.
struct Use {
    path: Module,
    name: String,
    is_export: bool,
}

/// Every path that a `use` in the text imports. Nested braces are resolved.
fn uses(text: &str) -> Vec<Use> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("use ") {
        let line =
            rest.get(..at).and_then(|before| before.lines().last()).unwrap_or_default().trim();
        rest = rest.get(at + 4..).unwrap_or_default();
        if !(line.is_empty() || line.starts_with("pub")) {
            continue;
        }
        let Some((tree, behind)) = rest.split_once(';') else { break };
        rest = behind;
        let mut paths = Vec::new();
        unfold(&[], tree, &mut paths);
        found.extend(paths.into_iter().map(|(path, name)| Use {
            path,
            name,
            is_export: line.starts_with("pub"),
        }));
    }
    found
}

/// Adds the paths of a `use` tree to `paths`. Each entry contains a path and the name that the path
/// imports.
fn unfold(prefix: &[String], tree: &str, paths: &mut Vec<(Module, String)>) {
    let tree = tree.trim();
    let mut path = prefix.to_vec();
    if let Some((before, inside)) = tree.split_once('{') {
        path.extend(segments(before));
        let inside = inside.trim_end().strip_suffix('}').unwrap_or(inside);
        let (mut depth, mut start) = (0, 0);
        for (at, char) in inside.char_indices() {
            match char {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    unfold(&path, inside.get(start..at).unwrap_or_default(), paths);
                    start = at + 1;
                }
                _ => {}
            }
        }
        return unfold(&path, inside.get(start..).unwrap_or_default(), paths);
    }
    if tree.is_empty() {
        return;
    }
    let (whole, renamed) = match tree.split_once(" as ") {
        Some((whole, name)) => (whole, Some(name.trim().to_owned())),
        None => (tree, None),
    };
    path.extend(segments(whole).filter(|segment| segment != "self"));
    if whole.starts_with("self") && prefix.is_empty() {
        path.insert(0, "self".to_owned());
    }
    let name = renamed.or_else(|| path.last().cloned()).unwrap_or_default();
    paths.push((path, name));
}

fn segments(path: &str) -> impl Iterator<Item = String> {
    path.split("::").map(str::trim).filter(|segment| !segment.is_empty()).map(str::to_owned)
}

/// The paths in the text that start with `crate::` or `super::`.
fn inline_paths(text: &str) -> Vec<Module> {
    let mut found = Vec::new();
    for start in ["crate::", "super::"] {
        for (at, _) in text.match_indices(start) {
            let path = text.get(at..).unwrap_or_default();
            let is_path = |char: char| char.is_alphanumeric() || char == '_' || char == ':';
            let end = path.find(|char| !is_path(char)).unwrap_or(path.len());
            found.push(segments(path.get(..end).unwrap_or_default()).collect());
        }
    }
    found
}

/// Converts a path to a path from the crate's root. Returns `None` for a path into another crate.
fn absolute(
    path: &[String],
    module: &Module,
    modules: &BTreeMap<Module, String>,
) -> Option<Module> {
    let (first, rest) = path.split_first()?;
    let from = |start: &[String], rest: &[String]| Some([start, rest].concat());
    match first.as_str() {
        "crate" => Some(rest.to_vec()),
        "self" => from(module, rest),
        "super" => absolute_super(module, rest),
        _ => {
            let child = from(module, std::slice::from_ref(first))?;
            modules.contains_key(&child).then(|| [module.as_slice(), path].concat())
        }
    }
}

fn absolute_super(module: &[String], rest: &[String]) -> Option<Module> {
    let (_, parent) = module.split_last()?;
    match rest.split_first() {
        Some((first, rest)) if first == "super" => absolute_super(parent, rest),
        _ => Some([parent, rest].concat()),
    }
}

impl Modules {
    /// Finds the module that defines the item at an absolute path. Returns `None` if the crate's
    /// root defines the item.
    fn defines(&self, path: &[String], depth: usize) -> Option<&Module> {
        let length = (0..=path.len()).rev().find(|length| {
            path.get(..*length).is_some_and(|start| self.text.contains_key(start))
        })?;
        let (module, rest) = (path.get(..length)?, path.get(length..)?);
        if let (Some(name), true) = (rest.first(), depth < 8) {
            let exports = self.exports.get(module).into_iter().flatten();
            let behind = rest.get(1..).unwrap_or_default();
            for (export, target) in exports {
                if export == name {
                    return self.defines(&[target.as_slice(), behind].concat(), depth + 1);
                }
                // `module::*` exports an item if `module` defines or re-exports the item.
                if export == "*" {
                    let target = [target.split_last()?.1, rest].concat();
                    if let Some(found) = self.defines(&target, depth + 1)
                        && self.text.get(found).is_some_and(|text| defines_item(text, name))
                    {
                        return Some(found);
                    }
                }
            }
        }
        let (module, _) = self.text.get_key_value(module)?;
        (!module.is_empty()).then_some(module)
    }
}

fn defines_item(text: &str, name: &str) -> bool {
    ["struct", "enum", "trait", "type", "fn", "const", "static"]
        .iter()
        .any(|kind| text.contains(&format!("{kind} {name}")))
}

/// The sets of modules that depend on each other (strongly connected components).
fn connected(edges: &BTreeMap<&Module, BTreeSet<&Module>>) -> Vec<Vec<String>> {
    let reachable = |start: &Module| {
        let mut seen: BTreeSet<&Module> = BTreeSet::new();
        let mut next: Vec<&Module> = edges.get(start).into_iter().flatten().copied().collect();
        while let Some(module) = next.pop() {
            if seen.insert(module) {
                next.extend(edges.get(module).into_iter().flatten());
            }
        }
        seen
    };
    let reach: BTreeMap<&Module, BTreeSet<&Module>> =
        edges.keys().map(|module| (*module, reachable(module))).collect();
    let leads = |from: &Module, to: &Module| reach.get(from).is_some_and(|seen| seen.contains(to));
    let mut circles = BTreeSet::new();
    for module in edges.keys().filter(|module| leads(module, module)) {
        let others = edges.keys().filter(|other| leads(module, other) && leads(other, module));
        circles.insert(others.map(|module| module.join("::")).collect::<Vec<_>>());
    }
    circles.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circles_of(files: &[(&str, &str)]) -> Vec<Vec<String>> {
        let dir =
            std::env::temp_dir().join(format!("circles-{}-{}", std::process::id(), files.len()));
        for (name, text) in files {
            let file = dir.join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        let circles = circles(&dir);
        fs::remove_dir_all(dir).unwrap();
        circles
    }

    #[test]
    fn files_that_import_each_other_are_a_cycle() {
        let files = [
            ("lib.rs", "mod a;\nmod b;\nmod c;\npub use b::B;\n"),
            ("a.rs", "use crate::{B, c::{self, C}};\npub struct A;\n"),
            ("b.rs", "pub struct B(crate::a::A);\n"),
            ("c.rs", "pub struct C;\n#[cfg(test)]\nmod tests {\n    use crate::a::A;\n}\n"),
        ];
        assert_eq!(circles_of(&files), [["a", "b"]]);
    }

    #[test]
    fn re_exports_are_followed_to_the_defining_file() {
        let files = [
            ("lib.rs", "mod a;\nmod folder;\n"),
            ("a.rs", "use crate::folder::{Child, Other};\npub struct A;\n"),
            (
                "folder/mod.rs",
                "mod child;\nmod other;\npub use child::*;\npub use self::other::Other;\n",
            ),
            ("folder/child.rs", "use std::fmt;\npub struct Child;\n"),
            ("folder/other.rs", "use super::Child;\nuse crate::a::A;\npub struct Other;\n"),
            ("unused.rs", ""),
        ];
        assert_eq!(circles_of(&files), [["a", "folder::other"]]);
    }
}
