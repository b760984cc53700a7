//! The pages that the browser shows after the sign-in.

/// A page for the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Page {
    /// The user consented, and the program has the tokens.
    SignedIn,
    /// The user declined.
    Declined,
    /// The user consented, but the program could not get the tokens.
    Failed,
    /// The request is not the callback of this sign-in.
    InvalidCallback,
    /// The bytes are not an HTTP request.
    Malformed,
    /// The path is not the path of the callback, for example `/favicon.ico`.
    NotFound,
    /// The method is not GET.
    MethodNotAllowed,
    /// The `Host` header does not match the address of the listener, for example because of a DNS
    /// rebinding attack.
    Misdirected,
}

/// Style of the pages: readable on phones, with the system's color scheme.
const STYLE: &str = "html{color-scheme:light dark}\
    body{font:1.125rem/1.5 system-ui,sans-serif;max-width:32rem;margin:20vh auto;padding:0 1.5rem}\
    h1{font-size:1.75rem}";

/// SHA-256 of the style. The content security policy allows only this style.
const STYLE_HASH: &str = "cw/Sk0eFXYvXWzIHj2S8xEyA2tYvcVyULpft1DWz+tE=";

impl Page {
    fn status(self) -> &'static str {
        match self {
            Self::SignedIn | Self::Declined => "200 OK",
            Self::InvalidCallback | Self::Malformed => "400 Bad Request",
            Self::Failed => "502 Bad Gateway",
            Self::NotFound => "404 Not Found",
            Self::MethodNotAllowed => "405 Method Not Allowed",
            Self::Misdirected => "421 Misdirected Request",
        }
    }

    fn text(self) -> (&'static str, &'static str) {
        match self {
            Self::SignedIn => ("Signed in", "You can close this page and return to the program."),
            Self::Declined => {
                ("Not signed in", "You declined the sign-in. You can close this page.")
            }
            Self::Failed => (
                "Not signed in",
                "You consented, but the program could not complete the sign-in. \
                 The program shows the reason.",
            ),
            Self::InvalidCallback => {
                ("Wrong sign-in", "This address does not belong to the current sign-in.")
            }
            Self::Malformed => ("Bad request", "The request could not be read."),
            Self::NotFound => ("Not found", "There is nothing at this address."),
            Self::MethodNotAllowed => {
                ("Method not allowed", "This address accepts only GET requests.")
            }
            Self::Misdirected => ("Wrong host", "The Host header of the request is wrong."),
        }
    }

    /// Formats the HTTP response. The page loads nothing, is not cached, and contains nothing from
    /// the request.
    pub(super) fn to_http(self) -> String {
        let (title, text) = self.text();
        let page = format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <title>{title}</title><style>{STYLE}</style><h1>{title}</h1><p>{text}</p></html>\n"
        );
        let allow = if self == Self::MethodNotAllowed { "Allow: GET\r\n" } else { "" };
        format!(
            "HTTP/1.1 {}\r\n\
             Content-Type: text/html; charset=utf-8\r\n\
             Content-Length: {}\r\n\
             Cache-Control: no-store\r\n\
             Content-Security-Policy: default-src 'none'; style-src 'sha256-{STYLE_HASH}'; \
             frame-ancestors 'none'\r\n\
             Referrer-Policy: no-referrer\r\n\
             X-Content-Type-Options: nosniff\r\n\
             {allow}Connection: close\r\n\r\n{page}",
            self.status(),
            page.len(),
        )
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use sha2::{Digest as _, Sha256};

    use super::*;

    #[test]
    fn the_content_security_policy_allows_the_style() {
        let hash = Sha256::digest(STYLE);
        assert_eq!(STANDARD.encode(hash), STYLE_HASH);
    }

    #[test]
    fn the_signed_in_page_matches_the_snapshot() {
        insta::assert_snapshot!(Page::SignedIn.to_http().replace("\r\n", "\n"));
    }
}
