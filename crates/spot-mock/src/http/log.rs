//! What was asked of the mock.

use std::collections::VecDeque;

/// A request the mock has received, at the API or at the accounts service.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// The HTTP method in capitals.
    pub method: String,
    /// The path as it was sent, still percent-encoded: `/v1/artists/0OdUWJ0sBjDrqHygGUXeCF`.
    pub path: String,
    /// The query as it was sent, without the question mark; empty if there was none.
    pub query: String,
    /// The status of the answer; 0 if there was none, because the request is still being worked
    /// on or because a [`Fault`](crate::Fault) swallowed the answer.
    pub status: u16,
    /// The operation in Spotify's reference: `get-an-artist`. The accounts service has
    /// `authorize` and `token`. `None` if the mock does not know the route.
    pub operation: Option<&'static str>,
}

/// How many requests are remembered, so that a mock can run for days.
const REMEMBERED: usize = 100_000;

/// The last requests, in the order in which they arrived.
#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    requests: VecDeque<RecordedRequest>,
    /// How many are gone, so that the numbers of the others stay what they are.
    gone: usize,
}

impl RequestLog {
    /// Notes a request and returns its number, with which the answer is noted.
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
