// Tests the unmodified spotify-web-api-node. The hosts and the port in this client are fixed, so
// the mock uses TLS. NODE_EXTRA_CA_CERTS names the file with the mock's CA certificate. Node's
// agents connect to the mock's port.
const https = require("node:https");
const tls = require("node:tls");
const SpotifyWebApi = require("spotify-web-api-node");

const port = new URL(process.env.SPOT_MOCK_API).port;
https.Agent.prototype.createConnection = (options) => tls.connect({
  ...options, host: "127.0.0.1", port, path: null, servername: options.servername || options.host,
});

async function story() {
  const {
    ALBUM, ARTIST, CLIENT_ID, CLIENT_SECRET, EXTENDED, REDIRECT, SCOPES, TRACK, end, fails, made, same,
  } = await import("./story.mjs");
  const spotify = new SpotifyWebApi({ clientId: CLIENT_ID, clientSecret: CLIENT_SECRET, redirectUri: REDIRECT });
  const of = async (call) => (await made(call)).body;

  // The first calls use an application token. The later calls use a user token.
  spotify.setAccessToken((await of(spotify.clientCredentialsGrant())).access_token);
  same((await of(spotify.getArtist(ARTIST))).id, ARTIST, "an artist");
  await fails(401, "the user of nobody", () => spotify.getMe());
  const url = new URL(spotify.createAuthorizeURL(SCOPES, "abc"));
  const code = await new Promise((resolve, reject) => {
    https.get(url, (answer) => resolve(new URL(answer.headers.location).searchParams)).on("error", reject);
  });
  same(code.get("state"), "abc", "the state comes back");
  const grant = await of(spotify.authorizationCodeGrant(code.get("code")));
  same(grant.scope.split(" ").sort(), [...SCOPES].sort(), "all scopes are granted");
  spotify.setRefreshToken(grant.refresh_token);
  spotify.setAccessToken((await of(spotify.refreshAccessToken())).access_token);

  const me = await of(spotify.getMe());
  same(me.id, "mockuser", "the user");
  same((await of(spotify.getAlbum(ALBUM))).tracks.total, 26, "an album");
  same((await of(spotify.getAlbumTracks(ALBUM, { limit: 7, offset: 20 }))).items.length, 6, "its last tracks");
  same((await of(spotify.getTrack(TRACK))).id, TRACK, "a track");
  same((await of(spotify.getArtistAlbums(ARTIST, { limit: 10 }))).items.length, 10, "albums of an artist");
  same((await of(spotify.searchTracks("artist:Alma", { limit: 5 }))).tracks.limit, 5, "a search");
  same((await of(spotify.getMySavedTracks({ limit: 50 }))).total, 2345, "saved tracks");
  same((await of(spotify.getMySavedAlbums({ limit: 3 }))).items.length, 3, "saved albums");
  same((await of(spotify.getMySavedShows())).total, 14, "saved shows");
  same((await of(spotify.getMyTopArtists({ limit: 50 }))).items.length, 50, "top artists");
  same((await of(spotify.getMyTopTracks({ time_range: "long_term" }))).items.length, 20, "top tracks");
  same((await of(spotify.getFollowedArtists({ limit: 50 }))).artists.items.length, 50, "followed artists");
  same((await of(spotify.getMyRecentlyPlayedTracks({ limit: 50 }))).items.length, 50, "recent plays");
  same((await of(spotify.getMyDevices())).devices.length, 3, "devices");
  same((await of(spotify.getUserPlaylists({ limit: 50 }))).items.length, 50, "playlists");
  await fails(404, "an unknown track", () => spotify.getTrack("0000000000000000000000"));
  await fails(400, "an invalid id", () => spotify.getAlbum("nothing"));

  // Player commands.
  same((await of(spotify.getMyCurrentPlaybackState())).is_playing, true, "something plays");
  await made(spotify.pause());
  same((await of(spotify.getMyCurrentPlayingTrack())).is_playing, false, "paused");
  await made(spotify.play({ context_uri: `spotify:album:${ALBUM}`, offset: { position: 3 } }));
  same((await of(spotify.getMyCurrentPlaybackState())).item.track_number, 4, "the fourth track plays");
  await made(spotify.skipToNext());
  await made(spotify.skipToPrevious());
  await made(spotify.seek(2000));
  await made(spotify.setRepeat("track"));
  await made(spotify.setShuffle(true));
  await made(spotify.setVolume(10));
  await made(spotify.addToQueue(`spotify:track:${TRACK}`));
  const state = await of(spotify.getMyCurrentPlaybackState());
  same([state.repeat_state, state.shuffle_state, state.device.volume_percent], ["track", true, 10], "settings");

  if (EXTENDED) {
    const list = await of(spotify.createPlaylist("From Node", { public: false }));
    await made(spotify.addTracksToPlaylist(list.id, [`spotify:track:${TRACK}`]));
    same((await of(spotify.getPlaylistTracks(list.id))).total, 1, "one item");
    await made(spotify.removeTracksFromPlaylist(list.id, [{ uri: `spotify:track:${TRACK}` }]));
    same((await of(spotify.getPlaylist(list.id))).tracks.total, 0, "no items");
    same((await of(spotify.getTracks([TRACK]))).tracks.length, 1, "several tracks");
    await made(spotify.addToMySavedTracks([TRACK]));
    same(await of(spotify.containsMySavedTracks([TRACK])), [true], "saved");
    await made(spotify.removeFromMySavedTracks([TRACK]));
    same((await of(spotify.getAvailableGenreSeeds())).genres.includes("jazz"), true, "genres");
  } else {
    await fails(403, "several tracks", () => spotify.getTracks([TRACK]));
    await fails(403, "saving by the old path", () => spotify.addToMySavedTracks([TRACK]));
  }
  end();
  // Open keep-alive connections would keep Node running.
  process.exit(0);
}

story().catch((error) => {
  console.error(error);
  process.exit(1);
});
