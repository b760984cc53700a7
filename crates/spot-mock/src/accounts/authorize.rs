//! `GET /authorize`: the consent page.

use url::form_urlencoded::Serializer;

use crate::{
    accounts::{
        apps::{Apps, Registered},
        grants::{Auth, Code, Consent},
        redirect,
        scope::ScopeSet,
    },
    clock::Moment,
    http::{
        html::{escape, page},
        query::{Query, encoded},
        reply::{Body, Reply},
    },
    world::{Key, User, World},
};

/// Redirects the browser, or returns a page that shows an error.
///
/// If the client id or the redirect URI is invalid, a page shows the error, since the redirect URI
/// cannot be trusted. Any other error is sent to the redirect URI, in the parameter `error`.
pub(crate) fn authorize(
    auth: &mut Auth,
    apps: &Apps,
    world: &World,
    query: &Query,
    now: Moment,
) -> Reply {
    let Some(client_id) = query.get("client_id") else {
        return plain(400, "Missing required parameter: client_id");
    };
    let Some(app) = apps.by_client_id(client_id) else {
        return plain(400, "INVALID_CLIENT: Invalid client");
    };
    let Some(redirect_uri) = query.get("redirect_uri") else {
        return plain(400, "INVALID_CLIENT: Missing redirect URI");
    };
    if !redirect::is_secure(redirect_uri) {
        return plain(400, "INVALID_CLIENT: Insecure redirect URI");
    }
    if !redirect::is_allowed(&apps.get(app).redirect_uris, redirect_uri) {
        let registered = apps.get(app).redirect_uris.join(" ");
        tracing::warn!(
            given = redirect_uri,
            registered,
            "authorize: this redirect URI is not registered for the application"
        );
        return plain(400, "INVALID_CLIENT: Invalid redirect URI");
    }
    let state = query.get("state");
    let back = |name: &str, value: &str| send_back(redirect_uri, name, value, state);
    if query.get("response_type") != Some("code") {
        return back("error", "unsupported_response_type");
    }
    let scopes = match ScopeSet::parse(query.get("scope").unwrap_or_default().split_whitespace()) {
        Ok(scopes) => scopes,
        Err(_) => return back("error", "invalid_scope"),
    };
    let challenge = query.get("code_challenge").map(str::to_owned);
    let method = query.get("code_challenge_method");
    let method_fits = match &challenge {
        Some(challenge) => method == Some("S256") && challenge.len() == 43,
        None => method.is_none(),
    };
    if !method_fits {
        return back("error", "invalid_request");
    }
    // The consent page has a link for each user.
    let user = match (auth.consent, query.get("decision")) {
        (Consent::Grant, _) => Some(auth.signed_in),
        (Consent::Ask, Some("agree")) => {
            query.get("user").map_or(Some(auth.signed_in), |id| world.user(id))
        }
        (Consent::Deny, _) | (Consent::Ask, Some(_)) => None,
        (Consent::Ask, None) => {
            return ask(world, apps.get(app), query, &scopes, redirect_uri, auth.signed_in);
        }
    };
    let Some(user) = user else { return back("error", "access_denied") };
    let code = auth.keep_code(Code {
        app,
        user,
        redirect_uri: redirect_uri.to_owned(),
        scopes,
        challenge,
        issued: now,
    });
    back("code", &code)
}

/// Redirects the browser to the application. The URL contains the parameter `name` and the `state`
/// of the request.
fn send_back(redirect_uri: &str, name: &str, value: &str, state: Option<&str>) -> Reply {
    let mut answer = Serializer::new(String::new());
    answer.append_pair(name, value);
    if let Some(state) = state {
        answer.append_pair("state", state);
    }
    let answer = answer.finish();
    let separator = if redirect_uri.contains('?') { '&' } else { '?' };
    Reply::new(302, Body::Empty)
        .with_header("location", format!("{redirect_uri}{separator}{answer}"))
}

/// The consent page. Each link contains the user's decision, in addition to the parameters of the
/// request.
fn ask(
    world: &World,
    app: &Registered,
    query: &Query,
    scopes: &ScopeSet,
    redirect_uri: &str,
    signed_in: Key<User>,
) -> Reply {
    let again = escape(&query.encoded());
    let mut text = format!(
        "<div class=\"narrow\"><p class=\"note\">spot-mock: this is not Spotify</p>\
         <h1>{app} asks for access</h1><p>It will then be allowed to:</p><ul>",
        app = escape(&app.name),
    );
    if scopes.is_empty() {
        text.push_str("<li>read public information");
    }
    for scope in scopes.names() {
        text.push_str(&format!("<li><code>{scope}</code>"));
    }
    text.push_str(&format!(
        "</ul><p>The browser then returns to <code>{}</code>.</p><h2>Allow access as</h2>",
        escape(redirect_uri)
    ));
    for (key, user) in world.users.iter() {
        let (id, shown) = (encoded(&user.id), escape(&user.id));
        let name = user.display_name.as_deref().map(escape);
        let label = match name {
            Some(name) => format!("{name} <span class=\"note\">{shown}</span>"),
            None => shown,
        };
        let class = if key == signed_in { "button main" } else { "button" };
        let note = match app.admits(Some(key)) {
            true => "",
            false => " <span class=\"note\">(not registered: calls get 403)</span>",
        };
        text.push_str(&format!(
            "<a class=\"{class}\" href=\"?{again}&amp;decision=agree&amp;user={id}\">{label}{note}</a>"
        ));
    }
    text.push_str(&format!(
        "<h2>Or</h2><a class=\"button\" href=\"?{again}&amp;decision=cancel\">Cancel</a></div>"
    ));
    page(200, &format!("{} asks for access", app.name), &text)
}

fn plain(status: u16, text: &str) -> Reply {
    let media_type = "text/plain; charset=utf-8".to_owned();
    Reply::new(status, Body::Text { media_type, text: text.to_owned() })
}
