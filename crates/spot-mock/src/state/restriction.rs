//! What a player will not do in its present state, and why.
//!
//! Spotify once documented eighteen reasons that a refused command may give and no longer does;
//! they are still sent. The mock has a cause for each:
//!
//! | reason | cause |
//! |---|---|
//! | `NO_PREV_TRACK` | going back from the first track of what does not repeat |
//! | `NO_NEXT_TRACK` | going on from the last track of what does not repeat, with nothing queued |
//! | `NO_SPECIFIC_TRACK` | an `offset` that names nothing in the context or list |
//! | `ALREADY_PAUSED` | pausing what is paused |
//! | `NOT_PAUSED` | resuming what plays; with a `position_ms` it is a jump and allowed |
//! | `NOT_PLAYING_LOCALLY` | pausing, seeking or skipping on a device while another one plays |
//! | `NOT_PLAYING_TRACK` | resuming, pausing, seeking, skipping or repeating a track when nothing was ever played |
//! | `NOT_PLAYING_CONTEXT` | repeating the context of what was started without one |
//! | `ENDLESS_CONTEXT` | shuffling or repeating a station, `spotify:station:artist:ID` |
//! | `CONTEXT_DISALLOW` | starting a context in which there is nothing to play |
//! | `ALREADY_PLAYING` | starting the episode or chapter that plays, in the same context and without a `position_ms`, when it has a place to resume from |
//! | `RATE_LIMITED` | more than twenty commands to start or skip within a second of the mock's clock |
//! | `REMOTE_CONTROL_DISALLOW` | any command to a device that refuses remote control, or to take away what it plays |
//! | `DEVICE_NOT_CONTROLLABLE` | any command to a restricted device |
//! | `VOLUME_CONTROL_DISALLOW` | setting the volume of a device that has a fixed one |
//! | `NO_ACTIVE_DEVICE` | a command that names no device while none is active (404, the others are 403) |
//! | `PREMIUM_REQUIRED` | any command of a user who does not pay |
//! | `UNKNOWN` | each of these but the last two, if the mock was told to be vague |

use crate::http::reply::Refusal;

/// A command that `actions.disallows` speaks of.
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

/// Why a command is refused.
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
    /// The answer that says so; a vague one gives no reason but for the lack of a device, which
    /// real players name as well.
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
