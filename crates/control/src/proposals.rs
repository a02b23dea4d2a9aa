//! Four eyes: what removes backups waits for another person.

use catalog::{AuditFilter, NewAudit, Page, Requester};
use jiff::{SignedDuration, Timestamp};
use model::{Proposal, ProposalKind, ProposalState};
use repository::SnapshotId;

use crate::{Control, Error, Result};

/// A proposal that nobody decides in this time is void.
const OPEN: SignedDuration = SignedDuration::from_hours(24);

/// An account that somebody else made or changed while four eyes was on approves nothing that is asked for within this time.
const SETTLED: SignedDuration = SignedDuration::from_hours(7 * 24);

fn changed(message: &str) -> Error {
    Error::Request {
        code: "repository-refused",
        message: message.to_owned(),
    }
}

impl Control {
    /// Whether another person has to approve what removes backups: forgets snapshots, shortens retention, or switches this off.
    pub async fn four_eyes(&self) -> Result<bool> {
        Ok(self.catalog.four_eyes().await?)
    }

    /// Writes down what would be done. Who asks for the same twice has two proposals.
    pub async fn propose(&self, requester: &Requester, kind: &ProposalKind) -> Result<Proposal> {
        let now = self.now();
        let id = self.new_id();
        let proposal = self
            .catalog
            .add_proposal(&id, kind, requester, now, now + OPEN);
        Ok(proposal.await?)
    }

    /// Approves a proposal and carries it out, once. `seen` is the hash of what the approver was shown. An error in carrying it out is the
    /// proposal's result, and it is not tried again.
    pub async fn approve(&self, id: &str, by: &Requester, seen: &str) -> Result<Proposal> {
        self.other_person(id, by).await?;
        self.not_made_for_this(id, by).await?;
        let now = self.now();
        let executing = ProposalState::Executing;
        let proposal = self
            .catalog
            .decide_proposal(id, executing, Some(seen), &by.name, now, None)
            .await?;
        let (state, result) = match self.carry_out(&proposal.kind).await {
            Ok(()) => (ProposalState::Done, None),
            Err(error) => {
                tracing::warn!(%error, proposal = id, "an approved proposal failed");
                (ProposalState::Failed, Some(error.to_string()))
            }
        };
        self.catalog
            .end_proposal(id, state, result.as_deref())
            .await?;
        Ok(self.catalog.proposal(id, self.now()).await?)
    }

    /// Says no, with a reason for who asked.
    pub async fn reject(&self, id: &str, by: &Requester, reason: Option<&str>) -> Result<Proposal> {
        self.other_person(id, by).await?;
        let rejected = ProposalState::Rejected;
        let decided =
            self.catalog
                .decide_proposal(id, rejected, None, &by.name, self.now(), reason);
        Ok(decided.await?)
    }

    /// Takes back what one asked for oneself.
    pub async fn withdraw(&self, id: &str, by: &Requester) -> Result<Proposal> {
        let proposal = self.catalog.proposal(id, self.now()).await?;
        if proposal.requester != by.person {
            return Err(Error::Request {
                code: "proposal-of-others",
                message: format!("proposal {id} was asked for by {}", proposal.requester_name),
            });
        }
        let withdrawn = ProposalState::Withdrawn;
        let decided = self
            .catalog
            .decide_proposal(id, withdrawn, None, &by.name, self.now(), None);
        Ok(decided.await?)
    }

    /// A person decides, and not the one who asked, under whatever name or token.
    async fn other_person(&self, id: &str, by: &Requester) -> Result<()> {
        let proposal = self.catalog.proposal(id, self.now()).await?;
        if by.person.is_some() && by.person != proposal.requester {
            return Ok(());
        }
        Err(Error::Request {
            code: "proposal-own",
            message: format!("proposal {id} has to be decided by a person who did not ask for it"),
        })
    }

