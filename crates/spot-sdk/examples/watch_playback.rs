//! Prints the events of the player.
//!
//! `cargo run -p spot-sdk --example watch_playback`. With credentials, the example only reads, and
//! runs until it is interrupted. Without credentials, the example watches a simulated listener at a
//! `spot-mock`, and ends when the listener stops.
#![expect(clippy::print_stdout, reason = "the example prints its output to stdout")]

mod support;

use std::{error::Error, time::Duration};

use spot::{Client, PlaybackChange, PlaybackEvent, PlaybackWatch, WatchHandle, auth::Scope};
use spot_mock::{Device, MockSpotify, Mode};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let scopes = [Scope::UserReadPlaybackState, Scope::UserModifyPlaybackState];
    let start = support::start(Mode::Development, scopes).await?;
    let watch = start.client.player().watch();
    let Some(mock) = start.mock else {
        return Ok(print_events(watch, false).await?);
    };
    let handle = watch.handle();
    tokio::try_join!(print_events(watch, true), listen(&mock, &start.client, &handle))?;
    let polls = mock.requests().iter().filter(|request| request.path == "/v1/me/player").count();
    println!("The watch sent {polls} requests.");
    Ok(())
}

async fn print_events(mut watch: PlaybackWatch, until_stopped: bool) -> Result<(), spot::Error> {
    while let Some(event) = watch.try_next().await? {
        print_event(&event);
        if until_stopped && matches!(event.change, PlaybackChange::Stopped) {
            break;
        }
    }
    Ok(())
}

fn print_event(event: &PlaybackEvent) {
    let position = event.state.as_ref().and_then(|state| state.progress).unwrap_or_default();
    let name = |item: &Option<_>| match item {
        Some(item) => spot::model::PlayableItem::name(item).to_owned(),
        None => "something without a name".to_owned(),
    };
    match &event.change {
        PlaybackChange::Initial => match &event.state {
            Some(state) => println!("{} is there, at {position:.0?}", name(&state.item)),
            None => println!("nothing plays"),
        },
        PlaybackChange::ItemChanged { from, to } => println!("{} after {}", name(to), name(from)),
        PlaybackChange::Sought { from, to } => println!("from {from:.0?} to {to:.0?}"),
        PlaybackChange::DeviceChanged { to: Some(device), .. } => println!("on {}", device.name),
        PlaybackChange::VolumeChanged { to: Some(volume), .. } => println!("volume {volume} %"),
        PlaybackChange::Throttled { wait, .. } => println!("no news for {wait:?}"),
        PlaybackChange::Interrupted { error } => println!("trying again: {error}"),
        other => println!("{other:?}"),
    }
}

/// Simulates a user: sends a playback command every half second, and finally switches the speaker
/// off.
async fn listen(
    mock: &MockSpotify,
    client: &Client,
    watch: &WatchHandle,
) -> Result<(), spot::Error> {
    let pause = || async {
        watch.refresh_now();
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    let player = client.player();
    pause().await;
    player.next().await?;
    pause().await;
    player.pause().await?;
    pause().await;
    player.play().await?;
    pause().await;
    player.seek(Duration::from_secs(90)).await?;
    pause().await;
    mock.add_device(Device::new("garden", "Garden"));
    player.device("Garden").ready(Duration::from_secs(10)).await?;
    pause().await;
    mock.remove_device("garden");
    watch.refresh_now();
    Ok(())
}
