/// The priority of a call that waits for the rate limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Priority {
    /// For calls whose response a user is waiting for. Interactive calls are sent before bulk
    /// calls. This priority is the default.
    #[default]
    Interactive,
    /// For the calls of a long job. While there are interactive calls, bulk calls leave 5 % of the
    /// limit (at least two calls) free for the interactive calls. While calls of both priorities
    /// wait, one in ten calls is a bulk call, so that a long job always makes progress.
    Bulk,
}
