//! Parameters of a query or a form.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::form_urlencoded;

/// The decoded parameters, in the order of the request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(text: &str) -> Self {
        Self(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// The first parameter with this name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The entries of a comma-separated parameter; `None` if it is absent or empty.
    pub(crate) fn list(&self, name: &str) -> Option<Vec<String>> {
        let text = self.get(name).filter(|text| !text.is_empty())?;
        Some(text.split(',').map(|entry| entry.trim().to_owned()).collect())
    }

    /// All parameters, encoded for a URL.
    pub(crate) fn encoded(&self) -> String {
        self.encoded_without(&[])
    }

    pub(crate) fn encoded_without(&self, names: &[&str]) -> String {
        let kept = self.0.iter().filter(|(key, _)| !names.contains(&key.as_str()));
        encode(kept)
    }
}

/// Encodes parameters as in Spotify's links, with `%20` for a space.
pub(crate) fn encode<K: AsRef<str>, V: AsRef<str>>(
    pairs: impl IntoIterator<Item = impl std::borrow::Borrow<(K, V)>>,
) -> String {
    let mut serializer = form_urlencoded::Serializer::new(String::new());
    serializer.extend_pairs(pairs);
    serializer.finish().replace('+', "%20")
}

/// Characters of a user id that are escaped in a URI or a path.
const NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_').remove(b'~');

/// Encodes a user id as one segment of a path or a URI.
pub(crate) fn encoded(name: &str) -> String {
    utf8_percent_encode(name, NAME).to_string()
}
