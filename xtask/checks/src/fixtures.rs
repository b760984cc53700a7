//! `cargo xtask fixtures`: records the response of every operation with the project's client.
//!
//! Each example of the spec runs once in each access mode. Each run has its own `spot-mock`, so
//! that no recording depends on an earlier call. With `--live`, the task records Spotify's current
//! responses to the examples that read data. These recordings contain data of other people, so they
//! are not stored in the project.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use spot::{
    AccessMode, Client,
    model::Method,
    net::{AccessToken, Pipeline, ReqwestTransport, Transport, TransportError},
};
use spot_mock::{MockSpotify, Mode};
use xtask::{Error, say};

use crate::{example::Example, generated::examples::EXAMPLES};

/// A recorded exchange, as stored in the project.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
pub(crate) struct Fixture {
    /// Method and path with query: `GET /artists/spotmockArtist00000001`.
    pub(crate) request: String,
    /// Body of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sent: Option<Value>,
    pub(crate) status: u16,
    /// Response headers that are relevant to a client.
    pub(crate) headers: BTreeMap<String, String>,
    /// Body of the response, as JSON if possible and otherwise as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) body: Option<Value>,
}

/// Response headers that are relevant to a client and independent of the server's address.
const HEADERS: &[&str] = &["cache-control", "content-type", "retry-after", "www-authenticate"];

const SPOTIFY: &str = "https://api.spotify.com/v1";

