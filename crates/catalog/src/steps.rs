//! The steps of restore plans.

use model::{Action, ItemRef, Step, StepState};

use crate::db::{Row, args, json, word};
use crate::plans::plan_error;
use crate::{Catalog, Error, Listed, Page, Result, page};

/// The columns that [`read_step`] reads.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT position, kind, scope, item, name, action, reason, losses, state, new_id, detail, url, over FROM step ",
            $rest
        )
    };
}

/// How many steps of a plan are of this kind, action and state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepCount {
    pub kind: String,
    pub action: Action,
    pub state: StepState,
    pub steps: u64,
}

/// Which steps to return; `None` is all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepFilter {
    pub kind: Option<String>,
    pub action: Option<Action>,
    pub state: Option<StepState>,
}

/// What a plan says will be lost, and for how many items of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepLosses {
    pub kind: String,
    pub losses: Vec<String>,
    pub items: u64,
}

fn read_step(row: &Row) -> Result<Step> {
    Ok(Step {
        position: row.unsigned(0)?,
        item: ItemRef {
            kind: row.text(1)?,
            scope: row.text(2)?,
            id: row.text(3)?,
        },
        name: row.text(4)?,
        action: row.word(5)?,
        reason: row.opt_text(6)?,
        losses: row.json(7)?,
        state: row.word(8)?,
        new_id: row.opt_text(9)?,
        detail: row.opt_text(10)?,
        url: row.opt_text(11)?,
        over: row.opt_text(12)?,
    })
}

impl Catalog {
    /// Their positions must be new; call it as often as there are batches.
    pub async fn add_steps(&self, plan: &str, steps: &[Step]) -> Result<()> {
        const HEAD: &str = "INSERT INTO step (plan, position, kind, scope, item, name, action, reason, losses, state, new_id, detail, over)";
        let mut tx = self.begin_held().await?;
        for some in steps.chunks(200) {
            let mut values = Vec::with_capacity(some.len() * 13);
            for step in some {
                values.extend(args![
                    plan,
                    step.position,
                    &step.item.kind,
                    &step.item.scope,
                    &step.item.id,
                    &step.name,
                    word(&step.action)?,
                    step.reason.as_deref(),
                    json(&step.losses)?,
                    word(&step.state)?,
                    step.new_id.as_deref(),
                    step.detail.as_deref(),
                    step.over.as_deref(),
                ]);
            }
            tx.insert(HEAD, 13, values, "")
                .await
                .map_err(|error| plan_error(error, plan))?;
        }
        tx.commit().await
    }

    /// Up to `limit` steps in order, from the first whose position is greater than `after`.
    pub async fn steps(&self, plan: &str, after: Option<u64>, limit: u32) -> Result<Vec<Step>> {
        let sql = select!("WHERE plan = $1 AND position > $2 ORDER BY position LIMIT $3");
        let after = after.map_or(-1, |position| i64::try_from(position).unwrap_or(i64::MAX));
        self.db
            .read(sql, args![plan, after, i64::from(limit)])
            .await?
            .iter()
            .map(read_step)
            .collect()
    }

    pub async fn step_counts(&self, plan: &str) -> Result<Vec<StepCount>> {
        let sql = "SELECT kind, action, state, count(*) FROM step WHERE plan = $1
            GROUP BY kind, action, state ORDER BY kind, action, state";
        let rows = self.db.read(sql, args![plan]).await?;
        rows.iter()
            .map(|row| {
                Ok(StepCount {
                    kind: row.text(0)?,
                    action: row.word(1)?,
                    state: row.word(2)?,
                    steps: row.unsigned(3)?,
                })
            })
            .collect()
    }

    /// A page of a plan's steps, in order.
    pub async fn list_steps(
        &self,
        plan: &str,
        filter: &StepFilter,
        page: &Page,
    ) -> Result<Listed<Step>> {
        let after: i64 = match page.position::<1>()? {
            Some([position]) => position.parse().map_err(|_| Error::Cursor)?,
            None => -1,
        };
        let sql = select!(
            "WHERE plan = $1 AND position > $2 AND (kind = $3 OR $3 IS NULL) AND (action = $4 OR $4 IS NULL)
            AND (state = $5 OR $5 IS NULL) ORDER BY position LIMIT $6"
        );
        let action = filter.action.as_ref().map(word).transpose()?;
        let state = filter.state.as_ref().map(word).transpose()?;
        let values = args![
            plan,
            after,
            filter.kind.as_deref(),
            action,
            state,
            page.limit() as u64 + 1
        ];
        let rows = self.db.read(sql, values).await?;
        let steps = rows.iter().map(read_step).collect::<Result<Vec<_>>>()?;
        Ok(Listed::cut(steps, page.limit(), |step| {
            page::cursor(&[&step.position.to_string()])
        }))
    }

    /// Where people see the restored item.
    pub async fn set_step_url(&self, plan: &str, position: u64, url: &str) -> Result<()> {
        let sql = "UPDATE step SET url = $3 WHERE plan = $1 AND position = $2";
        self.write_held(sql, args![plan, position, url])
            .await
            .map(drop)
    }

    /// What steps lose, by kind.
    pub async fn step_losses(&self, plan: &str) -> Result<Vec<StepLosses>> {
        let sql = "SELECT kind, losses, count(*) FROM step
            WHERE plan = $1 AND losses <> '[]'
            GROUP BY kind, losses ORDER BY kind, losses";
        let rows = self.db.read(sql, args![plan]).await?;
        let read = |row: &Row| {
            Ok(StepLosses {
                kind: row.text(0)?,
                losses: row.json(1)?,
                items: row.unsigned(2)?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// A new id that is `None` keeps the one that is known; a detail that is `None` clears the old one.
    pub async fn set_step(
        &self,
        plan: &str,
        position: u64,
        state: StepState,
        new_id: Option<&str>,
        detail: Option<&str>,
    ) -> Result<()> {
        let sql = "UPDATE step SET state = $3, new_id = coalesce($4, new_id), detail = $5 WHERE plan = $1 AND position = $2";
        let values = args![plan, position, word(&state)?, new_id, detail];
        match self.write_held(sql, values).await? {
            0 => Err(Error::StepUnknown {
                plan: plan.to_owned(),
                position,
            }),
            _ => Ok(()),
        }
    }
}
