//! Proposals: each is decided once and carried out at most once.

use jiff::Timestamp;
use model::{Proposal, ProposalKind, ProposalState};
use sha2::{Digest as _, Sha256};

use crate::db::{Row, args, json, word};
use crate::{Catalog, Error, Listed, Page, Result, page};

/// Who asks for something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requester {
    /// The id of a person, also behind a token; `None` for the machine's administrator.
    pub person: Option<String>,
    pub name: String,
}

const COLUMNS: &str = "id, payload, hash, requester, requester_name, created, expires, state, decided_by, decided, result";

fn read(row: &Row, now: Timestamp) -> Result<Proposal> {
    let mut proposal = Proposal {
        id: row.text(0)?,
        kind: row.json(1)?,
        hash: row.text(2)?,
        requester: row.opt_text(3)?,
        requester_name: row.text(4)?,
        created: row.time(5)?,
        expires: row.time(6)?,
        state: row.word(7)?,
        decided_by: row.opt_text(8)?,
        decided: row.opt_time(9)?,
        result: row.opt_text(10)?,
    };
    if proposal.state == ProposalState::Open && proposal.expires <= now {
        proposal.state = ProposalState::Expired;
    }
    Ok(proposal)
}

fn hash(payload: &str) -> String {
    hex::encode(Sha256::digest(payload))
}

impl Catalog {
    pub async fn add_proposal(
        &self,
        id: &str,
        kind: &ProposalKind,
        requester: &Requester,
        created: Timestamp,
        expires: Timestamp,
    ) -> Result<Proposal> {
        let payload = json(kind)?;
        let sql = "INSERT INTO proposal (id, kind, subject, payload, hash, requester, requester_name, created, expires, state)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'open')";
        let values = args![
            id,
            kind.name(),
            kind.subject(),
            &payload,
            hash(&payload),
            requester.person.as_deref(),
            &requester.name,
            created,
            expires,
        ];
        self.db.write(sql, values).await?;
        self.proposal(id, created).await
    }

    /// Whether another person has to approve what removes backups.
    pub async fn four_eyes(&self) -> Result<bool> {
        let row = self
            .db
            .read_one("SELECT enabled FROM four_eyes", args![])
            .await?;
        row.map_or(Ok(false), |row| row.flag(0))
    }

    pub async fn set_four_eyes(&self, enabled: bool) -> Result<()> {
        let sql = "UPDATE four_eyes SET enabled = $1";
        self.db.write(sql, args![enabled]).await.map(drop)
    }

    pub async fn proposal(&self, id: &str, now: Timestamp) -> Result<Proposal> {
        let sql = format!("SELECT {COLUMNS} FROM proposal WHERE id = $1");
        // On the writer, since a decision may have been taken just now.
        let rows = self
            .db
            .write_rows(sqlx::AssertSqlSafe(sql), args![id])
            .await?;
        rows.first()
            .map_or_else(|| Err(unknown(id)), |row| read(row, now))
    }

    /// The newest first; `open` leaves out what is decided or has expired.
    pub async fn proposals(
        &self,
        open: bool,
        now: Timestamp,
        page: &Page,
    ) -> Result<Listed<Proposal>> {
        let before = page.position::<1>()?.map(|[id]| id);
        let sql = format!(
            "SELECT {COLUMNS} FROM proposal
             WHERE (id < $1 OR $1 IS NULL) AND ($2 = 0 OR (state = 'open' AND expires > $3))
             ORDER BY id DESC LIMIT $4"
        );
        let values = args![before, open, now, page.limit() as u64 + 1];
        let rows = self.db.read(sqlx::AssertSqlSafe(sql), values).await?;
        let proposals = rows
            .iter()
            .map(|row| read(row, now))
            .collect::<Result<Vec<_>>>()?;
        Ok(Listed::cut(proposals, page.limit(), |proposal| {
            page::cursor(&[&proposal.id])
        }))
    }

    /// Decides an open proposal: the first decision holds, all later ones are refused. What was stored must still be what its hash says
    /// and what the one who decides saw.
    pub async fn decide_proposal(
        &self,
        id: &str,
        state: ProposalState,
        seen: Option<&str>,
        by: &str,
        now: Timestamp,
        reason: Option<&str>,
    ) -> Result<Proposal> {
        let mut tx = self.db.begin().await?;
        let sql = "UPDATE proposal SET state = $2, decided_by = $3, decided = $4, result = $5
            WHERE id = $1 AND state = 'open' AND expires > $4 RETURNING payload, hash";
        let values = args![id, word(&state)?, by, now, reason];
        let Some(row) = tx.one(sql, values).await? else {
            drop(tx);
            let proposal = self.proposal(id, now).await?;
            return Err(Error::ProposalClosed {
                id: id.to_owned(),
                state: word(&proposal.state)?,
            });
        };
        let stored = row.text(1)?;
        if hash(&row.text(0)?) != stored || seen.is_some_and(|seen| seen != stored) {
            return Err(Error::ProposalChanged { id: id.to_owned() });
        }
        tx.commit().await?;
        self.proposal(id, now).await
    }

    /// Notes what came of an approved proposal.
    pub async fn end_proposal(
        &self,
        id: &str,
        state: ProposalState,
        result: Option<&str>,
    ) -> Result<()> {
        let sql =
            "UPDATE proposal SET state = $2, result = $3 WHERE id = $1 AND state = 'executing'";
        match self.db.write(sql, args![id, word(&state)?, result]).await? {
            0 => Err(unknown(id)),
            _ => Ok(()),
        }
    }

    /// Ends what was decided before a time and is still being done: its process was killed. It may be done or not, so nobody does it again.
    pub async fn interrupt_proposals(&self, before: Timestamp) -> Result<u64> {
        let sql = "UPDATE proposal SET state = 'failed', result = 'the process ended while it was being done'
            WHERE state = 'executing' AND decided < $1";
        self.db.write(sql, args![before]).await
    }
}

fn unknown(id: &str) -> Error {
    Error::ProposalUnknown { id: id.to_owned() }
}
