//! Custom test data from the backup of a real library.

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    io,
    path::Path,
};

use serde::Deserialize;

use crate::{
    clock::Moment,
    world::{
        custom::{
            World,
            music::{Album, AlbumType, Artist, Image, Track},
            read_text,
            saved::Saved,
        },
        id::Id,
        markets::MARKETS,
        music::Released,
    },
};

/// A line of a backup, which is an entry of `GET /me/tracks`. Fields that are not listed here are
/// ignored.
#[derive(Deserialize)]
struct Line {
    added_at: Option<String>,
    track: TrackLine,
}

#[derive(Deserialize)]
struct TrackLine {
    id: String,
    name: String,
    artists: Vec<ArtistLine>,
    album: AlbumLine,
    duration_ms: u32,
    #[serde(default)]
    explicit: bool,
    disc_number: Option<u8>,
    track_number: Option<u16>,
    popularity: Option<u8>,
    available_markets: Option<Vec<String>>,
    is_playable: Option<bool>,
    linked_from: Option<LinkLine>,
    external_ids: Option<CodesLine>,
}

#[derive(Deserialize)]
struct AlbumLine {
    id: Option<String>,
    name: String,
    album_type: Option<String>,
    #[serde(default)]
    artists: Vec<ArtistLine>,
    release_date: Option<String>,
    total_tracks: Option<u32>,
    available_markets: Option<Vec<String>>,
    is_playable: Option<bool>,
    images: Option<Vec<ImageLine>>,
}

#[derive(Deserialize)]
struct ArtistLine {
    id: Option<String>,
    name: String,
}

#[derive(Deserialize)]
struct ImageLine {
    url: String,
    width: Option<u32>,
    height: Option<u32>,
}

#[derive(Deserialize)]
struct LinkLine {
    id: String,
}

#[derive(Deserialize)]
struct CodesLine {
    isrc: Option<String>,
}

impl World {
    /// Reads a library from a backup. Each line is a saved track in the JSON format of
    /// `GET /me/tracks`. The most recently saved track comes first. The example `library_backup` of
    /// `spot-sdk` writes such a file.
    ///
    /// The returned `World` contains the saved tracks with their ids, dates, artists and albums,
    /// but no other music. The `total_tracks` of an album is its real number of tracks, but only
    /// the tracks in the backup are listed. Market codes that Spotify no longer supports are
    /// ignored. If several lines contain the same track, only the first of these lines is used.
    ///
    /// # Errors
    ///
    /// Fails with `InvalidData` if a line is not JSON, or if a field is missing or invalid. The
    /// message contains the line and the path of the field.
    pub fn from_backup(text: &str) -> io::Result<Self> {
        let mut backup = Backup::default();
        for (place, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let added = read(line).and_then(|line| backup.add(line));
            added.map_err(|reason| {
                let message = format!("line {}: {reason}", place + 1);
                io::Error::new(io::ErrorKind::InvalidData, message)
            })?;
        }
        Ok(backup.into_world())
    }

    /// Reads a library from a backup file. The docs of [`from_backup`](Self::from_backup) describe
    /// the file format.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read, or if [`from_backup`](Self::from_backup) fails. The
    /// message contains the name of the file.
    pub fn read_backup(file: impl AsRef<Path>) -> io::Result<Self> {
        read_text(file.as_ref(), Self::from_backup)
    }
}

fn read(line: &str) -> Result<Line, String> {
    let line = serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(line));
    line.map_err(|error| {
        let (path, error) = (error.path().to_string(), error.into_inner());
        let text = error.to_string();
        // Each line is parsed separately, so the line number in the error message is always 1.
        let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
        // If a line ends too early, the path ends with `?` instead of the name of an element.
        let path = path.trim_end_matches('?').trim_end_matches('.');
        let colon = if path.is_empty() { "" } else { ": " };
        format!("{path}{colon}{text} at column {}", error.column())
    })
}

/// Contents of the lines read so far.
#[derive(Default)]
struct Backup {
    artists: Vec<Artist>,
    albums: Vec<Album>,
    saved: Vec<Saved>,
    /// Indexes into `albums`, by id or name.
    places: HashMap<String, usize>,
    artist_ids: HashSet<String>,
    track_ids: HashSet<String>,
    saved_ids: HashSet<String>,
}

