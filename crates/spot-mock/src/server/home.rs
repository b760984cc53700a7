//! The page at `/`, which says what is served here.

use crate::{
    api::table::OPERATIONS,
    http::{
        html::escape,
        reply::{Body, Reply},
    },
    server::instance::{Content, Instance},
    settings::Mode,
};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;\
    padding:0 1rem}td,th{text-align:left;padding:.1rem 1rem .1rem 0;vertical-align:top}\
    code{background:#8881;padding:0 .2rem}";

/// For people: the addresses, the applications, the users and the operations. The secrets of the
/// applications are not on it, since it needs no token; the program prints them.
pub(crate) fn home_page(instance: &Instance, content: &Content) -> Reply {
    let api = escape(&instance.settings.api_url);
    let world = &content.world;
    let mut text = format!(
        "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><title>spot-mock</title>\
         <style>{STYLE}</style><h1>spot-mock {}</h1>\
         <p>A made-up Spotify: real rules, nobody's music. World of seed {}: {} artists, {} albums, \
         {} tracks, {} shows, {} audiobooks.</p>\
         <table><tr><th>Web API<td><code>{api}</code>\
         <tr><th>Authorize<td><code>/authorize</code><tr><th>Token<td><code>/api/token</code></table>",
        env!("CARGO_PKG_VERSION"),
        world.seed,
        world.artists.len(),
        world.albums.len(),
        world.tracks.len(),
        world.shows.len(),
        world.audiobooks.len(),
    );
    text.push_str("<h2>Applications</h2><table><tr><th>name<th>client id<th>mode");
    for app in content.apps.iter() {
        let mode = match app.mode {
            Mode::Development => "development",
            Mode::Extended => "extended",
        };
        let closed = if app.closed_2024 { ", without what was closed in 2024" } else { "" };
        let (name, id) = (escape(&app.name), &app.client_id);
        text.push_str(&format!("<tr><td>{name}<td><code>{id}</code><td>{mode}{closed}"));
    }
    text.push_str("</table><h2>Users</h2><table><tr><th>id<th>name");
    for (_, user) in world.users.iter() {
        let (id, name) = (escape(&user.id), user.display_name.as_deref().unwrap_or_default());
        text.push_str(&format!("<tr><td><code>{id}</code><td>{}", escape(name)));
    }
    text.push_str("</table><h2>Operations</h2><table>");
    for (operation, _) in OPERATIONS {
        text.push_str(&format!(
            "<tr><td>{}<td><code>/v1{}</code><td>{}",
            operation.method, operation.path, operation.id
        ));
    }
    text.push_str("</table></html>");
    Reply::new(200, Body::Text { media_type: "text/html; charset=utf-8".to_owned(), text })
}
