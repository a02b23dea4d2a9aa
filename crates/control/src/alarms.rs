//! What is wrong although nobody started anything: found from facts alone, raised once, cleared when it is over.

mod disk;
mod facts;
mod find;
mod settings;

use std::time::Duration;

use catalog::{AlarmAcknowledgement, AlarmRow};
use jiff::Timestamp;
use model::Alarm;
use tokio_util::sync::CancellationToken;

pub use facts::{Facts, StorageFact};
pub use find::find;
pub use settings::AlarmSettings;

use self::find::next_overdue;
use crate::{Control, Error, Result};

/// Between two looks, at most and at least.
const LOOK: Duration = Duration::from_mins(5);
const SOON: Duration = Duration::from_secs(1);

impl Control {
    /// Looks for alarms until it is canceled.
    pub async fn run_alarms(&self, cancel: &CancellationToken) {
        let looking = async {
            loop {
                let next = self.look().await.map(|(_, next)| next);
                let due = next.unwrap_or_else(|error| {
                    tracing::warn!(%error, "alarms could not be looked for");
                    None
                });
                // The console says that a backup is too old from the moment on that it is.
                let left =
                    due.and_then(|due| Duration::try_from(due.duration_since(self.now())).ok());
                tokio::time::sleep(left.map_or(LOOK, |left| (left + SOON).min(LOOK))).await;
            }
        };
        tokio::select! {
            () = looking => {}
            () = cancel.cancelled() => {}
        }
    }

    /// One look: raises what is wrong, clears what is over. Returns what is raised now.
    pub async fn look_for_alarms(&self) -> Result<Vec<Alarm>> {
        Ok(self.look().await?.0)
    }

    /// The same, with the time at which the next backup becomes overdue.
    async fn look(&self) -> Result<(Vec<Alarm>, Option<Timestamp>)> {
        let settings = self.alarm_settings().await?;
        let now = self.now();
        let facts = self.facts().await?;
        let found = find(&facts, &settings, now);
        let raised = self.catalog.alarms().await?;
        for alarm in &found {
            let key = alarm.key();
            let known = raised.iter().find(|row| row.key == key);
            let anew = known.is_none_or(|row| row.alarm.level < alarm.level);
            if anew {
                let messages = self.about_alarm(alarm, now).await?;
                let since = known.map(|row| row.raised);
                // With other servers on one catalog, the one that raises it tells of it.
                self.catalog
                    .raise_alarm_anew(alarm, since, &messages, now)
                    .await?;
            } else {
                self.catalog.alarm_stays(alarm, now).await?;
            }
        }
        for row in raised {
            if !found.iter().any(|alarm| alarm.key() == row.key) {
                self.catalog.clear_alarm(&row.key).await?;
            }
        }
        Ok((found, next_overdue(&facts, &settings, now)))
    }

    /// Somebody knows of it, and says why it may stay. It is raised again when it gets worse.
    pub async fn acknowledge_alarm(&self, key: &str, by: &str, reason: &str) -> Result<AlarmRow> {
        if reason.trim().is_empty() {
            return Err(Error::Request {
                code: "alarm-unexplained",
                message: "an alarm is acknowledged with a reason".to_owned(),
            });
        }
        let made = AlarmAcknowledgement {
            at: self.now(),
            by: by.to_owned(),
            reason: reason.to_owned(),
        };
        self.catalog.acknowledge_alarm(key, &made).await?;
        Ok(self.catalog.alarm(key).await?)
    }

    pub async fn alarm_settings(&self) -> Result<AlarmSettings> {
        Ok(self.versioned_alarm_settings().await?.0)
    }

    /// The same with their version.
    pub async fn versioned_alarm_settings(&self) -> Result<(AlarmSettings, i64)> {
        let (text, version) = self.catalog.alarm_settings().await?;
        let settings = text.map(|text| AlarmSettings::read(&text)).transpose()?;
        Ok((settings.unwrap_or_default(), version))
    }

    /// Replaces them, if they are still at `version`, and answers the next one; whatever is there without a version. What is
    /// wrong by them, or no longer, is raised and cleared at once.
    pub async fn set_alarm_settings(
        &self,
        settings: &AlarmSettings,
        version: Option<i64>,
    ) -> Result<i64> {
        let text = settings.checked()?;
        let version = self.catalog.set_alarm_settings(&text, version).await?;
        if let Err(error) = self.look_for_alarms().await {
            tracing::warn!(%error, "alarms could not be looked for by their new settings");
        }
        Ok(version)
    }
}
