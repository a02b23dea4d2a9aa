//! The streams of revisions, links and discussions.

use serde_json::{Value, json};

use super::harness::{Contoso, field};

const STREAM: &str = "_apis/wit/reporting/workitemrevisions?api-version=7.1";

fn revs(batch: &Value) -> Vec<(u64, u64)> {
    batch["values"]
        .as_array()
        .unwrap()
        .iter()
        .map(|value| {
            (
                value["id"].as_u64().unwrap(),
                value["rev"].as_u64().unwrap(),
            )
        })
        .collect()
}

#[tokio::test]
async fn the_token_of_the_last_batch_yields_what_came_after_it() {
    let contoso = Contoso::start().await;
    let (one, two) = (contoso.task("one").await, contoso.task("two").await);
    let first = contoso.get(STREAM).await.expect(200).json();
    assert_eq!(revs(&first), [(one, 1), (two, 1)]);
    assert_eq!(first["isLastBatch"], true);
    let token = first["continuationToken"].as_str().unwrap().to_owned();
    let quiet = contoso
        .get(&format!("{STREAM}&continuationToken={token}"))
        .await
        .expect(200)
        .json();
    assert_eq!(revs(&quiet), []);
    assert_eq!(quiet["continuationToken"], token.as_str());
    assert!(
        quiet["nextLink"]
            .as_str()
            .unwrap()
            .contains("continuationToken=")
    );
    contoso
        .update(one, "", &json!([field("System.Title", "changed")]))
        .await
        .expect(200);
    let changed = contoso
        .get(&format!("{STREAM}&continuationToken={token}"))
        .await
        .json();
    assert_eq!(revs(&changed), [(one, 2)]);
    // A pure change of links between work items makes no revision.
    contoso
        .link(one, "System.LinkTypes.Related", two)
        .await
        .expect(200);
    let token = changed["continuationToken"].as_str().unwrap();
    assert_eq!(
        revs(
            &contoso
                .get(&format!("{STREAM}&continuationToken={token}"))
                .await
                .json()
        ),
        []
    );
}

#[tokio::test]
async fn pages_are_cut_and_the_last_one_says_so() {
    let contoso = Contoso::start().await;
    for number in 0..5 {
        contoso.task(&format!("task {number}")).await;
    }
    let (mut path, mut seen, mut batches) = (format!("{STREAM}&$maxPageSize=2"), Vec::new(), 0);
    loop {
        let batch = contoso.get(&path).await.expect(200).json();
        seen.extend(revs(&batch));
        batches += 1;
        if batch["isLastBatch"] == true {
            break;
        }
        path = format!(
            "{STREAM}&$maxPageSize=2&continuationToken={}",
            batch["continuationToken"].as_str().unwrap()
        );
    }
    assert_eq!(seen, [(1, 1), (2, 1), (3, 1), (4, 1), (5, 1)]);
    assert_eq!(batches, 3);
}

#[tokio::test]
async fn a_page_with_long_text_holds_200_revisions_at_most() {
    let contoso = Contoso::start().await;
    let operations: Vec<Value> = (0..200)
        .map(|number| json!({"method": "PATCH", "uri": "/Fabrikam/_apis/wit/workitems/$Task?api-version=7.1", "headers": {"Content-Type": "application/json-patch+json"}, "body": [field("System.Title", format!("task {number}"))]}))
        .collect();
    contoso
        .patch("_apis/wit/$batch?api-version=7.1", &json!(operations))
        .await
        .expect(200);
    contoso.task("one more").await;
    let long = contoso
        .get(&format!("{STREAM}&$expand=fields&$maxPageSize=1000"))
        .await
        .json();
    assert_eq!(
        (
            long["values"].as_array().unwrap().len(),
            &long["isLastBatch"]
        ),
        (200, &json!(false))
    );
    let short = contoso.get(STREAM).await.json();
    assert_eq!(
        (
            short["values"].as_array().unwrap().len(),
            &short["isLastBatch"]
        ),
        (201, &json!(true))
    );
}

