//! Discussions.

use serde_json::{Value, json};

use super::harness::{Contoso, field};

const VERSION: &str = "api-version=7.1-preview.4";

#[tokio::test]
async fn a_comment_makes_a_revision_with_its_text_and_the_count() {
    let contoso = Contoso::start().await;
    let id = contoso.task("discussed").await;
    let path = format!("Fabrikam/_apis/wit/workItems/{id}/comments");
    let comment = contoso
        .post(
            &format!("{path}?format=markdown&{VERSION}"),
            &json!({"text": "**bold**"}),
        )
        .await
        .expect(200)
        .json();
    assert_eq!(
        (
            &comment["version"],
            &comment["format"],
            &comment["workItemId"]
        ),
        (&json!(1), &json!("markdown"), &json!(id))
    );
    let item = contoso.item(id).await;
    assert_eq!(
        (
            &item["rev"],
            &item["fields"]["System.CommentCount"],
            &item["fields"]["System.History"]
        ),
        (&json!(2), &json!(1), &json!("**bold**"))
    );
    assert_eq!(item["commentVersionRef"]["commentId"], comment["id"]);
    contoso
        .get(&format!("{path}?api-version=7.1"))
        .await
        .refused(400, "under preview");
}

#[tokio::test]
async fn history_written_with_bypassed_rules_makes_a_comment_by_its_author_at_its_date() {
    let contoso = Contoso::start().await;
    let id = contoso
        .create(
            "Task",
            "&bypassRules=true",
            &json!([
                field("System.Title", "t"),
                field("System.ChangedDate", "2020-01-01T00:00:00Z")
            ]),
        )
        .await
        .expect(200)
        .json()["id"]
        .as_u64()
        .unwrap();
    let patch = json!([
        field("System.History", "from long ago"),
        field("System.ChangedDate", "2020-01-02T00:00:00Z"),
        field("System.ChangedBy", "Nobody Anymore")
    ]);
    contoso
        .update(id, "&bypassRules=true", &patch)
        .await
        .expect(200);
    let list = contoso
        .get(&format!(
            "Fabrikam/_apis/wit/workItems/{id}/comments?{VERSION}"
        ))
        .await
        .expect(200)
        .json();
    let comment = &list["comments"][0];
    assert_eq!(
        (&list["totalCount"], &comment["text"]),
        (&json!(1), &json!("from long ago"))
    );
    assert_eq!(
        (
            &comment["createdBy"]["displayName"],
            &comment["createdDate"]
        ),
        (&json!("Nobody Anymore"), &json!("2020-01-02T00:00:00Z"))
    );
    contoso
        .update(id, "", &json!([field("System.Title", "later")]))
        .await
        .expect(200);
    assert!(
        contoso.item(id).await["fields"]
            .get("System.History")
            .is_none()
    );
}

#[tokio::test]
async fn an_edit_can_give_a_comment_another_format() {
    let contoso = Contoso::start().await;
    let id = contoso.task("discussed").await;
    let path = format!("Fabrikam/_apis/wit/workItems/{id}/comments");
    let first = contoso
        .post(&format!("{path}?{VERSION}"), &json!({"text": "*one*"}))
        .await
        .expect(200)
        .json();
    assert_eq!(first["format"], "html");
    let comment = format!("{path}/{}", first["id"]);
    let text = json!({"text": "*one*"});
    for (query, format) in [
        ("format=markdown&", "markdown"),
        ("", "markdown"),
        ("format=HTML&", "html"),
        ("format=0&", "markdown"),
        ("format=1&", "html"),
    ] {
        let path = format!("{comment}?{query}{VERSION}");
        let edited = contoso.patch(&path, &text).await.expect(200).json();
        assert_eq!(edited["format"], format, "{query}");
    }
    let path = format!("{comment}?format=rtf&{VERSION}");
    contoso.patch(&path, &text).await.refused(400, "rtf");
    let now = contoso.get(&format!("{comment}?{VERSION}")).await.json();
    assert_eq!(
        (&now["format"], &now["version"]),
        (&json!("html"), &json!(6))
    );
}

#[tokio::test]
async fn edits_are_versions_and_deleted_comments_are_kept_for_those_who_ask() {
    let contoso = Contoso::start().await;
    let id = contoso.task("discussed").await;
    let path = format!("Fabrikam/_apis/wit/workItems/{id}/comments");
    let first = contoso
        .post(&format!("{path}?{VERSION}"), &json!({"text": "one"}))
        .await
        .expect(200)
        .json();
    let comment = format!("{path}/{}", first["id"]);
    contoso
        .patch(&format!("{comment}?{VERSION}"), &json!({"text": "two"}))
        .await
        .expect(200);
    let versions = contoso
        .get(&format!("{comment}/versions?api-version=7.1-preview.1"))
        .await
        .expect(200)
        .json();
    let texts: Vec<&Value> = versions["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|version| &version["text"])
        .collect();
    assert_eq!(texts, ["two", "one"]);
    contoso
        .delete(&format!("{comment}?{VERSION}"))
        .await
        .expect(204);
    assert_eq!(
        contoso.get(&format!("{path}?{VERSION}")).await.json()["count"],
        0
    );
    let kept = contoso
        .get(&format!("{path}?includeDeleted=true&{VERSION}"))
        .await
        .json();
    assert_eq!(
        (
            &kept["comments"][0]["isDeleted"],
            &kept["comments"][0]["version"]
        ),
        (&json!(true), &json!(3))
    );
    assert_eq!(contoso.item(id).await["fields"]["System.CommentCount"], 0);
}

#[tokio::test]
async fn comments_come_in_pages_newest_first() {
    let contoso = Contoso::start().await;
    let id = contoso.task("discussed").await;
    let path = format!("Fabrikam/_apis/wit/workItems/{id}/comments?{VERSION}");
    for text in ["a", "b", "c"] {
        contoso
            .post(&path, &json!({"text": text}))
            .await
            .expect(200);
    }
    let first = contoso.get(&format!("{path}&$top=2")).await.json();
    assert_eq!(
        (
            &first["comments"][0]["text"],
            &first["totalCount"],
            &first["count"]
        ),
        (&json!("c"), &json!(3), &json!(2))
    );
    let second = contoso
        .get(&format!(
            "{path}&$top=2&continuationToken={}",
            first["continuationToken"].as_str().unwrap()
        ))
        .await
        .json();
    assert_eq!(second["comments"][0]["text"], "a");
    assert!(second.get("continuationToken").is_none());
    assert_eq!(
        contoso.get(&format!("{path}&order=asc")).await.json()["comments"][0]["text"],
        "a"
    );
}

#[tokio::test]
async fn reactions_come_and_go() {
    let contoso = Contoso::start().await;
    let id = contoso.task("liked").await;
    let path = format!("Fabrikam/_apis/wit/workItems/{id}/comments");
    let comment = contoso
        .post(&format!("{path}?{VERSION}"), &json!({"text": "one"}))
        .await
        .expect(200)
        .json();
    let like = format!(
        "{path}/{}/reactions/like?api-version=7.1-preview.1",
        comment["id"]
    );
    let pat = contoso.simulator.pat();
    let made = contoso
        .send(
            reqwest::Method::PUT,
            &like,
            pat,
            "application/json",
            Vec::new(),
        )
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&made["count"], &made["isCurrentUserEngaged"]),
        (&json!(1), &json!(true))
    );
    contoso.delete(&like).await.expect(200);
    let listed = contoso
        .get(&format!("{path}?$expand=all&{VERSION}"))
        .await
        .expect(200)
        .json();
    assert_eq!(listed["comments"][0]["reactions"], json!([]));
}
