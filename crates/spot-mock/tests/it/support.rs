//! An HTTP client for the tests.

use reqwest::{Client, Method, header::HeaderMap, redirect};
use serde_json::Value;
use spot_mock::{MockSpotify, Mode};

pub(crate) struct Api {
    pub(crate) mock: MockSpotify,
    pub(crate) http: Client,
    pub(crate) token: String,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    /// Returns the message of an error. Checks that the body contains the HTTP status.
    #[track_caller]
    pub(crate) fn message(&self) -> String {
        let error = &self.json()["error"];
        assert_eq!(error["status"], self.status);
        error["message"].as_str().unwrap().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

pub(crate) async fn development() -> Api {
    Api::new(MockSpotify::start().await.unwrap())
}

pub(crate) async fn extended() -> Api {
    Api::new(MockSpotify::builder().mode(Mode::Extended).start().await.unwrap())
}

pub(crate) fn http() -> Client {
    // In a build of the whole workspace, reqwest uses TLS, and the program must install a
    // cryptography provider. If another test has already installed a provider, this call fails and
    // has no effect.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().redirect(redirect::Policy::none()).no_proxy().build().unwrap()
}

impl Api {
    pub(crate) fn new(mock: MockSpotify) -> Self {
        let token = mock.user_token_all();
        Self { mock, http: http(), token }
    }

    /// Returns this client with another token.
    pub(crate) fn with_token(self, token: String) -> Self {
        Self { token, ..self }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, "").await
    }

    /// Sends a GET request that must succeed.
    #[track_caller]
    pub(crate) fn read(&self, path: &str) -> impl Future<Output = Value> {
        let path = path.to_owned();
        let place = std::panic::Location::caller();
        async move {
            let answer = self.get(&path).await;
            assert_eq!(answer.status, 200, "{place}: {path}: {}", answer.text);
            answer.json()
        }
    }

    pub(crate) async fn put(&self, path: &str, body: &str) -> Answer {
        self.send(Method::PUT, path, body).await
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> Answer {
        self.send(Method::POST, path, body).await
    }

    pub(crate) async fn delete(&self, path: &str, body: &str) -> Answer {
        self.send(Method::DELETE, path, body).await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: &str) -> Answer {
        let mut request = self
            .http
            .request(method.clone(), format!("{}{path}", self.mock.api_url()))
            .bearer_auth(&self.token);
        if !body.is_empty() {
            request = request.header("content-type", "application/json").body(body.to_owned());
        } else if method != Method::GET {
            request = request.header("content-length", "0");
        }
        finish(request).await
    }
}

pub(crate) async fn finish(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.text().await.unwrap(),
    }
}
