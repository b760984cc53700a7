//! Client of the accounts service: the authorize page and the token endpoint. The client uses the
//! `oauth2` crate, but sends the requests through the transport of this crate.

use std::{
    borrow::Cow,
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::header::AUTHORIZATION;
use oauth2::{
    AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet,
    HttpRequest, HttpResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError,
    StandardRevocableToken, TokenUrl,
    basic::{BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse},
};
use secrecy::{ExposeSecret, SecretString};
use spot_http::{
    Error, ErrorKind, Transport,
    failure::{Backoff, Outcome, Refusal, jitter, redact, retry_after},
};
use url::{Url, form_urlencoded};

use crate::{
    Scopes,
    accounts::{redirect_uri::RedirectUri, token_response::TokenResponse},
    clock::{Clock, Moment},
    user_code,
};

type Client<A = EndpointSet, T = EndpointSet> = oauth2::Client<
    BasicErrorResponse,
    TokenResponse,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    A,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    T,
>;

/// Time limit of one attempt.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(15);

/// Maximum number of attempts per request.
const MAX_ATTEMPTS: u32 = 3;

/// Longest `Retry-After` for which the endpoint waits. A longer `Retry-After` is reported to the
/// caller.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(5);

/// Wait times between attempts.
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(1));

/// Maximum number of bytes to read from an error response.
const MAX_REFUSAL: usize = 64 * 1024;

/// The accounts service for one application.
pub(crate) struct Endpoint {
    client: Client,
    /// The base URL as text, to compare it with the `iss` parameter of a callback.
    issuer: String,
    http: TokenHttp,
}

/// Tokens, and the start time of the request for these tokens.
pub(crate) struct IssuedTokens {
    pub(crate) response: TokenResponse,
    pub(crate) requested_at: Moment,
}

/// An authorization request (RFC 6749, section 4.1.1) and its PKCE verifier.
pub(crate) struct AuthorizationRequest {
    pub(crate) url: Url,
    pub(crate) state: SecretString,
    pub(crate) verifier: SecretString,
}

