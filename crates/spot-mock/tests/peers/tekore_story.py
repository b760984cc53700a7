"""Tests the unmodified tekore, with its synchronous and asynchronous clients."""

import asyncio
import inspect
import warnings

import tekore
from story import (
    ACCOUNTS, ALBUM, API, ARTIST, CLIENT_ID, CLIENT_SECRET, EXTENDED, REDIRECT, SCOPES,
    browse, end, holds, same,
)
from tekore._auth.expiring import client as accounts
from tekore._client import base
from tekore._sender.error import RefreshTokenInvalid

# Suppresses the warnings about fields that tekore does not know.
warnings.simplefilter("ignore")
base.prefix = API
accounts.OAUTH_AUTHORIZE_URL = f"{ACCOUNTS}/authorize"
accounts.OAUTH_TOKEN_URL = f"{ACCOUNTS}/api/token"


async def got(answer):
    """Returns the result of a call. Awaits the result if the client is asynchronous."""
    return await answer if inspect.isawaitable(answer) else answer


async def fails(wanted, what, call):
    try:
        await got(call())
    except tekore.HTTPError as error:
        same(type(error), wanted, what)
    else:
        raise SystemExit(f"{what}: expected {wanted.__name__}, but it was done")


def code_in(address):
    return tekore.parse_code_from_url(address)


async def tokens(credentials):
    url = credentials.user_authorisation_url(scope=SCOPES, state="abc")
    address = browse(url)
    same(tekore.parse_state_from_url(address), "abc", "the state comes back")
    by_code = await got(credentials.request_user_token(code_in(address)))
    same(set(str(by_code.scope).split()), set(SCOPES.split()), "all scopes are granted")
    again = await got(credentials.refresh_user_token(by_code.refresh_token))
    holds(again.access_token != by_code.access_token, "a refresh gives a new token")
    url, verifier = credentials.pkce_user_authorisation(scope=SCOPES)
    by_pkce = await got(credentials.request_pkce_token(code_in(browse(url)), verifier))
    holds(by_pkce.uses_pkce, "PKCE gives a token")
    await fails(RefreshTokenInvalid, "a wrong verifier", lambda: credentials.request_pkce_token(
        code_in(browse(credentials.pkce_user_authorisation(scope=SCOPES)[0])), "x" * 43))
    return by_code, by_pkce


async def extended(spotify):
    """Runs the calls for which tekore's models require all fields."""
    me = await got(spotify.current_user())
    page = await got(spotify.saved_tracks(limit=50))
    same((page.total, len(page.items)), (2345, 50), "the saved tracks are counted")
    following = await got(spotify.next(page))
    same(following.offset, 50, "the next page goes on")
    album = await got(spotify.album(ALBUM))
    same(album.total_tracks, 26, "the album has 26 tracks")
    uris = [track.uri for track in album.tracks.items]
    ids = [track.id for track in album.tracks.items]
    same([track.id for track in await got(spotify.tracks(ids[:3]))], ids[:3], "several tracks")
    artist = await got(spotify.artist(ARTIST))
    (found,) = await got(spotify.search(f'artist:"{artist.name}"', types=("artist",)))
    same(found.items[0].id, ARTIST, "the artist is found first")

    made = await got(spotify.playlist_create(me.id, "Story", public=False))
    await got(spotify.playlist_add(made.id, uris[:4]))
    await got(spotify.playlist_add(made.id, uris[4:5], position=0))
    await got(spotify.playlist_reorder(made.id, 0, 5))
    await got(spotify.playlist_remove(made.id, [uris[2]]))
    inside = await got(spotify.playlist_items(made.id))
    wanted = [uris[0], uris[1], uris[3], uris[4]]
    same([entry.track.uri for entry in inside.items], wanted, "added, moved, removed")
    await got(spotify.playlist_replace(made.id, uris[7:9]))
    inside = await got(spotify.playlist_items(made.id))
    same([entry.track.uri for entry in inside.items], uris[7:9], "replaced")

    await got(spotify.saved_tracks_add(ids[3:4]))
    same(await got(spotify.saved_tracks_contains(ids[3:4])), [True], "saved")
    await got(spotify.saved_tracks_delete(ids[3:4]))
    same(await got(spotify.saved_tracks_contains(ids[3:4])), [False], "not saved any more")

    # The device comes from the playback, because tekore cannot read devices without an id.
    device = (await got(spotify.playback())).device.id
    await got(spotify.playback_start_tracks(ids[:3], device_id=device))
    playing = await got(spotify.playback())
    same(playing.item.id, ids[0], "the first one plays")
    await got(spotify.playback_next())
    same((await got(spotify.playback_currently_playing())).item.id, ids[1], "then the second")
    await got(spotify.playback_pause())
    same((await got(spotify.playback())).is_playing, False, "it is paused")


async def development(spotify):
    """Tests that calls from before February 2026 are refused. tekore has only these calls."""
    mine = "spotmockPlaylist000000"
    track = "spotify:track:" + "0" * 22
    calls = {
        "several tracks": lambda: spotify.tracks(["0" * 22]),
        "several albums": lambda: spotify.albums([ALBUM]),
        "the old playlist path": lambda: spotify.playlist_items(mine),
        "adding by the old path": lambda: spotify.playlist_add(mine, [track]),
        "saving by ids": lambda: spotify.saved_tracks_add(["0" * 22]),
        "creating for a user": lambda: spotify.playlist_create("somebody", "Old"),
        "top tracks": lambda: spotify.artist_top_tracks(ARTIST, "DE"),
    }
    for what, call in calls.items():
        await fails(tekore.Forbidden, what, call)
    await got(spotify.playback_pause())
    await fails(tekore.Forbidden, "pausing what is paused", spotify.playback_pause)
    await got(spotify.playback_resume())


async def story(asynchronous):
    sender = tekore.AsyncSender() if asynchronous else tekore.SyncSender()
    credentials = tekore.Credentials(CLIENT_ID, CLIENT_SECRET, REDIRECT, sender=sender)
    for token in await tokens(credentials):
        spotify = tekore.Spotify(token, sender=sender)
        await (extended if EXTENDED else development)(spotify)
    await got(sender.close())


for asynchronous in (False, True):
    asyncio.run(story(asynchronous))
end()
