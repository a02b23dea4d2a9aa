//! Tells people what happened: from what ended and what is wrong to an outbox, and from there to channels.
//!
//! An event gets into the outbox once for each channel, in the transaction that notes that it was told. From there it is sent at
//! least once, always under the same id, so that a receiver can drop what it has seen.

mod channels;
mod format;
mod message;
mod send;

use std::time::Duration;

use catalog::{NewMessage, OutboxRow};
use futures::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use model::{Alarm, Channel, Occasion, Outcome, Run, RunKind};
use service::egress::Egress;
use tokio_util::sync::CancellationToken;

pub use channels::ChannelChange;
pub use message::Message;

use crate::{Control, Result};
use send::{Sender, Undelivered};

/// Between two looks at the outbox.
const LOOK: Duration = Duration::from_secs(5);
/// Nobody else tries a message while one process does.
const CLAIM: SignedDuration = SignedDuration::from_mins(5);
const AT_ONCE: usize = 4;
const BATCH: u32 = 100;
/// How long after each failed attempt the next one comes; there is none after the last.
const AGAIN: [SignedDuration; 8] = [
    SignedDuration::from_secs(30),
    SignedDuration::from_mins(2),
    SignedDuration::from_mins(10),
    SignedDuration::from_mins(30),
    SignedDuration::from_hours(1),
    SignedDuration::from_hours(3),
    SignedDuration::from_hours(6),
    SignedDuration::from_hours(12),
];
/// What goes on failing is told so often.
const STILL: SignedDuration = SignedDuration::from_hours(24);
/// How long it can be seen what was sent.
const REMEMBER: SignedDuration = SignedDuration::from_hours(30 * 24);

impl Control {
    /// Sends what there is to tell until it is canceled. Any number of servers may do so at once.
    pub async fn run_notifier(&self, egress: &Egress, cancel: &CancellationToken) {
        loop {
            if let Err(error) = self.notify(egress).await {
                tracing::warn!(%error, "notifications could not be sent; they wait");
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = cancel.cancelled() => return,
            }
        }
    }

    /// One round: takes up what ended, and tries every message whose time has come. Returns how many were sent.
    pub async fn notify(&self, egress: &Egress) -> Result<u64> {
        self.tell_runs().await?;
        let mut sent = 0;
        loop {
            let due = self.catalog.due_messages(self.now(), BATCH).await?;
            if due.is_empty() {
                break;
            }
            let last = due.len() < BATCH as usize;
            let sender = Sender::new(egress)?;
            let mut attempts = stream::iter(due)
                .map(|row| self.attempt(&sender, row))
                .buffer_unordered(AT_ONCE);
            while let Some(done) = attempts.next().await {
                sent += u64::from(done?);
            }
            drop(attempts);
            if last {
                break;
            }
        }
        let old = self.now().checked_sub(REMEMBER).unwrap_or(Timestamp::MIN);
        self.catalog.clean_outbox(old).await?;
        Ok(sent)
    }

    async fn tell_runs(&self) -> Result<()> {
        let ended = self.catalog.untold_runs(BATCH).await?;
        if ended.is_empty() {
            return Ok(());
        }
        let channels = self.all_channels().await?;
        for run in ended {
            let messages = match occasion(&run) {
                Some(occasion) => self.about_run(&run, occasion, &channels).await?,
                None => Vec::new(),
            };
            self.catalog
                .tell_run(&run.id, &messages, self.now())
                .await?;
        }
        Ok(())
    }

    /// What is told of a run that ended: nothing of issues that a person has acknowledged, and of a run that has no others, as of one
    /// without any.
    async fn about_run(
        &self,
        run: &Run,
        occasion: Occasion,
        channels: &[Channel],
    ) -> Result<Vec<NewMessage>> {
        let open = self
            .catalog
            .open_issues(&run.id, self.now(), message::ISSUES);
        let issues = open.await?;
        let first = catalog::Page::first(1);
        let known =
            issues.is_empty() && !self.catalog.issues(&run.id, &first).await?.items.is_empty();
        let occasion = match occasion {
            Occasion::Warning if known => Occasion::Success,
            other => other,
        };
        let connector = Some(run.connector.as_str()).filter(|name| !name.is_empty());
        let telling: Vec<_> = channels
            .iter()
            .filter(|channel| channel.tells(occasion, connector))
            .collect();
        let (telling, before) = self.dampened(run, occasion, telling).await?;
        if telling.is_empty() {
            return Ok(Vec::new());
        }
        let message = Message::of_run(run, occasion, &issues, before);
        self.addressed(&message, &format!("run/{}", run.id), telling)
    }

