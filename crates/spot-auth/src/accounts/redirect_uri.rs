//! Redirect URIs.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use spot_http::Error;
use url::Url;

/// A redirect URI that Spotify accepts. The original string is stored, because Spotify compares
/// redirect URIs character by character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RedirectUri {
    text: String,
    path: String,
    loopback: Option<Loopback>,
}

/// The address and port of a redirect URI on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Loopback {
    pub(crate) address: IpAddr,
    /// `None` if the URI has no port. A URI without a port works with every port.
    pub(crate) port: Option<u16>,
}

/// Default redirect URI. The listener uses a free port.
pub(crate) const DEFAULT_REDIRECT_URI: &str = "http://127.0.0.1/callback";

impl RedirectUri {
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let refused = |why: &str| {
            Err(Error::configuration(format!("the redirect URI {text:?} cannot be used: {why}")))
        };
        let url = match Url::parse(text) {
            Ok(url) => url,
            Err(url::ParseError::RelativeUrlWithoutBase) => {
                return refused(
                    "a redirect URI must start with a scheme, such as http:// or https://",
                );
            }
            Err(error) => return refused(&format!("the URI is malformed ({error})")),
        };
        if url.fragment().is_some() {
            return refused("a redirect URI must not have a fragment");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refused("a redirect URI must not contain a user name or a password");
        }
        let host = url.host_str().unwrap_or_default().trim_end_matches('.');
        let web = matches!(url.scheme(), "http" | "https");
        if web && host.eq_ignore_ascii_case("localhost") {
            return refused(
                "Spotify has refused `localhost` since November 2025; \
                 register and use http://127.0.0.1/callback or http://[::1]/callback",
            );
        }
        let loopback = loopback(text);
        if url.scheme() == "http" && loopback.is_none() {
            return refused(
                "plain http is allowed only for http://127.0.0.1 and http://[::1]; use https",
            );
        }
        Ok(Self { text: text.to_owned(), path: url.path().to_owned(), loopback })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the path of the browser's request, which is `/` if the URI has no path.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn loopback(&self) -> Option<Loopback> {
        self.loopback
    }

    /// Adds this port if the URI is a loopback address without a port. Other URIs are returned
    /// unchanged.
    pub(crate) fn with_port(&self, port: u16) -> Self {
        match self.loopback {
            Some(Loopback { address, port: None }) => {
                let literal = literal(address);
                let rest = self.text.strip_prefix(literal).unwrap_or_default();
                Self {
                    text: format!("{literal}:{port}{rest}"),
                    path: self.path.clone(),
                    loopback: Some(Loopback { address, port: Some(port) }),
                }
            }
            _ => self.clone(),
        }
    }
}

const V4: &str = "http://127.0.0.1";
const V6: &str = "http://[::1]";

fn literal(address: IpAddr) -> &'static str {
    if address.is_ipv4() { V4 } else { V6 }
}

/// Reads the address from the original string, because the URL parser normalizes addresses. For
/// example, the parser turns `127.1` into `127.0.0.1`, and drops `:80`. Spotify compares redirect
/// URIs as strings.
fn loopback(text: &str) -> Option<Loopback> {
    let (address, rest) = if let Some(rest) = text.strip_prefix(V4) {
        (IpAddr::V4(Ipv4Addr::LOCALHOST), rest)
    } else {
        (IpAddr::V6(Ipv6Addr::LOCALHOST), text.strip_prefix(V6)?)
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, _) = rest.split_at(end);
    if authority.is_empty() {
        return Some(Loopback { address, port: None });
    }
    let port = authority.strip_prefix(':')?.parse().ok().filter(|port| *port != 0)?;
    Some(Loopback { address, port: Some(port) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_redirect_uris_are_kept_as_written() {
        for (text, port) in [
            ("http://127.0.0.1/callback", Some(None)),
            ("http://127.0.0.1:8888/callback", Some(Some(8888))),
            ("http://127.0.0.1:80/callback/", Some(Some(80))),
            ("http://[::1]/", Some(None)),
            ("http://[::1]:3000/a?b=c", Some(Some(3000))),
            ("http://127.0.0.1", Some(None)),
            ("https://example.org/Sign/In/", None),
            ("my-app://signed-in", None),
        ] {
            let uri = RedirectUri::parse(text).expect(text);
            assert_eq!(uri.as_str(), text);
            assert_eq!(uri.loopback().map(|loopback| loopback.port), port, "{text}");
        }
    }

    #[test]
    fn invalid_redirect_uris_are_refused_with_the_reason() {
        for (text, reason) in [
            ("http://localhost:8888/callback", "November 2025"),
            ("https://LocalHost/callback", "November 2025"),
            ("http://example.org/callback", "plain http"),
            ("http://192.168.0.7/callback", "plain http"),
            ("http://127.0.0.1.example.org/", "plain http"),
            ("http://127.0.0.1:0/callback", "plain http"),
            ("http://127.1/callback", "plain http"),
            ("http://127.0.0.1@example.org/", "user name"),
            ("https://example.org/#here", "fragment"),
            ("/callback", "start with a scheme"),
            ("", "start with a scheme"),
        ] {
            let error = RedirectUri::parse(text).expect_err(text);
            assert!(error.message().contains(reason), "{text}: {error}");
            assert_eq!(error.kind(), spot_http::ErrorKind::Configuration);
        }
    }

    #[test]
    fn a_port_is_added_only_if_the_uri_has_no_port() {
        let any = RedirectUri::parse("http://127.0.0.1/callback?x=1").unwrap();
        assert_eq!(any.with_port(4000).as_str(), "http://127.0.0.1:4000/callback?x=1");
        assert_eq!(any.with_port(4000).path(), "/callback");
        let fixed = RedirectUri::parse("http://[::1]:5/").unwrap();
        assert_eq!(fixed.with_port(4000), fixed);
        assert!(RedirectUri::parse(DEFAULT_REDIRECT_URI).is_ok());
    }
}
