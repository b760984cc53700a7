//! Determines the commands that a player accepts in its current state.

use crate::{
    state::{
        playback::ContextKind,
        player::Player,
        restriction::{Command, Restriction},
    },
    world::Device,
};

impl Device {
    /// The reason why the device refuses all commands; `None` if it accepts commands.
    pub(crate) fn restriction(&self) -> Option<Restriction> {
        if self.restricted {
            Some(Restriction::DeviceNotControllable)
        } else if !self.remote_control {
            Some(Restriction::RemoteControlDisallow)
        } else {
            None
        }
    }
}

impl Player {
    /// The reason why the player would refuse a command now; `None` if it would accept the command.
    /// Refusals and `actions.disallows` both use this method, so they are consistent.
    pub(crate) fn restriction(&self, command: Command) -> Option<Restriction> {
        let device = self.active_device();
        if command == Command::Transfer {
            // Playback can be transferred away from a restricted device, since the transfer sends
            // no command to that device.
            let holds = device.is_some_and(|device| !device.remote_control);
            return holds.then_some(Restriction::RemoteControlDisallow);
        }
        if let Some(restriction) = device.and_then(|device| device.restriction()) {
            return Some(restriction);
        }
        let loaded = self.current.is_some();
        let kind = self.context.as_ref().map(|context| context.kind);
        let endless = kind.is_some_and(ContextKind::is_endless);
        match command {
            Command::Shuffle => endless.then_some(Restriction::EndlessContext),
            Command::RepeatContext if kind.is_none() => Some(Restriction::NotPlayingContext),
            Command::RepeatContext => endless.then_some(Restriction::EndlessContext),
            _ if !loaded => Some(Restriction::NotPlayingTrack),
            Command::Resume => self.playing.then_some(Restriction::NotPaused),
            Command::Pause => (!self.playing).then_some(Restriction::AlreadyPaused),
            Command::SkipNext => (!self.has_next()).then_some(Restriction::NoNextTrack),
            Command::SkipPrevious => (!self.has_previous()).then_some(Restriction::NoPreviousTrack),
            Command::Seek | Command::RepeatTrack | Command::Transfer => None,
        }
    }

    /// Returns the [`restriction`](Self::restriction) as an error, if the command would be refused
    /// now.
    pub(crate) fn allows(&self, command: Command) -> Result<(), Restriction> {
        self.restriction(command).map_or(Ok(()), Err)
    }
}
