//! The page at `/`, which lists the addresses, applications, users and operations.

use crate::{
    accounts::{Apps, Registered},
    api::{
        operation::{Access, Operation},
        table::OPERATIONS,
    },
    http::{
        html::{escape, page},
        reply::Reply,
    },
    server::{content::Content, instance::Instance},
    settings::Mode,
};

/// Renders the addresses, the applications, the users and the operations. The page does not show
/// client secrets, since it can be read without a token.
pub(crate) fn home_page(instance: &Instance, content: &Content) -> Reply {
    let world = &content.world;
    let api = escape(&instance.settings.api_url);
    let base = escape(&instance.base_url);
    let mut text = format!(
        "<h1>spot-mock {version}</h1>\
         <p>A mock of the Spotify Web API. Seed {seed}: {artists} artists, {albums} albums, \
         {tracks} tracks, {shows} shows, {audiobooks} audiobooks.</p>\
         <div class=\"wide\"><table>\
         <tr><th>Web API<td><code>{api}</code>\
         <tr><th>Authorize<td><code>{base}/authorize</code>\
         <tr><th>Token<td><code>{base}/api/token</code></table></div>\
         <h2>Try it</h2><p>When the program starts, it prints the client secret and a user token.</p>\
         <pre>curl -u {client_id}:CLIENT_SECRET -d grant_type=client_credentials {base}/api/token\n\
         curl -H 'Authorization: Bearer TOKEN' '{api}/search?q=a&amp;type=track'</pre>",
        version = env!("CARGO_PKG_VERSION"),
        client_id = content.apps.get(Apps::FIRST).client_id,
        seed = world.seed,
        artists = world.artists.len(),
        albums = world.albums.len(),
        tracks = world.tracks.len(),
        shows = world.shows.len(),
        audiobooks = world.audiobooks.len(),
    );
    text.push_str(
        "<h2>Applications</h2><div class=\"wide\"><table>\
         <tr><th>name<th>client id<th>mode<th>redirect URIs",
    );
    for app in content.apps.iter() {
        let mode = match app.mode {
            Mode::Development => "development",
            Mode::Extended => "extended",
        };
        let closed = if app.closed_2024 {
            ", without the operations that Spotify restricted in 2024"
        } else {
            ""
        };
        let (name, id) = (escape(&app.name), &app.client_id);
        let uris = app.redirect_uris.iter();
        let uris: String = uris.map(|uri| format!("<code>{}</code><br>", escape(uri))).collect();
        text.push_str(&format!("<tr><td>{name}<td><code>{id}</code><td>{mode}{closed}<td>{uris}"));
    }
    text.push_str(
        "</table></div><h2>Users</h2><div class=\"wide\"><table>\
         <tr><th>id<th>name<th>product<th>applications",
    );
    for (key, user) in world.users.iter() {
        let name = escape(user.display_name.as_deref().unwrap_or_default());
        let product = if user.premium && instance.settings.premium { "premium" } else { "free" };
        let apps = content.apps.iter().filter(|app| app.admits(Some(key)));
        let apps: Vec<_> = apps.map(|app| escape(&app.name)).collect();
        let apps =
            if apps.is_empty() { "none (calls get 403)".to_owned() } else { apps.join(", ") };
        let id = escape(&user.id);
        text.push_str(&format!("<tr><td><code>{id}</code><td>{name}<td>{product}<td>{apps}"));
    }
    text.push_str(
        "</table></div><h2>Operations</h2><div class=\"wide\"><table>\
         <tr><th>method<th>path<th>operation<th>available to<th>needs one of these scopes",
    );
    let apps: Vec<&Registered> = content.apps.iter().collect();
    for (operation, _) in OPERATIONS {
        let open = apps.iter().filter(|app| is_open(operation, app));
        let open: Vec<_> = open.map(|app| escape(&app.name)).collect();
        let open = if open.is_empty() { "none".to_owned() } else { open.join(", ") };
        text.push_str(&format!(
            "<tr><td>{}<td><code>{}</code><td>{}<td>{open}<td>{}",
            operation.method,
            operation.path,
            operation.id,
            operation.scopes.join("<br>"),
        ));
    }
    text.push_str("</table></div>");
    page(200, "spot-mock", &text)
}

/// Whether an application may call an operation.
fn is_open(operation: &Operation, app: &Registered) -> bool {
    match operation.access {
        Access::Any => true,
        Access::Extended => app.mode == Mode::Extended,
        Access::Closed(_) => !app.closed_2024,
    }
}
