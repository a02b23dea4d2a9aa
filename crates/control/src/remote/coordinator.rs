//! The engine's `Coordinator` at a worker elsewhere: all of it is said to the server.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use engine::coordinator::{Beat, Coordinator, Pace, Rows, SnapshotInfo};
use jiff::{SignedDuration, Timestamp};
use model::{Clock, Event, Reporter, Resumed, Secret};
use serde::de::DeserializeOwned;
use service::http::{Auth, Lender, segment};

use super::{Access, Beaten, JobCall, Left, Line, ROWS, Say, TEXT};
use crate::{Error, Result};

/// A server that is away for longer has given the job to another worker by now.
const PATIENCE: SignedDuration = SignedDuration::from_secs(45);
/// A token that ends so soon is not used any more.
const EARLY: SignedDuration = SignedDuration::from_mins(2);

/// One job, seen from its worker.
pub(super) struct Far {
    pub(super) line: Line,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) job: String,
    pub(super) token: i64,
    /// When the server was heard last.
    pub(super) heard: Mutex<Timestamp>,
    pub(super) lent: tokio::sync::Mutex<Option<(Secret, Timestamp)>>,
}

fn failed(error: Error) -> engine::Error {
    match error {
        Error::Engine(error) => error,
        other => engine::Error::Control {
            code: match &other {
                Error::Request { code, .. } => code,
                _ => "server-unreachable",
            },
            message: other.to_string(),
        },
    }
}

impl Far {
    fn path(&self) -> String {
        format!("api/v1/worker/jobs/{}", segment(&self.job))
    }

    fn call(&self, say: Say) -> JobCall {
        JobCall {
            token: self.token,
            say,
        }
    }

    pub(super) async fn say<T: DeserializeOwned>(&self, say: Say) -> Result<Option<T>> {
        self.line.say(&self.path(), &self.call(say)).await
    }

    async fn tell(&self, say: Say) -> engine::Result<()> {
        let told: Option<serde_json::Value> = self.say(say).await.map_err(failed)?;
        drop(told);
        Ok(())
    }

    async fn ask<T: DeserializeOwned>(&self, say: Say) -> Result<T> {
        self.say(say).await?.ok_or_else(|| Error::Request {
            code: "server-error",
            message: "the server's answer is empty".to_owned(),
        })
    }

    /// How to prove oneself to the service; asked for anew each time.
    async fn access(&self) -> Result<Access> {
        self.ask(Say::Access).await
    }

    /// How the client of a job proves itself: what ends in minutes is lent from the server as often as it is needed.
    pub(super) async fn auth(self: &Arc<Self>) -> Result<Auth> {
        Ok(match self.access().await? {
            Access::Basic { user, secret } if user.is_empty() => {
                Auth::Pat(Secret::new(secret.0.as_str()))
            }
            Access::Basic { user, secret } => Auth::Basic {
                user,
                secret: Secret::new(secret.0.as_str()),
            },
            Access::Bearer { .. } => Auth::Lent(Arc::<Self>::clone(self)),
        })
    }
}

#[async_trait]
impl Lender for Far {
    async fn lend(&self) -> service::Result<(Secret, Timestamp)> {
        let mut lent = self.lent.lock().await;
        if let Some((secret, expires)) = &*lent
            && self.clock.now() + EARLY < *expires
        {
            return Ok((secret.clone(), *expires));
        }
        match self.access().await {
            Ok(Access::Bearer { token, expires }) => {
                let secret = Secret::new(token.0.as_str());
                *lent = Some((secret.clone(), expires));
                Ok((secret, expires))
            }
            Ok(Access::Basic { .. }) => Err(service::Error::new(
                model::Class::Credential,
                "credential-refused",
                "the connector has another credential than when the job began",
            )),
            Err(error) => Err(service::Error::new(
                model::Class::Transient,
                "server-unreachable",
                format!("no access to the service was given: {error}"),
            )),
        }
    }
}

#[async_trait]
impl Coordinator for Far {
    fn pace(&self) -> Option<Pace> {
        Some(Pace::default())
    }

    async fn left(&self) -> engine::Result<Option<String>> {
        let left: Left = self.ask(Say::Left).await.map_err(failed)?;
        Ok(left.checkpoint)
    }

    async fn resumed(&self, from: &Resumed) -> engine::Result<()> {
        self.tell(Say::Resumed { from: from.clone() }).await
    }

    async fn checkpoint(&self, text: Option<&str>) -> engine::Result<()> {
        let text = text.map(str::to_owned);
        self.tell(Say::Checkpoint { text }).await
    }

    async fn beat(&self) -> engine::Result<Beat> {
        let (path, call) = (self.path(), self.call(Say::Beat));
        let beaten = self.line.once::<Beaten>(&path, &call).await;
        let now = self.clock.now();
        match beaten {
            Ok(beaten) => {
                *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = now;
                Ok(Beat {
                    cancel: beaten.is_some_and(|beaten| beaten.cancel),
                })
            }
            Err(error) if error.code() == Some("server-unreachable") => {
                let heard = *self.heard.lock().unwrap_or_else(PoisonError::into_inner);
                if now.duration_since(heard) > PATIENCE {
                    return Err(failed(error));
                }
                Ok(Beat { cancel: false })
            }
            Err(error) => Err(failed(error)),
        }
    }

    async fn permit_commit(&self) -> engine::Result<()> {
        self.tell(Say::Permit).await
    }

    async fn index(&self, snapshot: &SnapshotInfo, rows: &mut dyn Rows) -> engine::Result<()> {
        let mut pages = 0;
        let mut page = Vec::with_capacity(ROWS);
        let mut text = 0;
        while let Some(row) = rows.next().await? {
            text += row.text.len();
            page.push(row);
            if page.len() == ROWS || text >= TEXT {
                text = 0;
                let rows = std::mem::replace(&mut page, Vec::with_capacity(ROWS));
                self.tell(Say::Rows { page: pages, rows }).await?;
                pages += 1;
            }
        }
        if !page.is_empty() {
            self.tell(Say::Rows {
                page: pages,
                rows: page,
            })
            .await?;
            pages += 1;
        }
        let snapshot = Box::new(snapshot.clone());
        self.tell(Say::Index { pages, snapshot }).await
    }
}

/// Keeps the newest event until the next sending takes it.
#[derive(Default)]
pub(super) struct Newest(Mutex<Option<Event>>);

impl Newest {
    pub(super) fn take(&self) -> Option<Event> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Reporter for Newest {
    fn report(&self, event: Event) {
        let mut newest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A wait is what a person wants to know of; progress follows anyway.
        if !matches!(*newest, Some(Event::Waiting { .. })) {
            *newest = Some(event);
        }
    }
}
