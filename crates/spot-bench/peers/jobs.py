"""One job of `cargo xtask bench requests` with spotipy, as it is published.

Arguments: base URL, job, mode, id of the artist. Standard input: ids of albums, one a line. Prints a line
of JSON with the number of tracks or albums read and the seconds taken, or with the error.
"""

import json
import logging
import sys
import time

import spotipy

api, job, mode, artist = sys.argv[1:]
extended = mode == "extended"
logging.disable(logging.ERROR)
spotify = spotipy.Spotify(auth="token", retries=0, status_retries=0)
spotify.prefix = api + "/"


def entries(page):
    while page:
        yield from page["items"]
        page = spotify.next(page)


def library():
    return sum(1 for _ in entries(spotify.current_user_saved_tracks(limit=50)))


def playlists():
    # The page inside a playlist holds 100 items, more than a page of `playlist_items`.
    # Links of the list lead to an endpoint that is closed in Development Mode, so the offset is counted.
    count, offset, total = 0, 0, 1
    while offset < total:
        page = spotify.current_user_playlists(limit=50, offset=offset)
        for found in page["items"]:
            playlist = spotify.playlist(found["id"])
            count += sum(1 for _ in entries(playlist.get("items") or playlist["tracks"]))
        offset, total = offset + 50, page["total"]
    return count


def many_albums(ids):
    if extended:
        for start in range(0, len(ids), 20):
            yield from spotify.albums(ids[start:start + 20])["albums"]
    else:
        for album in ids:
            yield spotify.album(album)


def albums():
    return sum(1 for _ in many_albums(sys.stdin.read().split()))


def discography():
    found = entries(spotify.artist_albums(artist, limit=50 if extended else 10))
    ids = [album["id"] for album in found]
    return sum(1 for album in many_albums(ids) for _ in entries(album["tracks"]))


start = time.monotonic()
try:
    count = {"library": library, "playlists": playlists, "albums": albums,
             "discography": discography}[job]()
except (spotipy.SpotifyException, KeyError) as error:
    print(json.dumps({"error": str(error)}))
else:
    print(json.dumps({"count": count, "seconds": time.monotonic() - start}))
