//! Tests the published rspotify against spot-mock. The environment variables contain the URLs of
//! the mock. `cargo xtask peers` builds and runs this program.
// Spotify removed operations in February 2026, and rspotify still has their methods.
#![expect(deprecated, reason = "the mock must refuse operations that Spotify removed")]

use std::{env, error::Error, fmt::Debug};

use rspotify::{
    AuthCodePkceSpotify, AuthCodeSpotify, ClientCredsSpotify, ClientError, ClientResult, Config,
    Credentials, OAuth,
    http::HttpError,
    model::{
        AlbumId, AlbumType, ArtistId, FullTrack, Id as _, LibraryId, Market, PlayContextId,
        PlayableId, PlayableItem, PlaylistId, RepeatState, SearchResult, SearchType, TrackId,
        UserId,
    },
    prelude::*,
    scopes,
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const ALBUM: &str = "spotmockAlbum000000001";
const ARTIST: &str = "spotmockArtist00000001";
const TRACK: &str = "spotmockTrack000000001";
const REDIRECT: &str = "http://127.0.0.1:8888/callback";

/// The number of calls and checks.
#[derive(Default)]
struct Story {
    calls: u32,
    checks: u32,
}

impl Story {
    /// Waits for a call, counts the call, and returns its result.
    async fn call<T>(
        &mut self,
        what: &str,
        call: impl Future<Output = ClientResult<T>>,
    ) -> Result<T> {
        self.calls += 1;
        call.await.map_err(|error| format!("{what}: {error:?}").into())
    }

    /// Returns an error if `found` differs from `wanted`.
    fn same<T: PartialEq + Debug>(&mut self, what: &str, found: T, wanted: T) -> Result<()> {
        self.checks += 1;
        if found == wanted {
            return Ok(());
        }
        Err(format!("{what}: {found:?}, not {wanted:?}").into())
    }

    /// Returns an error if the response does not have this status.
    async fn refused<T>(
        &mut self,
        what: &str,
        status: u16,
        call: impl Future<Output = ClientResult<T>>,
    ) -> Result<()> {
        self.calls += 1;
        let found = match call.await {
            Ok(_) => 200,
            Err(ClientError::Http(error)) => match *error {
                HttpError::StatusCode(answer) => answer.status().as_u16(),
                HttpError::Client(error) => return Err(error.into()),
            },
            Err(error) => return Err(error.into()),
        };
        self.same(what, found, status)
    }
}

fn set(name: &str) -> Result<String> {
    env::var(name).map_err(|error| format!("{name}: {error}").into())
}

/// Requests the consent page, and returns the URL of the redirect.
async fn browse(url: &str) -> Result<String> {
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
    let answer = browser.get(url).send().await?;
    let location =
        answer.headers().get("location").ok_or("the response has no header `location`")?;
    Ok(location.to_str()?.to_owned())
}

fn track() -> Result<TrackId<'static>> {
    Ok(TrackId::from_id(TRACK)?)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let extended = set("SPOT_MOCK_MODE")? == "extended";
    let config = Config {
        api_base_url: set("SPOT_MOCK_API")?,
        auth_base_url: set("SPOT_MOCK_ACCOUNTS")?,
        ..Config::default()
    };
    let credentials =
        Credentials::new(&set("SPOT_MOCK_CLIENT_ID")?, &set("SPOT_MOCK_CLIENT_SECRET")?);
    let mut story = Story::default();
    let app = ClientCredsSpotify::with_config(credentials.clone(), config.clone());
    catalogue(&mut story, &app, extended).await?;

    let oauth = OAuth {
        redirect_uri: REDIRECT.to_owned(),
        scopes: scopes!(
            "user-library-read",
            "user-library-modify",
            "playlist-read-private",
            "playlist-modify-private",
            "playlist-modify-public",
            "user-read-playback-state",
            "user-modify-playback-state",
            "user-read-currently-playing",
            "user-read-private",
            "user-follow-read",
            "user-top-read",
            "user-read-recently-played",
            "user-read-playback-position"
        ),
        ..OAuth::default()
    };
    let mut pkce = AuthCodePkceSpotify::with_config(
        Credentials::new_pkce(&credentials.id),
        oauth.clone(),
        config.clone(),
    );
    let back = browse(&pkce.get_authorize_url(None)?).await?;
    let code = pkce.parse_response_code(&back).ok_or("the redirect contains a different state")?;
    story.call("a token by PKCE", pkce.request_token(&code)).await?;
    let me = story.call("the user by PKCE", pkce.me()).await?;
    story.same("the user by PKCE", me.id.id(), "mockuser")?;

    let user = AuthCodeSpotify::with_config(credentials, oauth, config);
    let back = browse(&user.get_authorize_url(false)?).await?;
    let code = user.parse_response_code(&back).ok_or("the redirect contains a different state")?;
    story.call("a token by code", user.request_token(&code)).await?;
    story.call("a refreshed token", user.refresh_token()).await?;
    library(&mut story, &user, extended).await?;
    playlists(&mut story, &user).await?;
    player(&mut story, &user).await?;
    removed_operations(&mut story, &user, extended).await?;
    if story.calls < 30 {
        return Err(format!("only {} calls", story.calls).into());
    }
    println!("{} checks passed in {} calls", story.checks, story.calls);
    Ok(())
}

