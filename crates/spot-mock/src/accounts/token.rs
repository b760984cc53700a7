//! `POST /api/token`: exchanges codes, refresh tokens and secrets for access tokens.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use sha2::{Digest, Sha256};

use crate::{
    accounts::{
        apps::{AppKey, Apps},
        grants::{Auth, CODE_SECONDS, CONSENT_MONTHS, RefreshGrant, RefreshPolicy, TOKEN_SECONDS},
        scope::ScopeSet,
    },
    clock::Moment,
    http::{
        json::{Json, Object},
        query::Query,
        reply::{Body, Reply},
    },
    world::{Key, User},
};

/// Handles a token request. `authorization` is the value of the `Authorization` header.
pub(crate) fn token(
    auth: &mut Auth,
    apps: &Apps,
    authorization: Option<&str>,
    form: &Query,
    now: Moment,
) -> Reply {
    let granted = Client::identify(apps, authorization, form).and_then(|client| {
        match form.get("grant_type") {
            Some("authorization_code") => exchange(auth, client, form, now),
            Some("refresh_token") => refresh(auth, client, form, now),
            Some("client_credentials") => client_credentials(auth, client, now),
            Some(_) => {
                Err(Denial::new("unsupported_grant_type", "grant_type parameter is not supported"))
            }
            None => Err(Denial::new("unsupported_grant_type", "grant_type parameter is missing")),
        }
    });
    let reply = match granted {
        Ok(granted) => Reply::ok(granted),
        Err(denial) => Reply::new(400, Body::Json(denial.json())),
    };
    reply.with_header("cache-control", "no-store")
}

/// The client of a token request.
#[derive(Clone, Copy)]
struct Client {
    app: AppKey,
    /// Whether the client authenticated with its secret. A client without a secret sends only its
    /// id.
    has_secret: bool,
}

/// An error of the token endpoint.
struct Denial {
    error: &'static str,
    description: Option<&'static str>,
}

impl Denial {
    const fn new(error: &'static str, description: &'static str) -> Self {
        Self { error, description: Some(description) }
    }

    fn json(self) -> Json {
        let mut body = Object::new();
        body.set("error", self.error);
        if let Some(description) = self.description {
            body.set("error_description", description);
        }
        body.into()
    }
}

impl Client {
    fn identify(apps: &Apps, authorization: Option<&str>, form: &Query) -> Result<Self, Denial> {
        let (id, secret) = match authorization {
            Some(header) => {
                let (id, secret) = basic(header)
                    .ok_or(Denial::new("invalid_client", "Invalid authorization header"))?;
                (id, Some(secret))
            }
            None => match form.get("client_id") {
                Some(id) => (id.to_owned(), form.get("client_secret").map(str::to_owned)),
                None => return Err(Denial { error: "invalid_client", description: None }),
            },
        };
        let app = apps.by_client_id(&id).ok_or(Denial::new("invalid_client", "Invalid client"))?;
        match secret {
            Some(secret) if secret != apps.get(app).client_secret.0 => {
                Err(Denial::new("invalid_client", "Invalid client secret"))
            }
            secret => Ok(Self { app, has_secret: secret.is_some() }),
        }
    }
}

