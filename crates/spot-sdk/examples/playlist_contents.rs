//! Lists the contents of all playlists that the user owns.
//!
//! `cargo run -p spot-sdk --example playlist_contents`
#![expect(clippy::print_stdout, reason = "the example prints its output to stdout")]

mod support;

use std::error::Error;

use spot::auth::Scope;
use spot_mock::Mode;

use crate::support::Start;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let scopes = [Scope::PlaylistReadPrivate, Scope::PlaylistReadCollaborative];
    let Start { client, mock: _mock } = support::start(Mode::Development, scopes).await?;
    let me = client.me().await?.id;
    let mut playlists = client.me().playlists().stream();
    while let Some(playlist) = playlists.try_next().await? {
        if playlist.owner.id.as_ref() != Some(&me) {
            continue;
        }
        let mut items = client.playlist(playlist.id).items().stream();
        println!("\n{}", playlist.name);
        let mut place = 0;
        while let Some(entry) = items.try_next().await? {
            place += 1;
            match entry.item {
                Some(item) => println!("{place:5}  {}", item.name()),
                None => println!("{place:5}  (taken down)"),
            }
        }
        println!("  {place} of {}", items.total().unwrap_or_default());
    }
    Ok(())
}
