//! The headers in which a service says how much it can take.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{AGE, DATE, HeaderMap, RETRY_AFTER};

/// What one answer said about the budget. It is on any status, 200 included.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Signals {
    /// Wait so long before the next request.
    pub(crate) retry_after: Option<Duration>,
    /// The service has delayed this very answer.
    pub(crate) delayed: bool,
    pub(crate) limit: Option<f64>,
    pub(crate) remaining: Option<f64>,
    /// Until the budget is whole again, by the service's own clock.
    pub(crate) reset_in: Option<Duration>,
    /// The service's own clock; not of an answer that a cache kept.
    pub(crate) date: Option<Timestamp>,
}

impl Signals {
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let number = |name: &str| {
            text(headers, name)?
                .parse::<f64>()
                .ok()
                .filter(|number| number.is_finite())
        };
        let date = text(headers, DATE.as_str()).and_then(http_date);
        let retry_after =
            text(headers, RETRY_AFTER.as_str()).and_then(|value| match value.parse::<f64>() {
                Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
                Err(_) => Some(until(http_date(value)?, date?)),
            });
        let reset =
            number("x-ratelimit-reset").and_then(|epoch| Timestamp::from_second(epoch as i64).ok());
        Self {
            retry_after,
            delayed: number("x-ratelimit-delay").is_some_and(|seconds| seconds > 0.0),
            limit: number("x-ratelimit-limit").filter(|limit| *limit > 0.0),
            remaining: number("x-ratelimit-remaining"),
            reset_in: reset.zip(date).map(|(reset, date)| until(reset, date)),
            date: date.filter(|_| !headers.contains_key(AGE)),
        }
    }

    /// The service slows us down already, or is about to.
    pub(crate) fn throttling(&self) -> bool {
        self.retry_after.is_some() || self.delayed || self.remaining.is_some_and(|left| left <= 0.0)
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn http_date(value: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::parse(value)
        .ok()
        .map(|zoned| zoned.timestamp())
}

fn until(later: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(later.duration_since(now)).unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&'static str, &str)]) -> Signals {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        Signals::read(&headers)
    }

    #[test]
    fn the_reset_is_measured_by_the_clock_of_the_service() {
        let signals = read(&[
            ("date", "Tue, 15 Nov 1994 08:12:31 GMT"),
            ("x-ratelimit-reset", "784887271"),
            ("x-ratelimit-remaining", "12.5"),
            ("x-ratelimit-limit", "200"),
        ]);
        assert_eq!(signals.reset_in, Some(Duration::from_mins(2)));
        assert_eq!(
            (signals.remaining, signals.limit),
            (Some(12.5), Some(200.0))
        );
        assert!(!signals.throttling());
    }

    #[test]
    fn retry_after_may_be_seconds_or_a_date() {
        assert_eq!(
            read(&[("retry-after", "7")]).retry_after,
            Some(Duration::from_secs(7))
        );
        let dated = read(&[
            ("date", "Tue, 15 Nov 1994 08:12:31 GMT"),
            ("retry-after", "Tue, 15 Nov 1994 08:12:41 GMT"),
        ]);
        assert_eq!(dated.retry_after, Some(Duration::from_secs(10)));
        assert_eq!(read(&[("retry-after", "soon")]).retry_after, None);
        assert_eq!(read(&[("retry-after", "-1")]).retry_after, None);
    }
}
