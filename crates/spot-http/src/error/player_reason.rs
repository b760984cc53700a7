//! Why the player refused a command.

use std::fmt;

macro_rules! reasons {
    ($($(#[$meta:meta])* $variant:ident = $text:literal,)*) => {
        /// Why the player refused a command.
        ///
        /// Spotify adds reasons over time. If this enum has no variant for a reason,
        /// [`as_str`](Self::as_str) returns the string that Spotify sent.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum PlayerReason {
            $($(#[$meta])* $variant,)*
            #[doc(hidden)]
            _Other(OtherReason),
        }

        impl PlayerReason {
            /// Returns Spotify's string for the reason, for example `NO_NEXT_TRACK`.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::_Other(OtherReason(text)) => text,
                }
            }
        }

        impl From<&str> for PlayerReason {
            fn from(text: &str) -> Self {
                $(if text.eq_ignore_ascii_case($text) {
                    return Self::$variant;
                })*
                Self::_Other(OtherReason(text.into()))
            }
        }
    };
}

reasons! {
    /// There is no previous item.
    NoPreviousTrack = "NO_PREV_TRACK",
    /// There is no next item.
    NoNextTrack = "NO_NEXT_TRACK",
    /// The requested track does not exist.
    NoSpecificTrack = "NO_SPECIFIC_TRACK",
    /// Playback is already paused.
    AlreadyPaused = "ALREADY_PAUSED",
    /// Playback is not paused.
    NotPaused = "NOT_PAUSED",
    /// Playback is not on this device.
    NotPlayingLocally = "NOT_PLAYING_LOCALLY",
    /// No track is playing.
    NotPlayingTrack = "NOT_PLAYING_TRACK",
    /// Playback has no context. A context is, for example, an album or a playlist.
    NotPlayingContext = "NOT_PLAYING_CONTEXT",
    /// The command is not possible in an endless context, such as a radio station.
    EndlessContext = "ENDLESS_CONTEXT",
    /// The context does not allow the command.
    ContextDisallow = "CONTEXT_DISALLOW",
    /// Playback is already running.
    AlreadyPlaying = "ALREADY_PLAYING",
    /// Too many commands were sent.
    RateLimited = "RATE_LIMITED",
    /// The device does not allow remote control.
    RemoteControlDisallow = "REMOTE_CONTROL_DISALLOW",
    /// The device accepts no commands.
    DeviceNotControllable = "DEVICE_NOT_CONTROLLABLE",
    /// The volume of the device cannot be set.
    VolumeControlDisallow = "VOLUME_CONTROL_DISALLOW",
    /// No device is active. Start playback on a device, or pass a device to the call.
    NoActiveDevice = "NO_ACTIVE_DEVICE",
    /// The user has no Spotify Premium.
    PremiumRequired = "PREMIUM_REQUIRED",
    /// Spotify gives no reason.
    Unknown = "UNKNOWN",
}

/// A reason for which [`PlayerReason`] has no variant yet. Other crates cannot construct or match
/// this type. A later version can therefore add a variant for the reason without a breaking change.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct OtherReason(Box<str>);

impl fmt::Debug for OtherReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for PlayerReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
