//! Images in several sizes.

use crate::Image;

/// Selects an object's image by size.
pub trait Images {
    /// Returns the smallest image that is at least `width` pixels wide, or the widest one if there
    /// is none. Images of unknown width come last. `None` if there is no image.
    fn at_least(&self, width: u32) -> Option<&Image>;
}

impl Images for [Image] {
    fn at_least(&self, width: u32) -> Option<&Image> {
        let enough = self.iter().filter(|image| image.width.is_some_and(|own| own >= width));
        enough.min_by_key(|image| image.width).or_else(|| {
            // Selects the first of several images with equal width, since Spotify lists the widest
            // image first.
            self.iter().rev().max_by_key(|image| image.width)
        })
    }
}
