//! Fuzz targets for responses of the API: errors, `Retry-After` headers and links.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use spot_api::Client;
use spot_http::{
    AccessToken, Error, Pipeline, Transport, TransportError,
    failure::{Refusal, redact, retry_after},
};
use spot_model::{Page, Track};

use crate::check_line;

/// A secret that must not appear in any error message.
const SECRET: &str = "BQD-c4nary/token+0=";

/// Fuzz target for error responses. The first byte of the input chooses the status, and the rest is
/// the body.
pub(crate) fn refusal(data: &[u8]) {
    let Some((status, body)) = data.split_first() else { return };
    let status = 300 + u16::from(*status) * 2;
    let refusal = Refusal::read(body);
    check_line(&refusal.message);
    let _ = refusal.kind(status);
    let text = String::from_utf8_lossy(body);
    let clean = redact(&text, &[SECRET]);
    assert!(!clean.contains(SECRET));
    let error = Error::from_response(status, clean.as_bytes());
    check_line(&error.to_string());
    check_line(error.message());
    assert!(!format!("{error} {error:?}").contains(SECRET));
}

/// Parses the wait time. The first line of the input is the value of the `Retry-After` header, and
/// the second line is the value of the `Date` header.
fn read(data: &[u8]) -> Option<Duration> {
    let mut headers = HeaderMap::new();
    for (name, value) in
        [header::RETRY_AFTER, header::DATE].into_iter().zip(data.split(|byte| *byte == b'\n'))
    {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.insert(name, value);
        }
    }
    retry_after(&headers, SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000))
}

/// Fuzz target for the `Retry-After` header. Parsing never panics, and a whole number is read as
/// seconds.
pub(crate) fn retry_after_header(data: &[u8]) {
    let wait = read(data);
    let first = data.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if let Some(seconds) = std::str::from_utf8(first).ok().and_then(|text| text.parse::<u32>().ok())
        && !first.starts_with(b"+")
    {
        assert_eq!(wait, Some(Duration::from_secs(seconds.into())));
    }
}

/// A transport that checks the URL of each request, and returns an empty page.
#[derive(Debug)]
struct Guarded;

#[async_trait::async_trait]
impl Transport for Guarded {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let uri = request.uri();
        assert_eq!(uri.scheme_str(), Some("https"));
        assert_eq!(uri.authority().map(|host| host.as_str()), Some("api.spotify.com"));
        // Some servers decode `%2e` and accept `\` as a separator, so this code does both before it
        // checks the path.
        let path = uri.path().to_ascii_lowercase().replace("%2e", ".").replace('\\', "/");
        assert!(path.starts_with("/v1/"), "{uri}");
        assert!(!path.split('/').any(|segment| segment == ".."), "{uri}");
        Ok(http::Response::new(Bytes::from_static(b"{\"items\":[]}")))
    }
}

/// Fuzz target for the links in pages. The client follows a link only if it is below the base URL.
pub(crate) fn links(data: &[u8]) {
    let Ok(link) = std::str::from_utf8(data) else { return };
    thread_local! {
        static CLIENT: (tokio::runtime::Runtime, Client) = {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
            let token = AccessToken::new(SECRET).expect("a token");
            let pipeline = Pipeline::builder(token).transport(Guarded).attempts(1).build();
            (runtime.expect("a runtime"), pipeline.expect("a pipeline").into())
        };
    }
    let mut page = Page::<Track>::default();
    // The page needs an entry, because the client does not follow the link of an empty page.
    page.items.push(Track::default());
    page.next = Some(link.to_owned());
    CLIENT.with(|(runtime, client)| {
        if let Err(error) = runtime.block_on(client.next_page(&page)) {
            check_line(&error.to_string());
        }
    });
}
