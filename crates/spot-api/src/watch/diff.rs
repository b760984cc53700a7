//! Finds the changes between two states of the player.

use std::time::Duration;

use spot_model::{Device, PlayableItem, PlaybackState, RepeatState};

use crate::PlaybackChange;

/// A deviation from the expected position is reported as a jump only if the deviation is greater
/// than this value. The positions that Spotify returns are inaccurate by about a second.
const TOLERANCE: Duration = Duration::from_secs(3);

/// Returns the changes between two states. `elapsed` is the time between the two states.
pub(crate) fn changes(
    before: Option<&PlaybackState>,
    after: Option<&PlaybackState>,
    elapsed: Duration,
) -> Vec<PlaybackChange> {
    let Some(after) = after else {
        return before.map(|_| PlaybackChange::Stopped).into_iter().collect();
    };
    let silence = PlaybackState::default();
    let was_active = before.is_some();
    let before = before.unwrap_or(&silence);
    let mut changes = Vec::new();
    if !same_device(before.device.as_ref(), after.device.as_ref()) {
        let (from, to) = (before.device.clone(), after.device.clone());
        changes.push(PlaybackChange::DeviceChanged { from, to });
    } else if volume(before) != volume(after) {
        let (from, to) = (volume(before), volume(after));
        changes.push(PlaybackChange::VolumeChanged { from, to });
    }
    if before.shuffle_state != after.shuffle_state {
        changes.push(PlaybackChange::ShuffleChanged { on: after.shuffle_state });
    }
    if repeat(before) != repeat(after) {
        let (from, to) = (repeat(before), repeat(after));
        changes.push(PlaybackChange::RepeatChanged { from, to });
    }
    if before.context != after.context {
        let (from, to) = (before.context.clone(), after.context.clone());
        changes.push(PlaybackChange::ContextChanged { from, to });
    }
    if same_item(before, after) {
        changes.extend(moved(before, after, elapsed));
    } else {
        let (from, to) = (before.item.clone(), after.item.clone());
        changes.push(PlaybackChange::ItemChanged { from, to });
    }
    match (was_active, before.is_playing, after.is_playing) {
        (false, _, true) => changes.push(PlaybackChange::Started),
        (true, false, true) => changes.push(PlaybackChange::Resumed),
        (false, _, false) | (true, true, false) => changes.push(PlaybackChange::Paused),
        (true, true, true) | (true, false, false) => {}
    }
    changes
}

/// Returns the change of the position within one item.
fn moved(
    before: &PlaybackState,
    after: &PlaybackState,
    elapsed: Duration,
) -> Option<PlaybackChange> {
    let (start, found) = (before.progress?, after.progress?);
    let latest = start.saturating_add(elapsed);
    // If only one of the two states is playing, it is unknown how long playback ran.
    let (earliest, latest) = match (before.is_playing, after.is_playing) {
        (true, true) => (latest, latest),
        (false, false) => (start, start),
        (true, false) | (false, true) => (start, latest),
    };
    if found >= earliest.saturating_sub(TOLERANCE) && found <= latest.saturating_add(TOLERANCE) {
        return None;
    }
    let duration = after.item.as_ref().and_then(PlayableItem::duration);
    let duration = duration.filter(|duration| !duration.is_zero());
    let from = duration.map_or(latest, |duration| latest.min(duration));
    match duration {
        // The item should have ended. The found position is possible if the item has started again.
        Some(duration) if is_later_run(latest, found, duration) => {
            Some(PlaybackChange::ItemRepeated)
        }
        // The position is still at the end of the item, because the next item starts late.
        Some(duration) if found.saturating_add(TOLERANCE) >= from && from == duration => None,
        _ => Some(PlaybackChange::Sought { from, to: found }),
    }
}

fn is_later_run(expected: Duration, found: Duration, duration: Duration) -> bool {
    if expected.saturating_add(TOLERANCE) < duration {
        return false;
    }
    let into = expected.as_millis() % duration.as_millis().max(1);
    let found = found.as_millis();
    let (tolerance, duration) = (TOLERANCE.as_millis(), duration.as_millis());
    // Near the end, the next repetition may have begun a little earlier or later than expected.
    let apart = into.abs_diff(found);
    apart <= tolerance || (duration.abs_diff(apart) <= tolerance && found <= tolerance)
}

