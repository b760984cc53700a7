//! The types of the spec, with their Rust types and their JSON forms.

use serde::Deserialize;

/// The ids that are `Copy`, because they have at most 22 base-62 characters.
pub(crate) const COPY_IDS: &[&str] = &[
    "AlbumId",
    "ArtistId",
    "AudiobookId",
    "ChapterId",
    "EpisodeId",
    "PlaylistId",
    "ShowId",
    "TrackId",
];

/// The ids that can be any non-empty string.
pub(crate) const TEXT_IDS: &[&str] = &["CategoryId", "DeviceId", "SnapshotId", "UserId"];

/// The groups of URIs that calls accept as arguments.
pub(crate) const URI_GROUPS: &[&str] = &["ContextUri", "LibraryUri", "PlayableUri"];

/// Other handwritten types of the crates.
const HANDWRITTEN: &[&str] = &[
    "Country",
    "CountrySet",
    "CursorPage",
    "LocalFile",
    "Page",
    "PlayableItem",
    "PlaybackOffset",
    "ReleaseDate",
    "Fields",
    "SearchQuery",
    "Uri",
];

/// Whether the type is handwritten.
pub(crate) fn is_handwritten(name: &str) -> bool {
    [COPY_IDS, TEXT_IDS, URI_GROUPS, HANDWRITTEN].iter().any(|names| names.contains(&name))
}

/// A type of the spec: `String`, `u8?`, `[Image]`, `Page<Track>`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(try_from = "String")]
pub(crate) enum Ty {
    /// No content, for example in the response to a command.
    Unit,
    Text,
    Bool,
    Int(String),
    Float(String),
    /// A duration that the API sends as a number of milliseconds.
    Duration,
    /// A duration that the API sends as a number of seconds, possibly with a fraction.
    Seconds,
    /// A point in time that the API sends in RFC 3339 format.
    Timestamp,
    /// A point in time that the API sends as the number of milliseconds since 1970.
    UnixMillis,
    Date,
    /// A type of the model: an id, an enum, an object.
    Named(String),
    Boxed(Box<Ty>),
    Optional(Box<Ty>),
    List(Box<Ty>),
    Page(Box<Ty>),
    CursorPage(Box<Ty>),
}

impl TryFrom<String> for Ty {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl Ty {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let inside = |text: &str| Self::parse(text).map(Box::new);
        Ok(match text {
            "()" => Self::Unit,
            "String" => Self::Text,
            "bool" => Self::Bool,
            "u8" | "u16" | "u32" | "u64" | "i8" | "i32" | "i64" => Self::Int(text.to_owned()),
            "f32" | "f64" => Self::Float(text.to_owned()),
            "Duration" => Self::Duration,
            "Seconds" => Self::Seconds,
            "DateTime" => Self::Timestamp,
            "UnixMillis" => Self::UnixMillis,
            "ReleaseDate" => Self::Date,
            _ => {
                if let Some(inner) = text.strip_suffix('?') {
                    Self::Optional(inside(inner)?)
                } else if let Some(inner) = text.strip_prefix('[') {
                    let unclosed = || format!("`{text}`: a list must end with `]`");
                    Self::List(inside(inner.strip_suffix(']').ok_or_else(unclosed)?)?)
                } else if let Some(inner) = generic(text, "Page") {
                    Self::Page(inside(inner)?)
                } else if let Some(inner) = generic(text, "CursorPage") {
                    Self::CursorPage(inside(inner)?)
                } else if let Some(inner) = generic(text, "Box") {
                    Self::Boxed(inside(inner)?)
                } else if text.starts_with(|first: char| first.is_ascii_uppercase())
                    && text.chars().all(|char| char.is_ascii_alphanumeric())
                {
                    Self::Named(text.to_owned())
                } else {
                    return Err(format!("`{text}` is not a type of the spec"));
                }
            }
        })
    }

