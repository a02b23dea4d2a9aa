//! Creating, changing, deleting work items.

use reqwest::Method;
use serde_json::{Value, json};

use super::harness::{Contoso, field};

#[tokio::test]
async fn a_new_item_has_the_defaults_of_its_process() {
    let contoso = Contoso::start().await;
    let item = contoso
        .create(
            "User Story",
            "",
            &json!([field("System.Title", "日本語 and עברית")]),
        )
        .await
        .expect(200)
        .json();
    let fields = &item["fields"];
    assert_eq!(
        (
            &item["rev"],
            &fields["System.State"],
            &fields["System.Reason"]
        ),
        (&json!(1), &json!("New"), &json!("New"))
    );
    assert_eq!(
        (&fields["System.AreaPath"], &fields["System.Title"]),
        (&json!("Fabrikam"), &json!("日本語 and עברית"))
    );
    assert_eq!(item["multilineFieldsFormat"], json!({}));
    contoso
        .create("Impediment", "", &json!([]))
        .await
        .refused(404, "VS402323");
    contoso
        .create("Task", "", &json!([]))
        .await
        .refused(400, "Title");
}

#[tokio::test]
async fn dates_and_authors_are_taken_only_when_rules_are_bypassed() {
    let contoso = Contoso::start().await;
    let patch = json!([
        field("System.Title", "old"),
        field("System.CreatedDate", "2019-03-01T10:00:00.5Z"),
        field("System.CreatedBy", "Removed Person <gone@contoso.example>"),
        field("System.ChangedDate", "2019-03-01T10:00:00.5Z"),
        field("System.ChangedBy", "Removed Person <gone@contoso.example>"),
    ]);
    contoso
        .create("Task", "", &patch)
        .await
        .refused(400, "ReadOnly");
    contoso
        .create(
            "Task",
            "",
            &json!([
                field("System.Title", "old"),
                field("System.AssignedTo", "Removed Person")
            ]),
        )
        .await
        .refused(400, "unknown identity");
    let item = contoso
        .create("Task", "&bypassRules=true", &patch)
        .await
        .expect(200)
        .json();
    assert_eq!(
        item["fields"]["System.CreatedDate"],
        "2019-03-01T10:00:00.5Z"
    );
    assert_eq!(
        item["fields"]["System.ChangedBy"],
        "Removed Person <gone@contoso.example>"
    );
    let id = item["id"].as_u64().unwrap();
    let later = json!([
        field("System.State", "Strange"),
        field("System.ChangedDate", "2019-03-02T00:00:00Z"),
        field("System.ChangedBy", "admin@contoso.example")
    ]);
    let item = contoso
        .update(id, "&bypassRules=true", &later)
        .await
        .expect(200)
        .json();
    assert_eq!(
        (
            &item["rev"],
            &item["fields"]["System.ChangedBy"]["uniqueName"]
        ),
        (&json!(2), &json!("admin@contoso.example"))
    );
    assert_eq!(item["fields"]["System.State"], "Strange");
    assert_eq!(
        item["fields"]["Microsoft.VSTS.Common.StateChangeDate"],
        "2019-03-02T00:00:00Z"
    );
    contoso
        .update(id, "", &json!([field("System.State", "Stranger")]))
        .await
        .refused(400, "TF401320");
}

#[tokio::test]
async fn dates_must_increase_and_an_author_is_needed() {
    let contoso = Contoso::start().await;
    let created = json!([
        field("System.Title", "t"),
        field("System.CreatedDate", "2020-01-01T00:00:00Z"),
        field("System.ChangedDate", "2020-01-01T00:00:00Z")
    ]);
    let id = contoso
        .create("Task", "&bypassRules=true", &created)
        .await
        .expect(200)
        .json()["id"]
        .as_u64()
        .unwrap();
    let same = json!([
        field("System.Title", "u"),
        field("System.ChangedDate", "2020-01-01T00:00:00Z")
    ]);
    contoso
        .update(id, "&bypassRules=true", &same)
        .await
        .refused(400, "VS402625");
    let nobody = json!([
        field("System.Title", "u"),
        field("System.ChangedDate", "2020-01-01T00:00:01Z"),
        field("System.ChangedBy", "")
    ]);
    contoso
        .update(id, "&bypassRules=true", &nobody)
        .await
        .refused(400, "VS403417");
    assert_eq!(contoso.item(id).await["rev"], 1);
}

