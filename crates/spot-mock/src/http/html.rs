//! The shared layout of the HTML pages.

use crate::http::reply::{Body, Reply};

/// The style of all pages. The pages are readable on phones, and are dark if the system uses a dark
/// theme.
const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8884;--soft:#8881;--accent:#1a6b43}\
@media(prefers-color-scheme:dark){:root{--accent:#6fd3a0}}\
*{box-sizing:border-box}\
body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:0 auto;padding:1.5rem 1rem 4rem}\
h1{font-size:1.6rem;line-height:1.2;margin:.5rem 0}\
h2{font-size:1.15rem;margin:2rem 0 .5rem}\
table{border-collapse:collapse;width:100%}\
td,th{text-align:left;padding:.35rem .75rem .35rem 0;vertical-align:top;\
border-bottom:1px solid var(--line)}\
.wide{overflow-x:auto}\
code,pre{background:var(--soft);padding:.1rem .3rem;border-radius:.25rem;overflow-wrap:anywhere}\
.wide code{white-space:nowrap}\
pre{padding:.75rem;white-space:pre-wrap}\
a{color:var(--accent)}\
.button{display:block;min-height:3rem;padding:.7rem 1rem;margin:.5rem 0;border-radius:.5rem;\
border:1px solid var(--line);text-decoration:none;background:var(--soft)}\
.main{background:var(--accent);color:Canvas;border-color:transparent}\
.note{opacity:.75;font-size:.9rem}\
.narrow{max-width:34rem;margin:0 auto}";

/// A page with this title. `content` is HTML.
pub(crate) fn page(status: u16, title: &str, content: &str) -> Reply {
    let text = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>{title}</title>\
         <style>{STYLE}</style></head><body>{content}</body></html>",
        title = escape(title),
    );
    Reply::new(status, Body::Text { media_type: "text/html; charset=utf-8".to_owned(), text })
}

/// Escapes text for HTML content and attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}
