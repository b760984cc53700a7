//! Parses the HTTP requests of a browser on this machine.

use std::net::SocketAddr;

use crate::sign_in::loopback::page::Page;

/// The head of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RequestHead<'a> {
    method: &'a str,
    target: &'a str,
    host: &'a str,
}

/// Accepts only requests of a browser that was redirected to this listener.
#[derive(Debug)]
pub(super) struct RequestFilter {
    hosts: Vec<String>,
    path: String,
}

/// Whether the headers are complete.
pub(super) fn is_whole(head: &[u8]) -> bool {
    head.windows(4).any(|window| window == b"\r\n\r\n")
}

impl<'a> RequestHead<'a> {
    /// Parses the request line and the single `Host` header.
    pub(super) fn parse(head: &'a [u8]) -> Result<Self, Page> {
        let head = std::str::from_utf8(head).map_err(|_| Page::Malformed)?;
        let (head, _) = head.split_once("\r\n\r\n").ok_or(Page::Malformed)?;
        let mut lines = head.split("\r\n");
        let mut words = lines.next().unwrap_or_default().split(' ');
        let (Some(method), Some(target), Some("HTTP/1.1" | "HTTP/1.0"), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(Page::Malformed);
        };
        let mut host = None;
        for line in lines {
            let (name, value) = line.split_once(':').ok_or(Page::Malformed)?;
            if name.eq_ignore_ascii_case("host") && host.replace(value.trim()).is_some() {
                return Err(Page::Malformed);
            }
        }
        let host = host.ok_or(Page::Malformed)?;
        Ok(Self { method, target, host })
    }
}

impl RequestFilter {
    pub(super) fn new(address: SocketAddr, path: &str) -> Self {
        let mut hosts = vec![address.to_string()];
        if address.port() == 80 {
            let host = address.to_string();
            hosts.extend(host.strip_suffix(":80").map(str::to_owned));
        }
        Self { hosts, path: path.to_owned() }
    }

    /// Returns the query of a request to the callback's path.
    pub(super) fn query(&self, head: RequestHead<'_>) -> Result<String, Page> {
        if !self.hosts.iter().any(|host| host.eq_ignore_ascii_case(head.host)) {
            return Err(Page::Misdirected);
        }
        let (path, query) = head.target.split_once('?').unwrap_or((head.target, ""));
        if path != self.path {
            return Err(Page::NotFound);
        }
        if head.method != "GET" {
            return Err(Page::MethodNotAllowed);
        }
        Ok(query.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ask(request: &[u8]) -> Result<String, Page> {
        let filter = RequestFilter::new("127.0.0.1:4711".parse().unwrap(), "/callback");
        filter.query(RequestHead::parse(request)?)
    }

    #[test]
    fn only_a_valid_browser_callback_request_is_accepted() {
        let get = |target: &str, host: &str| {
            ask(format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\n\r\n").as_bytes())
        };
        assert_eq!(get("/callback?a=b", "127.0.0.1:4711"), Ok("a=b".to_owned()));
        assert_eq!(get("/callback", "127.0.0.1:4711"), Ok(String::new()));
        for host in ["evil.example:4711", "127.0.0.1", "localhost:4711", "127.0.0.1:4711.evil", ""]
        {
            assert_eq!(get("/callback?a=b", host), Err(Page::Misdirected), "{host}");
        }
        for target in ["/favicon.ico", "/", "/callback/", "http://127.0.0.1:4711/callback", "*"] {
            assert_eq!(get(target, "127.0.0.1:4711"), Err(Page::NotFound), "{target}");
        }
        for (request, answer) in [
            ("POST /callback HTTP/1.1\r\nHost: 127.0.0.1:4711\r\n\r\n", Page::MethodNotAllowed),
            ("GET /callback HTTP/1.1\r\n\r\n", Page::Malformed),
            ("GET /callback HTTP/2\r\nHost: 127.0.0.1:4711\r\n\r\n", Page::Malformed),
            ("GET /a b HTTP/1.1\r\nHost: 127.0.0.1:4711\r\n\r\n", Page::Malformed),
            ("GET /callback HTTP/1.1\r\nHost: 127.0.0.1:4711\r\nhost: x\r\n\r\n", Page::Malformed),
            ("\x16\x03\x01\r\n\r\n", Page::Malformed),
            ("GET /callback HTTP/1.1\r\nHost: 127.0.0.1:4711\r\n", Page::Malformed),
        ] {
            assert_eq!(ask(request.as_bytes()), Err(answer), "{request:?}");
        }
        assert_eq!(ask(b"GET /callback?\xff HTTP/1.1\r\n\r\n"), Err(Page::Malformed));
    }

    #[test]
    fn the_host_header_may_omit_port_80() {
        for (address, host) in [("127.0.0.1:80", "127.0.0.1"), ("[::1]:80", "[::1]")] {
            let filter = RequestFilter::new(address.parse().unwrap(), "/");
            for host in [host, address] {
                let request = format!("GET /?x HTTP/1.1\r\nHost: {host}\r\n\r\n");
                let head = RequestHead::parse(request.as_bytes()).unwrap();
                assert_eq!(filter.query(head), Ok("x".to_owned()));
            }
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = ask(&bytes);
            prop_assert_eq!(is_whole(&bytes), bytes.windows(4).any(|four| four == b"\r\n\r\n"));
        }

        #[test]
        fn only_get_requests_with_the_right_host_and_path_are_accepted(
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