    /// The name of the type in Rust.
    pub(crate) fn rust(&self) -> String {
        match self {
            Self::Unit => "()".to_owned(),
            Self::Text => "String".to_owned(),
            Self::Bool => "bool".to_owned(),
            Self::Int(name) | Self::Float(name) | Self::Named(name) => name.clone(),
            Self::Duration | Self::Seconds => "Duration".to_owned(),
            Self::Timestamp | Self::UnixMillis => "DateTime<Utc>".to_owned(),
            Self::Date => "ReleaseDate".to_owned(),
            Self::Boxed(inner) => format!("Box<{}>", inner.rust()),
            Self::Optional(inner) => format!("Option<{}>", inner.rust()),
            Self::List(inner) => format!("Vec<{}>", inner.rust()),
            Self::Page(inner) => format!("Page<{}>", inner.rust()),
            Self::CursorPage(inner) => format!("CursorPage<{}>", inner.rust()),
        }
    }

    /// Collects the names that a file must import from the root of `spot-model` to use the type.
    pub(crate) fn names(&self, names: &mut Vec<String>) {
        match self {
            Self::Named(name) => names.push(name.clone()),
            Self::Date => names.push("ReleaseDate".to_owned()),
            Self::Boxed(inner) | Self::Optional(inner) | Self::List(inner) => inner.names(names),
            Self::Page(inner) => {
                names.push("Page".to_owned());
                inner.names(names);
            }
            Self::CursorPage(inner) => {
                names.push("CursorPage".to_owned());
                inner.names(names);
            }
            _ => {}
        }
    }

    /// Whether the type has this name, or contains a type with this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        let mut names = Vec::new();
        self.names(&mut names);
        names.iter().any(|other| other == name)
    }

    pub(crate) fn is_optional(&self) -> bool {
        matches!(self, Self::Optional(_))
    }

    /// The name of the id, if the type is an id or an optional id.
    pub(crate) fn id(&self) -> Option<&str> {
        match self {
            Self::Named(name) if COPY_IDS.contains(&name.as_str()) => Some(name),
            Self::Named(name) if TEXT_IDS.contains(&name.as_str()) => Some(name),
            Self::Optional(inner) => inner.id(),
            _ => None,
        }
    }

    pub(crate) fn is_copy_id(&self) -> bool {
        self.id().is_some_and(|name| COPY_IDS.contains(&name))
    }

    /// The argument of `As<..>` that decodes a field of the type. The field may be null. Returns
    /// `None` if serde decodes the type correctly without an adapter.
    pub(crate) fn reader(&self) -> Option<String> {
        match self {
            Self::Optional(inner) => match &**inner {
                id if id.id().is_some() => Some("LenientId".to_owned()),
                // An invalid string in a field must not cause a decoding error for the whole
                // object.
                Self::Named(name) if ["Country", "Uri"].contains(&name.as_str()) => {
                    Some("LenientId".to_owned())
                }
                Self::Date => Some("Date".to_owned()),
                Self::Boxed(inner) if inner.rust() == "LocalFile" => Some("LocalOnly".to_owned()),
                inner => inner.element().map(|element| format!("Option<{element}>")),
            },
            Self::List(_) => self.element(),
            Self::Unit => None,
            _ => Some(match self.element() {
                Some(element) => format!("DefaultOnNull<{element}>"),
                None => "DefaultOnNull".to_owned(),
            }),
        }
    }

    /// The adapter that reads and writes a non-null value of the type. Returns `None` if the serde
    /// implementation of the type needs no adapter.
    pub(crate) fn element(&self) -> Option<String> {
        match self {
            // Spotify may send an integer as a float, so integers need an adapter.
            Self::Int(_) => Some("Int".to_owned()),
            Self::Duration => Some("Millis".to_owned()),
            Self::Seconds => Some("Secs".to_owned()),
            Self::Timestamp => Some("Timestamp".to_owned()),
            Self::UnixMillis => Some("UnixMillis".to_owned()),
            Self::List(inner) => Some(match &**inner {
                Self::Optional(inner) => {
                    let element = inner.element().unwrap_or_else(|| "Same".to_owned());
                    format!("DefaultOnNull<Vec<Option<{element}>>>")
                }
                inner => {
                    let element = inner.element().unwrap_or_else(|| "Same".to_owned());
                    let usual = match inner {
                        Self::Named(name) if name == "SimplifiedArtist" => ", 1",
                        Self::Named(name) if name == "Copyright" => ", 2",
                        Self::Named(name) if name == "Image" => ", 3",
                        _ => "",
                    };
                    format!("NonNull<{element}{usual}>")
                }
            }),
            _ => None,
        }
    }
}

fn generic<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.strip_prefix(name)?.strip_prefix('<')?.strip_suffix('>')
}
