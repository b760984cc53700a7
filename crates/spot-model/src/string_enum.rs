//! Enums for string values of the API. Spotify may add values at any time.

use std::fmt;

/// A value that this version does not know. Contains the original text.
///
/// Other crates cannot construct or match an unknown value. A later version can therefore add a
/// variant for the value without a breaking change.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct UnknownText(Box<str>);

impl UnknownText {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.into())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for UnknownText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Defines an enum for string values of the API. Each value that this version of the crate knows
/// has its own variant. Any other value is stored as its original string, and serializes unchanged.
/// Parsing ignores the case of letters.
macro_rules! string_enum {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $($(#[$variant_meta:meta])* $variant:ident = $text:literal,)*
        }
    ) => {
        $(#[$meta])*
        ///
        /// If Spotify returns a value that has no variant, [`as_str`](Self::as_str) returns the
        /// original string.
        #[derive(Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_meta])* $variant,)*
            #[doc(hidden)]
            _Unknown($crate::string_enum::UnknownText),
        }

        impl $name {
            /// The known values.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Returns the string that the API uses for the value.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::_Unknown(text) => text.as_str(),
                }
            }

            /// Whether this version of the crate has a variant for the value.
            pub fn is_known(&self) -> bool {
                !matches!(self, Self::_Unknown(_))
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                $(if text.eq_ignore_ascii_case($text) {
                    return Self::$variant;
                })*
                Self::_Unknown($crate::string_enum::UnknownText::new(text))
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::from(text.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::convert::Infallible;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Ok(Self::from(text))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self {
                    $(Self::$variant => f.write_str(stringify!($variant)),)*
                    Self::_Unknown(text) => f.debug_tuple("Unknown").field(text).finish(),
                }
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering {
                self.as_str().cmp(other.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Self, D::Error> {
                deserializer.deserialize_str($crate::text::FromText::new("a name"))
            }
        }
    };
}

pub(crate) use string_enum;

#[cfg(test)]
mod tests {
    use crate::{AlbumType, DatePrecision, Scope};

    #[test]
    fn known_values_are_parsed_in_any_case() {
        for text in ["compilation", "COMPILATION", "Compilation"] {
            assert_eq!(AlbumType::from(text), AlbumType::Compilation);
        }
        assert_eq!(serde_json::to_string(&AlbumType::Single).unwrap(), "\"single\"");
        assert!(Scope::ALL.iter().all(|scope| Scope::from(scope.as_str()) == *scope));
        assert!(
            DatePrecision::Day < DatePrecision::Month,
            "values must be in the alphabetical order of their strings"
        );
    }

    #[test]
    fn unknown_values_keep_the_original_text() {
        let kind: AlbumType = serde_json::from_str("\"Mix\\u0054ape\"").unwrap();
        assert!(!kind.is_known());
        assert_eq!((kind.as_str(), kind.to_string().as_str()), ("MixTape", "MixTape"));
        assert_eq!(serde_json::to_string(&kind).unwrap(), "\"MixTape\"");
        assert_eq!(format!("{kind:?}"), "Unknown(\"MixTape\")");
    }
}
