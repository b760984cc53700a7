//! As much of HTTP as a browser on this machine needs.

use std::net::SocketAddr;

/// The head of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head<'a> {
    method: &'a str,
    target: &'a str,
    host: &'a str,
}

/// What a request is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The sign-in is over: the user consented.
    Done,
    /// The sign-in is over: the user declined.
    Declined,
    /// Not the callback of this sign-in.
    InvalidCallback,
    /// Not a request.
    Malformed,
    /// Not the path of the callback: the icon of the page, for example.
    NotFound,
    /// Not a GET.
    Method,
    /// Meant for another host, whose name was made to point here.
    Misdirected,
}

/// Lets only those requests through that a browser sends which was redirected here.
#[derive(Debug)]
pub(super) struct Guard {
    hosts: Vec<String>,
    path: String,
}

/// Whether the headers have ended.
pub(super) fn is_whole(head: &[u8]) -> bool {
    head.windows(4).any(|window| window == b"\r\n\r\n")
}

impl<'a> Head<'a> {
    /// Reads the request line and the one `Host` header.
    pub(super) fn parse(head: &'a [u8]) -> Result<Self, Answer> {
        let head = std::str::from_utf8(head).map_err(|_| Answer::Malformed)?;
        let (head, _) = head.split_once("\r\n\r\n").ok_or(Answer::Malformed)?;
        let mut lines = head.split("\r\n");
        let mut words = lines.next().unwrap_or_default().split(' ');
        let (Some(method), Some(target), Some("HTTP/1.1" | "HTTP/1.0"), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(Answer::Malformed);
        };
        let mut host = None;
        for line in lines {
            let (name, value) = line.split_once(':').ok_or(Answer::Malformed)?;
            if name.eq_ignore_ascii_case("host") && host.replace(value.trim()).is_some() {
                return Err(Answer::Malformed);
            }
        }
        let host = host.ok_or(Answer::Malformed)?;
        Ok(Self { method, target, host })
    }
}

impl Guard {
    pub(super) fn new(address: SocketAddr, path: &str) -> Self {
        let mut hosts = vec![address.to_string()];
        if address.port() == 80 {
            let host = address.to_string();
            hosts.extend(host.strip_suffix(":80").map(str::to_owned));
        }
        Self { hosts, path: path.to_owned() }
    }

    /// The query of a request to the callback's path.
    pub(super) fn query(&self, head: Head<'_>) -> Result<String, Answer> {
        if !self.hosts.iter().any(|host| host.eq_ignore_ascii_case(head.host)) {
            return Err(Answer::Misdirected);
        }
        let (path, query) = head.target.split_once('?').unwrap_or((head.target, ""));
        if path != self.path {
            return Err(Answer::NotFound);
        }
        if head.method != "GET" {
            return Err(Answer::Method);
        }
        Ok(query.to_owned())
    }
}

