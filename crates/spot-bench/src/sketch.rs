//! Simple structs with which the benchmarks compare the models. In the results, `sketch` means
//! these structs. The structs have the fields of the models, and derive `Deserialize`. The structs
//! borrow strings from the body if possible, and do not parse ids, dates and country lists.
//!
#![allow(dead_code, reason = "the fields are decoded, but never read")]

use std::borrow::Cow;

use serde::Deserialize;

pub(crate) type Saved<'a> = Page<'a, SavedTrack<'a>>;
pub(crate) type PlaylistItems<'a> = Page<'a, PlaylistItem<'a>>;
pub(crate) type OldPlaylistItems<'a> = Page<'a, OldPlaylistItem<'a>>;

#[derive(Deserialize)]
pub(crate) struct Page<'a, T> {
    href: Option<&'a str>,
    limit: u32,
    next: Option<&'a str>,
    offset: u32,
    previous: Option<&'a str>,
    total: u32,
    items: Vec<T>,
}

#[derive(Deserialize)]
pub(crate) struct SavedTrack<'a> {
    added_at: &'a str,
    #[serde(borrow)]
    track: Track<'a>,
}

#[derive(Deserialize)]
pub(crate) struct PlaylistItem<'a> {
    added_at: Option<&'a str>,
    #[serde(borrow)]
    added_by: Option<User<'a>>,
    is_local: bool,
    #[serde(borrow)]
    item: Option<Track<'a>>,
    primary_color: Option<&'a str>,
}

/// An entry of a playlist in the old format, in which the field `track` contains the item.
#[derive(Deserialize)]
pub(crate) struct OldPlaylistItem<'a> {
    added_at: Option<&'a str>,
    #[serde(borrow)]
    added_by: Option<User<'a>>,
    is_local: bool,
    #[serde(borrow)]
    track: Option<Track<'a>>,
    primary_color: Option<&'a str>,
}

#[derive(Deserialize)]
pub(crate) struct Found<'a> {
    #[serde(borrow)]
    tracks: Option<Page<'a, Track<'a>>>,
}

#[derive(Deserialize)]
pub(crate) struct FullAlbum<'a> {
    album_type: Option<&'a str>,
    #[serde(borrow, default)]
    artists: Vec<Artist<'a>>,
    #[serde(borrow)]
    copyrights: Option<Vec<Copyright<'a>>>,
    #[serde(borrow)]
    external_ids: Option<ExternalIds<'a>>,
    #[serde(borrow)]
    genres: Option<Vec<Cow<'a, str>>>,
    href: Option<&'a str>,
    id: Option<&'a str>,
    #[serde(borrow)]
    images: Vec<Image<'a>>,
    is_playable: Option<bool>,
    #[serde(borrow)]
    label: Option<Cow<'a, str>>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    popularity: Option<u32>,
    release_date: Option<&'a str>,
    release_date_precision: Option<&'a str>,
    total_tracks: Option<u32>,
    #[serde(borrow)]
    tracks: Page<'a, AlbumTrack<'a>>,
    uri: Option<&'a str>,
}

#[derive(Deserialize)]
struct AlbumTrack<'a> {
    #[serde(borrow, default)]
    artists: Vec<Artist<'a>>,
    disc_number: u32,
    duration_ms: u32,
    explicit: bool,
    href: Option<&'a str>,
    id: Option<&'a str>,
    #[serde(default)]
    is_local: bool,
    is_playable: Option<bool>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    preview_url: Option<&'a str>,
    track_number: u32,
    uri: &'a str,
}

#[derive(Deserialize)]
struct Track<'a> {
    #[serde(borrow)]
    album: Option<Album<'a>>,
    #[serde(borrow, default)]
    artists: Vec<Artist<'a>>,
    disc_number: Option<u32>,
    duration_ms: u32,
    explicit: bool,
    #[serde(borrow)]
    external_ids: Option<ExternalIds<'a>>,
    href: Option<&'a str>,
    id: Option<&'a str>,
    #[serde(default)]
    is_local: bool,
    is_playable: Option<bool>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    popularity: Option<u32>,
    preview_url: Option<&'a str>,
    track_number: Option<u32>,
    uri: &'a str,
}

#[derive(Deserialize)]
struct ExternalIds<'a> {
    isrc: Option<&'a str>,
}

#[derive(Deserialize)]
struct Copyright<'a> {
    #[serde(borrow)]
    text: Cow<'a, str>,
    r#type: Option<&'a str>,
}

#[derive(Deserialize)]
struct User<'a> {
    #[serde(borrow)]
    display_name: Option<Cow<'a, str>>,
    href: Option<&'a str>,
    id: Option<&'a str>,
    uri: Option<&'a str>,
}

#[derive(Deserialize)]
struct Album<'a> {
    album_type: Option<&'a str>,
    #[serde(borrow, default)]
    artists: Vec<Artist<'a>>,
    href: Option<&'a str>,
    id: Option<&'a str>,
    #[serde(borrow)]
    images: Vec<Image<'a>>,
    is_playable: Option<bool>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    release_date: Option<&'a str>,
    release_date_precision: Option<&'a str>,
    total_tracks: Option<u32>,
    uri: Option<&'a str>,
}

#[derive(Deserialize)]
struct Artist<'a> {
    href: Option<&'a str>,
    id: Option<&'a str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    uri: Option<&'a str>,
}

#[derive(Deserialize)]
struct Image<'a> {
    height: Option<u32>,
    url: &'a str,
    width: Option<u32>,
}