#[tokio::test]
async fn bypassing_rules_needs_the_permission() {
    let contoso = Contoso::start().await;
    contoso
        .post(
            "/__faults",
            &json!({"fault": "permission", "permission": "BYPASS_RULES"}),
        )
        .await
        .expect(201);
    contoso
        .create(
            "Task",
            "&bypassRules=true",
            &json!([field("System.Title", "t")]),
        )
        .await
        .refused(403, "TF50309");
    let evaluation = json!({"evaluations": [{"securityNamespaceId": "52d39943-cb85-4d7f-8fa8-c6baac873819", "token": "$PROJECT:x", "permissions": 1_048_576}]});
    let asked = contoso
        .post(
            "_apis/security/permissionevaluationbatch?api-version=7.1",
            &evaluation,
        )
        .await
        .expect(200)
        .json();
    assert_eq!(asked["evaluations"][0]["value"], false);
    contoso.delete("/__faults").await.expect(204);
    contoso
        .create(
            "Task",
            "&bypassRules=true",
            &json!([field("System.Title", "t")]),
        )
        .await
        .expect(200);
}

#[tokio::test]
async fn links_between_items_show_on_both_ends_without_a_revision() {
    let contoso = Contoso::start().await;
    let (parent, child, other) = (
        contoso.task("parent").await,
        contoso.task("child").await,
        contoso.task("other").await,
    );
    let linked = contoso
        .link(parent, "System.LinkTypes.Hierarchy-Forward", child)
        .await
        .expect(200)
        .json();
    assert_eq!(linked["rev"], 1);
    assert_eq!(linked["relations"][0]["attributes"]["name"], "Child");
    let seen = contoso.item(child).await;
    assert_eq!(
        (
            &seen["rev"],
            &seen["fields"]["System.Parent"],
            &seen["relations"][0]["rel"]
        ),
        (
            &json!(1),
            &json!(parent),
            &json!("System.LinkTypes.Hierarchy-Reverse")
        )
    );
    contoso
        .link(other, "System.LinkTypes.Hierarchy-Forward", child)
        .await
        .refused(400, "TF201036");
    contoso
        .link(parent, "System.LinkTypes.Hierarchy-Forward", child)
        .await
        .refused(400, "already exists");
    contoso
        .link(child, "System.LinkTypes.Hierarchy-Forward", parent)
        .await
        .refused(400, "TF201035");
    contoso
        .link(parent, "System.LinkTypes.Related", 99)
        .await
        .refused(404, "TF401232");
    let updates = contoso
        .get(&format!(
            "_apis/wit/workitems/{child}/updates?api-version=7.1"
        ))
        .await
        .expect(200)
        .json();
    assert_eq!(updates["count"], 2);
    assert_eq!(
        (
            &updates["value"][1]["rev"],
            &updates["value"][1]["relations"]["added"][0]["rel"]
        ),
        (&json!(1), &json!("System.LinkTypes.Hierarchy-Reverse"))
    );
    contoso
        .update(
            child,
            "",
            &json!([{"op": "remove", "path": "/relations/0"}]),
        )
        .await
        .expect(200);
    assert!(contoso.item(parent).await.get("relations").is_none());
}

