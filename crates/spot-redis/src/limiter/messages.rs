//! Messages between a process and the script. All times are durations in milliseconds, because the
//! clocks of the machines can differ.

use serde::{Deserialize, Serialize};
use spot_http::{Priority, limiter_parts::SharedBlock};

use crate::script::Script;

/// The script that counts the calls.
pub(crate) static LIMITER: Script = Script::new(include_str!("limiter.lua"));

#[derive(Debug, Serialize)]
pub(crate) struct Request {
    pub(crate) worker: String,
    /// Sequence number of the request. If a worker sends the same request twice, the script grants
    /// slots only once.
    pub(crate) number: u64,
    pub(crate) window: u64,
    /// Maximum duration of a call. The slots of a crashed worker become free after the length of
    /// the window plus this time.
    pub(crate) longest: u64,
    /// If a worker sends no request for this time, the script assumes that the worker has ended.
    pub(crate) lively: u64,
    /// The limit that the program has set; `None` if the limit is learned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fixed: Option<u32>,
    /// Identifier of the server's state, from the last response to this worker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) born: Option<String>,
    /// Version of the list of blocks that this worker knows.
    pub(crate) version: i64,
    /// Number of the first slot that the script grants. Further slots get consecutive numbers.
    pub(crate) first: u64,
    /// Number of slots to request for interactive calls.
    pub(crate) interactive: usize,
    /// Number of slots to request for bulk calls.
    pub(crate) bulk: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) ended: Vec<Ended>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) blocks: Vec<BlockChange>,
    /// Keys of the blocks for which this worker wants to send a probe. A probe is a single API call
    /// that shows whether a block after a 429 has ended.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) probes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resync: Option<Resync>,
}

impl Request {
    /// Total number of slots to request.
    pub(crate) fn wanted(&self) -> u64 {
        u64::try_from(self.interactive + self.bulk).unwrap_or(u64::MAX)
    }
}

/// A slot that is no longer in use.
#[derive(Debug, Serialize)]
pub(crate) struct Ended {
    pub(crate) slot: u64,
    pub(crate) how: How,
    /// How long ago the call was sent, and how long ago it ended.
    pub(crate) sent: u64,
    pub(crate) ended: u64,
    /// Time to wait after a 429. The value is very large if the limit of the rolling window did not
    /// cause the 429.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) wait: Option<u64>,
    /// Time until the slot is free for another call. Set only if the call of this slot was not
    /// sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) starts: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum How {
    Answered,
    Refused,
    Unknown,
    NotSent,
}

/// A change to a block. A block is a pause of calls after a 429.
#[derive(Debug, Serialize)]
pub(crate) struct BlockChange {
    pub(crate) key: String,
    #[serde(flatten)]
    pub(crate) change: Change,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Change {
    /// A 429 created or extended the block.
    Set(SharedBlock),
    /// The probe for the block received a response.
    Answered(bool),
    /// The probe for the block ended without a response.
    Lost(bool),
}

/// The complete state of a worker. The worker sends this state after the server was unavailable or
/// lost its data.
#[derive(Debug, Serialize)]
pub(crate) struct Resync {
    pub(crate) in_flight: Vec<u64>,
    /// For each finished call whose slot is not free yet, the time until the slot becomes free.
    /// `first` is the number of the first of these slots.
    pub(crate) taken: Vec<u64>,
    pub(crate) first: u64,
    pub(crate) blocks: Vec<SharedBlock>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) limit: Option<u32>,
    pub(crate) step: u32,
    pub(crate) every: u64,
    pub(crate) workers: u32,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Response {
    /// The server does not know the worker's state, and has ignored the request.
    pub(crate) lost: bool,
    pub(crate) born: String,
    pub(crate) workers: u32,
    pub(crate) used: usize,
    pub(crate) version: i64,
    pub(crate) limit: Option<u32>,
    pub(crate) step: u32,
    pub(crate) every: u64,
    /// The server had already received this request. The worker does not know which slots the lost
    /// response granted.
    pub(crate) granted_twice: bool,
    /// For each granted slot: its number, the time until the slot is free, and its priority.
    pub(crate) granted: Vec<(u64, u64, LaneName)>,
    /// Time after which the worker should request more slots of this priority. Set only if the
    /// script granted fewer slots than the worker requested.
    pub(crate) interactive: Option<u64>,
    pub(crate) bulk: Option<u64>,
    /// Keys of the blocks for which this worker may now send a probe.
    pub(crate) probes: Vec<String>,
    /// The complete list of blocks, if the list has changed since the version in the request.
    pub(crate) blocks: Vec<SharedBlock>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LaneName {
    Interactive,
    Bulk,
}

impl LaneName {
    pub(crate) fn priority(self) -> Priority {
        match self {
            Self::Interactive => Priority::Interactive,
            Self::Bulk => Priority::Bulk,
        }
    }
}
