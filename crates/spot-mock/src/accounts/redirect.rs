//! Checks redirect URIs.

use url::{Host, Url};

/// Whether an application may use `asked` as the redirect URI of a request. `registered` lists the
/// application's redirect URIs.
///
/// `asked` must equal one of the registered URIs. For a loopback address that is registered without
/// a port, any port is allowed, since applications choose the port at run time.
pub(crate) fn is_allowed(registered: &[String], asked: &str) -> bool {
    is_secure(asked)
        && registered
            .iter()
            .any(|registered| registered == asked || is_same_but_port(registered, asked))
}

/// Whether an address may be registered. `http` is allowed only with a numeric loopback address.
/// `https` is allowed with any host except `localhost`. Other schemes are allowed for mobile apps.
pub(crate) fn is_secure(address: &str) -> bool {
    Url::parse(address).is_ok_and(|url| match url.scheme() {
        "http" => is_loopback(&url),
        "https" => url.host_str() != Some("localhost"),
        _ => true,
    })
}

fn is_same_but_port(registered: &str, asked: &str) -> bool {
    let (Ok(registered), Ok(mut asked)) = (Url::parse(registered), Url::parse(asked)) else {
        return false;
    };
    is_loopback(&asked)
        && registered.port().is_none()
        && asked.set_port(None).is_ok()
        && registered == asked
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(_)) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(asked: &str) -> bool {
        let registered =
            ["http://127.0.0.1/callback", "http://[::1]/callback", "https://example.com/callback"];
        is_allowed(&registered.map(str::to_owned), asked)
    }

    #[test]
    fn a_loopback_redirect_uri_may_use_any_port() {
        assert!(allowed("http://127.0.0.1/callback"));
        assert!(allowed("http://127.0.0.1:49152/callback"));
        assert!(allowed("http://[::1]:8888/callback"));
        assert!(!allowed("http://127.0.0.1:49152/other"));
        assert!(!allowed("http://127.0.0.2:49152/callback"));
    }

    #[test]
    fn other_redirect_uris_must_match_exactly() {
        assert!(allowed("https://example.com/callback"));
        assert!(!allowed("https://example.com:444/callback"));
        assert!(!allowed("https://example.com/callback/"));
        assert!(!allowed("http://example.com/callback"));
    }

    #[test]
    fn redirect_uris_with_localhost_are_refused() {
        assert!(!allowed("http://localhost:8888/callback"));
        assert!(!is_secure("http://localhost:8888/callback"));
        assert!(!is_secure("https://localhost/callback"));
        assert!(!is_secure("not an address"));
        assert!(is_secure("my-app://callback"));
    }
}