/// Whether both states contain the same item. Two advertisements cannot be distinguished.
fn same_item(before: &PlaybackState, after: &PlaybackState) -> bool {
    match (&before.item, &after.item) {
        (Some(before), Some(after)) => match (before.uri(), after.uri()) {
            (Some(before), Some(after)) => before == after,
            (None, None) => before == after,
            (Some(_), None) | (None, Some(_)) => false,
        },
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// Compares two devices by their ids, or by their names if neither device has an id.
fn same_device(before: Option<&Device>, after: Option<&Device>) -> bool {
    match (before, after) {
        (Some(before), Some(after)) => match (&before.id, &after.id) {
            (Some(before), Some(after)) => before == after,
            (None, None) => before.name == after.name,
            (Some(_), None) | (None, Some(_)) => false,
        },
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

fn volume(state: &PlaybackState) -> Option<u8> {
    state.device.as_ref()?.volume_percent
}

fn repeat(state: &PlaybackState) -> RepeatState {
    state.repeat_state.clone().unwrap_or(RepeatState::Off)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn track(number: u32) -> PlayableItem {
        let track = json!({ "type": "track", "id": format!("{number:022}"), "name": number.to_string(),
                            "duration_ms": 180_000 });
        serde_json::from_value(track).unwrap()
    }

    fn episode() -> PlayableItem {
        let episode = json!({ "type": "episode", "id": format!("{:022}", 7), "name": "e",
                              "duration_ms": 1_800_000 });
        serde_json::from_value(episode).unwrap()
    }

    fn other() -> PlayableItem {
        serde_json::from_value(json!({ "type": "hologram", "uri": "spotify:hologram:1" })).unwrap()
    }

    fn device(id: Option<&str>, name: &str, volume: Option<u8>) -> Device {
        let device = json!({ "id": id, "name": name, "volume_percent": volume });
        serde_json::from_value(device).unwrap()
    }

    fn playing(item: Option<PlayableItem>, seconds: u64) -> PlaybackState {
        let mut state = PlaybackState::default();
        state.is_playing = true;
        state.item = item;
        state.progress = Some(Duration::from_secs(seconds));
        state
    }

    fn paused(item: Option<PlayableItem>, seconds: u64) -> PlaybackState {
        let mut state = playing(item, seconds);
        state.is_playing = false;
        state
    }

    fn states() -> impl Strategy<Value = Option<PlaybackState>> {
        let items = prop_oneof![
            Just(None),
            Just(Some(track(1))),
            Just(Some(track(2))),
            Just(Some(episode())),
            Just(Some(other())),
        ];
        let devices = prop::option::of(
            (prop_oneof![Just(None), Just(Some("a")), Just(Some("b"))], prop::option::of(0..3_u8))
                .prop_map(|(id, volume)| device(id, id.unwrap_or("speaker"), volume)),
        );
        let repeats = prop::option::of(prop_oneof![
            Just(RepeatState::Off),
            Just(RepeatState::Track),
            Just(RepeatState::Context)
        ]);
        let contexts = prop::option::of((0..3_u32).prop_map(|number| {
            let uri = format!("spotify:album:{number:022}");
            serde_json::from_value(json!({ "type": "album", "uri": uri })).unwrap()
        }));
        let state = (items, devices, repeats, contexts, any::<bool>(), any::<bool>(), 0..200_u64);
        prop::option::of(state.prop_map(|(item, device, repeat, context, shuffle, plays, at)| {
            let mut state = playing(item, at);
            state.is_playing = plays;
            state.device = device;
            state.repeat_state = repeat;
            state.context = context;
            state.shuffle_state = shuffle;
            state
        }))
    }

    /// Returns the state that results from the changes.
    fn apply(before: Option<PlaybackState>, changes: Vec<PlaybackChange>) -> Option<PlaybackState> {
        let was_active = before.is_some();
        let mut state = before.unwrap_or_default();
        let mut is_active = was_active;
        for change in changes {
            match change {
                PlaybackChange::Stopped => return None,
                PlaybackChange::DeviceChanged { to, .. } => state.device = to,
                PlaybackChange::VolumeChanged { to, .. } => {
                    state.device.as_mut().unwrap().volume_percent = to;
                }
                PlaybackChange::ShuffleChanged { on } => state.shuffle_state = on,
                PlaybackChange::RepeatChanged { to, .. } => state.repeat_state = Some(to),
                PlaybackChange::ContextChanged { to, .. } => state.context = to,
                PlaybackChange::ItemChanged { to, .. } => state.item = to,
                PlaybackChange::Started | PlaybackChange::Resumed => {
                    (state.is_playing, is_active) = (true, true);
                }
                PlaybackChange::Paused => (state.is_playing, is_active) = (false, true),
                PlaybackChange::ItemRepeated | PlaybackChange::Sought { .. } => {}
                other => panic!("`changes` must not return {other:?}"),
            }
        }
        is_active.then_some(state)
    }

    proptest! {
        #[test]
        fn applying_the_changes_yields_the_later_state(
            before in states(),
            after in states(),
            elapsed in 0..400_u64,
        ) {
            let elapsed = Duration::from_secs(elapsed);
            let changes = changes(before.as_ref(), after.as_ref(), elapsed);
            prop_assert!(changes.len() <= 8, "too many changes: {changes:?}");
            let reached = apply(before, changes);
            prop_assert_eq!(reached.is_some(), after.is_some());
            if let (Some(reached), Some(after)) = (reached, after) {
                prop_assert_eq!(&reached.device, &after.device);
                prop_assert_eq!(reached.shuffle_state, after.shuffle_state);
                prop_assert_eq!(repeat(&reached), repeat(&after));
                prop_assert_eq!(&reached.context, &after.context);
                prop_assert_eq!(&reached.item, &after.item);
                prop_assert_eq!(reached.is_playing, after.is_playing);
            }
        }

        #[test]
        fn continued_playback_is_not_a_change(state in states(), elapsed in 0..100_u64) {
            let mut later = state.clone();
            if let Some(later) = later.as_mut().filter(|later| later.is_playing) {
                let end = later.item.as_ref().and_then(PlayableItem::duration);
                let progress = later.progress.unwrap() + Duration::from_secs(elapsed);
                later.progress = Some(end.map_or(progress, |end| progress.min(end)));
            }
            let changes = changes(state.as_ref(), later.as_ref(), Duration::from_secs(elapsed));
            // A position beyond the end of the item is reduced to the end.
            let odd = state.is_some_and(|state| {
                state.item.and_then(|item| item.duration()) < state.progress
            });
            prop_assert!(odd || changes.is_empty(), "{changes:?}");
        }
    }

    fn names(before: &PlaybackState, after: &PlaybackState, elapsed: Duration) -> Vec<String> {
        let name = |change: &PlaybackChange| {
            let text = format!("{change:?}");
            text.split([' ', '{']).next().unwrap_or_default().to_owned()
        };
        changes(Some(before), Some(after), elapsed).iter().map(name).collect()
    }

    #[test]
    fn a_seek_is_distinguished_from_continued_playback() {
        let before = playing(Some(track(1)), 60);
        let after = |seconds| playing(Some(track(1)), seconds);
        assert!(
            names(&before, &after(67), 5 * SECOND).is_empty(),
            "a position 2 s after the expected position is not reported as a seek"
        );
        assert_eq!(names(&before, &after(90), 5 * SECOND), ["Sought"]);
        assert_eq!(names(&before, &after(10), 5 * SECOND), ["Sought"]);
        assert_eq!(names(&before, &paused(Some(track(1)), 62), 5 * SECOND), ["Paused"]);
        assert_eq!(names(&before, &paused(Some(track(1)), 20), 5 * SECOND), ["Sought", "Paused"]);
    }

    #[test]
    fn a_repeated_track_is_distinguished_from_a_seek_to_the_start() {
        let before = playing(Some(track(1)), 175);
        assert_eq!(names(&before, &playing(Some(track(1)), 1), 6 * SECOND), ["ItemRepeated"]);
        assert_eq!(names(&before, &playing(Some(track(1)), 175), 180 * SECOND), ["ItemRepeated"]);
        let early = playing(Some(track(1)), 100);
        assert_eq!(names(&early, &playing(Some(track(1)), 1), 6 * SECOND), ["Sought"]);
        // The position stays at the end while the next track loads.
        assert!(names(&before, &playing(Some(track(1)), 180), 9 * SECOND).is_empty());
    }
}
