// Shared code of the JavaScript test scripts: the addresses of the mock, the consent, and counted
// checks.
import assert from "node:assert/strict";

export { ALBUM, ARTIST, TRACK } from "./sdk_calls.mjs";

const { env } = process;
export const API = env.SPOT_MOCK_API;
export const ACCOUNTS = env.SPOT_MOCK_ACCOUNTS;
export const CLIENT_ID = env.SPOT_MOCK_CLIENT_ID;
export const CLIENT_SECRET = env.SPOT_MOCK_CLIENT_SECRET;
export const EXTENDED = env.SPOT_MOCK_MODE === "extended";
export const REDIRECT = "http://127.0.0.1:8888/callback";
export const SCOPES = [
  "user-library-read", "user-library-modify", "playlist-read-private", "playlist-modify-private",
  "playlist-modify-public", "user-read-playback-state", "user-modify-playback-state",
  "user-read-currently-playing", "user-read-private", "user-follow-read", "user-follow-modify",
  "user-top-read", "user-read-recently-played",
];

let checks = 0;
let calls = 0;

/** Fails the story unless both values are equal. */
export function same(found, wanted, what) {
  assert.deepEqual(found, wanted, what);
  checks += 1;
}

/** Fails the story unless the call is refused with this status. */
export async function fails(status, what, call) {
  calls += 1;
  const error = await call().then(() => undefined, (error) => error);
  const found = error?.statusCode ?? Number(/\b([45]\d\d)\b/.exec(String(error))?.[1]);
  same(found, status, `${what}: ${error}`);
}

/** Waits for a call and counts the call. */
export async function made(call) {
  calls += 1;
  return await call;
}

/** Opens the consent page. Returns the URL to which the page redirects the browser. */
export async function browse(url) {
  const answer = await fetch(url, { redirect: "manual" });
  same(answer.status, 302, "the consent sends the browser back");
  return new URL(answer.headers.get("location"));
}

/** Adds the number of calls that another program made. */
export function count(made) {
  calls += made;
}

export function end() {
  assert.ok(calls >= 30, `only ${calls} calls`);
  console.log(`${checks} checks passed in ${calls} calls`);
}
