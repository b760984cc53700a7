//! Caches the responses of a spot-mock, so that the measurements do not include the time of the
//! mock.

use std::{
    collections::HashMap,
    error::Error,
    io::Write as _,
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::StatusCode;
use spot_mock::MockSpotify;

/// A spot-mock with a cache of its responses. The links in the responses point to the benchmark's
/// server.
pub(crate) struct Relay {
    mock: MockSpotify,
    token: String,
    client: reqwest::Client,
    answers: Mutex<HashMap<String, Answer>>,
}

#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) plain: Bytes,
    pub(crate) compressed: Bytes,
}

impl Relay {
    pub(crate) fn new(mock: MockSpotify) -> Result<Self, Box<dyn Error>> {
        let client = reqwest::Client::builder().no_proxy().build()?;
        let token = mock.user_token_all();
        Ok(Self { mock, token, client, answers: Mutex::default() })
    }

    /// Returns the response to a path with a query. `host` is the host of the benchmark's server.
    pub(crate) async fn answer(&self, path: &str, host: &str) -> Answer {
        let known = self.answers.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned();
        if let Some(known) = known {
            return known;
        }
        let asked = self.ask(path, host).await.unwrap_or_else(|error| Answer {
            status: StatusCode::BAD_GATEWAY,
            plain: Bytes::from(error.to_string()),
            compressed: Bytes::new(),
        });
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.insert(path.to_owned(), asked.clone());
        asked
    }

    async fn ask(&self, path: &str, host: &str) -> Result<Answer, Box<dyn Error + Send + Sync>> {
        let url = format!("{}{path}", self.mock.api_url());
        let answer = self.client.get(url).bearer_auth(&self.token).send().await?;
        let status = answer.status();
        let plain = answer.text().await?.replace(self.mock.api_url(), &format!("http://{host}"));
        // Most servers use the default compression level too.
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(plain.as_bytes())?;
        let compressed = Bytes::from(gzip.finish()?);
        Ok(Answer { status, plain: Bytes::from(plain), compressed })
    }
}
