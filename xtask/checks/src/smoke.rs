//! `cargo xtask smoke`: calls every operation once with the project's client.
//!
//! Calls are counted by method and path. Calls with the same method and path are counted once, for
//! example the call for following artists and the call for following users. `GET /me/top/{type}` is
//! counted twice, because the SDK has one path for artists and one path for tracks. Therefore the
//! total is 97, although the API has 96 operations. An operation fails if any of its calls fails.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use http::Uri;
use spot::{
    AccessMode, Client,
    model::{Access, Method},
    net::{AccessToken, Pipeline, ReqwestTransport, Transport, TransportError, async_trait},
};
use spot_mock::{MockSpotify, Mode};
use xtask::{Error, say};

use crate::{
    example::{Example, compare},
    generated::examples::EXAMPLES,
};

/// Calls every operation of a `spot-mock` in Extended Quota Mode. With a base URL, calls the
/// operations of that server instead. With a base URL and without `all`, calls only operations that
/// read data and are available to all applications.
pub(crate) async fn run(
    base_url: Option<&str>,
    token: Option<&str>,
    all: bool,
) -> Result<(), Error> {
    let mut operations: BTreeMap<(&str, &str), Result<(), String>> = BTreeMap::new();
    let chosen = |example: &&Example| {
        let harmless =
            example.operation.method == Method::Get && example.operation.access == Access::Any;
        example.case == "default" && (base_url.is_none() || all || harmless)
    };
    let server = match base_url {
        Some(base_url) => Some(Server::new(base_url, token.unwrap_or("token")).await?),
        None => None,
    };
    for example in EXAMPLES.iter().filter(chosen) {
        let done = call(example, server.as_ref()).await?;
        let operation = example.operation;
        match &done {
            Ok(()) => say(&format!("passed {} ({operation})", operation.name)),
            Err(error) => say(&format!("FAILED {} ({operation}): {error}", operation.name)),
        }
        let outcome =
            operations.entry((operation.method.as_str(), operation.path)).or_insert(Ok(()));
        if done.is_err() {
            *outcome = done;
        }
    }
    let failed = operations.values().filter(|outcome| outcome.is_err()).count();
    say(&format!("{} passed, {failed} failed", operations.len() - failed));
    if failed > 0 { Err("some operations failed".to_owned()) } else { Ok(()) }
}

/// Runs an example. The inner error is the reason for a failure: an unsuccessful status, a response
/// that cannot be decoded, or a request for another operation.
async fn call(example: &Example, server: Option<&Server>) -> Result<Result<(), String>, Error> {
    if let Some(server) = server {
        let call = (example.call)(server.client.clone());
        return Ok(call.done.await.map_err(|error| error.to_string()));
    }
    // Each call has its own mock, so that no call depends on another.
    let mock = MockSpotify::builder().mode(Mode::Extended).start().await;
    let mock = mock.map_err(|error| error.to_string())?;
    let client = client(&mock.user_token_all(), mock.api_url())?;
    let call = (example.call)(client);
    let mut done = call.done.await.map_err(|error| error.to_string());
    let asked = mock.requests();
    if done.is_ok() && !asked.iter().any(|request| request.operation == Some(example.operation.id))
    {
        done =
            Err(format!("the mock received no request for the operation; it received {asked:?}"));
    }
    done = done.and_then(|()| compare(&call.requests, &asked));
    mock.shutdown().await;
    Ok(done)
}

fn client(token: &str, base_url: &str) -> Result<Client, Error> {
    let token = AccessToken::new(token).map_err(|error| error.to_string())?;
    let pipeline = Pipeline::builder(token).base_url(base_url).attempts(1).build();
    let pipeline = pipeline.map_err(|error| error.to_string())?;
    Ok(Client::from(pipeline).with_access_mode(AccessMode::Extended))
}

/// A server that was not started by this program.
struct Server {
    client: Client,
}