impl Endpoint {
    /// Creates an endpoint. `accounts` is the base URL of the service, without `/authorize` or
    /// `/api/token`.
    pub(crate) fn new(
        client_id: &str,
        secret: Option<&SecretString>,
        accounts: &str,
        transport: Arc<dyn Transport>,
        clock: Clock,
    ) -> Result<Self, Error> {
        let issuer = accounts.trim_end_matches('/').to_owned();
        let wrong = |error: url::ParseError| {
            Error::configuration(format!("the accounts URL {accounts:?} cannot be used: {error}"))
        };
        let mut client =
            Client::<EndpointNotSet, EndpointNotSet>::new(ClientId::new(client_id.to_owned()));
        if let Some(secret) = secret {
            client = client.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned()));
        }
        let client = client
            .set_auth_uri(AuthUrl::new(format!("{issuer}/authorize")).map_err(wrong)?)
            .set_token_uri(TokenUrl::new(format!("{issuer}/api/token")).map_err(wrong)?);
        let http = TokenHttp { transport, clock, secret: secret.cloned() };
        Ok(Self { client, issuer, http })
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.http.clock
    }

    /// Creates a state, a verifier, and the URL of the consent page.
    pub(crate) fn authorization_request(
        &self,
        redirect: &RedirectUri,
        scopes: &Scopes,
    ) -> Result<AuthorizationRequest, Error> {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (url, state) = self
            .client
            .authorize_url(CsrfToken::new_random)
            .add_scopes(scopes.iter().map(|scope| oauth2::Scope::new(scope.to_string())))
            .set_pkce_challenge(challenge)
            .set_redirect_uri(Cow::Owned(redirect_url(redirect)?))
            .url();
        Ok(AuthorizationRequest {
            url,
            state: state.into_secret().into(),
            verifier: verifier.into_secret().into(),
        })
    }

    /// Gets an access token for the application itself.
    pub(crate) async fn client_credentials(&self) -> Result<IssuedTokens, Error> {
        self.send_repeatedly(true, || async {
            self.client.exchange_client_credentials().request_async(&self.http).await
        })
        .await
    }

    /// Exchanges an authorization code for tokens. The request is retried only if the service has
    /// not processed it. Using a code twice revokes the tokens of the first use (RFC 6749, section
    /// 4.1.2).
    pub(crate) async fn exchange(
        &self,
        code: &SecretString,
        verifier: &SecretString,
        redirect: &RedirectUri,
    ) -> Result<IssuedTokens, Error> {
        let redirect = redirect_url(redirect)?;
        self.send_repeatedly(false, || async {
            self.client
                .exchange_code(AuthorizationCode::new(code.expose_secret().to_owned()))
                .set_pkce_verifier(PkceCodeVerifier::new(verifier.expose_secret().to_owned()))
                .set_redirect_uri(Cow::Borrowed(&redirect))
                .request_async(&self.http)
                .await
        })
        .await
    }

    /// Gets a new access token with a refresh token. The error is
    /// [`ConsentExpired`](ErrorKind::ConsentExpired) if the service refuses the refresh token.
    pub(crate) async fn refresh(
        &self,
        refresh_token: &SecretString,
    ) -> Result<IssuedTokens, Error> {
        let refresh_token = oauth2::RefreshToken::new(refresh_token.expose_secret().to_owned());
        self.send_repeatedly(true, || async {
            self.client.exchange_refresh_token(&refresh_token).request_async(&self.http).await
        })
        .await
    }

    async fn send_repeatedly<F, A>(&self, repeatable: bool, send: F) -> Result<IssuedTokens, Error>
    where
        F: Fn() -> A + Send + Sync,
        A: Future<Output = Result<TokenResponse, RequestTokenError<Failure, BasicErrorResponse>>>
            + Send,
    {
        let mut attempt = 1;
        loop {
            let requested_at = self.http.clock.now();
            let failure = match send().await {
                Ok(response) => return Ok(IssuedTokens { response, requested_at }),
                Err(RequestTokenError::Request(failure)) => failure,
                // An error other than `Request` should not occur, because every response has
                // already been parsed. Such an error can contain the body of the response, so this
                // function does not return it.
                Err(_) => {
                    let message = "the token endpoint's response is malformed";
                    return Err(Error::new(ErrorKind::Decode, message));
                }
            };
            match failure.wait(repeatable, attempt) {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return Err(failure.error),
            }
            attempt += 1;
        }
    }
}

/// Why an attempt returned no tokens.
#[derive(Debug)]
struct Failure {
    outcome: Outcome,
    error: Error,
}

