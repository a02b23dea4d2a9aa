//! Restore plans as rows: a head and its steps.

use model::{Action, ItemRef, PlanState, RestorePlan, Step, StepState};

use crate::db::{Row, args, json, word};
use crate::{Catalog, Error, Result};

/// How many steps of a plan have this action and state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepCount {
    pub action: Action,
    pub state: StepState,
    pub steps: u64,
}

fn read_plan(row: &Row) -> Result<RestorePlan> {
    Ok(RestorePlan {
        id: row.text(0)?,
        snapshot: row.text(1)?,
        repository: row.text(2)?,
        target: row.json(3)?,
        conflict: row.word(4)?,
        state: row.word(5)?,
        created: row.time(6)?,
    })
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
    })
}

impl Catalog {
    pub async fn create_plan(&self, plan: &RestorePlan) -> Result<()> {
        let sql = "INSERT INTO plan (id, snapshot, repository, target, conflict, state, created)
            VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let values = args![
            &plan.id,
            &plan.snapshot,
            &plan.repository,
            json(&plan.target)?,
            word(&plan.conflict)?,
            word(&plan.state)?,
            plan.created,
        ];
        self.db.write(sql, values).await.map(drop)
    }

    /// Their positions must be new; call it as often as there are batches.
    pub async fn add_steps(&self, plan: &str, steps: &[Step]) -> Result<()> {
        const HEAD: &str = "INSERT INTO step (plan, position, kind, scope, item, name, action, reason, losses, state, new_id, detail)";
        let mut tx = self.db.begin().await?;
        for some in steps.chunks(200) {
            let mut values = Vec::with_capacity(some.len() * 12);
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
                ]);
            }
            tx.insert(HEAD, 12, values, "")
                .await
                .map_err(|error| plan_error(error, plan))?;
        }
        tx.commit().await
    }

    pub async fn plan(&self, id: &str) -> Result<RestorePlan> {
        let sql = "SELECT id, snapshot, repository, target, conflict, state, created FROM plan WHERE id = $1";
        let row = self.db.read_one(sql, args![id]).await?;
        row.as_ref()
            .map_or_else(|| Err(Error::PlanUnknown { id: id.to_owned() }), read_plan)
    }

    /// The newest first.
    pub async fn plans(&self) -> Result<Vec<RestorePlan>> {
        let sql = "SELECT id, snapshot, repository, target, conflict, state, created FROM plan ORDER BY created DESC, id DESC";
        self.db
            .read(sql, args![])
            .await?
            .iter()
            .map(read_plan)
            .collect()
    }

    /// Up to `limit` steps in order, from the first whose position is greater than `after`.
    pub async fn steps(&self, plan: &str, after: Option<u64>, limit: u32) -> Result<Vec<Step>> {
        let sql = "SELECT position, kind, scope, item, name, action, reason, losses, state, new_id, detail
            FROM step WHERE plan = $1 AND position > $2 ORDER BY position LIMIT $3";
        let after = after.map_or(-1, |position| i64::try_from(position).unwrap_or(i64::MAX));
        self.db
            .read(sql, args![plan, after, i64::from(limit)])
            .await?
            .iter()
            .map(read_step)
            .collect()
    }

    pub async fn step_counts(&self, plan: &str) -> Result<Vec<StepCount>> {
        let sql = "SELECT action, state, count(*) FROM step WHERE plan = $1 GROUP BY action, state ORDER BY action, state";
        let rows = self.db.read(sql, args![plan]).await?;
        rows.iter()
            .map(|row| {
                Ok(StepCount {
                    action: row.word(0)?,
                    state: row.word(1)?,
                    steps: row.unsigned(2)?,
                })
            })
            .collect()
    }

    pub async fn set_plan_state(&self, plan: &str, state: PlanState) -> Result<()> {
        let sql = "UPDATE plan SET state = $2 WHERE id = $1";
        match self.db.write(sql, args![plan, word(&state)?]).await? {
            0 => Err(Error::PlanUnknown {
                id: plan.to_owned(),
            }),
            _ => Ok(()),
        }
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
        match self
            .db
            .write(sql, args![plan, position, word(&state)?, new_id, detail])
            .await?
        {
            0 => Err(Error::StepUnknown {
                plan: plan.to_owned(),
                position,
            }),
            _ => Ok(()),
        }
    }

    /// Removes a plan with its steps and journal.
    pub async fn remove_plan(&self, plan: &str) -> Result<()> {
        let mut tx = self.db.begin().await?;
        tx.execute("DELETE FROM journal WHERE plan = $1", args![plan])
            .await?;
        tx.execute("DELETE FROM step WHERE plan = $1", args![plan])
            .await?;
        if tx
            .execute("DELETE FROM plan WHERE id = $1", args![plan])
            .await?
            == 0
        {
            return Err(Error::PlanUnknown {
                id: plan.to_owned(),
            });
        }
        tx.commit().await
    }
}

pub(crate) fn plan_error(error: Error, plan: &str) -> Error {
    if error.is_foreign_key() {
        Error::PlanUnknown {
            id: plan.to_owned(),
        }
    } else {
        error
    }
}
