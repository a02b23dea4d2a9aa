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

/// "MODE (Recursive)" returns a tree of work items (learn.microsoft.com, WIQL syntax, Link type query options).
#[tokio::test]
async fn a_tree_names_each_item_once_below_the_one_that_it_hangs_on() {
    let contoso = filled().await;
    for (parent, child) in [(1, 2), (2, 3)] {
        contoso
            .link(parent, "System.LinkTypes.Hierarchy-Forward", child)
            .await
            .expect(200);
    }
    let wiql = "SELECT [System.Id] FROM workItemLinks WHERE [Source].[System.TeamProject] = @project AND [System.Links.LinkType] = 'System.LinkTypes.Hierarchy-Forward' AND [Target].[System.State] = 'New' MODE (Recursive)";
    let path = "Fabrikam/_apis/wit/wiql?api-version=7.1";
    let answer = contoso.post(path, &json!({"query": wiql})).await;
    let answer = answer.expect(200).json();
    assert_eq!(answer["queryType"], "tree");
    let rows = answer["workItemRelations"].as_array().unwrap().iter();
    let rows: Vec<(&Value, &Value)> = rows
        .map(|row| (&row["source"]["id"], &row["target"]["id"]))
        .collect();
    let ends = [(Value::Null, 1), (json!(1), 2), (json!(2), 3)];
    let ends = ends.map(|(source, target)| (source, json!(target)));
    assert!(
        rows.iter().copied().eq(ends.iter().map(|(a, b)| (a, b))),
        "{rows:?}"
    );
}

/// `@StartOfDay`, `@StartOfWeek`, `@StartOfMonth`, `@StartOfYear` with `± n`, and `@Today` (learn.microsoft.com, query macros).
#[tokio::test]
async fn dates_may_be_told_from_today() {
    let contoso = filled().await;
    for (what, found) in [
        ("[System.CreatedDate] >= @StartOfDay", 3),
        ("[System.CreatedDate] >= @StartOfWeek - 1", 3),
        ("[System.CreatedDate] < @startOfMonth", 0),
        (
            "[System.CreatedDate] >= @StartOfYear AND [System.CreatedDate] < @StartOfYear + 1",
            3,
        ),
        ("[System.CreatedDate] > @Today+1", 0),
    ] {
        let wiql = format!("SELECT [System.Id] FROM WorkItems WHERE {what}");
        assert_eq!(contoso.query(&wiql).await.len(), found, "{what}");
    }
    let before = "SELECT [System.Id] FROM WorkItems ASOF @Today - 1";
    assert_eq!(contoso.query(before).await, Vec::<u64>::new());
    let absurd =
        "SELECT [System.Id] FROM WorkItems WHERE [System.CreatedDate] > @StartOfYear - 99999999";
    let path = "_apis/wit/wiql?api-version=7.1";
    let absurd = contoso.post(path, &json!({"query": absurd})).await;
    absurd.refused(400, "TF51006");
}

/// `@CurrentIteration` "is only supported in the context of a team" (learn.microsoft.com, query macros).
#[tokio::test]
async fn the_current_iteration_is_that_of_a_team() {
    let contoso = filled().await;
    let now = contoso.item(3).await["fields"]["System.ChangedDate"].clone();
    let today = &now.as_str().unwrap()[..10];
    for (name, from, to) in [("One", "2020-01-01", "2020-01-14"), ("Two", today, today)] {
        let dates = json!({"startDate": format!("{from}T00:00:00Z"), "finishDate": format!("{to}T00:00:00Z")});
        let body = json!({"name": name, "attributes": dates});
        let path = "Fabrikam/_apis/wit/classificationnodes/iterations?api-version=7.1";
        contoso.post(path, &body).await.expect(201);
    }
    for (id, path) in [(1, "Fabrikam\\One"), (2, "Fabrikam\\Two")] {
        let patch = json!([field("System.IterationPath", path)]);
        contoso.update(id, "", &patch).await.expect(200);
    }
    let ask = async |scope: &str, value: &str| {
        let wiql =
            format!("SELECT [System.Id] FROM WorkItems WHERE [System.IterationPath] = {value}");
        let path = format!("{scope}/_apis/wit/wiql?api-version=7.1");
        contoso.post(&path, &json!({"query": wiql})).await
    };
    let found = async |scope: &str, value: &str| {
        ask(scope, value).await.expect(200).json()["workItems"][0]["id"].clone()
    };
    let team = "Fabrikam/Fabrikam%20Team";
    assert_eq!(found(team, "@CurrentIteration").await, 2);
    assert_eq!(found(team, "@currentIteration - 1").await, 1);
    let named =
        "@CurrentIteration('[Fabrikam]\\Fabrikam Team <id:00000000-0000-0000-0000-000000000000>')";
    assert_eq!(found("Fabrikam", named).await, 2);
    let nobody = ask("Fabrikam", "@CurrentIteration").await;
    nobody.refused(400, "without a team context");
    let unknown = ask("Fabrikam/None", "@CurrentIteration").await;
    unknown.refused(404, "None");
}

/// "IN GROUP: matches categories of work item types and members of teams" (learn.microsoft.com, query operators).
#[tokio::test]
async fn a_group_stands_for_its_members() {
    let contoso = filled().await;
    for (what, found) in [
        (
            "[System.WorkItemType] IN GROUP 'Microsoft.BugCategory'",
            vec![2],
        ),
        (
            "[System.WorkItemType] NOT IN GROUP 'Microsoft.BugCategory'",
            vec![1, 3],
        ),
        (
            "[System.CreatedBy] IN GROUP '[Fabrikam]\\Fabrikam Team'",
            vec![1, 2, 3],
        ),
    ] {
        let wiql = format!("SELECT [System.Id] FROM WorkItems WHERE {what}");
        assert_eq!(contoso.query(&wiql).await, found, "{what}");
    }
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
            "SELECT TOP 200 [System.Id] FROM WorkItems",
            "TF51006: The query statement is missing a FROM clause. The error is caused by «200».",
        ),
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
