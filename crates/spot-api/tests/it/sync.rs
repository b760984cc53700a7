//! Tests of playlist sync, with a server that changes playlists in the same way as Spotify.

use std::{collections::HashMap, time::Duration};

use proptest::prelude::*;
use spot_api::{
    Client, ErrorKind, SyncPlan,
    model::{PlayableItem, PlaylistId, PlaylistItem, SnapshotId},
};
use spot_mock::{Fault, MockSpotify, Mode};
use tokio::time::Instant;

use crate::support::client;

fn uri(number: usize) -> String {
    format!("spotify:track:spotmockTrack{:09}", number + 1)
}

fn uris(numbers: &[usize]) -> Vec<String> {
    numbers.iter().map(|number| uri(*number)).collect()
}

/// Creates a playlist with these tracks.
async fn playlist(client: &Client, numbers: &[usize]) -> PlaylistId {
    let id = client.me().create_playlist("Sync").public(false).await.unwrap().id.unwrap();
    client.playlist(id).replace(uris(numbers)).await.unwrap();
    id
}

async fn items(client: &Client, id: PlaylistId) -> Vec<PlaylistItem> {
    let fields = "items(added_at,item(id,is_local,type,uri))";
    let mut stream = client.playlist(id).items().fields(fields).stream();
    let mut items = Vec::new();
    while let Some(item) = stream.try_next().await.unwrap() {
        items.push(item);
    }
    items
}

async fn held(client: &Client, id: PlaylistId) -> Vec<String> {
    items(client, id).await.iter().filter_map(uri_of).collect()
}

fn uri_of(item: &PlaylistItem) -> Option<String> {
    Some(item.item.as_ref().and_then(PlayableItem::uri)?.to_string())
}

/// Returns how many of the latest requests changed a playlist, and how many read it.
fn calls(mock: &MockSpotify) -> (usize, usize) {
    let requests = mock.take_requests();
    let changes = requests.iter().filter(|request| request.method != "GET").count();
    (changes, requests.len() - changes)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Tests random playlists and random wanted lists, including duplicates.
    #[test]
    fn sync_turns_any_playlist_into_the_wanted_list(
        present in prop::collection::vec(0..60_usize, 0..150),
        wanted in prop::collection::vec(0..60_usize, 0..150),
        allow_replace in any::<bool>(),
    ) {
        runtime().block_on(async {
            let mock = MockSpotify::start().await.unwrap();
            let client = client(&mock);
            let id = playlist(&client, &present).await;
            let sync = client.playlist(id).sync(uris(&wanted)).max_calls(1_000);
            let sync = if allow_replace { sync.allow_replace() } else { sync };
            let plan = sync.clone().plan().await.unwrap();
            let naive = wanted.len().div_ceil(100).max(1);
            assert!(!allow_replace || plan.calls() <= naive, "{plan}");
            mock.take_requests();
            let snapshot = sync.await.unwrap();
            let (changes, _) = calls(&mock);
            assert_eq!(changes, plan.calls());
            assert_eq!(held(&client, id).await, uris(&wanted));
            let now = client.playlist(id).await.unwrap().snapshot_id;
            assert_eq!(snapshot, now);
        });
    }
}

/// Generates pseudorandom numbers, which are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

