//! Areas and iterations.

use serde_json::{Value, json};

use super::harness::{Contoso, field};

const NODES: &str = "Fabrikam/_apis/wit/classificationnodes";

#[tokio::test]
async fn the_depth_decides_what_is_listed_and_defaults_to_the_roots() {
    let contoso = Contoso::start().await;
    let made = contoso
        .post(
            &format!("{NODES}/areas?api-version=7.1"),
            &json!({"name": "Web"}),
        )
        .await
        .expect(201)
        .json();
    assert_eq!(made["path"], "\\Fabrikam\\Area\\Web");
    contoso
        .post(
            &format!("{NODES}/areas/Web?api-version=7.1"),
            &json!({"name": "Page two"}),
        )
        .await
        .expect(201);
    let roots = contoso.get(NODES).await.expect(200).json();
    assert_eq!(
        (&roots["count"], &roots["value"][0]["hasChildren"]),
        (&json!(2), &json!(true))
    );
    assert!(roots["value"][0].get("children").is_none());
    let deep = contoso.get(&format!("{NODES}?$depth=9")).await.json();
    assert_eq!(
        deep["value"][0]["children"][0]["children"][0]["name"],
        "Page two"
    );
    let one = contoso
        .get(&format!("{NODES}/areas/%5CWeb%5CPage%20two"))
        .await
        .expect(200)
        .json();
    assert!(
        one["url"]
            .as_str()
            .unwrap()
            .ends_with("/classificationNodes/Areas/Web/Page%20two"),
        "{one}"
    );
    contoso
        .post(
            &format!("{NODES}/areas?api-version=7.1"),
            &json!({"name": "web"}),
        )
        .await
        .refused(409, "VS402371");
    contoso
        .get(&format!("{NODES}/areas/None"))
        .await
        .expect(404);
}

/// Recorded: `POST …/classificationNodes/areas` answers 201, or 200 for a node that was moved, and both name the place.
#[tokio::test]
async fn what_is_made_or_moved_is_named_by_its_location() {
    let contoso = Contoso::start().await;
    let post = async |place: &str, body: Value| {
        let path = format!("{NODES}/areas{place}?api-version=7.1");
        contoso.post(&path, &body).await
    };
    let web = post("", json!({"name": "Web"})).await.expect(201);
    assert_eq!(web.header("location"), web.json()["url"]);
    let api = post("", json!({"name": "Api"})).await.expect(201);
    let moved = post("/Web", json!({"id": api.json()["id"]})).await;
    let moved = moved.expect(200);
    assert!(moved.header("location").ends_with("/Areas/Web/Api"));
}

#[tokio::test]
async fn iterations_have_dates() {
    let contoso = Contoso::start().await;
    let body = json!({"name": "Sprint 1", "attributes": {"startDate": "2026-01-05T00:00:00Z", "finishDate": "2026-01-16T00:00:00Z"}});
    let made = contoso
        .post(&format!("{NODES}/iterations?api-version=7.1"), &body)
        .await
        .expect(201)
        .json();
    assert_eq!(made["attributes"]["finishDate"], "2026-01-16T00:00:00Z");
    let changed = contoso
        .patch(
            &format!("{NODES}/iterations/Sprint%201?api-version=7.1"),
            &json!({"name": "Sprint 0", "attributes": {"finishDate": null}}),
        )
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&changed["name"], changed["attributes"].get("finishDate")),
        (&json!("Sprint 0"), None)
    );
}

#[tokio::test]
async fn items_follow_a_node_that_moves_and_get_a_revision_when_it_is_deleted() {
    let contoso = Contoso::start().await;
    let web = contoso
        .post(
            &format!("{NODES}/areas?api-version=7.1"),
            &json!({"name": "Web"}),
        )
        .await
        .json()["id"]
        .clone();
    let api = contoso
        .post(
            &format!("{NODES}/areas?api-version=7.1"),
            &json!({"name": "Api"}),
        )
        .await
        .json()["id"]
        .clone();
    let item = contoso
        .create(
            "Task",
            "",
            &json!([
                field("System.Title", "t"),
                field("System.AreaPath", "fabrikam\\web")
            ]),
        )
        .await
        .expect(200)
        .json();
    assert_eq!(item["fields"]["System.AreaPath"], "Fabrikam\\Web");
    contoso
        .create(
            "Task",
            "",
            &json!([
                field("System.Title", "t"),
                field("System.AreaPath", "Fabrikam\\None")
            ]),
        )
        .await
        .refused(400, "TF401347");
    contoso
        .post(
            &format!("{NODES}/areas/Api?api-version=7.1"),
            &json!({"id": web}),
        )
        .await
        .expect(200);
    let moved = contoso.item(1).await;
    assert_eq!(
        (&moved["rev"], &moved["fields"]["System.AreaPath"]),
        (&json!(1), &json!("Fabrikam\\Api\\Web"))
    );
    contoso
        .delete(&format!(
            "{NODES}/areas/Api/Web?$reclassifyId={api}&api-version=7.1"
        ))
        .await
        .expect(204);
    let reclassified = contoso.item(1).await;
    assert_eq!(
        (
            &reclassified["rev"],
            &reclassified["fields"]["System.AreaPath"]
        ),
        (&json!(2), &json!("Fabrikam\\Api"))
    );
}