impl Backup {
    fn add(&mut self, Line { added_at, track }: Line) -> Result<(), String> {
        if let Some(text) = added_at.as_ref().filter(|text| Moment::parse(text).is_none()) {
            return Err(format!(
                "added_at: {text:?} is not a time; expected a time such as 2024-05-03T10:00:00Z"
            ));
        }
        check_id(&track.id, "track.id")?;
        let asked = track.linked_from.as_ref().map_or(&track.id, |link| &link.id).clone();
        check_id(&asked, "track.linked_from.id")?;
        if !self.saved_ids.insert(asked.clone()) {
            return Ok(());
        }
        let artists = self.artists(track.artists, "track.artists")?;
        let album = self.album(track.album, &artists)?;
        let played = Track {
            id: Some(track.id.clone()),
            artists,
            disc: track.disc_number.unwrap_or(1),
            number: track.track_number,
            explicit: track.explicit,
            popularity: track.popularity.unwrap_or(0),
            unavailable: track.is_playable == Some(false),
            markets: track.available_markets.map(known_markets),
            isrc: track.external_ids.and_then(|codes| codes.isrc),
            ..Track::new(track.name).duration_ms(track.duration_ms)
        };
        let original = (asked != track.id)
            .then(|| Track { relinked_to: Some(track.id.clone()), ..played.clone() }.id(&asked));
        self.saved.push(match added_at {
            Some(time) => Saved::at(asked, time),
            None => asked.into(),
        });
        for track in [Some(played), original].into_iter().flatten() {
            let is_new = track.id.as_ref().is_some_and(|id| self.track_ids.insert(id.clone()));
            if let Some(album) = self.albums.get_mut(album).filter(|_| is_new) {
                album.tracks.push(track);
            }
        }
        Ok(())
    }

    /// Returns the index of an album, and adds the album if it is new.
    fn album(&mut self, album: AlbumLine, track_artists: &[String]) -> Result<usize, String> {
        let artists = self.artists(album.artists, "track.album.artists")?;
        let artists = if artists.is_empty() { track_artists } else { &artists };
        let [artist, others @ ..] = artists else {
            return Err("track.artists: must have at least one artist".to_owned());
        };
        if let Some(id) = &album.id {
            check_id(id, "track.album.id")?;
        }
        if let Some(date) = album.release_date.as_ref().filter(|it| Released::parse(it).is_none()) {
            let rule = "expected YYYY, YYYY-MM or YYYY-MM-DD";
            return Err(format!("track.album.release_date: {date:?} is not a date; {rule}"));
        }
        let name = || format!("{} by {artist}", album.name);
        let place = match self.places.entry(album.id.clone().unwrap_or_else(name)) {
            Entry::Occupied(known) => return Ok(*known.get()),
            Entry::Vacant(new) => *new.insert(self.albums.len()),
        };
        let image = |image: ImageLine| {
            let ImageLine { url, width, height } = image;
            Image { url, width, height }
        };
        self.albums.push(Album {
            id: album.id,
            other_artists: others.to_vec(),
            kind: match album.album_type.map(|kind| kind.to_lowercase()).as_deref() {
                Some("single" | "ep") => AlbumType::Single,
                Some("compilation") => AlbumType::Compilation,
                _ => AlbumType::Album,
            },
            released: album.release_date,
            unavailable: album.is_playable == Some(false),
            markets: album.available_markets.map(known_markets),
            total_tracks: album.total_tracks,
            images: album.images.map(|images| images.into_iter().map(image).collect()),
            ..Album::new(album.name, artist)
        });
        Ok(place)
    }

    /// Returns the ids or names of artists, and adds the artists that are new.
    fn artists(&mut self, artists: Vec<ArtistLine>, at: &str) -> Result<Vec<String>, String> {
        let mut names = Vec::with_capacity(artists.len());
        for (place, ArtistLine { id, name }) in artists.into_iter().enumerate() {
            if let Some(id) = &id {
                check_id(id, &format!("{at}[{place}].id"))?;
            }
            let reference = id.clone().unwrap_or_else(|| name.clone());
            if self.artist_ids.insert(reference.clone()) {
                self.artists.push(Artist { id, ..Artist::new(name) });
            }
            names.push(reference);
        }
        Ok(names)
    }

    fn into_world(mut self) -> World {
        for album in &mut self.albums {
            album.tracks.sort_by_key(|track| (track.disc, track.number));
        }
        World {
            artists: self.artists,
            albums: self.albums,
            saved_tracks: Some(self.saved),
            ..World::empty()
        }
    }
}

fn check_id(id: &str, at: &str) -> Result<(), String> {
    let wrong =
        || format!("{at}: {id:?} is not an id; expected 22 characters, each a letter or a digit");
    Id::parse(id).map(|_| ()).ok_or_else(wrong)
}

fn known_markets(mut codes: Vec<String>) -> Vec<String> {
    codes.retain(|code| MARKETS.contains(&code.as_str()));
    codes
}
