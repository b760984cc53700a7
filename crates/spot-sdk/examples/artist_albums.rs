//! Lists all albums of an artist, in Spotify's order.
//!
//! `cargo run -p spot-sdk --example artist_albums [ARTIST]`. `ARTIST` is an id, a URI or a URL.
#![expect(clippy::print_stdout, reason = "the example prints its output to stdout")]

mod support;

use std::error::Error;

use spot_mock::Mode;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let start = support::start(Mode::Development, []).await?;
    let online = "spotify:artist:2WX2uTcsvV5OnS0inACecP";
    let given = std::env::args().nth(1);
    let artist = match &start.mock {
        Some(mock) => given.unwrap_or_else(|| mock.world().artist.clone()),
        None => given.unwrap_or_else(|| online.to_owned()),
    };
    let artist = start.client.artist(artist).await?;
    println!("{}", artist.name);
    let mut albums = start.client.artist(artist.id).albums().stream();
    while let Some(album) = albums.try_next().await? {
        let kind = album.album_type.map(|kind| kind.to_string()).unwrap_or_default();
        let date = album.release_date.map(|date| date.to_string()).unwrap_or_default();
        println!("  {date:10}  {kind:11}  {}", album.name);
    }
    Ok(())
}