#[tokio::test]
async fn long_text_and_identity_references_come_only_when_asked_for() {
    let contoso = Contoso::start().await;
    let patch = json!([
        field("System.Title", "t"),
        field("System.Description", "<p>long</p>"),
        field("System.Tags", "a; b"),
        field("System.History", "hello")
    ]);
    contoso.create("Task", "", &patch).await.expect(200);
    let plain = &contoso.get(STREAM).await.json()["values"][0];
    assert!(plain["fields"].get("System.Description").is_none());
    assert!(plain["fields"].get("System.History").is_none());
    assert_eq!(plain["fields"]["System.Tags"], "a; b");
    assert_eq!(
        plain["fields"]["System.ChangedBy"],
        "Contoso Administrator <admin@contoso.example>"
    );
    assert!(plain.get("relations").is_none());
    let full = &contoso
        .get(&format!(
            "{STREAM}&$expand=fields&includeIdentityRef=true&includeTagRef=true"
        ))
        .await
        .json()["values"][0];
    assert_eq!(full["fields"]["System.Description"], "<p>long</p>");
    assert_eq!(full["fields"]["System.History"], "hello");
    assert_eq!(
        full["fields"]["System.ChangedBy"]["uniqueName"],
        "admin@contoso.example"
    );
    assert_eq!(full["fields"]["System.Tags"][1]["name"], "b");
    assert_eq!(full["commentVersionRef"]["version"], 1);
}

#[tokio::test]
async fn deleted_items_are_in_the_stream_only_when_asked_for_and_state_it() {
    let contoso = Contoso::start().await;
    let id = contoso.task("gone").await;
    let token = contoso.get(STREAM).await.json()["continuationToken"]
        .as_str()
        .unwrap()
        .to_owned();
    contoso
        .delete(&format!("_apis/wit/workitems/{id}?api-version=7.1"))
        .await
        .expect(200);
    let without = contoso
        .get(&format!("{STREAM}&continuationToken={token}"))
        .await
        .json();
    assert_eq!(revs(&without), []);
    let with = contoso
        .get(&format!(
            "{STREAM}&includeDeleted=true&continuationToken={token}"
        ))
        .await
        .json();
    assert_eq!(revs(&with), [(id, 2)]);
    assert_eq!(with["values"][0]["fields"]["System.IsDeleted"], true);
}

#[tokio::test]
async fn a_token_and_a_start_exclude_each_other_and_strange_tokens_are_refused() {
    let contoso = Contoso::start().await;
    contoso.task("one").await;
    contoso
        .get(&format!(
            "{STREAM}&continuationToken=1;1;1&startDateTime=2026-01-01"
        ))
        .await
        .refused(400, "cannot both be specified");
    contoso
        .get(&format!("{STREAM}&continuationToken=1;99;1"))
        .await
        .refused(400, "continuationToken");
    contoso
        .get(&format!("{STREAM}&continuationToken=rubbish"))
        .await
        .refused(400, "continuationToken");
    assert_eq!(
        revs(
            &contoso
                .get(&format!("{STREAM}&startDateTime=2030-01-01"))
                .await
                .json()
        ),
        []
    );
    assert_eq!(
        revs(
            &contoso
                .get(&format!("{STREAM}&startDateTime=2020-01-01"))
                .await
                .json()
        ),
        [(1, 1)]
    );
}

#[tokio::test]
async fn a_stream_of_one_project_loses_what_moved_away_and_the_whole_one_does_not() {
    let contoso = Contoso::start().await;
    contoso.project("Tailspin").await;
    let id = contoso.task("moves").await;
    contoso
        .update(
            id,
            "",
            &json!([
                field("System.TeamProject", "Tailspin"),
                field("System.AreaPath", "Tailspin"),
                field("System.IterationPath", "Tailspin")
            ]),
        )
        .await
        .expect(200);
    assert_eq!(revs(&contoso.get(STREAM).await.json()), [(id, 1), (id, 2)]);
    assert_eq!(
        revs(&contoso.get(&format!("Fabrikam/{STREAM}")).await.json()),
        [(id, 1)]
    );
    assert_eq!(
        revs(&contoso.get(&format!("Tailspin/{STREAM}")).await.json()),
        [(id, 2)]
    );
    let posted = contoso
        .post(STREAM, &json!({"types": ["Bug"]}))
        .await
        .expect(200)
        .json();
    assert_eq!(revs(&posted), []);
    assert_eq!(posted["isLastBatch"], true);
}

