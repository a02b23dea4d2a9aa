//! When stored packs are looked after: made one, or fetched anew as a whole and compared.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The part that remembers it.
pub(super) const RECORD: &str = "upkeep.json";

/// A whole fetch that failed is tried again after these days: a large repository may fail at it every time.
const RETRY_DAYS: i64 = 7;
/// Whole fetches of repositories that were first backed up together fall on the days of a week.
const SPREAD_DAYS: i64 = 7;

/// What is allowed to pile up before packs are looked after.
#[derive(Clone, Copy, Debug)]
pub struct Upkeep {
    /// More packs than these are made one, without a request.
    pub most_packs: usize,
    /// The same when more than this share, in percent, of the stored bytes is reached by no ref.
    pub most_waste: u64,
    /// Of packs that are smaller together nothing is worth looking for, in bytes.
    pub least_bytes: u64,
    /// That share is known by reading all packs: not more often than this.
    pub measure_days: i64,
    /// At the latest after these days everything is fetched without building on what is stored, and compared with it.
    pub whole_days: i64,
}

impl Upkeep {
    pub const USUAL: Self = Self {
        most_packs: 200,
        most_waste: 50,
        least_bytes: 1 << 20,
        measure_days: 7,
        whole_days: 90,
    };

    pub(super) fn is_whole_due(&self, record: &Record, id: &str, now: Timestamp) -> bool {
        let spread = id.bytes().map(i64::from).sum::<i64>() % SPREAD_DAYS;
        is_past(record.whole, self.whole_days - spread, now)
            && is_past(record.failed, RETRY_DAYS, now)
    }

    pub(super) fn is_measure_due(&self, record: &Record, now: Timestamp) -> bool {
        is_past(record.measured, self.measure_days, now)
    }
}

fn is_past(last: Option<Timestamp>, days: i64, now: Timestamp) -> bool {
    // A time in the future is that of a wrong clock.
    !last.is_some_and(|last| {
        (0..24 * days).contains(&now.duration_since(last).as_hours()) && last <= now
    })
}

/// When packs were looked after.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record {
    /// Everything was fetched without building on what was stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) whole: Option<Timestamp>,
    /// That was due, and failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) failed: Option<Timestamp>,
    /// It was counted what refs reach.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) measured: Option<Timestamp>,
}

impl Record {
    pub(super) fn read(part: &[u8]) -> Result<Self> {
        serde_json::from_slice(part).map_err(|error| {
            Error::storage(format!("the stored {RECORD} cannot be read")).caused_by(error)
        })
    }

    pub(super) fn render(&self) -> Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec(self).map_err(|error| {
            Error::storage(format!("{RECORD} cannot be written")).caused_by(error)
        })?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(day: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(24 * day)
    }

    #[test]
    fn a_whole_fetch_is_due_within_90_days_and_not_for_all_on_one_day() {
        let record = Record {
            whole: Some(on(0)),
            ..Record::default()
        };
        let first_days: std::collections::BTreeSet<i64> = (0..50)
            .map(|number| {
                let id = format!("repository-{number}");
                (0..1000)
                    .find(|day| Upkeep::USUAL.is_whole_due(&record, &id, on(*day)))
                    .unwrap()
            })
            .collect();
        assert_eq!(first_days, (84..=90).collect());
        assert!(Upkeep::USUAL.is_whole_due(&Record::default(), "a", on(0)));
    }

    #[test]
    fn a_whole_fetch_that_failed_is_tried_again_a_week_later() {
        let record = Record {
            whole: Some(on(0)),
            failed: Some(on(100)),
            measured: None,
        };
        assert!(!Upkeep::USUAL.is_whole_due(&record, "a", on(106)));
        assert!(Upkeep::USUAL.is_whole_due(&record, "a", on(107)));
    }

    #[test]
    fn a_time_in_the_future_is_that_of_a_wrong_clock() {
        let record = Record {
            whole: Some(on(400)),
            ..Record::default()
        };
        assert!(Upkeep::USUAL.is_whole_due(&record, "a", on(0)));
    }

    #[test]
    fn the_record_comes_back_as_it_was_written() {
        let record = Record {
            whole: Some(on(3)),
            failed: None,
            measured: Some(on(4)),
        };
        assert_eq!(Record::read(&record.render().unwrap()).unwrap(), record);
        assert!(Record::read(b"nonsense").is_err());
    }
}