impl Server {
    async fn new(base_url: &str, token: &str) -> Result<Self, Error> {
        let plain = client(token, base_url)?;
        if !base_url.starts_with(Pipeline::SPOTIFY) {
            return Ok(Self { client: plain });
        }
        // Only the owner and collaborators of a playlist can read its items.
        let mine = plain.me().playlists().limit(1).await.map_err(|error| error.to_string())?;
        let playlist = mine.items.first().and_then(|playlist| Some(playlist.id?.to_string()));
        let transport = ReqwestTransport::builder().build().map_err(|error| error.to_string())?;
        let transport = SpotifyIds { inner: Arc::new(transport), playlist };
        let token = AccessToken::new(token).map_err(|error| error.to_string())?;
        let pipeline = Pipeline::builder(token).base_url(base_url).transport(transport).build();
        Ok(Self { client: pipeline.map_err(|error| error.to_string())?.into() })
    }
}

/// Replaces the ids of the examples, which exist only in spot-mock, with ids that exist at Spotify.
#[derive(Debug)]
struct SpotifyIds {
    inner: Arc<dyn Transport>,
    playlist: Option<String>,
}

/// Maps a prefix of spot-mock's ids to the id of an object of the same type at Spotify.
const IDS: &[(&str, &str)] = &[
    ("spotmockAlbum", "4aawyAB9vmqN3uQ7FjRGTy"),
    ("spotmockArtist", "0OdUWJ0sBjDrqHygGUXeCF"),
    ("spotmockAudiobook", "7iHfbu1YPACw6oZPAFJtqe"),
    ("spotmockChapter", "0D5wENdkdwbqlrHoaJ9g29"),
    ("spotmockEpisode", "512ojhOuo1ktJprKbVcKyQ"),
    ("spotmockPlaylist", "3cEYpjA9oz9GiPac4AsH4n"),
    ("spotmockShow", "38bS44xjbVVZ3No3ByF1dJ"),
    ("spotmockTrack", "11dFghVXANMlKmJXsNCbNl"),
];

impl SpotifyIds {
    fn replace(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("spotmock") {
            let (before, from) = rest.split_at(at);
            out.push_str(before);
            let known = IDS.iter().find(|(start, _)| from.starts_with(start));
            // Ids have 22 characters.
            let (Some((start, id)), Some((_, after))) = (known, from.split_at_checked(22)) else {
                out.push_str(from);
                return out;
            };
            let own = self.playlist.as_deref().filter(|_| *start == "spotmockPlaylist");
            out.push_str(own.unwrap_or(id));
            rest = after;
        }
        out + rest
    }
}

#[async_trait]
impl Transport for SpotifyIds {
    async fn send(
        &self,
        mut request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        // If the new URI is invalid, the request is sent with its old URI, and the server refuses
        // the request.
        if let Ok(uri) = self.replace(&request.uri().to_string()).parse::<Uri>() {
            *request.uri_mut() = uri;
        }
        self.inner.send(request).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_operation_example_succeeds_against_the_mock() {
        run(None, None, false).await.unwrap();
    }

    #[tokio::test]
    async fn only_get_requests_are_sent_to_another_server() {
        let mock = MockSpotify::start().await.unwrap();
        run(Some(mock.api_url()), Some(&mock.user_token_all()), false).await.unwrap();
        let requests = mock.requests();
        assert!(requests.len() > 20, "{}", requests.len());
        assert!(requests.iter().all(|request| request.method == "GET"));
        assert!(requests.iter().all(|request| request.status < 400));
    }

    #[test]
    fn mock_ids_are_replaced_by_spotify_ids() {
        let inner = Arc::new(ReqwestTransport::builder().build().unwrap());
        let ids = SpotifyIds { inner, playlist: Some("mine".to_owned()) };
        let replaced = ids.replace(
            "/v1/tracks?ids=spotmockTrack000000001,spotmockTrack000000002&p=spotmockPlaylist000001",
        );
        let id = "11dFghVXANMlKmJXsNCbNl";
        assert_eq!(replaced, format!("/v1/tracks?ids={id},{id}&p=mine"));
        for (start, _) in IDS {
            let used = EXAMPLES.iter().any(|example| {
                let client = client("token", "http://127.0.0.1:1").unwrap();
                let requests = (example.call)(client).requests;
                requests.iter().any(|request| request.path_and_query().contains(start))
            });
            assert!(used, "no example has an id that starts with {start}");
        }
    }
}
