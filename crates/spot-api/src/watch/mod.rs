//! Polls the player, and reports changes as events.

mod diff;
mod event;
mod observation;
mod schedule;
mod stream;

use crate::Player;

pub use event::{PlaybackChange, PlaybackEvent};
pub use stream::{PlaybackWatch, WatchHandle};

impl Player {
    /// Polls the player, and returns a stream of the changes.
    ///
    /// The first request is sent when the stream is first polled. See [`PlaybackWatch`].
    ///
    /// ```no_run
    /// # async fn example(client: spot_api::Client) -> Result<(), spot_api::Error> {
    /// use spot_api::PlaybackChange;
    ///
    /// let mut watch = client.player().watch();
    /// while let Some(event) = watch.try_next().await? {
    ///     match event.change {
    ///         PlaybackChange::ItemChanged { to: Some(item), .. } => println!("now: {}", item.name()),
    ///         PlaybackChange::Paused => println!("paused"),
    ///         _ => {}
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    pub fn watch(&self) -> PlaybackWatch {
        PlaybackWatch::new(self.client.clone())
    }
}
