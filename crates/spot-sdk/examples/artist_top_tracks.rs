//! Lists the top tracks of an artist, with links to a preview and to the cover.
//!
//! `cargo run -p spot-sdk --example artist_top_tracks [ARTIST]`. `ARTIST` is an id, a URI or a URL.
//! Spotify has refused this call for applications in Development Mode since 2026; the example then
//! prints a message.
#![expect(clippy::print_stdout, reason = "the example prints its output to stdout")]

mod support;

use std::error::Error;

use spot::ErrorKind;
use spot_mock::Mode;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let start = support::start(Mode::Extended, []).await?;
    let online = "spotify:artist:36QJpDe2go2KgaRleHCDTp";
    let given = std::env::args().nth(1);
    let artist = match &start.mock {
        Some(mock) => given.unwrap_or_else(|| mock.world().artist.clone()),
        None => given.unwrap_or_else(|| online.to_owned()),
    };
    let tracks = match start.client.artist(artist).top_tracks().await {
        Ok(tracks) => tracks,
        Err(error) if error.kind() == ErrorKind::Restricted => {
            println!("{error}");
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    for track in tracks.into_iter().take(10) {
        println!("track    : {}", track.name);
        println!("audio    : {}", track.preview_url.as_deref().unwrap_or("no preview"));
        let cover = track.album.images.first().map(|image| image.url.as_str());
        println!("cover art: {}\n", cover.unwrap_or("no cover"));
    }
    Ok(())
}
