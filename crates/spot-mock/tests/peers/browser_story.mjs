// A page with the official TypeScript SDK runs in headless Chromium. The page signs in with PKCE
// and reads a library. Chromium maps Spotify's host names to a mock with TLS. The SDK and the page
// are thus the same as with Spotify, and every request crosses origins.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { CLIENT_ID, SCOPES, count, end, same } from "./story.mjs";

const { env } = process;
// `import.meta.dirname` does not exist in the Node version of Debian 12.
const here = dirname(fileURLToPath(import.meta.url));
const sdk = join(dirname(createRequire(import.meta.url).resolve("@spotify/web-api-ts-sdk")), "../mjs");
const work = mkdtempSync(join(tmpdir(), "spot-mock-browser-"));
const picture = env.SPOT_MOCK_SCREENSHOT ?? join(work, "page.png");

let report;
const reported = new Promise((resolve) => { report = resolve; });
const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, "http://127.0.0.1");
  const send = (type, text) => response.setHeader("content-type", type).end(text);
  if (pathname === "/settings") {
    send("application/json", JSON.stringify({ client_id: CLIENT_ID, scopes: SCOPES }));
  } else if (pathname === "/result") {
    let text = "";
    request.on("data", (part) => { text += part; });
    request.on("end", () => { send("text/plain", ""); report(JSON.parse(text)); });
  } else if (pathname === "/sdk_calls.mjs") {
    send("text/javascript", readFileSync(join(here, "sdk_calls.mjs")));
  } else if (pathname.startsWith("/sdk/") && !pathname.includes("..")) {
    send("text/javascript", readFileSync(join(sdk, pathname.slice("/sdk/".length))));
  } else {
    send("text/html", readFileSync(join(here, "browser.html")));
  }
});
await new Promise((resolve) => { server.listen(0, "127.0.0.1", resolve); });
const page = `http://127.0.0.1:${server.address().port}/`;

const { port } = new URL(env.SPOT_MOCK_API);
const mapped = ["api", "accounts"].map((host) => `MAP ${host}.spotify.com:443 127.0.0.1:${port}`);
const chromium = spawn(env.SPOT_MOCK_CHROMIUM ?? "chromium", [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
  `--user-data-dir=${join(work, "profile")}`, "--window-size=800,600", "--remote-debugging-pipe",
  `--host-resolver-rules=${mapped.join(",")}`,
  // The system does not trust the mock's CA certificate. Other test scripts test this trust.
  "--ignore-certificate-errors",
], { stdio: ["ignore", "ignore", "pipe", "pipe", "pipe"] });
let complaints = "";
chromium.stderr.on("data", (part) => { complaints += part; });
const late = setTimeout(() => report({ error: `no result: ${complaints}` }), 30_000);

// The DevTools protocol sends JSON messages. A zero byte follows each message.
const waiting = new Map();
let read = "";
chromium.stdio[4].on("data", (part) => {
  read += part;
  const messages = read.split("\0");
  read = messages.pop();
  for (const message of messages.map((text) => JSON.parse(text))) {
    waiting.get(message.id)?.(message.result ?? message.error);
  }
});
function tell(method, params, sessionId) {
  const id = waiting.size + 1;
  chromium.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
  return new Promise((resolve) => { waiting.set(id, resolve); });
}
const { targetId } = await tell("Target.createTarget", { url: page });

const result = await reported;
same(result.error, undefined, "the page works");
for (const { found, wanted, what } of result.checks) {
  same(found, wanted, what);
}
count(result.calls);
same(`${result.origin}/`, page, "all of it from another origin");
const { sessionId } = await tell("Target.attachToTarget", { targetId, flatten: true });
const { data } = await tell("Page.captureScreenshot", {}, sessionId);
writeFileSync(picture, Buffer.from(data, "base64"));
same(data.length > 5_000, true, "the screenshot shows something");
clearTimeout(late);
const ended = new Promise((resolve) => { chromium.on("exit", resolve); });
await tell("Browser.close", {});
await ended;
server.close();
server.closeAllConnections();
rmSync(work, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
end();
