//! Whom the target knows: who may take a person's place, and what is lost of people.

use serde_json::{Value, json};

use crate::site::{Site, of_items};

const STRANGERS: &str = "People whom the target does not know stay as plain text.";
const SEARCH: &str = "*/_apis/identities*";
const USERS: &str = "*/_apis/graph/users*";

/// How many items of a plan lose people.
fn lost(plan: &Value) -> u64 {
    let mut losses = plan["losses"].as_array().unwrap().iter();
    let found = losses.find(|loss| loss["text"] == STRANGERS);
    found.map_or(0, |loss| loss["items"].as_u64().unwrap())
}

struct Planned {
    site: Site,
    plan: Value,
    path: String,
    names: Vec<String>,
}

impl Planned {
    async fn new() -> Self {
        let site = Site::new().await;
        let snapshot = site.back_up().await;
        let ids = site.work_items(&snapshot).await;
        let plan = site
            .plan(&of_items(&snapshot, &[&ids[0]], "duplicate"))
            .await;
        let path = format!("/restore-plans/{}/identities", plan["id"].as_str().unwrap());
        let people = site.world.get(&path).await.expect(200);
        let people = people["items"].as_array().unwrap().iter();
        let name = |person: &Value| person["from"]["unique_name"].as_str().unwrap().to_owned();
        let names = people.map(name).collect();
        Self {
            site,
            plan,
            path,
            names,
        }
    }

    fn map(&self, to: &[&str]) -> Value {
        let pairs = self.names.iter().zip(to);
        let items = pairs.map(
            |(from, to)| json!({ "from": { "unique_name": from }, "to": { "unique_name": to } }),
        );
        json!({ "items": items.collect::<Vec<_>>() })
    }

    /// Who takes whose place, as it stands.
    async fn mapped(&self) -> Vec<Value> {
        let people = self.site.world.get(&self.path).await.expect(200);
        let people = people["items"].as_array().unwrap().iter();
        people.map(|person| person["to"].clone()).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whom_the_target_does_not_know_takes_nobodys_place() {
    let planned = Planned::new().await;
    let Planned { site, path, .. } = &planned;
    let known = planned.names[0].to_uppercase();
    let typo = planned.map(&[&known, "typo@contoso.exmaple"]);
    let refused = site.world.put(path, &typo).await.expect(422);
    let errors = refused["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 1, "{refused}");
    assert_eq!(errors[0]["pointer"], "/items/1/to/unique_name");
    let said = errors[0]["detail"].as_str().unwrap();
    assert!(said.contains("typo@contoso.exmaple"), "{said}");
    assert!(
        planned.mapped().await.iter().all(Value::is_null),
        "all or none"
    );
    // The beginning of a name is no name.
    let begun = planned.names[0].split('@').next().unwrap();
    site.world
        .put(path, &planned.map(&[begun]))
        .await
        .expect(422);

    let both = planned.map(&[&known, &known]);
    site.world.put(path, &both).await.expect(200);
    let checked = json!({ "unique_name": known, "checked": true });
    assert_eq!(planned.mapped().await[..2], [checked.clone(), checked]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mapping_says_so_where_the_target_could_not_be_asked() {
    let planned = Planned::new().await;
    let Planned { site, path, .. } = &planned;
    let away = json!([{ "path": SEARCH, "method": "GET", "fault": "403" }]);
    site.faults(&away).await;
    let body = planned.map(&["anna@contoso.example"]);
    site.world.put(path, &body).await.expect(200);
    let unchecked = json!({ "unique_name": "anna@contoso.example", "checked": false });
    assert_eq!(planned.mapped().await[0], unchecked);
    site.no_faults().await;
    site.world.put(path, &body).await.expect(422);
    let nobody = json!({ "items": [{ "from": { "unique_name": planned.names[0] }, "to": null }] });
    site.world.put(path, &nobody).await.expect(200);
    assert!(planned.mapped().await[0].is_null());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_are_lost_of_the_items_alone_that_name_somebody_unknown() {
    let Planned { site, plan, .. } = Planned::new().await;
    assert_eq!(lost(&plan), 0, "who is known there stays: {plan}");
    let snapshot = plan["snapshot"].as_str().unwrap();
    let ids = site.work_items(snapshot).await;
    let mut elsewhere = of_items(snapshot, &[&ids[0]], "skip");
    let simulator = &site.world.simulator;
    let tenant = simulator.other_tenant();
    let pat = simulator.add_organization_in("fabrikam", &tenant).unwrap();
    let body = site.world.pat_body("fabrikam", "fabrikam", &pat);
    site.world.post("/connectors", &body).await.expect(201);
    elsewhere["target"]["connector"] = "fabrikam".into();
    let planned = site.plan(&elsewhere).await;
    assert_eq!(lost(&planned), 1, "nobody of them is there: {planned}");
    let again = of_items(snapshot, &[&ids[0]], "duplicate");
    site.faults(&json!([{ "path": USERS, "method": "GET", "fault": "403" }]))
        .await;
    let unknown = site.plan(&again).await;
    assert_eq!(
        lost(&unknown),
        1,
        "whoever cannot be asked rules nobody out: {unknown}"
    );
}