#[tokio::test]
async fn attachments_are_uploaded_whole_or_in_chunks_and_make_a_revision_when_attached() {
    let contoso = Contoso::start().await;
    let id = contoso.task("with a file").await;
    let pat = contoso.simulator.pat();
    let upload = contoso
        .send(
            Method::POST,
            "_apis/wit/attachments?fileName=a%20b.bin&api-version=7.1",
            pat,
            "application/octet-stream",
            vec![0, 159, 146, 150],
        )
        .await
        .expect(201)
        .json();
    let url = upload["url"].as_str().unwrap().to_owned();
    let patch = json!([{"op": "add", "path": "/relations/-", "value": {"rel": "AttachedFile", "url": url, "attributes": {"comment": "see"}}}]);
    let item = contoso.update(id, "", &patch).await.expect(200).json();
    assert_eq!(
        (
            &item["rev"],
            &item["relations"][0]["attributes"]["resourceSize"],
            &item["relations"][0]["attributes"]["name"]
        ),
        (&json!(2), &json!(4), &json!("a b.bin"))
    );
    let path = url.split_once("/contoso/").unwrap().1;
    assert_eq!(
        contoso.get(path).await.expect(200).bytes,
        [0, 159, 146, 150]
    );

    let begun = contoso
        .send(
            Method::POST,
            "_apis/wit/attachments?fileName=c.txt&uploadType=chunked&api-version=7.1",
            pat,
            "application/octet-stream",
            Vec::new(),
        )
        .await
        .expect(202)
        .json();
    let path = format!(
        "_apis/wit/attachments/{}?fileName=c.txt&api-version=7.1",
        begun["id"].as_str().unwrap()
    );
    for (range, part) in [("bytes 0-4/9", "hello"), ("bytes 5-8/9", "more")] {
        let request = contoso
            .client
            .put(format!("{}/contoso/{path}", contoso.simulator.url()))
            .basic_auth("", Some(pat))
            .header("content-range", range);
        assert_eq!(request.body(part).send().await.unwrap().status(), 200);
    }
    assert_eq!(contoso.get(&path).await.expect(200).text(), "hellomore");
    let missing = json!([{"op": "add", "path": "/relations/-", "value": {"rel": "AttachedFile", "url": "http://x/_apis/wit/attachments/0a0a0a0a-0a0a-0a0a-0a0a-0a0a0a0a0a0a"}}]);
    contoso
        .update(id, "", &missing)
        .await
        .refused(400, "does not exist");
}

#[tokio::test]
async fn a_test_of_the_revision_guards_a_change() {
    let contoso = Contoso::start().await;
    let id = contoso.task("guarded").await;
    let patch = |rev: u64| json!([{"op": "test", "path": "/rev", "value": rev}, field("System.Title", "new")]);
    contoso.update(id, "", &patch(3)).await.refused(
        412,
        "VS403351: Test Operation for path /rev failed, value 1 was not equal to test value 3.",
    );
    contoso.update(id, "", &patch(1)).await.expect(200);
}

/// "With patch parameter 'add' one can only add tags to work items but not delete any of them" (bluebasher/WorkItemUpdater #87).
#[tokio::test]
async fn tags_that_are_added_join_the_others_and_only_a_replacement_takes_some_away() {
    let contoso = Contoso::start().await;
    let id = contoso.task("tagged").await;
    let write = async |op: &str, value: &str| {
        let patch = json!([{"op": op, "path": "/fields/System.Tags", "value": value}]);
        let written = contoso.update(id, "", &patch).await.expect(200).json();
        written["fields"]["System.Tags"].clone()
    };
    assert_eq!(write("add", "one; two").await, "one; two");
    assert_eq!(write("add", "Two; three").await, "one; two; three");
    assert_eq!(write("replace", "three; four").await, "three; four");
    assert_eq!(write("remove", "").await, Value::Null);
}

#[tokio::test]
async fn validation_alone_saves_nothing() {
    let contoso = Contoso::start().await;
    let answer = contoso
        .create(
            "Task",
            "&validateOnly=true",
            &json!([field("System.Title", "t")]),
        )
        .await
        .expect(200)
        .json();
    assert_eq!(answer["fields"]["System.Title"], "t");
    contoso.get("_apis/wit/workitems/1").await.expect(404);
}

#[tokio::test]
async fn markdown_is_kept_per_field() {
    let contoso = Contoso::start().await;
    let patch = json!([field("System.Title", "t"), field("System.Description", "# head"), {"op": "add", "path": "/multilineFieldsFormat/System.Description", "value": "Markdown"}]);
    let item = contoso.create("Task", "", &patch).await.expect(200).json();
    assert_eq!(
        item["multilineFieldsFormat"],
        json!({"System.Description": "markdown"})
    );
}