/// Removes, adds and moves entries, as a user might do in an hour.
fn edit(list: &mut Vec<usize>, changes: usize, dice: &mut Dice, mut fresh: usize) {
    for change in 0..changes {
        let at = dice.below(list.len());
        match change % 5 {
            0 | 1 => drop(list.remove(at)),
            2 | 3 => {
                list.insert(at, fresh);
                fresh += 1;
            }
            _ => {
                let moved = list.remove(at);
                let to = dice.below(list.len());
                list.insert(to, moved);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
#[expect(clippy::print_stdout, reason = "the purpose of the test is to print the figures")]
async fn sync_makes_50_changes_in_10000_items_with_at_most_50_calls() {
    let latency = Duration::from_millis(80);
    let mock = MockSpotify::builder().latency(latency).start().await.unwrap();
    let client = client(&mock);
    let present: Vec<usize> = (0..10_000).collect();
    let mut wanted = present.clone();
    edit(&mut wanted, 50, &mut Dice(7), 10_000);
    let id = playlist(&client, &present).await;
    mock.advance(Duration::from_secs(1_800));
    let before: HashMap<String, _> = dates(items(&client, id).await);

    mock.take_requests();
    let start = Instant::now();
    let plan = client.playlist(id).sync(uris(&wanted)).plan().await.unwrap();
    let (_, reads) = calls(&mock);
    let reading = start.elapsed();
    let text = plan.to_string();
    let start = Instant::now();
    plan.apply().await.unwrap();
    let (changes, checks) = calls(&mock);
    let changing = start.elapsed();
    println!("10,000 items, 50 changes, {latency:?} a call: {text}");
    println!(
        "  read {reads} calls, {reading:.1?}; change {changes} calls and {checks} check, {changing:.1?}"
    );
    println!("  a replacement: {} calls, and every date is lost", wanted.len().div_ceil(100));
    assert!(changes <= 50, "at most a call a change");
    let after = items(&client, id).await;
    let order: Vec<_> = after.iter().filter_map(uri_of).collect();
    assert_eq!(order, uris(&wanted));
    let after = dates(after);
    let kept = before.iter().filter(|(uri, added)| after.get(*uri) == Some(*added)).count();
    assert_eq!(kept, 9_980, "all that stays keeps its date");
}

fn dates(items: Vec<PlaylistItem>) -> HashMap<String, chrono::DateTime<chrono::Utc>> {
    let date = |item: PlaylistItem| Some((uri_of(&item)?, item.added_at?));
    items.into_iter().filter_map(date).collect()
}

/// Returns two lists that differ in every way: removals, duplicates, additions, moves.
fn story() -> (Vec<usize>, Vec<usize>) {
    let present: Vec<usize> = (0..160).chain([3, 5]).collect();
    let mut wanted: Vec<usize> = (0..160).filter(|number| number % 40 != 7).collect();
    let moved: Vec<usize> = wanted.drain(100..110).collect();
    wanted.splice(20..20, moved);
    wanted.splice(50..50, 200..340);
    wanted.swap(60, 120);
    (present, wanted)
}

#[tokio::test(start_paused = true)]
#[expect(clippy::print_stdout, reason = "the purpose of the test is to print the figures")]
async fn a_second_sync_completes_after_a_failure_at_any_call() {
    let mock = MockSpotify::start().await.unwrap();
    let (present, wanted) = story();
    let faults = [Fault::LostAnswer, Fault::Reset, Fault::status(500), Fault::status(403)];
    let (mut runs, mut failed) = (0, 0);
    for fault in faults {
        for at in 0.. {
            let client = client(&mock);
            let id = playlist(&client, &present).await;
            let plan = client.playlist(id).sync(uris(&wanted)).plan().await.unwrap();
            // The first request checks the version.
            if at > plan.calls() {
                break;
            }
            for _ in 0..at {
                mock.fail_next(Fault::Delay(Duration::ZERO));
            }
            mock.fail_next(fault.clone());
            runs += 1;
            if let Err(error) = plan.apply().await {
                failed += 1;
                let done = error.done();
                assert!(at == 0 || done == Some(at - 1), "call {at}, {done:?} done: {error}");
            }
            client.playlist(id).sync(uris(&wanted)).await.unwrap();
            assert_eq!(held(&client, id).await, uris(&wanted), "{fault:?} at call {at}");
            let nothing = client.playlist(id).sync(uris(&wanted)).plan().await.unwrap();
            assert!(nothing.is_empty(), "{nothing}");
        }
    }
    println!("{runs} runs with a fault, {failed} failed, all right after a second run");
    assert!(failed > runs / 2, "{failed} of {runs}");
}

#[tokio::test]
async fn a_plan_for_an_outdated_snapshot_is_a_conflict() {
    let mock = MockSpotify::start().await.unwrap();
    let client = client(&mock);
    let id = playlist(&client, &[0, 1, 2]).await;
    let plan = client.playlist(id).sync(uris(&[2, 1])).plan().await.unwrap();
    let old: SnapshotId = plan.snapshot_id().unwrap().clone();
    client.playlist(id).add([uri(9)]).await.unwrap();
    let error = plan.apply().await.unwrap_err();
    assert_eq!((error.kind(), error.done()), (ErrorKind::Conflict, Some(0)));
    let error = client.playlist(id).remove_at([0]).snapshot_id(&old).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(held(&client, id).await, uris(&[0, 1, 2, 9]));
}

#[tokio::test]
async fn remove_at_removes_positions_and_the_plan_shows_the_cost() {
    let mock = MockSpotify::start().await.unwrap();
    let client = client(&mock);
    let id = playlist(&client, &[0, 1, 2, 1, 3, 1]).await;
    let plan = client.playlist(id).remove_at([0, 3]).plan().await.unwrap();
    // Removing one copy of track 1 also removes the other two copies. The request adds two copies
    // again, at two positions.
    assert_eq!(
        plan.to_string(),
        "entries: 2 retained (0 moved), 0 added, 2 removed, 2 added again with new dates; 3 calls"
    );
    assert_eq!((plan.removed(), plan.readded(), plan.calls()), (2, 2, 3));
    plan.apply().await.unwrap();
    assert_eq!(held(&client, id).await, uris(&[1, 2, 3, 1]));
    mock.take_requests();
    let error = client.playlist(id).remove_at([4]).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "bad request: position 4 does not exist: the playlist has 4 items"
    );
    assert_eq!(calls(&mock).0, 0);
}

#[tokio::test]
async fn replacing_a_playlist_requires_allow_replace() {
    let mock = MockSpotify::start().await.unwrap();
    let client = client(&mock);
    // In the reversed list, every track moves.
    let present: Vec<usize> = (0..400).collect();
    let wanted: Vec<usize> = (0..400).rev().collect();
    let id = playlist(&client, &present).await;
    let sync = client.playlist(id).sync(uris(&wanted));
    let error = sync.clone().plan().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "bad request: the sync needs 399 calls to keep the dates of the entries, but the maximum \
         is 104 calls; replacing the whole playlist takes 4 calls, but gives every item a new \
         date: allow this with `allow_replace()`, or raise the maximum with `max_calls()`"
    );
    let plan: SyncPlan = sync.clone().max_calls(400).plan().await.unwrap();
    assert_eq!((plan.calls(), plan.kept(), plan.replaces()), (399, 400, false));
    let plan = sync.allow_replace().plan().await.unwrap();
    assert_eq!((plan.calls(), plan.readded(), plan.replaces()), (4, 400, true));
    plan.apply().await.unwrap();
    assert_eq!(held(&client, id).await, uris(&wanted));

    // An entry that was removed from the catalog has no URI, so no call can remove it.
    let old = mock.world().old_playlist.clone();
    let left = uris(&[1, 2]);
    let error = client.playlist(&old).sync(&left).plan().await.unwrap_err();
    assert!(error.message().contains("items without a URI"), "{error}");
    client.playlist(&old).sync(&left).allow_replace().await.unwrap();
    assert_eq!(held(&client, old.parse().unwrap()).await, left);
}

#[tokio::test]
async fn local_files_can_be_kept_and_moved_but_not_added() {
    let mock = MockSpotify::start().await.unwrap();
    let client = client(&mock);
    let id: PlaylistId = mock.world().local_files_playlist.parse().unwrap();
    let mut wanted = held(&client, id).await;
    assert!(wanted.iter().any(|uri| uri.starts_with("spotify:local:")));
    wanted.reverse();
    wanted.insert(3, uri(77));
    let plan = client.playlist(id).sync(&wanted).plan().await.unwrap();
    assert_eq!((plan.added(), plan.removed()), (1, 0));
    plan.apply().await.unwrap();
    assert_eq!(held(&client, id).await, wanted);
    wanted.push("spotify:local:Ada+Quill:Tapes:Take+1:61".to_owned());
    let error = client.playlist(id).sync(&wanted).plan().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadRequest);
    assert!(error.message().contains("local file"), "{error}");
}

#[tokio::test]
async fn if_changed_reads_only_the_snapshot_of_an_unchanged_playlist() {
    let mock = MockSpotify::start().await.unwrap();
    let client = client(&mock);
    let id = playlist(&client, &(0..130).collect::<Vec<_>>()).await;
    let snapshot = client.playlist(id).await.unwrap().snapshot_id.unwrap();
    mock.take_requests();
    assert!(client.playlist(id).if_changed(&snapshot).await.unwrap().is_none());
    let requests = mock.take_requests();
    assert_eq!(requests.len(), 1);
    assert!(requests[0].query.contains("fields=snapshot_id"), "{}", requests[0].query);

    client.playlist(id).add([uri(500)]).await.unwrap();
    let contents = client.playlist(id).if_changed(snapshot).await.unwrap().unwrap();
    assert_eq!(contents.items.len(), 131);
    // Known contents are not read again. The version is checked before the change.
    mock.take_requests();
    let wanted: Vec<usize> = (0..130).collect();
    client.playlist(id).sync(uris(&wanted)).known(contents.clone()).await.unwrap();
    assert_eq!(calls(&mock), (1, 1));
    let stale = client.playlist(id).sync(uris(&[1])).known(contents).await.unwrap_err();
    assert_eq!(stale.kind(), ErrorKind::Conflict);
}

#[tokio::test]
async fn a_short_playlist_is_read_with_a_single_request() {
    let mock = MockSpotify::start().await.unwrap();
    let client = client(&mock);
    let present: Vec<usize> = (0..100).collect();
    let id = playlist(&client, &present).await;
    mock.take_requests();
    client.playlist(id).sync(uris(&present[1..])).await.unwrap();
    assert_eq!(calls(&mock), (1, 1));
    client.playlist(id).sync(uris(&present[1..])).await.unwrap();
    assert_eq!(calls(&mock), (0, 1), "nothing to do");
}

#[tokio::test]
async fn a_default_market_does_not_affect_sync() {
    for mode in [Mode::Development, Mode::Extended] {
        let mock = MockSpotify::builder().mode(mode).start().await.unwrap();
        let client = client(&mock).with_market("SE");
        let relinked = format!("spotify:track:{}", mock.world().relinked_track);
        let wanted: Vec<String> = (0..150).map(uri).chain([relinked]).collect();
        let id = playlist(&client, &[]).await;
        client.playlist(id).sync(&wanted).await.unwrap();
        let again = client.playlist(id).sync(&wanted).plan().await.unwrap();
        assert!(again.is_empty(), "{mode:?}: {again}");
    }
}
