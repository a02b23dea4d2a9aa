//! A length of time in calendar units, counted back as restic counts.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use model::policy::Within;

/// The instant so long before `newest`, or `None` before the calendar begins. A day that the month does not have runs over into the
/// next one (31 March less a month is 3 March or 2 March).
pub(super) fn before(within: Within, newest: Timestamp) -> Option<Timestamp> {
    let newest = newest.to_zoned(TimeZone::UTC);
    let date = newest.date();
    let month = i32::from(date.year()) * 12 + i32::from(date.month())
        - 1
        - i32::from(within.years) * 12
        - i32::from(within.months);
    let first = Date::new(
        i16::try_from(month.div_euclid(12)).ok()?,
        i8::try_from(month.rem_euclid(12) + 1).ok()?,
        1,
    )
    .ok()?;
    let day = first
        .checked_add((i64::from(date.day()) - 1 - i64::from(within.days)).days())
        .ok()?;
    let at = day
        .to_datetime(newest.time())
        .to_zoned(TimeZone::UTC)
        .ok()?;
    at.timestamp()
        .checked_sub(i64::from(within.hours).hours())
        .ok()
}
