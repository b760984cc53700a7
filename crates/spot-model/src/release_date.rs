//! Dates with a precision of a year, a month or a day.

use std::{fmt, str::FromStr};

use crate::{string_enum::string_enum, text::text_serde};

string_enum! {
    /// Precision of a date.
    pub enum DatePrecision {
        /// Only the year.
        Year = "year",
        /// Year and month.
        Month = "month",
        /// Year, month and day.
        Day = "day",
    }
}

/// A release date, which may consist of only a year, or a year and a month.
///
/// `Display` writes the original form: `1981`, `1981-12` or `1981-12-15`. Spotify uses the year 0
/// for an unknown date.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReleaseDate {
    year: u16,
    /// The month; 0 if unknown.
    month: u8,
    /// The day of the month; 0 if unknown.
    day: u8,
}

impl ReleaseDate {
    /// The year; 0 if unknown.
    pub fn year(&self) -> u16 {
        self.year
    }

    /// The month, 1 to 12, if it is known.
    pub fn month(&self) -> Option<u8> {
        (self.month > 0).then_some(self.month)
    }

    /// The day of the month, 1 to 31, if it is known.
    pub fn day(&self) -> Option<u8> {
        (self.day > 0).then_some(self.day)
    }

    /// The precision of the date.
    pub fn precision(&self) -> DatePrecision {
        match (self.month, self.day) {
            (0, _) => DatePrecision::Year,
            (_, 0) => DatePrecision::Month,
            _ => DatePrecision::Day,
        }
    }
}

impl FromStr for ReleaseDate {
    type Err = ParseReleaseDateError;

    fn from_str(text: &str) -> Result<Self, ParseReleaseDateError> {
        let fail = || ParseReleaseDateError(text.chars().take(40).collect());
        let mut parts = text.split('-');
        let mut part = |digits: usize| match parts.next() {
            Some(part) if part.len() == digits && part.bytes().all(|b| b.is_ascii_digit()) => {
                part.parse::<u16>().map(Some).map_err(|_| fail())
            }
            Some(_) => Err(fail()),
            None => Ok(None),
        };
        let year = part(4)?.ok_or_else(fail)?;
        let in_range = |value: Option<u16>, most: u16| match value {
            None => Ok(0),
            Some(value @ 1..) if value <= most => u8::try_from(value).map_err(|_| fail()),
            Some(_) => Err(fail()),
        };
        let month = in_range(part(2)?, 12)?;
        let day = in_range(part(2)?, 31)?;
        if part(0)?.is_some() {
            return Err(fail());
        }
        Ok(Self { year, month, day })
    }
}

impl fmt::Display for ReleaseDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}", self.year)?;
        if let Some(month) = self.month() {
            write!(f, "-{month:02}")?;
        }
        if let Some(day) = self.day() {
            write!(f, "-{day:02}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for ReleaseDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

text_serde! { ReleaseDate: "a date: YYYY, YYYY-MM or YYYY-MM-DD"; }

/// The error for a text that is not a date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseReleaseDateError(String);

impl fmt::Display for ParseReleaseDateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not a date; expected YYYY, YYYY-MM or YYYY-MM-DD", self.0)
    }
}

impl std::error::Error for ParseReleaseDateError {}
