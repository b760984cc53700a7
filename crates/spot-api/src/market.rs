use std::fmt;

use spot_model::Country;

/// Value of the parameter `market`, which selects the catalog of a country.
///
/// Every setter with the name `market` takes a `Market`, a [`Country`] or a two-letter country
/// code: `client.album(id).market("DE")`. If the country code is invalid, `.await` returns an
/// error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Market(Choice);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Choice {
    Country(Country),
    FromToken,
    Unset,
    Invalid(String),
}

impl Market {
    /// The country of the user to whom the token belongs.
    pub const FROM_TOKEN: Self = Self(Choice::FromToken);

    /// Sends no market, even if the client has a default market.
    pub const UNSET: Self = Self(Choice::Unset);

    /// Returns the value to send, if any.
    pub(crate) fn value(&self) -> Result<Option<&str>, String> {
        match &self.0 {
            Choice::Country(country) => Ok(Some(country.as_str())),
            Choice::FromToken => Ok(Some("from_token")),
            Choice::Unset => Ok(None),
            Choice::Invalid(text) => {
                let hint = if text.eq_ignore_ascii_case("UK") {
                    "; the code of the United Kingdom is \"GB\""
                } else {
                    ""
                };
                Err(format!(
                    "`market` is {text:?}; expected a two-letter ISO 3166-1 country code{hint}"
                ))
            }
        }
    }
}

impl From<Country> for Market {
    fn from(country: Country) -> Self {
        Self(Choice::Country(country))
    }
}

impl From<&str> for Market {
    fn from(text: &str) -> Self {
        if text == "from_token" {
            return Self::FROM_TOKEN;
        }
        match text.parse::<Country>() {
            Ok(country) if country.is_assigned() => country.into(),
            _ => Self(Choice::Invalid(text.to_owned())),
        }
    }
}

impl From<&String> for Market {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<String> for Market {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

/// Formats the value of the query parameter: the two-letter code of the country, or `from_token`.
impl fmt::Display for Market {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Choice::Country(country) => f.write_str(country.as_str()),
            Choice::FromToken => f.write_str("from_token"),
            Choice::Unset => Ok(()),
            Choice::Invalid(text) => f.write_str(text),
        }
    }
}
