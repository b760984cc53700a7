//! Adds the custom catalogue to the catalogue of a mock.

use std::{borrow::Cow, io};

use crate::{
    clock::{Moment, START},
    world::{
        self,
        catalog::Kind,
        custom::{
            self, World,
            music::{Album, AlbumType, Image},
            names::{Names, invalid, own_id},
            spoken::{Audiobook, Show},
        },
        id::Id,
        markets::Availability,
        music::{AlbumDetails, AlbumKind, Released, TrackDetails},
        names::Name,
        rng::Rng,
    },
};

impl World {
    /// Adds music, shows, audiobooks and users.
    pub(crate) fn add_catalogue(&self, world: &mut world::World) -> io::Result<()> {
        if let Some(user) = &self.default_user {
            if world.user(&user.id).is_some_and(|known| known != world.listener()) {
                let reason = format!("another user has the id {}", user.id);
                return Err(invalid("default_user.id", reason));
            }
            world.describe_listener(
                &user.id,
                user.display_name.clone(),
                user.followers,
                user.premium,
            );
        }
        if let Some(categories) = &self.categories {
            let category = |category: &custom::Category| {
                let id = category.id.clone();
                let id = id.unwrap_or_else(|| category.name.to_lowercase().replace(' ', "_"));
                let icon = Rng::new(world.seed, &id).hex(24);
                world::Category { id, name: category.name.clone().into(), icon }
            };
            world.categories = categories.iter().map(category).collect();
        }
        world.genre_seeds.clone_from(&self.genres);
        for (place, artist) in self.artists.iter().enumerate() {
            let at = format!("artists[{place}]");
            let id = next_id::<world::Artist>(world, artist.id.as_ref(), &at)?;
            world.artists.push(world::Artist {
                id,
                name: Name::own(&artist.name),
                genres: artist.genres.iter().map(|genre| Cow::Owned(genre.clone())).collect(),
                popularity: artist.popularity.min(100),
                followers: artist.followers,
                albums: Vec::new(),
                appears_on: Vec::new(),
            });
        }
        let artists = Names::new(world);
        for (place, album) in self.albums.iter().enumerate() {
            add_album(world, &artists, album, &format!("albums[{place}]"))?;
        }
        world.sort_discographies();
        self.relink(world)?;
        for (place, show) in self.shows.iter().enumerate() {
            add_show(world, show, &format!("shows[{place}]"))?;
        }
        for (place, book) in self.audiobooks.iter().enumerate() {
            add_audiobook(world, book, &format!("audiobooks[{place}]"))?;
        }
        for (place, user) in self.users.iter().enumerate() {
            if world.user(&user.id).is_some() {
                let reason = format!("another user has the id {}", user.id);
                return Err(invalid(&format!("users[{place}].id"), reason));
            }
            world.add_user(&user.id, user.display_name.clone(), user.followers, user.premium);
        }
        Ok(())
    }
}

impl World {
    /// Links relinked tracks to their replacements. Runs after all tracks were added.
    fn relink(&self, world: &mut world::World) -> io::Result<()> {
        let mut names = None;
        for (place, album) in self.albums.iter().enumerate() {
            for (number, track) in album.tracks.iter().enumerate() {
                let Some(other) = &track.relinked_to else { continue };
                let names = names.get_or_insert_with(|| Names::<world::Track>::new(world));
                let at = format!("albums[{place}].tracks[{number}]");
                let other = names.expect(world, other, &format!("{at}.relinked_to"))?;
                let this = match &track.id {
                    Some(id) => names.by_id(world, id),
                    None => names.find(world, &track.name),
                };
                if let Some(this) = this {
                    world.tracks[this].relinked = Some(other);
                }
            }
        }
        Ok(())
    }
}

