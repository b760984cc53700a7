use std::{sync::Arc, time::Duration};

use spot_model::{Context, Device, PlayableItem, PlaybackState, RepeatState};

use crate::Error;

/// A change of the playback, with the state after it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PlaybackEvent {
    /// What changed.
    pub change: PlaybackChange,
    /// The state after the change; `None` if no player is active. All events of one poll have the
    /// same state.
    pub state: Option<Arc<PlaybackState>>,
}

/// What changed in the playback, or in the watch itself.
///
/// One poll can find several changes. They come in the order of the variants here.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum PlaybackChange {
    /// The first event of every watch: the state as it is found.
    Initial,
    /// Polling works again after [`Throttled`](Self::Throttled) or
    /// [`Interrupted`](Self::Interrupted). Events for what changed meanwhile follow.
    Restored,
    /// No player is active any more (Spotify answers 204). No other change is reported with it.
    Stopped,
    /// Another device plays, or none is known.
    DeviceChanged {
        /// The device before.
        from: Option<Device>,
        /// The device now.
        to: Option<Device>,
    },
    /// The volume of the same device changed.
    VolumeChanged {
        /// The volume before, 0 to 100.
        from: Option<u8>,
        /// The volume now, 0 to 100.
        to: Option<u8>,
    },
    /// Shuffle was turned on or off.
    ShuffleChanged {
        /// Whether shuffle is on now.
        on: bool,
    },
    /// The repeat mode changed.
    RepeatChanged {
        /// The mode before.
        from: RepeatState,
        /// The mode now.
        to: RepeatState,
    },
    /// Playback moved to another album, playlist, show or artist.
    ContextChanged {
        /// The context before.
        from: Option<Context>,
        /// The context now.
        to: Option<Context>,
    },
    /// Another track or episode plays. It also comes when a player becomes active.
    ItemChanged {
        /// The item before.
        from: Option<PlayableItem>,
        /// The item now; `None` for an advertisement (the state's `currently_playing_type` tells)
        /// and for what Spotify does not name.
        to: Option<PlayableItem>,
    },
    /// The same item ended and plays again from its beginning.
    ItemRepeated,
    /// The position jumped within the same item.
    Sought {
        /// The position expected without the jump.
        from: Duration,
        /// The position found.
        to: Duration,
    },
    /// A player became active, and plays.
    Started,
    /// Playback paused, or a player became active that is paused.
    Paused,
    /// Playback goes on after a pause.
    Resumed,
    /// Spotify refused the poll (429), or the rate limit blocks it for more than 30 s. The watch
    /// sends no request for `wait`, then goes on.
    Throttled {
        /// The time without polls.
        wait: Duration,
        /// Whether the quota of the developer account is used up, which can last hours.
        quota: bool,
    },
    /// A poll failed: there is no network, Spotify is down, or it refused the token. The watch tries
    /// again, at longer and longer intervals of up to 30 s. Only the first of several failures is
    /// reported.
    Interrupted {
        /// The failure.
        error: Error,
    },
}
