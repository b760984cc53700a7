//! Where in a JSON text a byte stands, as a path: `items[3].track.name`.
//!
//! Decoding a second time through a wrapper that keeps the path would be all the code of all the
//! models once more.

/// What the text is inside of.
#[derive(Debug)]
enum Inside {
    /// An object, in the value of this key.
    Object(Option<String>),
    /// A list, in the entry of this number; none before the first entry begins.
    List(Option<usize>),
}

/// The path of the byte at a line and a column, as `serde_json` counts them: lines from 1, columns as
/// bytes read of the line. `None` if it is in no field and no entry.
pub(crate) fn find(json: &[u8], line: usize, column: usize) -> Option<String> {
    let end = offset(json, line, column)?;
    let mut inside: Vec<Inside> = Vec::new();
    let mut at = 0;
    // A text is a key where an object has none yet.
    while at < end {
        let byte = *json.get(at)?;
        at += 1;
        match byte {
            b'{' | b'[' => {
                begin(&mut inside);
                inside.push(match byte {
                    b'{' => Inside::Object(None),
                    _ => Inside::List(None),
                });
            }
            b'}' | b']' => _ = inside.pop(),
            b',' => {
                if let Some(Inside::Object(key)) = inside.last_mut() {
                    *key = None;
                } else if let Some(Inside::List(Some(index))) = inside.last_mut() {
                    *index += 1;
                }
            }
            b'"' => {
                let text = rest_of_text(json.get(at..)?);
                at += text + 1;
                let is_whole = at <= end;
                match inside.last_mut() {
                    Some(Inside::Object(key @ None)) if is_whole => {
                        let text = json.get(at - text - 1..at - 1)?;
                        *key = Some(String::from_utf8_lossy(text).into_owned());
                    }
                    _ => begin(&mut inside),
                }
            }
            b':' | b' ' | b'\t' | b'\n' | b'\r' => {}
            _ => begin(&mut inside),
        }
    }
    let mut path = String::new();
    for inside in inside {
        match inside {
            Inside::Object(Some(key)) if path.is_empty() => path = key,
            Inside::Object(Some(key)) => path = format!("{path}.{key}"),
            Inside::List(Some(index)) => path = format!("{path}[{index}]"),
            Inside::Object(None) | Inside::List(None) => {}
        }
    }
    Some(path).filter(|path| !path.is_empty())
}

/// A value begins: if it is the first of a list, the list has an entry now.
fn begin(inside: &mut [Inside]) {
    if let Some(Inside::List(index @ None)) = inside.last_mut() {
        *index = Some(0);
    }
}

/// How many bytes of a text come before its closing quote.
fn rest_of_text(json: &[u8]) -> usize {
    let mut escaped = false;
    let end = json.iter().position(|byte| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    });
    end.unwrap_or(json.len())
}

/// How many bytes were read.
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
    fn the_path_leads_to_what_is_wrong() {
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
}
