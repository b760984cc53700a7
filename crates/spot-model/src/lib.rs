#![doc = include_str!("../README.md")]
// Shows on docs.rs which feature an item needs.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod country;
mod decode;
mod generated;
mod id;
mod image;
mod in_place;
mod into_id;
mod json_reader;
mod lenient;
mod object;
mod operation;
mod page;
mod page_trail;
mod percent;
mod playable;
mod playable_fields;
mod printable;
mod reference;
mod release_date;
mod renamed_field;
mod shape;
mod string_enum;
mod text;
mod track;
mod uri;
mod uri_group;

pub use country::{Country, CountrySet, ParseCountryError};
pub use decode::{SkipReason, Skipped, from_slice};
pub use generated::*;
pub use id::{
    AlbumId, ArtistId, AudiobookId, CategoryId, ChapterId, DeviceId, EpisodeId, Id, PlaylistId,
    ShowId, SnapshotId, TrackId, UserId,
};
pub use image::Images;
pub use into_id::{IntoId, OptionalId};
pub use operation::{Access, AccessMode, Method, Operation, Paging};
pub use page::{CursorPage, Cursors, Page};
#[doc(hidden)]
pub use page_trail::PageTrail;
pub use playable::{OtherItem, PlayableItem};
pub use printable::printable;
pub use reference::ParseIdError;
pub use release_date::{DatePrecision, ParseReleaseDateError, ReleaseDate};
pub use string_enum::UnknownText;
pub use uri::{LocalFile, OtherUri, Uri};
pub use uri_group::{ContextUri, LibraryUri, PlayableUri};

pub(crate) use string_enum::string_enum;