#[tokio::test]
async fn deleted_items_rest_in_the_bin_and_come_back_with_everything() {
    let contoso = Contoso::start().await;
    let (id, other) = (
        contoso.task("comes back").await,
        contoso.task("stays").await,
    );
    contoso
        .link(id, "System.LinkTypes.Related", other)
        .await
        .expect(200);
    let deleted = contoso
        .delete(&format!("_apis/wit/workitems/{id}?api-version=7.1"))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&deleted["code"], &deleted["name"]),
        (&json!(200), &json!("comes back"))
    );
    contoso
        .get(&format!("_apis/wit/workitems/{id}"))
        .await
        .refused(404, "TF401232");
    contoso
        .update(id, "", &json!([field("System.Title", "no")]))
        .await
        .expect(404);
    assert!(contoso.item(other).await.get("relations").is_none());
    let bin = contoso
        .get("Fabrikam/_apis/wit/recyclebin?api-version=7.1")
        .await
        .expect(200)
        .json();
    assert_eq!(bin["value"][0]["id"], id);
    let restored = contoso
        .patch(
            &format!("_apis/wit/recyclebin/{id}?api-version=7.1"),
            &json!({"isDeleted": false}),
        )
        .await
        .expect(200)
        .json();
    assert_eq!(restored["resource"]["fields"]["System.Title"], "comes back");
    assert_eq!(
        contoso.item(id).await["relations"].as_array().map(Vec::len),
        Some(1)
    );
    assert_eq!(
        contoso.item(other).await["relations"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    contoso
        .delete(&format!(
            "_apis/wit/workitems/{id}?destroy=true&api-version=7.1"
        ))
        .await
        .expect(204);
    assert_eq!(
        contoso
            .get("_apis/wit/recyclebin?api-version=7.1")
            .await
            .json()["count"],
        0
    );
    assert!(contoso.item(other).await.get("relations").is_none());
}

#[tokio::test]
async fn a_batch_runs_in_order_and_later_parts_name_new_items_by_negative_ids() {
    let contoso = Contoso::start().await;
    let part = |body: Value| json!({"method": "PATCH", "uri": "/Fabrikam/_apis/wit/workitems/$Task?api-version=7.1", "headers": {"Content-Type": "application/json-patch+json"}, "body": body});
    let link = json!({"op": "add", "path": "/relations/-", "value": {"rel": "System.LinkTypes.Hierarchy-Reverse", "url": "/_apis/wit/workItems/-1"}});
    let parts = json!([
        part(json!([{"op": "add", "path": "/id", "value": -1}, field("System.Title", "parent")])),
        part(json!([field("System.Title", "child"), link])),
        part(json!([]))
    ]);
    let answers = contoso
        .patch("_apis/wit/$batch?api-version=7.1", &parts)
        .await
        .expect(200)
        .json();
    let codes: Vec<&Value> = answers["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|answer| &answer["code"])
        .collect();
    assert_eq!(codes, [200, 200, 400]);
    let child: Value = serde_json::from_str(answers["value"][1]["body"].as_str().unwrap()).unwrap();
    assert_eq!(child["fields"]["System.Parent"], 1);
}

#[tokio::test]
async fn rules_fill_in_values_only_when_they_are_not_bypassed() {
    let contoso = Contoso::start().await;
    let id = contoso.task("worked on").await;
    let fields = contoso
        .update(id, "", &json!([field("System.State", "Active")]))
        .await
        .expect(200)
        .json()["fields"]
        .clone();
    assert_eq!(fields["System.Reason"], "Moved to state Active");
    assert_eq!(
        fields["Microsoft.VSTS.Common.ActivatedDate"],
        fields["System.ChangedDate"]
    );
    let fields = contoso
        .update(
            id,
            "&bypassRules=true",
            &json!([field("System.State", "Closed")]),
        )
        .await
        .expect(200)
        .json()["fields"]
        .clone();
    assert_eq!(fields["System.Reason"], "Moved to state Active");
    assert!(fields.get("Microsoft.VSTS.Common.ClosedDate").is_none());
}
