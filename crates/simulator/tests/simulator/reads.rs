//! Reading work items.

use serde_json::{Value, json};

use super::harness::{Contoso, field};

#[tokio::test]
async fn a_batch_takes_200_ids_and_leaves_holes_only_when_asked() {
    let contoso = Contoso::start().await;
    let id = contoso.task("here").await;
    let path = "_apis/wit/workitemsbatch?api-version=7.1";
    let ids: Vec<u64> = (1..=201).collect();
    contoso
        .post(path, &json!({"ids": ids}))
        .await
        .refused(400, "VS403474");
    contoso
        .post(path, &json!({"ids": [id, 77]}))
        .await
        .refused(404, "TF401232");
    let answer = contoso
        .post(
            path,
            &json!({"ids": [77, id], "errorPolicy": "omit", "$expand": "all"}),
        )
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&answer["count"], &answer["value"][0]),
        (&json!(2), &Value::Null)
    );
    assert_eq!(answer["value"][1]["fields"]["System.Id"], id);
    contoso
        .post(
            path,
            &json!({"ids": [id], "fields": ["System.Title"], "$expand": "relations"}),
        )
        .await
        .refused(400, "expand parameter");
    let named = contoso
        .post(path, &json!({"ids": [id], "fields": ["System.Title"]}))
        .await
        .expect(200)
        .json();
    assert_eq!(named["value"][0]["fields"], json!({"System.Title": "here"}));
    contoso
        .post(path, &json!({"ids": [id], "fields": ["Custom.Nothing"]}))
        .await
        .refused(400, "TF51535");
}

#[tokio::test]
async fn an_item_is_read_as_it_was_at_a_moment() {
    let contoso = Contoso::start().await;
    let (id, other) = (contoso.task("before").await, contoso.task("other").await);
    let moment = contoso.item(other).await["fields"]["System.ChangedDate"]
        .as_str()
        .unwrap()
        .to_owned();
    contoso
        .update(id, "", &json!([field("System.Title", "after")]))
        .await
        .expect(200);
    contoso
        .link(id, "System.LinkTypes.Related", other)
        .await
        .expect(200);
    let then = contoso
        .get(&format!(
            "_apis/wit/workitems?ids={id}&asOf={moment}&$expand=relations"
        ))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (
            &then["value"][0]["rev"],
            &then["value"][0]["fields"]["System.Title"]
        ),
        (&json!(1), &json!("before"))
    );
    assert!(then["value"][0].get("relations").is_none());
    contoso
        .get(&format!("_apis/wit/workitems/{id}?asOf=2001-01-01"))
        .await
        .expect(404);
}

#[tokio::test]
async fn revisions_and_updates_tell_the_history() {
    let contoso = Contoso::start().await;
    let id = contoso.task("one").await;
    contoso
        .update(
            id,
            "",
            &json!([
                field("System.Title", "two"),
                field("System.State", "Active")
            ]),
        )
        .await
        .expect(200);
    let revisions = contoso
        .get(&format!(
            "_apis/wit/workitems/{id}/revisions?api-version=7.1"
        ))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (
            &revisions["count"],
            &revisions["value"][0]["fields"]["System.Title"]
        ),
        (&json!(2), &json!("one"))
    );
    let first = contoso
        .get(&format!("_apis/wit/workitems/{id}/revisions/1"))
        .await
        .expect(200)
        .json();
    assert!(first["url"].as_str().unwrap().ends_with("/revisions/1"));
    contoso
        .get(&format!("_apis/wit/workitems/{id}/revisions/3"))
        .await
        .expect(404);
    let updates = contoso
        .get(&format!("_apis/wit/workitems/{id}/updates?api-version=7.1"))
        .await
        .expect(200)
        .json();
    let change = &updates["value"][1]["fields"];
    assert_eq!(
        change["System.Title"],
        json!({"oldValue": "one", "newValue": "two"})
    );
    assert_eq!(
        change["System.State"],
        json!({"oldValue": "New", "newValue": "Active"})
    );
    assert!(change.get("System.AreaPath").is_none());
    assert_eq!(updates["value"][1]["revisedDate"], "9999-01-01T00:00:00Z");
}

