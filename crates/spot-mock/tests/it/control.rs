//! Tests the control interface over HTTP. Tests in any language can use this interface.

use reqwest::Method;
use serde_json::{Value, json};
use spot_mock::MockSpotify;

use crate::support::{Answer, Api, development, finish};

impl Api {
    /// Sends a request to the control interface.
    async fn control(&self, method: Method, url: &str, body: Value) -> Answer {
        let mut request = self.http.request(method, url);
        if !body.is_null() {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        finish(request).await
    }

    async fn post_control(&self, path: &str, body: Value) -> Answer {
        let url = format!("{}/_mock{path}", self.mock.accounts_url());
        self.control(Method::POST, &url, body).await
    }

    async fn put_control(&self, path: &str, body: Value) -> Answer {
        let url = format!("{}/_mock{path}", self.mock.accounts_url());
        self.control(Method::PUT, &url, body).await
    }

    async fn get_control(&self, path: &str) -> Value {
        let url = format!("{}/_mock{path}", self.mock.accounts_url());
        let answer = self.control(Method::GET, &url, Value::Null).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.json()
    }

    async fn delete_control(&self, path: &str) -> Answer {
        let url = format!("{}/_mock{path}", self.mock.accounts_url());
        self.control(Method::DELETE, &url, Value::Null).await
    }
}

#[tokio::test]
async fn control_info_contains_urls_and_credentials() {
    let api = development().await;
    let info = api.get_control("").await;
    assert_eq!(info["api_url"], api.mock.api_url());
    assert_eq!(info["applications"][0]["client_id"], api.mock.client_id());
    assert_eq!(info["applications"][0]["client_secret"], api.mock.client_secret());
    assert_eq!(info["signed_in"], api.mock.world().user.as_str());
    assert_eq!(api.get_control("/world").await["artist"], api.mock.world().artist.as_str());
}

#[tokio::test]
async fn control_reads_and_advances_the_clock() {
    let api = development().await;
    let before = api.get_control("/clock").await["now"].as_str().unwrap().to_owned();
    assert!(before.starts_with("2026-11-02T09:00:"), "{before}");
    let moved = api.post_control("/clock", json!({ "advance_seconds": 3600.5 })).await.json();
    assert!(moved["now"].as_str().unwrap().starts_with("2026-11-02T10:00:"), "{moved}");
    assert_eq!(api.get("/me").await.status, 401, "the token has expired");
}

#[tokio::test]
async fn the_request_log_omits_control_requests_and_can_be_cleared() {
    let api = development().await;
    api.get("/me?x=1").await;
    let requests = api.get_control("/requests").await;
    let expected = json!([{
        "method": "GET", "path": "/v1/me", "query": "x=1", "status": 200,
        "operation": "get-current-users-profile",
    }]);
    assert_eq!(requests["requests"], expected);
    let taken = api.delete_control("/requests").await;
    assert_eq!(taken.json()["requests"], expected);
    assert_eq!(api.get_control("/requests").await["requests"], json!([]));
}

#[tokio::test]
async fn control_injects_single_and_random_faults() {
    let api = development().await;
    let fault = json!({ "kind": "rate_limited", "seconds": 3 });
    let body = json!({ "fault": fault, "operation": "get-current-users-profile", "times": 2 });
    assert_eq!(api.post_control("/faults", body).await.status, 204);
    assert_eq!(api.get("/me/playlists").await.status, 200);
    for _ in 0..2 {
        let refused = api.get("/me").await;
        assert_eq!((refused.status, refused.header("retry-after")), (429, Some("3")));
    }
    assert_eq!(api.get("/me").await.status, 200);

    let odd = json!({ "fault": { "kind": "corrupted", "corruption": "unknown_fields" } });
    api.post_control("/faults", odd).await;
    assert!(api.read("/me").await["something_new"].is_object());
    let answer =
        json!({ "kind": "status", "status": 503, "body": "<p>no", "content_type": "text/html" });
    api.post_control("/faults", json!({ "fault": answer })).await;
    let answer = api.get("/me").await;
    assert_eq!((answer.status, answer.text.as_str()), (503, "<p>no"));

    let chance = json!({ "share": 1, "faults": [{ "kind": "status", "status": 500 }] });
    assert_eq!(api.put_control("/faults/random", chance).await.status, 204);
    assert_eq!(api.get("/me").await.status, 500);
    assert_eq!(api.delete_control("/faults").await.status, 204);
    assert_eq!(api.get("/me").await.status, 200);
}

#[tokio::test]
async fn control_manages_tokens_sign_in_and_consents() {
    let api = development().await;
    let token = api.post_control("/tokens", json!({ "user": "mara.holt", "scopes": [] })).await;
    let token = token.json()["token"].as_str().unwrap().to_owned();
    let url = format!("{}/me", api.mock.api_url());
    let me = finish(api.http.get(&url).bearer_auth(&token)).await;
    assert_eq!(me.json()["id"], "mara.holt");
    let app = api.post_control("/tokens", json!({ "kind": "application" })).await.json();
    let refused = finish(api.http.get(&url).bearer_auth(app["token"].as_str().unwrap())).await;
    assert_eq!(refused.status, 401);

    let signed = json!({ "user": "mara.holt", "consent": "deny" });
    assert_eq!(api.put_control("/sign-in", signed).await.status, 204);
    assert_eq!(api.get_control("").await["signed_in"], "mara.holt");
    let authorize = format!(
        "{}/authorize?client_id={}&response_type=code&redirect_uri=https://example.com/callback",
        api.mock.accounts_url(),
        api.mock.client_id()
    );
    let denied = finish(api.http.get(&authorize)).await;
    assert!(denied.header("location").unwrap().contains("error=access_denied"));

    assert_eq!(api.delete_control("/consents?user=mara.holt").await.status, 204);
    assert_eq!(finish(api.http.get(&url).bearer_auth(&token)).await.status, 401);
    assert_eq!(api.get("/me").await.status, 200, "that of another user stays");
}

#[tokio::test]
async fn control_sets_rate_limits_and_devices() {
    let api = development().await;
    let limits = json!({ "calls": 1, "window_seconds": 5 });
    assert_eq!(api.put_control("/limits", limits).await.status, 204);
    assert_eq!(api.get("/me").await.status, 200);
    assert_eq!(api.get("/me").await.header("retry-after"), Some("5"));
    api.put_control("/limits", json!({})).await;
    let device = json!({ "id": "car", "name": "Car", "type": "Automobile", "is_active": true });
    assert_eq!(api.post_control("/devices", json!({ "device": device })).await.status, 204);
    assert_eq!(api.read("/me/player").await["device"]["type"], "Automobile");
    assert_eq!(api.delete_control("/devices?id=car").await.status, 204);
    assert_eq!(api.get("/me/player").await.status, 204, "the active device is gone");
    let gone = api.delete_control("/devices?id=car").await;
    assert_eq!(
        (gone.status, gone.json()["error"].as_str()),
        (404, Some("id: no device has the id car"))
    );
    assert_eq!(api.delete_control("/devices").await.status, 400);
}

#[tokio::test]
async fn an_advertisement_interrupts_playback() {
    let api = development().await;
    assert_eq!(api.post_control("/advertisement", json!({ "seconds": 20 })).await.status, 204);
    let player = api.read("/me/player").await;
    assert_eq!((&player["currently_playing_type"], &player["item"]), (&json!("ad"), &Value::Null));
    api.post_control("/clock", json!({ "advance_seconds": 21 })).await;
    assert_eq!(api.read("/me/player").await["currently_playing_type"], "track");
}

#[tokio::test]
async fn an_isolated_world_has_separate_settings() {
    let api = development().await;
    let settings = json!({
        "mode": "extended", "closed_2024": true, "null_values": true, "idle": true,
        "redirect_uris": ["https://app.example/back"],
    });
    let created = api.put_control("/worlds/own", settings).await;
    assert_eq!(created.status, 201, "{}", created.text);
    let created = created.json();
    let uris = created["applications"][0]["redirect_uris"].as_array().unwrap();
    assert!(uris.contains(&json!("https://app.example/back")), "{uris:?}");
    let url = format!("{}/tokens", created["control_url"].as_str().unwrap());
    let token = api.control(Method::POST, &url, json!({})).await.json();
    let get = async |path: &str| {
        let url = format!("{}{path}", created["api_url"].as_str().unwrap());
        finish(api.http.get(url).bearer_auth(token["token"].as_str().unwrap())).await
    };
    assert_eq!(get("/me/player").await.status, 204, "nothing plays");
    let lists = get("/me/playlists?limit=50").await.json();
    assert!(lists["items"].as_array().unwrap().contains(&Value::Null));
    assert_eq!(get("/recommendations?seed_genres=pop").await.status, 404, "closed in 2024");
    let refused = api.put_control("/worlds/own", json!({ "idle": 1 })).await.json();
    assert!(refused["error"].as_str().unwrap().starts_with("idle: invalid type"), "{refused}");
}

#[tokio::test]
async fn control_resets_the_state_and_replaces_the_world() {
    let api = development().await;
    let track = api.mock.world().unsaved_track.clone();
    let contains = format!("/me/library/contains?uris=spotify:track:{track}");
    api.put(&format!("/me/library?uris=spotify:track:{track}"), "").await;
    assert_eq!(api.read(&contains).await, json!([true]));
    assert_eq!(api.post_control("/reset", Value::Null).await.status, 204);
    assert_eq!(api.get("/me").await.status, 401, "tokens are gone too");
    let token = api.post_control("/tokens", json!({})).await.json();
    let api = api.with_token(token["token"].as_str().unwrap().to_owned());
    assert_eq!(api.read(&contains).await, json!([false]));

    let world = json!({
        "artists": [{ "name": "Ada Quill" }],
        "albums": [{ "name": "Paper Boats", "artist": "Ada Quill", "tracks": [{ "name": "Slip" }] }],
        "saved_tracks": ["Slip"],
    });
    let replaced = api.put_control("/world", world).await;
    assert_eq!(replaced.status, 200, "{}", replaced.text);
    let token = api.post_control("/tokens", json!({})).await.json();
    let api = api.with_token(token["token"].as_str().unwrap().to_owned());
    let saved = api.read("/me/tracks").await;
    assert_eq!((&saved["total"], &saved["items"][0]["track"]["name"]), (&json!(1), &json!("Slip")));
}

#[tokio::test]
async fn isolated_worlds_have_separate_state() {
    let api = development().await;
    let mut worlds = Vec::new();
    for key in ["one", "two"] {
        let created =
            api.put_control(&format!("/worlds/{key}"), json!({ "mode": "extended" })).await;
        assert_eq!(created.status, 201, "{}", created.text);
        let info = created.json();
        let base = format!("{}/_mock/worlds/{key}", api.mock.accounts_url());
        assert_eq!(info["api_url"], format!("{base}/v1"));
        let tokens = format!("{}/tokens", info["control_url"].as_str().unwrap());
        let token = api.control(Method::POST, &tokens, json!({})).await.json();
        worlds.push((base, token["token"].as_str().unwrap().to_owned()));
    }
    assert_eq!(api.get_control("/worlds").await["worlds"], json!(["one", "two"]));
    let saved = async |(base, token): &(String, String), id: &str| {
        let url = format!("{base}/v1/me/tracks/contains?ids={id}");
        finish(api.http.get(url).bearer_auth(token)).await.json()
    };
    let track = api.mock.world().unsaved_track.clone();
    let (base, token) = &worlds[0];
    let save = api.http.put(format!("{base}/v1/me/tracks?ids={track}"));
    let save = save.header("content-length", "0").bearer_auth(token);
    assert_eq!(finish(save).await.status, 200);
    assert_eq!(saved(&worlds[0], &track).await, json!([true]));
    assert_eq!(saved(&worlds[1], &track).await, json!([false]));
    // Links in the responses of an isolated instance point to this instance. Each isolated
    // instance has its own request log.
    let page = finish(api.http.get(format!("{base}/v1/me/tracks")).bearer_auth(token)).await.json();
    assert!(page["next"].as_str().unwrap().starts_with(&format!("{base}/v1/me/tracks?")));
    let log = format!("{base}/_mock/requests");
    let log = api.control(Method::GET, &log, Value::Null).await.json();
    assert_eq!(log["requests"][0]["path"], "/v1/me/tracks");
    assert_eq!(api.get_control("/requests").await["requests"], json!([]));

    assert_eq!(api.delete_control("/worlds/one").await.status, 204);
    let gone = finish(api.http.get(format!("{base}/v1/me")).bearer_auth(token)).await;
    assert_eq!(gone.status, 404);
    assert!(gone.message().contains("PUT /_mock/worlds/one creates it"), "{}", gone.text);
    assert_eq!(api.put_control("/worlds/a%20b", json!({})).await.status, 400);
}

#[tokio::test]
async fn control_errors_name_the_path_of_the_invalid_field() {
    let api = development().await;
    for (path, body, expected) in [
        ("/clock", json!({ "advance_seconds": "1" }), "advance_seconds: invalid type"),
        ("/clock", json!({ "advance_seconds": -1 }), "advance_seconds: "),
        ("/faults", json!({ "fault": { "kind": "rain" } }), "fault.kind: unknown variant `rain`"),
        (
            "/faults",
            json!({ "fault": { "kind": "reset" }, "operation": "get-a-life" }),
            "operation: get-a-life is not an operation of the Web API",
        ),
        ("/tokens", json!({ "user": "nobody" }), "user: no user has the id nobody"),
        (
            "/tokens",
            json!({ "scopes": ["user-read-mind"] }),
            "scopes: user-read-mind is not a scope",
        ),
        ("/tokens", json!({ "usr": "x" }), "usr: unknown field `usr`"),
        ("/devices", json!({ "device": { "id": "car" } }), "device: missing field `name`"),
    ] {
        let refused = api.post_control(path, body).await;
        assert_eq!(refused.status, 400, "{}", refused.text);
        let message = refused.json()["error"].as_str().unwrap().to_owned();
        assert!(message.starts_with(expected), "{message}");
    }
    let world = json!({ "albums": [{ "name": "A", "artist": "Nobody" }] });
    let refused = api.put_control("/world", world).await.json();
    let expected = "world: albums[0].artist: no artist has the name or the id Nobody";
    assert_eq!(refused["error"], expected);
    let text = api.http.post(format!("{}/_mock/tokens", api.mock.accounts_url())).body("{}");
    assert_eq!(finish(text).await.status, 415);
    assert_eq!(api.delete_control("/clock").await.status, 405);
    assert_eq!(api.post_control("/nowhere", Value::Null).await.status, 404);
}

#[tokio::test]
async fn the_openapi_document_describes_every_control_operation() {
    let api = development().await;
    let document = api.get_control("/openapi.json").await;
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().unwrap();
    let operations: usize = paths.values().map(|path| path.as_object().unwrap().len()).sum();
    assert_eq!(operations, 23);
    assert_eq!(
        document["paths"]["/faults"]["post"]["requestBody"]["content"]["application/json"]["schema"]
            ["$ref"],
        "#/components/schemas/Inject"
    );
    // Every reference in the document has a target.
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
    let schemas = document["components"]["schemas"].as_object().unwrap();
    assert!(schemas.contains_key("World") && schemas.contains_key("WorldIds"), "{schemas:?}");
}

#[tokio::test]
async fn control_can_be_disabled_and_requires_loopback_by_default() {
    let off = Api::new(MockSpotify::builder().control(false).start().await.unwrap());
    assert!(!off.mock.has_control());
    let url = format!("{}/_mock", off.mock.accounts_url());
    assert_eq!(finish(off.http.get(&url)).await.status, 404);
    let open = MockSpotify::builder().bind("0.0.0.0".parse().unwrap());
    let open = Api::new(open.start().await.unwrap());
    assert!(!open.mock.has_control());
    let asked = MockSpotify::builder().bind("0.0.0.0".parse().unwrap()).control(true);
    assert!(asked.start().await.unwrap().has_control());
}
