/// The queue in which a call waits for the rate limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Lane {
    /// The lane for calls whose response a user is waiting for. Interactive calls are sent before
    /// bulk calls. This lane is the default.
    #[default]
    Interactive,
    /// The lane for the calls of a long job. While there are interactive calls, bulk calls leave
    /// 5 % of the limit (at least two calls) free for the interactive calls. While both lanes have
    /// waiting calls, one in ten calls is a bulk call, so that a long job always makes progress.
    Bulk,
}
