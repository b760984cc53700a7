//! Markets, and the availability of catalogue entries in each market.

use std::sync::LazyLock;

use serde_json::value::RawValue;

/// All markets, in the order of their codes.
pub(crate) const MARKETS: &[&str] = &[
    "AD", "AE", "AG", "AL", "AM", "AO", "AR", "AT", "AU", "AZ", "BA", "BB", "BD", "BE", "BF", "BG",
    "BH", "BI", "BJ", "BN", "BO", "BR", "BS", "BT", "BW", "BY", "BZ", "CA", "CD", "CG", "CH", "CI",
    "CL", "CM", "CO", "CR", "CV", "CW", "CY", "CZ", "DE", "DJ", "DK", "DM", "DO", "DZ", "EC", "EE",
    "EG", "ES", "ET", "FI", "FJ", "FM", "FR", "GA", "GB", "GD", "GE", "GH", "GM", "GN", "GQ", "GR",
    "GT", "GW", "GY", "HK", "HN", "HR", "HT", "HU", "ID", "IE", "IL", "IN", "IQ", "IS", "IT", "JM",
    "JO", "JP", "KE", "KG", "KH", "KI", "KM", "KN", "KR", "KW", "KZ", "LA", "LB", "LC", "LI", "LK",
    "LR", "LS", "LT", "LU", "LV", "LY", "MA", "MC", "MD", "ME", "MG", "MH", "MK", "ML", "MN", "MO",
    "MR", "MT", "MU", "MV", "MW", "MX", "MY", "MZ", "NA", "NE", "NG", "NI", "NL", "NO", "NP", "NR",
    "NZ", "OM", "PA", "PE", "PG", "PH", "PK", "PL", "PR", "PS", "PT", "PW", "PY", "QA", "RO", "RS",
    "RW", "SA", "SB", "SC", "SE", "SG", "SI", "SK", "SL", "SM", "SN", "SR", "ST", "SV", "SZ", "TD",
    "TG", "TH", "TJ", "TL", "TN", "TO", "TR", "TT", "TV", "TW", "TZ", "UA", "UG", "US", "UY", "UZ",
    "VC", "VE", "VN", "VU", "WS", "XK", "ZA", "ZM", "ZW",
];

/// Markets with audiobooks.
pub(crate) const BOOK_MARKETS: &[&str] = &["AU", "CA", "GB", "IE", "NZ", "US"];

/// Markets of the entries with [`Availability::Far`]. These entries are unavailable in all other
/// markets, including the users' country.
pub(crate) const FAR_MARKETS: &[&str] = &["HK", "JP", "KR", "TW"];

/// The country of every user of the mock.
pub(crate) const HOME: &str = "GB";

/// Availability of a catalogue entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Availability {
    #[default]
    Everywhere,
    Far,
    Books,
    /// Available in a list of markets. The number is the index of the list in
    /// `World::market_lists`.
    Listed(u16),
}

impl Availability {
    pub(crate) fn markets(self) -> &'static [&'static str] {
        match self {
            Self::Everywhere => MARKETS,
            Self::Far => FAR_MARKETS,
            Self::Books => BOOK_MARKETS,
            Self::Listed(_) => &[],
        }
    }

    pub(crate) fn contains(self, market: &str) -> bool {
        self.markets().contains(&market)
    }

    /// The list of markets as serialized JSON.
    pub(crate) fn json(self) -> Option<&'static RawValue> {
        static EVERYWHERE: LazyLock<Option<Box<RawValue>>> = LazyLock::new(|| raw(MARKETS));
        static FAR: LazyLock<Option<Box<RawValue>>> = LazyLock::new(|| raw(FAR_MARKETS));
        static BOOKS: LazyLock<Option<Box<RawValue>>> = LazyLock::new(|| raw(BOOK_MARKETS));
        match self {
            Self::Everywhere => EVERYWHERE.as_deref(),
            Self::Far => FAR.as_deref(),
            Self::Books => BOOKS.as_deref(),
            Self::Listed(_) => None,
        }
    }
}

fn raw(markets: &[&str]) -> Option<Box<RawValue>> {
    serde_json::value::to_raw_value(markets).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_185_markets_in_order() {
        assert_eq!(MARKETS.len(), 185);
        assert!(MARKETS.is_sorted());
        assert!(BOOK_MARKETS.iter().chain(FAR_MARKETS).all(|market| MARKETS.contains(market)));
    }
}
