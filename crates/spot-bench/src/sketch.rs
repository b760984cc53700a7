//! A lower bound for derived structs that decode a page of saved tracks. They have the fields of
//! the models, but borrow text from the body where possible, and do not parse ids, dates and
//! country lists.
//!
//! The difference to `IgnoredAny` is the cost of distinguishing fields.
#![allow(dead_code, reason = "the fields are there to be read into")]

use std::borrow::Cow;

use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct Saved<'a> {
    href: Option<&'a str>,
    limit: u32,
    next: Option<&'a str>,
    offset: u32,
    previous: Option<&'a str>,
    total: u32,
    #[serde(borrow)]
    items: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    added_at: &'a str,
    #[serde(borrow)]
    track: Track<'a>,
}

#[derive(Deserialize)]
struct Track<'a> {
    #[serde(borrow)]
    album: Album<'a>,
    #[serde(borrow, default)]
    artists: Vec<Artist<'a>>,
    disc_number: u32,
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
    track_number: u32,
    uri: &'a str,
}

#[derive(Deserialize)]
struct ExternalIds<'a> {
    isrc: Option<&'a str>,
}

#[derive(Deserialize)]
struct Album<'a> {
    album_type: &'a str,
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
    uri: &'a str,
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
