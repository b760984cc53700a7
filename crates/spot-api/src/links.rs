//! Checks the links of pages, and converts them into requests.

use spot_http::{Error, Pipeline, Request};
use spot_model::{AccessMode, Method, Operation};

use crate::page::Paged;

const LINK: &Operation = &Operation::custom(Method::Get, "/{link}");

/// Converts a link into a request. The link must be below the base URL of the API, because the
/// client sends the access token to the URL of the link.
pub(crate) fn request(pipeline: &Pipeline, link: &str) -> Result<Request, Error> {
    let base = pipeline.base_url();
    let path = pipeline.path_of(link).ok_or_else(|| {
        let message = format!(
            "a link of the page leads outside the base URL {base}; the client did not follow it"
        );
        Error::bad_request(message).with_operation(LINK)
    })?;
    Ok(Request::at(operation(&path), &path))
}

/// Returns the `GET` operation of a path.
fn operation(path: &str) -> &'static Operation {
    let path = path.split('?').next().unwrap_or(path);
    let reads = Operation::ALL.iter().filter(|operation| operation.method == Method::Get);
    let fits = reads.filter(|operation| {
        let mut parts = operation.path.split('/');
        let fits = path
            .split('/')
            .all(|part| parts.next().is_some_and(|name| name == part || name.starts_with('{')));
        fits && parts.next().is_none()
    });
    // If several operations match, the path with the fewest parameters is chosen. For example,
    // `/me/tracks` is chosen instead of `/{a}/{b}`.
    fits.min_by_key(|operation| operation.path.matches('{').count()).copied().unwrap_or(LINK)
}

/// Returns a request that continues the list after a page. The request is created from a link of
/// the page, but has the offset of the page itself.
///
/// A page inside an object can be larger than the operation allows. If the `limit` in the page's
/// link is too large for the operation, the `limit` is reduced.
pub(crate) fn continuation<P: Paged>(
    pipeline: &Pipeline,
    mode: AccessMode,
    page: &P,
) -> Result<Request, Error> {
    let link = page.next_link().or(page.href()).ok_or_else(|| {
        Error::bad_request(
            "the page has neither `next` nor `href`, so the next page cannot be \
             requested; add `next` and `href` to `fields`",
        )
        .with_operation(LINK)
    })?;
    let mut request = request(pipeline, link)?;
    let limit = request.query_value("limit").and_then(|limit| limit.parse::<u8>().ok());
    if let Some(max) = request.operation().paging.max_limit(mode).filter(|max| limit > Some(*max)) {
        request = request.replace_query("limit", Some(max));
    }
    Ok(if P::BY_CURSOR { request } else { request.replace_query("offset", Some(page.offset())) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_path_maps_to_the_matching_operation() {
        for (path, expected) in [
            ("/me/playlists?offset=5", Operation::GET_MY_PLAYLISTS),
            ("/playlists/x/items", Operation::GET_PLAYLIST_ITEMS),
            ("/albums/x/tracks?limit=1", Operation::GET_ALBUM_TRACKS),
            ("/me/player/recently-played", Operation::GET_RECENTLY_PLAYED),
            ("/elsewhere/x", LINK),
            ("/playlists/x/items/y", LINK),
        ] {
            assert_eq!(operation(path), expected, "{path}");
        }
    }
}
