use std::{sync::Arc, time::Duration};

use spot_model::{Context, Device, PlayableItem, PlaybackState, RepeatState};

use crate::Error;

/// A change of the playback, and the state after the change.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PlaybackEvent {
    /// What changed.
    pub change: PlaybackChange,
    /// The state after the change; `None` if no player is active. All events of one poll have the
    /// same state.
    pub state: Option<Arc<PlaybackState>>,
}

/// Describes what happened: the playback state changed, or polling stopped or continued.
///
/// One poll can find several changes. The changes are reported in the order of the variants of this
/// enum.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum PlaybackChange {
    /// The initial state. The first successful poll of a [`PlaybackWatch`](crate::PlaybackWatch)
    /// reports this event.
    Initial,
    /// Polling works again after [`Throttled`](Self::Throttled) or
    /// [`Interrupted`](Self::Interrupted). The next events report the changes that happened since
    /// the last successful poll.
    Restored,
    /// No player is active any more (Spotify responds with 204). If a poll reports `Stopped`, the
    /// same poll reports no other change of the playback state.
    Stopped,
    /// Playback moved to another device.
    DeviceChanged {
        /// The previous device; `None` if no player was active, or if Spotify did not return the
        /// device.
        from: Option<Device>,
        /// The new device; `None` if Spotify did not return the device.
        to: Option<Device>,
    },
    /// The volume changed, while the device stayed the same.
    VolumeChanged {
        /// The previous volume, 0 to 100.
        from: Option<u8>,
        /// The new volume, 0 to 100.
        to: Option<u8>,
    },
    /// Shuffle was turned on or off.
    ShuffleChanged {
        /// Whether shuffle is on now.
        on: bool,
    },
    /// The repeat mode changed.
    RepeatChanged {
        /// The previous mode.
        from: RepeatState,
        /// The new mode.
        to: RepeatState,
    },
    /// Playback moved to another album, playlist, show or artist.
    ContextChanged {
        /// The previous context.
        from: Option<Context>,
        /// The new context.
        to: Option<Context>,
    },
    /// Another track or episode plays. When a player becomes active, the stream reports
    /// `ItemChanged` and then `Started` or `Paused`.
    ItemChanged {
        /// The previous item.
        from: Option<PlayableItem>,
        /// The new item. `None` if Spotify did not return the item, for example during an
        /// advertisement. The state's `currently_playing_type` shows whether an advertisement is
        /// playing.
        to: Option<PlayableItem>,
    },
    /// The same item ended and plays again from its beginning.
    ItemRepeated,
    /// The position jumped within the same item.
    Sought {
        /// The position that playback would have reached without the jump.
        from: Duration,
        /// The actual position.
        to: Duration,
    },
    /// A player became active and is playing.
    Started,
    /// Playback paused, or a paused player became active.
    Paused,
    /// Playback continues after a pause.
    Resumed,
    /// Spotify refused the poll (429), or the rate limit blocks the poll for more than 30 s. The
    /// stream pauses for the duration `wait`, and then polls again.
    Throttled {
        /// Length of the pause between two polls.
        wait: Duration,
        /// Whether the quota of the developer account is exhausted. If the quota is exhausted, the
        /// wait can last hours.
        quota: bool,
    },
    /// A poll failed: the network or Spotify is down, or Spotify refused the token. The stream
    /// polls again, at increasing intervals of up to 30 s. Only the first of several consecutive
    /// failures is reported.
    Interrupted {
        /// The failure.
        error: Error,
    },
}
