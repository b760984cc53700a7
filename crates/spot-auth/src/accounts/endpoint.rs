//! The accounts service: the authorize page and the token endpoint, through the `oauth2` crate and
//! the same transport as every other call.

use std::{borrow::Cow, future::Future, pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{
    StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use oauth2::{
    AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet,
    HttpRequest, HttpResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError,
    StandardRevocableToken, TokenUrl,
    basic::{BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse},
};
use secrecy::{ExposeSecret, SecretString};
use spot_http::{Error, ErrorKind, Transport};
use url::Url;

use crate::{
    Scopes,
    accounts::{
        redirect_uri::RedirectUri,
        refusal::{Class, Refusal},
        token_response::TokenResponse,
    },
    clock::{Clock, Moment},
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

/// How long one attempt may take.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(15);

/// How often a request is sent that may be sent again.
const MAX_ATTEMPTS: u32 = 3;

/// A `Retry-After` up to this is waited out here; a longer one is the caller's to know.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(5);

/// The wait before the second attempt is up to this, before the third up to twice this.
const BACKOFF: Duration = Duration::from_millis(500);

/// No token answer is larger than this, in bytes.
const MAX_BODY: usize = 1024 * 1024;

/// The accounts service, as one application talks to it.
pub(crate) struct Endpoint {
    client: Client,
    /// Kept as text for the comparison with an `iss` parameter.
    issuer: String,
    http: TokenHttp,
}

/// Tokens, and the moment before the request for them was sent.
pub(crate) struct IssuedTokens {
    pub(crate) response: TokenResponse,
    pub(crate) requested_at: Moment,
}

/// The parts of a sign-in that is under way.
pub(crate) struct AuthorizationRequest {
    pub(crate) url: Url,
    pub(crate) state: SecretString,
    pub(crate) verifier: SecretString,
}

impl Endpoint {
    /// `accounts` is the base address of the service, without `/authorize` or `/api/token`.
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
        Ok(Self { client, issuer, http: TokenHttp { transport, clock } })
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.http.clock
    }

    /// A new state and verifier, and the address of the page on which the user consents.
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

    /// An application's own token.
    pub(crate) async fn client_credentials(&self) -> Result<IssuedTokens, Refusal> {
        self.repeat(true, || async {
            self.client.exchange_client_credentials().request_async(&self.http).await
        })
        .await
    }

    /// The tokens for a code. Sent again only if it did not arrive: a code that is used twice takes
    /// back what it gave.
    pub(crate) async fn exchange(
        &self,
        code: &SecretString,
        verifier: &SecretString,
        redirect: &RedirectUri,
    ) -> Result<IssuedTokens, Refusal> {
        let redirect = redirect_url(redirect).map_err(|error| Refusal::new(Class::Final, error))?;
        self.repeat(false, || async {
            self.client
                .exchange_code(AuthorizationCode::new(code.expose_secret().to_owned()))
                .set_pkce_verifier(PkceCodeVerifier::new(verifier.expose_secret().to_owned()))
                .set_redirect_uri(Cow::Borrowed(&redirect))
                .request_async(&self.http)
                .await
        })
        .await
    }

    /// A new access token for a refresh token.
    pub(crate) async fn refresh(
        &self,
        refresh_token: &SecretString,
    ) -> Result<IssuedTokens, Refusal> {
        let refresh_token = oauth2::RefreshToken::new(refresh_token.expose_secret().to_owned());
        self.repeat(true, || async {
            self.client.exchange_refresh_token(&refresh_token).request_async(&self.http).await
        })
        .await
    }

    async fn repeat<F, A>(&self, idempotent: bool, send: F) -> Result<IssuedTokens, Refusal>
    where
        F: Fn() -> A + Send + Sync,
        A: Future<Output = Result<TokenResponse, RequestTokenError<Refusal, BasicErrorResponse>>>
            + Send,
    {
        let mut attempt = 1;
        loop {
            let requested_at = self.http.clock.now();
            let refusal = match send().await {
                Ok(response) => return Ok(IssuedTokens { response, requested_at }),
                Err(RequestTokenError::Request(refusal)) => refusal,
                // The body is in these errors. They do not happen, since every answer is read
                // before it gets here; should they, nothing of them goes further.
                Err(_) => {
                    let error = Error::new(ErrorKind::Decode, "the token endpoint's answer");
                    Refusal::new(Class::Final, error)
                }
            };
            match self.wait(&refusal, idempotent, attempt) {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return Err(refusal),
            }
            attempt += 1;
        }
    }

    /// How long to wait before the request is sent once more; `None` if it is not to be.
    fn wait(&self, refusal: &Refusal, idempotent: bool, attempt: u32) -> Option<Duration> {
        let attempts = match refusal.class {
            Class::NotSent | Class::Limited => MAX_ATTEMPTS,
            Class::Server if idempotent => MAX_ATTEMPTS,
            // A refresh that may have arrived may also have rotated the token, so that once more
            // is all that makes sense.
            Class::Unknown if idempotent => 2,
            Class::Server | Class::Unknown | Class::InvalidGrant | Class::Final => 1,
        };
        if attempt >= attempts {
            return None;
        }
        let backoff = BACKOFF.saturating_mul(attempt).mul_f64(fastrand::f64());
        let wait = backoff.max(refusal.error.retry_after().unwrap_or_default());
        (wait <= MAX_RETRY_AFTER).then_some(wait)
    }
}

fn redirect_url(redirect: &RedirectUri) -> Result<RedirectUrl, Error> {
    RedirectUrl::new(redirect.as_str().to_owned())
        .map_err(|error| Error::configuration(format!("the redirect URI is not a URL: {error}")))
}

/// Lets the `oauth2` crate send through our transport. It answers with successes only: the status,
/// the headers and the body of all others are read here, where they still are.
#[derive(Debug)]
struct TokenHttp {
    transport: Arc<dyn Transport>,
    clock: Clock,
}

impl<'c> oauth2::AsyncHttpClient<'c> for TokenHttp {
    type Error = Refusal;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Refusal>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

impl TokenHttp {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Refusal> {
        let mut request = request.map(Bytes::from);
        if let Some(basic) = request.headers_mut().get_mut(AUTHORIZATION) {
            basic.set_sensitive(true);
        }
        let sent = request.body().clone();
        let answer = tokio::time::timeout(ATTEMPT_TIMEOUT, self.transport.send(request))
            .await
            .map_err(|_| Refusal::timeout(ATTEMPT_TIMEOUT))?
            .map_err(Refusal::unsent)?;
        let (mut parts, body) = answer.into_parts();
        if body.len() > MAX_BODY {
            let message = "the token endpoint's answer is larger than 1 MiB";
            return Err(Refusal::new(Class::Final, Error::new(ErrorKind::Decode, message)));
        }
        if !parts.status.is_success() {
            let now = self.clock.now().wall;
            return Err(Refusal::read(parts.status, &parts.headers, &body, &sent, now));
        }
        TokenResponse::read(&body).map_err(|error| {
            Refusal::new(Class::Final, error.with_status(parts.status.as_u16()))
        })?;
        // The body has shown that it is what is wanted, whatever the headers call it.
        parts.status = StatusCode::OK;
        parts.headers.remove(CONTENT_TYPE);
        Ok(HttpResponse::from_parts(parts, body.to_vec()))
    }
}
