//! Restore plans as rows: their heads. What a plan does is in its steps.

use jiff::Timestamp;
use model::{PlanState, RestorePlan, SourceId};

use crate::db::{Row, Value, args, json, word};
use crate::{Catalog, Error, Listed, Page, QueuedRun, Result, page};

/// A plan with what the engine does not ask about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanRow {
    pub plan: RestorePlan,
    /// What was asked for (JSON); none of plans that a command made by itself.
    pub wish: Option<String>,
    pub created_by: Option<String>,
    pub plan_run: Option<String>,
    /// The last run that applied it.
    pub apply_run: Option<String>,
    /// When the first of those began: what was written is younger.
    pub begun: Option<Timestamp>,
    pub error: Option<String>,
}

/// Which plans to return; `None` is all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanFilter {
    /// Into this connector's organization.
    pub connector: Option<String>,
    pub state: Option<PlanState>,
    /// Into those of these connectors alone.
    pub connectors: Option<Vec<String>>,
}

const COLUMNS: &str =
    "id, snapshot, repository, target, conflict, state, created, planned, undoes, wish, created_by,
    plan_run, apply_run, begun, error, source_service, source_address";

fn read(row: &Row) -> Result<PlanRow> {
    let source = row.opt_text(15)?.zip(row.opt_text(16)?);
    Ok(PlanRow {
        plan: RestorePlan {
            id: row.text(0)?,
            snapshot: row.text(1)?,
            source: source.map(|(service, address)| SourceId { service, address }),
            repository: row.text(2)?,
            target: row.json(3)?,
            conflict: row.word(4)?,
            state: row.word(5)?,
            created: row.time(6)?,
            planned: row.opt_time(7)?,
            undoes: row.opt_json(8)?,
        },
        wish: row.opt_text(9)?,
        created_by: row.opt_text(10)?,
        plan_run: row.opt_text(11)?,
        apply_run: row.opt_text(12)?,
        begun: row.opt_time(13)?,
        error: row.opt_text(14)?,
    })
}

const INSERT: &str =
    "INSERT INTO plan (id, snapshot, repository, target, conflict, state, created, planned, undoes, connector,
        wish, created_by, plan_run, source_service, source_address)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";

fn values(row: &PlanRow) -> Result<Vec<Value>> {
    let plan = &row.plan;
    Ok(args![
        &plan.id,
        &plan.snapshot,
        &plan.repository,
        json(&plan.target)?,
        word(&plan.conflict)?,
        word(&plan.state)?,
        plan.created,
        plan.planned,
        plan.undoes.as_ref().map(json).transpose()?,
        plan.target.connector().to_lowercase(),
        row.wish.as_deref(),
        row.created_by.as_deref(),
        row.plan_run.as_deref(),
        plan.source.as_ref().map(|source| source.service.as_str()),
        plan.source.as_ref().map(|source| source.address.as_str()),
    ])
}

fn unknown(id: &str) -> Error {
    Error::PlanUnknown { id: id.to_owned() }
}

impl Catalog {
    /// Makes the plan, or begins one anew: the steps of an earlier attempt at planning go.
    pub async fn create_plan(&self, plan: &RestorePlan) -> Result<()> {
        let row = PlanRow {
            plan: plan.clone(),
            wish: None,
            created_by: None,
            plan_run: None,
            apply_run: None,
            begun: None,
            error: None,
        };
        let mut tx = self.begin_held().await?;
        for sql in [
            "DELETE FROM step WHERE plan = $1",
            "DELETE FROM journal WHERE plan = $1",
            "DELETE FROM plan_person WHERE plan = $1",
        ] {
            tx.execute(sql, args![&plan.id]).await?;
        }
        let sql = format!(
            "{INSERT} ON CONFLICT (id) DO UPDATE SET snapshot = excluded.snapshot, repository = excluded.repository,
                target = excluded.target, conflict = excluded.conflict, state = excluded.state, planned = excluded.planned,
                undoes = excluded.undoes, error = NULL, source_service = excluded.source_service,
                source_address = excluded.source_address"
        );
        tx.execute(sqlx::AssertSqlSafe(sql), values(&row)?).await?;
        tx.commit().await
    }

    /// Makes a plan and the run that is to fill it.
    pub async fn queue_plan(&self, row: &PlanRow, queued: &QueuedRun) -> Result<()> {
        let mut tx = self.db.begin().await?;
        tx.execute(INSERT, values(row)?).await?;
        Self::queue_in(&mut tx, queued).await?;
        tx.commit().await
    }

