// The official TypeScript SDK as it is published, in Node.
import { SpotifyApi } from "@spotify/web-api-ts-sdk";

import { catalogue, library, player } from "./sdk_calls.mjs";
import {
  ACCOUNTS, ALBUM, API, ARTIST, CLIENT_ID, CLIENT_SECRET, EXTENDED, TRACK, end, fails, made, same,
} from "./story.mjs";

// Its addresses are fixed. It lets its user give the function that sends requests, and its sign-in
// uses the global one.
const real = globalThis.fetch;
const mapped = (url, options) => real(
  String(url)
    .replace("https://api.spotify.com/v1", API)
    .replace("https://accounts.spotify.com", ACCOUNTS),
  // Node's fetch leaves the length of an absent body out of a PUT.
  options,
);
globalThis.fetch = mapped;

const token = JSON.parse(process.env.SPOT_MOCK_TOKEN);
const user = SpotifyApi.withAccessToken(CLIENT_ID, token, { fetch: mapped });
const app = SpotifyApi.withClientCredentials(CLIENT_ID, CLIENT_SECRET, [], { fetch: mapped });

const story = { made, same, fails };
await catalogue(app, story);
const { me } = await library(user, story);
await player(user, story);

// It knows the paths of before February 2026 only, which an application in Development Mode lacks.
const [own] = (await made(user.currentUser.playlists.playlists(1))).items;
if (EXTENDED) {
  const created = await made(user.playlists.createPlaylist(me.id, { name: "From the SDK", public: true }));
  await made(user.playlists.addItemsToPlaylist(created.id, [`spotify:track:${TRACK}`, `spotify:track:${TRACK}`]));
  same((await made(user.playlists.getPlaylistItems(created.id))).total, 2, "two items");
  await made(user.playlists.removeItemsFromPlaylist(created.id, { tracks: [{ uri: `spotify:track:${TRACK}` }] }));
  same((await made(user.playlists.getPlaylistItems(created.id))).total, 0, "no items");
  same((await made(user.tracks.get([TRACK, TRACK]))).length, 2, "two tracks at once");
  same((await made(user.recommendations.get({ seed_artists: [ARTIST], limit: 5 }))).tracks.length, 5, "recommendations");
  same((await made(user.markets.getAvailableMarkets())).markets.length, 185, "markets");
  await made(user.currentUser.followArtistsOrUsers([ARTIST], "artist"));
  same(await made(user.currentUser.followsArtistsOrUsers([ARTIST], "artist")), [true], "follows");
  // A bug of the SDK: it sends a bare list where an object belongs.
  await fails(400, "a bare list of ids", () => user.currentUser.albums.saveAlbums([ALBUM]));
} else {
  await fails(403, "several tracks at once", () => user.tracks.get([TRACK, TRACK]));
  await fails(403, "the items by their old path", () => user.playlists.getPlaylistItems(own.id));
  await fails(403, "a playlist by the old path", () => user.playlists.createPlaylist(me.id, { name: "x" }));
  await fails(404, "recommendations", () => user.recommendations.get({ seed_artists: [ARTIST] }));
}
end();