fn exchange(auth: &mut Auth, client: Client, form: &Query, now: Moment) -> Result<Json, Denial> {
    let code = form.get("code").ok_or(Denial::new("invalid_request", "code must be supplied"))?;
    let redirect_uri = form
        .get("redirect_uri")
        .ok_or(Denial::new("invalid_request", "redirect_uri must be supplied"))?;
    let verifier = form.get("code_verifier");
    // A code can be used only once, even if the token request fails.
    let code = auth
        .codes
        .remove(code)
        .filter(|code| code.app == client.app)
        .ok_or(Denial::new("invalid_grant", "Invalid authorization code"))?;
    if now > code.issued.minus_seconds(-CODE_SECONDS) {
        return Err(Denial::new("invalid_grant", "Authorization code expired"));
    }
    if code.redirect_uri != redirect_uri {
        return Err(Denial::new("invalid_grant", "Invalid redirect URI"));
    }
    match (&code.challenge, verifier) {
        (Some(challenge), Some(verifier))
            if is_verifier(verifier) && *challenge == challenge_of(verifier) => {}
        (Some(_), Some(_)) => {
            return Err(Denial::new("invalid_grant", "code_verifier was incorrect"));
        }
        (Some(_), None) => {
            return Err(Denial::new("invalid_request", "code_verifier must be supplied"));
        }
        (None, Some(_)) => {
            return Err(Denial::new("invalid_grant", "code_verifier was not expected"));
        }
        (None, None) if client.has_secret => {}
        (None, None) => return Err(Denial::new("invalid_client", "Invalid client secret")),
    }
    let grant = RefreshGrant {
        app: code.app,
        user: code.user,
        scopes: code.scopes,
        consented: now,
        pkce: code.challenge.is_some(),
        revoked: false,
    };
    let (user, scopes) = (grant.user, grant.scopes.clone());
    let refresh_token = auth.keep_refresh(grant);
    Ok(answer(auth, client.app, Some(user), scopes, Some(refresh_token), now))
}

fn refresh(auth: &mut Auth, client: Client, form: &Query, now: Moment) -> Result<Json, Denial> {
    let token = form
        .get("refresh_token")
        .ok_or(Denial::new("invalid_request", "refresh_token must be supplied"))?;
    let invalid = Denial::new("invalid_grant", "Invalid refresh token");
    let Some(grant) = auth.refresh.get_mut(token) else { return Err(invalid) };
    if grant.app != client.app {
        return Err(invalid);
    }
    if !client.has_secret && !grant.pkce {
        return Err(Denial::new("invalid_client", "Invalid client secret"));
    }
    if grant.revoked {
        return Err(Denial::new("invalid_grant", "Refresh token revoked"));
    }
    if now >= grant.consented.plus_months(CONSENT_MONTHS) {
        return Err(Denial::new("invalid_grant", "Refresh token expired"));
    }
    let rotated = match auth.refresh_policy {
        RefreshPolicy::Omit => None,
        RefreshPolicy::Empty => {
            let grant = grant.clone();
            let mut empty = Object::new();
            fill(&mut empty, &auth.mint(grant.app, Some(grant.user), grant.scopes, now));
            empty.set("refresh_token", "");
            empty.set("scope", "");
            return Ok(empty.into());
        }
        RefreshPolicy::Rotate => {
            let successor = grant.clone();
            grant.revoked = true;
            Some(successor)
        }
    };
    let (user, scopes) = (grant.user, grant.scopes.clone());
    let rotated = rotated.map(|grant| auth.keep_refresh(grant));
    Ok(answer(auth, client.app, Some(user), scopes, rotated, now))
}

fn client_credentials(auth: &mut Auth, client: Client, now: Moment) -> Result<Json, Denial> {
    if !client.has_secret {
        return Err(Denial::new("invalid_client", "Invalid client secret"));
    }
    Ok(answer(auth, client.app, None, ScopeSet::default(), None, now))
}

fn answer(
    auth: &mut Auth,
    app: AppKey,
    user: Option<Key<User>>,
    scopes: ScopeSet,
    refresh_token: Option<String>,
    now: Moment,
) -> Json {
    let mut body = Object::new();
    let granted = scopes.text();
    fill(&mut body, &auth.mint(app, user, scopes, now));
    if let Some(refresh_token) = refresh_token {
        body.set("refresh_token", refresh_token);
    }
    // If no scopes were granted, the response has no `scope`.
    if !granted.is_empty() {
        body.set("scope", granted);
    }
    body.into()
}

fn fill(body: &mut Object, access_token: &str) {
    body.set("access_token", access_token.to_owned());
    body.set("token_type", "Bearer");
    body.set("expires_in", TOKEN_SECONDS);
}

/// Reads the id and the secret from a Basic header. The id and the secret are percent-encoded in
/// the header.
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let decoded =
        |part: &str| percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned();
    Some((decoded(id), decoded(secret)))
}

fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

fn challenge_of(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pkce_challenge_matches_the_rfc_7636_example() {
        // The example in appendix B of RFC 7636.
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert!(is_verifier(verifier));
        assert_eq!(challenge_of(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