async fn catalogue(story: &mut Story, app: &ClientCredsSpotify, extended: bool) -> Result<()> {
    story.call("a token for the application", app.request_token()).await?;
    let (artist, album) = (ArtistId::from_id(ARTIST)?, AlbumId::from_id(ALBUM)?);
    let found = story.call("an artist", app.artist(artist.as_ref())).await?;
    story.same("an artist", found.id.id(), ARTIST)?;
    let name = found.name;
    if extended {
        // rspotify requires the field `genres` of an album, which is missing in Development Mode.
        let found = story.call("an album", app.album(album.as_ref(), None)).await?;
        story.same("the tracks of an album", found.tracks.total, 26)?;
    }
    let page = app.album_track_manual(album.as_ref(), None, Some(20), Some(20));
    let page = story.call("the tracks of an album", page).await?;
    story.same("the second page of tracks", page.items.len(), 6)?;
    let found = story
        .call(
            "a track",
            app.track(track()?, Some(Market::Country(rspotify::model::Country::UnitedKingdom))),
        )
        .await?;
    story.same("the album of the track", found.album.id, Some(album))?;
    let groups = [AlbumType::Album, AlbumType::Single];
    let page = app.artist_albums_manual(artist.as_ref(), groups, None, Some(10), None);
    let page = story.call("the albums of an artist", page).await?;
    story.same("the albums of an artist", page.items.len(), 10)?;
    let query = format!("artist:{name}");
    let found = app.search(&query, SearchType::Artist, None, None, Some(5), None);
    let SearchResult::Artists(found) = story.call("a search", found).await? else {
        return Err("the search for artists returned objects of another type".into());
    };
    let first = found.items.first().map(|artist| artist.id.clone());
    story.same("the first search result", first, Some(artist))?;
    let unknown = AlbumId::from_id("0000000000000000000000")?;
    story.refused("an unknown album", 404, app.album(unknown, None)).await
}

async fn library(story: &mut Story, user: &AuthCodeSpotify, extended: bool) -> Result<()> {
    let page = user.current_user_saved_tracks_manual(None, Some(50), Some(2_300));
    let page = story.call("saved tracks", page).await?;
    story.same("the last page of saved tracks", (page.items.len(), page.total), (45, 2_345))?;
    if extended {
        // rspotify requires the field `genres` of an album and the field `publisher` of a show.
        let page = user.current_user_saved_albums_manual(None, Some(20), None);
        let page = story.call("saved albums", page).await?;
        story.same("saved albums", page.total, 130)?;
        let page = story.call("saved shows", user.get_saved_show_manual(Some(5), None)).await?;
        story.same("saved shows", page.total, 14)?;
    }
    let page = user.current_user_followed_artists(None, Some(50));
    let page = story.call("followed artists", page).await?;
    story.same("followed artists", (page.items.len(), page.total), (50, Some(66)))?;
    let page = user.current_user_top_artists_manual(None, Some(10), None);
    let page = story.call("top artists", page).await?;
    story.same("top artists", page.items.len(), 10)?;
    let page = user.current_user_top_tracks_manual(None, Some(10), None);
    let page = story.call("top tracks", page).await?;
    story.same("top tracks", page.items.len(), 10)?;
    let page = story.call("recent plays", user.current_user_recently_played(Some(7), None)).await?;
    story.same("recent plays", page.items.len(), 7)?;
    let id = || Ok::<_, Box<dyn Error>>([LibraryId::Track(track()?)]);
    story.call("saving a track", user.library_add(id()?)).await?;
    let saved = story.call("a saved track", user.library_contains(id()?)).await?;
    story.same("a saved track", saved, vec![true])?;
    story.call("removing a track", user.library_remove(id()?)).await?;
    let saved = story.call("a removed track", user.library_contains(id()?)).await?;
    story.same("a removed track", saved, vec![false])
}

