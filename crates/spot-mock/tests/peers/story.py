"""Shared code of the Python test scripts: addresses of the mock, consent, and counted checks."""

import os
import sys
import urllib.error
import urllib.request

API = os.environ["SPOT_MOCK_API"] + "/"
ACCOUNTS = os.environ["SPOT_MOCK_ACCOUNTS"]
CLIENT_ID = os.environ["SPOT_MOCK_CLIENT_ID"]
CLIENT_SECRET = os.environ["SPOT_MOCK_CLIENT_SECRET"]
EXTENDED = os.environ["SPOT_MOCK_MODE"] == "extended"
REDIRECT = "http://127.0.0.1:8888/callback"
SCOPES = (
    "user-library-read user-library-modify playlist-read-private playlist-modify-private "
    "playlist-modify-public user-read-playback-state user-modify-playback-state "
    "user-read-currently-playing user-read-private user-follow-read user-follow-modify "
    "user-top-read user-read-recently-played"
)

ALBUM = "spotmockAlbum000000001"
ARTIST = "spotmockArtist00000001"

_count = 0


def same(found, wanted, what):
    """Ends the test with an error unless both values are equal."""
    global _count
    if found != wanted:
        sys.exit(f"{what}: expected {wanted!r}, found {found!r}")
    _count += 1


def holds(condition, what):
    """Ends the test with an error unless the condition is true."""
    same(bool(condition), True, what)


def browse(url):
    """Opens the consent page. Returns the URL to which the page redirects the browser."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    try:
        urllib.request.build_opener(Stay).open(url)
    except urllib.error.HTTPError as answer:
        same(answer.code, 302, "the consent sends the browser back")
        return answer.headers["location"]
    sys.exit("the page of consent did not send the browser back")


def end():
    print(f"{_count} checks passed")
