//! Devices.

use serde::Deserialize;

/// A playback device, such as a speaker, a phone or a car.
///
/// A mock starts with three devices. [`MockSpotify::add_device`](crate::MockSpotify::add_device)
/// adds more devices:
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
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "control", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[must_use = "a device has no effect until it is added to a mock"]
pub struct Device {
    /// Id. `null` for some restricted devices.
    pub(crate) id: Option<String>,
    /// Name.
    pub(crate) name: String,
    /// Value of `type` in responses, such as `Computer`, `Smartphone` or `TV`. Default: `Speaker`.
    #[serde(rename = "type", default = "speaker")]
    pub(crate) kind: String,
    /// Volume, 0 to 100. Default: 50.
    #[serde(rename = "volume_percent", default = "half")]
    pub(crate) volume: Option<u8>,
    /// Whether the volume can be set. Default: true.
    #[serde(default = "yes")]
    pub(crate) supports_volume: bool,
    /// Whether the device refuses all commands. Default: false.
    #[serde(rename = "is_restricted", default)]
    pub(crate) restricted: bool,
    /// Default: false.
    #[serde(rename = "is_private_session", default)]
    pub(crate) private_session: bool,
    /// Whether the device accepts remote control. Default: true.
    #[serde(default = "yes")]
    pub(crate) remote_control: bool,
    /// Whether this is the active device. Default: false.
    #[serde(rename = "is_active", default)]
    pub(crate) active: bool,
}

impl Device {
    /// A speaker with volume 50 that accepts all commands and is not active.
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

    /// Value of `type` in responses, such as `Computer`, `Smartphone` or `TV`. Default: `Speaker`.
    pub fn kind(mut self, kind: impl Into<String>) -> Self {
        self.kind = kind.into();
        self
    }

    /// Volume, 0 to 100. Larger values are reduced to 100. Default: 50.
    pub fn volume(mut self, percent: u8) -> Self {
        self.volume = Some(percent.min(100));
        self
    }

    /// Makes the volume fixed. Commands that set the volume are refused with
    /// `VOLUME_CONTROL_DISALLOW`.
    pub fn fixed_volume(mut self) -> Self {
        self.supports_volume = false;
        self
    }

    /// Refuses all commands with `DEVICE_NOT_CONTROLLABLE`, and sets `is_restricted`.
    pub fn restricted(mut self) -> Self {
        self.restricted = true;
        self
    }

    /// Sets `is_private_session`. The device still accepts commands.
    pub fn private_session(mut self) -> Self {
        self.private_session = true;
        self
    }

    /// Refuses all commands with `REMOTE_CONTROL_DISALLOW`. While the device is active, playback
    /// cannot be transferred to another device. Responses do not show whether a device refuses
    /// remote control.
    pub fn refuses_remote_control(mut self) -> Self {
        self.remote_control = false;
        self
    }

    /// Makes this device the active device. If playback is running, it continues on this device.
    pub fn active(mut self) -> Self {
        self.active = true;
        self
    }
}

const fn yes() -> bool {
    true
}

fn speaker() -> String {
    "Speaker".to_owned()
}

fn half() -> Option<u8> {
    Some(50)
}
