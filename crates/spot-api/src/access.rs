/// Which operations Spotify opens to an application.
///
/// It decides how a client does what can be done in two ways: `client.tracks(ids)` is a call for
/// fifty tracks in Extended Quota Mode, and a call for each of them in Development Mode, where the
/// former is closed. Nothing is refused by it: every operation can be called in both modes, and one
/// that is closed answers [`Restricted`](crate::ErrorKind::Restricted).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AccessMode {
    /// The mode of new applications: only calls that work in both modes.
    #[default]
    Development,
    /// The mode of applications that Spotify reviewed: also the calls that are closed to others.
    Extended,
}
