//! Searches for tracks.
//!
//! `cargo run -p spot-sdk --example search [WORDS ...]`
#![expect(clippy::print_stdout, reason = "the example prints its output to stdout")]

mod support;

use std::error::Error;

use spot_mock::Mode;

use crate::support::Start;

/// Number of tracks to print.
const SHOWN: usize = 20;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let Start { client, mock: _mock } = support::start(Mode::Development, []).await?;
    let words: Vec<String> = std::env::args().skip(1).collect();
    let query = if words.is_empty() { "moth".to_owned() } else { words.join(" ") };
    let mut tracks = client.search(query).tracks().stream();
    let mut shown = 0;
    while shown < SHOWN
        && let Some(track) = tracks.try_next().await?
    {
        let artists: Vec<_> = track.artists.iter().map(|artist| artist.name.as_str()).collect();
        println!("{shown:3}  {}  ({})", track.name, artists.join(", "));
        shown += 1;
    }
    println!("{shown} of {}", tracks.total().unwrap_or_default());
    Ok(())
}
