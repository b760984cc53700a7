//! The log of requests.

use std::collections::VecDeque;

/// A request that the mock received, for the API or the accounts service.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// HTTP method in upper case.
    pub method: String,
    /// Path as it was sent, percent-encoded: `/v1/artists/0OdUWJ0sBjDrqHygGUXeCF`.
    pub path: String,
    /// Query as it was sent, without the question mark. Empty if the request has no query.
    pub query: String,
    /// Status of the response. The status is 0 while the request is being processed, or if a
    /// [`Fault`](crate::Fault) prevented the response.
    pub status: u16,
    /// Operation id in Spotify's reference: `get-an-artist`. For a request to the accounts service,
    /// the operation id is `authorize` or `token`. `None` if the request calls no operation.
    pub operation: Option<&'static str>,
}

/// Maximum number of requests in the log. The limit bounds the memory of a mock that runs for days.
const REMEMBERED: usize = 100_000;

/// The last requests, in the order in which they arrived.
#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    requests: VecDeque<RecordedRequest>,
    /// Number of removed requests. To get the index of a request in `requests`, subtract `gone`
    /// from the number of the request.
    gone: usize,
}

impl RequestLog {
    /// Records a request and returns its number, which [`finish`](Self::finish) needs.
    pub(crate) fn begin(&mut self, request: RecordedRequest) -> usize {
        if self.requests.len() == REMEMBERED {
            self.requests.pop_front();
            self.gone += 1;
        }
        self.requests.push_back(request);
        self.gone + self.requests.len() - 1
    }

    pub(crate) fn finish(&mut self, number: usize, status: u16) {
        let place = number.checked_sub(self.gone);
        if let Some(request) = place.and_then(|place| self.requests.get_mut(place)) {
            request.status = status;
        }
    }

    pub(crate) fn all(&self) -> Vec<RecordedRequest> {
        self.requests.iter().cloned().collect()
    }

    pub(crate) fn take(&mut self) -> Vec<RecordedRequest> {
        self.gone += self.requests.len();
        std::mem::take(&mut self.requests).into()
    }
}
