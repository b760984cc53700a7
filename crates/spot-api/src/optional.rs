//! Values for parameters that may be left out.

use spot_model::{Country, EpisodeId, PlayableUri, TrackId};

use crate::{fields::Fields, market::Market, playback::PlaybackOffset};

/// A value for a parameter that may be left out: the value, anything that converts into it, or an
/// `Option` of one of them. `None` leaves the parameter out.
///
/// ```no_run
/// # fn example(client: spot_api::Client, country: Option<&str>) {
/// let album = client.album("spotmockAlbum000000001").market(country);
/// let album = client.album("spotmockAlbum000000001").market("SE");
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be used as a `{T}`",
    label = "expected a `{T}`, a value that converts into it, or an `Option` of one of them"
)]
pub trait Optional<T> {
    /// The value; `None` leaves the parameter out.
    fn into_optional(self) -> Option<T>;
}

impl<T, V: Optional<T>> Optional<T> for Option<V> {
    fn into_optional(self) -> Option<T> {
        self.and_then(V::into_optional)
    }
}

macro_rules! optional {
    ($($value:ty: $($from:ty),*;)*) => {$($(
        impl Optional<$value> for $from {
            fn into_optional(self) -> Option<$value> {
                Some(self.into())
            }
        }
    )*)*};
}

optional! {
    String: String, &String, &str;
    Market: Market, Country, String, &String, &str;
    Fields: Fields, String, &String, &str;
    PlaybackOffset: PlaybackOffset, u32, TrackId, EpisodeId, PlayableUri;
}
