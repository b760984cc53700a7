//! One HTTP client for each runtime.
//!
//! A connection makes progress only while the runtime that opened it runs. A current-thread runtime
//! runs only inside `block_on`. A request might therefore never be sent if it used a connection of
//! another runtime.

use std::{
    collections::VecDeque,
    sync::{Mutex, OnceLock, PoisonError},
};

use tokio::runtime::{Handle, Id};

use crate::Error;

type Build = dyn Fn() -> Result<reqwest::Client, Error> + Send + Sync;

/// The clients of a transport.
pub(super) struct Clients {
    build: Box<Build>,
    first: reqwest::Client,
    /// The runtime of the first client.
    runtime: OnceLock<Id>,
    others: Mutex<VecDeque<(Id, reqwest::Client)>>,
}

/// Maximum number of clients for runtimes other than the first. If there are more runtimes, the
/// oldest client is dropped, because its runtime has usually shut down.
const MAX_OTHERS: usize = 16;

impl Clients {
    pub(super) fn new(
        build: impl Fn() -> Result<reqwest::Client, Error> + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        let first = build()?;
        Ok(Self {
            build: Box::new(build),
            first,
            runtime: OnceLock::new(),
            others: Mutex::default(),
        })
    }

    /// Returns the client of the current runtime.
    pub(super) fn current(&self) -> Result<reqwest::Client, Error> {
        let Ok(runtime) = Handle::try_current() else { return Ok(self.first.clone()) };
        let id = runtime.id();
        if *self.runtime.get_or_init(|| id) == id {
            return Ok(self.first.clone());
        }
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = others.iter().find(|(other, _)| *other == id) {
            return Ok(client.clone());
        }
        let client = (self.build)()?;
        if others.len() >= MAX_OTHERS {
            others.pop_front();
        }
        others.push_back((id, client.clone()));
        Ok(client)
    }
}
