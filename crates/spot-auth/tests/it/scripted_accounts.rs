//! An accounts service for tests. The service sends scripted responses and records the requests.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use spot_auth::{App, AppBuilder, async_trait};
use spot_http::{Transport, TransportError, TransportErrorKind};
use url::form_urlencoded;

/// Headers and form of a received request.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) headers: HeaderMap,
    pub(crate) form: HashMap<String, String>,
}

impl Asked {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.form.get(name).map(String::as_str)
    }
}

/// Scripted result of a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Http(u16, Vec<(&'static str, String)>, String),
    Break(TransportErrorKind),
    Never,
}

impl Reply {
    pub(crate) fn json(status: u16, body: impl Into<String>) -> Self {
        Self::Http(status, vec![("content-type", "application/json".to_owned())], body.into())
    }

    pub(crate) fn ok(body: impl Into<String>) -> Self {
        Self::json(200, body)
    }

    pub(crate) fn token(access: &str, refresh: &str) -> Self {
        Self::ok(format!(
            r#"{{"access_token":"{access}","token_type":"Bearer","expires_in":3600,
                "refresh_token":"{refresh}","scope":"user-library-read"}}"#
        ))
    }

    pub(crate) fn limited(seconds: u64) -> Self {
        Self::Http(429, vec![("retry-after", seconds.to_string())], String::new())
    }

    pub(crate) fn invalid_grant() -> Self {
        Self::json(400, r#"{"error":"invalid_grant","error_description":"Refresh token revoked"}"#)
    }
}

type Answer = dyn Fn(usize, &Asked) -> Reply + Send + Sync;

/// The scripted accounts service. Clones share the same state.
#[derive(Clone)]
pub(crate) struct Script {
    answer: Arc<Answer>,
    asked: Arc<Mutex<Vec<Asked>>>,
    takes: Duration,
}

impl Script {
    /// Creates a service that calls `answer` for each request. The requests are numbered from 0.
    pub(crate) fn new(answer: impl Fn(usize, &Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self { answer: Arc::new(answer), asked: Arc::default(), takes: Duration::from_millis(100) }
    }

    /// Creates a service that returns these replies in order and then repeats the last reply.
    pub(crate) fn of(replies: impl Into<Vec<Reply>>) -> Self {
        let replies = replies.into();
        Self::new(move |n, _| replies.get(n).or(replies.last()).unwrap().clone())
    }

    /// Creates a service that replaces the refresh token at every refresh. The service accepts only
    /// the latest refresh token.
    pub(crate) fn rotating(current: Arc<Mutex<String>>) -> Self {
        Self::new(move |n, asked| {
            let mut current = current.lock().unwrap();
            if asked.get("refresh_token") != Some(&current) {
                return Reply::invalid_grant();
            }
            *current = format!("rotated-{n}");
            Reply::token(&format!("access-{n}"), &current)
        })
    }

    pub(crate) fn takes(mut self, takes: Duration) -> Self {
        self.takes = takes;
        self
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    pub(crate) fn app(&self) -> AppBuilder {
        App::builder("the-client").transport(self.clone())
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Script")
    }
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        assert_eq!(request.method(), "POST");
        assert_eq!(request.uri().path(), "/api/token");
        assert_eq!(request.headers()["content-type"], "application/x-www-form-urlencoded");
        let asked = Asked {
            headers: request.headers().clone(),
            form: form_urlencoded::parse(request.body()).into_owned().collect(),
        };
        let number = {
            let mut all = self.asked.lock().unwrap();
            all.push(asked.clone());
            all.len() - 1
        };
        // The service processes the request before the delay, so a cancelled request still takes
        // effect.
        let reply = (self.answer)(number, &asked);
        tokio::time::sleep(self.takes).await;
        match reply {
            Reply::Http(status, headers, body) => {
                let mut response = Response::builder().status(status);
                for (name, value) in headers {
                    response = response.header(name, value);
                }
                Ok(response.body(body.into()).unwrap())
            }
            Reply::Break(kind) => Err(TransportError::new(kind, "it broke")),
            Reply::Never => std::future::pending().await,
        }
    }
}

/// Waits up to 30 s until a condition is true. Returns whether the condition is true.
///
/// The observer of an application runs on its own thread. On a busy machine, the observer may
/// receive an event after the session has continued.
pub(crate) fn eventually(condition: impl Fn() -> bool) -> bool {
    let start = std::time::Instant::now();
    while start.elapsed() < Duration::from_secs(30) {
        if condition() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    condition()
}