/// Records all fixtures. With `check`, only reports the fixtures that are out of date.
pub(crate) async fn run(root: &Path, check: bool) -> Result<(), Error> {
    let mut stale = Vec::new();
    let mut kept = Vec::new();
    for (mode, name) in [(Mode::Development, "development"), (Mode::Extended, "extended")] {
        for example in EXAMPLES {
            let fixture = record(example, mode).await?;
            let file = match example.case {
                "default" => format!("{name}.json"),
                case => format!("{case}-{name}.json"),
            };
            let path = root.join("fixtures").join(example.operation.name).join(file);
            let text = text(&fixture)?;
            kept.push(path.clone());
            if fs::read_to_string(&path).is_ok_and(|old| old == text) {
                continue;
            }
            if check {
                stale.push(path.strip_prefix(root).unwrap_or(&path).display().to_string());
            } else {
                write(&path, &text)?;
            }
        }
    }
    for path in left_overs(&root.join("fixtures"), &kept) {
        if check {
            stale.push(path.strip_prefix(root).unwrap_or(&path).display().to_string());
        } else {
            fs::remove_file(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }
    say(&format!("{} fixtures of {} examples", kept.len(), EXAMPLES.len()));
    if stale.is_empty() {
        return Ok(());
    }
    Err(format!(
        "some fixtures differ from the responses of spot-mock; run `cargo xtask fixtures`: {}",
        stale.join(", ")
    ))
}

/// Records Spotify's responses to the examples that read data. The environment variable
/// `SPOTIFY_TOKEN` contains the access token. The recordings are written below `target`. Names,
/// e-mail addresses and account ids are replaced before the recordings are written.
pub(crate) async fn live(root: &Path, base_url: &str) -> Result<(), Error> {
    let token = std::env::var("SPOTIFY_TOKEN")
        .map_err(|_| "set SPOTIFY_TOKEN to an access token with all scopes for reading")?;
    let reading = |example: &&Example| example.operation.method == Method::Get;
    let mut failed = 0;
    for example in EXAMPLES.iter().filter(reading) {
        let (recorder, pipeline) = recorder(&token, base_url)?;
        let done = (example.call)(Client::from(pipeline)).done.await;
        match (recorder.first(base_url), done) {
            (Some(mut fixture), Ok(())) => {
                fixture.body.as_mut().map(scrub);
                let file = format!(
                    "target/live-fixtures/{}/{}.json",
                    example.operation.name, example.case
                );
                write(&root.join(file), &text(&fixture)?)?;
                say(&format!("recorded {}", example.operation.name));
            }
            (_, Err(error)) => {
                failed += 1;
                say(&format!("FAILED {}: {error}", example.operation.name));
            }
            (None, Ok(())) => {}
        }
    }
    if failed > 0 { Err(format!("{failed} operations failed")) } else { Ok(()) }
}

/// Records the response to an example. Each example has its own mock.
async fn record(example: &Example, mode: Mode) -> Result<Fixture, Error> {
    let fail = |what: String| format!("{} ({}): {what}", example.operation.name, example.case);
    let mock =
        MockSpotify::builder().mode(mode).seed(7).null_values(true).frozen_clock().start().await;
    let mock = mock.map_err(|error| fail(error.to_string()))?;
    let (recorder, pipeline) = recorder(&mock.user_token_all(), mock.api_url())?;
    // In Extended Quota Mode, the client sends one batch request for several objects. If the mock
    // refuses the batch request, the client does not read the objects one by one.
    let client = Client::from(pipeline).with_access_mode(AccessMode::Extended);
    let done = (example.call)(client).done.await;
    // In Development Mode, the mock refuses many operations, and each refusal is recorded. The
    // client is set to Extended Quota Mode, so the client treats the refusals as ordinary errors.
    let is_closed =
        |error: &spot::Error| error.status().is_some_and(|status| matches!(status, 403 | 404));
    if let Err(error) = done
        && !(mode == Mode::Development && is_closed(&error))
    {
        return Err(fail(error.to_string()));
    }
    let fixture = recorder.first(mock.api_url());
    mock.shutdown().await;
    fixture.ok_or_else(|| fail("the example sent no request".to_owned()))
}

fn recorder(token: &str, base_url: &str) -> Result<(Recorder, Pipeline), Error> {
    let recorder = Recorder {
        inner: Arc::new(ReqwestTransport::builder().build().map_err(|error| error.to_string())?),
        seen: Arc::default(),
    };
    let token = AccessToken::new(token).map_err(|error| error.to_string())?;
    let pipeline = Pipeline::builder(token).transport(recorder.clone()).base_url(base_url).build();
    Ok((recorder, pipeline.map_err(|error| error.to_string())?))
}

/// A transport that records its exchanges.
#[derive(Clone, Debug)]
struct Recorder {
    inner: Arc<ReqwestTransport>,
    seen: Arc<Mutex<Vec<Exchange>>>,
}

type Exchange = (http::Request<bytes::Bytes>, http::Response<bytes::Bytes>);

#[async_trait::async_trait]
impl Transport for Recorder {
    async fn send(
        &self,
        request: http::Request<bytes::Bytes>,
    ) -> Result<http::Response<bytes::Bytes>, TransportError> {
        let response = self.inner.send(request.clone()).await?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.push((request, response.clone()));
        Ok(response)
    }
}

impl Recorder {
    /// Returns the first recorded exchange. The base URL of the server is replaced with Spotify's
    /// base URL.
    fn first(&self, base_url: &str) -> Option<Fixture> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (request, response) = seen.first()?;
        let uri = request.uri().to_string();
        let path = uri.strip_prefix(base_url).unwrap_or(&uri);
        let headers = HEADERS
            .iter()
            .filter_map(|name| {
                let value = response.headers().get(*name)?.to_str().ok()?;
                Some(((*name).to_owned(), value.to_owned()))
            })
            .collect();
        Some(Fixture {
            request: format!("{} {path}", request.method()),
            sent: body(request.body(), base_url),
            status: response.status().as_u16(),
            headers,
            body: body(response.body(), base_url),
        })
    }
}

fn body(bytes: &[u8], base_url: &str) -> Option<Value> {
    if bytes.is_empty() {
        return None;
    }
    let text = String::from_utf8_lossy(bytes).replace(base_url, SPOTIFY);
    Some(serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// Removes personal data from a recording.
fn scrub(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            let is_user = fields.get("type").is_some_and(|kind| kind == "user");
            for (name, value) in fields {
                let personal = matches!(name.as_str(), "display_name" | "email" | "account_id")
                    || is_user && matches!(name.as_str(), "id" | "uri" | "href" | "external_urls");
                if personal && !value.is_null() {
                    *value = Value::String("scrubbed".to_owned());
                } else {
                    scrub(value);
                }
            }
        }
        Value::Array(entries) => entries.iter_mut().for_each(scrub),
        Value::String(text) if text.contains("/users/") || text.contains(":user:") => {
            *text = "scrubbed".to_owned();
        }
        _ => {}
    }
}

fn text(fixture: &Fixture) -> Result<String, Error> {
    let value = serde_json::to_value(fixture).map_err(|error| error.to_string())?;
    let mut text = String::new();
    pretty(&value, 0, &mut text);
    Ok(text + "\n")
}

/// Formats JSON with one field per line. A list of plain values is written on one line, so that a
/// list of countries does not take two hundred lines.
fn pretty(value: &Value, depth: usize, out: &mut String) {
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.push_str(&"  ".repeat(depth));
    };
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            out.push('{');
            for (at, (name, value)) in fields.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                line(out, depth + 1);
                out.push_str(&Value::String(name.clone()).to_string());
                out.push_str(": ");
                pretty(value, depth + 1, out);
            }
            line(out, depth);
            out.push('}');
        }
        Value::Array(entries)
            if entries.iter().any(|entry| entry.is_object() || entry.is_array()) =>
        {
            out.push('[');
            for (at, entry) in entries.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                line(out, depth + 1);
                pretty(entry, depth + 1, out);
            }
            line(out, depth);
            out.push(']');
        }
        plain => out.push_str(&plain.to_string()),
    }
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|error| format!("{}: {error}", parent.display()))?;
    }
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Fixtures of examples that are no longer in the spec.
fn left_overs(dir: &Path, kept: &[PathBuf]) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let mut found = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            found.extend(left_overs(&path, kept));
        } else if path.extension().is_some_and(|ending| ending == "json") && !kept.contains(&path) {
            found.push(path);
        }
    }
    found.sort();
    found
}
