// Calls of the official TypeScript SDK, in Node and in a browser. The caller passes functions that
// count calls and compare values.
export const ALBUM = "spotmockAlbum000000001";
export const ARTIST = "spotmockArtist00000001";
export const TRACK = "spotmockTrack000000001";

/** Reads the catalogue, which needs no user. */
export async function catalogue(sdk, { made, same, fails }) {
  const artist = await made(sdk.artists.get(ARTIST));
  same(artist.id, ARTIST, "an artist");
  same((await made(sdk.albums.get(ALBUM))).tracks.total, 26, "an album with its tracks");
  same((await made(sdk.albums.tracks(ALBUM, "GB", 50))).items.length, 26, "the tracks of an album");
  same((await made(sdk.tracks.get(TRACK))).album.id, ALBUM, "a track of the album");
  const albums = await made(sdk.artists.albums(ARTIST, "album,single", "GB", 10));
  same(albums.items.length, 10, "ten albums of the artist");
  const found = await made(sdk.search(artist.name, ["artist", "album"], "GB", 5));
  same(found.artists.items[0].id, ARTIST, "the artist is found first");
  same(found.albums.items.length, 5, "albums of the artist are found");
  await fails(404, "an unknown album", () => sdk.albums.get("0000000000000000000000"));
  await fails(400, "an invalid id", () => sdk.tracks.get("not-an-id"));
}

/** Reads the user's library. Returns the profile and the saved tracks. */
export async function library(sdk, { made, same }) {
  const me = await made(sdk.currentUser.profile());
  same(me.id, "mockuser", "the user");
  same((await made(sdk.currentUser.topItems("tracks", "short_term", 10))).items.length, 10, "top tracks");
  same((await made(sdk.currentUser.topItems("artists"))).items.length, 20, "top artists");
  same((await made(sdk.currentUser.followedArtists())).artists.total, 66, "followed artists");
  const tracks = await made(sdk.currentUser.tracks.savedTracks(50));
  same([tracks.items.length, tracks.total], [50, 2345], "a page of saved tracks");
  const next = await made(sdk.currentUser.tracks.savedTracks(50, 50));
  same(next.offset, 50, "the next page of saved tracks");
  same((await made(sdk.currentUser.albums.savedAlbums(20))).total, 130, "saved albums");
  same((await made(sdk.currentUser.shows.savedShows(5))).total, 14, "saved shows");
  same((await made(sdk.currentUser.episodes.savedEpisodes("GB", 5))).items.length, 5, "saved episodes");
  same((await made(sdk.currentUser.playlists.playlists(50))).items.length, 50, "playlists");
  same((await made(sdk.player.getRecentlyPlayedTracks(7))).items.length, 7, "recent plays");
  return { me, tracks };
}

/** Commands the player. */
export async function player(sdk, { made, same, fails }) {
  const devices = await made(sdk.player.getAvailableDevices());
  same(devices.devices.length, 3, "devices");
  const state = await made(sdk.player.getPlaybackState());
  same(state.is_playing, true, "something plays");
  await made(sdk.player.pausePlayback(state.device.id));
  same((await made(sdk.player.getPlaybackState())).is_playing, false, "paused");
  await fails(403, "pausing what is paused", () => sdk.player.pausePlayback(state.device.id));
  await made(sdk.player.startResumePlayback(state.device.id, `spotify:album:${ALBUM}`));
  same((await made(sdk.player.getCurrentlyPlayingTrack())).item.id, TRACK, "the album plays");
  await made(sdk.player.addItemToPlaybackQueue(`spotify:track:${TRACK}`));
  same((await made(sdk.player.getUsersQueue())).queue[0].id, TRACK, "the queue");
  await made(sdk.player.skipToNext(state.device.id));
  await made(sdk.player.setRepeatMode("context"));
  await made(sdk.player.togglePlaybackShuffle(true));
  await made(sdk.player.seekToPosition(5000));
  await made(sdk.player.setPlaybackVolume(30));
  const after = await made(sdk.player.getPlaybackState());
  same([after.shuffle_state, after.repeat_state, after.device.volume_percent], [true, "context", 30], "settings");
}