async fn playlists(story: &mut Story, user: &AuthCodeSpotify) -> Result<()> {
    let page = user.current_user_playlists_manual(Some(10), None);
    let page = story.call("playlists", page).await?;
    story.same("playlists", page.items.len(), 10)?;
    let me = UserId::from_id("mockuser")?;
    let list = user.user_playlist_create(me, "Story", Some(false), None, Some("told"));
    let list = story.call("a new playlist", list).await?.id;
    let uris = |numbers: [u8; 3]| {
        let id =
            |number| TrackId::from_id(format!("spotmockTrack{number:09}")).map(PlayableId::from);
        numbers.into_iter().map(id).collect::<std::result::Result<Vec<_>, _>>()
    };
    let added = user.playlist_add_items(list.as_ref(), uris([1, 2, 3])?, None);
    let first = story.call("adding items", added).await?.snapshot_id;
    let moved = user.playlist_reorder_items(list.as_ref(), Some(0), Some(3), Some(1), Some(&first));
    story.call("moving an item", moved).await?;
    let found = items(story, user, list.as_ref()).await?;
    story.same("the items in their new order", found, ids([2, 3, 1]))?;
    let removed = uris([2, 2, 2])?.into_iter().take(1);
    let removed = user.playlist_remove_all_occurrences_of_items(list.as_ref(), removed, None);
    story.call("removing an item", removed).await?;
    let found = items(story, user, list.as_ref()).await?;
    story.same("the remaining items", found, ids([3, 1]))?;
    story
        .call("replacing items", user.playlist_replace_items(list.as_ref(), uris([7, 8, 9])?))
        .await?;
    let found = items(story, user, list.as_ref()).await?;
    story.same("the new items", found, ids([7, 8, 9]))?;
    let renamed = user.playlist_change_detail(list.as_ref(), Some("Told"), None, None, None);
    story.call("renaming the playlist", renamed).await?;
    let found = story.call("the playlist", user.playlist(list.as_ref(), None, None)).await?;
    story.same("the new name", found.name.as_str(), "Told")?;
    story.call("unfollowing the playlist", user.playlist_unfollow(list)).await
}

fn ids<const N: usize>(numbers: [u8; N]) -> Vec<String> {
    numbers.into_iter().map(|number| format!("spotmockTrack{number:09}")).collect()
}

/// Returns the ids of the tracks in a playlist.
async fn items(
    story: &mut Story,
    user: &AuthCodeSpotify,
    list: PlaylistId<'_>,
) -> Result<Vec<String>> {
    let page = user.playlist_items_manual(list, None, None, Some(50), None);
    let page = story.call("the items of a playlist", page).await?;
    let id = |item: PlayableItem| item.id().map(|id| id.id().to_owned());
    Ok(page.items.into_iter().filter_map(|entry| entry.item.and_then(id)).collect())
}

async fn player(story: &mut Story, user: &AuthCodeSpotify) -> Result<()> {
    let devices = story.call("devices", user.device()).await?;
    story.same("devices", devices.len(), 3)?;
    story.call("pausing", user.pause_playback(None)).await?;
    story.refused("pausing a paused player", 403, user.pause_playback(None)).await?;
    let album = PlayContextId::from(AlbumId::from_id(ALBUM)?);
    story.call("playing an album", user.start_context_playback(album, None, None, None)).await?;
    let playing = story.call("what plays", user.current_user_playing_item()).await?;
    let playing = playing.and_then(|playing| playing.item);
    let is_first = |item: PlayableItem| matches!(item, PlayableItem::Track(FullTrack { id: Some(id), .. }) if id.id() == TRACK);
    story.same("the first track plays", playing.is_some_and(is_first), true)?;
    story.call("queueing", user.add_item_to_queue(PlayableId::from(track()?), None)).await?;
    let queue = story.call("the queue", user.current_user_queue()).await?;
    story.same("the queue", queue.queue.into_iter().next().is_some_and(is_first), true)?;
    story.call("the next track", user.next_track(None)).await?;
    story.call("the volume", user.volume(30, None)).await?;
    story.call("the repeat mode", user.repeat(RepeatState::Context, None)).await?;
    story.call("shuffle", user.shuffle(true, None)).await?;
    let state = user.current_playback(None, None::<[&rspotify::model::AdditionalType; 0]>);
    let state = story.call("the state of the player", state).await?;
    let state = state.map(|it| (it.device.volume_percent, it.repeat_state, it.shuffle_state));
    story.same("the settings", state, Some((Some(30), RepeatState::Context, true)))
}

/// Tests operations that are available only in Extended Quota Mode.
async fn removed_operations(
    story: &mut Story,
    user: &AuthCodeSpotify,
    extended: bool,
) -> Result<()> {
    let artist = ArtistId::from_id(ARTIST)?;
    if !extended {
        story.refused("several tracks", 403, user.tracks([track()?], None)).await?;
        story.refused("several artists", 403, user.artists([artist.as_ref()])).await?;
        story.refused("top tracks", 403, user.artist_top_tracks(artist, None)).await?;
        let page = user.search("a", SearchType::Track, None, None, Some(50), None);
        return story.refused("a page of 50 results", 400, page).await;
    }
    let tracks = story.call("several tracks", user.tracks([track()?, track()?], None)).await?;
    story.same("several tracks", tracks.len(), 2)?;
    let artists = story.call("several artists", user.artists([artist.as_ref()])).await?;
    story.same("several artists", artists.len(), 1)?;
    let tracks = story.call("top tracks", user.artist_top_tracks(artist, None)).await?;
    story.same("top tracks", tracks.len(), 10)?;
    let features = story.call("audio features", user.track_features(track()?)).await?;
    story.same("audio features", features.id.id(), TRACK)
}
