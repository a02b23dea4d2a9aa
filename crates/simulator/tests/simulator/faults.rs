//! Injected faults, and the ledger that sees them.

use serde_json::{Value, json};

use super::harness::Contoso;

#[tokio::test]
async fn a_rule_strikes_from_its_hit_on_and_as_often_as_it_says() {
    let contoso = Contoso::start().await;
    contoso.post("/__faults", &json!({"path": "/contoso/_apis/projects*", "nth": 2, "count": 1, "fault": "429", "retryAfter": 7})).await.expect(201);
    contoso.get("_apis/projects").await.expect(200);
    let throttled = contoso.get("_apis/projects").await.expect(429);
    assert_eq!(
        (
            throttled.header("retry-after"),
            throttled.header("x-ratelimit-remaining")
        ),
        ("7", "0")
    );
    assert!(throttled.text().contains("TF400733"));
    contoso.get("_apis/projects").await.expect(200);
}

#[tokio::test]
async fn refusals_take_the_recorded_forms() {
    let contoso = Contoso::start().await;
    for (fault, status, part) in [
        ("203", 203, "Sign In"),
        ("302", 302, "Object moved"),
        ("401", 401, "{\"count\":0,\"value\":[]}"),
        ("403", 403, "TF50309"),
        ("503", 503, "\u{feff}{\"$id\""),
    ] {
        contoso
            .post("/__faults", &json!({"count": 1, "fault": fault}))
            .await
            .expect(201);
        let answer = contoso.get("_apis/projects").await.expect(status);
        assert!(answer.text().contains(part), "{fault}: {}", answer.text());
    }
    contoso
        .post(
            "/__faults",
            &json!({"count": 1, "fault": "200-retry-after"}),
        )
        .await
        .expect(201);
    let slowed = contoso.get("_apis/projects").await.expect(200);
    assert_eq!(
        (
            slowed.json()["count"].as_u64(),
            slowed.header("retry-after")
        ),
        (Some(1), "1")
    );
}

#[tokio::test]
async fn bodies_end_early_with_and_without_notice() {
    let contoso = Contoso::start().await;
    contoso
        .post(
            "/__faults",
            &json!({"count": 1, "fault": "truncate-clean", "bytes": 20}),
        )
        .await
        .expect(201);
    assert_eq!(
        contoso.get("_apis/projects").await.expect(200).bytes.len(),
        20
    );
    for fault in ["truncate", "drop", "drop-before"] {
        contoso
            .post("/__faults", &json!({"count": 1, "fault": fault}))
            .await
            .expect(201);
        let url = format!("{}/contoso/_apis/projects", contoso.simulator.url());
        let ended = match contoso
            .client
            .get(url)
            .basic_auth("", Some(contoso.simulator.pat()))
            .send()
            .await
        {
            Ok(response) => response.bytes().await.is_err(),
            Err(_) => true,
        };
        assert!(ended, "{fault}");
    }
    contoso
        .post(
            "/__faults",
            &json!({"count": 1, "fault": "slow", "milliseconds": 1}),
        )
        .await
        .expect(201);
    assert_eq!(
        contoso.get("_apis/projects").await.expect(200).json()["count"],
        1
    );
}

#[tokio::test]
async fn a_hidden_project_is_missing_without_a_word() {
    let contoso = Contoso::start().await;
    contoso.task("hidden with its project").await;
    contoso
        .post(
            "/__faults",
            &json!({"fault": "hide-project", "project": "Fabrikam"}),
        )
        .await
        .expect(201);
    assert_eq!(
        contoso.get("_apis/projects").await.expect(200).json()["count"],
        0
    );
    let stream = contoso
        .get("_apis/wit/reporting/workitemrevisions?api-version=7.1")
        .await
        .expect(200)
        .json();
    assert_eq!(stream["values"], json!([]));
    contoso.delete("/__faults").await.expect(204);
    assert_eq!(contoso.get("_apis/projects").await.json()["count"], 1);
}

