//! What calls accept where they need an id.

use crate::{
    AlbumId, ArtistId, AudiobookId, ChapterId, ContextUri, EpisodeId, Id, LibraryUri, LocalFile,
    ParseIdError, PlayableUri, PlaylistId, ShowId, TrackId, Uri, UserId,
};

/// Something that can be given where an id is needed: the id, text in any of its forms, or the
/// `Option` that an object's `id` field is.
///
/// What is wrong is reported by the call, when it is awaited.
pub trait IntoId<I> {
    /// The id, or what is wrong with what was given.
    ///
    /// # Errors
    ///
    /// Text that names no such thing; an object without an id.
    fn into_id(self) -> Result<I, ParseIdError>;
}

impl<I: Id> IntoId<I> for I {
    fn into_id(self) -> Result<I, ParseIdError> {
        Ok(self)
    }
}

impl<I: Id> IntoId<I> for &I {
    fn into_id(self) -> Result<I, ParseIdError> {
        Ok(self.clone())
    }
}

impl<I: Id> IntoId<I> for &str {
    fn into_id(self) -> Result<I, ParseIdError> {
        self.parse()
    }
}

/// Lists of text are often lists of references to it.
impl<I: Id> IntoId<I> for &&str {
    fn into_id(self) -> Result<I, ParseIdError> {
        self.parse()
    }
}

impl<I: Id> IntoId<I> for String {
    fn into_id(self) -> Result<I, ParseIdError> {
        self.parse()
    }
}

impl<I: Id> IntoId<I> for &String {
    fn into_id(self) -> Result<I, ParseIdError> {
        self.parse()
    }
}

impl<I: Id, T: IntoId<I>> IntoId<I> for Option<T> {
    fn into_id(self) -> Result<I, ParseIdError> {
        self.map_or_else(|| Err(ParseIdError::no_id(I::EXPECTED)), IntoId::into_id)
    }
}

impl<'a, I: Id, T> IntoId<I> for &'a Option<T>
where
    &'a T: IntoId<I>,
{
    fn into_id(self) -> Result<I, ParseIdError> {
        self.as_ref().into_id()
    }
}

/// Groups are made from the ids they hold.
macro_rules! into_group {
    ($($group:ty: $($held:ty),*;)*) => {$($(
        impl IntoId<$group> for $held {
            fn into_id(self) -> Result<$group, ParseIdError> {
                Ok(self.into())
            }
        }

        impl IntoId<$group> for &$held {
            fn into_id(self) -> Result<$group, ParseIdError> {
                Ok(self.clone().into())
            }
        }
    )*)*};
}

into_group! {
    PlayableUri: TrackId, EpisodeId, ChapterId, LocalFile;
    ContextUri: AlbumId, ArtistId, PlaylistId, ShowId, AudiobookId;
    LibraryUri: TrackId, AlbumId, EpisodeId, ShowId, AudiobookId, ArtistId, UserId, PlaylistId;
}

/// A URI of any kind goes where one of its kind is needed.
macro_rules! from_uri {
    ($($id:ty),*) => {$(
        impl IntoId<$id> for Uri {
            fn into_id(self) -> Result<$id, ParseIdError> {
                self.try_into()
            }
        }

        impl IntoId<$id> for &Uri {
            fn into_id(self) -> Result<$id, ParseIdError> {
                self.try_into()
            }
        }
    )*};
}

from_uri! {
    AlbumId, ArtistId, AudiobookId, ChapterId, EpisodeId, PlaylistId, ShowId, TrackId, UserId,
    PlayableUri, ContextUri, LibraryUri
}
