//! `GET /authorize`: the page on which a user agrees.

use url::form_urlencoded::Serializer;

use crate::{
    accounts::{
        apps::Apps,
        grants::{Auth, Code, Consent},
        redirect,
        scope::ScopeSet,
    },
    clock::Moment,
    http::{
        html::escape,
        query::{Query, encoded},
        reply::{Body, Reply},
    },
    world::World,
};

/// Answers the browser: sends it back with a code, or says why not.
///
/// What concerns the application or the address is said on the page, because an address that is
/// not registered must not be visited. Everything else is told to the application.
pub(crate) fn authorize(
    auth: &mut Auth,
    apps: &Apps,
    world: &World,
    query: &Query,
    now: Moment,
) -> Reply {
    let Some(client_id) = query.get("client_id") else {
        return page(400, "Missing required parameter: client_id");
    };
    let Some(app) = apps.by_client_id(client_id) else {
        return page(400, "INVALID_CLIENT: Invalid client");
    };
    let Some(redirect_uri) = query.get("redirect_uri") else {
        return page(400, "INVALID_CLIENT: Missing redirect URI");
    };
    if !redirect::is_secure(redirect_uri) {
        return page(400, "INVALID_CLIENT: Insecure redirect URI");
    }
    if !redirect::is_allowed(&apps.get(app).redirect_uris, redirect_uri) {
        return page(400, "INVALID_CLIENT: Invalid redirect URI");
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
    // The page that asks has a link for everybody, so that anybody can be tried.
    let user = match (auth.consent, query.get("decision")) {
        (Consent::Grant, _) => Some(auth.signed_in),
        (Consent::Ask, Some("agree")) => {
            query.get("user").map_or(Some(auth.signed_in), |id| world.user(id))
        }
        (Consent::Deny, _) | (Consent::Ask, Some(_)) => None,
        (Consent::Ask, None) => return ask(world, &apps.get(app).name, query, &scopes),
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

/// Sends the browser back to the application with one result, and with the state it came with.
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

/// The page that asks. Its links lead to the same address with the decision added.
fn ask(world: &World, app: &str, query: &Query, scopes: &ScopeSet) -> Reply {
    let again = escape(&query.encoded());
    let app = escape(app);
    let scopes = if scopes.is_empty() { "public information".to_owned() } else { scopes.text() };
    let mut text = format!(
        "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><title>Mock sign-in</title>\
         <p>The application <b>{app}</b> asks for: {scopes}.</p><ul>"
    );
    for (_, user) in world.users.iter() {
        let (id, name) =
            (encoded(&user.id), escape(user.display_name.as_ref().unwrap_or(&user.id)));
        text.push_str(&format!(
            "<li><a href=\"/authorize?{again}&amp;decision=agree&amp;user={id}\">Agree as {name}</a></li>"
        ));
    }
    text.push_str(&format!(
        "</ul><p><a href=\"/authorize?{again}&amp;decision=cancel\">Cancel</a></p></html>"
    ));
    Reply::new(200, Body::Text { media_type: "text/html; charset=utf-8".to_owned(), text })
}

fn page(status: u16, text: &str) -> Reply {
    let media_type = "text/plain; charset=utf-8".to_owned();
    Reply::new(status, Body::Text { media_type, text: text.to_owned() })
}
