//! How long snapshots stay: restic's keep rules.

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
    /// In hours, with months of 31 and years of 366 days: at least as long as any calendar makes it.
    fn longest(self) -> u64 {
        let days = u64::from(self.years) * 366 + u64::from(self.months) * 31 + u64::from(self.days);
        days * 24 + u64::from(self.hours)
    }

    /// In hours, with months of 28 and years of 365 days.
    fn shortest(self) -> u64 {
        let days = u64::from(self.years) * 365 + u64::from(self.months) * 28 + u64::from(self.days);
        days * 24 + u64::from(self.hours)
    }

    /// Whether it reaches as far back as the other at any time of the year.
    fn reaches(self, other: Self) -> bool {
        let by_member = self.years >= other.years
            && self.months >= other.months
            && self.days >= other.days
            && self.hours >= other.hours;
        by_member || self.shortest() >= other.longest()
    }

    fn union(self, other: Self) -> Self {
        if self.reaches(other) {
            return self;
        }
        if other.reaches(self) {
            return other;
        }
        Self {
            years: self.years.max(other.years),
            months: self.months.max(other.months),
            days: self.days.max(other.days),
            hours: self.hours.max(other.hours),
        }
    }
}

/// What to keep of each source; a count of 0 keeps nothing by that rule. Rules add up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Keep {
    /// The newest so many snapshots.
    pub last: u32,
    /// The newest snapshot of each of the newest so many hours that have one; the others likewise.
    pub hourly: u32,
    pub daily: u32,
    /// ISO weeks, from Monday.
    pub weekly: u32,
    pub monthly: u32,
    pub yearly: u32,
    /// Everything that is younger than this, counted back from the source's newest snapshot; one that is dated in the future does not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<Within>,
    /// The newest of each hour that is younger than this; the others likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within_hourly: Option<Within>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within_daily: Option<Within>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within_weekly: Option<Within>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within_monthly: Option<Within>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within_yearly: Option<Within>,
    /// Each entry keeps the snapshots that carry all of its tags.
    pub tags: Vec<Vec<String>>,
}

impl Keep {
    /// No rule at all: everything is kept, since forgetting all is never what was meant.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn counts(&self) -> [u32; 6] {
        [
            self.last,
            self.hourly,
            self.daily,
            self.weekly,
            self.monthly,
            self.yearly,
        ]
    }

    fn lengths(&self) -> [Option<Within>; 6] {
        [
            self.within,
            self.within_hourly,
            self.within_daily,
            self.within_weekly,
            self.within_monthly,
            self.within_yearly,
        ]
    }

    /// Whether it surely keeps all that the other keeps. Rules are compared one by one, so that it errs on the side of `false`.
    pub fn covers(&self, other: &Self) -> bool {
        if self.is_empty() {
            return true;
        }
        if other.is_empty() {
            return false;
        }
        let counts = self
            .counts()
            .into_iter()
            .zip(other.counts())
            .all(|(own, other)| own >= other);
        let lengths = self
            .lengths()
            .into_iter()
            .zip(other.lengths())
            .all(|(own, other)| own.unwrap_or_default().reaches(other.unwrap_or_default()));
        counts && lengths && other.tags.iter().all(|tags| self.tags.contains(tags))
    }

    /// Rules that keep what either keeps.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        if self.is_empty() || other.is_empty() {
            return Self::default();
        }
        let length = |own: Option<Within>, other: Option<Within>| match (own, other) {
            (Some(own), Some(other)) => Some(own.union(other)),
            (own, other) => own.or(other),
        };
        let mut tags = self.tags.clone();
        tags.extend(
            other
                .tags
                .iter()
                .filter(|entry| !self.tags.contains(entry))
                .cloned(),
        );
        Self {
            last: self.last.max(other.last),
            hourly: self.hourly.max(other.hourly),
            daily: self.daily.max(other.daily),
            weekly: self.weekly.max(other.weekly),
            monthly: self.monthly.max(other.monthly),
            yearly: self.yearly.max(other.yearly),
            within: length(self.within, other.within),
            within_hourly: length(self.within_hourly, other.within_hourly),
            within_daily: length(self.within_daily, other.within_daily),
            within_weekly: length(self.within_weekly, other.within_weekly),
            within_monthly: length(self.within_monthly, other.within_monthly),
            within_yearly: length(self.within_yearly, other.within_yearly),
            tags,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keeps() -> impl Strategy<Value = Keep> {
        let within = proptest::option::of((0_u16..3, 0_u16..14, 0_u16..40, 0_u16..30).prop_map(
            |(years, months, days, hours)| Within {
                years,
                months,
                days,
                hours,
            },
        ));
        (0_u32..4, 0_u32..4, 0_u32..4, within).prop_map(|(last, daily, weekly, within)| Keep {
            last,
            daily,
            weekly,
            within,
            ..Keep::default()
        })
    }

    proptest! {
        #[test]
        fn a_union_covers_both(one in keeps(), other in keeps()) {
            let both = one.union(&other);
            prop_assert!(both.covers(&one), "{both:?} {one:?}");
            prop_assert!(both.covers(&other), "{both:?} {other:?}");
        }

        #[test]
        fn a_smaller_count_is_shorter(keep in keeps()) {
            prop_assume!(keep.daily > 0);
            let less = Keep { daily: keep.daily - 1, ..keep.clone() };
            prop_assert!(less.is_empty() || !less.covers(&keep));
            prop_assert!(less.is_empty() || keep.covers(&less));
        }
    }

    #[test]
    fn no_rule_keeps_everything() {
        let some = Keep {
            last: 1,
            ..Keep::default()
        };
        assert!(Keep::default().covers(&some));
        assert!(!some.covers(&Keep::default()));
    }
}
