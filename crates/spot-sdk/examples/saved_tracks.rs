//! Lists the user's saved tracks.
//!
//! `cargo run -p spot-sdk --example saved_tracks`
#![expect(clippy::print_stdout, reason = "the example prints its output to stdout")]

mod support;

use std::error::Error;

use spot::auth::Scope;
use spot_mock::Mode;

use crate::support::Start;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let Start { client, mock: _mock } =
        support::start(Mode::Development, [Scope::UserLibraryRead]).await?;
    let mut saved = client.library().tracks().stream();
    let mut count = 0;
    while let Some(saved) = saved.try_next().await? {
        let artist = saved.track.artists.first().map_or("", |artist| artist.name.as_str());
        println!("{artist:32.32}  {}", saved.track.name);
        count += 1;
    }
    println!("{count} tracks");
    Ok(())
}
