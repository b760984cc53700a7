//! Page objects.

use crate::http::json::{Json, Object};

/// A page object.
pub(crate) fn page(
    link: impl Fn(u32) -> String,
    limit: u32,
    offset: u32,
    entries: Vec<Json>,
    total: usize,
) -> Json {
    let end = offset.saturating_add(limit);
    let mut page = Object::new();
    page.set("href", link(offset));
    page.set("limit", limit);
    page.set("next", ((end as usize) < total).then(|| link(end)));
    page.set("offset", offset);
    page.set("previous", (offset > 0).then(|| link(offset.saturating_sub(limit))));
    page.set("total", total);
    page.set("items", entries);
    page.into()
}
