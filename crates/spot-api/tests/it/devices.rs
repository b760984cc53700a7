//! Tests of waiting for a device, and of reading new tracks in the library.

use std::time::Duration;

use chrono::{DateTime, Utc};
use spot_api::{ErrorKind, PlayerReason};
use spot_mock::{Device, Fault, MockSpotify};
use tokio::time::{Instant, sleep};

use crate::support::client;

const TRANSFER: &str = "transfer-a-users-playback";

#[tokio::test(start_paused = true)]
async fn ready_waits_for_a_device_and_transfers_playback() {
    let mock = MockSpotify::start().await.unwrap();
    let client = client(&mock);
    let start = Instant::now();
    let waiting = tokio::spawn({
        let player = client.player();
        async move { player.device("garden").ready(Duration::from_secs(30)).await }
    });
    sleep(Duration::from_secs(5)).await;
    // For some seconds after a device appears, some of Spotify's servers do not know the device.
    for _ in 0..2 {
        let unknown = r#"{"error":{"status":404,"message":"Device not found"}}"#;
        mock.fail_next_on(TRANSFER, Fault::status(404).body("application/json", unknown));
    }
    mock.add_device(Device::new("g1", "Garden"));
    let device = waiting.await.unwrap().unwrap();
    assert_eq!((device.name.as_str(), device.is_active), ("Garden", true));
    assert!(start.elapsed() < Duration::from_secs(25), "{:?}", start.elapsed());
    let state = client.player().state().await.unwrap().unwrap();
    assert_eq!(state.device.unwrap().name, "Garden");
    assert!(state.is_playing, "what played plays on");
    // Selecting the active device by id takes one request.
    let calls = mock.take_requests().len();
    assert!(calls > 0);
    client.player().device("g1").ready(Duration::from_secs(1)).await.unwrap();
    assert_eq!(mock.take_requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_missing_device_times_out_and_the_error_lists_devices() {
    let mock = MockSpotify::builder().idle(true).start().await.unwrap();
    let start = Instant::now();
    let waited = client(&mock).player().device("Bathroom").ready(Duration::from_secs(10)).await;
    let error = waited.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(start.elapsed().as_secs(), 10);
    let devices = client(&mock).player().devices().await.unwrap();
    for device in devices {
        assert!(error.message().contains(&device.name), "{error}");
    }
}

#[tokio::test]
async fn ready_fails_for_an_uncontrollable_device() {
    let mock = MockSpotify::start().await.unwrap();
    mock.add_device(Device::new("tv", "Guest room").restricted());
    let client = client(&mock);
    let error = client.player().device("guest room").ready(Duration::from_secs(60)).await;
    assert!(error.as_ref().unwrap_err().message().contains("accepts no commands"), "{error:?}");
    let without_id = r#"{"devices":[{"id":null,"name":"Attic","is_restricted":false}]}"#;
    let devices = Fault::status(200).body("application/json", without_id);
    mock.fail_next_on("get-a-users-available-devices", devices);
    let error = client.player().device("attic").ready(Duration::from_secs(60)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Player(PlayerReason::DeviceNotControllable));
    assert!(error.message().contains("has no id"), "{error}");
    // If two devices have the same name, the device that accepts commands is chosen.
    mock.add_device(Device::new("tv2", "Guest Room"));
    let ready = client.player().device("guest room").ready(Duration::from_secs(60)).await.unwrap();
    assert_eq!(ready.id.unwrap().as_str(), "tv2");
}

#[tokio::test]
async fn ready_without_premium_is_an_error() {
    let mock = MockSpotify::builder().premium(false).start().await.unwrap();
    mock.add_device(Device::new("g1", "Garden"));
    let waited = client(&mock).player().device("Garden").ready(Duration::from_secs(60)).await;
    assert_eq!(waited.unwrap_err().kind(), ErrorKind::Player(PlayerReason::PremiumRequired));
}

#[tokio::test]
async fn changes_since_reads_new_tracks_with_a_single_request() {
    let mock = MockSpotify::start().await.unwrap();
    let client = client(&mock);
    let long_ago = DateTime::<Utc>::MIN_UTC;
    let all = client.library().changes_since(long_ago).await.unwrap();
    assert_eq!((all.added.len(), all.total), (2_345, Some(2_345)));

    mock.take_requests();
    let nothing = client.library().changes_since(all.newest).await.unwrap();
    assert_eq!((nothing.added.len(), nothing.newest), (0, all.newest));
    assert_eq!(mock.take_requests().len(), 1);

    mock.advance(Duration::from_secs(60));
    let track = format!("spotify:track:{}", mock.world().unsaved_track);
    client.library().save([&track]).await.unwrap();
    let gone = all.added[0].track.id.unwrap();
    client.library().remove([gone]).await.unwrap();
    mock.take_requests();
    let new = client.library().changes_since(all.newest).await.unwrap();
    assert_eq!(mock.take_requests().len(), 1);
    let names: Vec<_> =
        new.added.iter().map(|saved| saved.track.id.unwrap().uri().to_string()).collect();
    assert_eq!(names, [track]);
    assert!(new.newest > all.newest);
    assert_eq!(new.total, Some(2_345), "one more than before and one less: something was removed");
}
