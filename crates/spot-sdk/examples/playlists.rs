//! Lists the playlists of the user, page by page.
//!
//! `cargo run -p spot-sdk --example playlists`
#![expect(clippy::print_stdout, reason = "the example prints its output to stdout")]

mod support;

use std::error::Error;

use spot::auth::Scope;
use spot_mock::Mode;

use crate::support::Start;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let Start { client, mock: _mock } =
        support::start(Mode::Development, [Scope::PlaylistReadPrivate]).await?;
    let mut page = client.me().playlists().limit(20).await?;
    loop {
        for (place, playlist) in page.items.iter().enumerate() {
            let uri = playlist.id.map(|id| id.uri().to_string()).unwrap_or_default();
            println!("{:4}  {uri}  {}", page.offset as usize + place + 1, playlist.name);
        }
        for skipped in &page.skipped {
            println!("      Spotify does not return entry {} to applications", skipped.index + 1);
        }
        let Some(next) = client.next_page(&page).await? else { break };
        page = next;
    }
    Ok(())
}
