//! Converts the URIs of requests into reqwest's URLs.

use std::sync::OnceLock;

use http::{
    Uri,
    uri::{Authority, Scheme},
};
use url::Url;

/// Converts the URIs of requests into URLs.
///
/// Parsing a URL is slow, and parsing the host takes most of the time. All calls of a client have
/// the same host, so the host is parsed only once.
#[derive(Debug, Default)]
pub(crate) struct Addresses {
    first: OnceLock<Origin>,
}

/// Origin of the first request.
#[derive(Debug)]
struct Origin {
    uri: Uri,
    url: Url,
}

impl Addresses {
    pub(crate) fn url(&self, uri: &Uri) -> Result<Url, url::ParseError> {
        if let Some(origin) = self.first.get()
            && origin.has(uri)
        {
            let mut url = origin.url.clone();
            url.set_path(uri.path());
            url.set_query(uri.query());
            return Ok(url);
        }
        let url = Url::parse(&uri.to_string())?;
        let is_web = uri.scheme() == Some(&Scheme::HTTP) || uri.scheme() == Some(&Scheme::HTTPS);
        if is_web {
            let mut bare = url.clone();
            bare.set_path("");
            bare.set_query(None);
            // If another thread has already stored an origin, the new origin is dropped.
            let _ = self.first.set(Origin { uri: uri.clone(), url: bare });
        }
        Ok(url)
    }
}

impl Origin {
    fn has(&self, uri: &Uri) -> bool {
        // The comparison is case-sensitive. If two hosts differ only in case, `url` parses the
        // whole address.
        self.uri.scheme() == uri.scheme()
            && self.uri.authority().map(Authority::as_str) == uri.authority().map(Authority::as_str)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ORIGINS: [&str; 4] = [
        "https://api.spotify.com",
        "http://127.0.0.1:8080",
        "http://somebody:secret@localhost:80",
        "https://API.spotify.com:443",
    ];

    proptest! {
        /// `Addresses::url` returns the same URL as `Url::parse`. The first address fills the
        /// cache, and the second address may use the cache.
        #[test]
        fn url_conversion_matches_full_parsing(
            first in 0..ORIGINS.len(),
            second in 0..ORIGINS.len(),
            path in "(/[a-z0-9%.:;@|'{}~-]{0,6}){0,4}",
            query in proptest::option::of("[a-z0-9%.:;@&=,'|/?{}-]{0,12}"),
        ) {
            let addresses = Addresses::default();
            let first: Uri = format!("{}/v1/me?limit=1", ORIGINS[first]).parse().unwrap();
            prop_assert_eq!(addresses.url(&first).unwrap(), Url::parse(&first.to_string()).unwrap());
            let query = query.map(|query| format!("?{query}")).unwrap_or_default();
            let second = format!("{}{path}{query}", ORIGINS[second]);
            let Ok(second) = second.parse::<Uri>() else { return Ok(()) };
            let expected = Url::parse(&second.to_string()).unwrap();
            prop_assert_eq!(addresses.url(&second).unwrap(), expected);
        }
    }
}
