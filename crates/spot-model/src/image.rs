//! Images in several sizes.

use crate::Image;

/// Selects an object's image by size.
pub trait Images {
    /// Returns the smallest image that is at least `width` pixels wide, or the widest image if no
    /// image is wide enough. An image of unknown width is returned only if there is no other image.
    /// Returns `None` if there is no image at all.
    fn at_least(&self, width: u32) -> Option<&Image>;
}

impl Images for [Image] {
    fn at_least(&self, width: u32) -> Option<&Image> {
        let enough = self.iter().filter(|image| image.width.is_some_and(|own| own >= width));
        enough.min_by_key(|image| image.width).or_else(|| {
            // If no image has a width, `rev` selects the first image, which is the widest in
            // Spotify's order.
            self.iter().rev().max_by_key(|image| image.width)
        })
    }
}
