//! What is new at the services: projects, repositories and users that appear, and which of them are protected.

use std::collections::BTreeSet;

use catalog::{Page, SyncRow};
use jiff::Timestamp;
use model::connector::SyncTime;
use model::directory::EntryKind;
use model::policy::{Choice, Pick, Schedule, Selection, When};
use model::{Connector, Picks};

use super::Remembered;
use crate::{Control, Result};

/// Entries that are read from the catalog at once.
const AT_ONCE: u32 = 1000;

/// The connector's own settings as a schedule.
fn schedule(connector: &Connector) -> Schedule {
    let (when, time_zone) = match &connector.sync.when {
        SyncTime::Hours { hours, time_zone } => {
            let at = hours.iter().map(|hour| format!("{hour:02}:00")).collect();
            let days = BTreeSet::new();
            (When::Hours { at, days }, time_zone.clone())
        }
        SyncTime::Interval { minutes } => {
            let minutes = *minutes;
            (When::Interval { minutes }, "UTC".to_owned())
        }
    };
    Schedule {
        when,
        time_zone,
        jitter_minutes: 0,
        ..Schedule::default()
    }
}

impl Control {
    /// Lists what there is at the service; the new ones by kind. An error leaves what is known as it was.
    pub async fn find_new(&self, connector: &Connector) -> Result<Vec<(String, Vec<String>)>> {
        let service = self.service(&connector.service)?;
        let client = self.client(connector, None).await?;
        let mut new = Vec::new();
        for kind in service.kinds {
            let name = kind.spec().name;
            let Some(items) = kind.list(&client).await? else {
                continue;
            };
            let ids = self
                .catalog
                .store_found(
                    &connector.name,
                    name,
                    &items,
                    connector.sync.add_new,
                    self.now(),
                )
                .await?;
            new.push((name.to_owned(), ids));
        }
        if let Some(directory) = service.preflight.directory() {
            self.list_directory(connector, directory, &client).await?;
        }
        Ok(new)
    }

    /// Does the syncs of all connectors that are due, and notes when they were. One that fails is noted with its error and does not
    /// keep others from theirs.
    pub async fn find_new_due(&self, remembered: &mut Remembered) -> Result<Vec<String>> {
        let now = self.now();
        let mut done = Vec::new();
        for connector in self.catalog.connectors().await? {
            let what = format!("sync of {}", connector.name.to_lowercase());
            let before = self.catalog.sync_row(&connector.name).await?;
            let handled = match &before {
                None => now,
                Some(row) => {
                    let own = schedule(&connector);
                    let asked = remembered.due(&what, (&own, &connector.name), row.handled, now);
                    let Some(handled) = asked.handled else {
                        continue;
                    };
                    if asked.fire.is_empty() {
                        // Only how far it is is put right.
                        let row = SyncRow {
                            handled,
                            ..row.clone()
                        };
                        self.catalog.set_sync_row(&connector.name, &row).await?;
                        remembered.wrote(what, handled);
                        continue;
                    }
                    handled
                }
            };
            let synced = before.and_then(|row| row.synced);
            let row = self.sync_connector(&connector, handled, synced).await;
            self.catalog.set_sync_row(&connector.name, &row).await?;
            remembered.wrote(what, handled);
            done.push(connector.name);
        }
        Ok(done)
    }

    async fn sync_connector(
        &self,
        connector: &Connector,
        handled: Timestamp,
        before: Option<Timestamp>,
    ) -> SyncRow {
        let result = self.find_new(connector).await;
        let error = result.as_ref().err().map(ToString::to_string);
        if let Some(error) = &error {
            tracing::warn!(connector = connector.name, error, "the sync failed");
        }
        SyncRow {
            handled,
            synced: if error.is_none() {
                Some(self.now())
            } else {
                before
            },
            error,
        }
    }

    /// A policy's selection as a run needs it: new items are in it or not, as the connector and the policy say.
    pub async fn picks(&self, connector: &Connector, selection: &Selection) -> Result<Picks> {
        let service = self.service(&connector.service)?;
        let mut picks = Picks::default();
        let mut listed = false;
        for kind in service.kinds {
            let name = kind.spec().name;
            let usual = Choice::default();
            let choice = selection.items.get(name).unwrap_or(&usual);
            let entries = service.preflight.directory().and_then(|_| {
                EntryKind::ALL
                    .into_iter()
                    .find(|entry| entry.name() == name)
            });
            // Whether new entries of a directory are protected by themselves is a matter of licensing; their entries are backed up anyway.
            let closed = match entries {
                Some(_) => !choice.new,
                None => kind.is_listed() && !(connector.sync.add_new && choice.new),
            };
            let mut known = None;
            if closed {
                if !listed && self.catalog.sync_row(&connector.name).await?.is_none() {
                    self.find_new(connector).await?;
                    let now = self.now();
                    let row = SyncRow {
                        handled: now,
                        synced: Some(now),
                        error: None,
                    };
                    self.catalog.set_sync_row(&connector.name, &row).await?;
                }
                listed = true;
                known = Some(match entries {
                    Some(entries) => self.known_entries(connector, entries, choice).await?,
                    None => self.known_items(connector, name, choice).await?,
                });
            }
            let pick = Pick {
                include: choice.include.clone(),
                exclude: choice.exclude.clone(),
                known,
            };
            if !pick.is_all() {
                picks.0.insert(name.to_owned(), pick);
            }
        }
        Ok(picks)
    }

    /// The entries of a directory that were there when new ones were shut out.
    async fn known_entries(
        &self,
        connector: &Connector,
        kind: EntryKind,
        choice: &Choice,
    ) -> Result<BTreeSet<String>> {
        let closed = choice.closed.unwrap_or_else(|| self.now());
        let ids = self.catalog.directory_ids(&connector.name, kind, closed);
        let ids = ids.await?.into_iter();
        Ok(ids.map(|id| id.to_lowercase()).collect())
    }

    async fn known_items(
        &self,
        connector: &Connector,
        kind: &str,
        choice: &Choice,
    ) -> Result<BTreeSet<String>> {
        let mut known = BTreeSet::new();
        let mut page = Some(Page::first(AT_ONCE));
        while let Some(this) = page {
            let found = self
                .catalog
                .found(&connector.name, Some(kind), &this)
                .await?;
            page = this.following(&found);
            let kept = found.items.into_iter().filter(|item| {
                let by_connector = connector.sync.add_new || item.added;
                let by_policy =
                    choice.new || choice.closed.is_none_or(|closed| item.first_seen <= closed);
                by_connector && by_policy
            });
            known.extend(kept.map(|item| item.id));
        }
        Ok(known)
    }
}
