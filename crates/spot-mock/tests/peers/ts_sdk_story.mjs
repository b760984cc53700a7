// Tests the unmodified official TypeScript SDK in Node.
import { SpotifyApi } from "@spotify/web-api-ts-sdk";

import { catalogue, library, player } from "./sdk_calls.mjs";
import {
  ACCOUNTS, ALBUM, API, ARTIST, CLIENT_ID, CLIENT_SECRET, EXTENDED, TRACK, end, fails, made, same,
} from "./story.mjs";

// The addresses in the SDK are fixed. The SDK accepts a custom `fetch` for API requests, but its
// sign-in uses the global `fetch`.
const real = globalThis.fetch;
const mapped = (url, options) => real(
  String(url)
    .replace("https://api.spotify.com/v1", API)
    .replace("https://accounts.spotify.com", ACCOUNTS),
  // For a PUT without a body, Node's `fetch` sends no Content-Length.
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

// The SDK uses only the paths from before February 2026. Applications in Development Mode cannot
// use these paths.
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
  // The SDK has a bug: it sends a list, but the API expects an object.
  await fails(400, "a bare list of ids", () => user.currentUser.albums.saveAlbums([ALBUM]));
} else {
  await fails(403, "several tracks at once", () => user.tracks.get([TRACK, TRACK]));
  await fails(403, "the items by their old path", () => user.playlists.getPlaylistItems(own.id));
  await fails(403, "a playlist by the old path", () => user.playlists.createPlaylist(me.id, { name: "x" }));
  await fails(404, "recommendations", () => user.recommendations.get({ seed_artists: [ARTIST] }));
}
end();
