//! A tour of the SDK for newcomers.
//!
//! Without credentials, the tour starts a `spot-mock` and signs in at this mock. If
//! `SPOTIFY_CLIENT_ID` is set, the tour signs in at Spotify in the browser, and runs only the
//! part that reads data. The tour never changes a real account.
#![expect(clippy::print_stdout, reason = "the example prints its output to stdout")]

mod support;

use std::{error::Error, fmt};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use spot::{
    Client, ErrorKind, PlayerReason,
    auth::Scope,
    model::{AlbumGroup, ArtistId, IntoId, PlayableUri},
};
use spot_mock::Mode;

const SCOPES: [Scope; 5] = [
    Scope::UserLibraryRead,
    Scope::PlaylistReadPrivate,
    Scope::UserReadPlaybackState,
    Scope::UserModifyPlaybackState,
    Scope::PlaylistModifyPrivate,
];

/// Number of saved tracks that the tour reads.
const SAVED: usize = 2_000;

/// Number of tracks that the tour adds to the new playlist.
const ADDED: usize = 150;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let start = support::start(Mode::Development, SCOPES).await?;
    let client = start.client;
    let Some(mock) = start.mock else {
        println!("Signed in at Spotify.");
        let found = client.search("Radiohead").artists().limit(1).await?;
        let artist = found.items.first().ok_or("the search found no artist")?.id;
        read(&client, artist).await?;
        println!("\nThe tour skips the part that writes, because this is a real account.");
        next_steps();
        return Ok(());
    };
    println!("SPOTIFY_CLIENT_ID is not set, so the tour uses a mock server.");
    println!("  {}", mock.api_url());
    println!("Signed in with PKCE.");
    let saved = read(&client, "spotmockArtist00000001").await?;
    write(&client, saved).await?;
    println!("\nThe server received {} requests.", mock.requests().len());
    mock.shutdown().await;
    next_steps();
    Ok(())
}

/// Prints the next steps after the tour.
fn next_steps() {
    println!("\nNext steps");
    println!("  Run the tour at Spotify: set SPOTIFY_CLIENT_ID, and register");
    println!("    http://127.0.0.1/callback");
    println!("  Read the guides:");
    println!("    https://docs.rs/spot-sdk/latest/spot/guide");
    println!("  Read the other examples:");
    println!("    crates/spot-sdk/examples");
}

/// Runs the part of the tour that only reads data. Returns the saved tracks.
async fn read(
    client: &Client,
    artist: impl IntoId<ArtistId>,
) -> Result<Vec<PlayableUri>, Box<dyn Error>> {
    let artist = client.artist(artist).await?;
    println!("\nAlbums of {}", artist.name);
    println!("  {}", artist.id.uri());
    let mut albums = client.artist(artist.id).albums().groups([AlbumGroup::Album]).stream();
    while let Some(album) = albums.try_next().await? {
        let date = album.release_date.map(|date| date.to_string()).unwrap_or_default();
        println!("  {date:10}  {}", album.name);
    }

    println!("\nThe first {SAVED} saved tracks (the stream prefetches four pages)");
    let mut saved = client.library().tracks().stream();
    let style = ProgressStyle::with_template("  {wide_bar} {pos}/{len}, {rate} ")?.with_key(
        "rate",
        |bar: &ProgressState, text: &mut dyn fmt::Write| {
            // If `write!` fails, the progress bar shows no rate.
            let _ = write!(text, "{:.0} items/s", bar.per_sec());
        },
    );
    let bar = ProgressBar::new(SAVED as u64).with_style(style);
    let mut uris = Vec::new();
    while uris.len() < SAVED
        && let Some(saved) = saved.try_next().await?
    {
        uris.extend(saved.track.id.map(PlayableUri::from));
        bar.inc(1);
    }
    bar.finish();
    println!("  {} of {}", uris.len(), saved.total().unwrap_or_default());

    println!("\nA search for \"moth\"");
    let mut tracks = client.search("moth").tracks().stream();
    for _ in 0..3 {
        let Some(track) = tracks.try_next().await? else { break };
        let artists: Vec<_> = track.artists.iter().map(|artist| artist.name.as_str()).collect();
        println!("  {} by {}", track.name, artists.join(", "));
    }

    println!("\nPlaying now");
    match client.player().state().await? {
        Some(state) => {
            let name = state.item.as_ref().map(|item| item.name()).unwrap_or("something");
            let device = state.device.map(|device| device.name).unwrap_or_default();
            println!("  {name} on {device}");
        }
        None => println!("  nothing"),
    }
    Ok(uris)
}

/// Runs the part that writes.
async fn write(client: &Client, saved: Vec<PlayableUri>) -> Result<(), spot::Error> {
    let playlist = client.me().create_playlist("Tour").public(false).await?;
    let some: Vec<_> = saved.into_iter().take(ADDED).collect();
    client.playlist(playlist.id).add(&some).await?;
    let page = client.playlist(playlist.id).items().limit(1).await?;
    println!("\nCreated the playlist \"{}\"", playlist.name);
    println!("  {} tracks", page.total.unwrap_or(0));

    println!("\nPausing twice: the player refuses the second time");
    client.player().pause().await?;
    if let Err(error) = client.player().pause().await {
        match error.kind() {
            ErrorKind::Player(PlayerReason::NoActiveDevice) => println!("  no device is active"),
            ErrorKind::Player(reason) => println!("  {reason}\n  {error}"),
            _ => return Err(error),
        }
    }
    Ok(())
}
