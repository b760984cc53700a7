/// The queue in which a call waits for the rate limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Lane {
    /// A user waits for the response. Interactive calls go before bulk calls. The default.
    #[default]
    Interactive,
    /// A part of a long job. While there are interactive calls, bulk calls leave 5 % of the limit,
    /// at least two calls, to them. One of ten calls that had to wait is a bulk call, so that a long
    /// job always makes progress.
    Bulk,
}
