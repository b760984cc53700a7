//! Values that convert into an id.

use crate::{
    Album, AlbumId, Artist, ArtistId, AudiobookId, ChapterId, ContextUri, Device, DeviceId,
    Episode, EpisodeId, Id, LibraryUri, LocalFile, ParseIdError, PlayHistory, PlayableItem,
    PlayableUri, Playlist, PlaylistId, PlaylistItem, SavedAlbum, SavedEpisode, SavedShow,
    SavedTrack, Show, ShowId, SimplifiedAlbum, SimplifiedArtist, SimplifiedEpisode,
    SimplifiedPlaylist, SimplifiedShow, SimplifiedTrack, Track, TrackId, Uri, UserId,
};

/// A value that a call accepts as an id. The value can be the id, a string (an id, URI or URL in
/// any known form), an object with the id, or the `Result` of parsing an id. The value can also be
/// an `Option`, but `None` is an error.
///
/// An invalid value is reported when the request is awaited.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be used as a `{I}`",
    label = "expected a `{I}`, a string, or an object that has a `{I}`",
    note = "a string can contain an id, a Spotify URI or a URL"
)]
pub trait IntoId<I> {
    /// Converts the value into the id.
    ///
    /// # Errors
    ///
    /// Fails if the text does not contain an id of the type `I`, or if the object has no id.
    fn into_id(self) -> Result<I, ParseIdError>;
}

/// A value for an optional parameter that takes an id. The value can be an id, a string, a [`Uri`],
/// an object with an id, or an `Option` of an id. For an `Option` of another type, for example
/// `Option<String>`, pass a reference: `&option`. `None` omits the parameter.
///
/// The trait does not accept an `Option<&str>` by value, because `None` would then need a type
/// annotation. Pass a reference to the `Option<&str>`:
///
/// ```
/// # use spot_model::{DeviceId, OptionalId};
/// fn pause(device: impl OptionalId<DeviceId>) -> bool {
///     device.into_optional_id().is_some()
/// }
///
/// let maybe: Option<&str> = Some("spotmockDevice1");
/// assert!(pause(&maybe) && pause("spotmockDevice1"));
/// assert!(!pause(None));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be used as an optional `{I}`",
    label = "expected a `{I}`, a string, an object that has a `{I}`, or an `Option<{I}>`",
    note = "for an `Option` of any other type than `{I}`, pass a reference: `&option`"
)]
pub trait OptionalId<I> {
    /// Converts the value into the id. Returns `Some` with an error if the value is invalid. `None`
    /// omits the parameter.
    fn into_optional_id(self) -> Option<Result<I, ParseIdError>>;
}

impl<I: Id> OptionalId<I> for Option<I> {
    fn into_optional_id(self) -> Option<Result<I, ParseIdError>> {
        self.map(Ok)
    }
}

impl<I: Id, T: Clone + OptionalId<I>> OptionalId<I> for &Option<T> {
    fn into_optional_id(self) -> Option<Result<I, ParseIdError>> {
        self.clone().and_then(OptionalId::into_optional_id)
    }
}

/// Implements [`OptionalId`] for a type that converts into an id.
macro_rules! also_optional {
    ($($id:ty, $value:ty $(, $generic:ident)?;)*) => {$(
        impl$(<$generic: Id>)? OptionalId<$id> for $value {
            fn into_optional_id(self) -> Option<Result<$id, ParseIdError>> {
                Some(self.into_id())
            }
        }
    )*};
}

also_optional! {
    I, I, I;
    I, &I, I;
    I, &str, I;
    I, String, I;
    I, &String, I;
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

/// Implemented because iterating over a `&[&str]` yields `&&str`.
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

/// Implemented so that you can pass the `Result` of parsing an id. If a method accepts ids of
/// several kinds, first parse each string into an id type:
/// `ids.iter().map(|id| id.parse::<TrackId>())`.
impl<I: Id, T: IntoId<I>> IntoId<I> for Result<T, ParseIdError> {
    fn into_id(self) -> Result<I, ParseIdError> {
        self.and_then(IntoId::into_id)
    }
}

/// Implements the conversion from id types into a type such as `LibraryUri`.
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

        also_optional! { $group, $held; $group, &$held; }
    )*)*};
}

into_group! {
    PlayableUri: TrackId, EpisodeId, ChapterId, LocalFile;
    ContextUri: AlbumId, ArtistId, PlaylistId, ShowId, AudiobookId;
    LibraryUri: TrackId, AlbumId, EpisodeId, ShowId, AudiobookId, ArtistId, UserId, PlaylistId;
}

/// Converts objects into their ids, so that `playlist.add(&tracks)` works.
macro_rules! from_object {
    ($($object:ty: $($id:ty),* => |$this:ident| $found:expr;)*) => {$($(
        impl IntoId<$id> for &$object {
            fn into_id(self) -> Result<$id, ParseIdError> {
                let $this = self;
                $found.into_id()
            }
        }

        also_optional! { $id, &$object; }
    )*)*};
}

from_object! {
    Track: TrackId, LibraryUri => |track| track.id;
    Track: PlayableUri => |track| track.uri();
    SimplifiedTrack: TrackId, PlayableUri, LibraryUri => |track| track.id;
    SavedTrack: TrackId, LibraryUri => |saved| saved.track.id;
    SavedTrack: PlayableUri => |saved| saved.track.uri();
    PlayableItem: PlayableUri => |item| item.uri();
    PlaylistItem: PlayableUri => |entry| entry.item.as_ref().and_then(PlayableItem::uri);
    PlayHistory: TrackId, LibraryUri => |played| played.track.id;
    PlayHistory: PlayableUri => |played| played.track.uri();
    Album: AlbumId, ContextUri, LibraryUri => |album| album.id;
    SimplifiedAlbum: AlbumId, ContextUri, LibraryUri => |album| album.id;
    SavedAlbum: AlbumId, ContextUri, LibraryUri => |saved| saved.album.id;
    Artist: ArtistId, ContextUri, LibraryUri => |artist| artist.id;
    SimplifiedArtist: ArtistId, ContextUri, LibraryUri => |artist| artist.id;
    Playlist: PlaylistId, ContextUri, LibraryUri => |playlist| playlist.id;
    SimplifiedPlaylist: PlaylistId, ContextUri, LibraryUri => |playlist| playlist.id;
    Show: ShowId, ContextUri, LibraryUri => |show| show.id;
    SimplifiedShow: ShowId, ContextUri, LibraryUri => |show| show.id;
    SavedShow: ShowId, ContextUri, LibraryUri => |saved| saved.show.id;
    Episode: EpisodeId, PlayableUri, LibraryUri => |episode| episode.id;
    SimplifiedEpisode: EpisodeId, PlayableUri, LibraryUri => |episode| episode.id;
    SavedEpisode: EpisodeId, PlayableUri, LibraryUri => |saved| saved.episode.id;
    Device: DeviceId => |device| device.id.as_ref();
}

/// Converts a URI of any kind into an id of the expected kind.
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

        also_optional! { $id, Uri; $id, &Uri; }
    )*};
}

from_uri! {
    AlbumId, ArtistId, AudiobookId, ChapterId, EpisodeId, PlaylistId, ShowId, TrackId, UserId,
    PlayableUri, ContextUri, LibraryUri
}