    /// An administrator could make a second account, or take one over by a new password, and approve with it what they ask for themselves. The
    /// machine's own administrator is not held up: they can switch four eyes off.
    async fn not_made_for_this(&self, id: &str, by: &Requester) -> Result<()> {
        let proposal = self.catalog.proposal(id, self.now()).await?;
        let Some(person) = &by.person else {
            return Ok(());
        };
        let person = self.catalog.person_by_id(person).await?;
        let since = proposal.created - SETTLED;
        let since = self.four_eyes_since().await?.max(Some(since));
        let filter = AuditFilter {
            action: Some("person".to_owned()),
            subject: Some(format!("person/{}", person.name)),
            since,
            ..AuditFilter::default()
        };
        let tokens = format!("{}/", person.name);
        let counts = |event: &NewAudit| {
            let own = match event.kind.as_str() {
                "local-administrator" => true,
                "person" => event.actor == person.name && event.action != "person.add",
                "token" => event.actor.starts_with(&tokens),
                _ => false,
            };
            event.time >= proposal.created || !own
        };
        let mut page = Some(Page::first(100));
        while let Some(at) = page {
            let changes = self.catalog.audit(&filter, &at).await?;
            if changes.items.iter().any(|row| counts(&row.event)) {
                return Err(Error::Request {
                    code: "approver-changed",
                    message: format!(
                        "somebody made or changed the account {} less than seven days before proposal {id}, or after it",
                        person.name
                    ),
                });
            }
            page = at.following(&changes);
        }
        Ok(())
    }

    /// When four eyes was switched on, if the audit log still tells.
    async fn four_eyes_since(&self) -> Result<Option<Timestamp>> {
        let switched = AuditFilter {
            action: Some("setting.four-eyes".to_owned()),
            outcome: Some("done".to_owned()),
            ..AuditFilter::default()
        };
        let switched = self.catalog.audit(&switched, &Page::first(1)).await?;
        Ok(switched.items.first().map(|row| row.event.time))
    }

    /// Carrying out takes minutes at most: what takes longer was killed.
    pub(crate) async fn interrupt_proposals(&self) -> Result<()> {
        let before = self.now() - SignedDuration::from_hours(1);
        self.catalog.interrupt_proposals(before).await?;
        Ok(())
    }

    async fn carry_out(&self, kind: &ProposalKind) -> Result<()> {
        match kind {
            ProposalKind::ForgetSnapshots {
                repository,
                snapshots,
            } => self.forget_snapshots(repository, snapshots).await,
            ProposalKind::ShortenRetention {
                policy,
                version,
                old,
                new,
            } => {
                let (catalog, now) = (&self.catalog, self.now());
                match (old, new) {
                    (None, None) => {}
                    (None, Some(new)) => catalog.add_policy(new, now).await?,
                    (Some(_), Some(new)) => {
                        catalog.replace_policy(policy, *version, new, now).await?;
                    }
                    (Some(_), None) => {
                        let catalog = catalog.judging().await?;
                        if catalog.policy(policy).await?.version != *version {
                            let name = policy.clone();
                            return Err(catalog::Error::PolicyChanged { name }.into());
                        }
                        catalog.remove_policy(policy).await?;
                    }
                }
                Ok(())
            }
            ProposalKind::MoveDefaultRepository { repository, before } => {
                let catalog = self.catalog.judging().await?;
                let now = catalog.default_repository().await?;
                if now.map(|row| row.name) != *before {
                    return Err(changed(
                        "another repository became the default one meanwhile",
                    ));
                }
                Ok(catalog.set_default_repository(repository).await?)
            }
            ProposalKind::RemoveRepository { repository, id } => {
                if self.catalog.repository(repository).await?.id != *id {
                    return Err(changed("another repository has this name by now"));
                }
                self.remove_repository(repository).await
            }
            ProposalKind::SwitchOffFourEyes => Ok(self.catalog.set_four_eyes(false).await?),
        }
    }

    /// Forgets snapshots by their full ids, all or none of them, in the repository and then in the catalog. Frees no space. Ask
    /// [`Control::four_eyes`] first.
    pub async fn forget_snapshots(&self, repository: &str, snapshots: &[String]) -> Result<()> {
        let row = self.catalog.repository(repository).await?;
        let repository = self.open_repository(&row).await?;
        let ids = snapshots.iter().map(|id| {
            let parsed = id.parse::<SnapshotId>();
            parsed.map_err(|_| repository::Error::SnapshotUnknown(id.clone()))
        });
        let ids = ids.collect::<Result<Vec<_>, _>>()?;
        let forgotten = self.forget_these(&repository, &ids).await;
        repository.close().await;
        forgotten
    }
}
