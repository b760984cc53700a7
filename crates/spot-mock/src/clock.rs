//! The mock's clock. The clock starts at the same moment in every run, and tests can move the clock
//! forward.

use std::time::Duration;

use tokio::time::Instant;

const SECOND: i64 = 1_000;
const DAY: i64 = 24 * 60 * 60 * SECOND;

/// The start time of every mock: 2026-11-02T09:00:00Z. This time is fixed, so that the same seed
/// always gives the same `added_at` values.
pub(crate) const START: Moment = Moment(1_793_610_000_000);

/// The clock of a mock.
///
/// The clock follows tokio's clock. If a client sleeps for the time in `Retry-After`, the same time
/// passes for the mock, and the next call is accepted. If a test pauses tokio's clock, the test
/// does not wait in real time.
#[derive(Debug)]
pub(crate) struct Clock {
    since: Instant,
    advanced: Duration,
    frozen: bool,
}

impl Clock {
    pub(crate) fn new(frozen: bool) -> Self {
        Self { since: Instant::now(), advanced: Duration::ZERO, frozen }
    }

    pub(crate) fn now(&self) -> Moment {
        let run = if self.frozen { Duration::ZERO } else { self.since.elapsed() };
        START.plus(run.saturating_add(self.advanced))
    }

    pub(crate) fn advance(&mut self, by: Duration) {
        self.advanced = self.advanced.saturating_add(by);
    }
}

/// A moment in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(i64);

impl Moment {
    pub(crate) const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    pub(crate) const fn millis(self) -> i64 {
        self.0
    }

    /// Parses `2026-11-02T09:00:00Z`, with or without a fraction of a second.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.strip_suffix('Z')?;
        let (date, time) = text.split_once('T')?;
        let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
        let number = |text: &str| text.parse::<i64>().ok();
        let part = |list: &[i64], place: usize, range: std::ops::RangeInclusive<i64>| {
            list.get(place).copied().filter(|number| range.contains(number))
        };
        let date: Vec<_> = date.split('-').map(number).collect::<Option<_>>()?;
        let time: Vec<_> = time.split(':').map(number).collect::<Option<_>>()?;
        let day =
            days(part(&date, 0, 0..=9_999)?, part(&date, 1, 1..=12)?, part(&date, 2, 1..=31)?);
        let seconds = part(&time, 0, 0..=23)? * 3_600
            + part(&time, 1, 0..=59)? * 60
            + part(&time, 2, 0..=60)?;
        let millis = format!("{fraction:0<3}").get(..3)?.parse::<i64>().ok()?;
        (date.len() == 3 && time.len() == 3).then_some(Self(day * DAY + seconds * SECOND + millis))
    }

    pub(crate) fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    pub(crate) const fn minus_seconds(self, seconds: i64) -> Self {
        Self(self.0 - seconds * SECOND)
    }

    /// Time since `earlier`; zero if `earlier` is after `self`.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Adds calendar months and keeps the day and the time. If the new month does not have this
    /// day, the result is the last day of the month.
    pub(crate) fn plus_months(self, months: i64) -> Self {
        let (year, month, day) = civil(self.0.div_euclid(DAY));
        let counted = year * 12 + (month - 1) + months;
        let (year, month) = (counted.div_euclid(12), counted.rem_euclid(12) + 1);
        let first = days(year, month, 1);
        let next = if month == 12 { days(year + 1, 1, 1) } else { days(year, month + 1, 1) };
        let day = day.min(next - first);
        Self((first + day - 1) * DAY + self.0.rem_euclid(DAY))
    }

    /// Formats as `2026-11-02T09:00:00Z`, the format of `added_at`.
    pub(crate) fn seconds_text(self) -> String {
        let (date, seconds) = (self.date_text(), self.0.rem_euclid(DAY) / SECOND);
        format!("{date}T{:02}:{:02}:{:02}Z", seconds / 3600, seconds / 60 % 60, seconds % 60)
    }

    /// Formats as `2026-11-02T09:00:00.000Z`, the format of `played_at`.
    pub(crate) fn millis_text(self) -> String {
        let mut text = self.seconds_text();
        text.pop();
        format!("{text}.{:03}Z", self.0.rem_euclid(SECOND))
    }

    /// Formats as `2026-11-02`.
    pub(crate) fn date_text(self) -> String {
        let (year, month, day) = civil(self.0.div_euclid(DAY));
        format!("{year:04}-{month:02}-{day:02}")
    }
}

/// Converts a number of days since 1970-01-01 to a year, a month and a day. In the calculation,
/// years start in March, so that the leap day is the last day of a year.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// The inverse of [`civil`].
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let from_march = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * from_march + 2) / 5 + day - 1;
    let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
    era * 146_097 + of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_time_prints_as_an_rfc_3339_timestamp() {
        assert_eq!(START.seconds_text(), "2026-11-02T09:00:00Z");
        assert_eq!(START.millis_text(), "2026-11-02T09:00:00.000Z");
    }

    #[test]
    fn converting_days_to_dates_and_back_keeps_the_day() {
        for day in (-200_000..200_000).step_by(97) {
            let (year, month, of_month) = civil(day);
            assert_eq!(days(year, month, of_month), day);
        }
    }

    #[test]
    fn parse_accepts_full_timestamps_and_rejects_other_text() {
        assert_eq!(Moment::parse("2026-11-02T09:00:00Z"), Some(START));
        assert_eq!(Moment::parse("2026-11-02T09:00:00.25Z"), Some(Moment(START.0 + 250)));
        for text in ["", "2026-11-02", "2026-13-02T09:00:00Z", "2026-11-02T09:00Z", "yesterday"] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
    }

    #[test]
    fn adding_months_keeps_the_day_or_clamps_to_the_month_end() {
        assert_eq!(START.plus_months(6).seconds_text(), "2027-05-02T09:00:00Z");
        let end_of_august = Moment(days(2026, 8, 31) * DAY);
        assert_eq!(end_of_august.plus_months(6).date_text(), "2027-02-28");
    }
}
