//! Tests HTTPS with the mock's own certificate.

use std::net::SocketAddr;

use reqwest::{Certificate, Client};
use spot_mock::MockSpotify;

use crate::support::{finish, http};

/// Creates a client that trusts only the mock's CA certificate. The client uses Spotify's host
/// names.
fn client(mock: &MockSpotify) -> Client {
    // `http` installs a cryptography provider.
    let _ = http();
    let authority = Certificate::from_pem(mock.authority_pem().unwrap().as_bytes()).unwrap();
    let port = mock.accounts_url().rsplit(':').next().unwrap().parse().unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    Client::builder()
        .tls_certs_only([authority])
        .no_proxy()
        .resolve("api.spotify.com", address)
        .resolve("accounts.spotify.com", address)
        .build()
        .unwrap()
}

#[tokio::test]
async fn clients_with_hardcoded_spotify_hosts_reach_the_mock() {
    let mock = MockSpotify::builder().tls().start().await.unwrap();
    assert!(mock.api_url().starts_with("https://127.0.0.1:"), "{}", mock.api_url());
    let client = client(&mock);
    let port = mock.accounts_url().rsplit(':').next().unwrap().to_owned();
    let token = client
        .post(format!("https://accounts.spotify.com:{port}/api/token"))
        .basic_auth(mock.client_id(), Some(mock.client_secret()))
        .header("content-type", "application/x-www-form-urlencoded")
        .body("grant_type=client_credentials");
    let token = finish(token).await.json()["access_token"].as_str().unwrap().to_owned();
    let artist = &mock.world().artist;
    for host in [format!("https://api.spotify.com:{port}/v1"), mock.api_url().to_owned()] {
        let answer =
            finish(client.get(format!("{host}/artists/{artist}")).bearer_auth(&token)).await;
        assert_eq!((answer.status, answer.json()["id"].as_str().unwrap()), (200, artist.as_str()));
    }
}

#[tokio::test]
async fn a_client_that_does_not_trust_the_mock_ca_cannot_connect() {
    let mock = MockSpotify::builder().tls().start().await.unwrap();
    let other = MockSpotify::builder().tls().start().await.unwrap();
    let error = client(&other).get(mock.api_url()).send().await.unwrap_err();
    assert!(error.is_connect(), "{error:?}");
    // Without TLS, a mock has no CA certificate. A mock with TLS still responds after a failed
    // handshake.
    assert_eq!(MockSpotify::start().await.unwrap().authority_pem(), None);
    let answer = finish(client(&mock).get(mock.api_url())).await;
    assert_eq!(answer.status, 404);
    mock.shutdown().await;
}
