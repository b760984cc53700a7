//! Finds the picture of an artist by name.
//!
//! `cargo run -p spot-sdk --example artist_image [NAME ...]`. The default name is Radiohead.
#![expect(clippy::print_stdout, reason = "the example prints its output to stdout")]

mod support;

use std::error::Error;

use spot_mock::Mode;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let start = support::start(Mode::Development, []).await?;
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mut name = if words.is_empty() { "Radiohead".to_owned() } else { words.join(" ") };
    if let (Some(mock), true) = (&start.mock, words.is_empty()) {
        // `spot-mock` has no real artists.
        name.clone_from(&mock.world().artist_name);
    }
    let found = start.client.search(&name).artists().limit(1).await?;
    let Some(artist) = found.items.first() else {
        println!("No artist is called {name}.");
        return Ok(());
    };
    let image = artist.images.first().map_or("no picture", |image| image.url.as_str());
    println!("{} {image}", artist.name);
    Ok(())
}
