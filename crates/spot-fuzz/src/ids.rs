//! Fuzz target for ids, URIs, links, dates and countries.

use std::{
    fmt::{Debug, Display},
    str::FromStr,
};

use spot_model::{
    AlbumId, ArtistId, AudiobookId, CategoryId, ChapterId, ContextUri, Country, DeviceId,
    EpisodeId, LibraryUri, LocalFile, PlayableUri, PlaylistId, ReleaseDate, ShowId, SnapshotId,
    TrackId, Uri, UserId,
};

use crate::check_line;

/// If the input parses, the value is printed. The printed text must parse to the same value.
pub(crate) fn ids(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    check::<AlbumId>(text);
    check::<ArtistId>(text);
    check::<AudiobookId>(text);
    check::<CategoryId>(text);
    check::<ChapterId>(text);
    check::<Country>(text);
    check::<DeviceId>(text);
    check::<EpisodeId>(text);
    check::<LibraryUri>(text);
    check::<LocalFile>(text);
    check::<PlaylistId>(text);
    check::<ReleaseDate>(text);
    check::<ShowId>(text);
    check::<SnapshotId>(text);
    check::<TrackId>(text);
    check::<UserId>(text);
    check_settled::<ContextUri>(text);
    check_settled::<PlayableUri>(text);
    check_settled::<Uri>(text);
}

/// Checks the round trip of a type, and returns the value.
fn check<T>(text: &str) -> Option<T>
where
    T: FromStr<Err: Display> + Display + PartialEq + Debug,
{
    match text.parse::<T>() {
        Ok(value) => {
            let printed = value.to_string();
            assert_eq!(printed.parse().ok().as_ref(), Some(&value), "{printed:?}");
            Some(value)
        }
        Err(error) => {
            check_line(&error.to_string());
            None
        }
    }
}

/// Checks a type that prints an audiobook as a show, and a chapter as an episode. Spotify does the
/// same. The printed text may differ from the input. If the printed text is parsed and printed
/// again, the text must not change.
fn check_settled<T>(text: &str)
where
    T: FromStr<Err: Display> + Display + PartialEq + Debug,
{
    match text.parse::<T>() {
        Ok(value) => {
            let printed = value.to_string();
            let again = check::<T>(&printed).map(|again| again.to_string());
            assert_eq!(again.as_ref(), Some(&printed));
        }
        Err(error) => check_line(&error.to_string()),
    }
}
