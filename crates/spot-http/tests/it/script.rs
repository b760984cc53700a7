//! A transport for tests, which returns scripted results and uses the virtual time of the test.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use spot_http::{
    AccessToken, Pipeline, PipelineBuilder, Transport, TransportError, TransportErrorKind,
};
use tokio::time::{Instant, sleep};

/// Scripted result of one request.
#[derive(Clone, Debug)]
pub(crate) enum Turn {
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: String,
    },
    Fail(TransportErrorKind),
    /// Sends a success response without a body after this delay.
    Late(Duration),
}

pub(crate) fn status(status: u16) -> Turn {
    Turn::Answer { status, headers: Vec::new(), body: "{}".to_owned() }
}

pub(crate) fn wait(seconds: &str) -> Turn {
    Turn::Answer {
        status: 429,
        headers: vec![("retry-after", seconds.to_owned())],
        body: r#"{"error":{"status":429,"message":"API rate limit exceeded"}}"#.to_owned(),
    }
}

pub(crate) fn body(status: u16, body: &str) -> Turn {
    Turn::Answer { status, headers: Vec::new(), body: body.to_owned() }
}

/// A transport that returns the scripted results in order and then repeats the last result. The
/// transport records the requests and their times.
#[derive(Clone, Debug)]
pub(crate) struct Script(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    turns: VecDeque<Turn>,
    asked: Vec<(Instant, http::Request<Bytes>)>,
}

impl Script {
    pub(crate) fn new(turns: impl IntoIterator<Item = Turn>) -> Self {
        let turns = turns.into_iter().collect();
        Self(Arc::new(Mutex::new(State { turns, asked: Vec::new() })))
    }

    /// Creates a pipeline builder that uses this script and does not wait before retries.
    pub(crate) fn pipeline(&self) -> PipelineBuilder {
        Pipeline::builder(AccessToken::new("token").unwrap())
            .transport(self.clone())
            .backoff(Duration::ZERO, Duration::ZERO)
    }

    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap().asked.len()
    }

    pub(crate) fn requests(&self) -> Vec<http::Request<Bytes>> {
        self.0.lock().unwrap().asked.iter().map(|(_, request)| request.clone()).collect()
    }

    pub(crate) fn times(&self) -> Vec<Instant> {
        self.0.lock().unwrap().asked.iter().map(|(time, _)| *time).collect()
    }
}

#[spot_http::async_trait]
impl Transport for Script {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let turn = {
            let mut state = self.0.lock().unwrap();
            state.asked.push((Instant::now(), request));
            let turn = state.turns.front().cloned().unwrap();
            if state.turns.len() > 1 {
                state.turns.pop_front();
            }
            turn
        };
        match turn {
            Turn::Answer { status, headers, body } => {
                let mut response = http::Response::builder().status(status);
                for (name, value) in headers {
                    response = response.header(name, value);
                }
                Ok(response.body(Bytes::from(body)).unwrap())
            }
            Turn::Fail(kind) => Err(TransportError::new(kind, "by the script")),
            Turn::Late(time) => {
                sleep(time).await;
                Ok(http::Response::new(Bytes::new()))
            }
        }
    }
}
