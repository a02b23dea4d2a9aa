//! A length of time in calendar units, counted back as restic counts.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

/// A length of time; all zero is none at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Within {
    pub years: u16,
    pub months: u16,
    pub days: u16,
    pub hours: u16,
}

impl Within {
    /// The instant so long before `newest`, or `None` before the calendar begins. A day that the month does not have runs over into the
    /// next one (31 March less a month is 3 March or 2 March).
    pub(super) fn before(self, newest: Timestamp) -> Option<Timestamp> {
        let newest = newest.to_zoned(TimeZone::UTC);
        let date = newest.date();
        let month = i32::from(date.year()) * 12 + i32::from(date.month())
            - 1
            - i32::from(self.years) * 12
            - i32::from(self.months);
        let first = Date::new(
            i16::try_from(month.div_euclid(12)).ok()?,
            i8::try_from(month.rem_euclid(12) + 1).ok()?,
            1,
        )
        .ok()?;
        let day = first
            .checked_add((i64::from(date.day()) - 1 - i64::from(self.days)).days())
            .ok()?;
        let at = day
            .to_datetime(newest.time())
            .to_zoned(TimeZone::UTC)
            .ok()?;
        at.timestamp()
            .checked_sub(i64::from(self.hours).hours())
            .ok()
    }
}
