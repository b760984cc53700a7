//! Fuzz targets for data from the accounts service, the browser and the token store.

use bytes::Bytes;
use spot_auth::{App, Error, ExposeSecret, Scopes, TokenRecord, TokenSource, fuzzing};
use spot_http::{Transport, TransportError};
use tokio::runtime::{Builder, Runtime};

use crate::check_line;

const SECRET: &str = "c4nary-client-secret";

/// Response of the accounts service: status and body.
#[derive(Debug)]
struct Answer(u16, Bytes);

#[async_trait::async_trait]
impl Transport for Answer {
    async fn send(
        &self,
        _request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let mut response = http::Response::new(self.1.clone());
        *response.status_mut() = http::StatusCode::from_u16(self.0).unwrap_or_default();
        Ok(response)
    }
}

fn app(status: u16, body: &[u8]) -> App {
    App::builder("client-id")
        .secret(SECRET.to_owned())
        .redirect_uri("http://127.0.0.1:4711/callback")
        .transport(Answer(status, Bytes::copy_from_slice(body)))
        .build()
        .expect("an application")
}

/// A runtime with a paused clock, so that waits take no time.
fn runtime() -> Runtime {
    let mut runtime = Builder::new_current_thread();
    runtime.enable_time().start_paused(true).build().expect("a runtime")
}

fn check(error: &Error) {
    check_line(&error.to_string());
    assert!(!format!("{error} {error:?}").contains(SECRET));
}

/// Fuzz target for token responses. The first byte of the input chooses the status, and the rest is
/// the body.
pub(crate) fn token_response(data: &[u8]) {
    let Some((status, body)) = data.split_first() else { return };
    fuzzing::token_response(body);
    let statuses = [200, 200, 200, 400, 401, 429, 503];
    let status = statuses.get(usize::from(*status) % statuses.len()).copied().unwrap_or(200);
    runtime().block_on(async {
        let credentials = app(status, body).client_credentials().expect("a secret is set");
        if let Err(error) = credentials.token().await {
            check(&error);
        }
    });
}

/// Fuzz target for the loopback listener. The input contains the bytes that a browser or another
/// local program sends.
pub(crate) fn listener(data: &[u8]) {
    fuzzing::listener(data);
}

/// Fuzz target for pasted addresses. The input is the address that a user pastes. `STATE` in the
/// address is replaced with the correct state.
pub(crate) fn callback(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    fuzzing::pasted_address(text);
    let tokens =
        br#"{"access_token":"a","token_type":"Bearer","expires_in":3600,"refresh_token":"r"}"#;
    runtime().block_on(async {
        let pending = app(200, tokens).begin(Scopes::default()).expect("a redirect URI is set");
        let state = pending.state().to_owned();
        let address = text.replace("STATE", &state);
        match pending.finish(&address).await {
            Ok(_) => assert!(address.contains(&state) || address.contains('%'), "{address}"),
            Err(error) => {
                check(&error);
                assert!(!error.to_string().contains(&state), "{error}");
            }
        }
    });
}

/// Fuzz target for token files. If a record can be read, it can be written and read again.
pub(crate) fn token_file(data: &[u8]) {
    fuzzing::token_file(data);
    let Ok(text) = std::str::from_utf8(data) else { return };
    match TokenRecord::from_json(text) {
        Ok(record) => {
            let written = record.to_json();
            let again = TokenRecord::from_json(written.expose_secret()).expect("what was written");
            assert_eq!(again.to_json().expose_secret(), written.expose_secret());
        }
        Err(error) => check(&error),
    }
}
