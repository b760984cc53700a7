//! Where music can be played.

use crate::state::restriction::Restriction;

/// Something that can play: a speaker, a telephone, a car.
///
/// A mock starts with three of them. Others are added by
/// [`MockSpotify::add_device`](crate::MockSpotify::add_device), for what those three cannot show:
///
/// ```
/// use spot_mock::{Device, MockSpotify};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mock = MockSpotify::start().await?;
/// mock.add_device(Device::new("car", "The car").kind("Automobile").fixed_volume());
/// mock.add_device(Device::new("tv", "Guest room").restricted().active());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a device is of use once it is added to a mock"]
pub struct Device {
    /// Speakers that take no commands may have none.
    pub(crate) id: Option<String>,
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) volume: Option<u8>,
    pub(crate) supports_volume: bool,
    pub(crate) restricted: bool,
    pub(crate) private_session: bool,
    pub(crate) remote_control: bool,
    pub(crate) active: bool,
}

impl Device {
    /// A speaker at half its volume that obeys every command and plays nothing yet.
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            id: Some(id.into()),
            name: name.into(),
            kind: "Speaker".to_owned(),
            volume: Some(50),
            supports_volume: true,
            restricted: false,
            private_session: false,
            remote_control: true,
            active: false,
        }
    }

    /// What it is, as Spotify writes it: `Computer`, `Smartphone`, `TV`. Default: `Speaker`.
    pub fn kind(mut self, kind: impl Into<String>) -> Self {
        self.kind = kind.into();
        self
    }

    /// How loud it is, in percent; what is above 100 counts as 100. Default: 50.
    pub fn volume(mut self, percent: u8) -> Self {
        self.volume = Some(percent.min(100));
        self
    }

    /// A device whose volume cannot be set: the attempt is refused with
    /// `VOLUME_CONTROL_DISALLOW`.
    pub fn fixed_volume(mut self) -> Self {
        self.supports_volume = false;
        self
    }

    /// A device that takes no commands at all, which `is_restricted` says beforehand: they are
    /// refused with `DEVICE_NOT_CONTROLLABLE`.
    pub fn restricted(mut self) -> Self {
        self.restricted = true;
        self
    }

    /// A device whose user listens in a private session, as `is_private_session` says. It obeys
    /// nevertheless.
    pub fn private_session(mut self) -> Self {
        self.private_session = true;
        self
    }

    /// A device of which nothing says that it obeys only those who stand before it: commands are
    /// refused with `REMOTE_CONTROL_DISALLOW`, and so is taking away what it plays.
    pub fn refuses_remote_control(mut self) -> Self {
        self.remote_control = false;
        self
    }

    /// The device that is active from now on: what plays goes on there.
    pub fn active(mut self) -> Self {
        self.active = true;
        self
    }

    /// Why it takes no commands, if it takes none.
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
