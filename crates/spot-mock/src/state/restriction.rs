//! Reasons why a player refuses a command in its current state.
//!
//! Spotify once documented eighteen reasons for refused commands. Spotify no longer documents these
//! reasons, but still sends them. The table shows when the mock sends each reason:
//!
//! | reason | cause |
//! |---|---|
//! | `NO_PREV_TRACK` | skip back from the first item, if the repeat mode is not `context` |
//! | `NO_NEXT_TRACK` | skip from the last item, if the queue is empty and repeat is not `context` |
//! | `NO_SPECIFIC_TRACK` | an `offset` that is not in the context or the list |
//! | `ALREADY_PAUSED` | pause while paused |
//! | `NOT_PAUSED` | resume while playing, without `position_ms` and on the same device |
//! | `NOT_PLAYING_LOCALLY` | pause, seek or skip on a device while another device plays |
//! | `NOT_PLAYING_TRACK` | resume, pause, seek, skip or repeat a track before anything was played |
//! | `NOT_PLAYING_CONTEXT` | repeat the context while playback has no context |
//! | `ENDLESS_CONTEXT` | shuffle or repeat a station, `spotify:station:artist:ID` |
//! | `CONTEXT_DISALLOW` | start a context that has no playable items |
//! | `ALREADY_PLAYING` | start the playing episode or chapter again, in the same context |
//! | `RATE_LIMITED` | more than 20 start or skip commands within one second of the mock's clock |
//! | `REMOTE_CONTROL_DISALLOW` | command to, or transfer from, a device without remote control |
//! | `DEVICE_NOT_CONTROLLABLE` | any command to a restricted device |
//! | `VOLUME_CONTROL_DISALLOW` | set the volume of a device with a fixed volume |
//! | `NO_ACTIVE_DEVICE` | a command without `device_id` while no device is active |
//! | `PREMIUM_REQUIRED` | any command of a user without Premium |
//! | `UNKNOWN` | any cause above except the last two, if [`vague_player`] is set |
//!
//! `ALREADY_PLAYING` is sent only if the progress is not zero and the command has no `position_ms`.
//! The status is 404 for `NO_ACTIVE_DEVICE`, and 403 for all other reasons.
//!
//! [`vague_player`]: crate::MockBuilder::vague_player

use crate::http::reply::Refusal;

/// A command that `actions.disallows` can list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Resume,
    Pause,
    SkipNext,
    SkipPrevious,
    Seek,
    RepeatContext,
    RepeatTrack,
    Shuffle,
    Transfer,
}

/// The reason for a refused command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Restriction {
    NoPreviousTrack,
    NoNextTrack,
    NoSpecificTrack,
    AlreadyPaused,
    NotPaused,
    NotPlayingLocally,
    NotPlayingTrack,
    NotPlayingContext,
    EndlessContext,
    ContextDisallow,
    AlreadyPlaying,
    RateLimited,
    RemoteControlDisallow,
    DeviceNotControllable,
    VolumeControlDisallow,
    NoActiveDevice,
}

impl Restriction {
    /// Returns the response to a command that is refused for this reason. If `vague` is true, the
    /// response gives the reason `UNKNOWN` instead, except for `NO_ACTIVE_DEVICE`. Real players
    /// never replace `NO_ACTIVE_DEVICE` with `UNKNOWN`.
    pub(crate) fn refusal(self, vague: bool) -> Refusal {
        let (message, reason) = match self {
            Self::NoActiveDevice => {
                return Refusal::player(404, "No active device found", "NO_ACTIVE_DEVICE");
            }
            _ if vague => ("Restriction violated", "UNKNOWN"),
            Self::NoPreviousTrack => ("No previous track", "NO_PREV_TRACK"),
            Self::NoNextTrack => ("No next track", "NO_NEXT_TRACK"),
            Self::NoSpecificTrack => ("No such track", "NO_SPECIFIC_TRACK"),
            Self::AlreadyPaused => ("Already paused", "ALREADY_PAUSED"),
            Self::NotPaused => ("Not paused", "NOT_PAUSED"),
            Self::NotPlayingLocally => ("Not playing on this device", "NOT_PLAYING_LOCALLY"),
            Self::NotPlayingTrack => ("Not playing a track", "NOT_PLAYING_TRACK"),
            Self::NotPlayingContext => ("Not playing a context", "NOT_PLAYING_CONTEXT"),
            Self::EndlessContext => ("Endless context", "ENDLESS_CONTEXT"),
            Self::ContextDisallow => ("Context disallows it", "CONTEXT_DISALLOW"),
            Self::AlreadyPlaying => ("Already playing", "ALREADY_PLAYING"),
            Self::RateLimited => ("Too many commands", "RATE_LIMITED"),
            Self::RemoteControlDisallow => {
                ("Remote control not allowed", "REMOTE_CONTROL_DISALLOW")
            }
            Self::DeviceNotControllable => ("Device not controllable", "DEVICE_NOT_CONTROLLABLE"),
            Self::VolumeControlDisallow => {
                ("Cannot control device volume", "VOLUME_CONTROL_DISALLOW")
            }
        };
        Refusal::player(403, message, reason)
    }
}
