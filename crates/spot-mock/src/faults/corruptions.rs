//! Corruptions: responses that have the right content, but an unexpected form.

use serde_json::Value;

/// A deviation of a response from the documented form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "control",
    derive(serde::Deserialize, schemars::JsonSchema),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum Corruption {
    /// Every integer is written as a float: `"total": 2.0`.
    FloatsForIntegers,
    /// Every field with an enum value, such as `album_type`, `repeat_state` or the `type` of a
    /// device, has the value `something_new`. A `type` that gives the kind of an object, such as
    /// `track`, stays unchanged.
    UnknownValues,
    /// Every object has an unknown field, `something_new`.
    UnknownFields,
    /// About every third optional field is missing. Fields that identify an object (such as `id`)
    /// or contain other objects (such as `items`) are never removed.
    MissingFields,
    /// Every object contains its first field twice.
    DuplicateFields,
    /// Every third entry of a page or of a batch is `null`.
    NullEntries,
    /// The JSON body is sent as `text/html`.
    WrongContentType,
}

impl Corruption {
    /// All corruptions.
    pub const ALL: [Self; 7] = [
        Self::FloatsForIntegers,
        Self::UnknownValues,
        Self::UnknownFields,
        Self::MissingFields,
        Self::DuplicateFields,
        Self::NullEntries,
        Self::WrongContentType,
    ];
}

/// Fields with enum values.
const ENUMS: &[&str] = &[
    "album_group",
    "album_type",
    "currently_playing_type",
    "media_type",
    "product",
    "reason",
    "release_date_precision",
    "repeat_state",
];
/// Values of `type` that name the kind of an object.
const KINDS: &[&str] = &[
    "album",
    "artist",
    "audiobook",
    "chapter",
    "collection",
    "episode",
    "playlist",
    "show",
    "track",
    "user",
];
/// Fields that [`Corruption::MissingFields`] never removes.
const NEEDED: &[&str] = &[
    "added_at",
    "album",
    "albums",
    "artists",
    "audiobook",
    "audiobooks",
    "chapter",
    "chapters",
    "categories",
    "device",
    "episode",
    "episodes",
    "error",
    "id",
    "item",
    "items",
    "name",
    "playlists",
    "show",
    "shows",
    "snapshot_id",
    "track",
    "tracks",
    "type",
    "uri",
];
/// [`Corruption::MissingFields`] removes every third optional field, and
/// [`Corruption::NullEntries`] replaces every third entry.
const EVERY: u32 = 3;

/// Corrupts the body of a response. A body that is not JSON stays unchanged.
pub(crate) fn corrupt(body: Vec<u8>, corruption: Corruption) -> Vec<u8> {
    let Ok(value) = serde_json::from_slice::<Value>(&body) else { return body };
    let out = String::with_capacity(body.len());
    let mut writer = Writer { out, corruption, depth: 0, turn: 0 };
    writer.value("", &value);
    writer.out.into_bytes()
}

struct Writer {
    out: String,
    corruption: Corruption,
    /// Number of objects that enclose the next value.
    depth: u32,
    /// Number of fields and entries that the writer has reached and could remove or replace.
    turn: u32,
}

impl Writer {
    /// Writes a value. `key` is the name of the field that contains the value.
    fn value(&mut self, key: &str, value: &Value) {
        match value {
            Value::Object(fields) => self.object(fields),
            Value::Array(entries) => {
                self.out.push('[');
                for (place, entry) in entries.iter().enumerate() {
                    if place > 0 {
                        self.out.push(',');
                    }
                    // Null entries occur only in pages and batches, and not in other lists such as
                    // the artists of a track.
                    let is_result = entry.is_object() && (key == "items" || self.depth == 1);
                    if is_result && self.corruption == Corruption::NullEntries && self.is_struck() {
                        self.out.push_str("null");
                    } else {
                        self.value(key, entry);
                    }
                }
                self.out.push(']');
            }
            Value::Number(number) if self.corruption == Corruption::FloatsForIntegers => {
                self.out.push_str(&number.to_string());
                if !number.is_f64() {
                    self.out.push_str(".0");
                }
            }
            Value::String(text)
                if self.corruption == Corruption::UnknownValues && is_enum(key, text) =>
            {
                self.out.push_str("\"something_new\"");
            }
            other => self.out.push_str(&other.to_string()),
        }
    }

    fn object(&mut self, fields: &serde_json::Map<String, Value>) {
        self.out.push('{');
        self.depth += 1;
        let mut is_first = true;
        for (key, value) in fields {
            let can_go =
                self.corruption == Corruption::MissingFields && !NEEDED.contains(&key.as_str());
            if can_go && self.is_struck() {
                continue;
            }
            if is_first && self.corruption == Corruption::DuplicateFields {
                self.field(key, value, true);
                is_first = false;
            }
            self.field(key, value, is_first);
            is_first = false;
        }
        if self.corruption == Corruption::UnknownFields {
            self.field("something_new", &serde_json::json!({ "since": [2027, null] }), is_first);
        }
        self.depth -= 1;
        self.out.push('}');
    }

    fn field(&mut self, key: &str, value: &Value, is_first: bool) {
        if !is_first {
            self.out.push(',');
        }
        self.out.push_str(&Value::from(key).to_string());
        self.out.push(':');
        // The added field itself is not corrupted.
        if key == "something_new" {
            self.out.push_str(&value.to_string());
        } else {
            self.value(key, value);
        }
    }

    fn is_struck(&mut self) -> bool {
        self.turn += 1;
        self.turn.is_multiple_of(EVERY)
    }
}

fn is_enum(key: &str, text: &str) -> bool {
    ENUMS.contains(&key) || (key == "type" && !KINDS.contains(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corrupted(corruption: Corruption) -> String {
        let body = r#"{"album_type":"single","items":[{"id":"a"},{"id":"b"},{"id":"c"}],"total":3,"type":"album"}"#;
        String::from_utf8(corrupt(body.as_bytes().to_vec(), corruption)).unwrap()
    }

    #[test]
    fn a_corruption_changes_only_the_targeted_parts_of_the_json() {
        assert_eq!(
            corrupted(Corruption::FloatsForIntegers),
            r#"{"album_type":"single","items":[{"id":"a"},{"id":"b"},{"id":"c"}],"total":3.0,"type":"album"}"#
        );
        assert_eq!(
            corrupted(Corruption::UnknownValues),
            r#"{"album_type":"something_new","items":[{"id":"a"},{"id":"b"},{"id":"c"}],"total":3,"type":"album"}"#
        );
        assert_eq!(
            corrupted(Corruption::DuplicateFields),
            r#"{"album_type":"single","album_type":"single","items":[{"id":"a","id":"a"},{"id":"b","id":"b"},{"id":"c","id":"c"}],"total":3,"type":"album"}"#
        );
        assert_eq!(
            corrupted(Corruption::NullEntries),
            r#"{"album_type":"single","items":[{"id":"a"},{"id":"b"},null],"total":3,"type":"album"}"#
        );
        assert!(corrupted(Corruption::UnknownFields).ends_with(
            r#"{"id":"c","something_new":{"since":[2027,null]}}],"total":3,"type":"album","something_new":{"since":[2027,null]}}"#
        ));
    }

    #[test]
    fn corrupting_a_body_that_is_not_json_changes_nothing() {
        assert_eq!(corrupt(b"<html>".to_vec(), Corruption::UnknownFields), b"<html>");
        assert_eq!(corrupt(Vec::new(), Corruption::NullEntries), b"");
    }
}
