"""Tests the unmodified spotifyaio, the client of Home Assistant.

The scheme and the port in spotifyaio are fixed, so the mock uses TLS. A custom resolver of aiohttp
sends the requests to the mock's port.
"""

import asyncio
import os
import ssl
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver
from spotifyaio import SpotifyClient
from spotifyaio.exceptions import SpotifyNotFoundError
from spotifyaio.models import FollowType, RepeatMode, SearchType
from story import ALBUM, API, ARTIST, EXTENDED, end, holds, same

TRACK = "spotmockTrack000000001"


class Mock(AbstractResolver):
    """Resolves every host name to the mock."""

    async def resolve(self, host, port=0, family=0):
        port = urlsplit(API).port
        return [{"hostname": host, "host": "127.0.0.1", "port": port, "family": 2, "proto": 0, "flags": 4}]

    async def close(self):
        pass


async def story():
    trusted = ssl.create_default_context(cafile=os.environ["SPOT_MOCK_AUTHORITY"])
    connector = aiohttp.TCPConnector(resolver=Mock(), ssl=trusted)
    async with aiohttp.ClientSession(connector=connector) as session:
        spotify = SpotifyClient(session=session)
        spotify.authenticate(os.environ["SPOT_MOCK_USER_TOKEN"])

        if EXTENDED:
            # spotifyaio requires fields that Development Mode lacks.
            same((await spotify.get_current_user()).user_id, "mockuser", "the user")
        same((await spotify.get_album(ALBUM)).name != "", True, "an album")
        same(len(await spotify.get_album_tracks(ALBUM)), 26, "its tracks")
        same((await spotify.get_artist(f"spotify:artist:{ARTIST}")).artist_id, ARTIST, "an artist")
        same(len(await spotify.get_saved_tracks()), 48, "saved tracks")
        same(len(await spotify.get_saved_albums()), 48, "saved albums")
        same(len(await spotify.get_saved_shows()), 14, "saved shows")
        holds(await spotify.get_saved_episodes(), "saved episodes")
        holds(await spotify.get_saved_audiobooks(), "saved audiobooks")
        holds(await spotify.get_playlists_for_current_user(), "playlists")
        holds(await spotify.get_followed_artists(), "followed artists")
        holds(await spotify.get_top_artists(), "top artists")
        holds(await spotify.get_top_tracks(), "top tracks")
        holds(await spotify.get_recently_played_tracks(), "recent plays")
        show = (await spotify.get_saved_shows())[0].show
        same((await spotify.get_show(show.show_id)).show_id, show.show_id, "a show")
        holds(await spotify.get_show_episodes(show.show_id), "its episodes")
        book = (await spotify.get_saved_audiobooks())[0]
        same((await spotify.get_audiobook(book.audiobook_id)).audiobook_id, book.audiobook_id, "a book")
        chapters = await spotify.get_audiobook_chapters(book.audiobook_id)
        same((await spotify.get_chapter(chapters[0].chapter_id)).chapter_id, chapters[0].chapter_id, "a chapter")
        episode = (await spotify.get_saved_episodes())[0].episode
        same((await spotify.get_episode(episode.episode_id)).name, episode.name, "an episode")
        try:
            await spotify.get_album("0000000000000000000000")
        except SpotifyNotFoundError:
            holds(True, "an unknown album is recognized by the indented error")
        else:
            raise SystemExit("an unknown album was found")

        devices = await spotify.get_devices()
        same(len(devices), 3, "devices")
        holds((await spotify.get_playback()).is_playing, "something plays")
        await spotify.pause_playback()
        holds(not (await spotify.get_playback()).is_playing, "paused")
        await spotify.start_playback(context_uri=f"spotify:album:{ALBUM}", position_offset=2)
        same((await spotify.get_current_playing()).item.track_number, 3, "the third track plays")
        await spotify.next_track()
        await spotify.previous_track()
        await spotify.seek_track(1000)
        await spotify.set_repeat(RepeatMode.TRACK)
        await spotify.set_shuffle(state=True)
        await spotify.set_volume(20)
        await spotify.add_to_queue(f"spotify:track:{TRACK}")
        state = await spotify.get_playback()
        same((state.repeat_mode, state.shuffle, state.device.volume_percent), (RepeatMode.TRACK, True, 20), "settings")
        await spotify.transfer_playback(devices[1].device_id)

        if EXTENDED:
            holds(await spotify.get_artist_albums(ARTIST), "albums of an artist")
            same(len((await spotify.search("a", [SearchType.TRACK])).tracks), 48, "a search")
            same(len(await spotify.get_artist_top_tracks(ARTIST)), 10, "top tracks of an artist")
            await spotify.save_tracks([TRACK])
            same(await spotify.are_tracks_saved([TRACK]), {TRACK: True}, "saved")
            await spotify.remove_saved_tracks([TRACK])
            await spotify.follow_account(FollowType.ARTIST, [ARTIST])
            same(await spotify.are_accounts_followed(FollowType.ARTIST, [ARTIST]), {ARTIST: True}, "followed")
            holds(await spotify.get_categories(), "categories")
            holds(await spotify.get_new_releases(), "new releases")
            holds((await spotify.get_audio_features(TRACK)).tempo > 0, "audio features")
            made = (await spotify.create_playlist("mockuser", "From Python", public=True)).playlist_id
            await spotify.add_playlist_items(made, [f"spotify:track:{TRACK}"])
            same(len(await spotify.get_playlist_items(made)), 1, "one item")
            await spotify.remove_playlist_items(made, [f"spotify:track:{TRACK}"])
    end()


asyncio.run(story())