impl Answer {
    fn status(self) -> &'static str {
        match self {
            Self::Done | Self::Declined => "200 OK",
            Self::InvalidCallback | Self::Malformed => "400 Bad Request",
            Self::NotFound => "404 Not Found",
            Self::Method => "405 Method Not Allowed",
            Self::Misdirected => "421 Misdirected Request",
        }
    }

    fn text(self) -> (&'static str, &'static str) {
        match self {
            Self::Done => ("Signed in", "You can close this page and go back to the program."),
            Self::Declined => ("Not signed in", "Nothing was granted. You can close this page."),
            Self::InvalidCallback => {
                ("Not this sign-in", "This address belongs to no sign-in that is under way here.")
            }
            Self::Malformed => ("Not a request", "This could not be read."),
            Self::NotFound => ("Nothing here", "There is nothing at this address."),
            Self::Method => ("Not like this", "This address can only be read."),
            Self::Misdirected => ("Another host", "This is not the host that was asked for."),
        }
    }

    /// The whole answer. It loads nothing, is not kept, and repeats nothing of the request.
    pub(super) fn to_http(self) -> String {
        let (title, text) = self.text();
        let page = format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title>\
             <h1>{title}</h1><p>{text}</p></html>\n"
        );
        let allow = if self == Self::Method { "Allow: GET\r\n" } else { "" };
        format!(
            "HTTP/1.1 {}\r\n\
             Content-Type: text/html; charset=utf-8\r\n\
             Content-Length: {}\r\n\
             Cache-Control: no-store\r\n\
             Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n\
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
    use proptest::prelude::*;

    use super::*;

    fn ask(request: &[u8]) -> Result<String, Answer> {
        let guard = Guard::new("127.0.0.1:4711".parse().unwrap(), "/callback");
        guard.query(Head::parse(request)?)
    }

    #[test]
    fn only_the_browsers_own_request_comes_through() {
        let get = |target: &str, host: &str| {
            ask(format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\n\r\n").as_bytes())
        };
        assert_eq!(get("/callback?a=b", "127.0.0.1:4711"), Ok("a=b".to_owned()));
        assert_eq!(get("/callback", "127.0.0.1:4711"), Ok(String::new()));
        for host in ["evil.example:4711", "127.0.0.1", "localhost:4711", "127.0.0.1:4711.evil", ""]
        {
            assert_eq!(get("/callback?a=b", host), Err(Answer::Misdirected), "{host}");
        }
        for target in ["/favicon.ico", "/", "/callback/", "http://127.0.0.1:4711/callback", "*"] {
            assert_eq!(get(target, "127.0.0.1:4711"), Err(Answer::NotFound), "{target}");
        }
        for (request, answer) in [
            ("POST /callback HTTP/1.1\r\nHost: 127.0.0.1:4711\r\n\r\n", Answer::Method),
            ("GET /callback HTTP/1.1\r\n\r\n", Answer::Malformed),
            ("GET /callback HTTP/2\r\nHost: 127.0.0.1:4711\r\n\r\n", Answer::Malformed),
            ("GET /a b HTTP/1.1\r\nHost: 127.0.0.1:4711\r\n\r\n", Answer::Malformed),
            (
                "GET /callback HTTP/1.1\r\nHost: 127.0.0.1:4711\r\nhost: x\r\n\r\n",
                Answer::Malformed,
            ),
            ("\x16\x03\x01\r\n\r\n", Answer::Malformed),
            ("GET /callback HTTP/1.1\r\nHost: 127.0.0.1:4711\r\n", Answer::Malformed),
        ] {
            assert_eq!(ask(request.as_bytes()), Err(answer), "{request:?}");
        }
        assert_eq!(ask(b"GET /callback?\xff HTTP/1.1\r\n\r\n"), Err(Answer::Malformed));
    }

    #[test]
    fn port_80_is_not_named_by_browsers() {
        for (address, host) in [("127.0.0.1:80", "127.0.0.1"), ("[::1]:80", "[::1]")] {
            let guard = Guard::new(address.parse().unwrap(), "/");
            for host in [host, address] {
                let request = format!("GET /?x HTTP/1.1\r\nHost: {host}\r\n\r\n");
                let head = Head::parse(request.as_bytes()).unwrap();
                assert_eq!(guard.query(head), Ok("x".to_owned()));
            }
        }
    }

    #[test]
    fn the_page() {
        insta::assert_snapshot!(Answer::Done.to_http().replace("\r\n", "\n"));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = ask(&bytes);
            prop_assert_eq!(is_whole(&bytes), bytes.windows(4).any(|four| four == b"\r\n\r\n"));
        }

        #[test]
        fn nothing_but_a_get_with_our_host_and_path_comes_through(
            method in "GET|HEAD|POST|get|", target in "/callback(\\?[a-z=&%]{0,20})?|/[a-z.]{0,9}",
            host in "127.0.0.1:4711|127.0.0.1:4712|[a-z.:]{0,20}",
        ) {
            let request = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\n\r\n");
            let path = target.split('?').next() == Some("/callback");
            let ours = method == "GET" && path && host == "127.0.0.1:4711";
            prop_assert_eq!(ask(request.as_bytes()).is_ok(), ours);
        }
    }
}
