//! Waiting for a device.

use std::time::Duration;

use spot_http::{Error, ErrorKind, PlayerReason};
use spot_model::{Device, DeviceId};
use tokio::time::{Instant, sleep, timeout_at};

use crate::Player;

/// Wait between the first two checks of the devices. The wait doubles after each check.
const WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(4);

/// Maximum timeout. Longer timeouts are reduced to this value.
const FOREVER: Duration = Duration::from_secs(365 * 86_400);

impl Player {
    /// Selects a device by its name or id. The device does not have to be available yet. Names are
    /// compared without regard to case.
    ///
    /// ```no_run
    /// # async fn example(client: spot_api::Client) -> Result<(), spot_api::Error> {
    /// use std::time::Duration;
    ///
    /// let player = client.player();
    /// let kitchen = player.device("Kitchen").ready(Duration::from_secs(30)).await?;
    /// player.play().context("spotify:album:spotmockAlbum000000001").await?;
    /// # Ok(()) }
    /// ```
    pub fn device(&self, name_or_id: impl Into<String>) -> PlayerDevice {
        PlayerDevice { player: self.clone(), wanted: name_or_id.into() }
    }
}

/// A device that [`Player::device`] selected by name or id.
#[derive(Clone, Debug)]
#[must_use = "nothing happens until `ready` is awaited"]
pub struct PlayerDevice {
    player: Player,
    wanted: String,
}

/// Result of a check of the devices.
enum Found {
    /// The device is active.
    Active(Device),
    /// The device is not active yet. The text explains why the device is not active.
    NotYet(String),
}

impl PlayerDevice {
    /// Waits until the device is available, makes it the active device, and waits until it is
    /// active.
    ///
    /// Playback continues on the device; paused playback stays paused. Later commands go to this
    /// device, unless a command names another device. A device that has just appeared refuses
    /// commands for some seconds (404). This method sends the refused commands again. Scopes:
    /// `user-read-playback-state`, `user-modify-playback-state`. The user needs Premium.
    ///
    /// The wait between two checks grows from 0.5 s to 4 s.
    ///
    /// # Errors
    ///
    /// - Fails with [`Timeout`](ErrorKind::Timeout) if the device is not ready in time. The message
    ///   contains the reason: the device did not become active, or the device was missing. If the
    ///   device was missing, the message contains the names of the available devices.
    /// - Fails immediately with
    ///   [`Player(DeviceNotControllable)`](PlayerReason::DeviceNotControllable) if the device has
    ///   no id or is restricted. The Web API cannot control restricted devices or devices without
    ///   an id.
    /// - If a request fails with an error that is not temporary, this method returns the error.
    ///   After a temporary error, this method checks the devices again.
    pub async fn ready(self, timeout: Duration) -> Result<Device, Error> {
        let deadline = Instant::now() + timeout.min(FOREVER);
        let mut seen = "the devices could not be listed".to_owned();
        let waiting = async {
            let mut wait = WAIT;
            loop {
                match self.look().await {
                    Ok(Found::Active(device)) => return Ok(device),
                    Ok(Found::NotYet(what)) => seen = what,
                    Err(error) if is_passing(&error) => seen = error.to_string(),
                    Err(error) => return Err(error),
                }
                sleep(wait).await;
                wait = (wait * 2).min(LONGEST_WAIT);
            }
        };
        match timeout_at(deadline, waiting).await {
            Ok(done) => done,
            Err(_) => {
                let message = format!(
                    "the device {:?} was not ready within {timeout:?}: {seen}",
                    self.wanted
                );
                Err(Error::new(ErrorKind::Timeout, message))
            }
        }
    }

    /// Checks the devices once, and transfers playback to the wanted device if the device is
    /// available.
    async fn look(&self) -> Result<Found, Error> {
        let devices = self.player.devices().await?;
        let Some(device) = choose(&devices, &self.wanted) else {
            let names: Vec<&str> = devices.iter().map(|device| device.name.as_str()).collect();
            let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            return Ok(Found::NotYet(format!("it is not among the available devices ({names})")));
        };
        let id = controllable(device)?;
        if device.is_active {
            return Ok(Found::Active(device.clone()));
        }
        self.player.transfer(id.clone()).await?;
        Ok(Found::NotYet("it did not become active".to_owned()))
    }
}

/// Chooses the device with this id. If no device has this id, chooses a device with this name. If
/// several devices have this name, prefers the active device, then a device that accepts commands.
fn choose<'a>(devices: &'a [Device], wanted: &str) -> Option<&'a Device> {
    let by_id =
        devices.iter().find(|device| device.id.as_ref().is_some_and(|id| id.as_str() == wanted));
    let name = wanted.trim().to_lowercase();
    let named = || devices.iter().filter(|device| device.name.trim().to_lowercase() == name);
    by_id
        .or_else(|| named().find(|device| device.is_active))
        .or_else(|| named().find(|device| controllable(device).is_ok()))
        .or_else(|| named().next())
}

fn controllable(device: &Device) -> Result<&DeviceId, Error> {
    let refusal = |why: &str| {
        let name = &device.name;
        let message = format!("the device {name:?} {why}; use Spotify on the device itself");
        Error::new(ErrorKind::Player(PlayerReason::DeviceNotControllable), message)
    };
    let id =
        device.id.as_ref().ok_or_else(|| refusal("has no id, so the Web API cannot control it"))?;
    if device.is_restricted { Err(refusal("accepts no commands from the Web API")) } else { Ok(id) }
}

/// Whether the error may be temporary. For example, some of Spotify's servers may not know the
/// device yet, or Spotify may be down.
fn is_passing(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NotFound
            | ErrorKind::Player(PlayerReason::NoActiveDevice)
            | ErrorKind::OutcomeUnknown
            | ErrorKind::Server
            | ErrorKind::Timeout
            | ErrorKind::Transport
    )
}
