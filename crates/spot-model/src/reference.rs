//! Parses references to Spotify objects: ids, URIs and URLs, including old forms.

use std::fmt;

/// The kind of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Track,
    Album,
    Artist,
    Playlist,
    Show,
    Episode,
    Audiobook,
    Chapter,
    User,
}

impl Kind {
    /// Returns the kind for a word in a URI or an API path, for example `track` or `tracks`.
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "track" | "tracks" => Self::Track,
            "album" | "albums" => Self::Album,
            "artist" | "artists" => Self::Artist,
            "playlist" | "playlists" => Self::Playlist,
            "show" | "shows" => Self::Show,
            "episode" | "episodes" => Self::Episode,
            "audiobook" | "audiobooks" => Self::Audiobook,
            "chapter" | "chapters" => Self::Chapter,
            "user" | "users" => Self::User,
            _ => return None,
        })
    }

    /// Returns the name of the kind with an article, for messages.
    pub(crate) fn named(self) -> &'static str {
        match self {
            Self::Track => "a track",
            Self::Album => "an album",
            Self::Artist => "an artist",
            Self::Playlist => "a playlist",
            Self::Show => "a show",
            Self::Episode => "an episode",
            Self::Audiobook => "an audiobook",
            Self::Chapter => "a chapter",
            Self::User => "a user",
        }
    }

    /// Whether a reference of the kind `other` can identify an object of this kind. A reference of
    /// the kind `show` can identify an audiobook, and a reference of the kind `episode` can
    /// identify a chapter.
    pub(crate) fn takes(self, other: Self) -> bool {
        self == other
            || self == Self::Audiobook && other == Self::Show
            || self == Self::Chapter && other == Self::Episode
    }
}

/// The target of a reference. The strings are borrowed from the input, without percent-decoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reference<'a> {
    /// Text without a kind: an id or a name.
    Bare(&'a str),
    /// An object of a known kind. The id or name is not decoded, and may be empty.
    Thing(Kind, &'a str),
    /// Any other URI, such as `spotify:local:...` or `spotify:collection`.
    Uri(&'a str),
    /// A page of a user's own collection. Contains the path after `collection`: `/tracks`.
    CollectionPage(&'a str),
    /// A link that redirects to another link.
    ShortLink,
    /// A URL that does not refer to a Spotify object.
    ForeignUrl,
}

impl<'a> Reference<'a> {
    pub(crate) fn parse(text: &'a str) -> Self {
        let text = text.trim();
        // Most texts are plain ids. Every URI and every URL contains a character that is neither a
        // letter nor a digit.
        if text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Self::Bare(text);
        }
        if let Some(rest) = strip_prefix_ignoring_case(text, "spotify:") {
            return uri(text, rest);
        }
        // Fast path for the URLs in the field `href`.
        if let Some(path) = text.strip_prefix("https://api.spotify.com/v1/")
            && !path.contains(['?', '#'])
        {
            return things(path);
        }
        let (scheme, rest) = match without_query(text).split_once("://") {
            Some((scheme, rest)) => (Some(scheme), rest),
            None => (None, without_query(text)),
        };
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let is_host = |hosts: &[&str]| hosts.iter().any(|known| host.eq_ignore_ascii_case(known));
        if is_host(&["open.spotify.com", "play.spotify.com", "www.spotify.com"]) {
            page(path)
        } else if is_host(&["api.spotify.com"]) {
            things(path.strip_prefix("v1/").unwrap_or(path))
        } else if is_host(&["spotify.link", "link.tospotify.com", "spotify.app.link"]) {
            Self::ShortLink
        } else if scheme.is_some() {
            // A mock server or a proxy has another host, but the same paths as the API.
            path.strip_prefix("v1/").map_or(Self::ForeignUrl, things)
        } else {
            Self::Bare(text)
        }
    }
}

/// Parses a URI. `rest` is the part of `whole` after `spotify:`.
fn uri<'a>(whole: &'a str, rest: &'a str) -> Reference<'a> {
    let (word, rest) = rest.split_once(':').unwrap_or((rest, ""));
    match Kind::of(word) {
        // A user name may contain any character, even `?` or `#`. The code therefore does not cut a
        // user name at these characters.
        Some(Kind::User) => match rest.split_once(':') {
            None => Reference::Thing(Kind::User, rest),
            Some((_, owned)) => match owned.split_once(':') {
                Some(("playlist", id)) if !id.contains(':') => {
                    Reference::Thing(Kind::Playlist, without_query(id))
                }
                _ => Reference::Uri(whole),
            },
        },
        Some(kind) if !without_query(rest).contains(':') => {
            Reference::Thing(kind, without_query(rest))
        }
        _ => Reference::Uri(whole),
    }
}

/// Parses the path of a page of the web player.
fn page(path: &str) -> Reference<'_> {
    let mut path = path.trim_matches('/');
    while let Some((first, rest)) = path.split_once('/') {
        if first.starts_with("intl-") || first == "embed" || first == "embed-podcast" {
            path = rest;
        } else if first == "s" {
            return Reference::ShortLink;
        } else {
            break;
        }
    }
    match path.strip_prefix("collection") {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => Reference::CollectionPage(rest),
        _ => things(path),
    }
}

/// Parses paths of the web player (`track/ID`, `user/NAME/playlist/ID`) and of the API
/// (`tracks/ID`).
fn things(path: &str) -> Reference<'_> {
    let mut parts = path.trim_matches('/').split('/');
    let kind = parts.next().and_then(Kind::of);
    let name = parts.next().filter(|name| !name.is_empty());
    match (kind, name, parts.next().and_then(Kind::of), parts.next()) {
        (Some(Kind::User), Some(_), Some(Kind::Playlist), Some(id)) => {
            Reference::Thing(Kind::Playlist, id)
        }
        (Some(kind), Some(name), _, _) => Reference::Thing(kind, name),
        _ => Reference::ForeignUrl,
    }
}

