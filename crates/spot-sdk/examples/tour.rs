//! A tour of the SDK, in the order a newcomer would ask.
//!
//! Without credentials it starts a `spot-mock` and signs in there. With `SPOTIFY_CLIENT_ID` set it
//! signs in at Spotify in the browser and does the reading half there; it never writes to a real
//! account.
#![expect(clippy::print_stdout, reason = "a program for the command line speaks there")]

use std::error::Error;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use spot::{
    Client, ErrorKind, PlayerReason,
    auth::{App, Session},
    http::Pipeline,
    model::AlbumGroup,
};
use spot_mock::MockSpotify;

const SCOPES: [&str; 4] = [
    "user-library-read",
    "user-read-playback-state",
    "user-modify-playback-state",
    "playlist-modify-private",
];

/// How many saved tracks the tour reads.
const SAVED: usize = 2_000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    match std::env::var("SPOTIFY_CLIENT_ID") {
        Ok(client_id) => {
            println!("Signing in at Spotify; the browser asks for your consent.");
            let app = App::new(client_id).redirect_uri("http://127.0.0.1/callback");
            let session = app.sign_in(SCOPES).await?;
            let client = Client::new(session)?;
            let found = client.search("Radiohead").artists().limit(1).await?;
            let artist = found.items.into_iter().next().ok_or("the search found no artist")?;
            read(&client, artist.id).await?;
        }
        Err(_) => {
            let mock = MockSpotify::start().await?;
            println!("No SPOTIFY_CLIENT_ID: this is a Spotify of our own at {}.", mock.api_url());
            let client = Client::from(
                Pipeline::builder(sign_in(&mock).await?).base_url(mock.api_url()).build()?,
            );
            read(&client, "spotmockArtist00000001").await?;
            write(&client).await?;
        }
    }
    Ok(())
}
