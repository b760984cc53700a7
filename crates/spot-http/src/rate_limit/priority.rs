/// The priority of a call that waits for the rate limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Priority {
    /// High priority, for calls that a user waits for. Interactive calls are sent before bulk
    /// calls. The default priority is `Interactive`.
    #[default]
    Interactive,
    /// Low priority, for the calls of a long job. While there are interactive calls, bulk calls
    /// leave 5 % of the limit (at least two calls) free for the interactive calls. While calls of
    /// both priorities wait, every tenth call that is sent is a bulk call, so that a long job
    /// always makes progress.
    Bulk,
}