/// Removes the query and the fragment of a URI or URL, because they do not identify the object.
fn without_query(text: &str) -> &str {
    text.split(['?', '#']).next().unwrap_or(text)
}

pub(crate) fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let start = text.get(..prefix.len())?;
    if start.eq_ignore_ascii_case(prefix) { text.get(prefix.len()..) } else { None }
}

/// The error for a text that is not a valid reference to a Spotify object.
///
/// The message contains the text, the expected form, and the problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseIdError {
    given: Box<str>,
    expected: &'static str,
    problem: Problem,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    Empty,
    Kind(Kind),
    Character(char),
    Length(usize),
    ShortLink,
    ForeignUrl,
    OtherUri,
    NoKind,
    NoId,
}

impl ParseIdError {
    pub(crate) fn new(given: &str, expected: &'static str, problem: Problem) -> Self {
        // An escaped control character takes up to six characters, so the limit applies to the
        // escaped text.
        const MOST: usize = 80;
        let mut printed = 0;
        let fits = |char: &char| {
            printed += char.escape_debug().count();
            printed <= MOST
        };
        let mut short: String = given.chars().take_while(fits).collect();
        if short.len() < given.len() {
            short.push('…');
        }
        Self { given: short.into(), expected, problem }
    }

    /// Whether the text is a short link (`https://spotify.link/..`). Resolving a short link
    /// requires a request.
    pub fn is_short_link(&self) -> bool {
        self.problem == Problem::ShortLink
    }

    /// Creates the error for an object without an id.
    pub(crate) fn no_id(expected: &'static str) -> Self {
        Self::new("", expected, Problem::NoId)
    }
}

impl fmt::Display for ParseIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { given, expected, problem } = self;
        match problem {
            Problem::NoId => {
                return write!(
                    f,
                    "expected {expected}, but the object has no id: it is a local file, or \
                     its id was not requested in `fields`"
                );
            }
            Problem::Empty if given.trim().is_empty() => {
                return write!(f, "expected {expected}, but the text is empty");
            }
            _ => write!(f, "{given:?} is not {expected}: ")?,
        }
        match problem {
            Problem::Empty => f.write_str("the id is missing"),
            Problem::Kind(kind) => write!(f, "the text refers to {}", kind.named()),
            Problem::Character(char) => write!(f, "{char:?} is not a base-62 character"),
            Problem::Length(length) => {
                write!(f, "the id has {length} characters; the maximum is 22")
            }
            Problem::ShortLink => f.write_str(
                "a short link contains no id; call `client.resolve_link(..)` to get the URI",
            ),
            Problem::ForeignUrl => f.write_str("the URL does not refer to a Spotify item"),
            Problem::OtherUri => f.write_str("the text is a URI of another kind"),
            Problem::NoKind => f.write_str(
                "the kind of a plain id is unknown; pass a URI (spotify:KIND:ID) or a typed id",
            ),
            Problem::NoId => Ok(()),
        }
    }
}

impl std::error::Error for ParseIdError {}
