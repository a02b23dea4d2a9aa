//! People whom the items of a restore plan name, and who takes their place at the target.

use model::PlanPerson;

use crate::db::{Row, args};
use crate::plans::plan_error;
use crate::{Catalog, Error, Listed, Page, Result, page};

/// Who takes the place of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonMapping {
    /// The person's unique name, in any case.
    pub person: String,
    /// `None` leaves the person as stored.
    pub becomes: Option<String>,
    /// The target was asked for that name, and knows it.
    pub checked: bool,
}

fn read(row: &Row) -> Result<PlanPerson> {
    Ok(PlanPerson {
        unique_name: row.text(0)?,
        name: row.text(1)?,
        items: row.unsigned(2)?,
        found: row.flag(3)?,
        becomes: row.opt_text(4)?,
        checked: row.flag(5)?,
    })
}

impl Catalog {
    /// Stores everybody whom a plan's items name, in place of what was known.
    pub async fn set_plan_people(&self, plan: &str, people: &[PlanPerson]) -> Result<()> {
        const HEAD: &str = "INSERT INTO plan_person (plan, person, unique_name, name, items, found, becomes, checked)";
        let mut tx = self.begin_held().await?;
        tx.execute("DELETE FROM plan_person WHERE plan = $1", args![plan])
            .await?;
        for some in people.chunks(200) {
            let mut values = Vec::with_capacity(some.len() * 8);
            for person in some {
                values.extend(args![
                    plan,
                    person.unique_name.to_lowercase(),
                    &person.unique_name,
                    &person.name,
                    person.items,
                    person.found,
                    person.becomes.as_deref(),
                    person.checked,
                ]);
            }
            tx.insert(HEAD, 8, values, "")
                .await
                .map_err(|error| plan_error(error, plan))?;
        }
        tx.commit().await
    }

    /// By unique name.
    pub async fn plan_people(&self, plan: &str, page: &Page) -> Result<Listed<PlanPerson>> {
        let after = page.position::<1>()?.map(|[person]| person);
        let sql = "SELECT unique_name, name, items, found, becomes, checked FROM plan_person
            WHERE plan = $1 AND (person > $2 OR $2 IS NULL) ORDER BY person LIMIT $3";
        let rows = self
            .db
            .read(sql, args![plan, after, page.limit() as u64 + 1])
            .await?;
        let people = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        Ok(Listed::cut(people, page.limit(), |person| {
            page::cursor(&[&person.unique_name.to_lowercase()])
        }))
    }

    /// Everybody for whom somebody else is written, by unique names in lower case.
    pub async fn plan_mapping(&self, plan: &str) -> Result<Vec<(String, String)>> {
        let sql = "SELECT person, becomes FROM plan_person WHERE plan = $1 AND becomes IS NOT NULL ORDER BY person";
        let rows = self.db.read(sql, args![plan]).await?;
        rows.iter()
            .map(|row| Ok((row.text(0)?, row.text(1)?)))
            .collect()
    }

    /// Whom of these people the plan does not name.
    pub async fn strangers_to_plan(
        &self,
        plan: &str,
        people: impl Iterator<Item = &str>,
    ) -> Result<Vec<String>> {
        let mut strangers = Vec::new();
        for person in people {
            let sql = "SELECT 1 FROM plan_person WHERE plan = $1 AND person = $2";
            let found = self.db.read_one(sql, args![plan, person.to_lowercase()]);
            if found.await?.is_none() {
                strangers.push(person.to_owned());
            }
        }
        Ok(strangers)
    }

    /// Says who takes the place of these people; all or none, and answers whom the plan does not name. A plan that is applied by now has read them:
    /// [`Error::PlanStarted`].
    pub async fn map_plan_people(
        &self,
        plan: &str,
        mapping: &[PersonMapping],
    ) -> Result<Vec<String>> {
        let mut tx = self.db.begin().await?;
        // Written, and not only read: who applies the plan waits for it, or is seen.
        let sql = "UPDATE plan SET state = state WHERE id = $1 AND state = 'ready'";
        if tx.execute(sql, args![plan]).await? == 0 {
            return Err(Error::PlanStarted {
                id: plan.to_owned(),
            });
        }
        let mut strangers = Vec::new();
        for one in mapping {
            let sql =
                "UPDATE plan_person SET becomes = $3, checked = $4 WHERE plan = $1 AND person = $2";
            let person = one.person.to_lowercase();
            let values = args![plan, person, one.becomes.as_deref(), one.checked];
            if tx.execute(sql, values).await? == 0 {
                strangers.push(one.person.clone());
            }
        }
        if strangers.is_empty() {
            tx.commit().await?;
        }
        Ok(strangers)
    }
}