#[tokio::test]
async fn an_unknown_fault_is_refused() {
    let contoso = Contoso::start().await;
    contoso
        .post("/__faults", &json!({"fault": "meteor"}))
        .await
        .refused(400, "meteor");
    contoso
        .post("/__faults", &json!({"fault": "429", "typo": 1}))
        .await
        .refused(400, "typo");
}

#[tokio::test]
async fn the_ledger_counts_requests_by_kind_and_template() {
    let contoso = Contoso::start().await;
    let id = contoso.task("t").await;
    contoso
        .post("/__ledger/reset", &Value::Null)
        .await
        .expect(204);
    let body = contoso
        .get("_apis/wit/reporting/workitemrevisions?api-version=7.1")
        .await
        .bytes
        .len();
    contoso
        .get(&format!(
            "Fabrikam/_apis/wit/workItems/{id}/comments?api-version=7.1-preview.4"
        ))
        .await
        .expect(200);
    contoso
        .get("Fabrikam/_apis/wit/classificationnodes")
        .await
        .expect(200);
    contoso
        .get("_apis/git/repositories?api-version=7.1")
        .await
        .expect(200);
    contoso
        .get("Fabrikam/_git/Fabrikam/info/refs?service=git-upload-pack")
        .await
        .expect(200);
    contoso.get("_apis/projects/none").await.expect(404);
    let ledger = contoso
        .get("/__ledger?organization=contoso")
        .await
        .expect(200)
        .json();
    let kinds: Vec<(&Value, &Value)> = ledger["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (&entry["kind"], &entry["template"]))
        .collect();
    let expected = [
        ("work-item", "wit/reporting/workItemRevisions"),
        ("comment", "wit/workItems/{workItemId}/comments/{commentId}"),
        ("area", "wit/classificationNodes"),
        ("git-repository", "git/repositories/{repositoryId}"),
        ("git-repository", "_git/{repository}/info/refs"),
        ("project", "projects/{*projectId}"),
    ];
    assert_eq!(
        kinds,
        expected
            .map(|(kind, template)| (json!(kind), json!(template)))
            .iter()
            .map(|(kind, template)| (kind, template))
            .collect::<Vec<_>>()
    );
    assert_eq!(ledger["entries"][0]["responseBytes"], body);
    assert_eq!(
        (
            &ledger["summary"]["requests"],
            &ledger["summary"]["kinds"]["project"]["errors"]
        ),
        (&json!(6), &json!(1))
    );
}

#[tokio::test]
async fn the_state_and_the_inventory_show_what_is_held() {
    let contoso = Contoso::start().await;
    let (one, two) = (contoso.task("one").await, contoso.task("two").await);
    contoso
        .link(one, "System.LinkTypes.Related", two)
        .await
        .expect(200);
    contoso
        .delete(&format!("_apis/wit/workitems/{two}?api-version=7.1"))
        .await
        .expect(200);
    let state = contoso
        .get("/__state?organization=contoso")
        .await
        .expect(200)
        .json();
    assert_eq!(
        (
            &state["workItems"][0]["title"],
            &state["recycleBin"][0]["title"]
        ),
        (&json!("one"), &json!("two"))
    );
    assert_eq!(
        (
            &state["projects"][0]["name"],
            &state["teams"][0]["members"][0]["isTeamAdmin"]
        ),
        (&json!("Fabrikam"), &json!(true))
    );
    assert!(
        std::path::Path::new(state["repositories"][0]["repositoryPath"].as_str().unwrap()).is_dir()
    );
    let inventory = contoso.get("/__inventory").await.expect(200).json();
    let count = |name: &str| inventory[name].as_u64().unwrap();
    assert_eq!(
        [
            count("workItems"),
            count("deletedWorkItems"),
            count("revisions"),
            count("links"),
            count("projects"),
            count("emptyRepositories")
        ],
        [1, 1, 3, 2, 1, 1]
    );
    assert_eq!(inventory["pageSizes"]["revisions"], 200);
}