impl Failure {
    /// Returns the wait before the next attempt; `None` if there is no further attempt.
    fn wait(&self, repeatable: bool, attempt: u32) -> Option<Duration> {
        let attempts = match self.outcome {
            Outcome::NotSent | Outcome::RateLimited => MAX_ATTEMPTS,
            Outcome::Unknown if !repeatable => 1,
            // A refresh may have replaced the refresh token even if no response arrived. After such
            // a replacement, the service accepts the old token at most once more, so only one retry
            // makes sense.
            Outcome::Unknown if self.error.status().is_none() => 2,
            Outcome::Unknown => MAX_ATTEMPTS,
            // A retry would get the same response, for example because the client secret is wrong.
            _ => 1,
        };
        if attempt >= attempts {
            return None;
        }
        let backoff = BACKOFF.wait(attempt, jitter());
        let wait = backoff.max(self.error.retry_after().unwrap_or_default());
        (wait <= MAX_RETRY_AFTER).then_some(wait)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Failure {}

fn redirect_url(redirect: &RedirectUri) -> Result<RedirectUrl, Error> {
    RedirectUrl::new(redirect.as_str().to_owned())
        .map_err(|error| Error::configuration(format!("the redirect URI is not a URL: {error}")))
}

/// Lets the `oauth2` crate use the transport of this crate. This crate parses every response
/// itself, because `oauth2` cannot parse some refusals and unusual responses. The `oauth2` crate
/// receives only successful responses, which this crate has serialized again.
#[derive(Debug)]
struct TokenHttp {
    transport: Arc<dyn Transport>,
    clock: Clock,
    secret: Option<SecretString>,
}

impl<'c> oauth2::AsyncHttpClient<'c> for TokenHttp {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Failure>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

impl TokenHttp {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Failure> {
        let mut request = request.map(Bytes::from);
        if let Some(basic) = request.headers_mut().get_mut(AUTHORIZATION) {
            basic.set_sensitive(true);
        }
        let secrets = self.secrets(&request);
        let host = request.uri().host().unwrap_or_default().to_owned();
        let transport = Arc::clone(&self.transport);
        let answer =
            user_code::call(ATTEMPT_TIMEOUT, async move { transport.send(request).await }).await;
        let response = match answer {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => {
                let outcome = Outcome::of_transport_error(error.kind());
                let secrets: Vec<&str> = secrets.iter().map(ExposeSecret::expose_secret).collect();
                // The caller sees the error of an API call. The message says which request failed.
                let message = format!("the token request to {host} failed: {error}");
                let error = Error::transport(error).with_message(message).without_secrets(&secrets);
                return Err(Failure { outcome, error });
            }
            Err(user_code::Failure::TimedOut(limit)) => {
                let message =
                    format!("the token request to {host} got no response within {limit:?}");
                let error = Error::new(ErrorKind::Timeout, message);
                return Err(Failure { outcome: Outcome::Unknown, error });
            }
            Err(failure) => {
                let error = failure.into_error("the transport");
                return Err(Failure { outcome: Outcome::Failed, error });
            }
        };
        let status = response.status();
        if !status.is_success() {
            return Err(refused(&response, &secrets, self.clock.now().wall));
        }
        let read = TokenResponse::read(response.body()).and_then(|response| {
            // The `oauth2` crate receives only the fields of `TokenResponse`.
            serde_json::to_vec(&response)
                .map_err(|error| Error::new(ErrorKind::Decode, error.to_string()))
        });
        match read {
            Ok(body) => Ok(http::Response::new(body)),
            Err(error) => {
                Err(Failure { outcome: Outcome::Failed, error: error.with_status(status.as_u16()) })
            }
        }
    }

    /// Returns the secrets of a request, which an error message could echo: the client secret, the
    /// encoded credentials in the `Authorization` header, and the decoded secrets in the body.
    fn secrets(&self, request: &http::Request<Bytes>) -> Vec<SecretString> {
        let mut secrets: Vec<SecretString> = self.secret.iter().cloned().collect();
        let basic = request.headers().get(AUTHORIZATION).and_then(|basic| basic.to_str().ok());
        let basic = basic.and_then(|basic| basic.strip_prefix("Basic "));
        secrets.extend(basic.map(SecretString::from));
        for (name, value) in form_urlencoded::parse(request.body()) {
            if matches!(&*name, "code" | "code_verifier" | "refresh_token" | "client_secret") {
                secrets.push(SecretString::from(value.into_owned()));
            }
        }
        secrets.retain(|secret| !secret.expose_secret().is_empty());
        secrets
    }
}

/// Reads an error response.
fn refused(response: &http::Response<Bytes>, secrets: &[SecretString], now: SystemTime) -> Failure {
    let status = response.status().as_u16();
    let outcome = Outcome::of_status(status);
    let body = response.body();
    let body = String::from_utf8_lossy(body.get(..MAX_REFUSAL).unwrap_or(body));
    let mut refusal = Refusal::read(without_secrets(&body, secrets).as_bytes());
    if outcome != Outcome::Rejected && outcome != Outcome::Unauthorized {
        // If the service itself fails, the error code is unrelated to the refresh token.
        let code = refusal.reason.take();
        refusal.message = code.filter(|_| refusal.message.is_empty()).unwrap_or(refusal.message);
    }
    let context = match (refusal.kind(status), refusal.reason.as_deref()) {
        (ErrorKind::RateLimited, _) => "the accounts service received too many requests",
        (ErrorKind::Server | ErrorKind::Timeout, _) => "the accounts service failed",
        (ErrorKind::ConsentExpired, _) => {
            "the accounts service refuses the authorization code or the refresh token"
        }
        (_, Some("invalid_client")) => {
            "the token request failed: the client id or the client secret is wrong"
        }
        _ => "the accounts service refuses the request",
    };
    let code = refusal.reason.clone().filter(|code| *code != refusal.message);
    let message = match (code, refusal.message.is_empty()) {
        (_, true) => context.to_owned(),
        (None, false) => format!("{context}: {}", refusal.message),
        (Some(code), false) => format!("{context}: {code} ({})", refusal.message),
    };
    refusal.message = message;
    let mut error = refusal.into_error(status);
    if matches!(outcome, Outcome::RateLimited | Outcome::Unknown | Outcome::Failed)
        && let Some(wait) = retry_after(response.headers(), now)
    {
        error = error.with_retry_after(wait);
    }
    Failure { outcome, error }
}

/// Redacts the secrets of the request in `text`, including escaped and base64-encoded secrets.
fn without_secrets(text: &str, secrets: &[SecretString]) -> String {
    let secrets: Vec<&str> = secrets.iter().map(ExposeSecret::expose_secret).collect();
    redact(text, &secrets).into_owned()
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    fn read(status: u16, body: &str) -> Failure {
        let response = http::Response::builder().status(status);
        let response = response.body(Bytes::from(body.to_owned())).unwrap();
        let secrets = ["CANARY-r", "CANARY/c"].map(SecretString::from);
        refused(&response, &secrets, UNIX_EPOCH)
    }

    #[test]
    fn token_error_responses_map_to_outcomes_and_errors() {
        let shapes = [
            (400, r#"{"error":"invalid_grant"}"#),
            (400, r#"{"error":"invalid_grant","error_description":"Refresh token revoked"}"#),
            (400, r#"{"error":"invalid_client","error_description":"Invalid client"}"#),
            (400, r#"{"error":"unsupported_grant_type","error_description":"no"}"#),
            (401, r#"{"error":{"status":401,"message":"Not here"}}"#),
            (403, "Forbidden"),
            (404, ""),
            (429, ""),
            (429, r#"{"error":"invalid_grant"}"#),
            (302, ""),
            (500, r#"{"error":"server_error"}"#),
            (502, "<html><title>Bad gateway</title></html>"),
            (503, r#"{"error":"invalid_grant","error_description":"no database"}"#),
            (503, "upstream connect error"),
        ];
        let lines: Vec<String> = shapes
            .into_iter()
            .map(|(status, body)| {
                let failure = read(status, body);
                format!("{body}\n  {:?}: {}", failure.outcome, failure.error)
            })
            .collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn echoed_secrets_are_redacted_from_errors() {
        let long = format!(r#"{{"error":{{"message":"{}CANARY-r"}}}}"#, "x".repeat(195));
        for body in [
            r#"{"error":"invalid_grant","error_description":"token CANARY-r is dead\nreally"}"#,
            r#"{"error":"Code CANARY\/c was used"}"#,
            r#"{"error":{"message":"CANARY-r CANARY/c"}}"#,
            &long,
        ] {
            let failure = read(400, body);
            let printed = format!("{failure} {failure:?}");
            assert!(!printed.contains("CANARY"), "{printed}");
            assert!(printed.contains("<red"), "{printed}");
        }
    }
}