#[tokio::test]
async fn links_are_stated_once_from_their_forward_end_with_removals() {
    let contoso = Contoso::start().await;
    let (parent, child) = (contoso.task("parent").await, contoso.task("child").await);
    contoso
        .link(child, "System.LinkTypes.Hierarchy-Reverse", parent)
        .await
        .expect(200);
    let path = "_apis/wit/reporting/workitemlinks?api-version=7.1";
    let first = contoso.get(path).await.expect(200).json();
    assert_eq!(first["values"].as_array().unwrap().len(), 1);
    let link = &first["values"][0];
    assert_eq!(link["rel"], "System.LinkTypes.Hierarchy");
    assert_eq!(
        (
            &link["attributes"]["sourceId"],
            &link["attributes"]["targetId"]
        ),
        (&json!(parent), &json!(child))
    );
    assert_eq!(
        (
            &link["attributes"]["isActive"],
            &link["attributes"]["changedOperation"]
        ),
        (&json!(true), &json!("create"))
    );
    contoso
        .update(
            parent,
            "",
            &json!([{"op": "remove", "path": "/relations/0"}]),
        )
        .await
        .expect(200);
    let token = first["continuationToken"].as_str().unwrap();
    let removed = contoso
        .get(&format!("{path}&continuationToken={token}"))
        .await
        .json();
    assert_eq!(
        removed["values"][0]["attributes"]["changedOperation"],
        "remove"
    );
    assert_eq!(removed["values"][0]["attributes"]["sourceId"], parent);
}

#[tokio::test]
async fn discussions_are_the_revisions_with_comments() {
    let contoso = Contoso::start().await;
    let id = contoso.task("discussed").await;
    let path = "_apis/wit/reporting/workItemRevisions/discussions?api-version=7.1";
    assert_eq!(revs(&contoso.get(path).await.expect(200).json()), []);
    contoso
        .post(
            &format!("Fabrikam/_apis/wit/workItems/{id}/comments?api-version=7.1-preview.4"),
            &json!({"text": "hello"}),
        )
        .await
        .expect(200);
    let batch = contoso.get(path).await.json();
    assert_eq!(revs(&batch), [(id, 2)]);
    assert_eq!(batch["values"][0]["commentVersionRef"]["text"], "hello");
}

#[tokio::test]
async fn what_was_read_in_steps_is_what_is_read_at_once() {
    let contoso = Contoso::start().await;
    let mut random = 7_u64;
    let mut next = |below: u64| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % below
    };
    let all = format!("{STREAM}&includeDeleted=true");
    let (mut items, mut seen, mut token) =
        (vec![contoso.task("first").await], Vec::new(), String::new());
    for step in 0..60 {
        let id = items[next(items.len() as u64) as usize];
        let bin = format!("_apis/wit/recyclebin/{id}?api-version=7.1");
        // Some steps are refused, as a link to a deleted item: they must leave no trace.
        match next(6) {
            0 => items.push(contoso.task(&format!("task {step}")).await),
            1 => drop(
                contoso
                    .update(
                        id,
                        "",
                        &json!([field("System.Title", format!("title {step}"))]),
                    )
                    .await,
            ),
            2 => drop(
                contoso
                    .delete(&format!("_apis/wit/workitems/{id}?api-version=7.1"))
                    .await,
            ),
            3 => drop(contoso.patch(&bin, &json!({"isDeleted": false})).await),
            4 => drop(contoso.link(id, "System.LinkTypes.Related", items[0]).await),
            _ => drop(
                contoso
                    .post(
                        &format!(
                            "Fabrikam/_apis/wit/workItems/{id}/comments?api-version=7.1-preview.4"
                        ),
                        &json!({"text": "x"}),
                    )
                    .await,
            ),
        }
        if next(3) == 0 {
            let batch = contoso
                .get(&format!("{all}&$maxPageSize=2&continuationToken={token}"))
                .await
                .expect(200)
                .json();
            batch["continuationToken"]
                .as_str()
                .unwrap()
                .clone_into(&mut token);
            seen.extend(revs(&batch));
        }
    }
    seen.extend(revs(
        &contoso
            .get(&format!("{all}&continuationToken={token}"))
            .await
            .json(),
    ));
    assert_eq!(seen, revs(&contoso.get(&all).await.json()));
    for id in items {
        let own: Vec<u64> = seen
            .iter()
            .filter(|(item, _)| *item == id)
            .map(|(_, rev)| *rev)
            .collect();
        assert!(
            own.iter().copied().eq(1..=own.len() as u64),
            "{id}: {own:?}"
        );
    }
}
