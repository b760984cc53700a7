//! Values for optional parameters.

use spot_model::{Country, EpisodeId, PlayableUri, TrackId};

use crate::{fields::Fields, market::Market, playback::PlaybackOffset};

/// A value for an optional parameter of the type `T`. The value can be a `T`, a value that converts
/// into a `T`, or an `Option<T>`. The value can also be an `&Option<U>`, if `U` converts into `T`.
/// `None` omits the parameter.
///
/// If an `Option` contains another type than `T`, pass a reference to the `Option`. The trait does
/// not accept every `Option` by value, because `None` would then need a type annotation.
///
/// ```no_run
/// # use spot_api::Market;
/// # fn example(client: spot_api::Client, text: Option<&str>, market: Option<Market>) {
/// let album = client.album("spotmockAlbum000000001").market("SE");
/// let album = client.album("spotmockAlbum000000001").market(market);
/// let album = client.album("spotmockAlbum000000001").market(&text);
/// let album = client.album("spotmockAlbum000000001").market(None);
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be used as an optional `{T}`",
    label = "expected a `{T}`, a value that can be converted into a `{T}`, or an `Option<{T}>`",
    note = "for an `Option` of any other type than `{T}`, pass a reference: `&option`"
)]
pub trait Optional<T> {
    /// Converts this value into an `Option` of the type `T`. `None` omits the parameter.
    fn into_optional(self) -> Option<T>;
}

impl<T> Optional<T> for Option<T> {
    fn into_optional(self) -> Option<T> {
        self
    }
}

impl<T, V: Clone + Optional<T>> Optional<T> for &Option<V> {
    fn into_optional(self) -> Option<T> {
        self.clone().and_then(V::into_optional)
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
