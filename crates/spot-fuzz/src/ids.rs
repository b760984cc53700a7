//! Ids, URIs, links, dates and countries.

use std::{fmt::Display, str::FromStr};

use spot_model::{
    AlbumId, ArtistId, AudiobookId, CategoryId, ChapterId, ContextUri, Country, DeviceId,
    EpisodeId, LibraryUri, LocalFile, PlayableUri, PlaylistId, ReleaseDate, ShowId, SnapshotId,
    TrackId, Uri, UserId,
};

use crate::check_line;

/// What a text is parsed to prints as a text that is parsed and printed alike.
pub(crate) fn ids(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    check::<AlbumId>(text);
    check::<ArtistId>(text);
    check::<AudiobookId>(text);
    check::<CategoryId>(text);
    check::<ChapterId>(text);
    check::<ContextUri>(text);
    check::<Country>(text);
    check::<DeviceId>(text);
    check::<EpisodeId>(text);
    check::<LibraryUri>(text);
    check::<LocalFile>(text);
    check::<PlayableUri>(text);
    check::<PlaylistId>(text);
    check::<ReleaseDate>(text);
    check::<ShowId>(text);
    check::<SnapshotId>(text);
    check::<TrackId>(text);
    check::<Uri>(text);
    check::<UserId>(text);
}

fn check<T>(text: &str)
where
    T: FromStr<Err: Display> + Display,
{
    match text.parse::<T>() {
        Ok(value) => {
            // The texts are compared: the URI of an audiobook is that of a show, and is read as one.
            let printed = value.to_string();
            let again = printed.parse::<T>().map(|again| again.to_string());
            assert!(again.is_ok_and(|again| again == printed), "{printed}");
        }
        Err(error) => check_line(&error.to_string()),
    }
}
