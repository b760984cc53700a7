//! Finds the path of the JSON value that contains a given byte, for example `items[3].track.name`.
//!
//! A deserializer that records the path is not used, because the compiler would generate the
//! decoding code of all models twice.

use spot_model::printable;

/// Maximum depth of a path, in steps. In a deeper path, `...` replaces the remaining steps.
const DEPTH: usize = 32;

/// Maximum length of a path, in characters.
const LENGTH: usize = 200;

/// An object or a list that contains the byte.
#[derive(Debug)]
enum Inside<'a> {
    /// An object, and the key whose value contains the byte.
    Object(Option<&'a [u8]>),
    /// A list, and the index of the entry; `None` before the first entry.
    List(Option<usize>),
}

/// Returns the path of the value at this line and column. As in `serde_json`, the first line is 1,
/// and columns are counted in bytes. `None` if the byte is outside of all fields and entries. Time
/// and memory are linear in the length of the text.
pub(crate) fn find(json: &[u8], line: usize, column: usize) -> Option<String> {
    let end = offset(json, line, column)?;
    let mut inside: Vec<Inside<'_>> = Vec::new();
    // Number of objects and lists that contain the current byte, but exceed the maximum depth of
    // the path.
    let mut deeper = 0_usize;
    let mut at = 0;
    // In an object, a string is a key if the current field has no key yet.
    while at < end {
        let byte = *json.get(at)?;
        at += 1;
        let innermost = if deeper > 0 { None } else { inside.last_mut() };
        match byte {
            b'{' | b'[' => {
                begin(innermost);
                if inside.len() == DEPTH {
                    deeper += 1;
                    continue;
                }
                inside.push(match byte {
                    b'{' => Inside::Object(None),
                    _ => Inside::List(None),
                });
            }
            b'}' | b']' if deeper > 0 => deeper -= 1,
            b'}' | b']' => _ = inside.pop(),
            b',' => match innermost {
                Some(Inside::Object(key)) => *key = None,
                Some(Inside::List(Some(index))) => *index += 1,
                _ => {}
            },
            b'"' => {
                let length = rest_of_string(json.get(at..)?);
                let string = json.get(at..at + length)?;
                at += length + 1;
                match innermost {
                    Some(Inside::Object(key @ None)) if at <= end => *key = Some(string),
                    innermost => begin(innermost),
                }
            }
            b':' | b' ' | b'\t' | b'\n' | b'\r' => {}
            _ => begin(innermost),
        }
    }
    let mut path = String::new();
    for inside in inside {
        match inside {
            Inside::Object(Some(key)) => {
                let dot = if path.is_empty() { "" } else { "." };
                // A character has at most four bytes.
                let key = String::from_utf8_lossy(key.get(..4 * LENGTH).unwrap_or(key));
                path.push_str(dot);
                path.push_str(&key);
            }
            Inside::List(Some(index)) => path.push_str(&format!("[{index}]")),
            Inside::Object(None) | Inside::List(None) => {}
        }
    }
    if deeper > 0 {
        path.push_str("...");
    }
    Some(printable(&path, LENGTH)).filter(|path| !path.is_empty())
}

/// Handles the start of a value. If the innermost list has no entry yet, the function sets the
/// index of the list to 0.
fn begin(innermost: Option<&mut Inside<'_>>) {
    if let Some(Inside::List(index @ None)) = innermost {
        *index = Some(0);
    }
}

/// Returns the length of the rest of a string, without its closing quote.
fn rest_of_string(json: &[u8]) -> usize {
    let mut escaped = false;
    let end = json.iter().position(|byte| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    });
    end.unwrap_or(json.len())
}

/// Returns the byte offset of a line and a column.
fn offset(json: &[u8], line: usize, column: usize) -> Option<usize> {
    let mut lines = json.split_inclusive(|byte| *byte == b'\n');
    let before: usize = lines.by_ref().take(line.checked_sub(1)?).map(<[u8]>::len).sum();
    Some((before + column).min(json.len()))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Page {
        #[serde(rename = "items")]
        _items: Vec<Item>,
        #[serde(rename = "limit")]
        _limit: u8,
    }

    #[derive(Debug, Deserialize)]
    struct Item {
        #[serde(rename = "name")]
        _name: String,
        #[serde(rename = "of")]
        _of: Option<Box<Item>>,
    }

    fn place(json: &str) -> Option<String> {
        let error = serde_json::from_str::<Page>(json).unwrap_err();
        find(json.as_bytes(), error.line(), error.column())
    }

    #[test]
    fn the_json_path_names_the_invalid_value() {
        for (json, path) in [
            (r#"{"items": [], "limit": "ten"}"#, "limit"),
            (r#"{"items": [], "limit": {"a": 1}}"#, "limit"),
            (r#"{"items": {"a": 1}, "limit": 1}"#, "items"),
            (r#"{"items": 7, "limit": 1}"#, "items"),
            (r#"{"items": [{"name": 5}], "limit": 1}"#, "items[0].name"),
            (r#"{"items": [{"name": "a, \"}]"}, {"name": null}], "limit": 1}"#, "items[1].name"),
            (r#"{"items": [{"name": "a"}, {"x": [1, {"y": 2}], "name": 5}]}"#, "items[1].name"),
            (r#"{"items": [{"name": "a", "of": {"name": []}}]}"#, "items[0].of.name"),
            ("{\"items\": [\n  {\"name\": \"a\"},\n  {\"name\": 5}\n]}", "items[1].name"),
            (r#"{"items": [{"name": "a"}, {"other": 1}], "limit": 1}"#, "items[1]"),
        ] {
            assert_eq!(place(json).as_deref(), Some(path), "{json}");
        }
        for json in ["[]", "7", r#"{"items": []}"#, ""] {
            assert_eq!(place(json), None, "{json}");
        }
    }

    #[test]
    fn json_paths_are_limited_in_depth_and_length() {
        let deep = format!("{}7", "{\"key\":[".repeat(500_000));
        let path = find(deep.as_bytes(), 1, deep.len()).unwrap();
        assert!(path.starts_with("key[0].key[0].key"), "{path}");
        assert!(path.chars().count() <= LENGTH && path.ends_with(['.', '…']), "{path}");
        // Objects and lists that end before the byte are not part of the path.
        let closed = format!("{{\"a\":{}{},\"b\":7", "[".repeat(100), "]".repeat(100));
        assert_eq!(find(closed.as_bytes(), 1, closed.len()).unwrap(), "b");
        let long = format!("{{\"\u{1b}{}\":7", "k".repeat(1_000_000));
        let path = find(long.as_bytes(), 1, long.len()).unwrap();
        assert!(path.starts_with(" kk") && path.chars().count() == LENGTH, "{path}");
    }
}
