/// The queue in which a call waits for the rate limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Lane {
    /// For calls that a user waits for. They are sent before bulk calls. This is the default.
    #[default]
    Interactive,
    /// For parts of a long job. While there are interactive calls, bulk calls leave 5 % of the
    /// limit (at least two calls) free for them. One in ten queued calls is a bulk call, so that a
    /// long job always makes progress.
    Bulk,
}