#[tokio::test]
async fn types_fields_tags_and_relation_types_are_listed() {
    let contoso = Contoso::start().await;
    contoso
        .create(
            "Bug",
            "",
            &json!([
                field("System.Title", "t"),
                field("System.Tags", "one; Two; ONE")
            ]),
        )
        .await
        .expect(200);
    let tags = contoso
        .get("Fabrikam/_apis/wit/tags?api-version=7.1")
        .await
        .expect(200)
        .json();
    let names: Vec<&Value> = tags["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| &tag["name"])
        .collect();
    assert_eq!(names, ["Two", "one"]);
    let types = contoso
        .get("Fabrikam/_apis/wit/workitemtypes?api-version=7.1")
        .await
        .expect(200)
        .json();
    assert!(
        types["value"]
            .as_array()
            .unwrap()
            .iter()
            .any(|kind| kind["name"] == "User Story")
    );
    let fields = contoso
        .get("_apis/wit/fields?api-version=7.1")
        .await
        .expect(200)
        .json();
    assert!(
        fields["value"]
            .as_array()
            .unwrap()
            .iter()
            .any(|field| field["referenceName"] == "System.Title")
    );
    assert_eq!(
        contoso
            .get("_apis/wit/workitemrelationtypes?api-version=7.1")
            .await
            .json()["count"],
        21
    );
    let custom = json!({"name": "Ring", "type": "string", "referenceName": "Custom.Ring"});
    contoso
        .post("_apis/wit/fields?api-version=7.1", &custom)
        .await
        .expect(201);
    contoso
        .create(
            "Bug",
            "",
            &json!([field("System.Title", "t"), field("Custom.Ring", "2")]),
        )
        .await
        .expect(200);
}

/// "Queries work items linked to a given list of artifact URI" (Work Item Tracking REST, Artifact Uri Query).
#[tokio::test]
async fn the_items_of_an_artifact_are_found() {
    let contoso = Contoso::start().await;
    let id = contoso.task("linked").await;
    let uri = "vstfs:///Git/Commit/a%2Fb%2Fc";
    let relation =
        json!({"rel": "ArtifactLink", "url": uri, "attributes": {"name": "Fixed in Commit"}});
    let patch = json!([{"op": "add", "path": "/relations/-", "value": relation}]);
    contoso.update(id, "", &patch).await.expect(200);
    let unknown = "vstfs:///Git/Commit/none";
    let path = "Fabrikam/_apis/wit/artifactUriQuery?api-version=7.1";
    let body = json!({"artifactUris": [uri, unknown]});
    let found = contoso.post(path, &body).await.expect(200).json();
    let found = &found["artifactUrisQueryResult"];
    assert_eq!(found[uri][0]["id"], id);
    assert_eq!(found[unknown], json!([]));
}

/// `WorkItemExpand` and `WorkItemErrorPolicy` come by name or by number (Work Items - Get Work Items Batch); another is an error.
#[tokio::test]
async fn an_enumeration_is_taken_by_name_or_number_and_nothing_else() {
    let contoso = Contoso::start().await;
    let id = contoso.task("one").await;
    let path = "_apis/wit/workitemsbatch?api-version=7.1";
    for (expand, status) in [
        (json!(4), 200),
        (json!("All"), 200),
        (json!(9), 400),
        (json!({}), 400),
    ] {
        let body = json!({"ids": [id], "$expand": expand});
        let told = contoso.post(path, &body).await.expect(status).json();
        let links = &told["value"][0]["_links"];
        assert_eq!(links.is_object(), status == 200, "{expand}");
    }
}

/// Projects - Set Project Properties: a JSON patch of `add`, `replace` and `remove`.
#[tokio::test]
async fn properties_of_a_project_are_patched() {
    let contoso = Contoso::start().await;
    let project = contoso.get("_apis/projects/Fabrikam?api-version=7.1").await;
    let id = project.expect(200).json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("_apis/projects/{id}/properties?api-version=7.1-preview.1");
    let patch = async |operation: Value| contoso.patch(&path, &json!([operation])).await;
    let add = json!({"op": "add", "path": "/Alias", "value": "Fab"});
    patch(add).await.expect(204);
    let one = format!("{path}&keys=Alias");
    let read = contoso.get(&one).await.expect(200).json();
    assert_eq!(read["value"], json!([{"name": "Alias", "value": "Fab"}]));
    for wrong in [
        json!({"op": "test", "path": "/Alias", "value": "Fab"}),
        json!({"op": "add", "value": "Fab"}),
        json!({"path": "/Alias", "value": "other"}),
    ] {
        patch(wrong).await.expect(400);
    }
    let gone = json!({"op": "remove", "path": "/Alias"});
    patch(gone).await.expect(204);
    assert_eq!(contoso.get(&one).await.expect(200).json()["count"], 0);
}