    /// Queues the run that applies a plan; refused unless the plan is complete, not done, and nobody is at it.
    pub async fn queue_apply(&self, plan: &str, queued: &QueuedRun) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let sql = "UPDATE plan SET state = 'applying', apply_run = $2, begun = coalesce(begun, $3), error = NULL
            WHERE id = $1 AND planned IS NOT NULL AND state IN ('ready', 'failed', 'canceled', 'applied_with_issues')";
        let values = args![plan, &queued.run.id, queued.run.created];
        if tx.execute(sql, values).await? == 0 {
            drop(tx);
            return Err(self.not_to_be_applied(plan).await?);
        }
        Self::queue_in(&mut tx, queued).await?;
        tx.commit().await
    }

    async fn not_to_be_applied(&self, id: &str) -> Result<Error> {
        let plan = self.plan(id).await?;
        let id = plan.id;
        Ok(match (plan.state, plan.planned) {
            (PlanState::Planning | PlanState::Applying, _) => Error::PlanBusy { id },
            (_, None) => Error::PlanIncomplete { id },
            _ => Error::PlanClosed { id },
        })
    }

    /// A run that a command makes by itself applies the plan.
    pub async fn plan_applied_by(&self, plan: &str, run: &str, now: Timestamp) -> Result<()> {
        let sql = "UPDATE plan SET apply_run = $2, begun = coalesce(begun, $3), error = NULL WHERE id = $1";
        match self.db.write(sql, args![plan, run, now]).await? {
            0 => Err(unknown(plan)),
            _ => Ok(()),
        }
    }

    /// Plans that a command was making by itself when it was killed have failed.
    pub async fn void_plans(&self, error: &str) -> Result<u64> {
        let sql = "UPDATE plan SET state = 'failed', error = $1 WHERE state = 'planning' AND plan_run IS NULL";
        self.db.write(sql, args![error]).await
    }

    pub async fn plan(&self, id: &str) -> Result<RestorePlan> {
        Ok(self.plan_row(id).await?.plan)
    }

    pub async fn plan_row(&self, id: &str) -> Result<PlanRow> {
        let sql = format!("SELECT {COLUMNS} FROM plan WHERE id = $1");
        let row = self
            .db
            .read_one(sqlx::AssertSqlSafe(sql), args![id])
            .await?;
        row.as_ref().map_or_else(|| Err(unknown(id)), read)
    }

    /// The newest first, by id: ids of plans grow with time.
    pub async fn list_plans(&self, filter: &PlanFilter, page: &Page) -> Result<Listed<PlanRow>> {
        let mut values = args![
            page.position::<1>()?.map(|[id]| id),
            filter.connector.as_ref().map(|name| name.to_lowercase()),
            filter.state.as_ref().map(word).transpose()?,
        ];
        let mut among = String::new();
        if let Some(names) = &filter.connectors {
            let mut places = vec!["NULL".to_owned()];
            for name in names {
                values.push(name.to_lowercase().into());
                places.push(format!("${}", values.len()));
            }
            among = format!("AND connector IN ({})", places.join(", "));
        }
        let limit = page.limit() + 1;
        let sql = format!(
            "SELECT {COLUMNS} FROM plan WHERE (id < $1 OR $1 IS NULL) AND (connector = $2 OR $2 IS NULL)
                AND (state = $3 OR $3 IS NULL) {among} ORDER BY id DESC LIMIT {limit}"
        );
        let rows = self.db.read(sqlx::AssertSqlSafe(sql), values).await?;
        let plans = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        Ok(Listed::cut(plans, page.limit(), |row| {
            page::cursor(&[&row.plan.id])
        }))
    }

    /// All steps are there; their number is final.
    pub async fn plan_ready(&self, plan: &str, now: Timestamp) -> Result<()> {
        let sql = "UPDATE plan SET state = 'ready', planned = $2 WHERE id = $1";
        match self.write_held(sql, args![plan, now]).await? {
            0 => Err(unknown(plan)),
            _ => Ok(()),
        }
    }

    pub async fn set_plan_state(&self, plan: &str, state: PlanState) -> Result<()> {
        let sql = "UPDATE plan SET state = $2 WHERE id = $1";
        match self.write_held(sql, args![plan, word(&state)?]).await? {
            0 => Err(unknown(plan)),
            _ => Ok(()),
        }
    }

    /// Removes a plan with its steps and journal; refused while a run is at it.
    pub async fn remove_plan(&self, plan: &str) -> Result<()> {
        let mut tx = self.db.begin().await?;
        for sql in [
            "DELETE FROM journal WHERE plan = $1",
            "DELETE FROM step WHERE plan = $1",
            "DELETE FROM plan_person WHERE plan = $1",
        ] {
            tx.execute(sql, args![plan]).await?;
        }
        let sql = "DELETE FROM plan WHERE id = $1 AND state NOT IN ('planning', 'applying')";
        if tx.execute(sql, args![plan]).await? == 0 {
            drop(tx);
            self.plan(plan).await?;
            return Err(Error::PlanBusy {
                id: plan.to_owned(),
            });
        }
        tx.commit().await
    }
}

pub(crate) fn plan_error(error: Error, plan: &str) -> Error {
    if error.is_foreign_key() {
        unknown(plan)
    } else {
        error
    }
}
