use std::time::{Duration, SystemTime};

use chrono::DateTime;
use http::{HeaderMap, header};

/// Reads the `Retry-After` header: seconds, seconds with a fraction, or an HTTP date.
///
/// A date in `Retry-After` is compared with the `Date` header of the same response, so that a wrong
/// local clock has no effect. If the response has no valid `Date` header, the date in `Retry-After`
/// is compared with `now`.
///
/// - Returns `None` if the header is missing or malformed, for example if the number is negative.
/// - For a date in the past, the wait is zero.
/// - A number that is too large for a [`Duration`] yields [`Duration::MAX`].
/// - If there are several values, the longest wait is returned. A proxy may add a second header, or
///   join two values with a comma.
pub fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let sent = headers.get(header::DATE).and_then(|date| date.to_str().ok()).and_then(date);
    let waits = headers.get_all(header::RETRY_AFTER).iter().filter_map(|value| {
        let text = value.to_str().ok()?;
        match date(text) {
            Some(date) => Some(date.duration_since(sent.unwrap_or(now)).unwrap_or_default()),
            None => text.split(',').filter_map(seconds).max(),
        }
    });
    waits.max()
}

fn date(text: &str) -> Option<SystemTime> {
    // HTTP dates use a variant of the date format of RFC 2822.
    DateTime::parse_from_rfc2822(text.trim()).ok().map(SystemTime::from)
}

fn seconds(text: &str) -> Option<Duration> {
    let text = text.trim();
    // Rust's parser also accepts `inf` and `NaN`. The check of the first character rejects `inf`
    // and `NaN`.
    let number = text.starts_with(|first: char| first.is_ascii_digit()).then_some(text)?;
    Some(Duration::try_from_secs_f64(number.parse().ok()?).unwrap_or(Duration::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retry_after_date_is_relative_to_the_date_header() {
        let mut headers = HeaderMap::new();
        headers.insert(header::DATE, "Sun, 06 Nov 1994 08:49:37 GMT".parse().unwrap());
        headers.insert(header::RETRY_AFTER, "Sun, 06 Nov 1994 08:50:07 GMT".parse().unwrap());
        // The local clock is wrong by decades.
        for now in [SystemTime::UNIX_EPOCH, SystemTime::UNIX_EPOCH + Duration::from_secs(4 << 30)] {
            assert_eq!(retry_after(&headers, now), Some(Duration::from_secs(30)));
        }
        headers.insert(header::DATE, "yesterday".parse().unwrap());
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        assert_eq!(retry_after(&headers, now), Some(Duration::from_secs(30)));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let wait = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers, now)
        };
        assert_eq!(wait("5"), Some(Duration::from_secs(5)));
        assert_eq!(wait(" 0.5 "), Some(Duration::from_millis(500)));
        assert_eq!(wait("86400"), Some(Duration::from_secs(86_400)));
        assert_eq!(wait("Sun, 06 Nov 1994 08:50:07 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(wait("Sun, 06 Nov 1994 08:40:00 GMT"), Some(Duration::ZERO));
        for huge in ["1e30", "1e400", "18446744073709551616", "99999999999999999999999999999999"] {
            assert_eq!(wait(huge), Some(Duration::MAX), "{huge}");
        }
        for malformed in ["", "soon", "-5", "-0.5", "NaN", "inf", "5s", ",", "a, b"] {
            assert_eq!(wait(malformed), None, "{malformed}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
        // Two headers, and two values that a proxy joined.
        assert_eq!(wait("5, 6"), Some(Duration::from_secs(6)));
        assert_eq!(wait("30, soon"), Some(Duration::from_secs(30)));
        let mut headers = HeaderMap::new();
        for value in ["0", "Sun, 06 Nov 1994 08:50:07 GMT", "soon"] {
            headers.append(header::RETRY_AFTER, value.parse().unwrap());
        }
        assert_eq!(retry_after(&headers, now), Some(Duration::from_secs(30)));
    }
}
