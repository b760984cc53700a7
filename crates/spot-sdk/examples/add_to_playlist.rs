//! Adds any number of tracks to a playlist. The tracks are ids, URIs or URLs.
//!
//! `cargo run -p spot-sdk --example add_to_playlist PLAYLIST TRACK ...`. The example changes only
//! the given playlist. Without arguments and credentials, the example creates a playlist in a
//! `spot-mock`.
#![expect(clippy::print_stdout, reason = "a program for the command line speaks there")]

mod support;

use std::error::Error;

use spot::auth::Scope;
use spot_mock::Mode;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let scopes =
        [Scope::PlaylistModifyPublic, Scope::PlaylistModifyPrivate, Scope::PlaylistReadPrivate];
    let mut arguments = std::env::args().skip(1);
    let playlist = arguments.next();
    let mut tracks: Vec<String> = arguments.collect();
    let start = support::start(Mode::Development, scopes).await?;
    let playlist = match (playlist, &start.mock) {
        (Some(playlist), _) => Some(playlist.parse()?),
        (None, Some(mock)) => {
            let track = &mock.world().track;
            tracks.push(track.clone());
            tracks.push(format!("spotify:track:{}", mock.world().saved_track));
            tracks.push(format!("https://open.spotify.com/track/{track}?si=1"));
            start.client.me().create_playlist("From the command line").await?.id
        }
        (None, None) => return Err("pass a playlist and at least one track as arguments".into()),
    };
    match start.client.playlist(playlist).add(&tracks).await? {
        Some(snapshot) => println!("{} tracks added; the playlist is at {snapshot}", tracks.len()),
        None => println!("no track was given"),
    }
    let page = start.client.playlist(playlist).items().limit(1).await?;
    println!("the playlist now contains {} items", page.total.unwrap_or_default());
    Ok(())
}
