//! A script without `async`: adds the saved tracks of an artist to a playlist.
//!
//! `cargo run -p spot-sdk --features blocking --example blocking_script`
#![expect(clippy::print_stdout, reason = "the example prints its output to stdout")]

use std::error::Error;

use spot::{
    Blocking, BlockingStream, Client,
    auth::{AccessToken, App, Scope},
};
use spot_mock::MockSpotify;

fn main() -> Result<(), Box<dyn Error>> {
    // Uses Spotify if `SPOTIFY_CLIENT_ID` is set, otherwise a `spot-mock`.
    let runtime = tokio::runtime::Runtime::new()?;
    let (client, _mock) = if std::env::var_os("SPOTIFY_CLIENT_ID").is_some() {
        let scopes = [Scope::UserLibraryRead, Scope::PlaylistModifyPrivate];
        (Client::new(App::from_env()?.sign_in(scopes).wait()?)?, None)
    } else {
        let mock = runtime.block_on(MockSpotify::start())?;
        let token = AccessToken::new(&mock.user_token_all())?;
        (Client::builder(token).base_url(mock.api_url()).build()?, Some(mock))
    };
    let mut found = Vec::new();
    for saved in client.library().tracks().stream().iter() {
        let saved = saved?;
        if saved.track.artists.iter().any(|artist| artist.name.starts_with('N')) {
            found.push(saved);
        }
    }
    println!("{} tracks of artists with N", found.len());
    let playlist = client.me().create_playlist("Artists with N").public(false).wait()?;
    client.playlist(&playlist).add(&found).wait()?;
    println!("{} is ready", playlist.name);
    Ok(())
}
