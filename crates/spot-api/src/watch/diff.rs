//! From two states of the player to the changes between them.

use std::time::Duration;

use spot_model::{Device, PlayableItem, PlaybackState, RepeatState};

use crate::PlaybackChange;

/// How far the position may be from the expected one without counting as a jump. Spotify's own
/// positions are off by about a second.
const TOLERANCE: Duration = Duration::from_secs(3);

/// The changes that lead from one state to another, which was seen `elapsed` later.
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

/// What happened to the position within one item.
fn moved(before: &PlaybackState, after: &PlaybackState, elapsed: Duration) -> Option<PlaybackChange> {
    let (start, found) = (before.progress?, after.progress?);
    let latest = start.saturating_add(elapsed);
    // Between a pause and a state that plays, any part of the time may have been played.
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
        // It should have ended, and is where a second run would be, or a third.
        Some(duration) if is_later_run(latest, found, duration) => Some(PlaybackChange::ItemRepeated),
        // Playing on at the end: the next item is late.
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
    // Around the end, the next run may have begun a little earlier or later than expected.
    let apart = into.abs_diff(found);
    apart <= tolerance || (duration.abs_diff(apart) <= tolerance && found <= tolerance)
}

/// Whether both states play the same thing. Two advertisements cannot be told apart.
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

/// By id, or by name where a device has none.
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