fn add_album(
    world: &mut world::World,
    artists: &Names<world::Artist>,
    album: &Album,
    at: &str,
) -> io::Result<()> {
    let artist = artists.expect(world, &album.artist, &format!("{at}.artist"))?;
    let released = match &album.released {
        Some(text) => Released::parse(text).ok_or_else(|| {
            invalid(
                &format!("{at}.released"),
                format!("{text:?} is not a date; expected YYYY, YYYY-MM or YYYY-MM-DD"),
            )
        })?,
        None => Released::NEW_YEAR,
    };
    let other_artists = artists.all(world, &album.other_artists, &format!("{at}.other_artists"))?;
    let id = next_id::<world::Album>(world, album.id.as_ref(), at)?;
    let available = availability(world, album.markets.as_deref(), album.unavailable, at)?;
    let key = world.albums.push(world::Album {
        id,
        name: Name::own(&album.name),
        kind: match album.kind {
            AlbumType::Album => AlbumKind::Album,
            AlbumType::Single => AlbumKind::Single,
            AlbumType::Compilation => AlbumKind::Compilation,
        },
        artist,
        released,
        first_track: world.tracks.next_key(),
        track_count: count(&album.tracks),
        label: Name::own(&album.label),
        popularity: album.popularity.min(100),
        upc: 900_000_000_000 + u64::from(world.albums.len()),
        available,
    });
    if !other_artists.is_empty() || album.total_tracks.is_some() || album.images.is_some() {
        let image = |image: &Image| {
            let Image { url, width, height } = image.clone();
            world::Image { url, width, height }
        };
        let images = album.images.as_ref().map(|images| images.iter().map(image).collect());
        let details = AlbumDetails { other_artists, total_tracks: album.total_tracks, images };
        world.album_details.insert(key, details);
    }
    for (place, track) in album.tracks.iter().enumerate() {
        let at = format!("{at}.tracks[{place}]");
        let id = next_id::<world::Track>(world, track.id.as_ref(), &at)?;
        let mut all = artists.all(world, &track.artists, &format!("{at}.artists"))?.into_iter();
        let track_artist = all.next().unwrap_or(artist);
        let guest = match &track.guest {
            Some(guest) => Some(artists.expect(world, guest, &format!("{at}.guest"))?),
            None => all.next(),
        };
        let other_artists: Vec<_> = all.collect();
        for guest in [track_artist].into_iter().chain(guest).chain(other_artists.iter().copied()) {
            if guest != artist {
                world.artists[guest].appears_on.push(key);
            }
        }
        let available = availability(world, track.markets.as_deref(), track.unavailable, &at)?;
        let track_key = world.tracks.push(world::Track {
            id,
            name: Name::own(&track.name),
            album: key,
            artist: track_artist,
            guest,
            disc: track.disc,
            number: track.number.unwrap_or(u16::try_from(place + 1).unwrap_or(u16::MAX)),
            duration_ms: track.duration_ms,
            explicit: track.explicit,
            popularity: track.popularity.min(100),
            recording: world.tracks.len(),
            available,
            relinked: None,
        });
        if !other_artists.is_empty() || track.isrc.is_some() {
            let details = TrackDetails { other_artists, isrc: track.isrc.clone() };
            world.track_details.insert(track_key, details);
        }
    }
    world.artists[artist].albums.push(key);
    Ok(())
}

/// Availability for a list of markets.
fn availability(
    world: &mut world::World,
    markets: Option<&[String]>,
    unavailable: bool,
    at: &str,
) -> io::Result<Availability> {
    match markets {
        Some(codes) => world.available_in(codes).map_err(|code| {
            let reason = format!("{code:?} is not a market; expected a code such as \"DE\"");
            invalid(&format!("{at}.markets"), reason)
        }),
        None if unavailable => Ok(Availability::Far),
        None => Ok(Availability::Everywhere),
    }
}

fn add_show(world: &mut world::World, show: &Show, at: &str) -> io::Result<()> {
    let id = next_id::<world::Show>(world, show.id.as_ref(), at)?;
    let key = world.shows.push(world::Show {
        id,
        name: Name::own(&show.name),
        publisher: Name::own(&show.publisher),
        explicit: show.explicit,
        first_episode: world.episodes.next_key(),
        episode_count: count(&show.episodes),
    });
    for (place, episode) in show.episodes.iter().enumerate() {
        let at = format!("{at}.episodes[{place}]");
        let released = match &episode.released {
            Some(date) => Moment::parse(&format!("{date}T00:00:00Z")).ok_or_else(|| {
                invalid(
                    &format!("{at}.released"),
                    format!("{date:?} is not a date; expected YYYY-MM-DD"),
                )
            })?,
            None => START,
        };
        let id = next_id::<world::Episode>(world, episode.id.as_ref(), &at)?;
        world.episodes.push(world::Episode {
            id,
            name: Name::own(&episode.name),
            show: key,
            duration_ms: episode.duration_ms,
            explicit: show.explicit,
            released,
            heard_ms: episode.heard_ms,
        });
    }
    Ok(())
}

fn add_audiobook(world: &mut world::World, book: &Audiobook, at: &str) -> io::Result<()> {
    let id = next_id::<world::Audiobook>(world, book.id.as_ref(), at)?;
    let key = world.audiobooks.push(world::Audiobook {
        id,
        name: Name::own(&book.name),
        author: Name::own(&book.author),
        narrator: Name::own(&book.narrator),
        publisher: Name::own(&book.publisher),
        first_chapter: world.chapters.next_key(),
        chapter_count: count(&book.chapters),
    });
    for (place, chapter) in book.chapters.iter().enumerate() {
        let at = format!("{at}.chapters[{place}]");
        let id = next_id::<world::Chapter>(world, chapter.id.as_ref(), &at)?;
        world.chapters.push(world::Chapter {
            id,
            name: Name::own(&chapter.name),
            audiobook: key,
            number: u32::try_from(place).unwrap_or(u32::MAX),
            duration_ms: chapter.duration_ms,
            heard_ms: chapter.heard_ms,
        });
    }
    Ok(())
}

/// The id of the next entry: the given id, or the next generated id that is free.
fn next_id<T: Kind>(world: &mut world::World, given: Option<&String>, at: &str) -> io::Result<Id> {
    let Some(text) = given else {
        let id = T::next_id(world);
        if T::find(world, &id).is_none() {
            return Ok(id);
        }
        // An earlier entry uses this id as its custom id.
        let mut number = T::arena(world).len();
        loop {
            number += 1;
            let id = Id::numbered(T::NAME, number);
            if world.reserve::<T>(id) {
                return Ok(id);
            }
        }
    };
    let id = own_id(text, at)?;
    if world.reserve::<T>(id) {
        Ok(id)
    } else {
        Err(invalid(&format!("{at}.id"), format!("another {} has the id {text}", T::WORD)))
    }
}

fn count<T>(entries: &[T]) -> u32 {
    u32::try_from(entries.len()).unwrap_or(u32::MAX)
}