    /// The channels that are to be told, and how often the same failed before it: of what fails again and again, the first failure is told,
    /// and then one a day until it is good; of issues that were told already, likewise. What a person restores is told each time.
    async fn dampened<'a>(
        &self,
        run: &Run,
        occasion: Occasion,
        mut telling: Vec<&'a Channel>,
    ) -> Result<(Vec<&'a Channel>, u64)> {
        if run.kind == RunKind::Restore || telling.is_empty() {
            return Ok((telling, 0));
        }
        let since = self.now().checked_sub(STILL).unwrap_or(Timestamp::MIN);
        let (told, before) = match occasion {
            Occasion::Failure => match self.catalog.failed_before(run).await? {
                0 => (Vec::new(), 0),
                before => (self.catalog.told_of_failures(run, since).await?, before),
            },
            Occasion::Warning => (self.catalog.told_of_issues(run, since).await?, 0),
            _ => (Vec::new(), 0),
        };
        telling.retain(|channel| !told.contains(&channel.name.to_lowercase()));
        Ok((telling, before))
    }

    async fn all_channels(&self) -> Result<Vec<Channel>> {
        let rows = self.catalog.channels().await?.into_iter();
        Ok(rows.map(|row| row.channel).collect())
    }

    /// What is told of an alarm that is just raised.
    pub(crate) async fn about_alarm(
        &self,
        alarm: &Alarm,
        raised: Timestamp,
    ) -> Result<Vec<NewMessage>> {
        let channels = self.all_channels().await?;
        let telling = channels
            .iter()
            .filter(|channel| channel.tells(Occasion::Alarm, alarm.connector.as_deref()));
        let message = Message::of_alarm(alarm, raised);
        let event = format!("alarm/{}/{}", alarm.key(), raised.as_microsecond());
        self.addressed(&message, &event, telling)
    }

    fn addressed<'a>(
        &self,
        message: &Message,
        event: &str,
        channels: impl IntoIterator<Item = &'a Channel>,
    ) -> Result<Vec<NewMessage>> {
        let body = message.to_json()?;
        let messages = channels.into_iter().map(|channel| NewMessage {
            id: self.new_id(),
            channel: channel.name.clone(),
            event: event.to_owned(),
            body: body.clone(),
        });
        Ok(messages.collect())
    }

    /// Whether the message was sent now.
    async fn attempt(&self, sender: &Sender, row: OutboxRow) -> Result<bool> {
        let now = self.now();
        let until = now.checked_add(CLAIM).unwrap_or(Timestamp::MAX);
        if !self.catalog.claim_message(&row, until).await? {
            return Ok(false);
        }
        let sent = self.deliver(sender, &row).await;
        let now = self.now();
        let failed = match sent {
            Ok(()) => {
                self.catalog.message_sent(&row.id, now).await?;
                return Ok(true);
            }
            Err(failed) => failed,
        };
        tracing::warn!(
            channel = row.channel,
            message = row.id,
            error = failed.why,
            "a notification was not delivered"
        );
        let pause = AGAIN.get(usize::try_from(row.attempts).unwrap_or(usize::MAX));
        let due = pause
            .filter(|_| failed.again)
            .and_then(|pause| now.checked_add(*pause).ok());
        self.catalog
            .message_failed(&row.id, &failed.why, due, now)
            .await?;
        Ok(false)
    }

    async fn deliver(&self, sender: &Sender, row: &OutboxRow) -> Result<(), Undelivered> {
        let known = async {
            let channel = self.catalog.channel(&row.channel).await?.channel;
            let secret = self.channel_secret(&channel.name).await?;
            Ok::<_, crate::Error>((channel, secret, Message::from_json(&row.body)?))
        };
        let (channel, secret, message) = known.await.map_err(|error| Undelivered {
            why: error.to_string(),
            again: true,
        })?;
        sender
            .send(&channel.to, secret.as_ref(), &row.id, &message, self.now())
            .await
    }
}

/// What channels call the way a run ended; somebody who canceled it knows.
fn occasion(run: &Run) -> Option<Occasion> {
    // Whoever asked for a plan looks at it.
    if run.kind == RunKind::Plan {
        return None;
    }
    match Outcome::of(run.state)? {
        Outcome::Success => Some(Occasion::Success),
        Outcome::Warning => Some(Occasion::Warning),
        Outcome::Failure => Some(Occasion::Failure),
        Outcome::Canceled => None,
    }
}
