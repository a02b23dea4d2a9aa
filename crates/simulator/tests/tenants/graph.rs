//! Microsoft Graph: what its documents say of queries, batches and tokens.

use reqwest::Method;
use serde_json::{Value, json};

use super::tenancy::{Answer, GRAPH, Tenancy};

/// A client of Microsoft Graph with the token of the seeded app.
struct Graph {
    tenancy: Tenancy,
    token: String,
}

impl Graph {
    async fn start() -> Self {
        let tenancy = Tenancy::start().await;
        let token = tenancy.app_token(GRAPH).await;
        Self { tenancy, token }
    }

    async fn get(&self, path: &str) -> Answer {
        self.tenancy.get_as(path, &self.token).await
    }

    /// With `ConsistencyLevel: eventual`.
    async fn eventual(&self, path: &str) -> Answer {
        let token = format!("Bearer {}", self.token);
        let headers = [("authorization", &*token), ("consistencylevel", "eventual")];
        let sent = self
            .tenancy
            .request(Method::GET, path, &headers, String::new());
        sent.await
    }

    async fn batch(&self, requests: Value) -> Answer {
        let token = format!("Bearer {}", self.token);
        let headers = [
            ("authorization", &*token),
            ("content-type", "application/json"),
        ];
        let body = json!({"requests": requests}).to_string();
        let sent = self
            .tenancy
            .request(Method::POST, "/v1.0/$batch", &headers, body);
        sent.await
    }

    async fn forget_changes(&self) {
        let path = "/__graph/expire";
        let sent = self
            .tenancy
            .request(Method::POST, path, &[], "{}".to_owned());
        assert!(sent.await.status < 300);
    }
}

#[track_caller]
fn says(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{}", answer.text);
    assert_eq!(answer.json()["error"]["code"], code, "{}", answer.text);
}

/// "`$filter` with `ne`, `not`, `endsWith`, `/$count eq 0`: requires `ConsistencyLevel: eventual` and `$count=true`" (learn.microsoft.com, advanced queries on directory objects).
#[tokio::test]
async fn advanced_filters_need_the_header_and_the_count() {
    let graph = Graph::start().await;
    for filter in [
        "assignedLicenses/$count ne 0",
        "userType ne 'Guest'",
        "not(userType eq 'Guest')",
        "endsWith(mail,'@contoso.example')",
    ] {
        let counted = format!("/v1.0/users?$filter={filter}&$count=true");
        let bare = format!("/v1.0/users?$filter={filter}");
        for refused in [
            graph.get(&counted).await,
            graph.get(&bare).await,
            graph.eventual(&bare).await,
        ] {
            says(&refused, 400, "Request_UnsupportedQuery");
        }
        let found = graph.eventual(&counted).await.ok();
        assert!(found["@odata.count"].as_u64().unwrap() > 0, "{filter}");
    }
    let licensed = "/v1.0/users?$filter=assignedLicenses/$count ne 0&$count=true&$top=5";
    let found = graph.eventual(licensed).await.ok();
    assert_eq!(found["@odata.count"], 23);
    assert_eq!(found["value"].as_array().unwrap().len(), 5);
}

/// "`$count` is silently ignored where the header is missing"; "`users/$count`: the header is required" (learn.microsoft.com, query parameters, count).
#[tokio::test]
async fn the_count_of_people_is_told_only_where_it_may_lag_behind() {
    let graph = Graph::start().await;
    let plain = graph.get("/v1.0/users?$count=true&$top=1").await.ok();
    assert_eq!(plain.get("@odata.count"), None);
    let counted = graph.eventual("/v1.0/users?$count=true&$top=1").await.ok();
    assert_eq!(counted["@odata.count"], 30);
    says(
        &graph.get("/v1.0/users/$count").await,
        400,
        "Request_UnsupportedQuery",
    );
    let raw = graph.eventual("/v1.0/users/$count").await;
    assert_eq!((raw.status, raw.text.as_str()), (200, "30"));
    let kind = raw.headers["content-type"].to_str().unwrap();
    assert!(kind.starts_with("text/plain"), "{kind}");
}

