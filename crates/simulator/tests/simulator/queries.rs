//! WIQL.

use serde_json::{Value, json};

use super::harness::{Contoso, field};

impl Contoso {
    async fn query(&self, wiql: &str) -> Vec<u64> {
        let answer = self
            .post(
                "Fabrikam/_apis/wit/wiql?api-version=7.1",
                &json!({"query": wiql}),
            )
            .await
            .expect(200)
            .json();
        answer["workItems"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["id"].as_u64().unwrap())
            .collect()
    }
}

async fn filled() -> Contoso {
    let contoso = Contoso::start().await;
    contoso
        .post(
            "Fabrikam/_apis/wit/classificationnodes/areas?api-version=7.1",
            &json!({"name": "Web"}),
        )
        .await
        .expect(201);
    for (kind, title, priority, area) in [
        ("Task", "Alpha one", 1, "Fabrikam"),
        ("Bug", "beta's two", 3, "Fabrikam\\Web"),
        ("Task", "Gamma three", 2, "Fabrikam\\Web"),
    ] {
        let patch: Value = json!([
            field("System.Title", title),
            field("Microsoft.VSTS.Common.Priority", priority),
            field("System.AreaPath", area),
            field("System.Tags", title.split(' ').next().unwrap())
        ]);
        contoso.create(kind, "", &patch).await.expect(200);
    }
    contoso
}

#[tokio::test]
async fn conditions_combine_and_results_are_ordered() {
    let contoso = filled().await;
    assert_eq!(
        contoso.query("SELECT [System.Id] FROM WorkItems").await,
        [1, 2, 3]
    );
    assert_eq!(contoso.query("select [System.Id], [System.Title] from workitems where [System.WorkItemType] = 'task' order by [Microsoft.VSTS.Common.Priority] desc").await, [3, 1]);
    assert_eq!(contoso.query("SELECT System.Id FROM WorkItems WHERE [System.Title] CONTAINS 'TWO' OR ([System.Id] = 3 AND NOT [System.State] = 'Closed')").await, [2, 3]);
    assert_eq!(contoso.query("SELECT [System.Id] FROM WorkItems WHERE [System.AreaPath] UNDER 'Fabrikam\\Web' AND [System.TeamProject] = @project").await, [2, 3]);
    assert_eq!(contoso.query("SELECT [System.Id] FROM WorkItems WHERE [System.Id] IN (1, 3, 9) AND [System.WorkItemType] <> 'Bug'").await, [1, 3]);
    assert_eq!(
        contoso
            .query("SELECT [System.Id] FROM WorkItems WHERE [System.Id] NOT IN (1, 3)")
            .await,
        [2]
    );
    assert_eq!(contoso.query("SELECT [System.Id] FROM WorkItems WHERE [Priority] >= 2 AND [System.AssignedTo] = ''").await, [2, 3]);
    assert_eq!(
        contoso
            .query("SELECT [System.Id] FROM WorkItems WHERE [System.Title] = 'beta''s two'")
            .await,
        [2]
    );
    assert_eq!(contoso.query("SELECT [System.Id] FROM WorkItems WHERE [System.CreatedBy] = @me AND [System.ChangedDate] >= @today - 1").await, [1, 2, 3]);
    assert_eq!(
        contoso
            .query("SELECT [System.Id] FROM WorkItems WHERE [System.ChangedDate] < @today")
            .await,
        Vec::<u64>::new()
    );
}

#[tokio::test]
async fn what_was_ever_true_and_what_was_true_then_can_be_asked() {
    let contoso = filled().await;
    let before = contoso.item(3).await["fields"]["System.ChangedDate"]
        .as_str()
        .unwrap()
        .to_owned();
    contoso
        .update(1, "", &json!([field("System.State", "Active")]))
        .await
        .expect(200);
    assert_eq!(
        contoso
            .query("SELECT [System.Id] FROM WorkItems WHERE [System.State] = 'New'")
            .await,
        [2, 3]
    );
    assert_eq!(
        contoso
            .query("SELECT [System.Id] FROM WorkItems WHERE [System.State] EVER 'New'")
            .await,
        [1, 2, 3]
    );
    assert_eq!(
        contoso
            .query(&format!(
                "SELECT [System.Id] FROM WorkItems WHERE [System.State] = 'New' ASOF '{before}'"
            ))
            .await,
        [1, 2, 3]
    );
}

#[tokio::test]
async fn queries_for_links_list_sources_and_targets() {
    let contoso = filled().await;
    contoso
        .link(1, "System.LinkTypes.Hierarchy-Forward", 2)
        .await
        .expect(200);
    let wiql = "SELECT [System.Id] FROM WorkItemLinks WHERE [Source].[System.WorkItemType] = 'Task' AND [System.Links.LinkType] = 'System.LinkTypes.Hierarchy-Forward' AND [Target].[System.WorkItemType] = 'Bug' MODE (MustContain)";
    let answer = contoso
        .post("_apis/wit/wiql?api-version=7.1", &json!({"query": wiql}))
        .await
        .expect(200)
        .json();
    let rows: Vec<(&Value, &Value, &Value)> = answer["workItemRelations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (&row["source"]["id"], &row["rel"], &row["target"]["id"]))
        .collect();
    assert_eq!(
        rows,
        [
            (&Value::Null, &Value::Null, &json!(1)),
            (
                &json!(1),
                &json!("System.LinkTypes.Hierarchy-Forward"),
                &json!(2)
            )
        ]
    );
}

#[tokio::test]
async fn deleted_items_are_not_found_and_the_top_cuts() {
    let contoso = filled().await;
    contoso
        .delete("_apis/wit/workitems/2?api-version=7.1")
        .await
        .expect(200);
    assert_eq!(
        contoso.query("SELECT [System.Id] FROM WorkItems").await,
        [1, 3]
    );
    let cut = contoso
        .post(
            "_apis/wit/wiql?$top=1&api-version=7.1",
            &json!({"query": "SELECT [System.Id] FROM WorkItems"}),
        )
        .await
        .json();
    assert_eq!(cut["workItems"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn bad_queries_say_what_is_wrong() {
    let contoso = filled().await;
    for (wiql, part) in [
        ("SELECT FROM WorkItems", "TF51"),
        (
            "SELECT [System.Id] FROM WorkItems WHERE [Nothing] = 1",
            "TF51535",
        ),
        (
            "SELECT [System.Id] FROM WorkItems WHERE [System.Title] = 'open",
            "closing quote",
        ),
        (
            "SELECT [System.Id] FROM WorkItems WHERE [System.ChangedDate] > '2026-01-01T10:00:00Z'",
            "date precision",
        ),
        ("SELECT [System.Id] FROM WorkItems extra", "unexpected"),
    ] {
        contoso
            .post("_apis/wit/wiql?api-version=7.1", &json!({"query": wiql}))
            .await
            .refused(400, part);
    }
    contoso.post("_apis/wit/wiql?timePrecision=true&api-version=7.1", &json!({"query": "SELECT [System.Id] FROM WorkItems WHERE [System.ChangedDate] > '2026-01-01T10:00:00Z'"})).await.expect(200);
}
