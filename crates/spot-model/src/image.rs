//! Pictures in several sizes.

use crate::Image;

/// Chooses from the pictures of an object by size.
pub trait Images {
    /// The smallest picture that is at least `width` pixels wide, or the widest one if none is.
    /// Pictures of unknown width come last. `None` if there is no picture.
    fn at_least(&self, width: u32) -> Option<&Image>;
}

impl Images for [Image] {
    fn at_least(&self, width: u32) -> Option<&Image> {
        let enough = self.iter().filter(|image| image.width.is_some_and(|own| own >= width));
        enough.min_by_key(|image| image.width).or_else(|| {
            // The first one of equals: Spotify lists the widest picture first.
            self.iter().rev().max_by_key(|image| image.width)
        })
    }
}