#[tokio::test]
async fn filters_join_and_compare() {
    let graph = Graph::start().await;
    let count = async |filter: &str| {
        let path = format!("/v1.0/users?$filter={filter}&$top=999");
        let found = graph.get(&path).await.ok();
        found["value"].as_array().unwrap().len()
    };
    let person = graph.tenancy.simulator.person();
    let one = format!("userPrincipalName eq '{person}'");
    assert_eq!(count(&one).await, 1);
    assert_eq!(count(&format!("{one} and accountEnabled eq true")).await, 1);
    assert_eq!(
        count(&format!("({one}) and accountEnabled eq false")).await,
        0
    );
    assert_eq!(count(&format!("{one} or userType eq 'Guest'")).await, 3);
    assert_eq!(
        count(&format!("userPrincipalName in ('{person}','nobody@x')")).await,
        1
    );
    assert_eq!(
        count("userType eq 'Guest' or userType eq 'Member'").await,
        30
    );
    for wrong in [
        "userType eq",
        "userType eq 'Guest",
        "nothing eq 1",
        "userType like 'G'",
    ] {
        let path = format!("/v1.0/users?$filter={wrong}");
        assert_eq!(graph.get(&path).await.status, 400, "{wrong}");
    }
}

/// "`$filter` is supported only for tracking changes to specific resources, by their ID" (user: delta).
#[tokio::test]
async fn changes_are_filtered_by_ids_alone() {
    let graph = Graph::start().await;
    let all = graph.get("/v1.0/users?$top=3&$select=id").await.ok();
    let id = |at: usize| all["value"][at]["id"].as_str().unwrap().to_owned();
    let (first, second) = (id(0), id(1));
    let only = format!("/v1.0/users/delta?$filter=id eq '{first}' or id eq '{second}'");
    let found = graph.get(&only).await.ok();
    let ids: std::collections::BTreeSet<&str> = found["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, [first.as_str(), second.as_str()].into());
    let other = graph
        .get("/v1.0/users/delta?$filter=userType eq 'Guest'")
        .await;
    assert_eq!(other.status, 400, "{}", other.text);
}

/// "If an individual request fails, any request that depends on it fails with the status code 424 (Failed Dependency)" (JSON batching).
#[tokio::test]
async fn a_batch_stops_what_depends_on_a_failure() {
    let graph = Graph::start().await;
    let requests = json!([
        {"id": "c", "method": "GET", "url": "/organization", "dependsOn": ["B"]},
        {"id": "a", "method": "GET", "url": "/users/nobody"},
        {"id": "b", "method": "GET", "url": "/users?$top=1", "dependsOn": ["a"]},
        {"id": "d", "method": "GET", "url": "/users?$top=1"},
    ]);
    let answer = graph.batch(requests).await.ok();
    let responses = answer["responses"].as_array().unwrap();
    let status = |id: &str| {
        let found = responses.iter().find(|own| own["id"] == id).unwrap();
        found["status"].as_u64().unwrap()
    };
    assert_eq!(
        ["a", "b", "c", "d"].map(status),
        [404, 424, 424, 200],
        "{answer}"
    );
    let get = |id: &str, after: &[&str]| json!({"id": id, "method": "GET", "url": "/users", "dependsOn": after});
    for wrong in [
        json!([get("1", &[]), get("1", &[])]),
        json!([get("1", &["2"]), get("2", &["1"])]),
        json!([get("1", &["9"])]),
        json!([{"method": "GET", "url": "/users"}]),
    ] {
        let refused = graph.batch(wrong.clone()).await;
        assert_eq!(refused.status, 400, "{wrong}: {}", refused.text);
    }
}

/// `client-request-id` and the wrong version (learn.microsoft.com, errors; "Invalid version").
#[tokio::test]
async fn an_error_names_the_request_of_the_client_in_its_body() {
    let graph = Graph::start().await;
    let own = "f1d2c3b4-0000-4000-8000-00000000000a";
    let token = format!("Bearer {}", graph.token);
    let headers = [("authorization", &*token), ("client-request-id", own)];
    let bad = graph
        .tenancy
        .request(Method::GET, "/v1.0/users/nobody", &headers, String::new())
        .await;
    assert_eq!(bad.json()["error"]["innerError"]["client-request-id"], own);
    let post = graph
        .tenancy
        .request(Method::POST, "/v1.0/organization", &headers, String::new())
        .await;
    assert_eq!(post.status, 405, "{}", post.text);
}

/// `CompactToken parsing failed` (Graph's answer to what is no token).
#[tokio::test]
async fn a_text_that_is_no_token_is_told_apart() {
    let tenancy = Tenancy::start().await;
    let refused = tenancy.get_as("/v1.0/users", "not.a.token").await;
    says(&refused, 401, "InvalidAuthenticationToken");
    let foreign = tenancy.app_token(super::tenancy::AZURE_DEVOPS).await;
    let audience = tenancy.get_as("/v1.0/users", &foreign).await;
    says(&audience, 401, "InvalidAuthenticationToken");
    let words = |answer: &Answer| {
        answer.json()["error"]["message"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        words(&audience),
        "Access token validation failure. Invalid audience."
    );
    assert_ne!(words(&refused), words(&audience));
}

/// "token=latest", "410 Gone: `resyncChangesApplyDifferences` … a Location header with a new nextLink" (driveItem: delta).
#[tokio::test]
async fn a_drive_begins_now_or_again() {
    let graph = Graph::start().await;
    let person = graph.tenancy.simulator.person().to_owned();
    let drive = format!("/v1.0/users/{person}/drive/root/delta");
    let first = graph.get(&drive).await.ok();
    assert_eq!(first["value"].as_array().unwrap().len(), 3);
    let link = first["@odata.deltaLink"].as_str().unwrap().to_owned();
    for quiet in [
        link.as_str(),
        &format!("{drive}?token=latest"),
        &format!("{drive}(token='latest')"),
        &format!("{drive}?token=2026-01-06T00:00:00Z"),
    ] {
        let now = graph.get(quiet).await.ok();
        assert_eq!(now["value"], json!([]), "{quiet}");
        assert!(now["@odata.deltaLink"].is_string(), "{quiet}");
    }
    says(
        &graph.get(&format!("{drive}?token=bad")).await,
        400,
        "invalidRequest",
    );
    graph.forget_changes().await;
    let gone = graph.get(&link).await;
    says(&gone, 410, "resyncChangesApplyDifferences");
    let again = gone.headers["location"].to_str().unwrap();
    assert_eq!(
        graph.get(again).await.ok()["value"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
}

/// "`SyncStateNotFound`, 410" and "`ErrorItemNotFound`" (message: delta; Outlook errors).
#[tokio::test]
async fn a_mail_folder_tells_changes_and_what_is_not_there() {
    let graph = Graph::start().await;
    let folders = format!(
        "/v1.0/users/{}/mailFolders",
        graph.tenancy.simulator.person()
    );
    let inbox = format!("{folders}/inbox/messages/delta");
    let first = graph.get(&inbox).await.ok();
    assert_eq!(first["value"].as_array().unwrap().len(), 2);
    let link = first["@odata.deltaLink"].as_str().unwrap().to_owned();
    assert_eq!(graph.get(&link).await.ok()["value"], json!([]));
    says(
        &graph.get(&format!("{folders}/nowhere/messages")).await,
        404,
        "ErrorItemNotFound",
    );
    graph.forget_changes().await;
    says(&graph.get(&link).await, 410, "SyncStateNotFound");
}
