//! A value consists of the line `spot1 VERSION KIND`, a line feed, and the payload.

use std::str;

use spot_http::Error;

/// A parsed value. The Lua scripts also parse the first line of a value.
pub(super) struct Content<'a> {
    pub(super) version: u64,
    pub(super) kind: Kind,
    pub(super) payload: &'a [u8],
}

/// The type of a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// JSON.
    Clear,
    /// JSON that the program has encrypted.
    Sealed,
    /// No payload, because the user has signed out.
    Removed,
}

/// Why a value contains no usable record.
pub(super) enum Unreadable {
    /// The value is not a record. The string contains the reason.
    Broken(String),
    /// A newer version of this library has written the value.
    Newer,
    Error(Error),
}

const FORMAT: &str = "1";

impl<'a> Content<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, Unreadable> {
        let broken = |why: &str| Unreadable::Broken(why.to_owned());
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let (line, payload) =
            end.and_then(|end| bytes.split_at_checked(end)).unwrap_or((bytes, &[]));
        let line = str::from_utf8(line).unwrap_or_default();
        let mut words = line.strip_prefix("spot").unwrap_or_default().split(' ');
        let is_number = |text: &&str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        match words.next().filter(is_number) {
            Some(FORMAT) => {}
            Some(_) => return Err(Unreadable::Newer),
            None => return Err(broken("the value does not start with `spot1`")),
        }
        let version = words.next().and_then(|version| version.parse().ok());
        let version = version.ok_or_else(|| broken("the value has no version"))?;
        let kind = words.next().and_then(|name| Kind::ALL.into_iter().find(|k| k.name() == name));
        let kind = kind
            .ok_or_else(|| broken("the kind of the value is not `clear`, `sealed` or `removed`"))?;
        // Skips the line feed.
        let payload = payload.get(1..).ok_or_else(|| broken("the value has no payload"))?;
        Ok(Self { version, kind, payload })
    }

    /// Formats the first line of a value, before the payload.
    pub(super) fn head(version: u64, kind: Kind) -> String {
        format!("spot{FORMAT} {version} {}\n", kind.name())
    }

    /// Returns the JSON of a payload that is not encrypted.
    pub(super) fn text(&self) -> Result<&'a str, Unreadable> {
        str::from_utf8(self.payload)
            .map_err(|_| Unreadable::Broken("the value is not valid UTF-8".to_owned()))
    }
}

impl Kind {
    const ALL: [Self; 3] = [Self::Clear, Self::Sealed, Self::Removed];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Sealed => "sealed",
            Self::Removed => "removed",
        }
    }
}
