"""Tests the unmodified spotipy, from sign-in to playlists."""

import logging
import warnings

import spotipy
from spotipy.cache_handler import MemoryCacheHandler
from spotipy.oauth2 import SpotifyClientCredentials, SpotifyOAuth, SpotifyPKCE
from story import (
    ACCOUNTS, ALBUM, API, ARTIST, CLIENT_ID, CLIENT_SECRET, EXTENDED, REDIRECT, SCOPES,
    browse, end, holds, same,
)

# Suppresses the warnings and log messages of calls that are expected to fail.
warnings.simplefilter("ignore")
logging.disable(logging.ERROR)
for flow in (SpotifyOAuth, SpotifyPKCE, SpotifyClientCredentials):
    flow.OAUTH_TOKEN_URL = f"{ACCOUNTS}/api/token"
    flow.OAUTH_AUTHORIZE_URL = f"{ACCOUNTS}/authorize"


def client(manager):
    made = spotipy.Spotify(auth_manager=manager, retries=0, status_retries=0)
    made.prefix = API
    return made


def fails(status, what, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except spotipy.SpotifyException as error:
        same(error.http_status, status, what)
    else:
        raise SystemExit(f"{what}: expected {status}, but it was done")


def signed_in_by_code():
    manager = SpotifyOAuth(CLIENT_ID, CLIENT_SECRET, REDIRECT, state="abc", scope=SCOPES,
                           cache_handler=MemoryCacheHandler(), open_browser=False)
    state, code = manager.parse_auth_response_url(browse(manager.get_authorize_url()))
    same(state, "abc", "the state comes back")
    token = manager.get_access_token(code, check_cache=False)
    same(set(token["scope"].split()), set(SCOPES.split()), "all scopes are granted")
    same(token["expires_in"], 3600, "a token lives for an hour")
    again = manager.refresh_access_token(token["refresh_token"])
    holds(again["access_token"] != token["access_token"], "a refresh gives a new token")
    return client(manager)


def signed_in_by_pkce():
    manager = SpotifyPKCE(CLIENT_ID, REDIRECT, scope=SCOPES,
                          cache_handler=MemoryCacheHandler(), open_browser=False)
    code = manager.parse_response_code(browse(manager.get_authorize_url()))
    holds(manager.get_access_token(code, check_cache=False), "PKCE gives a token")
    return client(manager)


def paging(spotify):
    page = spotify.current_user_saved_tracks(limit=50)
    same(page["total"], 2345, "the saved tracks are counted")
    seen = []
    while page:
        seen += [entry["track"]["id"] for entry in page["items"]]
        page = spotify.next(page)
    same(len(seen), 2345, "every saved track comes")
    same(len(set(seen)), 2345, "no saved track comes twice")
    album = spotify.album(ALBUM)
    same(album["total_tracks"], 26, "the album has 26 tracks")
    same(len(spotify.album_tracks(ALBUM)["items"]), 26, "they come in one page")
    return [track["uri"] for track in spotify.album_tracks(ALBUM)["items"]]


def searching(spotify):
    name = spotify.artist(ARTIST)["name"]
    found = spotify.search(f'artist:"{name}"', limit=5, type="artist,album")
    same(found["artists"]["items"][0]["id"], ARTIST, "the artist is found first")
    same(len(found["albums"]["items"]), 5, "five albums are found")
    if EXTENDED:
        same(len(spotify.search("a", limit=50)["tracks"]["items"]), 50, "a page of 50")
    else:
        fails(400, "a page of 50", spotify.search, "a", limit=50)


def playing(spotify, uris):
    same(len(spotify.devices()["devices"]), 3, "there are three devices")
    device = spotify.current_playback()["device"]["id"]
    spotify.start_playback(device_id=device, uris=uris[:3])
    same(spotify.current_playback()["item"]["uri"], uris[0], "the first one plays")
    spotify.next_track()
    same(spotify.current_user_playing_track()["item"]["uri"], uris[1], "then the second")
    spotify.add_to_queue(uris[5])
    same(spotify.queue()["queue"][0]["uri"], uris[5], "what is queued comes next")
    spotify.next_track()
    same(spotify.current_playback()["item"]["uri"], uris[5], "and it does")
    spotify.volume(30)
    spotify.repeat("track")
    spotify.shuffle(True)
    spotify.pause_playback()
    now = spotify.current_playback()
    same(now["is_playing"], False, "it is paused")
    same(now["device"]["volume_percent"], 30, "the volume is set")
    same(now["repeat_state"], "track", "the track is repeated")
    same(now["shuffle_state"], True, "it is shuffled")
    fails(403, "pausing what is paused", spotify.pause_playback)
    # Restores the settings for the next sign-in.
    spotify.shuffle(False)
    spotify.repeat("off")


def playlists(spotify, uris):
    made = spotify.current_user_playlist_create("Story", public=False, description="told")
    same((made["name"], made["public"], made["description"]), ("Story", False, "told"), "made")
    mine = made["id"]

    def contents():
        inside = "item" if not EXTENDED else "track"
        page = spotify.playlist_items(mine)
        return [entry[inside]["uri"] for entry in page["items"]]

    first = spotify.playlist_add_items(mine, uris[:4])["snapshot_id"]
    spotify.playlist_add_items(mine, [uris[4]], position=0)
    same(contents(), [uris[4], *uris[:4]], "added at the end and at the start")
    spotify.playlist_reorder_items(mine, 0, 5)
    same(contents(), uris[:5], "moved to the end")
    last = spotify.playlist_remove_all_occurrences_of_items(mine, [uris[2]])["snapshot_id"]
    holds(first != last, "every change is a new version")
    same(contents(), [uris[0], uris[1], uris[3], uris[4]], "one is gone")
    spotify.playlist_replace_items(mine, uris[7:9])
    same(contents(), uris[7:9], "replaced")
    spotify.playlist_change_details(mine, name="Told")
    same(spotify.playlist(mine)["name"], "Told", "renamed")
    fails(400, "more than a hundred", spotify.playlist_add_items, mine, [uris[0]] * 101)


def library(spotify, uris):
    track = uris[3].split(":")[-1]
    spotify.current_user_saved_tracks_add([track])
    same(spotify.current_user_saved_tracks_contains([track]), [True], "saved")
    spotify.current_user_saved_tracks_delete([track])
    same(spotify.current_user_saved_tracks_contains([track]), [False], "not saved any more")


def what_was_taken_away(spotify, uris):
    """Tests calls that are refused in Development Mode and allowed in Extended Quota Mode."""
    me = spotify.me()["id"]
    mine = spotify.current_user_playlists(limit=1)["items"][0]["id"]
    ids = [uri.split(":")[-1] for uri in uris[:2]]
    saved = spotify.current_user_saved_tracks_contains(ids)
    calls = {
        "several tracks": lambda: spotify.tracks(ids),
        "several albums": lambda: spotify.albums([ALBUM]),
        "several artists": lambda: spotify.artists([ARTIST]),
        "top tracks": lambda: spotify.artist_top_tracks(ARTIST),
        "new releases": lambda: spotify.new_releases(),
        "a user": lambda: spotify.user(me),
        "a user's playlists": lambda: spotify.user_playlists(me),
        "creating for a user": lambda: spotify.user_playlist_create(me, "Old"),
        # spotipy uses the new path, so this call names the old path.
        "the old playlist path": lambda: spotify._get(f"playlists/{mine}/tracks"),
        "adding by the old path": lambda: spotify._post(
            f"playlists/{mine}/tracks", payload={"uris": uris[:1]}),
        "saving by ids": lambda: spotify._put("me/tracks?ids=" + ",".join(ids)),
        "categories": lambda: spotify.categories(),
    }
    for what, call in calls.items():
        if EXTENDED:
            call()
            same(True, True, what)
        else:
            fails(403, what, call)
    if EXTENDED:
        same([track["id"] for track in spotify.tracks(ids)["tracks"]], ids, "several tracks")
        for unsaved in (one for one, was in zip(ids, saved) if not was):
            spotify._delete("me/tracks?ids=" + unsaved)


def mistakes(spotify):
    fails(404, "an id nobody has", spotify.track, "7" * 22)
    alone = client(SpotifyClientCredentials(CLIENT_ID, CLIENT_SECRET,
                                            cache_handler=MemoryCacheHandler()))
    same(alone.artist(ARTIST)["id"], ARTIST, "the application alone may read the catalogue")
    try:
        alone.me()
    except spotipy.SpotifyException as error:
        holds(error.http_status in (401, 403), "but there is no user")
    else:
        raise SystemExit("an application alone has no user")


for signed_in in (signed_in_by_code(), signed_in_by_pkce()):
    same(signed_in.me()["type"], "user", "somebody is signed in")
    tracks = paging(signed_in)
    searching(signed_in)
    playing(signed_in, tracks)
    playlists(signed_in, tracks)
    library(signed_in, tracks)
    what_was_taken_away(signed_in, tracks)
mistakes(signed_in)
end()
